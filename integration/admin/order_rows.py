"""The report *Invoice order rows*: each line of each statement with its amounts; filtered, added up, exported."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    MultipleChoicesDropdownFilter,
    RangeDateFilter,
)

from integration.admin.base import CompanyFilter, ReadOnlyModelAdmin
from integration.admin.columns import sees_several
from integration.admin.display import NOTHING, amount, day, figure, link, money, number, statement_badge
from integration.admin.paginator import CAP
from integration.admin.resources import ROWS_AT_ONCE
from integration.admin.search import rows_with, words_of
from integration.admin.spreadsheets import ExportSpreadsheets
from integration.decisions.line_sums import Alike, sums_by_currency
from integration.models import InvoiceStatement, StatementLine
from integration.models.go_company import behind_wall

TITLE: Final = "Invoice order rows"
ADDED_UP: Final = 200_000
"""So many rows are added up while somebody waits for the page; for more, a shorter period is asked for."""


class PeriodFilter(RangeDateFilter):  # type: ignore[misc] # unfold has no types
    """From and to, both days included. A date that is none finds nothing, instead of being left out silently."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup in (("from", "gte"), ("to", "lte")):
            if not (text := self.used_parameters.get(f"{self.parameter_name}_{end}")):
                continue
            try:
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": day_of(text)})
            except ValidationError:
                return queryset.none()
        return queryset


def day_of(text: str) -> date | None:
    """A date as people type it here. Raises ValidationError."""
    found: date | None = forms.DateField(localize=True).clean(text)
    return found


class OwnRecordFilter(AutocompleteSelectFilter):  # type: ignore[misc] # unfold has no types
    """A customer or product that is looked for by typing: of own companies, also when its name is shown as chosen."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            field = choice["form"].fields[self.lookup_kwarg]
            field.queryset = behind_wall(field.queryset.all(), self.request.user)
            yield choice


@admin.register(StatementLine)
class OrderRowAdmin(ExportSpreadsheets, ReadOnlyModelAdmin[StatementLine]):
    """Lines of statements, the statement that came last first."""

    list_display = (
        "statement_link",
        "state",
        "customer_name",
        "what",
        "net",
        "vat",
        "amount",
        "invoice",
    )
    list_display_links = None
    list_prefetch: ClassVar[tuple[str, ...]] = (
        "product",
        "statement__company",
        "statement__customer",
        "statement__outgoing_invoice",
    )
    list_filter = (
        ("statement__statement_date", PeriodFilter),
        ("statement__status", MultipleChoicesDropdownFilter),
        CompanyFilter,
        ("statement__customer", OwnRecordFilter),
        ("product", OwnRecordFilter),
        ("statement__kind", ChoicesDropdownFilter),
    )
    list_filter_submit = True
    compressed_fields = False
    list_fullwidth = True
    search_fields = ("statement__search",)
    search_help_text = "Reference, invoice number or customer of the statement"
    ordering = ("-statement_id", "line_number")  # by the date of statements, SQLite would sort all lines for one page
    list_before_template = "admin/integration/statementline/sums.html"

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The company is shown to those who see more than one."""
        columns: tuple[str, ...] = tuple(super().get_list_display(request))
        if not sees_several(request):
            return columns
        return tuple("customer_and_company" if column == "customer_name" else column for column in columns)

    @admin.display(description="Statement")
    def statement_link(self, line: StatementLine) -> str:
        of = line.statement
        where = f"{day(of.statement_date)}, {line}"
        return format_html(
            '<div>{}<br><small class="fb-muted fb-nowrap">{}</small></div>', link(of, of.source_id), where
        )

    @admin.display(description="Status")
    def state(self, line: StatementLine) -> str:
        return statement_badge(line.statement)

    @admin.display(description="Customer")
    def customer_name(self, line: StatementLine) -> str:
        customer = line.statement.customer
        return format_html('<span class="fb-name">{}</span>', link(customer)) if customer else "No customer"

    @admin.display(description="Customer")
    def customer_and_company(self, line: StatementLine) -> str:
        who = self.customer_name(line)
        return format_html('<div>{}<br><small class="fb-muted">{}</small></div>', who, line.statement.company)

    @admin.display(description="What")
    def what(self, line: StatementLine) -> str:
        if line.product is None:
            return format_html('<span class="fb-note" title="{0}">{0}</span>', line.description)
        code = link(line.product, line.product.code)
        sold = f"{figure(line.quantity)} × "
        return format_html(
            '<span class="fb-note" title="{}">{}{}: {}</span>', line.description, sold, code, line.description
        )

    @admin.display(description="Net")
    def net(self, line: StatementLine) -> str:
        return money(line.amounts().net, "")

    @admin.display(description="VAT")
    def vat(self, line: StatementLine) -> str:
        return money(line.amounts().vat, "")

    @admin.display(description="Incl. VAT")
    def amount(self, line: StatementLine) -> str:
        return money(line.amounts().total, line.statement.currency)

    @admin.display(description="Invoice")
    def invoice(self, line: StatementLine) -> str:
        made = line.statement.outgoing_invoice
        return link(made, str(made.invoice_number or "without number")) if made else NOTHING

    # --- The list -----------------------------------------------------------------------------------------------

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may export statements may export their rows."""
        return self.has_view_permission(request) and request.user.has_perm("integration.export_invoicestatement")

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        return f"invoice-order-rows-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StatementLine], search_term: str
    ) -> tuple[QuerySet[StatementLine], bool]:
        """The rows of the statements that a search in the list of statements finds."""
        if not (words := list(words_of(search_term.lower()))):
            return queryset, False
        found = rows_with(InvoiceStatement.objects.all(), words).values_list("pk", flat=True)
        keys = list(found[: CAP + 1])
        return queryset.filter(statement__in=keys if len(keys) <= CAP else found), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and above it what all its rows come to, also those on other pages."""
        response: HttpResponse = super().changelist_view(request, {"title": TITLE, **(extra_context or {})})
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data["sums"] = sums(response.context_data["cl"].queryset)
        return response


def sums(rows: QuerySet[StatementLine]) -> dict[str, Any]:
    """Net, VAT and total of the rows by currency, or that there are too many to wait for."""
    rows = rows.prefetch_related(None).order_by()
    if rows.values("pk")[: ADDED_UP + 1].count() > ADDED_UP:
        return {"too_many": number(ADDED_UP)}
    alike = ("quantity", "unit_price", "discount_percent", "vat_rate", "statement__currency")
    groups = rows.values_list(*alike).annotate(many=Count("pk")).iterator(chunk_size=ROWS_AT_ONCE)
    return {
        "rows": [
            {
                "many": number(each.many),
                "net": amount(each.net, currency),
                "vat": amount(each.vat, currency),
                "total": amount(each.total, currency),
            }
            for currency, each in sums_by_currency(Alike(many, *said) for *said, many in groups).items()
        ]
    }
