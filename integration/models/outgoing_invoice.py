"""What became of the orders: Go's invoices and the ledger entries matched to them."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from integration.enums import InvoiceType
from integration.models.base import Record
from integration.models.go_company import GoCompany


class OutgoingInvoice(Record):
    """Go's invoice as last seen. `net`, `total` in `currency`; `total_posted`, `balance` in NOK.

    Several statements may share one: that is a combined invoice, and its payments are shared out over them.
    """

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="outgoing_invoices")
    go_invoice_id = models.CharField("id in Go", max_length=36)
    type = models.CharField(max_length=20, choices=InvoiceType)
    invoice_number = models.BigIntegerField(null=True)
    voucher_number = models.BigIntegerField(null=True)
    kid = models.CharField("KID", max_length=50, blank=True)
    invoice_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    net = models.DecimalField("net excl. VAT", max_digits=14, decimal_places=2)
    total = models.DecimalField("total incl. VAT", max_digits=14, decimal_places=2)
    total_posted = models.DecimalField("total, NOK", max_digits=14, decimal_places=2)
    balance = models.DecimalField("open, NOK", max_digits=14, decimal_places=2)
    balance_changed_at = models.DateTimeField(null=True)
    match_id = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivery = models.CharField(max_length=30, blank=True)
    order_number = models.BigIntegerField(null=True)
    related_invoice_number = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=100, blank=True)
    go_customer_id = models.BigIntegerField(null=True)
    customer_number = models.BigIntegerField(null=True)
    is_reversed = models.BooleanField("reversed", default=False)
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the reading began that says so.")

    class Meta:
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("export_outgoinginvoice", "Can export outgoing invoices"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "go_invoice_id"],
                name="outgoing_invoice_go_id_once",
                violation_error_message="This invoice in Go is already known.",
            ),
            models.UniqueConstraint(
                fields=["company", "invoice_number"],
                condition=Q(is_reversed=False),  # a reversal frees the number (reference §11)
                name="outgoing_invoice_number_once",
                violation_error_message="Another invoice of this company has this number.",
            ),
            models.CheckConstraint(
                condition=Q(type__in=InvoiceType.values),
                name="outgoing_invoice_type_known",
                violation_error_message="An outgoing invoice is an invoice or a credit note.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "match_id"], name="outgoing_invoice_match"),
            models.Index(fields=["company", "reference"], name="outgoing_invoice_reference"),
            models.Index(fields=["-invoice_date", "-id"], name="outgoing_invoice_newest"),
            models.Index(fields=["due_date"], condition=Q(balance__gt=0), name="outgoing_invoice_open_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.invoice_number}"


class LedgerEntry(Record):
    """An entry of Go's customer ledger, NOK: invoices positive, payments and credits negative."""

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="ledger_entries")
    go_entry_id = models.BigIntegerField("id in Go")
    outgoing_invoice = models.ForeignKey(
        OutgoingInvoice, on_delete=models.PROTECT, null=True, blank=True, related_name="ledger_entries"
    )
    match_id = models.BigIntegerField(null=True)
    voucher_id = models.CharField(max_length=36, blank=True)
    voucher_number = models.BigIntegerField(null=True)
    voucher_type = models.CharField(max_length=50)
    voucher_date = models.DateField(null=True)
    posting_date = models.DateField(null=True)
    amount = models.DecimalField("amount, NOK", max_digits=14, decimal_places=2)
    balance = models.DecimalField("open, NOK", max_digits=14, decimal_places=2)
    is_write_off = models.BooleanField(default=False)
    invoice_number = models.CharField(max_length=50, blank=True)
    kid = models.CharField("KID", max_length=50, blank=True, default="")
    go_customer_id = models.BigIntegerField(null=True)
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the reading began that says so.")

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "go_entry_id"],
                name="ledger_entry_go_id_once",
                violation_error_message="This ledger entry in Go is already known.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "match_id"], name="ledger_entry_match"),
            models.Index(fields=["company", "go_customer_id"], name="ledger_entry_customer"),
            models.Index(
                fields=["outgoing_invoice"],
                condition=Q(balance__lt=0, outgoing_invoice__isnull=False),
                name="ledger_entry_left_over",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_type} {self.voucher_number}"
