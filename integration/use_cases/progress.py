"""How far a running batch has come: done, left, about when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Min, OuterRef, Q, Subquery

from integration.enums import AttemptOutcome, Operation, RunOutcome, StatementStatus
from integration.models import GoCompany, InvoiceStatement, SyncAttempt, SyncRun


@dataclass(frozen=True)
class Progress:
    """`about_ready_at` is None until something is done: there is nothing to reckon from."""

    done: int
    left: int
    about_ready_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        return 100 * self.done // (self.done + self.left)


def progress(company: GoCompany, now: datetime) -> Progress | None:
    """Of one company; None when nothing waits for transfer."""
    return progress_of([company.pk], now).get(company.pk)


def progress_of(company_ids: Collection[int], now: datetime) -> dict[int, Progress]:
    """By company, for those with something left. A batch runs from the first cycle after the last finished one.

    Three queries, however many companies there are.
    """
    left = dict(
        InvoiceStatement.objects.filter(company__in=company_ids)
        .filter(
            Q(status=StatementStatus.PROCESSING) & (Q(next_try_at__isnull=True) | Q(next_try_at__lte=now))
            | Q(status__in=[StatementStatus.PUSHING, StatementStatus.IN_DOUBT])
        )
        .order_by()
        .values_list("company")
        .annotate(Count("pk"))
    )
    finished = (
        SyncRun.objects.filter(company=OuterRef("company"), outcome__in=[RunOutcome.DONE, RunOutcome.FAILED])
        .order_by("-started_at")
        .values("started_at")[:1]
    )
    began = dict(
        SyncRun.objects.filter(company__in=left)
        .annotate(finished=Subquery(finished))
        .filter(Q(finished__isnull=True) | Q(started_at__gt=F("finished")))
        .order_by()
        .values_list("company")
        .annotate(Min("started_at"))
    )
    ours = Q(pk__in=[])
    for company_id, since in began.items():
        ours |= Q(company=company_id, started_at__gte=since)
    done = dict(
        SyncAttempt.objects.filter(
            ours, operation=Operation.CREATE_ORDER, outcome__in=[AttemptOutcome.DONE, AttemptOutcome.FOUND]
        )
        .order_by()
        .values_list("company")
        .annotate(Count("pk"))
    )
    return {
        company_id: Progress(
            done=done.get(company_id, 0),
            left=waiting,
            about_ready_at=now + (now - began[company_id]) / done[company_id] * waiting
            if done.get(company_id)
            else None,
        )
        for company_id, waiting in left.items()
    }
