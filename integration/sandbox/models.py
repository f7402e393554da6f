"""The books of the played PowerOffice Go, and the memory of the sandbox itself.

Registers (customers, products, accounts, ...) share one table with their members as a document, because the sandbox
never needs more of them than Go's own words; what is searched or must be unique is a column. Amounts are øre.
"""

import datetime as dt
import uuid
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django.db import models, router, transaction

from integration.sandbox.wire import DocumentDecoder, DocumentEncoder


def document(default: type[dict[str, Any]] | type[list[Any]] = dict) -> "models.JSONField[Any, Any]":
    """A JSON column whose numbers are Decimals."""
    return models.JSONField(default=default, encoder=DocumentEncoder, decoder=DocumentDecoder)


def alias() -> str:
    """The database that really holds the sandbox's tables: `default` in its own process, `sandbox` in a test."""
    return router.db_for_write(Company)


def one_act() -> AbstractContextManager[None]:
    """One transaction in the sandbox's own database: all of it happens, or nothing."""
    return transaction.atomic(using=alias())


class OrderState(models.TextChoices):
    """Where a sales order is; only OPEN and SENDING are still drafts in Go's lists."""

    OPEN = "OPEN"
    SENDING = "SENDING"
    SENT = "SENT"
    DELETED = "DELETED"
    COMBINED = "COMBINED"


class State(models.Model):
    """The one row about the sandbox itself: switches that differ from their defaults, and the clock."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    switches = document()
    clock_offset = models.DurationField(default=dt.timedelta)

    def __str__(self) -> str:
        return "State of the sandbox"


class Company(models.Model):
    """One Go client: a company's books behind one client key."""

    name = models.CharField(max_length=200)
    client_id = models.UUIDField(default=uuid.uuid4, unique=True)
    client_key = models.UUIDField(unique=True)
    environment = models.CharField(max_length=10, default="both")
    organisation_number = models.CharField(max_length=20, blank=True)
    revoked = models.BooleanField(default=False)
    privileges = document(list)
    subscriptions = document(list)
    allow_send = models.BooleanField(default=False)
    lock_date = models.DateField(null=True)
    conversion_date = models.DateField(default=dt.date(2020, 1, 1))
    next_order_no = models.BigIntegerField(default=1)
    next_invoice_no = models.BigIntegerField(default=10_000)
    next_voucher_no = models.BigIntegerField(default=1)
    next_line_id = models.BigIntegerField(default=1)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    def take(self, counter: str) -> int:
        """The next number of a sequence; the company must be locked by `locked_company` in this transaction."""
        name = f"next_{counter}"
        number: int = getattr(self, name)
        setattr(self, name, number + 1)
        self.save(update_fields=[name])
        return number


class Token(models.Model):
    """An access token that was handed out."""

    signature = models.CharField(max_length=64, unique=True)
    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    application_key = models.CharField(max_length=36)
    environment = models.CharField(max_length=10)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Token {self.pk}"


class Record(models.Model):
    """One entry of a register: customer, contact person, product, account, payment term, ...; `pk` is Go's int64 id."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    kind = models.CharField(max_length=30)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
    code = models.CharField(max_length=200, null=True, help_text="Code, or customer or account number.")  # noqa: DJ001 - null means it has none, and is not unique
    data = document()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    stock_changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "kind", "code"], name="sandbox_code_unique_in_register"),
        ]
        indexes: ClassVar = [models.Index(fields=["company", "kind", "changed_at"], name="sandbox_record_changed")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} {self.code}"

    @property
    def title(self) -> str:
        """The name a person reads."""
        data = self.data
        return str(data.get("Name") or f"{data.get('FirstName', '')} {data.get('LastName', '')}".strip())


class SalesOrder(models.Model):
    """A draft, and for ever after what became of it. `header` and `lines` hold Go's members as they were set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    customer = models.ForeignKey(Record, on_delete=models.PROTECT)
    number = models.BigIntegerField()
    status = models.CharField(max_length=10, default="Draft")
    state = models.CharField(max_length=10, default=OrderState.OPEN, choices=OrderState)
    reference = models.CharField(max_length=400, null=True, db_index=True)  # noqa: DJ001 - null means it has none
    header = document()
    lines = document(list)
    net_ore = models.BigIntegerField(default=0)
    total_ore = models.BigIntegerField(default=0)
    application_key = models.CharField(max_length=36, blank=True, help_text="Empty: a user made it in Go.")
    combined_into = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, help_text="When it was sent, deleted or combined.")
    send_request = document()
    send_due_at = models.DateTimeField(null=True)
    send_key = models.CharField(max_length=36, blank=True)
    last_error = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "number"], name="sandbox_order_number_unique"),
        ]
        indexes: ClassVar = [models.Index(fields=["company", "state", "changed_at"], name="sandbox_order_state")]

    def __str__(self) -> str:
        return f"Order {self.number} of company {self.company_id}"


