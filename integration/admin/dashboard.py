"""The first page: what waits for a person, where all statements are, how the machines are doing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast

from django.core.cache import cache
from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone

from accounts.log_ins import shut_out
from accounts.models import FailedLogIn
from integration.admin.display import (
    NOTHING,
    amount,
    badge,
    day,
    duration,
    list_of,
    minute,
    number,
    page_of,
    status_badge,
)
from integration.admin.navigation import (
    DRAFTS_NOT_SENT,
    FAILED_PAYMENTS,
    LINK_BROKEN,
    SECOND_PERSON,
    STUCK,
    status_query,
)
from integration.admin.paginator import estimated_rows
from integration.admin.sync import counts_words, outcome_badge
from integration.decisions.transitions import DRAFTS, UNDER_WAY, WAITS_FOR_A_PERSON
from integration.enums import CompanyState, HandPaymentState
from integration.enums import StatementStatus as S
from integration.models import GoCompany, HandPayment, InvoiceStatement, SyncRun
from integration.use_cases.progress import Progress, progress_of

OPEN: Final = UNDER_WAY | DRAFTS | WAITS_FOR_A_PERSON | {S.UPCOMING, S.SENT, S.PARTLY_PAID}
"""States with money still to come: their sums are shown. A sum of all that ever was settled tells nobody anything."""

AGES: Final = (
    (timedelta(days=2), "Up to 2 days"),
    (timedelta(days=7), "3 to 7 days"),
    (timedelta(days=30), "8 to 30 days"),
)
OLDER: Final = "More than 30 days"
SHOWN: Final = 8

MANY: Final = 100_000
KEPT_SECONDS: Final = 30
"""With more statements than MANY, the dashboard's figures are counted at most so often, and say when."""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fills the first page. The number of queries does not depend on how many companies or statements there are."""
    if not request.user.has_perm("integration.view_invoicestatement"):
        return context
    now = timezone.now()
    companies = list(GoCompany.objects.of(request.user).order_by("name"))
    statements = InvoiceStatement.objects.filter(company__in=[company.pk for company in companies])
    counted = count_statements(statements, companies, now)
    counts = counted.counts
    shut = shut_out(now) if request.user.is_superuser else []
    return {
        **context,
        "title": "Dashboard",
        "dashboard": {
            "tiles": [*tiles(counts), *second_person(request, companies)],
            "shut_out": [(each.who, each.where, number(each.failures), minute(each.until)) for each in shut],
            "shut_out_link": list_of(FailedLogIn),
            "statuses": statuses(counts, counted.sums),
            "counted_at": minute(counted.at) if counted.kept else "",
            "all": number(sum(counts.values())),
            "all_link": list_of(InvoiceStatement),
            "waiting": waiting(statements),
            "waiting_more": max(0, sum(counts.get(status, 0) for status in WAITS_FOR_A_PERSON) - SHOWN),
            "companies": company_rows(companies, progress_of([company.pk for company in companies], now), now),
            "drafts": counted.drafts,
            "drafts_link": list_of(InvoiceStatement, DRAFTS_NOT_SENT),
        },
    }


@dataclass(frozen=True)
class Counted:
    """The dashboard's figures, all of one moment; `kept`: they may be up to half a minute old."""

    at: datetime
    kept: bool
    counts: dict[str, int]
    sums: dict[str, dict[str, Decimal]]
    drafts: list[tuple[str, str, str]]


def count_statements(statements: QuerySet[InvoiceStatement], companies: Sequence[GoCompany], now: datetime) -> Counted:
    """Count them; among very many at most every half minute per process, since counting reads all their keys."""
    key = "dashboard:" + ",".join(str(company.pk) for company in sorted(companies, key=lambda one: one.pk))
    many = estimated_rows(InvoiceStatement, statements.db) > MANY
    if many and (kept := cache.get(key)) is not None:
        return cast("Counted", kept)
    counted = Counted(
        at=now,
        kept=many,
        counts=dict(statements.order_by().values_list("status").annotate(Count("pk"))),
        sums=sums(statements),
        drafts=drafts_by_age(statements, now),
    )
    if many:
        cache.set(key, counted, KEPT_SECONDS)
    return counted


def tiles(counts: dict[str, int]) -> list[dict[str, Any]]:
    """What a person must decide, in big figures."""
    return [
        {
            "title": title,
            "count": number(counts.get(status, 0)),
            "alarm": bool(counts.get(status)),
            "link": list_of(InvoiceStatement, query),
            "note": note,
        }
        for title, status, query, note in (
            ("Stuck", S.NEEDS_FIX, STUCK, "mend and push again"),
            ("Failed payments", S.CANCELLED, FAILED_PAYMENTS, "credited or reversed in Go"),
            ("Link broken", S.LINK_BROKEN, LINK_BROKEN, "gone from Go"),
        )
    ]


def second_person(request: HttpRequest, companies: Sequence[GoCompany]) -> list[dict[str, Any]]:
    """Payments by hand above a company's limit, for those who may look at them."""
    if not request.user.has_perm("integration.view_handpayment"):
        return []
    of_these = HandPayment.objects.filter(statement__company__in=[company.pk for company in companies])
    waiting = of_these.filter(state=HandPaymentState.WAITING).count()
    return [
        {
            "title": "Second person",
            "count": number(waiting),
            "alarm": bool(waiting),
            "link": list_of(HandPayment, SECOND_PERSON),
            "note": "payments by hand to approve or refuse",
        }
    ]


