"""What is to be invoiced, with its lines and its life."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from integration.decisions.money import LineAmounts, line_amounts, statement_totals
from integration.decisions.transitions import BEYOND_PUSH
from integration.enums import LineKind, StatementKind, StatementSource, StatementStatus
from integration.models.base import Record
from integration.models.customer import Customer
from integration.models.go_company import GoCompany
from integration.models.outgoing_invoice import OutgoingInvoice
from integration.models.product import Product


class InvoiceStatement(Record):
    """An invoice or credit note to be. Amounts are in `currency`; `net` excl. VAT, `total` incl. VAT.

    `status` is changed only by `use_cases.moves.move`. `attention` is what a person must know, in words.
    `go_*` is what Go had when it took the order. `follows_go` False: a person set the status by hand.
    `send_asked_at`: a person asked that Go sends it; `send_begun_at`: the request may have left, so it is looked up at
    `send_look_at` and never just sent again. `edits_accepted_at`: what Go has instead is as it should be.
    """

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="statements")
    kind = models.CharField(max_length=20, choices=StatementKind, default=StatementKind.INVOICE)
    source = models.CharField(max_length=20, choices=StatementSource, default=StatementSource.HAND)
    source_id = models.CharField("id in the source", max_length=100)
    reference = models.CharField(max_length=50, editable=False)
    reference_version = models.PositiveSmallIntegerField(default=1, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="statements")
    statement_date = models.DateField("date")
    delivery_date = models.DateField(null=True, blank=True)
    payment_date = models.DateField(
        null=True, blank=True, help_text="An upcoming statement goes to PowerOffice Go on this day."
    )
    payment_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Days from invoice to due date.")
    currency = models.CharField(max_length=3, default="NOK")
    customer_reference = models.CharField("your reference", max_length=200, blank=True)
    purchase_order_reference = models.CharField("purchase order", max_length=200, blank=True)
    contract_number = models.CharField("contract", max_length=200, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True, editable=False)
    net = models.DecimalField("net excl. VAT", max_digits=14, decimal_places=2, default=Decimal(0), editable=False)
    vat = models.DecimalField("VAT", max_digits=14, decimal_places=2, default=Decimal(0), editable=False)
    total = models.DecimalField("total incl. VAT", max_digits=14, decimal_places=2, default=Decimal(0), editable=False)
    stated_total = models.DecimalField(
        "total the source states",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Incl. VAT. If it differs from the sum of the lines, the statement is not pushed.",
    )
    status = models.CharField(max_length=20, choices=StatementStatus, default=StatementStatus.UPCOMING, editable=False)
    held = models.BooleanField("on hold", default=False, editable=False, help_text="Not activated by its date.")
    attention = models.TextField(blank=True, editable=False)
    attention_code = models.CharField(max_length=40, blank=True, editable=False)
    next_try_at = models.DateTimeField(null=True, blank=True, editable=False)
    tries = models.PositiveIntegerField(default=0, editable=False, help_text="Since it last succeeded or was released.")
    doubt_since = models.DateTimeField(null=True, blank=True, editable=False)
    go_order_id = models.CharField("order id in Go", max_length=36, blank=True, editable=False)
    go_order_number = models.BigIntegerField("order no. in Go", null=True, blank=True, editable=False)
    go_total = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True, editable=False)
    go_line_count = models.PositiveIntegerField(null=True, blank=True, editable=False)
    go_last_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    go_says = models.CharField("Go says", max_length=200, blank=True, editable=False)
    pushed_at = models.DateTimeField(null=True, blank=True, editable=False)
    missing_since = models.DateTimeField(null=True, blank=True, editable=False)
    proposal = models.JSONField(null=True, blank=True, editable=False, help_text="Where a vanished draft seems to be.")
    combined_into = models.CharField(
        "combined into, id in Go",
        max_length=36,
        blank=True,
        default="",
        editable=False,
        help_text="The order or invoice that a person said it was combined into; several statements may share one.",
    )
    credits = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes")
    credit_reason = models.CharField(max_length=300, blank=True)
    outgoing_invoice = models.ForeignKey(
        OutgoingInvoice, on_delete=models.PROTECT, null=True, blank=True, related_name="statements", editable=False
    )
    follows_go = models.BooleanField(default=True, editable=False)
    send_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    send_begun_at = models.DateTimeField(null=True, blank=True, editable=False)
    send_look_at = models.DateTimeField(null=True, blank=True, editable=False)
    edits_accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    search = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = "statement"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "source", "source_id"],
                name="statement_source_once",
                violation_error_message="This company already has a statement with this id from this source.",
            ),
            models.UniqueConstraint(
                fields=["company", "reference"],
                name="statement_reference_once",
                violation_error_message="Another statement of this company has this reference.",
            ),
            models.UniqueConstraint(
                fields=["company", "go_order_id"],
                condition=~Q(go_order_id=""),
                name="statement_go_order_once",
                violation_error_message="Another statement of this company is already linked to this order in Go.",
            ),
            models.CheckConstraint(
                condition=Q(combined_into="") | ~Q(combined_into=F("go_order_id")),
                name="statement_combined_into_another",
                violation_error_message="A statement is combined into another order than its own.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=StatementStatus.values),
                name="statement_status_known",
                violation_error_message="A statement has one of the known statuses.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(BEYOND_PUSH)) | ~Q(go_order_id="") | ~Q(combined_into=""),
                name="statement_in_go_has_order_id",
                violation_error_message="A statement that is in Go has the id of its sales order.",
            ),
            models.CheckConstraint(
                condition=Q(kind=StatementKind.INVOICE) | Q(credits__isnull=False) | ~Q(credit_reason=""),
                name="statement_credit_note_says_what",
                violation_error_message="A credit note names the statement it credits, or says why there is none.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                name="statement_currency_three_letters",
                violation_error_message="A currency is three capital letters, for example NOK.",
            ),
            models.CheckConstraint(
                # SQLite adds decimals as binary fractions: half an øre of room, far below any real difference.
                condition=Q(total__lt=F("net") + F("vat") + Decimal("0.005"))
                & Q(total__gt=F("net") + F("vat") - Decimal("0.005")),
                name="statement_totals_agree",
                violation_error_message="Net and VAT do not add up to the total.",
            ),
            models.CheckConstraint(
                condition=~Q(reference="") & ~Q(reference__contains=","),
                name="statement_reference",
                violation_error_message="A statement has a reference, without commas.",
            ),
            models.CheckConstraint(
                condition=Q(send_begun_at__isnull=True, send_look_at__isnull=True)
                | Q(send_asked_at__isnull=False, send_begun_at__isnull=False, send_look_at__isnull=False),
                name="statement_sending_was_asked_for",
                violation_error_message="Only what a person asked to send is sent, and it is looked up.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "status", "next_try_at"], name="statement_queue"),
            models.Index(fields=["-statement_date", "-id"], name="statement_newest"),
            models.Index(fields=["status", "-statement_date", "-id"], name="statement_status_newest"),
            models.Index(fields=["company", "-statement_date", "-id"], name="statement_company_newest"),
            models.Index(
                fields=["status", "payment_date"],
                condition=Q(status=StatementStatus.UPCOMING),
                name="statement_to_activate",
            ),
            models.Index(fields=["-statement_date", "-id"], condition=~Q(attention=""), name="statement_attention"),
            models.Index(
                fields=["company", "send_asked_at"], condition=Q(send_asked_at__isnull=False), name="statement_to_send"
            ),
            models.Index(
                fields=["company", "combined_into"], condition=~Q(combined_into=""), name="statement_combined_into"
            ),
        ]
        permissions = [  # noqa: RUF012 - the stubs want the plain list
            ("push_statement", "Can push statements to PowerOffice Go"),
            ("pull_statement", "Can update status from PowerOffice Go"),
            ("withdraw_statement", "Can hold and withdraw statements"),
            ("credit_statement", "Can credit invoices"),
            ("settle_statement", "Can settle failed payments and broken links"),
            ("pay_statement", "Can mark statements as paid by hand, and approve what others marked"),
            ("send_statement", "Can have PowerOffice Go send invoices"),
            ("link_statement", "Can link statements with a combined invoice"),
            ("import_invoicestatement", "Can import statements"),
            ("export_invoicestatement", "Can export statements"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} ({self.reference})"

    @property
    def followed_id(self) -> str:
        """The order or invoice in Go that it follows: its own, or the one that it was combined into."""
        return self.combined_into or self.go_order_id

    @property
    def is_editable(self) -> bool:
        """Whether people may still change what it says: nothing of it has been on its way to Go."""
        return self.status in {StatementStatus.UPCOMING, StatementStatus.PROCESSING, StatementStatus.NEEDS_FIX}

    def recount(self, lines: "Iterable[StatementLine] | None" = None) -> None:
        """Set net, VAT and total from the lines. Not saved."""
        kept = list(self.lines.all()) if lines is None else lines
        totals = statement_totals([line.amounts() for line in kept], self.currency)
        self.net, self.vat, self.total = totals.net, totals.vat, totals.total

    def refresh_search(self) -> None:
        """Set the text that the list searches. Not saved."""
        invoice = self.outgoing_invoice
        parts: list[Any] = [
            self.source_id,
            self.reference,
            self.go_order_number,
            invoice.invoice_number if invoice else None,
            self.customer,
        ]
        self.search = " ".join(str(part).lower() for part in parts if part)


class StatementLine(Record):
    """One line. `unit_price` excl. VAT in the statement's currency; negative quantity credits."""

    statement = models.ForeignKey(InvoiceStatement, on_delete=models.CASCADE, related_name="lines")
    line_number = models.PositiveIntegerField("no.")
    kind = models.CharField(max_length=10, choices=LineKind, default=LineKind.PRODUCT)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    description = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    unit_price = models.DecimalField("unit price excl. VAT", max_digits=16, decimal_places=4, null=True, blank=True)
    discount_percent = models.DecimalField(
        "discount %",
        max_digits=7,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(-1000)), MaxValueValidator(Decimal(100))],
    )
    vat_rate = models.DecimalField(
        "VAT rate",
        max_digits=5,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="0.25 is 25 %.",
    )
    department = models.CharField("department code", max_length=50, blank=True)
    project = models.CharField("project code", max_length=50, blank=True)
    accrual_from = models.DateField(null=True, blank=True)
    accrual_to = models.DateField(null=True, blank=True)
    credits_line = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credited_by",
        editable=False,
        db_index=False,  # most lines credit nothing: the partial index below
    )
    credited_quantity = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, editable=False, help_text="How much of that line."
    )

    class Meta:
        verbose_name = "line"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["statement", "line_number"],
                name="line_number_once",
                violation_error_message="Another line of this statement has this number.",
            ),
            models.CheckConstraint(
                condition=Q(kind=LineKind.PRODUCT, product__isnull=False, quantity__isnull=False)
                | Q(kind=LineKind.TEXT, product__isnull=True, quantity__isnull=True, unit_price__isnull=True),
                name="line_product_or_text",
                violation_error_message="A product line has product and quantity; a text line has neither.",
            ),
            models.CheckConstraint(
                condition=Q(vat_rate__gte=0, vat_rate__lte=1),
                name="line_vat_rate_is_fraction",
                violation_error_message="A VAT rate is between 0 and 1: 0.25 is 25 %.",
            ),
            models.CheckConstraint(
                condition=Q(accrual_from__isnull=True, accrual_to__isnull=True)
                | Q(accrual_from__isnull=False, accrual_to__isnull=False, accrual_to__gte=F("accrual_from")),
                name="line_accrual_period",
                violation_error_message="An accrual period has a first and a last day, in that order.",
            ),
            models.CheckConstraint(
                condition=Q(credits_line__isnull=True, credited_quantity__isnull=True)
                | Q(credits_line__isnull=False, credited_quantity__isnull=False, kind=LineKind.PRODUCT),
                name="line_credits_so_much",
                violation_error_message="A line that credits another says how much of it.",
            ),
        ]

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["credits_line"], condition=Q(credits_line__isnull=False), name="line_credits"),
        ]

    def __str__(self) -> str:
        return f"line {self.line_number}"

    def amounts(self) -> LineAmounts:
        """Net, VAT and total of this line, rounded as the currency asks."""
        return line_amounts(
            quantity=self.quantity,
            unit_price=self.unit_price,
            discount_percent=self.discount_percent,
            vat_rate=self.vat_rate,
            currency=self.statement.currency,
        )


class StatementMove(models.Model):
    """One change of status: from, to, when, who (nobody: the machine) and why. Never changed: `log_books.py`."""

    statement = models.ForeignKey(InvoiceStatement, on_delete=models.PROTECT, related_name="moves")
    from_status = models.CharField(max_length=20, choices=StatementStatus)
    to_status = models.CharField(max_length=20, choices=StatementStatus)
    at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.TextField()

    class Meta:
        verbose_name = "move"

    def __str__(self) -> str:
        return f"{self.statement_id}: {self.from_status} -> {self.to_status}"
