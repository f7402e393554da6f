"""V7.5.2 and its neighbours: people see and end their own log-ins, superusers those of a person, and nobody more."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import FailedLogIn, Session, User
from accounts.open_log_ins import open_log_ins
from accounts.visitors import browser_of
from tests import factories
from tests.security.test_log_ins import LOG_IN, change_password, is_in, log_in

pytestmark = pytest.mark.django_db

MINE = "/admin/my-log-in/"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1 Version/19.1 Mobile Safari/604.1"


def listed(client: Client) -> list[str]:
    """What the person's page says of each log-in."""
    page = client.get(MINE).content.decode()
    of_them = page[page.index('id="log-ins">') :].partition("</ul>")[0]
    return [" ".join(re.sub(r"<[^>]+>", "", row).split()) for row in re.findall(r"<li>(.*?)</li>", of_them, re.DOTALL)]


def names(client: Client) -> list[str]:
    return re.findall(r'name="log_in" value="([^"]+)"', client.get(MINE).content.decode())


def end(client: Client, *marked: str, password: str = factories.PASSWORD, button: str = "marked") -> Any:
    return client.post(MINE, {"password": password, "log_in": marked, button: "1"}, follow=True)


def test_v7_5_2_people_see_their_log_ins(kari: User):
    """On which browser, from where, since when, last seen; this one first, nobody else's, and none that has ended."""
    with time_machine.travel("2026-11-21T08:00:00+01:00", tick=False) as clock:
        log_in(where="10.0.0.9").client.post(reverse("admin:logout"))
        log_in(who=factories.person().email, where="10.0.0.6")
        log_in(where="10.0.0.5")
        clock.shift(timedelta(minutes=20))
        phone = log_in(where="10.0.0.8", agent=IPHONE).client
        clock.shift(timedelta(minutes=15))
        here = log_in(agent=WINDOWS).client
        phone.get("/admin/", REMOTE_ADDR="10.0.0.77")
        clock.shift(timedelta(seconds=59))
        phone.get("/admin/", REMOTE_ADDR="10.0.0.78")

        assert listed(here) == [
            "This one Firefox on Windows from 10.0.0.7, since 21.11.2026 08:35, last seen 21.11.2026 08:35",
            "Safari on an iPhone from 10.0.0.77, since 21.11.2026 08:20, last seen 21.11.2026 08:35",
        ]
        change_password(here, "a sentence of their own")
        assert [row[:8] for row in listed(here)] == ["This one"]


def test_v7_5_2_people_end_one_of_their_log_ins(kari: User, caplog: pytest.LogCaptureFixture):
    """At its next click it is out; the others go on, this one too if it is named. The log says which, and by whom."""
    caplog.set_level(logging.INFO)
    here, phone, third = log_in().client, log_in(where="10.0.0.8", agent=IPHONE).client, log_in().client
    [the_third] = set(names(here)) & set(names(phone))
    [this] = set(names(phone)) - {the_third}
    page = end(here, the_third, this)

    assert "1 log-in ended." in page.content.decode()
    assert (is_in(here), is_in(phone), is_in(third)) == (True, True, False)
    end(here, *names(here))
    assert (is_in(here), is_in(phone)) == (True, False)
    assert "Ended the log-in of Safari on an iPhone from 10.0.0.8. By kari@example.no" in caplog.text


def test_v7_5_2_people_end_all_others(kari: User, caplog: pytest.LogCaptureFixture):
    """This one goes on."""
    caplog.set_level(logging.INFO)
    here, phone, third = log_in().client, log_in(agent=IPHONE).client, log_in().client
    page = end(here, button="others")

    assert [is_in(each) for each in (here, phone, third)] == [True, False, False]
    assert "You are logged out everywhere else." in page.content.decode()
    assert len(listed(here)) == 1
    assert f"Ended all other log-ins. By kari@example.no (person {kari.pk})" in caplog.text


@pytest.mark.parametrize("button", ["marked", "others", "everywhere"])
def test_v7_5_2_ending_needs_the_password(button: str, kari: User):
    """Whoever finds an open machine cannot shut out its owner elsewhere."""
    here, phone = log_in().client, log_in().client
    end(here, *names(here), password="wrong", button=button)

    assert (is_in(here), is_in(phone)) == (True, True)
    assert FailedLogIn.objects.get().failures_since_start == 1


def test_v7_5_2_marking_nothing_ends_nothing(kari: User):
    here, phone = log_in().client, log_in().client
    page = end(here)

    assert "Nothing was marked." in page.content.decode()
    assert (is_in(here), is_in(phone)) == (True, True)


def test_v7_5_2_somebody_with_the_password_alone_is_listed(kari: User, settings: Any):
    """And may be ended: that is who must be noticed."""
    settings.SECOND_FACTOR_ROLES = ["Finance"]
    thief = log_in(where="6.6.6.6").client
    settings.SECOND_FACTOR_ROLES = []
    here = log_in().client

    [_, other] = listed(here)
    assert other.startswith("Firefox from 6.6.6.6, since ")
    assert other.endswith(" (password only, no code yet)")
    end(here, *names(here))
    assert thief.get(MINE).headers["Location"].startswith(LOG_IN)


