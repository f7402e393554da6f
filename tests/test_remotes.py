"""The key cupboard: the shared pace, the shared token, and no request inside a transaction."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import requests
from django.db import connection, transaction
from django.db.utils import ConnectionHandler
from requests.adapters import HTTPAdapter

from integration import remotes
from integration.clients.transport import AnswerInTime
from integration.errors import KeyRejected, Throttled
from integration.models import AccessToken, PaceSlot
from integration.models.go_company import fingerprint
from integration.remotes import BACKGROUND_AHEAD_MS, DatabasePace, DatabaseTokens, TransactionOpenError
from tests import factories
from vault.fields import Secret

NOW_MS = 1_770_000_000_000
NOW = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
STEP_MS = 102
PERSON: dict[str, Any] = {"ahead_ms": remotes.PERSON_PATIENCE_MS, "patience_ms": remotes.PERSON_PATIENCE_MS}
BACKGROUND: dict[str, Any] = {"ahead_ms": remotes.BACKGROUND_AHEAD_MS, "patience_ms": remotes.BACKGROUND_PATIENCE_MS}


# --- Pace -------------------------------------------------------------------------------------------------------


class StoppedClockPace(DatabasePace):
    """For the database it is always the same moment, so that no test measures time."""

    def _now_sql(self) -> str:
        return str(NOW_MS)


@pytest.fixture
def slow(settings):
    settings.GO_PACE_MS = STEP_MS


def no_sleep(seconds: float) -> None:
    """Tests do not wait."""


def paced(limits: dict[str, Any], slept: list[float] | None = None) -> DatabasePace:
    return StoppedClockPace(**limits, sleep=no_sleep if slept is None else slept.append)


def next_free(ahead_ms: int) -> None:
    PaceSlot.objects.all().delete()
    PaceSlot.objects.create(key=fingerprint("sandbox-subscription-key"), next_at_ms=NOW_MS + ahead_ms)


def next_at() -> int:
    return PaceSlot.objects.get().next_at_ms - NOW_MS


@pytest.mark.django_db
def test_slots_are_a_step_apart(slow):
    slept: list[float] = []
    for limits in (BACKGROUND, PERSON, BACKGROUND):
        paced(limits, slept).wait()
    assert slept == [0, 0.102, 0.204]
    assert PaceSlot.objects.get().key == fingerprint("sandbox-subscription-key")
    assert next_at() == 3 * STEP_MS


@pytest.mark.django_db
def test_a_slot_that_passed_unused_is_not_saved_up(slow):
    next_free(-5000)
    slept: list[float] = []
    paced(BACKGROUND, slept).wait()
    assert (slept, next_at()) == ([0], STEP_MS)


@pytest.mark.django_db
@pytest.mark.parametrize(("limits", "ahead_ms"), [(BACKGROUND, 500), (PERSON, 10_000)])
def test_the_furthest_slot_that_is_booked(slow, limits, ahead_ms):
    next_free(ahead_ms)
    slept: list[float] = []
    paced(limits, slept).wait()
    assert (slept, next_at()) == ([ahead_ms / 1000], ahead_ms + STEP_MS)


@pytest.mark.django_db
@pytest.mark.parametrize(("limits", "ahead_ms"), [(BACKGROUND, 3_001), (PERSON, 10_001)])
def test_a_longer_wait_is_refused_and_books_nothing(slow, limits, ahead_ms):
    next_free(ahead_ms)
    slept: list[float] = []
    with pytest.raises(Throttled) as caught:
        paced(limits, slept).wait()
    assert (caught.value.retry_after, slept, next_at()) == (ahead_ms / 1000, [], ahead_ms)


@pytest.mark.django_db
def test_background_work_asks_again_until_its_turn_is_near(slow):
    slept: list[float] = []

    def time_passes(seconds):
        slept.append(seconds)
        next_free(300)

    next_free(1500)
    StoppedClockPace(**BACKGROUND, sleep=time_passes).wait()
    assert slept == [1.102, 0.3]


@pytest.mark.django_db
def test_background_work_does_not_ask_for_ever(slow):
    next_free(600)
    slept: list[float] = []
    with pytest.raises(Throttled):
        paced(BACKGROUND, slept).wait()
    assert sum(slept) == pytest.approx(2.424)
    assert next_at() == 600


@pytest.mark.django_db
def test_a_person_does_not_queue_behind_the_backlog(slow):
    backlog = paced(BACKGROUND)
    booked = [backlog.book().booked for _ in range(1000)]
    assert booked.count(True) == BACKGROUND_AHEAD_MS // STEP_MS + 1
    slept: list[float] = []
    paced(PERSON, slept).wait()
    assert slept == [0.51]


@pytest.mark.django_db
def test_a_pause_holds_for_everybody_and_is_never_shortened(slow):
    paced(BACKGROUND).wait()
    paced(BACKGROUND).pause(2.0)
    assert next_at() == 2000
    paced(PERSON).pause(1.0)
    assert next_at() == 2000
    slept: list[float] = []
    paced(PERSON, slept).wait()
    assert slept == [2.0]


@pytest.mark.django_db
def test_without_pace_nothing_is_booked(settings):
    settings.GO_PACE_MS = 0
    slept: list[float] = []
    paced(BACKGROUND, slept).wait()
    assert (slept, PaceSlot.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_the_databases_clock_is_in_milliseconds():
    pace = DatabasePace(**PERSON, sleep=no_sleep)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {pace._now_sql()}")
        (now_ms,) = cursor.fetchone()
    assert abs(datetime.now(UTC) - datetime.fromtimestamp(now_ms / 1000, UTC)) < timedelta(minutes=1)


@pytest.mark.usefixtures("django_db_setup")
def test_many_workers_never_get_the_same_slot(slow, tmp_path, django_db_blocker):
    """Eight real connections book at the same time, by the real clock; every slot is a step from the next."""
    with django_db_blocker.unblock():
        slots = book_from_eight_connections(tmp_path)
    assert len(slots) == 200
    assert all(slot.booked for slot in slots)
    assert min(later.at_ms - earlier.at_ms for earlier, later in pairwise(slots)) >= STEP_MS


def book_from_eight_connections(tmp_path):
    """25 slots each. Outside any test's transaction: it takes away its row itself, a flush would take the roles too."""
    own = {**connection.settings_dict}
    if connection.vendor == "sqlite":  # the database in memory knows no real concurrency
        own |= {"NAME": str(tmp_path / "pace.sqlite3")}
    handler = ConnectionHandler({"default": own})
    if connection.vendor == "sqlite":
        with handler["default"].schema_editor() as editor:
            editor.create_model(PaceSlot)
        handler["default"].close()

    def work(_worker):
        database = handler["default"]  # one connection per thread
        pace = DatabasePace(ahead_ms=10**6, patience_ms=10**6, sleep=no_sleep, database=database)
        try:
            return [pace.book() for _ in range(25)]
        finally:
            database.close()

    with ThreadPoolExecutor(8) as workers:
        slots = sorted(slot for booked in workers.map(work, range(8)) for slot in booked)
    with handler["default"].cursor() as cursor:
        cursor.execute(f"DELETE FROM {PaceSlot._meta.db_table}")
    handler["default"].close()
    return slots


