"""Who is invoiced for subscriptions: only a payer with a default invoice receiver (wondr.md R18). It is always said.

An upcoming statement says beforehand that nothing will come of it; when its date has come it is put on hold, says why,
and waits for a person. It never goes by itself later: nobody may be invoiced for a month that was given up.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from integration.enums import InvoiceDelivery, PaymentMethodKind, ReceiverType, StatementStatus
from integration.models import Customer, InvoiceStatement, PaymentMethod, Subscription, SubscriptionBill

NO_RECEIVER: Final = "NO_RECEIVER"
"""Why a statement of subscriptions is not invoiced."""

REFUSAL: Final = "the payer has no default invoice receiver"

WAITS: Final = frozenset({StatementStatus.PROCESSING, StatementStatus.PUSHING, StatementStatus.IN_DOUBT})


def default_receivers() -> QuerySet[PaymentMethod]:
    """Invoice receivers that are the default of their customers."""
    return PaymentMethod.objects.filter(kind=PaymentMethodKind.INVOICE, is_default=True)


def lacks_receiver() -> Q:
    """Asks of statements: made by subscriptions, for a customer without a default invoice receiver."""
    return Q(
        Exists(SubscriptionBill.objects.filter(statement=OuterRef("pk"))),
        ~Exists(default_receivers().filter(customer=OuterRef("customer"))),
    )


def will_not(payer: object, day: date) -> str:
    """What an upcoming statement says before its date."""
    return (
        f"Will not be invoiced on {date_format(day)}: {payer} has no default invoice receiver. "
        "Add one under Payment methods on the customer's page, or withdraw the statement."
    )


def hold_back(due: Collection[int], now: datetime) -> set[int]:
    """Of statements whose date has come, put those on hold whose payer has no default invoice receiver: these."""
    lacking = InvoiceStatement.objects.filter(lacks_receiver(), pk__in=due).select_related("customer")
    held = set()
    for statement in lacking:
        day = date_format(statement.payment_date or timezone.localdate(now))
        InvoiceStatement.objects.filter(pk=statement.pk, status=StatementStatus.UPCOMING).update(
            held=True,
            attention=f"Not invoiced on {day}: {statement.customer} had no default invoice receiver. Add one under "
            "Payment methods on the customer's page, then activate the statement; or withdraw it.",
            attention_code=NO_RECEIVER,
        )
        held.add(statement.pk)
    return held


def why_not_removed(method: PaymentMethod, today: date) -> str:
    """In words why a payment method cannot be taken away now, or nothing."""
    if method.kind != PaymentMethodKind.INVOICE:
        return ""
    if method.is_default:
        paid = Subscription.objects.filter(payer=method.customer).exclude(ends_on__lte=today).count()
        if paid:
            return f"{paid} subscription{'' if paid == 1 else 's'} that {method.customer} pays would not be invoiced"
    under_way = InvoiceStatement.objects.filter(
        customer=method.customer, status__in=WAITS, subscription_bill__isnull=False
    ).count()
    if under_way:
        return f"{under_way} statement{' is' if under_way == 1 else 's are'} on the way to PowerOffice Go with it"
    return ""


def why_not_as(receiver_type: str, customer: Customer) -> str:
    """In words why a customer cannot be invoiced as this type, or nothing: PowerOffice Go knows a customer as one."""
    if receiver_type == ReceiverType.COMPANY and customer.is_person:
        return "The customer is a private person. Make the company a customer of its own and let it be the payer."
    if receiver_type == ReceiverType.PERSON and not customer.is_person:
        return "The customer is a company. Make the person a customer of its own and let it be the payer."
    return ""


def follow_delivery(customer: Customer) -> bool:
    """The delivery chosen for the default invoice receiver becomes the customer's. True: it was another one."""
    receiver = default_receivers().filter(customer=customer).exclude(delivery=InvoiceDelivery.DEFAULT).first()
    if receiver is None or receiver.delivery == customer.delivery:
        return False
    customer.delivery = receiver.delivery
    customer.save(update_fields=["delivery", "updated_at"])
    return True
