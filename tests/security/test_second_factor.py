"""V6.5 and its neighbours: the second factor, from the first set-up to the lost telephone."""

import re
from base64 import b32decode, b32encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from accounts import second_factor
from accounts.models import Authenticator, FailedLogIn, RecoveryCode, User
from integration.models import GoCompany
from tests import factories
from tests.security.conftest import production_settings

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOG_IN, CODE, SET_UP, MINE = "/admin/login/", "/admin/my-log-in/code/", "/admin/my-log-in/set-up/", "/admin/my-log-in/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travelled:
        yield travelled


@pytest.fixture
def asked(settings: Any) -> Any:
    """An installation that asks everybody for a second factor."""
    settings.SECOND_FACTOR_ROLES = ["everybody"]
    return settings


def with_password(who: User, where: str = "10.0.0.7") -> Client:
    """A browser in which the password was typed."""
    client = Client(REMOTE_ADDR=where)
    client.post(LOG_IN, {"username": who.email, "password": factories.PASSWORD, "next": "/admin/"})
    return client


def code_of(key: str, later: int = 0) -> str:
    """What the app shows now, or so many seconds later."""
    totp = TOTP(b32decode(key))
    totp.time = datetime.now(UTC).timestamp() + later
    return f"{totp.token():06d}"


def key_on(page: Any) -> str:
    found = re.search(r'id="key">([A-Z2-7 ]+)<', page.content.decode())
    assert found
    return found[1].replace(" ", "")


def set_up(client: Client, password: str = factories.PASSWORD) -> tuple[str, list[str]]:
    """Through the page: the key, and the recovery codes that it showed."""
    key = key_on(client.get(SET_UP))
    page = client.post(SET_UP, {"code": code_of(key), "password": password})
    return key, re.findall(r"<li>([A-Z2-9]{5}-[A-Z2-9]{5})</li>", page.content.decode())


@pytest.fixture
def enrolled(asked: Any, kari: User, clock: Any) -> tuple[str, list[str]]:
    """Kari's key and recovery codes, set up a minute ago."""
    found = set_up(with_password(kari))
    clock.shift(timedelta(minutes=1))
    return found


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def give(client: Client, code: str) -> Any:
    return client.post(CODE, {"code": code})


# --- Who must -----------------------------------------------------------------------------------------------------


def test_v6_3_3_production_asks_everybody_for_a_second_factor():
    """A password alone opens nothing in production unless the setting says so; the demo asks nobody."""
    assert production_settings()["SECOND_FACTOR_ROLES"] == ["everybody"]
    assert production_settings(SECOND_FACTOR_ROLES="Finance,Superuser")["SECOND_FACTOR_ROLES"] == [
        "Finance",
        "Superuser",
    ]


@pytest.mark.parametrize(
    ("roles", "who", "needed"),
    [
        ([], {"role": "Finance"}, False),
        (["Finance"], {"role": "Finance"}, True),
        (["Finance"], {"role": "Reader"}, False),
        (["Finance"], {"is_superuser": True}, False),
        (["Superuser"], {"is_superuser": True}, True),
        (["Superuser"], {"role": "Finance"}, False),
        (["everybody"], {}, True),
    ],
)
def test_v6_3_3_the_setting_names_roles(roles: list[str], who: dict[str, Any], needed: bool, settings: Any):
    """Whose role is named gets no further than the page that sets it up."""
    settings.SECOND_FACTOR_ROLES = roles

    answer = with_password(factories.person(**who)).get("/admin/")

    assert (answer.status_code, answer.headers.get("Location", "")) == (
        (302, f"{SET_UP}?next=/admin/") if needed else (200, "")
    )


def test_v6_3_4_every_way_in_asks_for_the_code(enrolled: Any, kari: User):
    """After the password alone: no page, no list, no file, no act, and not the page that sets up another telephone."""
    client = with_password(kari)
    pages = [
        "/admin/",
        "/admin/integration/invoicestatement/",
        "/admin/integration/customer/import/template.csv",
        "/admin/autocomplete/",
        "/admin/password_change/",
        "/admin/nowhere/",
        SET_UP,
        MINE,
    ]

    answers = [client.get(page) for page in pages] + [
        client.post(page, {"password": factories.PASSWORD}) for page in pages
    ]

    assert {(answer.status_code, answer.headers.get("Location", "").partition("?")[0]) for answer in answers} == {
        (302, CODE)
    }


