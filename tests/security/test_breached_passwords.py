"""V6.2.12: new passwords are compared with breached ones, by a service that learns next to nothing. Here it is a small
web server of our own with the shape of Have I Been Pwned's range service."""

import hashlib
import logging
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from accounts import passwords
from accounts.models import User
from tests import factories
from tests.security.conftest import production_settings

pytestmark = pytest.mark.django_db

STOLEN = "trustno1 and nobody else"
DIGEST = hashlib.sha1(STOLEN.encode()).hexdigest().upper()
LINE = f"{DIGEST[5:]}:1342"
PADDING = "0018A45C4D1DEF81644B54AB7F969B88D65:0\r\n" * 800


class Service(ThreadingHTTPServer):
    """Answers every range with the same lines, and remembers what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Range)
        self.status = 200
        self.lines = f"{PADDING}{LINE}\r\n"
        self.slow = ""
        self.heard: list[tuple[str, str]] = []
        self.over = Event()


class Range(BaseHTTPRequestHandler):
    """One question."""

    server: Service

    def do_GET(self) -> None:
        self.server.heard.append((self.path, f"{self.requestline}\n{self.headers}"))
        if self.server.slow == "start":
            self.server.over.wait(20)
            return
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        while self.server.slow == "drip" and not self.server.over.wait(0.02):
            self.wfile.write(b"0")
            self.wfile.flush()
        self.wfile.write(self.server.lines.encode())

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    with Service() as made:
        Thread(target=made.serve_forever, daemon=True).start()
        settings.BREACHED_PASSWORDS_URL = f"http://127.0.0.1:{made.server_port}/range/"
        yield made
        made.over.set()
        made.shutdown()


def change(client: Client, new: str = STOLEN) -> Any:
    form = {"old_password": factories.PASSWORD, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), form)


def taken(kari: User, password: str = STOLEN) -> bool:
    kari.refresh_from_db()
    return kari.check_password(password)


def test_v6_2_12_a_breached_password_is_refused(service: Service, as_kari: Client, kari: User):
    """With a sentence that says why, and the form says before that it will be."""
    page = as_kari.get(reverse("admin:password_change")).content.decode()
    answer = change(as_kari)

    assert "must not be one that was stolen somewhere and published" in page
    assert "This password was stolen somewhere and published" in answer.content.decode()
    assert not taken(kari)


def test_v6_2_12_a_superuser_cannot_give_one_away(service: Service, kari: User):
    """Neither to a new person nor as a new password."""
    boss = Client()
    boss.force_login(factories.person(is_superuser=True))
    both = {"password1": STOLEN, "password2": STOLEN}
    boss.post(reverse("admin:auth_user_password_change", args=[kari.pk]), {"usable_password": "true", **both})
    boss.post(reverse("admin:accounts_user_add"), {"email": "new@example.no", **both})

    assert not taken(kari)
    assert not User.objects.filter(email="new@example.no").exists()
    assert [path for path, _ in service.heard] == [f"/range/{DIGEST[:5]}"] * 2


def test_v6_2_12_five_hex_digits_leave_us(service: Service, as_kari: Client):
    """And no more: neither the password, nor the rest of its hash, nor whose it is. The answer is padded."""
    change(as_kari)

    [(path, said)] = service.heard
    assert path == f"/range/{DIGEST[:5]}"
    assert "Add-Padding: true" in said.splitlines()
    assert [each for each in (DIGEST[5:12], STOLEN, "kari", "Cookie") if each.lower() in said.lower()] == []


@pytest.mark.parametrize("lines", ["", PADDING, f"{DIGEST[5:]}:0\r\n", f"{DIGEST[4:]}:7\r\n"])
def test_v6_2_12_what_only_pads_refuses_nothing(lines: str, service: Service, as_kari: Client, kari: User):
    """A hash that was seen 0 times is padding; another hash is another password."""
    service.lines = lines
    change(as_kari)

    assert taken(kari)


@pytest.mark.parametrize("lines", [LINE, LINE.lower(), f"{PADDING}{LINE}\n{PADDING}"])
def test_v6_2_12_however_the_lines_are_written(lines: str, service: Service, as_kari: Client, kari: User):
    """With or without carriage returns, in small or capital letters, at whatever place."""
    service.lines = lines
    change(as_kari)

    assert not taken(kari)


@pytest.mark.parametrize("status", [301, 404, 429, 503])
def test_v6_2_12_a_refusal_of_the_service_holds_up_nobody(
    status: int, service: Service, as_kari: Client, kari: User, caplog: pytest.LogCaptureFixture
):
    """The log says so, without password or digits; where the service sends us we do not go."""
    service.status = status
    change(as_kari)

    assert taken(kari)
    assert len(service.heard) == 1
    assert warned(caplog) == [f"status {status}"]


@pytest.mark.parametrize(("slow", "error"), [("start", "ReadTimeout"), ("drip", "the answer was too slow or too long")])
def test_v6_2_12_a_slow_service_holds_up_nobody_for_long(
    slow: str,
    error: str,
    service: Service,
    as_kari: Client,
    kari: User,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    """Whether it says nothing, or a sign now and then."""
    monkeypatch.setattr(passwords, "BREACHED_SECONDS", 0.2)
    service.slow = slow
    change(as_kari)

    assert taken(kari)
    assert warned(caplog) == [error]


def test_v6_2_12_an_endless_answer_is_not_read_to_its_end(
    service: Service, as_kari: Client, kari: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(passwords, "BREACHED_BYTES", 1000)
    change(as_kari)

    assert taken(kari)


def test_v6_2_12_no_service_holds_up_nobody(
    settings: Any, as_kari: Client, kari: User, caplog: pytest.LogCaptureFixture
):
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        settings.BREACHED_PASSWORDS_URL = f"http://127.0.0.1:{door.getsockname()[1]}/range/"
    change(as_kari)

    assert taken(kari)
    assert warned(caplog) == ["ConnectionError"]


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The kinds of error in our warnings, which hold nothing of the password."""
    told = [record.getMessage() for record in caplog.records if record.name == "accounts.passwords"]
    assert [each for each in told if DIGEST[:5] in each or STOLEN in each] == []
    assert {record.levelno for record in caplog.records if record.name == "accounts.passwords"} <= {logging.WARNING}
    return [each.rpartition(": ")[2] for each in told]


def test_v6_2_12_logging_in_asks_nobody(service: Service, kari: User):
    """Whoever has such a password since long comes in, also while the service is away."""
    kari.set_password(STOLEN)
    kari.save()
    client = Client()
    client.post("/admin/login/", {"username": kari.email, "password": STOLEN, "next": "/admin/"})

    assert (client.get("/admin/").status_code, service.heard) == (200, [])


def test_v6_2_12_production_asks_unless_told_otherwise():
    """Development asks nobody: nothing there needs the internet."""
    assert production_settings()["BREACHED_PASSWORDS_URL"] == "https://api.pwnedpasswords.com/range/"
    assert production_settings(BREACHED_PASSWORDS_URL="")["BREACHED_PASSWORDS_URL"] == ""
    assert production_settings(ENVIRONMENT="development")["BREACHED_PASSWORDS_URL"] == ""


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", ["accounts.W001"]),
        ("http://pwned.example.no/range/", ["accounts.W002"]),
        ("https://api.pwnedpasswords.com/range/", []),
    ],
)
def test_v6_2_12_the_check_of_production_says_when_it_is_off(address: str, said: list[str], settings: Any):
    settings.BREACHED_PASSWORDS_URL = address
    found = run_checks(include_deployment_checks=True)

    assert [each.id for each in found if str(each.id).startswith("accounts.")] == said
