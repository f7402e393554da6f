"""What an outgoing invoice in Go means for its statements. Source: reference/poweroffice-go.md §10.1."""

from collections.abc import Sequence
from dataclasses import dataclass

from integration.decisions.money import amount_text
from integration.decisions.money_picture import EntryFacts, InvoiceFacts, MoneyPicture, money_picture
from integration.enums import Part, StatementStatus

NOK = "NOK"


@dataclass(frozen=True)
class PaymentStatus:
    """The status that follows and what Go says, in words."""

    status: StatementStatus
    says: str


def payment_status(invoice: InvoiceFacts, entries: Sequence[EntryFacts]) -> PaymentStatus:
    """Unpaid, partly paid, paid, written off, or credited in full (then the payment failed: a person decides).

    Balance alone cannot tell paid from credited or written off: the matched entries do. Without entries, a
    settled balance counts as paid.
    """
    return status_of(invoice, money_picture(invoice, entries))


def status_of(invoice: InvoiceFacts, picture: MoneyPicture) -> PaymentStatus:
    """The status that follows from a picture of an invoice, or of a statement's share of it."""
    total, parts = invoice.total_posted, picture.parts
    if invoice.is_reversed:
        return PaymentStatus(StatementStatus.CANCELLED, "Reversed in PowerOffice Go")
    if total != 0 and invoice.balance == total:
        return PaymentStatus(StatementStatus.SENT, "Sent, unpaid")
    if picture.overpaid:
        return PaymentStatus(StatementStatus.PAID, f"Overpaid by {amount_text(picture.overpaid, NOK)}")
    if invoice.balance != 0:
        return PaymentStatus(
            StatementStatus.PARTLY_PAID, f"{amount_text(invoice.balance)} of {amount_text(total, NOK)} open"
        )
    if invoice.is_credit_note:
        return PaymentStatus(StatementStatus.PAID, "Settled")
    credited, written_off = parts[Part.CREDITED], parts[Part.WRITTEN_OFF]
    if credited and credited == total:
        return PaymentStatus(StatementStatus.CANCELLED, "Credited in full in PowerOffice Go")
    if written_off and written_off == total:
        return PaymentStatus(StatementStatus.WRITTEN_OFF, "Written off in PowerOffice Go")
    if parts[Part.NETTED] and parts[Part.NETTED] == total:
        return PaymentStatus(StatementStatus.PAID, "Netted against a credit note")
    besides = ((written_off, "written off"), (credited, "credited"), (parts[Part.NETTED], "netted"))
    told = ", ".join(f"{amount_text(amount, NOK)} of it {word}" for amount, word in besides if amount)
    return PaymentStatus(StatementStatus.PAID, f"Paid, {told}" if told else "Paid")
