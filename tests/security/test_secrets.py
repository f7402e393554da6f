"""V13.3 and V14.2: secrets stay where they belong."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

from tests.security.conftest import ROOT


@pytest.fixture
def sandbox_address(tmp_path: Path) -> Iterator[str]:
    """PowerOffice Go, played by another process with books of its own."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings_sandbox",
        "SANDBOX_DATABASE_URL": f"sqlite:///{tmp_path / 'books.sqlite3'}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    with socket.create_server(("127.0.0.1", 0)) as door:  # it listens already: the first request simply waits
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"fd://{door.fileno()}", "--threads", "4",
             "--log-level", "warning", "integration.sandbox.wsgi:application"],
            cwd=ROOT, env=environment, pass_fds=[door.fileno()],
        )  # fmt: skip
    yield address
    process.terminate()
    process.wait(timeout=20)


def spellings(secret: str) -> list[bytes]:
    """As it is, and as it would look in a header, in a memory dump, or in JSON."""
    raw = secret.encode()
    plain = [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), secret.replace("-", "").encode()]
    return [*plain, raw.lower()] if len(secret) > 20 else plain


@pytest.mark.once
def test_v13_3_1_planted_secrets_are_found_nowhere(sandbox_address: str, tmp_path: Path):
    """A little day with a real push and pull in production settings, the log at its most talkative. Afterwards none of
    the secrets stands in the database file or its log, a dump, logs, messages, attempts, exports, pages, letters about
    errors, or the list of processes.
    """
    left = tmp_path / "left"
    left.mkdir()
    keys = [str(uuid.uuid4()) for _ in range(2)]
    control = f"{sandbox_address}/_control"
    requests.post(f"{control}/reset", timeout=60).raise_for_status()
    for number, key in enumerate(keys):
        made = {"name": f"Company {number}", "client_key": key}
        requests.post(f"{control}/companies", json=made, timeout=20).raise_for_status()
    planted = {
        "first client key": keys[0],
        "second client key": keys[1],
        "client key that was typed when the page broke": str(uuid.uuid4()),
        "application key": "11111111-1111-4111-8111-111111111112",
        "subscription key": secrets.token_hex(16),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "newest of FIELD_KEYS": Fernet.generate_key().decode(),
        "oldest of FIELD_KEYS": Fernet.generate_key().decode(),
        "password of the database": secrets.token_hex(16),
        "password of the broker": secrets.token_hex(16),
        "password of the mail server": secrets.token_hex(16),
        "password of a person": f"setning {secrets.token_hex(8)}",
    }
    requests.put(
        f"{control}/switches",
        json={"application_keys": [planted["application key"]], "subscription_keys": [planted["subscription key"]]},
        timeout=20,
    ).raise_for_status()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENVIRONMENT": "production",
        "ALLOWED_HOSTS": "testserver",
        "LOG_LEVEL": "DEBUG",
        "SECRET_KEY": planted["SECRET_KEY"],
        "FIELD_KEYS": f"{planted['newest of FIELD_KEYS']},{planted['oldest of FIELD_KEYS']}",
        "GO_APPLICATION_KEY": planted["application key"],
        "GO_SUBSCRIPTION_KEY": planted["subscription key"],
        "GO_API_URL": f"{sandbox_address}/v2",
        "GO_TOKEN_URL": f"{sandbox_address}/OAuth/Token",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'house.sqlite3'}",
        "PLANTED_DATABASE_PASSWORD": planted["password of the database"],
        "BROKER_URL": f"filesystem://fakturabro:{planted['password of the broker']}@",
        "BROKER_DIR": str(tmp_path / "broker"),
        "EMAIL_URL": f"filemail://fakturabro:{planted['password of the mail server']}@/{left / 'letters'}",
        "ADMINS": "boss@example.no",
    }
    given = {
        "left": str(left),
        "password": planted["password of a person"],
        "client_keys": keys,
        "client_secret_tried": planted["client key that was typed when the page broke"],
    }
    run = subprocess.run(
        [sys.executable, "-m", "tests.security.planted"],
        cwd=ROOT, env=environment, input=json.dumps(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    log, _, result = run.stdout.rpartition("\nRESULT ")
    (left / "web.log").write_text(run.stderr + log)
    learned: dict[str, Any] = json.loads(result)
    planted |= {f"recovery code {number}": code for number, code in enumerate(learned["codes"])}
    planted |= {f"access token {number}": token for number, token in enumerate(learned["tokens"])}
    planted["seed of the second factor"] = learned["seed"]

    assert learned["done"] == {"pushed": "DRAFT", "messages": 2, "shown": 6, "broken": 2, "exports": 4}
    assert len(learned["tokens"]) == 2  # both companies spoke with Go
    assert len(list((left / "letters").iterdir())) > 0
    found = [
        (name, path.name)
        for path in sorted(each for each in left.rglob("*") if each.is_file())
        for name, secret in planted.items()
        if any(spelling in path.read_bytes() for spelling in spellings(secret))
    ]
    assert found == []
