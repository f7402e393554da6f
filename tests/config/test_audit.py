"""The audit of the libraries, as far as it needs no network."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import audit

ROOT = Path(__file__).resolve().parents[2]
HASH = "--hash=sha256:" + "0" * 64


def test_the_locks_are_complete():
    """ASVS V15.2.4: no file but the one that was locked is ever installed."""
    assert [audit.unpinned((ROOT / name).read_text(encoding="utf-8")) for name in audit.LOCKS] == [[], []]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (f"django==5.2.19 \\\n    {HASH}\n", None),
        (f"celery[redis]==5.7.0 ; python_version < '3.12' \\\n    {HASH}\n    # via us\n", None),
        ("django==5.2.19\n", "django==5.2.19 has no hash: another file under its name would be taken."),
        (f"django>=5.2 \\\n    {HASH}\n", "django>=5.2 is not locked to one version."),
        (f"django==5.* \\\n    {HASH}\n", "django==5.* is not locked to one version."),
    ],
)
def test_an_open_entry_is_told(entry: str, sentence: str | None):
    assert audit.unpinned(f"# a remark\n{entry}") == ([sentence] if sentence else [])


def test_what_is_installed_is_what_is_locked():
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert audit.strangers(lock, python) == []
    assert audit.strangers("django==1.0\n", python)[0].startswith("django is 5.2")


def test_an_unwanted_licence_is_told(monkeypatch: pytest.MonkeyPatch):
    def library(name: str) -> Any:
        said = {"django": "AGPL-3.0-only", "celery": "BSD-3-Clause", "kombu": ""}[name]
        fields = {"License-Expression": [said]} if said else {}
        metadata = SimpleNamespace(get_all=fields.get)
        return SimpleNamespace(metadata=metadata)

    monkeypatch.setattr(audit, "installed", library)

    assert audit.licences("django==1\ncelery==1\nkombu==1\n", "3.12") == [
        "django comes under AGPL-3.0-only.",
        "kombu does not say under which licence it comes.",
    ]


KNOWN = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        (
            {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}]},
            "No known vulnerabilities found",
            audit.Advice(asked=1, known=(), not_asked=()),
        ),
        (
            {"dependencies": [{"name": "django", "version": "1.0", "vulns": [KNOWN]}]},
            "Found 1 known vulnerability in 1 package",
            audit.Advice(asked=1, known=("django 1.0: PYSEC-1, mended in 2.0.",), not_asked=()),
        ),
        (  # a mirror without advisories: pip-audit ends with 0 and "No known vulnerabilities found"
            {"dependencies": [{"name": "django", "skip_reason": "Dependency not found on PyPI"}]},
            "No known vulnerabilities found",
            audit.Advice(asked=0, known=(), not_asked=("django",)),
        ),
        (
            None,
            "...\nConnectionError: Max retries exceeded",
            audit.Advice(0, (), ("all of them: ConnectionError: Max retries exceeded",)),
        ),
    ],
)
def test_not_being_answered_is_never_called_clean(
    out: Any, err: str, said: audit.Advice, monkeypatch: pytest.MonkeyPatch
):
    """pip-audit itself is the edge: there is no service to ask here."""
    answer = subprocess.CompletedProcess([], 0, json.dumps(out) if out else "", err)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)

    assert audit.advice(Path("requirements.lock")) == said
