"""V6 and V7: coming in, being kept out, and how long a log-in lasts."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import FailedLogIn, User
from integration.models import GoCompany
from tests import factories
from tests.security.conftest import production_settings

pytestmark = pytest.mark.django_db

LOG_IN = "/admin/login/"


def log_in(
    who: str = "kari@example.no", password: str = factories.PASSWORD, where: str = "10.0.0.7", agent: str = "Firefox"
) -> Any:
    """An answer, with its client as `answer.client`."""
    client = Client(REMOTE_ADDR=where, HTTP_USER_AGENT=agent)
    return client.post(LOG_IN, {"username": who, "password": password, "next": "/admin/"})


def fail(times: int, **more: Any) -> list[int]:
    return [log_in(password=f"wrong {number}", **more).status_code for number in range(times)]


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


# --- Passwords --------------------------------------------------------------------------------------------------


def change_password(client: Client, new: str, old: str = factories.PASSWORD) -> Any:
    return client.post(
        reverse("admin:password_change"), {"old_password": old, "new_password1": new, "new_password2": new}
    )


def test_v6_2_1_short_passwords_are_refused(as_kari: Client, kari: User):
    """At least twelve signs."""
    assert change_password(as_kari, "kort passord"[:11]).status_code == 200
    assert change_password(as_kari, "kort passord").status_code == 302
    kari.refresh_from_db()
    assert kari.check_password("kort passord")


def test_v6_2_3_a_new_password_needs_the_old_one(as_kari: Client, kari: User):
    """Whoever finds an open machine cannot take the log-in over."""
    answer = change_password(as_kari, "a sentence of their own", old="guessed wrongly")

    kari.refresh_from_db()
    assert (answer.status_code, kari.check_password(factories.PASSWORD)) == (200, True)


def test_v6_2_4_common_passwords_are_refused(as_kari: Client):
    """Those that everybody tries first."""
    assert change_password(as_kari, "qwerty123456").status_code == 200


@pytest.mark.parametrize("new", ["fakturabro i bergen", "min poweroffice konto", "FAKTURA-BRO-2026"])
def test_v6_2_11_our_own_words_make_no_password(new: str, as_kari: Client):
    """The product's name is the first guess of somebody who wants to come in here."""
    answer = change_password(as_kari, new)

    assert "names this system" in answer.content.decode()


@pytest.mark.parametrize("new", ["en helt vanlig setning uten tall", "æøå " * 30, "739105826471"])
def test_v6_2_5_any_signs_make_a_password(new: str, as_kari: Client, kari: User):
    """No rule about capitals, figures or signs; long ones are taken whole (V6.2.8, V6.2.9)."""
    change_password(as_kari, new.strip())

    kari.refresh_from_db()
    assert kari.check_password(new.strip())
    assert not kari.check_password(new.strip()[:-1])


def test_v6_2_6_passwords_are_typed_hidden(client: Client):
    """And password safes may fill them in (V6.2.7)."""
    page = client.get(LOG_IN).content.decode()

    assert 'type="password"' in page
    assert 'autocomplete="current-password"' in page


def test_v11_4_2_passwords_are_hashed_slowly(production: Any):
    """With Argon2; the tests alone use a fast hash."""
    assert production_hasher() == "django.contrib.auth.hashers.Argon2PasswordHasher"


def production_hasher() -> str:
    from_production: list[str] = production_settings()["PASSWORD_HASHERS"]
    return from_production[0]


def test_v6_3_2_there_are_no_log_ins_from_the_start(django_user_model: type[User]):
    """Migrations make nobody; the demo's people are refused in production."""
    assert django_user_model.objects.count() == 0


# --- The door that shuts ------------------------------------------------------------------------------------------


def test_v6_3_1_the_door_shuts_after_five_failures(kari: User):
    """One person from one place: then not even the right password is looked at, and a plain page says so."""
    assert fail(5) == [200, 200, 200, 200, 429]
    refused = log_in()

    assert refused.status_code == 429
    assert "This log-in is locked for a while" in refused.content.decode()
    assert "15 minutes" in refused.content.decode()
    assert not is_in(refused.client)


@pytest.mark.parametrize("again", [{"who": "KARI@example.no"}, {"agent": "Chrome"}, {"who": " kari@example.no "}])
def test_v6_3_1_another_spelling_opens_nothing(again: dict[str, str], kari: User):
    """Neither capitals nor another browser start the count anew."""
    fail(5)

    assert log_in(**again).status_code == 429


def test_v6_1_1_nobody_shuts_a_colleague_out(kari: User):
    """Failures from one place do not keep the person out who comes from another."""
    fail(5, where="6.6.6.6")

    assert is_in(log_in(where="10.0.0.7").client)


def test_v6_3_1_one_place_may_not_try_everybody(kari: User):
    """Twenty failures from one place, whoever it says to be."""
    for number in range(10):
        fail(2, who=f"person{number}@example.no", where="6.6.6.6")

    assert log_in(where="6.6.6.6").status_code == 429


