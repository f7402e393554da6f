"""What somebody pays for again and again, and what has been made of it.

A subscription's payment is a *term*; the terms of one payer on one day are one *bill*, which is one statement.
"""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from integration.decisions.subscriptions import LONGEST, Schedule
from integration.enums import Interval, SubscriptionState
from integration.models.base import Record
from integration.models.customer import Customer
from integration.models.go_company import GoCompany
from integration.models.invoice_statement import InvoiceStatement
from integration.models.product import Product


class Subscription(Record):
    """One holder's subscription to one product. `price` excl. VAT for one interval, NOK; empty: the product's.

    `ends_on` is the last day: a payment that would fall on it, or later, is not made. `resumed_on`: the end of the last
    pause; no payment before it is made up for.
    """

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="subscriptions")
    holder = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions_held")
    payer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions_paid")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    description = models.CharField(
        max_length=200,
        blank=True,
        help_text="On the invoice, before the holder's name. Left empty: the product's name.",
    )
    price = models.DecimalField(
        "price excl. VAT",
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="For one payment. Left empty: the product's price.",
    )
    quantity = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(1))
    discount_percent = models.DecimalField(
        "discount %",
        max_digits=7,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    interval = models.PositiveSmallIntegerField("paid", choices=Interval, default=Interval.MONTH)
    payment_day = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text="1 to 31. In a shorter month it is the last day.",
    )
    first_date = models.DateField(
        "starts", help_text="The first payment falls on the first payment day on or after this date."
    )
    payment_days = models.PositiveSmallIntegerField(
        "due days",
        null=True,
        blank=True,
        help_text="From invoice to due date. Left empty: the payer's or the company's.",
    )
    binding_until = models.DateField(null=True, blank=True, help_text="It cannot end before this day.")
    notice_months = models.PositiveSmallIntegerField(
        "months of notice", default=0, validators=[MaxValueValidator(3 * LONGEST)]
    )
    ends_on = models.DateField(
        null=True, blank=True, help_text="Its last day. A payment that would fall on it, or later, is not made."
    )
    resumed_on = models.DateField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=10, choices=SubscriptionState, default=SubscriptionState.ACTIVE, editable=False)

    class Meta:
        permissions: ClassVar[list[tuple[str, Any]]] = [("end_subscription", "Can pause, resume and end subscriptions")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0),
                name="subscription_price_not_negative",
                violation_error_message="A price is zero or more.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="subscription_quantity_positive",
                violation_error_message="A quantity is more than zero.",
            ),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lte=100),
                name="subscription_discount_is_percent",
                violation_error_message="A discount is between 0 and 100 %.",
            ),
            models.CheckConstraint(
                condition=Q(interval__in=Interval.values),
                name="subscription_interval_known",
                violation_error_message="Choose how often it is paid.",
            ),
            models.CheckConstraint(
                condition=Q(payment_day__gte=1, payment_day__lte=31),
                name="subscription_payment_day_in_month",
                violation_error_message="A payment day is between 1 and 31.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("first_date")),
                name="subscription_ends_after_it_starts",
                violation_error_message="A subscription does not end before it starts.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SubscriptionState.values),
                name="subscription_state_known",
                violation_error_message="A subscription is active or paused.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "payer"], name="subscription_payers"),
        ]

    def __str__(self) -> str:
        return f"{self.product.code} of {self.holder} (subscription {self.pk})"

    def schedule(self) -> Schedule:
        """Its dates, as the decisions want them."""
        return Schedule(self.first_date, self.payment_day, self.interval, self.ends_on, self.resumed_on)

    def has_ended(self, today: date) -> bool:
        """Whether its last day has come."""
        return self.ends_on is not None and self.ends_on <= today


class SubscriptionBill(Record):
    """The statement of one payer on one day. `number` 2: a payment that came when the first took no more rows.

    `digest` says what the subscriptions wanted when it was last written, `saved_at` is the statement's `updated_at` of
    then: another one now means that somebody else has had a hand in it, and it is left alone.
    """

    statement = models.OneToOneField(
        InvoiceStatement, on_delete=models.PROTECT, related_name="subscription_bill", editable=False
    )
    payer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscription_bills")
    date = models.DateField()
    number = models.PositiveSmallIntegerField(default=1)
    digest = models.CharField(max_length=64)
    saved_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["payer", "date", "number"],
                name="subscription_bill_once",
                violation_error_message="This payer already has this bill for this day.",
            ),
        ]

    def __str__(self) -> str:
        return f"bill {self.number} of customer {self.payer_id} for {self.date}"


class SubscriptionTerm(Record):
    """One payment of one subscription: at most one a month. `months`: how many months it pays for."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="terms")
    bill = models.ForeignKey(SubscriptionBill, on_delete=models.PROTECT, related_name="terms")
    date = models.DateField()
    month = models.PositiveIntegerField(help_text="Counted from year 0.")
    months = models.PositiveSmallIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subscription", "month"],
                name="subscription_term_once",
                violation_error_message="This subscription already has a payment in this month.",
            ),
            models.CheckConstraint(
                condition=Q(month=F("date__year") * 12 + F("date__month") - 1),
                name="subscription_term_month_of_date",
                violation_error_message="A payment belongs to the month of its date.",
            ),
            models.CheckConstraint(
                condition=Q(months__in=Interval.values),
                name="subscription_term_months_known",
                violation_error_message="A payment pays for one of the intervals.",
            ),
        ]

    def __str__(self) -> str:
        return f"subscription {self.subscription_id} for {self.date}"
