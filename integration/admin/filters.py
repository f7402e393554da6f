"""The statement list's own filters."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from integration.enums import StatementStatus
from integration.models import InvoiceStatement, OutgoingInvoice


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


def due_window(choice: str | None, today: date) -> Q | None:
    """The due dates that a choice of the filter means; None for all. This week is today and the six days after."""
    week = today + timedelta(days=7)
    return {
        "overdue": Q(due_date__lt=today),
        "week": Q(due_date__gte=today, due_date__lt=week),
        "later": Q(due_date__gte=week),
    }.get(choice or "")


class DueFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """When the money is due, of invoices that are not paid in full."""

    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue"), ("week", "This week"), ("later", "Later")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InvoiceStatement]) -> QuerySet[InvoiceStatement]:
        window = due_window(self.value(), timezone.localdate())
        if window is None:
            return queryset
        return queryset.filter(
            status__in=[StatementStatus.SENT, StatementStatus.PARTLY_PAID],
            outgoing_invoice__in=OutgoingInvoice.objects.filter(window),
        )
