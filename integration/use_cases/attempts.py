"""The trail: each try with a remote system is opened before the request leaves and closed once."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from integration.enums import AttemptOutcome, Operation
from integration.errors import Evidence, RemoteError
from integration.models import Customer, GoCompany, Product, SyncAttempt, SyncRun
from integration.models.plain_sql import insert, update
from integration.use_cases.workers import worker_name

LEASE: Final = timedelta(seconds=settings.CLAIM_LEASE_SECONDS)
LONGEST_CALL: Final = timedelta(seconds=settings.GO_CONNECT_TIMEOUT + settings.GO_READ_TIMEOUT)


def open_attempt(
    *,
    company: GoCompany,
    operation: Operation,
    now: datetime,
    run: SyncRun | None = None,
    statement_id: int | None = None,
    customer: Customer | None = None,
    product: Product | None = None,
) -> SyncAttempt:
    """A new open attempt, with a lease longer than any call can take."""
    return insert(
        SyncAttempt(
            company=company,
            run=run,
            operation=operation,
            statement_id=statement_id,
            customer=customer,
            product=product,
            started_at=now,
            lease_until=now + LEASE,
            worker=worker_name(),
        )
    )


def renew_lease(attempt: SyncAttempt, now: datetime) -> bool:
    """Hold on to an open attempt for one more call. False: it was taken from us; do not send anything for it.

    Nobody takes it before its lease ends: while that is longer than any call can take, nothing is asked.
    """
    if now + LONGEST_CALL < attempt.lease_until:
        return True
    lease_until = now + LEASE
    mine = SyncAttempt.objects.filter(pk=attempt.pk, ended_at__isnull=True, lease_until__gt=now)
    if not mine.update(lease_until=lease_until):
        return False
    attempt.lease_until = lease_until
    return True


def close_attempt(
    attempt: SyncAttempt,
    outcome: AttemptOutcome,
    *,
    now: datetime,
    message: str = "",
    error_code: str = "",
    evidence: Evidence | None = None,
    next_try_at: datetime | None = None,
) -> bool:
    """Close it. False: it was closed already (its lease had run out); nothing was changed."""
    said = evidence or Evidence()
    remote_words = ": ".join(part for part in (said.title, said.detail) if part)
    return bool(
        update(
            SyncAttempt,
            {"id": attempt.pk, "ended_at": None},
            {
                "ended_at": now,
                "outcome": outcome,
                "error_code": error_code,
                "message": "\n".join(part for part in (message, remote_words) if part),
                "http_status": said.status,
                "request_id": said.request_id[:100],
                "request_excerpt": said.request_excerpt,
                "answer_excerpt": said.answer_excerpt,
                "next_try_at": next_try_at,
            },
        )
    )


def error_code(error: RemoteError) -> str:
    """A short, stable name for what went wrong."""
    name = type(error).__name__
    return "".join(f"_{sign}" if sign.isupper() and place else sign for place, sign in enumerate(name)).upper()