@pytest.mark.django_db(databases=["default", "sandbox"])
def test_throttling_by_go_moves_the_pace_for_everybody(slow, sandbox, company):
    sandbox.faults("throttled_429", method="GET", path="/Products", retry_after=True)
    before = DatabasePace(**PERSON, sleep=no_sleep).book()
    with pytest.raises(Throttled):
        list(remotes.go_client(company).products())
    assert PaceSlot.objects.get().next_at_ms >= before.now_ms + 1000


# --- Transactions -----------------------------------------------------------------------------------------------


def test_no_request_leaves_inside_a_transaction(sandbox, go):
    go.client_information()
    sandbox.forget_requests()
    with transaction.atomic(), pytest.raises(TransactionOpenError):
        go.client_information()
    assert sandbox.requests()["total"] == 0


# --- Token ------------------------------------------------------------------------------------------------------


class Time:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def our_company(db):
    return factories.go_company(client_key="key-1")


def test_token_is_shared_until_90_seconds_before_its_end(our_company, time):
    one, other = (DatabaseTokens(our_company, "key-1", now=time) for _ in range(2))
    assert one.read() == ""
    assert one.claim_renewal() is True
    one.save("token-1", 1200)
    assert (one.read(), other.read()) == ("token-1", "token-1")
    time.passes(1110)
    assert other.read() == "token-1"
    time.passes(0.001)
    assert other.read() == ""


def test_token_is_encrypted_at_rest(our_company, time):
    tokens = DatabaseTokens(our_company, "key-1", now=time)
    tokens.read()
    tokens.claim_renewal()
    tokens.save("token-1", 1200)
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM integration_accesstoken")
        ((stored,),) = cursor.fetchall()
    assert stored.startswith("gAAAA")
    assert "token-1" not in repr(AccessToken.objects.get().token)


