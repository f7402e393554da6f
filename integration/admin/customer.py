"""Customers, with those to ask, how they pay, and their orders."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import BooleanRadioFilter

from integration.admin.base import CompanyFilter, CompanyModelAdmin, CompanyTabularInline, RecordForm
from integration.admin.columns import company_for_several
from integration.admin.display import NOTHING
from integration.admin.orders import orders
from integration.admin.search import SearchColumn
from integration.admin.spreadsheets import SpreadsheetMixin
from integration.models import ContactPerson, Customer, PaymentMethod


class ContactPersonForm(RecordForm[ContactPerson]):
    """Words for the one who is asked first."""

    class Meta:
        labels: ClassVar[dict[str, str]] = {"is_default": "Default"}


class ContactPersonInline(CompanyTabularInline[ContactPerson]):
    """Those to ask."""

    model = ContactPerson
    form = ContactPersonForm
    fields = ("first_name", "last_name", "email", "phone", "is_default")


class PaymentMethodInline(CompanyTabularInline[PaymentMethod]):
    """How the customer pays."""

    model = PaymentMethod
    fields = ("kind", "is_default")


@admin.register(Customer)
class CustomerAdmin(SearchColumn, SpreadsheetMixin, CompanyModelAdmin[Customer]):
    """Those who are invoiced."""

    list_display = ("name", "customer_number", "organisation_number", "email", "city", "in_go", "note")
    list_filter = (CompanyFilter, ("is_person", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    list_filter_submit = True
    list_prefetch: ClassVar[tuple[str, ...]] = ("company",)
    compressed_fields = False
    search_fields = ("search",)
    search_help_text = "Name, customer number, organisation number or e-mail"
    inlines = (ContactPersonInline, PaymentMethodInline)
    readonly_fields = ("in_go",)
    change_form_before_template = "admin/integration/customer/before.html"
    change_form_outer_after_template = "admin/integration/customer/orders.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("company", "number", "in_go"),
                    ("name", "organisation_number", "is_person"),
                    ("first_name", "last_name"),
                    ("email", "invoice_email", "phone"),
                    ("address_line1", "address_line2"),
                    ("zip_code", "city", "country"),
                )
            },
        ),
        (
            "Invoicing",
            {"fields": (("delivery", "payment_days"), ("send_reminders", "transfer_to_debt_collection", "is_active"))},
        ),
        ("Source", {"fields": (("source", "source_id"),), "classes": ("collapse",)}),
    )

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return company_for_several(request, super().get_list_display(request))

    @admin.display(description="No.")
    def customer_number(self, customer: Customer) -> str:
        return str(customer.number or NOTHING)

    @admin.display(description="In Go")
    def in_go(self, customer: Customer) -> str:
        return f"Yes, id {customer.go_customer_id}" if customer.go_customer_id else "Not yet"

    @admin.display(description="Attention")
    def note(self, customer: Customer) -> str:
        if not customer.attention:
            return NOTHING
        return format_html('<span class="fb-attention" title="{0}">{0}</span>', customer.attention)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        customer = self.get_object(request, object_id) if object_id else None
        if customer is not None and self.has_view_permission(request, customer):
            context["attention"] = customer.attention
            context["orders"] = orders(request, customer)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response