def test_after_the_code_one_is_where_one_wanted_to_be(enrolled: Any, kari: User):
    client = with_password(kari)
    asked_for = client.get("/admin/integration/customer/?q=x").headers["Location"]

    answer = client.post(asked_for, {"code": code_of(enrolled[0])})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/integration/customer/?q=x")
    assert is_in(client)


def test_v3_7_2_the_code_leads_to_our_own_pages_only(enrolled: Any, kari: User):
    """Nobody is sent to another site by an address that somebody made up."""
    answer = with_password(kari).post(f"{CODE}?next=https://elsewhere.example/", {"code": code_of(enrolled[0])})

    assert answer.headers["Location"] == "/admin/"


def test_v7_2_4_the_code_gets_a_new_session(enrolled: Any, kari: User):
    """What was known of the half log-in is worth nothing after it."""
    client = with_password(kari)
    half = client.cookies["sessionid"].value
    give(client, code_of(enrolled[0]))
    thief = Client()
    thief.cookies["sessionid"] = half

    assert (is_in(client), is_in(thief)) == (True, False)


def test_pages_cost_no_query_more_with_a_second_factor(enrolled: Any, kari: User, django_assert_num_queries: Any):
    client = with_password(kari)
    give(client, code_of(enrolled[0]))
    client.get(reverse("admin:password_change"))
    with django_assert_num_queries(4):  # session, person, and twice what they may do
        client.get(reverse("admin:password_change"))


# --- Codes ----------------------------------------------------------------------------------------------------


def test_v6_5_1_a_code_works_once(enrolled: Any, kari: User):
    """Whoever looks over a shoulder cannot use the same code, not even in the same half minute."""
    code = code_of(enrolled[0])
    first, second = with_password(kari), with_password(kari)
    give(first, code)
    give(second, code)

    assert (is_in(first), is_in(second)) == (True, False)


def test_v6_5_1_an_older_code_does_not_work_after_a_newer(enrolled: Any, kari: User):
    """Only forward, also within the time that differing clocks are given."""
    older, newer = code_of(enrolled[0]), code_of(enrolled[0], later=30)
    give(with_password(kari), newer)
    second = with_password(kari)
    give(second, older)

    assert not is_in(second)


def test_v6_5_1_the_code_of_the_set_up_does_not_log_in(asked: Any, kari: User):
    """It was used already."""
    client = with_password(kari)
    key, _ = set_up(client)
    second = with_password(kari)
    give(second, code_of(key))

    assert (is_in(client), is_in(second)) == (True, False)


def test_v6_5_1_a_recovery_code_works_once(enrolled: Any, kari: User, django_capture_on_commit_callbacks: Any):
    """It logs in, is used up, says how many are left, and the person gets a letter."""
    first, second = with_password(kari), with_password(kari)
    with django_capture_on_commit_callbacks(execute=True):
        answer = first.post(CODE, {"code": enrolled[1][3].lower()}, follow=True)
    give(second, enrolled[1][3])

    assert "That recovery code is used up; 9 are left." in answer.content.decode()
    assert (is_in(first), is_in(second)) == (True, False)
    assert [letter.subject for letter in mail.outbox] == ["A recovery code was used for your Fakturabro log-in"]


def test_v6_5_2_recovery_codes_are_kept_hashed(enrolled: Any, kari: User, production: Any):
    """With the hash of passwords and a salt for each; the database does not have them."""
    hashes = list(RecoveryCode.objects.values_list("code_hash", flat=True))

    assert len(hashes) == len({each.split("$")[1] for each in hashes}) == 10
    assert [code for code in enrolled[1] if any(code.replace("-", "") in each for each in hashes)] == []
    assert production_settings()["PASSWORD_HASHERS"][0].endswith("Argon2PasswordHasher")


def test_v6_5_3_seeds_and_recovery_codes_are_new_each_time(asked: Any, kari: User):
    """160 bits for the app, 50 for a recovery code (V6.5.4); opening the page again makes another seed."""
    client = with_password(kari)
    keys = {key_on(client.get(SET_UP)) for _ in range(3)}
    _, codes = set_up(client)

    assert [len(b32decode(key)) for key in keys] == [20, 20, 20]
    assert len(set(codes)) == 10