def test_one_renews(our_company, time):
    one, other = (DatabaseTokens(our_company, "key-1", now=time) for _ in range(2))
    assert (one.read(), other.read()) == ("", "")
    assert (one.claim_renewal(), other.claim_renewal()) == (True, False)
    one.save("token-1", 1200)
    assert other.claim_renewal() is False
    assert other.read() == "token-1"


def test_a_worker_that_died_while_renewing_holds_up_nobody_for_long(our_company, time):
    dead, other = (DatabaseTokens(our_company, "key-1", now=time) for _ in range(2))
    dead.read()
    dead.claim_renewal()
    time.passes(remotes.RENEWAL_CLAIM_SECONDS - 0.001)
    assert (other.read(), other.claim_renewal()) == ("", False)
    time.passes(0.001)
    assert other.claim_renewal() is True
    dead.save("late", 1200)
    assert other.read() == ""
    other.save("token-2", 1200)
    assert other.read() == "token-2"


def test_a_failed_renewal_lets_another_try(our_company, time):
    one, other = (DatabaseTokens(our_company, "key-1", now=time) for _ in range(2))
    one.read()
    one.claim_renewal()
    one.give_up()
    assert (other.read(), other.claim_renewal()) == ("", True)


def test_only_the_refused_token_is_dropped(our_company, time):
    tokens = DatabaseTokens(our_company, "key-1", now=time)
    tokens.drop("token-0")
    tokens.read()
    tokens.claim_renewal()
    tokens.save("token-1", 1200)
    tokens.drop("token-0")
    assert tokens.read() == "token-1"
    tokens.drop("token-1")
    assert tokens.read() == ""
    assert AccessToken.objects.get().token == Secret("")


@pytest.mark.parametrize(
    ("client_key", "changed"),
    [("key-2", {}), ("key-1", {"GO_APPLICATION_KEY": "other"}), ("key-1", {"GO_TOKEN_URL": "https://other.test"})],
)
def test_a_token_for_other_keys_is_never_used(our_company, time, settings, client_key, changed):
    """Another client key is another company's books."""
    old = DatabaseTokens(our_company, "key-1", now=time)
    old.read()
    old.claim_renewal()
    old.save("token-1", 1200)
    for name, value in changed.items():
        setattr(settings, name, value)
    new = DatabaseTokens(our_company, client_key, now=time)
    assert (new.read(), new.claim_renewal()) == ("", True)
    new.save("token-2", 1200)
    assert (new.read(), old.read()) == ("token-2", "")


def test_workers_share_one_token(sandbox, company):
    for person in (False, True, False):
        remotes.go_client(company, person=person).client_information()
    assert sandbox.requests()["by_route"] == {"GET /ClientIntegrationInformation": 3, "POST /OAuth/Token": 1}


def test_a_new_client_key_gets_a_new_token(sandbox, company):
    assert remotes.go_client(company).client_information().client_name == "Fjordgløtt Camping AS"
    company.set_client_key(sandbox.open_company(name="Nordlys Padel AS"))
    company.save()
    assert remotes.go_client(company).client_information().client_name == "Nordlys Padel AS"


# --- The client -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_company_without_key():
    company = factories.go_company(name="Ny AS", client_key="")
    with pytest.raises(KeyRejected, match=r"^Ny AS has no client key\. Make one in Go"):
        remotes.go_client(company)


def test_one_session_per_process_and_transport(sandbox, company, monkeypatch):
    session = remotes._session()
    assert remotes._session() is session
    monkeypatch.setattr(os, "getpid", lambda: -1)
    forked = remotes._session()
    assert forked is not session
    monkeypatch.setattr(remotes, "transport", lambda: sandbox.adapter)
    assert remotes._session() is not forked


def test_transport_never_sends_again():
    adapter = remotes.transport()
    assert isinstance(adapter, HTTPAdapter)
    assert (adapter.max_retries.total, adapter.max_retries.read) == (0, False)
    adapter.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_transport_waits_for_an_answer_only_so_long(scheme):
    adapter: Any = remotes.transport()
    asked = requests.Request("GET", f"{scheme}://go.test").prepare()
    line = adapter.get_connection_with_tls_context(asked, verify=True).ConnectionCls("go.test")
    assert (type(line).__name__, line.response_class) == ({"http": "Line", "https": "SafeLine"}[scheme], AnswerInTime)
    adapter.close()
