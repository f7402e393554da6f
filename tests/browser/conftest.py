"""A real browser, the house on a live server, and the sandbox of PowerOffice Go in a process of its own.

Nothing here is mocked: a click goes through the web server, the task (run at once instead of queued), HTTP, the
sandbox and back. A console error, a failed request or an uncaught exception in a page fails the test.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.apps import apps
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from integration.enums import CompanyState
from integration.models import GoCompany
from integration.models.log_books import keep_log_books, open_log_books
from tests import factories

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in this thread; we do not use it
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")

SCREENS = [(width, colours) for width in (1440, 400) for colours in ("light", "dark")]
on_every_screen = pytest.mark.parametrize("visitor", SCREENS, indirect=True, ids=str)
on_two_screens = pytest.mark.parametrize("visitor", [(1440, "light"), (400, "dark")], indirect=True, ids=str)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file instead of memory: the live server's threads each want a connection of their own."""
    for alias in connections:
        database = connections[alias].settings_dict
        if database["ENGINE"] == "django.db.backends.sqlite3":
            database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("databases") / f"{alias}.sqlite3")


@dataclass(frozen=True)
class RemoteSandbox:
    """PowerOffice Go, played by another process."""

    address: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A control call; a refusal fails the test with the sandbox's sentence."""
        answer = requests.request(method, f"{self.address}/_control/{path}", json=body, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def act(self, name: str, company: str, **members: Any) -> Any:
        """Something that the accountant does in Go."""
        return self.call("POST", f"acts/{name}", {"company": company, **members})

    def books(self, company: str) -> Any:
        """The truth about one company."""
        return self.call("GET", f"books?company={company}")


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteSandbox]:
    """The sandbox under gunicorn on a free port, with books of its own."""
    books = tmp_path_factory.mktemp("sandbox")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings_sandbox",
        "SANDBOX_DATABASE_URL": f"sqlite:///{books / 'books.sqlite3'}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    with socket.create_server(("127.0.0.1", 0)) as door:  # it listens already: the first request simply waits
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        served = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{door.fileno()}", "--threads", "8"]
        process = subprocess.Popen(
            [*served, "--log-level", "warning", "integration.sandbox.wsgi:application"],
            cwd=ROOT,
            env=environment,
            pass_fds=[door.fileno()],
        )
    requests.get(f"{address}/_control/clock", timeout=60).raise_for_status()
    yield RemoteSandbox(address)
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def log_books(transactional_db: None) -> Iterator[None]:
    """Kept as in production while the test runs; open when pytest empties every table."""
    keep_log_books(apps.get_app_config("integration"))
    yield
    open_log_books()


@pytest.fixture
def go_company(remote: RemoteSandbox, settings: Any, django_db_serialized_rollback: None, log_books: None) -> GoCompany:
    """An active company whose books are in the sandbox, which the house calls over HTTP.

    The rollback puts back what migrations laid down (roles, schedule): a live server's tests empty every table.
    """
    remote.call("POST", "reset")
    settings.GO_API_URL = f"{remote.address}/v2"
    settings.GO_TOKEN_URL = f"{remote.address}/OAuth/Token"
    settings.GO_WEB_URL = remote.address
    made = remote.call("POST", "companies", {"name": "Fjordgløtt Camping AS", "client_key": factories.next_uuid()})
    return factories.go_company(name=made["name"], client_key=made["client_key"], state=CompanyState.ACTIVE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Visitor:
    """A person with a browser, who notices everything that goes wrong behind the page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.neighbours: tuple[str, ...] = ()
        """Other addresses that pages may ask: the sandbox, when it is looked at."""
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", self._stays_home)
        page.expose_function("heardViolation", self._violation)
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', event =>"
            " heardViolation(`${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`))"
        )

    def _violation(self, words: str) -> None:
        """What the content security policy stopped; not every one of them reaches the console."""
        self.complaints.append(f"{self.page.url}: {words}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _failed(self, request: Any) -> None:
        # By the page itself, because the words that are looked for went on; by the browser, which fetches a page's icon
        # after everything else, when the page is left meanwhile.
        may_be_taken_back = "/autocomplete/" in request.url or request.url.endswith("/icon.svg")
        if request.failure != "net::ERR_ABORTED" or not may_be_taken_back:
            self.complaints.append(f"{request.url}: {request.failure}")

    def _stays_home(self, request: Any) -> None:
        if not request.url.startswith((self.address, *self.neighbours, "data:", "blob:")):
            self.complaints.append(f"{self.page.url} asks a stranger: {request.url}")

    def log_in(self, user: User) -> None:
        self.page.goto(f"{self.address}/")
        self.page.fill("#id_username", user.email)
        self.page.fill("#id_password", factories.PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.address}/admin/")

    def leave(self, by: Locator) -> None:
        """Click what leads elsewhere, once the page has all it asked for: what is on its way would be taken back."""
        by.wait_for()
        self.page.wait_for_load_state()
        by.click()

    def open(self, path: str) -> None:
        self.page.wait_for_load_state()
        answer = self.page.goto(path if path.startswith("http") else f"{self.address}{path}")
        assert answer is not None
        assert (path, answer.status) == (path, 200)

    def sticks_out(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return int(self.page.evaluate("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"))


@pytest.fixture
def visitor(browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Somebody with a screen of the given width and colours; fails when a page complained."""
    width, colours = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=colours, timezone_id="Europe/Oslo", locale="nb-NO"
    )
    context.set_default_timeout(20_000)
    made = Visitor(context.new_page(), live_server.url)
    yield made
    context.close()
    assert made.complaints == []
