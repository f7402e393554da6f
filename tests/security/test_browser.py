"""V3: what a browser is told about our pages. Chromium itself is asked in `tests/browser`."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests import factories
from tests.security.conftest import ROOT

pytestmark = pytest.mark.django_db

ANSWERS = ("/admin/login/", "/admin/", "/admin/nowhere/", "/static/fakturabro/icon.svg")
"""A page for everybody, one for people, one that is not there, and a file."""


def https(client: Client, path: str) -> Any:
    answer = client.get(path, secure=True)
    if answer.streaming:
        answer.close()  # a file's handle
    return answer


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_4_1_browsers_are_told_to_stay_on_https(path: str, production: Any, client: Client):
    """Every answer says for at least a year that this host and those below it are reached by https only."""
    told = https(client, path).headers["Strict-Transport-Security"]

    assert int(re.findall(r"max-age=(\d+)", told)[0]) >= 31_536_000
    assert "includeSubDomains" in told


def test_v3_4_2_no_other_site_may_read_our_answers(as_kari: Client):
    """No page invites other origins to read it."""
    answer = as_kari.get("/admin/", HTTP_ORIGIN="https://elsewhere.example")

    assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_4_3_only_our_own_scripts_run(path: str, client: Client):
    """A content security policy on every answer: from here only, nothing that stands in a page itself, no plug-ins."""
    told = https(client, path).headers["Content-Security-Policy"]

    assert sorted(part.strip() for part in told.split(";")) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "object-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
    ]


def test_v3_4_3_no_template_of_ours_needs_more():
    """No script, style or handler stands in a page of ours."""
    inside = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    pages = [path for path in (ROOT / "templates").rglob("*.html") if inside.search(path.read_text(encoding="utf-8"))]

    assert pages == []


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_4_4_types_are_not_guessed(path: str, client: Client):
    """A file is what we say it is."""
    assert https(client, path).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_4_5_addresses_of_pages_stay_with_us(path: str, client: Client):
    """No other site learns from which of our pages somebody comes."""
    assert https(client, path).headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_4_6_no_page_is_shown_in_a_frame(path: str, client: Client):
    """Nobody can lay our buttons under theirs."""
    assert "frame-ancestors 'none'" in https(client, path).headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_4_8_windows_of_others_are_kept_apart(path: str, client: Client):
    """A window that another site opened has no hold on ours; no page of ours needs a camera or a place."""
    headers = https(client, path).headers

    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", ANSWERS)
def test_v3_5_8_nothing_of_ours_is_embedded_elsewhere(path: str, client: Client):
    """Other sites cannot load our files with the visitor's cookies."""
    assert https(client, path).headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.fixture
def cookies(production: Any, kari: User, client: Client) -> Any:
    """All that is set on the way through the log-in page."""
    https(client, "/admin/login/")
    client.post("/admin/login/", {"username": kari.email, "password": factories.PASSWORD}, secure=True)
    return client.cookies


def test_v3_3_1_cookies_travel_by_https_only(cookies: Any):
    """Each cookie is Secure, and its name makes the browser hold to it."""
    assert sorted(cookies) == ["__Host-csrftoken", "__Host-sessionid"]
    assert [bool(cookie["secure"]) for cookie in cookies.values()] == [True, True]


def test_v3_3_2_cookies_stay_at_home(cookies: Any):
    """A form of another site is sent without our cookies."""
    assert [cookie["samesite"] for cookie in cookies.values()] == ["Lax", "Lax"]


def test_v3_3_3_cookies_belong_to_this_host_alone(cookies: Any):
    """`__Host-`: no domain, the whole host."""
    assert [(each["domain"], each["path"]) for each in cookies.values()] == [("", "/"), ("", "/")]


def test_v3_3_4_scripts_cannot_read_cookies(cookies: Any):
    """A script that slips in finds no session."""
    assert [bool(cookie["httponly"]) for cookie in cookies.values()] == [True, True]


def test_v3_5_1_a_form_of_another_site_is_refused(kari: User):
    """Whatever changes something must come from a page of ours: without its token nothing happens."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(kari)

    answer = client.post("/admin/integration/customer/add/", {"name": "Theirs"})

    assert answer.status_code == 403
    assert "This page was open too long" in answer.content.decode()


def test_v3_5_3_reading_a_page_changes_nothing(as_kari: Client):
    """Logging out, like everything that changes something, is not done by following a link."""
    assert as_kari.get("/admin/logout/").status_code == 405
    assert as_kari.get("/admin/").status_code == 200


def test_v3_7_2_the_log_in_leads_to_our_own_pages_only(kari: User, client: Client):
    """After the log-in nobody is sent to another site."""
    form = {"username": kari.email, "password": factories.PASSWORD, "next": "https://elsewhere.example/"}
    answer = client.post("/admin/login/?next=https://elsewhere.example/", form)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/")


def test_v14_3_2_pages_are_not_kept_by_browsers(as_kari: Client):
    """Whoever sits down at the machine later does not find them with the back button."""
    pages = ("/admin/", "/admin/integration/customer/", "/admin/integration/customer/import/template.csv")

    assert [("no-store" in as_kari.get(page).headers["Cache-Control"]) for page in pages] == [True, True, True]


def test_error_pages_stand_alone():
    """They extend one plain page and know no variables, not even where files lie: they show whatever broke."""
    names = ("plain", "400", "403", "403_csrf", "404", "500")
    pages = [(ROOT / "templates" / f"{name}.html").read_text(encoding="utf-8") for name in names]

    assert [re.findall(r"\{\{|\{% (?!block|endblock|extends)", page) for page in pages] == [[] for _ in pages]
