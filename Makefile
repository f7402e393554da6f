# Two commands from nothing: `make demo` and `make test`. They need Python 3.11 to 3.13, make and git; nothing else.

# PYTHON= chooses; without it, the environment that is there stays, and a new one comes from python3.
PYTHON ?= $(if $(wildcard .venv/installed-*),.venv/bin/python,python3)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps --require-hashes
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# Stamps: what is installed, and for which Python. A changed lock installs again; another Python makes a new environment.
RUNTIME := .venv/installed-$(VERSION)
TOOLS := .venv/installed-tools-$(VERSION)

# Passed on to the demo when given: make demo PORT=9000
export PORT SANDBOX_PORT
ifndef PORT
unexport PORT
endif
ifndef SANDBOX_PORT
unexport SANDBOX_PORT
endif

# Tests, demo and rehearsals start dozens of processes; without kept bytecode each would compile every library anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup tools demo demo-reset test check browser audit lock coverage bites rehearsals bench

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: $(RUNTIME)  ## make .venv with what Fakturabro runs on

tools: $(TOOLS)  ## add what the checks and tests need

demo: $(RUNTIME)  ## the whole house with a sandbox of PowerOffice Go; PORT= and SANDBOX_PORT= move it
	@$(BIN)/python -m config.demo

demo-reset: $(RUNTIME)  ## throw the demo's data away, so that the next demo starts over
	@$(BIN)/python -m config.demo --reset

test: $(TOOLS)  ## the whole test suite, on the embedded database and broker
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

check: $(TOOLS)  ## format, lint, types, layers, migrations, production settings, lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=config.settings_sandbox $(BIN)/python manage.py makemigrations --check --dry-run
	ENVIRONMENT=production ALLOWED_HOSTS=fakturabro.example GO_APPLICATION_KEY=thrown-away GO_SUBSCRIPTION_KEY=thrown-away \
	  SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  FIELD_KEYS=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python -m config.lock

coverage: $(TOOLS)  ## the suite once more, counting lines and branches; names those that no test reaches
	rm -rf var/coverage
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --cov --cov-report=term-missing:skip-covered $(ARGS)

rehearsals: $(TOOLS)  ## short rehearsals with faults and kills, on both databases
	$(BIN)/python -m pytest tests/rehearsals --numprocesses 2 $(ARGS)

bites: $(TOOLS)  ## put bad designs into a copy, one after the other: the suite must fail with each
	$(BIN)/python -m pytest tests/bad_designs --numprocesses 2 $(ARGS)

bench: $(TOOLS)  ## measure, and print JSON lines; ARGS= chooses, BENCH_DATABASE_URL= names a PostgreSQL server
	$(BIN)/python -m tests.bench $(ARGS)

browser: $(TOOLS)  ## the tour of the README in a real browser (Debian's chromium)
	$(BIN)/python -m pytest tests/browser --numprocesses 2 --dist worksteal $(ARGS)

audit: $(TOOLS)  ## the locked libraries: hashes, licences, and known vulnerabilities where the network allows
	$(BIN)/python -m config.audit

lock:  ## write both locks anew from pyproject.toml; UPGRADE=--upgrade takes newer versions
	@command -v uv >/dev/null || $(MAKE) --no-print-directory $(RUNTIME)
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	PATH="$$PATH:$(CURDIR)/$(BIN)"; set -- --universal --python-version 3.11 --generate-hashes --quiet \
	  --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE); \
	uv pip compile pyproject.toml "$$@" --output-file requirements.lock && \
	uv pip compile pyproject.toml --group dev "$$@" --output-file requirements-dev.lock

$(RUNTIME): requirements.lock
	@case "$(VERSION)" in 3.11|3.12|3.13) ;; *) \
	  echo 'Fakturabro needs Python 3.11, 3.12 or 3.13, and "$(PYTHON)" is $(or $(VERSION),not there). Say which to use: make PYTHON=python3.13 setup'; \
	  exit 1;; esac
	@if [ ! -e $@ ]; then rm -rf .venv && $(PYTHON) -m venv .venv; fi
	$(INSTALL) --requirement requirements.lock
	@touch $@

$(TOOLS): $(RUNTIME) requirements-dev.lock
	$(INSTALL) --requirement requirements-dev.lock
	@touch $@
