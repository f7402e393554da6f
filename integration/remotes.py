"""The key cupboard: builds clients from settings and company keys. The only reader of secrets.

Tests replace two things here: `transport`, a factory of the adapter that carries every request, and `sleep`.

    monkeypatch.setattr(remotes, "transport", lambda: my_adapter)
"""

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet
from django.utils import timezone
from requests.adapters import BaseAdapter

from integration.clients.http import HttpClient, SharedSession
from integration.clients.masking import Masking
from integration.clients.poweroffice.auth import KeyPair, TokenAuth
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.clients.poweroffice.refusals import refusal, token_refusal
from integration.clients.transport import Transport
from integration.errors import KeyRejected, Throttled
from integration.models import AccessToken, GoCompany, PaceSlot
from integration.models.go_company import fingerprint
from vault.fields import Secret

BACKGROUND_AHEAD_MS = 500
"""Background work books no slot further ahead, so a person never queues behind more than this."""

BACKGROUND_PATIENCE_MS = 3_000
PERSON_PATIENCE_MS = 10_000
"""Waits longer than this become a next time instead of a sleeping worker."""

RENEW_BEFORE_SECONDS = 90
RENEWAL_CLAIM_SECONDS = 5
"""One worker alone renews for so long. If it is slower, or died in it, another asks too: two tokens do no harm."""

sleep = time.sleep


def transport() -> BaseAdapter:
    """The adapter that carries requests."""
    return Transport()


_sessions: dict[tuple[int, Callable[[], BaseAdapter]], SharedSession] = {}


def go_client(company: GoCompany, *, person: bool = False) -> PowerOfficeClient:
    """The telephone to this company's books, for one use by one thread.

    `person`: a human waits for it, so it does not queue behind the backlog of background work.
    Raises `KeyRejected` for a company without client key.
    """
    client_key = cast("Secret", company.client_key).reveal()
    if not client_key:
        raise KeyRejected(f"{company} has no client key. Make one in Go under Settings, Extensions, and enter it here.")
    masking = Masking([client_key, settings.GO_APPLICATION_KEY, settings.GO_SUBSCRIPTION_KEY])
    pace = DatabasePace(
        ahead_ms=PERSON_PATIENCE_MS if person else BACKGROUND_AHEAD_MS,
        patience_ms=PERSON_PATIENCE_MS if person else BACKGROUND_PATIENCE_MS,
        sleep=sleep,
    )
    timeouts = {"connect_timeout": settings.GO_CONNECT_TIMEOUT, "read_timeout": settings.GO_READ_TIMEOUT}
    token_http = HttpClient(
        name="PowerOffice Go",
        base_url=settings.GO_TOKEN_URL,
        session=_session(),
        auth=KeyPair(
            application_key=settings.GO_APPLICATION_KEY,
            client_key=client_key,
            subscription_key=settings.GO_SUBSCRIPTION_KEY,
        ),
        pace=pace,
        refusal=token_refusal,
        masking=masking,
        sleep=sleep,
        **timeouts,
    )
    return PowerOfficeClient(
        http=HttpClient(
            name="PowerOffice Go",
            base_url=settings.GO_API_URL,
            session=_session(),
            auth=TokenAuth(
                store=DatabaseTokens(company, client_key),
                token_http=token_http,
                subscription_key=settings.GO_SUBSCRIPTION_KEY,
                masking=masking,
                sleep=sleep,
            ),
            pace=pace,
            refusal=refusal,
            masking=masking,
            sleep=sleep,
            **timeouts,
        )
    )


def _session() -> SharedSession:
    """One per process (a forked worker must not talk into its parent's connections) and transport."""
    key = (os.getpid(), transport)
    session = _sessions.get(key)
    if session is None:
        session = SharedSession(transport())
        _sessions.clear()
        _sessions[key] = session
    return session


class TransactionOpenError(RuntimeError):
    """Our own fault: a request was about to leave while a database transaction was open. Nothing was sent."""


class Slot(NamedTuple):
    """A moment to send, in milliseconds since 1970 by the database's clock, and that clock now."""

    at_ms: int
    now_ms: int
    booked: bool