class Attachment(models.Model):
    """A file on a sales order."""

    order = models.ForeignKey(SalesOrder, on_delete=models.CASCADE)
    file_name = models.CharField(max_length=400)
    content = models.BinaryField()
    size = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Attachment {self.pk}"


class LedgerEntry(models.Model):
    """An entry of the customer ledger. Entries never change; what they are matched with does (reference §10.1)."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    customer = models.ForeignKey(Record, on_delete=models.PROTECT)
    voucher_id = models.UUIDField(default=uuid.uuid4)
    voucher_no = models.BigIntegerField()
    voucher_type = models.CharField(max_length=40)
    voucher_date = models.DateField()
    due_date = models.DateField(null=True)
    amount_ore = models.BigIntegerField()
    currency_ore = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="NOK")
    balance_ore = models.BigIntegerField()
    match_id = models.BigIntegerField(null=True)
    invoice_no = models.CharField(max_length=20, blank=True)
    cid = models.CharField(max_length=30, blank=True)
    matching_reference = models.CharField(max_length=400, blank=True)
    reference = models.CharField(max_length=400, blank=True)
    is_write_off = models.BooleanField(default=False)
    from_account = models.CharField(max_length=20, blank=True)
    application_key = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["company", "changed_at"], name="sandbox_entry_changed")]

    def __str__(self) -> str:
        return f"{self.voucher_type} {self.pk}"


class Allocation(models.Model):
    """So much of a debit entry is offset by so much of a credit entry, from a posting date on."""

    debit = models.ForeignKey(LedgerEntry, on_delete=models.CASCADE, related_name="offset_by")
    credit = models.ForeignKey(LedgerEntry, on_delete=models.CASCADE, related_name="offsets")
    amount_ore = models.BigIntegerField()
    on = models.DateField()

    def __str__(self) -> str:
        return f"Allocation {self.pk}"


class Invoice(models.Model):
    """A sent and posted invoice or credit note. It keeps the id of its sales order (reference §8.9)."""

    id = models.UUIDField(primary_key=True)
    company = models.ForeignKey(Company, on_delete=models.CASCADE)
    customer = models.ForeignKey(Record, on_delete=models.PROTECT)
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT)
    invoice_no = models.BigIntegerField()
    order_no = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=400, null=True, db_index=True)  # noqa: DJ001 - null means it has none
    header = document()
    lines = document(list)
    net_ore = models.BigIntegerField()
    total_ore = models.BigIntegerField()
    net_posted_ore = models.BigIntegerField()
    delivery_type = models.CharField(max_length=30)
    sent_at = models.DateTimeField()
    is_reversed = models.BooleanField(default=False)
    application_key = models.CharField(max_length=36, blank=True, help_text="Empty: a user pressed Send in Go.")
    draft_created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    stage = models.PositiveSmallIntegerField(default=0)
    next_stage_on = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "invoice_no"], name="sandbox_invoice_number_unique"),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.invoice_no} of company {self.company_id}"


class Hit(models.Model):
    """A request that came in, for the rate limit and for counting."""

    at_ms = models.BigIntegerField(help_text="Milliseconds since 1970, real time.")
    subscription_key = models.CharField(max_length=100)
    route = models.CharField(max_length=120)
    status = models.PositiveSmallIntegerField(default=0)
    throttled = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subscription_key", "at_ms"], name="sandbox_hit_window")]

    def __str__(self) -> str:
        return f"{self.route} {self.status}"


class FaultPlan(models.Model):
    """A fault that waits for its request; `control.py` explains the members."""

    random = models.BooleanField(default=False)
    kinds = document(list)
    method = models.CharField(max_length=10, default="*")
    path = models.CharField(max_length=200, default="*")
    skip = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=1)
    rate = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    read_rate = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    seed = models.BigIntegerField(default=0)
    drawn = models.BigIntegerField(default=0)
    hits = models.BigIntegerField(default=0)
    options = document()

    def __str__(self) -> str:
        return f"Fault plan {self.pk}"
