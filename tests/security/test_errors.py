"""V16: what is logged, and what an error page tells a stranger."""

import logging
import re
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.models import User
from accounts.visitors import asked
from config.settings import LOGGING
from integration.enums import StatementStatus
from integration.models import GoCompany
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def inside(production: Any) -> Any:
    """Production, for people who are in with the password alone."""
    production.SECOND_FACTOR_ROLES = []
    return production


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "accounts.middleware"]


def test_v16_3_2_a_refused_act_is_logged(home: GoCompany, caplog: pytest.LogCaptureFixture):
    """Who was refused what, from where; nothing of what was sent along."""
    rita = factories.person(role="Reader", companies=[home], email="rita@example.no")
    statement = factories.statement(home, status=StatementStatus.UPCOMING)
    client = Client(REMOTE_ADDR="10.0.0.7")
    client.force_login(rita)

    answer = client.post(
        "/admin/integration/invoicestatement/?secret=1",
        {"action": "push", "_selected_action": statement.pk, "confirmed": "1", "reason": "between us"},
    )

    assert answer.status_code == 403
    assert refusals(caplog) == [
        f"Refused: POST /admin/integration/invoicestatement/ by rita@example.no (person {rita.pk}) from 10.0.0.7"
    ]


def test_v16_3_3_a_form_without_its_token_is_logged(caplog: pytest.LogCaptureFixture):
    """A try to go round a control is written down too."""
    Client(enforce_csrf_checks=True, REMOTE_ADDR="10.0.0.7").post("/admin/login/", {"username": "x"})

    assert refusals(caplog) == ["Refused: POST /admin/login/ by nobody from 10.0.0.7"]


def test_v16_4_1_a_visitor_cannot_write_lines_into_the_log():
    """What comes from outside stays on its own line."""
    assert asked(RequestFactory().post("/admin/x%0AINFO%20all%20is%20well/")) == (
        "POST /admin/x%0AINFO%20all%20is%20well/"
    )


def test_v15_3_4_an_address_that_a_visitor_made_up_is_not_believed(settings: Any, caplog: pytest.LogCaptureFixture):
    """Behind a proxy the address is the one that the proxy saw; without one, headers say nothing."""
    headers = {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 10.0.0.7", "REMOTE_ADDR": "127.0.0.1"}
    for behind_proxy in (False, True):
        settings.BEHIND_PROXY = behind_proxy
        Client(enforce_csrf_checks=True).post("/admin/login/", **headers)  # type: ignore[arg-type] # the environ

    assert [line.rpartition(" ")[2] for line in refusals(caplog)] == ["127.0.0.1", "10.0.0.7"]


def test_v16_5_1_an_error_page_tells_nothing_about_the_inside(inside: Any, kari: User, monkeypatch: pytest.MonkeyPatch):
    """Something breaks: the visitor reads a plain sentence, the log gets the trace."""
    client = Client(raise_request_exception=False)
    client.force_login(kari)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("postgres://fakturabro:hunter2@db")

    monkeypatch.setattr("integration.admin.dashboard.tiles", broken)
    answer = client.get("/admin/", secure=True)

    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something broke here" in page
    assert [word for word in ("Traceback", "RuntimeError", "hunter2", "dashboard.py", "Django") if word in page] == []


@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        ("/admin/nowhere/", {}, 404, "There is no such page"),
        ("/nowhere/", {}, 404, "There is no such page"),
        ("/admin/", {"HTTP_HOST": "elsewhere.example"}, 400, "This request could not be read"),
    ],
)
def test_v13_4_2_production_shows_no_debug_page(
    path: str, headers: dict[str, str], status: int, words: str, inside: Any, kari: User
):
    """Neither settings nor routes nor versions: the same plain page whatever is wrong."""
    client = Client()
    client.force_login(kari)

    answer = client.get(path, secure=True, **headers)  # type: ignore[arg-type] # the environ

    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert "Django" not in answer.content.decode()


def test_v13_4_4_trace_is_not_answered(kari: User):
    """A request is never sent back as it came."""
    client = Client(HTTP_X_MARK="zqx")
    client.force_login(kari)

    assert "zqx" not in client.trace("/admin/").content.decode()


def test_v16_2_2_the_log_says_which_time_it_means():
    """Times in the log carry their distance from UTC."""
    plain: Any = LOGGING["formatters"]
    formatter: logging.Formatter = DictConfigurator(LOGGING).configure_formatter(plain["plain"])
    line = formatter.format(logging.makeLogRecord({"created": 0, "msg": "x"}))

    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} ", line)