def sums(statements: QuerySet[InvoiceStatement]) -> dict[str, dict[str, Decimal]]:
    """Totals incl. VAT by state and currency, of what is still open."""
    by_status: dict[str, dict[str, Decimal]] = defaultdict(dict)
    rows = (
        statements.filter(status__in=sorted(OPEN)).order_by().values_list("status", "currency").annotate(Sum("total"))
    )
    for status, currency, total in rows:
        by_status[status][currency] = total
    return by_status


def statuses(counts: dict[str, int], by_status: dict[str, dict[str, Decimal]]) -> list[dict[str, Any]]:
    """Every state that has statements, in the order of a statement's life. The counts add up to all."""
    return [
        {
            "badge": status_badge(status),
            "count": number(counts[status]),
            "link": list_of(InvoiceStatement, status_query(status)),
            "sums": [amount(total, currency) for currency, total in in_order(by_status.get(status, {}))],
        }
        for status in S
        if counts.get(status)
    ]


def in_order(by_currency: dict[str, Decimal]) -> list[tuple[str, Decimal]]:
    """Kroner first, then the others by name."""
    return sorted(by_currency.items(), key=lambda pair: (pair[0] != "NOK", pair[0]))


def waiting(statements: QuerySet[InvoiceStatement]) -> list[dict[str, Any]]:
    """The newest that wait for a person, with the reason."""
    rows = (
        statements.filter(status__in=sorted(WAITS_FOR_A_PERSON))
        .prefetch_related("customer")
        .order_by("-statement_date", "-pk")[:SHOWN]
    )
    return [
        {
            "address": page_of(row),
            "number": row.source_id,
            "customer": str(row.customer or "No customer"),
            "badge": status_badge(row.status),
            "amount": amount(row.total, row.currency),
            "why": row.attention or row.go_says,
        }
        for row in rows
    ]


def company_rows(companies: Sequence[GoCompany], running: dict[int, Progress], now: datetime) -> list[dict[str, Any]]:
    """Each company: its state, its last run, and how far a running batch is."""
    last = last_runs(companies)
    return [
        {
            "name": str(company),
            "state": badge(CompanyState(company.state)),
            "paused": company.state == CompanyState.PAUSED,
            "reason": company.state_reason,
            "run": run_words(last.get(company.pk)),
            "progress": progress_words(running.get(company.pk), now),
        }
        for company in companies
    ]


def last_runs(companies: Iterable[GoCompany]) -> dict[int, SyncRun]:
    """The newest run of each company."""
    newest = SyncRun.objects.filter(company=OuterRef("pk")).order_by("-started_at").values("pk")[:1]
    keys = GoCompany.objects.filter(pk__in=[company.pk for company in companies]).annotate(newest=Subquery(newest))
    runs = SyncRun.objects.filter(pk__in=keys.values("newest"))
    return {run.company_id: run for run in runs}


def run_words(run: SyncRun | None) -> dict[str, Any] | None:
    """A run in words."""
    if run is None:
        return None
    return {
        "address": page_of(run),
        "when": minute(run.started_at),
        "outcome": outcome_badge(run),
        "took": duration(run.started_at, run.ended_at) if run.ended_at else "",
        "what": run.message or counts_words(run),
    }


def progress_words(running: Progress | None, now: datetime) -> dict[str, Any] | None:
    """`12 done, 30 left, ready at about 14:05`."""
    if running is None:
        return None
    ready = running.about_ready_at
    about = ""
    if ready is not None:
        same_day = timezone.localdate(ready) == timezone.localdate(now)
        about = f"{timezone.localtime(ready):%H:%M}" if same_day else minute(ready)
    return {
        "done": number(running.done),
        "left": number(running.left),
        "percent": str(running.percent),
        "about": about,
    }


def draft_windows(now: datetime) -> list[tuple[str, Q]]:
    """The ages of drafts in words, and which drafts each means; together they are all."""
    windows: list[tuple[str, Q]] = []
    newer = Q(pk__isnull=False)
    for age, title in AGES:
        windows.append((title, newer & Q(pushed_at__gt=now - age)))
        newer = Q(pushed_at__lte=now - age)
    return [*windows, (OLDER, newer | Q(pushed_at__isnull=True))]


def drafts_by_age(statements: QuerySet[InvoiceStatement], now: datetime) -> list[tuple[str, str, str]]:
    """Drafts that nobody has sent in Go: how many by age since they were transferred, and the oldest of each."""
    windows = draft_windows(now)
    found = statements.filter(status__in=sorted(DRAFTS)).aggregate(
        **{f"count_{place}": Count("pk", filter=window) for place, (_, window) in enumerate(windows)},
        **{f"oldest_{place}": Min("statement_date", filter=window) for place, (_, window) in enumerate(windows)},
    )
    return [
        (title, number(found[f"count_{place}"]), day(found[f"oldest_{place}"]) if found[f"count_{place}"] else NOTHING)
        for place, (title, _) in enumerate(windows)
    ]