def test_v6_3_1_many_places_may_not_try_one_person(kari: User):
    """Fifty failures for one person, wherever from."""
    for number in range(13):
        fail(4, where=f"6.6.6.{number}")

    assert log_in().status_code == 429


def test_v6_3_1_the_door_opens_by_itself(kari: User):
    """After a quarter of an hour; trying meanwhile does not make it longer."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail(5)
        clock.shift(timedelta(minutes=10))
        fail(1)
        clock.shift(timedelta(minutes=6))

        assert is_in(log_in().client)


def test_v6_3_1_the_right_password_forgets_failures(kari: User):
    """Four wrong, one right, four wrong: nobody is locked out."""
    fail(4)
    log_in()

    assert fail(4) == [200] * 4


def test_v6_3_5_the_person_is_told_once(kari: User, django_capture_on_commit_callbacks: Any):
    """A letter when the door shuts, not one for each further try; without a link to click on."""
    with django_capture_on_commit_callbacks(execute=True):
        fail(8)

    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        (["kari@example.no"], "Your log-in to Fakturabro is locked for a while")
    ]
    assert "http" not in mail.outbox[0].body


def test_v6_3_5_superusers_see_it_on_the_dashboard(kari: User):
    """Who, from where, until when; others do not see it."""
    fail(5)
    client, finance = Client(), Client()
    client.force_login(factories.person(is_superuser=True))
    finance.force_login(kari)

    page = client.get("/admin/").content.decode()

    assert "kari@example.no from 10.0.0.7: 5 failures, locked until" in page
    assert "locked until" not in finance.get("/admin/").content.decode()


def test_superuser_unlocks(kari: User, caplog: pytest.LogCaptureFixture):
    fail(5)
    boss = factories.person(is_superuser=True, email="boss@example.no")
    client = Client()
    client.force_login(boss)
    row = FailedLogIn.objects.get()

    listed = client.get("/admin/accounts/failedlogin/").content.decode()
    client.post("/admin/accounts/failedlogin/", {"action": "unlock", "_selected_action": row.pk, "index": "0"})

    assert "kari@example.no" in listed
    assert is_in(log_in().client)
    assert "Unlocked: 'kari@example.no' from 10.0.0.7. By boss@example.no" in caplog.text


def test_v6_3_8_strangers_and_people_are_refused_alike(kari: User):
    """Neither words, nor the status, nor the door tell whether there is such a person."""
    known, unknown = (
        [log_in(who=who, password="wrong", where=where) for _ in range(6)]
        for who, where in (("kari@example.no", "10.0.0.1"), ("stranger@example.no", "10.0.0.2"))
    )
    words = [answer.content.decode().replace("stranger@", "kari@") for answer in unknown]

    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]
    assert [without_token(page) for page in words] == [without_token(each.content.decode()) for each in known]


def without_token(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def test_v16_3_1_log_ins_are_logged(kari: User, caplog: pytest.LogCaptureFixture):
    """In, out and refused: who, what, from where."""
    caplog.set_level(logging.INFO)
    log_in(password="wrong")
    client = log_in().client
    client.post(reverse("admin:logout"), REMOTE_ADDR="10.0.0.7")

    assert [record.getMessage() for record in caplog.records if record.name == "accounts.log_ins"] == [
        "Log-in failed: wrong password for 'kari@example.no' from 10.0.0.7",
        f"Logged in with password: kari@example.no (person {kari.pk}) from 10.0.0.7",
        "Logged out: kari@example.no from 10.0.0.7",
    ]


def test_v16_2_5_a_password_in_the_wrong_box_is_kept_nowhere(kari: User, caplog: pytest.LogCaptureFixture):
    """Neither in the log nor in the list of failed log-ins."""
    caplog.set_level(logging.DEBUG)
    log_in(who=factories.PASSWORD, password="kari@example.no")
    row = FailedLogIn.objects.get()

    assert factories.PASSWORD not in caplog.text
    assert factories.PASSWORD not in str([getattr(row, field.name) for field in row._meta.fields])


def test_v14_2_1_a_password_never_stands_in_an_address(kari: User):
    """What is sent in the address logs nobody in."""
    client = Client()
    client.get(f"{LOG_IN}?username=kari@example.no&password={factories.PASSWORD}")

    assert not is_in(client)


# --- How long a log-in lasts --------------------------------------------------------------------------------------


def test_v7_2_3_session_keys_cannot_be_guessed(kari: User):
    """Thirty-two letters and figures by chance: more than 128 bits, another each time."""
    keys = {log_in().client.cookies["sessionid"].value for _ in range(3)}

    assert [len(key) for key in keys] == [32, 32, 32]


def test_v7_2_4_a_log_in_gets_a_new_session(kari: User):
    """A key that somebody planted before is worth nothing afterwards."""
    client = Client()
    client.get(LOG_IN)
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies["sessionid"] = planted = str(session.session_key)
    client.post(LOG_IN, {"username": "kari@example.no", "password": factories.PASSWORD, "next": "/admin/"})
    attacker = Client()
    attacker.cookies["sessionid"] = planted

    assert is_in(client)
    assert client.cookies["sessionid"].value != planted
    assert not is_in(attacker)


def test_v7_3_1_a_log_in_ends_without_clicks(kari: User):
    """Half an hour; each click counts anew."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = log_in().client
        clock.shift(timedelta(minutes=29))
        stays = is_in(client)
        clock.shift(timedelta(minutes=29))
        stays_still = is_in(client)
        clock.shift(timedelta(minutes=30))
        answer = client.get("/admin/integration/customer/?q=x", follow=True)

    assert (stays, stays_still) == (True, True)
    assert answer.redirect_chain == [("/admin/login/?next=/admin/integration/customer/%3Fq%3Dx", 302)]
    assert "logged out after 30 minutes without a click" in answer.content.decode()


