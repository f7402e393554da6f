"""Payments that a person recorded because PowerOffice Go does not know of them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from integration.decisions.money import amount_text
from integration.enums import HandPaymentMethod, HandPaymentState, StatementStatus
from integration.models.base import Record
from integration.models.invoice_statement import InvoiceStatement

COUNTS_OR_WAITS = [HandPaymentState.WAITING, HandPaymentState.IN_FORCE]


class HandPayment(Record):
    """Money for one statement, by a person's word. `amount` and `open_before` incl. VAT in the statement's currency.

    `open_before`: what was open right before it. `status_before`: where undoing it leads when Go has no invoice.
    `invoice_number`: the combined invoice that it was paid with, as the person knows it.
    Above the company's limit it waits until somebody else approves; it never ends by itself.
    """

    statement = models.ForeignKey(InvoiceStatement, on_delete=models.PROTECT, related_name="hand_payments")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    open_before = models.DecimalField("open before", max_digits=14, decimal_places=2)
    paid_on = models.DateField("paid on")
    method = models.CharField(max_length=20, choices=HandPaymentMethod)
    reason = models.TextField()
    invoice_number = models.BigIntegerField("combined invoice", null=True, blank=True)
    status_before = models.CharField(max_length=20, choices=StatementStatus)
    state = models.CharField(max_length=20, choices=HandPaymentState)
    needs_approval = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.TextField("why it ended", blank=True)

    class Meta:
        verbose_name = "payment by hand"
        verbose_name_plural = "payments by hand"
        default_permissions = ("view",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["statement"],
                condition=Q(state=HandPaymentState.WAITING),
                name="hand_payment_one_waits",
                violation_error_message="A payment by hand of this statement already waits for a second person.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=HandPaymentState.values),
                name="hand_payment_state_known",
                violation_error_message="A payment by hand is in one of the known states.",
            ),
            models.CheckConstraint(
                condition=Q(method__in=HandPaymentMethod.values),
                name="hand_payment_method_known",
                violation_error_message="Choose how it was paid.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0) & Q(amount__lte=F("open_before")),
                name="hand_payment_amount",
                violation_error_message="The amount is more than nothing, and at most what is open.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="hand_payment_says_why",
                violation_error_message="A payment by hand says why.",
            ),
            models.CheckConstraint(
                condition=Q(invoice_number__isnull=True) | Q(invoice_number__gt=0),
                name="hand_payment_invoice_number",
                violation_error_message="An invoice number is a whole number above 0.",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | (Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approved_by=F("asked_by"))),
                name="hand_payment_second_person",
                violation_error_message="Nobody approves their own payment by hand.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[HandPaymentState.IN_FORCE, HandPaymentState.UNDONE], needs_approval=True)
                | Q(approved_by__isnull=False),
                name="hand_payment_approved_where_needed",
                violation_error_message="A payment by hand above the limit counts only when a second person approved.",
            ),
            models.CheckConstraint(
                condition=~Q(state=HandPaymentState.REFUSED) | ~Q(ended_by=F("asked_by")),
                name="hand_payment_refused_by_another",
                violation_error_message="Whoever asked takes a payment by hand back instead of refusing it.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=COUNTS_OR_WAITS, ended_by__isnull=True, ended_at__isnull=True, end_reason="")
                | (
                    ~Q(state__in=COUNTS_OR_WAITS)
                    & Q(ended_by__isnull=False, ended_at__isnull=False)
                    & ~Q(end_reason="")
                ),
                name="hand_payment_end_says_who_and_why",
                violation_error_message="A payment by hand that has ended says who ended it, when and why.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "-asked_at"], name="hand_payment_newest"),
        ]

    def __str__(self) -> str:
        paid = amount_text(self.amount, self.statement.currency)
        return f"{self.statement.source_id}: {paid} paid {self.paid_on:%d.%m.%Y}"