def test_v8_2_2_log_ins_of_others_are_out_of_reach(kari: User):
    """Neither by their name nor by their key, whoever asks, be it a superuser on the page of their own log-ins."""
    ola = factories.person(is_superuser=True)
    here, elsewhere = log_in().client, log_in().client
    boss = log_in(who=ola.email).client
    keys = [client.cookies["sessionid"].value for client in (here, elsewhere)]
    end(boss, *names(here), *names(elsewhere), *keys)
    end(boss, button="others")
    end(boss, button="everywhere")

    assert (is_in(here), is_in(elsewhere), is_in(boss)) == (True, True, False)


def test_v8_2_2_only_superusers_have_a_page_of_anothers_log_ins(kari: User):
    """Others neither see nor end them."""
    phone, finance = log_in().client, Client()
    finance.force_login(factories.person(role="Finance"))
    act = {"action": "log_out_everywhere", "_selected_action": str(kari.pk), "index": "0", "from_page": "1"}

    assert finance.get(f"/admin/accounts/user/{kari.pk}/change/").status_code == 403
    assert finance.post("/admin/accounts/user/", act).status_code == 403
    assert is_in(phone)


def test_v7_4_5_a_superuser_logs_a_person_out_from_their_page(kari: User, caplog: pytest.LogCaptureFixture):
    """It shows where the person is logged in; afterwards the history and the log say who ended it."""
    phone, boss = log_in(where="10.0.0.8", agent=IPHONE).client, Client()
    boss.force_login(factories.person(is_superuser=True, email="boss@example.no"))
    address = f"/admin/accounts/user/{kari.pk}/change/"
    before = boss.get(address).content.decode()
    form = before[before.index('action="/admin/accounts/user/"') :].partition("</form>")[0]
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    after = boss.post("/admin/accounts/user/", fields, follow=True)

    assert "Safari on an iPhone from 10.0.0.8, since" in before
    assert fields["_selected_action"] == str(kari.pk)
    assert after.redirect_chain == [(address, 302)]
    assert "Not logged in anywhere now." in after.content.decode()
    assert (is_in(phone), is_in(boss)) == (False, True)
    assert "Logged out everywhere." in boss.get(f"/admin/accounts/user/{kari.pk}/history/").content.decode()
    assert f"Logged out everywhere. Whose: kari@example.no (person {kari.pk}). By boss@example.no" in caplog.text


def test_v7_4_2_who_is_inactive_has_no_log_ins(kari: User):
    """The page of a person who left lists none."""
    log_in()
    kari.is_active = False
    kari.save()
    boss = Client()
    boss.force_login(factories.person(is_superuser=True))

    assert "Not logged in anywhere now." in boss.get(f"/admin/accounts/user/{kari.pk}/change/").content.decode()


def test_v7_2_1_session_keys_are_shown_nowhere(kari: User, caplog: pytest.LogCaptureFixture):
    """Neither one's own nor another's: not in a page, not in an address, not in the log, not in words about the row."""
    caplog.set_level(logging.DEBUG)
    here, phone, boss = log_in().client, log_in().client, Client()
    boss.force_login(factories.person(is_superuser=True))
    keys = [client.cookies["sessionid"].value for client in (here, phone)]
    pages = [here.get(MINE), boss.get(f"/admin/accounts/user/{kari.pk}/change/"), end(here, *names(here))]
    words = [str(row) for row in Session.objects.filter(person=kari)]
    said = [record.getMessage() for record in caplog.records if record.name.startswith(("accounts", "django.request"))]
    told = " ".join([*words, *said, *(page.content.decode() + str(page.headers) for page in pages)])

    assert [key for key in keys if key in told] == []
    assert words == ["Session of kari@example.no"]


def test_v7_2_1_a_visitors_session_belongs_to_nobody(client: Client):
    """Until somebody logs in there."""
    session = client.session
    session["planted"] = "x"
    session.save()

    assert [(row.person, str(row)) for row in Session.objects.all()] == [(None, "Session of nobody")]
    assert Session.objects.get().get_decoded() == {"planted": "x"}


def test_v7_4_1_log_ins_that_ran_out_leave_the_database(kari: User):
    """With the person's next log-in; those of others stay."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in()
        log_in(who=factories.person().email)
        clock.shift(timedelta(hours=11))
        log_in()
        clock.shift(timedelta(hours=1, minutes=1))
        log_in()

        assert (Session.objects.filter(person=kari).count(), Session.objects.count()) == (2, 3)


def test_listing_log_ins_costs_one_query(kari: User, django_assert_num_queries: Any):
    for _ in range(3):
        log_in()
    with django_assert_num_queries(1):
        assert len(open_log_ins(kari, timezone.now())) == 3


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 OPR/124.0", "Opera on Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/26.0 Safari/605.1",
            "Safari on a Mac",
        ),
        ("Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) CriOS/143.0 Mobile Safari/604.1", "Chrome on an iPad"),
        ("Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/143.0 Mobile", "Chrome on Android"),
        ("Mozilla/5.0 (X11; CrOS x86_64 16433.41.0) Chrome/143.0 Safari/537.36", "Chrome on a Chromebook"),
        ("curl/8.14.1", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_called_by_the_names_people_know(told: str, words: str, rf: Any):
    assert browser_of(rf.get("/", headers={"User-Agent": told})) == words