def test_v7_3_2_a_log_in_ends_in_any_case(kari: User):
    """After twelve hours, however busy somebody is."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = log_in().client
        for _ in range(35):
            clock.shift(timedelta(minutes=20))
            assert is_in(client)
        clock.shift(timedelta(minutes=20))
        answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain == [("/admin/login/?next=/admin/", 302)]


def test_looking_at_a_page_writes_the_time_once_a_minute(kari: User):
    """Log-ins that end by themselves cost nothing on the pages in between."""

    def written(client: Client) -> list[str]:
        with CaptureQueriesContext(connection) as caught:
            client.get("/admin/")
        return [query["sql"][:23] for query in caught if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]

    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = log_in().client
        before = written(client)
        clock.shift(timedelta(minutes=1))

        assert (before, written(client), written(client)) == ([], ['UPDATE "accounts_sessio'], [])


def test_v7_4_1_after_logging_out_the_session_is_worth_nothing(kari: User):
    """Also for somebody who kept its key."""
    client = log_in().client
    kept = client.cookies["sessionid"].value
    client.post(reverse("admin:logout"))
    thief = Client()
    thief.cookies["sessionid"] = kept

    assert (is_in(client), is_in(thief)) == (False, False)


def test_v7_4_2_who_leaves_is_out_at_once_and_stays_out(kari: User):
    """Made inactive: the next click leads to the log-in, also after the person is made active again."""
    client, boss = log_in().client, Client()
    boss.force_login(factories.person(is_superuser=True))
    form = {"email": "kari@example.no", "is_staff": "on"}
    page = f"/admin/accounts/user/{kari.pk}/change/"
    boss.post(page, form)
    kari.refresh_from_db()
    inactive, while_away = kari.is_active, is_in(client)
    boss.post(page, {**form, "is_active": "on"})

    assert (inactive, while_away, is_in(client)) == (False, False, False)


def test_v7_4_3_a_new_password_ends_the_other_log_ins(kari: User):
    """On all other machines; this one goes on."""
    here, elsewhere = log_in().client, log_in(where="10.0.0.8").client
    change_password(here, "a sentence of their own")

    assert (is_in(here), is_in(elsewhere)) == (True, False)


def test_v7_4_4_every_page_has_a_way_out(as_kari: Client):
    """Logging out is one click from everywhere."""
    pages = ("/admin/", "/admin/integration/customer/", "/admin/my-log-in/")

    assert ['id="logout-form"' in as_kari.get(page).content.decode() for page in pages] == [True] * 3


def test_v7_4_5_a_superuser_logs_people_out(kari: User):
    """Everywhere, at the next click; it stands in the person's history."""
    client, boss = log_in().client, Client()
    boss.force_login(factories.person(is_superuser=True))
    boss.post("/admin/accounts/user/", {"action": "log_out_everywhere", "_selected_action": str(kari.pk), "index": "0"})

    assert not is_in(client)
    assert "Logged out everywhere." in boss.get(f"/admin/accounts/user/{kari.pk}/history/").content.decode()


def test_v7_5_2_people_end_all_their_log_ins(kari: User):
    """With the password; a wrong one ends nothing, and counts as a failed log-in."""
    here, elsewhere = log_in().client, log_in(where="10.0.0.8").client
    here.post("/admin/my-log-in/", {"password": "wrong", "everywhere": "1"})
    stays = is_in(elsewhere)
    here.post("/admin/my-log-in/", {"password": factories.PASSWORD, "everywhere": "1"})

    assert (stays, is_in(here), is_in(elsewhere)) == (True, False, False)
    assert FailedLogIn.objects.get().failures_since_start == 1


def test_v8_3_2_other_roles_need_a_new_log_in(kari: User, home: GoCompany):
    """Whose rights are changed by a superuser logs in again, and has the new ones."""
    client, boss = log_in().client, Client()
    boss.force_login(factories.person(is_superuser=True))
    boss.post(
        f"/admin/accounts/user/{kari.pk}/change/", {"email": "kari@example.no", "is_staff": "on", "is_active": "on"}
    )

    assert not is_in(client)
