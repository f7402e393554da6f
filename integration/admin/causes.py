"""Why things stand still: the stuck statements grouped by cause, and the whole catalogue of explanations."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Min, Sum
from django.utils.html import format_html

from integration.admin.display import day, list_of, number
from integration.admin.navigation import STUCK
from integration.admin.report_tables import Asked, Column, Table, amounts, linked
from integration.decisions.explanations import CATALOGUE, explain
from integration.enums import StatementStatus
from integration.models import InvoiceStatement, SyncAttempt

LOOKS_BACK: Final = timedelta(days=30)
"""So far back attempts are counted by whether the catalogue explains them."""


def stuck_by_cause(asked: Asked) -> list[Table]:
    """One row per cause and company, the most frequent first: mending one often releases many."""
    many: dict[tuple[str, int], int] = defaultdict(int)
    sums: dict[tuple[str, int], dict[str, Decimal]] = defaultdict(dict)
    oldest: dict[tuple[str, int], list[date]] = defaultdict(list)
    stuck = asked.statements().filter(status=StatementStatus.NEEDS_FIX)
    groups = stuck.order_by().values_list("attention_code", "company", "currency")
    for code, company, currency, count, total, first in groups.annotate(
        Count("pk"), Sum("total"), Min("statement_date")
    ):
        key = (code, company)
        many[key] += count
        sums[key][currency] = total
        oldest[key].append(first)
    names = {company.pk: str(company) for company in asked.companies}
    every: dict[str, Decimal] = defaultdict(Decimal)
    rows = []
    for key in sorted(many, key=lambda key: (-many[key], key)):
        code, company = key
        entry = explain(code)
        for currency, total in sums[key].items():
            every[currency] += total
        address = list_of(InvoiceStatement, f"{STUCK}&attention_code__exact={code}&company={company}")
        cause = linked(address, entry.title)
        if asked.several:
            cause = format_html('{}<br><small class="fb-muted">{}</small>', cause, names[company])
        what = format_html('{}<br><small class="fb-muted">{}</small>', entry.to_do, entry.place)
        first_day = day(min(oldest[key]))
        rows.append((cause, entry.who.value, what, first_day, number(many[key]), amounts(sums[key])))
    return [
        Table(
            title="Stuck, by cause",
            columns=(
                Column("Cause"),
                Column("Who"),
                Column("What to do, and where"),
                Column("Oldest"),
                Column("Statements", figures=True),
                Column("Incl. VAT", figures=True),
            ),
            rows=rows,
            sums=[("All", "", "", "", number(sum(many.values())), amounts(every))],
            empty="Nothing is stuck.",
        )
    ]


def attempts_with(code: str, many: int) -> str:
    """How many attempts failed with this code, leading to them."""
    return linked(list_of(SyncAttempt, f"error_code__exact={code}"), number(many)) if many else "0"


def catalogue(asked: Asked) -> list[Table]:
    """Every cause that is known, in words; and how many of the last attempts that failed have none."""
    recent = SyncAttempt.objects.filter(company__in=asked.company_ids, started_at__gte=asked.now - LOOKS_BACK)
    failed = dict(recent.exclude(error_code="").order_by().values_list("error_code").annotate(Count("pk")))
    unknown = {code: count for code, count in failed.items() if code not in CATALOGUE}
    share = f"{number(sum(unknown.values()))} of the {number(sum(failed.values()))} attempts of the last 30 days that "
    share += "went wrong have no entry here"
    named = f": {', '.join(sorted(unknown))}." if unknown else "."
    return [
        Table(
            title="Every cause",
            columns=(
                Column("Cause"),
                Column("Who"),
                Column("What to do"),
                Column("Where"),
                Column("30 days", figures=True),
            ),
            rows=[
                (
                    format_html('{}<br><small class="fb-muted">{}</small>', entry.title, code),
                    entry.who.value,
                    entry.to_do,
                    entry.place,
                    attempts_with(code, failed.get(code, 0)),
                )
                for code, entry in CATALOGUE.items()
            ],
            note=share + named,
        )
    ]
