"""Customers, with those to ask, how they pay, and their orders."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import PaginationInlineFormSet

from integration.admin.base import CompanyFilter, CompanyModelAdmin, CompanyTabularInline, RecordForm
from integration.admin.columns import company_for_several
from integration.admin.display import NOTHING
from integration.admin.orders import orders
from integration.admin.search import SearchColumn
from integration.admin.spreadsheets import SpreadsheetMixin
from integration.admin.subscription import all_paid_by, may_see_subscriptions, subscriptions_of
from integration.enums import PaymentMethodKind
from integration.models import ContactPerson, Customer, PaymentMethod
from integration.use_cases.change_subscriptions import follow
from integration.use_cases.invoice_receivers import follow_delivery, why_not_as, why_not_removed


class ContactPersonForm(RecordForm[ContactPerson]):
    """Words for the one who is asked first."""

    class Meta:
        labels: ClassVar[dict[str, str]] = {"is_default": "Default"}


class ContactPersonInline(CompanyTabularInline[ContactPerson]):
    """Those to ask."""

    model = ContactPerson
    form = ContactPersonForm
    fields = ("first_name", "last_name", "email", "phone", "is_default")


class PaymentMethodForm(RecordForm[PaymentMethod]):
    """An invoice receiver says as whom, how and with which reference; other methods say nothing of that."""

    class Meta:
        labels: ClassVar[dict[str, str]] = {"kind": "Method", "is_default": "Default", "invoice_reference": "Reference"}
        help_texts: ClassVar[dict[str, str]] = {"invoice_reference": ""}

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or self.cleaned_data
        if data.get("kind") == PaymentMethodKind.INVOICE and not self.errors:
            data["invoice_reference"] = data.get("invoice_reference") or self.instance.customer.name
            if refusal := why_not_as(data.get("receiver_type", ""), self.instance.customer):
                self.add_error("receiver_type", refusal)
        return data


class PaymentMethodFormSet(PaginationInlineFormSet):  # type: ignore[misc] # unfold has no types
    """A method that is in use is not taken away."""

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and (refusal := why_not_removed(form.instance, timezone.localdate())):
                raise ValidationError(f"{form.instance} cannot be removed: {refusal}.")


class PaymentMethodInline(CompanyTabularInline[PaymentMethod]):
    """How the customer pays."""

    model = PaymentMethod
    form = PaymentMethodForm
    formset = PaymentMethodFormSet
    fields = ("kind", "receiver_type", "delivery", "invoice_reference", "is_default")


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
            context["subscriptions"] = subscriptions_of(customer) if may_see_subscriptions(request) else []
            context["all_subscriptions"] = all_paid_by(customer)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """How a customer pays decides what becomes of the upcoming statements of subscriptions."""
        super().save_related(request, form, formsets, change)
        customer = form.instance
        if follow_delivery(customer):
            self.message_user(
                request,
                f"Invoice delivery is now “{customer.get_delivery_display()}”, as the default invoice receiver says.",
            )
        follow(customer.company, [customer.pk], timezone.now())
