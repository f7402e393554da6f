"""Send from Go: a person asks, Go sends its own draft. Never twice, whatever breaks on the way.

That a request may have left is written down before it leaves; from then on Go is asked what became of it
(`sentState`), and only when it knows of no sending, long enough after, is it asked to send again. Go sends later, so
a request that was accepted and one in doubt are looked up in the same way. Source: reference/poweroffice-go.md §8.8.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.transitions import DRAFTS
from integration.enums import AttemptOutcome, Operation
from integration.errors import InDoubt, NotFound, PermanentError, PrivilegeMissing, RemoteError, TemporaryError
from integration.models import GoCompany, InvoiceStatement, SyncAttempt, SyncRun
from integration.terms import SentState
from integration.use_cases.attempts import close_attempt, error_code, open_attempt

logger = logging.getLogger(__name__)

MOST: Final = 50
"""So many are sent, and so many looked up, in one turn."""

FIRST_LOOK: Final = timedelta(seconds=settings.GO_REPLICA_SECONDS)
LAST_PAUSE: Final = timedelta(minutes=5)
"""Between looks the pause doubles, from the first to this."""

ABSENCE: Final = timedelta(seconds=settings.GO_ABSENCE_SECONDS)

SEND_FAILED = "SEND_FAILED"
"""Attention code: Go did not send it; it is still a draft."""

NOT_DELIVERED = "NOT_DELIVERED"
"""Attention code: Go made the invoice, and the customer did not get it."""

NOTHING_ASKED: Final[dict[str, Any]] = {"send_asked_at": None, "send_begun_at": None, "send_look_at": None}


def to_send(now: datetime) -> QuerySet[InvoiceStatement]:
    """Statements that somebody asked to send and for which there is something to do now, of all companies."""
    return InvoiceStatement.objects.filter(
        Q(send_begun_at__isnull=True, status__in=sorted(DRAFTS)) | Q(send_look_at__lte=now),
        send_asked_at__isnull=False,
    )


def send_invoices(
    company: GoCompany,
    client: PowerOfficeClient,
    *,
    clock: Callable[[], datetime],
    keep_going: Callable[[], bool],
    run: SyncRun | None = None,
) -> Counter[str]:
    """Look up what was begun, then send what was asked for. Counts by what happened; raises TemporaryError and
    ConfigurationError, after which nothing more can be sent now.
    """
    counts = look_up(company, client, clock=clock, run=run)
    asked = InvoiceStatement.objects.filter(
        company=company, status__in=sorted(DRAFTS), send_asked_at__isnull=False, send_begun_at__isnull=True
    )
    for statement in asked.select_related("company", "customer").order_by("send_asked_at", "pk")[:MOST]:
        if not keep_going():
            break
        counts[_send(statement, client, clock, run)] += 1
    counts.pop("", None)
    return counts


def _begin(statement: InvoiceStatement, now: datetime, run: SyncRun | None) -> SyncAttempt | None:
    """Write down that a request may leave, or None when somebody else has the statement."""
    free = InvoiceStatement.objects.filter(
        pk=statement.pk, status__in=sorted(DRAFTS), send_asked_at__isnull=False, send_begun_at__isnull=True
    )
    try:
        with transaction.atomic(durable=True):
            if not free.update(send_begun_at=now, send_look_at=now + FIRST_LOOK, updated_at=now):
                return None
            return open_attempt(
                company=statement.company,
                operation=Operation.SEND_INVOICE,
                now=now,
                run=run,
                statement_id=statement.pk,
            )
    except IntegrityError:
        logger.warning("Statement %s has an attempt under way; it is sent when that has ended.", statement)
        return None


def _send(
    statement: InvoiceStatement, client: PowerOfficeClient, clock: Callable[[], datetime], run: SyncRun | None
) -> str:
    attempt = _begin(statement, clock(), run)
    if attempt is None:
        return ""
    customer = statement.customer
    email = (customer.invoice_email or customer.email) if customer else ""
    try:
        client.send_order(statement.go_order_id, email=email)
    except InDoubt as error:
        _close(attempt, AttemptOutcome.IN_DOUBT, error, clock())
        return "in doubt"
    except PrivilegeMissing as error:
        # The company's drafts are pushed as before: only sending is not allowed, so nothing else stops.
        with transaction.atomic():
            _close(attempt, AttemptOutcome.REFUSED, error, clock())
            GoCompany.objects.filter(pk=statement.company_id).update(may_send_invoices=False)
            _stop(
                statement,
                clock(),
                f"PowerOffice Go lets nobody send invoices from outside for {statement.company}: the right is missing. "
                "Send it in PowerOffice Go, or ask PowerOffice for the right, test the connection, and send again.",
            )
        return "refused"
    except PermanentError as error:
        # It may be on its way already, asked for by somebody in Go: what Go knows of it decides.
        _close(attempt, AttemptOutcome.REFUSED, error, clock())
        return _settle(statement, _state_of(statement, client), clock(), refusal=error.message)
    except RemoteError as error:
        with transaction.atomic():
            later = AttemptOutcome.LATER if isinstance(error, TemporaryError) else AttemptOutcome.SETUP
            _close(attempt, later, error, clock())
            InvoiceStatement.objects.filter(pk=statement.pk).update(send_begun_at=None, send_look_at=None)
        raise
    close_attempt(attempt, AttemptOutcome.DONE, now=clock(), message="PowerOffice Go sends it.")
    return "asked"


def look_up(
    company: GoCompany, client: PowerOfficeClient, *, clock: Callable[[], datetime], run: SyncRun | None = None
) -> Counter[str]:
    """What became of what was begun: one question for each. Raises RemoteError."""
    counts: Counter[str] = Counter()
    begun = list(
        InvoiceStatement.objects.filter(company=company, send_asked_at__isnull=False, send_look_at__lte=clock())
        .select_related("company")
        .order_by("send_look_at", "pk")[:MOST]
    )
    if not begun:
        return counts
    attempt = open_attempt(company=company, operation=Operation.LOOK_UP_SENDING, now=clock(), run=run)
    try:
        for statement in begun:
            counts[_settle(statement, _state_of(statement, client), clock())] += 1
    except RemoteError as error:
        _close(attempt, AttemptOutcome.LATER, error, clock())
        raise
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    close_attempt(attempt, AttemptOutcome.DONE, now=clock(), message=told)
    return counts


def _state_of(statement: InvoiceStatement, client: PowerOfficeClient) -> SentState | None:
    try:
        return client.sent_state(statement.go_order_id)
    except NotFound:
        return None


def _settle(statement: InvoiceStatement, state: SentState | None, now: datetime, *, refusal: str = "") -> str:
    """Record what Go knows of a sending. Returns what it is, in a word for the counts."""
    mine = InvoiceStatement.objects.filter(pk=statement.pk, send_asked_at=statement.send_asked_at)
    begun = statement.send_begun_at or now
    if state is not None and (state.sent_at or state.invoice_number):
        changes = dict(NOTHING_ASKED)
        if state.last_error:
            changes["attention_code"] = NOT_DELIVERED
            changes["attention"] = (
                f"PowerOffice Go made invoice {state.invoice_number or 'without number'}, but the customer did not get "
                f"it: {state.last_error} Deliver it another way, and mend how the customer gets invoices."
            )
        mine.update(updated_at=now, **changes)
        return "not delivered" if state.last_error else "sent"
    if state is not None and state.being_processed:
        _look_again(mine, begun, now)
        return "on its way"
    trouble = (state.last_error if state else "") or refusal
    if trouble:
        _stop(statement, now, f"PowerOffice Go did not send it: {trouble} Mend that and send again, or send it there.")
        return "refused"
    if now - begun >= ABSENCE:
        # Go knows of no sending, long after the request could have left: it never came. Asked for, it is sent now.
        mine.update(send_begun_at=None, send_look_at=None, updated_at=now)
        return "never came"
    _look_again(mine, begun, now)
    return "not seen yet"


def _look_again(mine: QuerySet[InvoiceStatement], begun: datetime, now: datetime) -> None:
    pause = min(max(now - begun, FIRST_LOOK), LAST_PAUSE)
    mine.update(send_begun_at=begun, send_look_at=now + pause)


def _stop(statement: InvoiceStatement, now: datetime, message: str) -> None:
    """Nothing more is asked of Go until a person asks again."""
    InvoiceStatement.objects.filter(pk=statement.pk, status__in=sorted(DRAFTS)).update(
        attention=message, attention_code=SEND_FAILED, updated_at=now, **NOTHING_ASKED
    )


def _close(attempt: SyncAttempt, outcome: AttemptOutcome, error: RemoteError, now: datetime) -> None:
    close_attempt(
        attempt, outcome, now=now, message=error.message, error_code=error_code(error), evidence=error.evidence
    )
