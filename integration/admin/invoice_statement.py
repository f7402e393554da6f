"""Statements: the list, the page, and typing them by hand."""

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, MultipleChoicesDropdownFilter

from integration.admin.base import CompanyFilter
from integration.admin.columns import sees_several
from integration.admin.display import NOTHING, day, days_ago, link, minute, money, page_of, statement_badge
from integration.admin.failed_actions import FailedActions
from integration.admin.fields import AmountField
from integration.admin.filters import AttentionFilter, DueFilter
from integration.admin.link_statements import LinkStatements
from integration.admin.search import SearchColumn
from integration.admin.spreadsheets import SpreadsheetMixin
from integration.admin.statement_credit import StatementCredit
from integration.admin.statement_draft import StatementDraft
from integration.admin.statement_lines import StatementLineInline
from integration.admin.statement_sheet import LINES_IN_FORM, sheet
from integration.decisions.transitions import WAITS_FOR_A_PERSON
from integration.enums import StatementStatus
from integration.models import InvoiceStatement, StatementMove
from integration.use_cases.type_statement import give_number


@admin.register(InvoiceStatement)
class InvoiceStatementAdmin(
    SearchColumn, SpreadsheetMixin, LinkStatements, StatementCredit, StatementDraft, FailedActions
):
    """The heart of the house."""

    list_display = ("number", "state", "customer_name", "date", "due", "amount", "invoice", "go_tells")
    list_prefetch: ClassVar[tuple[str, ...]] = ("company", "customer", "outgoing_invoice")
    list_filter = (
        ("status", MultipleChoicesDropdownFilter),
        AttentionFilter,
        CompanyFilter,
        DueFilter,
        ("source", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
    )
    list_filter_submit = True
    compressed_fields = False
    list_fullwidth = True
    search_fields = ("search",)
    search_help_text = "Reference, invoice number or customer"
    ordering = ("-statement_date", "-pk")
    sortable_by = ("date",)
    inlines = (StatementLineInline,)
    autocomplete_fields = ("customer", "credits")
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DecimalField: {"form_class": AmountField}}
    change_form_before_template = "admin/integration/invoicestatement/before.html"
    change_form_outer_after_template = "admin/integration/invoicestatement/after.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("company", "kind", "customer"),
                    ("statement_date", "delivery_date", "payment_date"),
                    ("currency", "payment_days", "stated_total"),
                    ("customer_reference", "purchase_order_reference", "contract_number"),
                )
            },
        ),
        ("Credit note", {"fields": (("credits", "credit_reason"),), "classes": ("collapse",)}),
    )

    # --- The list -----------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[InvoiceStatement]:
        """Lists of what waits for a person know since when."""
        rows = super().get_queryset(request)
        if not lists_what_waits(request):
            return rows
        came = StatementMove.objects.filter(statement=models.OuterRef("pk"), to_status=models.OuterRef("status"))
        return rows.annotate(waits_since=models.Subquery(came.order_by("-pk").values("at")[:1]))

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The company is shown to those who see more than one; since when, where a person must decide."""
        columns: tuple[str, ...] = tuple(super().get_list_display(request))
        if lists_what_waits(request):
            place = columns.index("state") + 1
            columns = (*columns[:place], "since", *columns[place:])
        if not sees_several(request):
            return columns
        return tuple("customer_and_company" if column == "customer_name" else column for column in columns)

    @admin.display(description="Statement")
    def number(self, statement: InvoiceStatement) -> str:
        return format_html('<span class="fb-strong" title="{}">{}</span>', statement.reference, statement.source_id)

    @admin.display(description="Status")
    def state(self, statement: InvoiceStatement) -> str:
        if not statement.held:
            return statement_badge(statement)
        return format_html('{} <small class="fb-muted">on hold</small>', statement_badge(statement))

    @admin.display(description="Since")
    def since(self, statement: InvoiceStatement) -> str:
        then = statement.waits_since or statement.created_at  # type: ignore[attr-defined] # annotated
        return format_html('<span title="{}">{}</span>', minute(then), days_ago(then, timezone.now()))

    @admin.display(description="Customer")
    def customer_name(self, statement: InvoiceStatement) -> str:
        if statement.customer is None:
            return format_html('<span class="fb-warning">{}</span>', "No customer")
        return format_html('<span class="fb-name">{}</span>', link(statement.customer))

    @admin.display(description="Customer")
    def customer_and_company(self, statement: InvoiceStatement) -> str:
        who = self.customer_name(statement)
        return format_html('<div>{}<br><small class="fb-muted">{}</small></div>', who, statement.company)

    @admin.display(description="Date", ordering="statement_date")
    def date(self, statement: InvoiceStatement) -> str:
        return day(statement.statement_date)

    @admin.display(description="Due")
    def due(self, statement: InvoiceStatement) -> str:
        due_date = statement.outgoing_invoice.due_date if statement.outgoing_invoice else None
        if is_overdue(statement, due_date, timezone.localdate()):
            return format_html('<span class="fb-warning" title="Overdue">{}</span>', day(due_date))
        return day(due_date)

    @admin.display(description="Amount")
    def amount(self, statement: InvoiceStatement) -> str:
        return money(statement.total, statement.currency)

    @admin.display(description="Invoice")
    def invoice(self, statement: InvoiceStatement) -> str:
        made = statement.outgoing_invoice
        return link(made, str(made.invoice_number or "without number")) if made else NOTHING

    @admin.display(description="Go says")
    def go_tells(self, statement: InvoiceStatement) -> str:
        if not statement.attention:
            return format_html('<span class="fb-note" title="{0}">{0}</span>', statement.go_says or NOTHING)
        return format_html('<span class="fb-attention" title="{0}">{0}</span>', statement.attention)

    # --- The page -----------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What has been on its way to PowerOffice Go is never changed here."""
        if isinstance(obj, InvoiceStatement) and not obj.is_editable:
            return False
        return super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sheet says everything where nothing can be changed."""
        if obj is not None and not self.has_change_permission(request, obj):
            return ()
        return super().get_fieldsets(request, obj)

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        inlines: list[Any] = super().get_inline_instances(request, obj)
        return inlines if obj is None or self.lines_in_form(request, obj) else []

    def lines_in_form(self, request: HttpRequest, statement: InvoiceStatement) -> bool:
        """Whether lines are typed on the page: the statement can be changed, and is not too long for a form."""
        if not self.has_change_permission(request, statement):
            return False
        return statement.lines.order_by().values("pk")[: LINES_IN_FORM + 1].count() <= LINES_IN_FORM

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A save holds the statement's row from the first look to the last write, so no machine takes it meanwhile."""
        if request.method != "POST" or object_id is None:
            return self._page(request, object_id, form_url, extra_context)
        with transaction.atomic():
            held = self.get_queryset(request).select_for_update().filter(pk=object_id).first()
            if held is None or held.is_editable:
                return self._page(request, object_id, form_url, extra_context)
        messages.error(
            request,
            f"Nothing was saved: {held} is now “{held.get_status_display()}”, on its way to PowerOffice Go or beyond.",
        )
        return HttpResponseRedirect(page_of(held))

    def _page(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra: dict[str, Any] | None
    ) -> HttpResponse:
        context = dict(extra or {})
        statement = self.get_object(request, object_id) if object_id else None
        if statement is not None and self.has_view_permission(request, statement):
            context["sheet"] = sheet(request, statement, lines_in_form=self.lines_in_form(request, statement))
            context["buttons"] = self.every_button(request, statement)
            context["held_up"] = [button for button in context["buttons"] if button["why_not"]]
            context["linking"] = self.linking(request, statement)
            context["editable"] = self.has_change_permission(request, statement)
            context["subtitle"] = statement.source_id
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def every_button(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """All acts that this person may do with a statement, with why not where one is impossible now."""
        return [
            *self.buttons(request, statement),
            *self.draft_button(request, statement),
            *self.credit_button(request, statement),
            *self.unlink_button(request, statement),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A statement is dated today unless somebody says otherwise."""
        return {"statement_date": timezone.localdate(), **super().get_changeform_initial_data(request)}

    def save_model(
        self, request: HttpRequest, obj: InvoiceStatement, form: forms.ModelForm[InvoiceStatement], change: bool
    ) -> None:
        if not change:
            give_number(obj, timezone.localdate())
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm[InvoiceStatement], formsets: Any, change: bool
    ) -> None:
        """Count again what the lines sum to."""
        super().save_related(request, form, formsets, change)
        statement = form.instance
        statement.recount()
        statement.refresh_search()
        statement.save(update_fields=["net", "vat", "total", "search", "updated_at"])

    def response_post_save_add(self, request: HttpRequest, obj: InvoiceStatement) -> HttpResponseRedirect:
        """Back to what was typed: its totals are there now."""
        return HttpResponseRedirect(page_of(obj))


def lists_what_waits(request: HttpRequest) -> bool:
    """Whether this is a list of statements that wait for a person: Stuck, Failed payments, Link broken."""
    shown = request.GET.getlist("status__exact")
    return bool(shown) and WAITS_FOR_A_PERSON.issuperset(shown)


def is_overdue(statement: InvoiceStatement, due_date: date | None, today: date) -> bool:
    """Whether money is late: due before today and not paid in full."""
    late = due_date is not None and due_date < today
    return late and statement.status in {StatementStatus.SENT, StatementStatus.PARTLY_PAID}
