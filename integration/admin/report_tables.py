"""What reports are made of: who asks for which companies, tables, and the sums of what is listed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from integration.admin.dashboard import in_order
from integration.admin.display import amount, day, link, number, statement_badge
from integration.admin.sync import listed
from integration.models import GoCompany, InvoiceStatement, OutgoingInvoice

ROWS: Final = 50
"""On one page."""

Cell = Any
"""What a cell shows: a text, or HTML from `format_html`."""


@dataclass(frozen=True)
class Column:
    """The heading of a column; figures line up at the right."""

    title: str
    figures: bool = False


@dataclass(frozen=True)
class Table:
    """One table of a report, ready to print. `sums` come below its rows and are of all pages."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    sums: Sequence[Sequence[Cell]] = ()
    lead: str = ""
    note: str = ""
    empty: str = "Nothing."
    page: Page[Any] | None = None
    page_key: str = "page"
    list_link: str = ""

    @property
    def body(self) -> list[list[tuple[Column, Cell]]]:
        """The rows with the heading of each cell."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def foot(self) -> list[list[tuple[Column, Cell]]]:
        """The sums with the heading of each cell."""
        return [list(zip(self.columns, row, strict=True)) for row in self.sums]


@dataclass(frozen=True)
class Asked:
    """Who asks for what: the companies are the person's own, narrowed to the one that was chosen."""

    request: HttpRequest
    companies: Sequence[GoCompany]
    several: bool
    now: datetime

    @property
    def today(self) -> date:
        """In Norway."""
        return timezone.localdate(self.now)

    @property
    def company_ids(self) -> list[int]:
        """Their keys."""
        return [company.pk for company in self.companies]

    @property
    def and_company(self) -> str:
        """What is added to the address of a list, so that it shows the chosen company only."""
        return f"&company={self.companies[0].pk}" if self.several and len(self.companies) == 1 else ""

    def statements(self) -> QuerySet[InvoiceStatement]:
        """Of these companies."""
        return InvoiceStatement.objects.filter(company__in=self.company_ids)

    def invoices(self) -> QuerySet[OutgoingInvoice]:
        """Of these companies, as Go last showed them."""
        return OutgoingInvoice.objects.filter(company__in=self.company_ids)

    def page(self, rows: QuerySet[Any], key: str = "page") -> Page[Any]:
        """The page of rows that is asked for."""
        return Paginator(rows, ROWS).get_page(self.request.GET.get(key))


def asked_by(request: HttpRequest) -> Asked:
    """For all companies of the person."""
    own = list(GoCompany.objects.of(request.user).order_by("name", "pk"))
    return Asked(request, companies=own, several=len(own) > 1, now=timezone.now())


def counted(statements: QuerySet[Any]) -> tuple[int, dict[str, Decimal]]:
    """How many there are, and their totals incl. VAT by currency."""
    many, sums = 0, {}
    for currency, count, total in statements.order_by().values_list("currency").annotate(Count("pk"), Sum("total")):
        many += count
        sums[currency] = total
    return many, sums


def amounts(sums: Mapping[str, Decimal]) -> str:
    """Amounts below each other, kroner first."""
    return listed(amount(total, currency) for currency, total in in_order(dict(sums)))


def lead(many: int, thing: str, sums: Mapping[str, Decimal]) -> str:
    """`12 statements: 1 234,50 NOK and 20,00 EUR`."""
    words = f"{number(many)} {thing}{'' if many == 1 else 's'}"
    told = " and ".join(amount(total, currency) for currency, total in in_order(dict(sums)))
    return f"{words}: {told}" if told else words


def linked(address: str, text: Any) -> str:
    """A link to a list."""
    return format_html('<a class="fb-link" href="{}">{}</a>', address, text)


Getter = Callable[[InvoiceStatement], Cell]


def statement_table(
    asked: Asked,
    statements: QuerySet[InvoiceStatement],
    columns: Callable[[list[InvoiceStatement]], Sequence[tuple[Column, Getter]]],
    **said: Any,
) -> Table:
    """A page of statements: which, whose, in which state, for how much, and what `columns` adds for those shown."""
    page = asked.page(statements.select_related("customer", "company", "outgoing_invoice"))
    shown = list(page.object_list)
    page.object_list = shown

    def customer(statement: InvoiceStatement) -> Cell:
        who = link(statement.customer) if statement.customer else "No customer"
        if not asked.several:
            return who
        return format_html('{}<br><small class="fb-muted">{}</small>', who, statement.company)

    first: list[tuple[Column, Getter]] = [
        (Column("Statement"), lambda statement: link(statement, statement.source_id)),
        (Column("Customer"), customer),
        (Column("Status"), statement_badge),
        (Column("Date"), lambda statement: day(statement.statement_date)),
        (Column("Amount", figures=True), lambda statement: amount(statement.total, statement.currency)),
    ]
    all_columns = [*first, *columns(shown)]
    return Table(
        columns=[column for column, _ in all_columns],
        rows=[[get(statement) for _, get in all_columns] for statement in shown],
        lead=lead(page.paginator.count, "statement", counted(statements)[1]),
        page=page,
        **said,
    )
