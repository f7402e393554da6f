"""What the orders became in PowerOffice Go: read-only, with payments and the statements behind each invoice."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integration.admin.base import CompanyFilter, ReadOnlyModelAdmin
from integration.admin.display import NOTHING, amount, day, delivery_words, minute, money, page_of, statement_badge
from integration.admin.filters import AgeFilter, InvoiceDueFilter, MoneyFilter
from integration.admin.money_table import money_table
from integration.admin.spreadsheets import ExportSpreadsheets
from integration.admin.statement_sheet import entries, go_invoice_url
from integration.models import InvoiceStatement, OutgoingInvoice


@admin.register(OutgoingInvoice)
class OutgoingInvoiceAdmin(ExportSpreadsheets, ReadOnlyModelAdmin[OutgoingInvoice]):
    """Invoices and credit notes as Go last showed them."""

    list_display = ("number", "type", "date", "due", "amount", "open_amount", "kid", "voucher", "company")
    list_prefetch: ClassVar[tuple[str, ...]] = ("company",)
    list_filter = (CompanyFilter, InvoiceDueFilter, AgeFilter, MoneyFilter, ("type", ChoicesDropdownFilter))
    list_filter_submit = True
    search_fields = ("=invoice_number", "=kid", "=voucher_number", "=order_number", "=reference")
    search_help_text = "Invoice, voucher or order number, KID or reference"
    ordering = ("-invoice_date", "-pk")
    sortable_by = ("date",)
    change_form_before_template = "admin/integration/outgoinginvoice/page.html"

    def get_fieldsets(self, request: HttpRequest, obj: OutgoingInvoice | None = None) -> tuple[()]:
        """The page below says everything."""
        return ()

    @admin.display(description="Invoice")
    def number(self, invoice: OutgoingInvoice) -> str:
        return str(invoice.invoice_number or "without number")

    @admin.display(description="Date", ordering="invoice_date")
    def date(self, invoice: OutgoingInvoice) -> str:
        return day(invoice.invoice_date)

    @admin.display(description="Due")
    def due(self, invoice: OutgoingInvoice) -> str:
        if is_overdue(invoice):
            late = (timezone.localdate() - invoice.due_date).days  # type: ignore[operator] # overdue: it has one
            words = f"{late} day{'' if late == 1 else 's'} late"
            return format_html(
                '<span class="fb-warning" title="Overdue">{}<br><small>{}</small></span>', day(invoice.due_date), words
            )
        return day(invoice.due_date)

    @admin.display(description="Amount")
    def amount(self, invoice: OutgoingInvoice) -> str:
        return money(invoice.total, invoice.currency)

    @admin.display(description="Open")
    def open_amount(self, invoice: OutgoingInvoice) -> str:
        return money(invoice.balance, "NOK") if invoice.balance else NOTHING

    @admin.display(description="Voucher")
    def voucher(self, invoice: OutgoingInvoice) -> str:
        return str(invoice.voucher_number or NOTHING)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        invoice = self.get_object(request, object_id) if object_id else None
        if invoice is not None and self.has_view_permission(request, invoice):
            context |= {"page": page(invoice)}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response


def is_overdue(invoice: OutgoingInvoice) -> bool:
    """Whether money is late."""
    return invoice.due_date is not None and invoice.due_date < timezone.localdate() and invoice.balance > 0


def page(invoice: OutgoingInvoice) -> dict[str, Any]:
    """Everything about one invoice, in words."""
    statements = InvoiceStatement.objects.filter(outgoing_invoice=invoice).select_related("customer").order_by("pk")
    money = money_table(invoice)
    return {
        "go_url": go_invoice_url(invoice),
        "facts": [
            ("Company", str(invoice.company)),
            ("Kind", invoice.get_type_display()),
            ("Date", day(invoice.invoice_date)),
            ("Due", day(invoice.due_date) + (" (overdue)" if is_overdue(invoice) else "")),
            ("Sent", minute(invoice.sent_at)),
            ("Delivered as", delivery_words(invoice.delivery)),
            ("KID", invoice.kid or NOTHING),
        ],
        "numbers": [
            ("Voucher", str(invoice.voucher_number or NOTHING)),
            ("Order in Go", str(invoice.order_number or NOTHING)),
            ("Customer no.", str(invoice.customer_number or NOTHING)),
            ("Credits invoice", str(invoice.related_invoice_number or NOTHING)),
            ("Reference", invoice.reference or NOTHING),
            ("Reversed", "Yes" if invoice.is_reversed else "No"),
        ],
        "totals": [
            ("Net excl. VAT", amount(invoice.net, invoice.currency)),
            ("Total incl. VAT", amount(invoice.total, invoice.currency)),
            ("Posted", amount(invoice.total_posted, "NOK")),
            ("Open", amount(invoice.balance, "NOK")),
        ],
        "entries": entries(invoice),
        "money": money,
        "statements": [
            {
                "address": page_of(statement),
                "number": statement.source_id,
                "customer": str(statement.customer or NOTHING),
                "status": statement_badge(statement),
                "amount": amount(statement.total, statement.currency),
                "share": money["shares"].get(statement.pk),
            }
            for statement in statements
        ],
    }