class DatabasePace:
    """One row per subscription key says when the next request may leave; everybody who calls moves it forward.

    A slot is booked with one statement in its own transaction, by the database's clock, so it is right for any number
    of workers on any number of machines. 102 ms apart, ten requests fit into any second and never eleven. With
    GO_PACE_MS=0 there is no pace.
    """

    def __init__(
        self,
        *,
        ahead_ms: int,
        patience_ms: int,
        sleep: Callable[[float], None],
        database: BaseDatabaseWrapper | None = None,
    ) -> None:
        self._key = fingerprint(settings.GO_SUBSCRIPTION_KEY)
        self._step_ms = settings.GO_PACE_MS
        self._ahead_ms = ahead_ms
        self._patience_ms = patience_ms
        self._sleep = sleep
        self._database = database or connection

    def wait(self) -> None:
        """Book a slot and sleep until it comes. Raises `Throttled` instead of waiting long; no slot is booked then."""
        refuse_open_transaction(self._database)
        if self._step_ms == 0:
            return
        waited_ms = 0
        while True:
            slot = self.book()
            wait_ms = max(slot.at_ms - slot.now_ms, 0)
            if slot.booked:
                self._sleep(wait_ms / 1000)
                return
            if waited_ms + wait_ms > self._patience_ms:
                raise Throttled(
                    "Many requests to PowerOffice Go wait for their turn. "
                    "Nothing was sent; it is tried again by itself.",
                    retry_after=wait_ms / 1000,
                )
            pause_ms = max(wait_ms - self._ahead_ms, 0) + self._step_ms
            self._sleep(pause_ms / 1000)
            waited_ms += pause_ms

    def book(self) -> Slot:
        """The next free slot: ours, or not booked because it is too far ahead."""
        table, now = self._table(), self._now_sql()
        with self._database.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, next_at_ms) VALUES (%s, {now} + %s) "  # noqa: S608 - only our own words
                f"ON CONFLICT (key) DO UPDATE SET next_at_ms = {self._later_sql()}({table}.next_at_ms, {now}) + %s "
                f"WHERE {table}.next_at_ms <= {now} + %s "
                f"RETURNING next_at_ms - %s, {now}",
                [self._key, self._step_ms, self._step_ms, self._ahead_ms, self._step_ms],
            )
            for at_ms, now_ms in cursor.fetchall():
                return Slot(at_ms, now_ms, booked=True)
            cursor.execute(f"SELECT next_at_ms, {now} FROM {table} WHERE key = %s", [self._key])  # noqa: S608 - only our own words
            at_ms, now_ms = cursor.fetchall()[0]
            return Slot(at_ms, now_ms, booked=False)

    def pause(self, seconds: float) -> None:
        """Nobody's turn comes for so long."""
        with self._database.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self._table()} SET next_at_ms = {self._later_sql()}(next_at_ms, {self._now_sql()} + %s) "  # noqa: S608 - only our own words
                "WHERE key = %s",
                [round(seconds * 1000), self._key],
            )

    def _table(self) -> str:
        return self._database.ops.quote_name(PaceSlot._meta.db_table)

    def _later_sql(self) -> str:
        return "max" if self._database.vendor == "sqlite" else "greatest"

    def _now_sql(self) -> str:
        """Milliseconds since 1970 by the database's clock, read when the row is ours, not when we began to wait."""
        if self._database.vendor == "sqlite":
            return "cast(round((julianday('now') - 2440587.5) * 86400000) as integer)"
        return "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)"  # pragma: no cover - only on PostgreSQL


def refuse_open_transaction(database: BaseDatabaseWrapper) -> None:
    """A remote call inside a transaction would hold locks for seconds, and lose its record when it is rolled back.

    The transactions that Django's test cases wrap around a test do not count.
    """
    if any(not getattr(block, "_from_testcase", False) for block in database.atomic_blocks):
        raise TransactionOpenError("A request to PowerOffice Go inside a database transaction.")


class DatabaseTokens:
    """The access token of one company, shared by all workers and encrypted at rest.

    A token is kept with a fingerprint of the keys it was given for, so a company that gets another client key can
    never go on with a token for the old books.
    """

    def __init__(self, company: GoCompany, client_key: str, *, now: Callable[[], datetime] = timezone.now) -> None:
        self._company_id = company.pk
        self._given_for = fingerprint(f"{settings.GO_TOKEN_URL} {settings.GO_APPLICATION_KEY} {client_key}")[:16]
        self._now = now
        self._claimed_until: datetime | None = None
        self._seen: datetime | None = None
        self._held, self._held_until = "", now()

    def read(self) -> str:
        """A token that lasts another 90 s, or "". One that was read stays good: a newer one does not end an older."""
        if self._now() < self._held_until:
            return self._held
        row = AccessToken.objects.filter(company=self._company_id).first()
        if row is None:
            AccessToken.objects.bulk_create([AccessToken(company_id=self._company_id)], ignore_conflicts=True)
            row = AccessToken.objects.get(company=self._company_id)
        self._seen = row.expires_at
        if row.expires_at and row.expires_at - self._now() >= timedelta(seconds=RENEW_BEFORE_SECONDS):
            self._held = self._token_of(row)
            if self._held:
                self._held_until = row.expires_at - timedelta(seconds=RENEW_BEFORE_SECONDS)
            return self._held
        return ""

    def claim_renewal(self) -> bool:
        """One conditional UPDATE: only if nobody is renewing, and nobody has renewed since `read`."""
        now = self._now()
        until = now + timedelta(seconds=RENEWAL_CLAIM_SECONDS)
        free = Q(renewing_until__isnull=True) | Q(renewing_until__lte=now)
        claimed = AccessToken.objects.filter(free, company=self._company_id, expires_at=self._seen)
        if claimed.update(renewing_until=until) == 0:
            return False
        self._claimed_until = until
        return True

    def save(self, token: str, expires_in: int) -> None:
        """Does nothing when the claim ran out and another worker renews: ours is good for this call all the same."""
        self._claimed().update(
            token=Secret(f"{self._given_for}:{token}"),
            expires_at=self._now() + timedelta(seconds=expires_in),
            renewing_until=None,
        )

    def give_up(self) -> None:
        self._claimed().update(renewing_until=None)

    def drop(self, token: str) -> None:
        if token == self._held:
            self._held, self._held_until = "", self._now()
        row = AccessToken.objects.filter(company=self._company_id).first()
        if row is not None and self._token_of(row) == token:
            AccessToken.objects.filter(pk=row.pk, expires_at=row.expires_at).update(token=Secret(""), expires_at=None)

    def _claimed(self) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(company=self._company_id, renewing_until=self._claimed_until)

    def _token_of(self, row: AccessToken) -> str:
        given_for, _, token = cast("Secret", row.token).reveal().partition(":")
        return token if given_for == self._given_for else ""
