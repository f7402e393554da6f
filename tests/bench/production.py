"""The production recipe of the README, tried: `python -m tests.bench.production`.

It needs DATABASE_URL and BROKER_URL of its own, empty, as on a new machine.

Runs what the systemd units of `deploy/` run, with production settings: web, beat, and two workers that could stand on
two machines. While they push statements into a sandbox of PowerOffice Go, each worker is restarted as an upgrade does
it. Ends with 0 only if every statement is in Go exactly once.
"""

import os
import re
import secrets
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from integration.enums import StatementStatus
from integration.models import InvoiceStatement
from tests.bench import pushing

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HOST = "fakturabro.example.com"
STATEMENTS = 240


def say(sentence: str) -> None:
    """One line."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def production(port: int) -> dict[str, str]:
    """`/etc/fakturabro.env` with values of our own, and the sandbox in place of PowerOffice Go."""
    go = f"http://127.0.0.1:{port}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": HOST,
        "BEHIND_PROXY": "true",
        "EMAIL_URL": "consolemail://",
        "GO_API_URL": f"{go}/v2",
        "GO_TOKEN_URL": f"{go}/OAuth/Token",
        "GO_WEB_URL": go,
        "GO_APPLICATION_KEY": str(uuid.uuid4()),
        "GO_SUBSCRIPTION_KEY": secrets.token_hex(16),
    }


def unit_command(unit: str, instance: str = "", port: int = 8000) -> list[str]:
    """What a systemd unit runs, with this environment's programs and a port that is free."""
    [line] = re.findall(r"^ExecStart=(.+)$", (ROOT / "deploy" / unit).read_text(), re.MULTILINE)
    line = line.replace("/srv/fakturabro/.venv/bin", str(BIN)).replace("%i", instance).replace("%%", "%")
    return shlex.split(line.replace(":8000", f":{port}"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Units:
    """systemd, as far as the recipe needs it."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[list[str], Mapping[str, str], subprocess.Popen[bytes]]] = {}

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.running[name] = (command, environment, subprocess.Popen(command, cwd=ROOT, env=dict(environment)))

    def restart(self, name: str) -> None:
        """SIGTERM, wait for the end, start again."""
        command, environment, process = self.running[name]
        process.terminate()
        process.wait(timeout=60)
        self.start(name, command, environment)

    def stop(self) -> None:
        for _, _, process in self.running.values():
            process.terminate()
        for _, _, process in self.running.values():
            process.wait(timeout=60)


def sandbox(units: Units, port: int, folder: Path) -> str:
    """PowerOffice Go, played by a process that knows nothing of production."""
    environment = {
        **os.environ,
        "ENVIRONMENT": "development",
        "DJANGO_SETTINGS_MODULE": "config.settings_sandbox",
        "SANDBOX_DATABASE_URL": f"sqlite:///{folder / 'sandbox.sqlite3'}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    serve = [str(BIN / "gunicorn"), "--threads", "8", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    units.start("sandbox", [*serve, "integration.sandbox.wsgi:application"], environment)
    return until_it_answers(f"http://127.0.0.1:{port}", "/_control/clock")


def until_it_answers(base: str, path: str, **arguments: Any) -> str:
    """Polls for a minute."""
    for _ in range(300):
        try:
            requests.get(base + path, timeout=60, allow_redirects=False, **arguments)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return base
    raise SystemExit(f"{base} does not answer.")


def recipe(environment: Mapping[str, str], units: Units, go: str) -> int:
    """Set up, start, push, restart, compare. Returns the exit status."""
    for words in ("migrate -v0", "collectstatic --noinput -v0", "check --deploy --fail-level WARNING"):
        say(f"manage.py {words}")
        subprocess.run([sys.executable, "manage.py", *words.split()], cwd=ROOT, env=environment, check=True)
    port = free_port()
    units.start("web", unit_command("fakturabro-web.service", port=port), environment)
    units.start("beat", unit_command("fakturabro-beat.service"), environment)
    for number in ("1", "2"):
        own = {**environment, "LOG_LEVEL": "INFO" if number == "1" else "WARNING"}
        units.start(f"worker{number}", unit_command("fakturabro-worker@.service", number), own)

    page = {"headers": {"Host": HOST, "X-Forwarded-Proto": "https"}}
    until_it_answers(f"http://127.0.0.1:{port}", "/", **page)
    answer = requests.get(f"http://127.0.0.1:{port}/admin/login/?next=/admin/", timeout=60, **page)  # type: ignore[arg-type]
    say(f"the log-in page answers {answer.status_code}, {answer.headers.get('Strict-Transport-Security')}")
    if answer.status_code != 200:
        return 1

    ours_in_go = {
        "application_keys": [environment["GO_APPLICATION_KEY"]],
        "subscription_keys": [environment["GO_SUBSCRIPTION_KEY"]],
    }
    pushing.control(go, "PUT", "switches", ours_in_go)
    company = pushing.new_company(go, "Fjell og Fjord AS")
    pushing.queue(company, STATEMENTS, pushing.customers_of(company, 20))
    for worker, share in (("worker1", 0.8), ("worker2", 0.4)):
        while pushing.left() > STATEMENTS * share:
            time.sleep(0.2)
        say(f"{pushing.left()} left: {worker} is restarted")
        units.restart(worker)
    while pushing.left():
        time.sleep(0.5)
    books = pushing.control(go, "GET", f"books?company={company.client_key.reveal()}")
    theirs = Counter(order["reference"] for order in books["orders"])
    ours = set(InvoiceStatement.objects.filter(status=StatementStatus.DRAFT).values_list("reference", flat=True))
    lost, twice = sorted(ours - set(theirs)), sorted(name for name, times in theirs.items() if times > 1)
    say(f"{len(ours)} statements are drafts, Go has {theirs.total()} orders; lost: {lost}, twice: {twice}")
    return int(bool(lost or twice or not len(ours) == theirs.total() == STATEMENTS))


def inside(port: int) -> int:
    """With production settings in the environment."""
    units = Units()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return recipe(os.environ, units, sandbox(units, port, Path(folder)))
        finally:
            units.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        sys.exit(inside(int(sys.argv[2])))
    free = free_port()
    os.execve(sys.executable, [sys.executable, "-m", "tests.bench.production", "--inside", str(free)], production(free))
