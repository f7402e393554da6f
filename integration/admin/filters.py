"""The own filters of the lists of statements and outgoing invoices."""

from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from integration.decisions.ageing import AGES, Age, due_dates
from integration.decisions.money_picture import COLLECTION, CREDIT_NOTE_VOUCHER, FEES
from integration.enums import InvoiceType, StatementStatus
from integration.models import InvoiceStatement, LedgerEntry, OutgoingInvoice


class AttentionFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """Whether there is something that a person must know."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Something to know"), ("no", "Nothing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InvoiceStatement]) -> QuerySet[InvoiceStatement]:
        if self.value() == "yes":
            return queryset.exclude(attention="")
        return queryset.filter(attention="") if self.value() == "no" else queryset


LATE: Final = (14, 30, 60)
"""Days late that a bookkeeper asks for."""

DUE_CHOICES: Final = [
    ("overdue", "Overdue"),
    *((f"overdue{days}", f"Overdue by more than {days} days") for days in LATE),
    ("week", "This week"),
    ("later", "Later"),
]


def due_window(choice: str | None, today: date) -> Q | None:
    """The due dates that a choice of the filter means; None for all. This week is today and the six days after."""
    week = today + timedelta(days=7)
    return {
        "overdue": Q(due_date__lt=today),
        **{f"overdue{days}": Q(due_date__lt=today - timedelta(days=days)) for days in LATE},
        "week": Q(due_date__gte=today, due_date__lt=week),
        "later": Q(due_date__gte=week),
    }.get(choice or "")


class DueFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """When the money is due, of invoices that are not paid in full."""

    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return DUE_CHOICES

    def queryset(self, request: HttpRequest, queryset: QuerySet[InvoiceStatement]) -> QuerySet[InvoiceStatement]:
        window = due_window(self.value(), timezone.localdate())
        if window is None:
            return queryset
        return queryset.filter(
            status__in=[StatementStatus.SENT, StatementStatus.PARTLY_PAID],
            outgoing_invoice__in=OutgoingInvoice.objects.filter(window),
        )


class InvoiceDueFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """When the money is due, of outgoing invoices with something open."""

    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return DUE_CHOICES

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutgoingInvoice]) -> QuerySet[OutgoingInvoice]:
        window = due_window(self.value(), timezone.localdate())
        return queryset if window is None else queryset.filter(window, balance__gt=0)


class MoneyFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """What became of an outgoing invoice's money, as far as a bookkeeper must do something about it."""

    title = "money"
    parameter_name = "money"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "Something open"),
            ("overpaid", "Overpaid"),
            ("reminded", "Reminded or in collection"),
            ("collection", "In collection"),
            ("reversed", "Reversed"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutgoingInvoice]) -> QuerySet[OutgoingInvoice]:
        match self.value():
            case "open":
                return queryset.exclude(balance=0)
            case "overpaid":
                left = LedgerEntry.objects.filter(balance__lt=0, outgoing_invoice__isnull=False)
                payers = left.exclude(voucher_type=CREDIT_NOTE_VOUCHER).values("outgoing_invoice")
                return queryset.filter(
                    Q(balance__lt=0) | Q(balance=0, pk__in=payers), type=InvoiceType.INVOICE, is_reversed=False
                )
            case "reminded":
                return queryset.filter(sent_since_due(FEES), balance__gt=0)
            case "collection":
                return queryset.filter(sent_since_due(COLLECTION), balance__gt=0)
            case "reversed":
                return queryset.filter(is_reversed=True)
        return queryset


def sent_since_due(voucher_types: frozenset[str]) -> Exists:
    """Whether such a voucher went to the customer after the invoice was due: Go does not say for which invoice."""
    return Exists(
        LedgerEntry.objects.filter(
            company=OuterRef("company"),
            go_customer_id=OuterRef("go_customer_id"),
            voucher_type__in=sorted(voucher_types),
            posting_date__gt=OuterRef("due_date"),
        )
    )


AGE: Final = "age"


def age_window(age: Age, today: date) -> Q:
    """The invoices of an age, by their due date."""
    oldest, newest = due_dates(age, today)
    window = Q()
    if oldest is not None:
        window &= Q(due_date__gte=oldest)
    if newest is not None:
        window &= Q(due_date__lte=newest)
    return window if age.first is not None else window | Q(due_date=None)


class AgeFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """How late what is open is: the columns of the report *Ageing of receivables*."""

    title = "days late"
    parameter_name = AGE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(age.key, age.title) for age in AGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutgoingInvoice]) -> QuerySet[OutgoingInvoice]:
        windows = {age.key: age_window(age, timezone.localdate()) for age in AGES}
        chosen = windows.get(self.value() or "")
        return queryset if chosen is None else queryset.exclude(balance=0).filter(chosen)