@pytest.mark.parametrize(("later", "let_in"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_v6_5_5_a_code_lives_half_a_minute(later: int, let_in: bool, enrolled: Any, kari: User, clock: Any):
    """Its own thirty seconds, and those beside them for clocks that differ; by our own clock (V6.5.8)."""
    clock.shift(timedelta(minutes=5))
    client = with_password(kari)
    give(client, code_of(enrolled[0], later=later))

    assert is_in(client) is let_in


@pytest.mark.parametrize(
    "typed", ["", "000000", "12345", "1234567", "abcdef", "AAAAA-AAAAA", "１２３４", "-1", "0" * 20]
)
def test_wrong_codes_are_refused_with_a_sentence(typed: str, enrolled: Any, kari: User):
    client = with_password(kari)

    answer = give(client, typed)

    assert (answer.status_code, is_in(client)) == (200, False)
    assert ("Type the code." if not typed else "This code is wrong") in answer.content.decode()


def test_v6_3_1_wrong_codes_shut_the_door(enrolled: Any, kari: User, clock: Any):
    """Five, as with passwords, also when the password is typed anew in between; then not even the right code helps."""
    statuses = []
    for number in range(5):
        statuses.append(give(with_password(kari), f"00000{number}").status_code)
        clock.shift(timedelta(seconds=20))
    shut = with_password(kari)

    assert statuses == [200, 200, 200, 200, 429]
    assert shut.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert FailedLogIn.objects.get().failures_since_start == 5


def test_v6_3_1_wrong_codes_make_one_wait(enrolled: Any, kari: User, clock: Any):
    """Each doubles the time in which no code of the app is looked at, wherever it comes from."""
    for place in range(4):
        clock.shift(timedelta(seconds=10))
        give(with_password(kari, where=f"10.0.1.{place}"), "000000")
    client = with_password(kari, where="10.0.2.1")
    early = give(client, code_of(enrolled[0]))
    clock.shift(timedelta(seconds=10))
    give(client, code_of(enrolled[0]))

    assert "wait 8 seconds" in early.content.decode()
    assert is_in(client)


# --- Setting up, changing, losing ---------------------------------------------------------------------------------


def test_set_up_page_draws_its_picture_itself(asked: Any, kari: User):
    """The seed goes to no other site, and stands in no address: the picture is a path in the page."""
    page = with_password(kari).get(SET_UP)
    words = page.content.decode()
    size, path = second_factor.picture(second_factor.address_for_app(kari, key_on(page)))

    assert f'viewBox="0 0 {size} {size}"' in words
    assert path in words
    assert "otpauth:" not in words
    assert "no-store" in page.headers["Cache-Control"]


def test_the_picture_says_what_apps_expect(kari: User):
    assert second_factor.address_for_app(kari, "ABC") == (
        "otpauth://totp/Fakturabro%3Akari%40example.no?secret=ABC&issuer=Fakturabro"
    )


def test_v7_5_1_setting_up_needs_the_password(asked: Any, kari: User):
    """Whoever finds an open machine cannot put their own telephone in."""
    client = with_password(kari)
    _, codes = set_up(client, password="guessed wrongly")

    assert (codes, is_in(client), second_factor.is_set_up(kari)) == ([], False, False)
    assert FailedLogIn.objects.get().failures_since_start == 1


def test_a_wrong_first_code_sets_nothing_up(asked: Any, kari: User):
    """The same picture stays, for another try."""
    client = with_password(kari)
    key = key_on(client.get(SET_UP))
    again = client.post(SET_UP, {"code": "000000", "password": factories.PASSWORD})

    assert key_on(again) == key
    assert (is_in(client), second_factor.is_set_up(kari)) == (False, False)


def test_v6_3_7_setting_up_is_told(asked: Any, kari: User, django_capture_on_commit_callbacks: Any):
    """By a letter to the person."""
    with django_capture_on_commit_callbacks(execute=True):
        set_up(with_password(kari))

    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        (["kari@example.no"], "A second factor was set up for your Fakturabro log-in")
    ]


def test_v7_4_3_setting_up_ends_the_other_log_ins(kari: User):
    """Whoever was in with the password alone is out."""
    here, elsewhere = with_password(kari), with_password(kari)
    set_up(here)

    assert (is_in(here), is_in(elsewhere)) == (True, False)


def test_who_need_not_may_have_one(kari: User, clock: Any):
    """Where nobody is asked for it: from the own page, and from then on each log-in asks."""
    client = with_password(kari)
    assert SET_UP in client.get(MINE).content.decode()
    key, _ = set_up(client)
    clock.shift(timedelta(minutes=1))
    second = with_password(kari)
    half = is_in(second)
    give(second, code_of(key))

    assert (is_in(client), half, is_in(second)) == (True, False, True)


def test_another_telephone_replaces_the_first_only_with_its_first_code(enrolled: Any, kari: User, clock: Any):
    client = with_password(kari)
    give(client, code_of(enrolled[0]))
    client.get(SET_UP)
    clock.shift(timedelta(minutes=1))
    still = with_password(kari)
    give(still, code_of(enrolled[0]))
    stays = is_in(still)
    key, codes = set_up(still)
    clock.shift(timedelta(minutes=1))
    old, new, recovered = with_password(kari), with_password(kari), with_password(kari)
    give(new, code_of(key))
    give(old, code_of(enrolled[0]))
    give(recovered, enrolled[1][0])

    assert (stays, is_in(old), is_in(new), is_in(recovered)) == (True, False, True, False)
    assert not set(codes) & set(enrolled[1])


def test_new_recovery_codes_end_the_old_ones(enrolled: Any, kari: User):
    """With the password, shown once."""
    client = with_password(kari)
    give(client, code_of(enrolled[0]))
    refused = client.post(MINE, {"password": "wrong", "codes": "1"})
    page = client.post(MINE, {"password": factories.PASSWORD, "codes": "1"}).content.decode()
    fresh = re.findall(r"<li>([A-Z2-9]{5}-[A-Z2-9]{5})</li>", page)
    old, new = with_password(kari), with_password(kari)
    give(old, enrolled[1][0])
    give(new, fresh[0])

    assert "This is not your password." in refused.content.decode()
    assert (len(fresh), is_in(old), is_in(new)) == (10, False, True)
    assert [code for code in fresh if code in client.get(MINE).content.decode()] == []


def test_v6_5_6_a_superuser_takes_a_lost_second_factor_away(
    enrolled: Any, kari: User, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
):
    """It ends with its recovery codes and all log-ins; history, log and a letter tell; the next log-in sets up anew."""
    client = with_password(kari)
    give(client, code_of(enrolled[0]))
    boss = Client()
    boss_person = factories.person(is_superuser=True, email="boss@example.no")
    boss.force_login(boss_person)
    session = boss.session
    session["second_factor"] = "passed"
    session.save()
    chosen = {"action": "take_away_second_factor", "_selected_action": str(kari.pk), "index": "0"}
    with django_capture_on_commit_callbacks(execute=True):
        boss.post("/admin/accounts/user/", chosen)

    assert not is_in(client)
    assert with_password(kari).get("/admin/").headers["Location"].startswith(SET_UP)
    assert (Authenticator.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert "Took away the second factor." in boss.get(f"/admin/accounts/user/{kari.pk}/history/").content.decode()
    assert f"Took away the second factor. Whose: kari@example.no (person {kari.pk}). By boss@example.no" in caplog.text
    assert [letter.subject for letter in mail.outbox] == ["The second factor of your Fakturabro log-in was taken away"]


def test_nobody_else_takes_it_away(enrolled: Any, kari: User, home: GoCompany):
    ola = factories.person(role="Support", companies=[home])
    ola.groups.add(Group.objects.get(name="Finance"))
    client = Client()
    client.force_login(ola)
    client.session["second_factor"] = "passed"
    client.post(
        "/admin/accounts/user/", {"action": "take_away_second_factor", "_selected_action": str(kari.pk), "index": "0"}
    )

    assert second_factor.is_set_up(kari)


def test_the_list_of_people_says_who_has_one(enrolled: Any, kari: User, settings: Any):
    settings.SECOND_FACTOR_ROLES = []
    client = Client()
    client.force_login(factories.person(is_superuser=True))

    page = client.get("/admin/accounts/user/").content.decode()

    assert (page.count("since 21.11.2026"), page.count("not set up")) == (1, 1)


def test_v13_3_1_the_seed_is_encrypted_at_rest(enrolled: Any, kari: User):
    """The database has a token that only `FIELD_KEYS` open; no page shows the seed again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_authenticator")
        at_rest = str(cursor.fetchall())
    raw = b32decode(enrolled[0])
    client = with_password(kari)
    give(client, code_of(enrolled[0]))

    assert [form for form in (enrolled[0], raw.hex(), b32encode(raw).decode().lower()) if form in at_rest] == []
    assert "gAAAA" in at_rest
    assert enrolled[0] not in client.get(MINE).content.decode()
    assert enrolled[0] not in client.get(SET_UP).content.decode().replace(" ", "")
