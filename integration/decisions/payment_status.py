"""What an outgoing invoice in Go means for its statements. Source: reference/poweroffice-go.md §10.1."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from integration.decisions.money import amount_text
from integration.enums import StatementStatus

NOK = "NOK"


@dataclass(frozen=True)
class InvoiceFacts:
    """An invoice as Go has it, NOK. Amounts of credit notes are negative."""

    total_posted: Decimal
    balance: Decimal
    is_credit_note: bool = False
    is_reversed: bool = False


@dataclass(frozen=True)
class EntryFacts:
    """A ledger entry matched to the invoice, other than the invoice's own, NOK."""

    amount: Decimal
    voucher_type: str
    is_write_off: bool = False


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
    if invoice.is_reversed:
        return PaymentStatus(StatementStatus.CANCELLED, "Reversed in PowerOffice Go")
    if invoice.total_posted != 0 and invoice.balance == invoice.total_posted:
        return PaymentStatus(StatementStatus.SENT, "Sent, unpaid")
    if not invoice.is_credit_note and invoice.balance < 0 < invoice.total_posted:
        return PaymentStatus(StatementStatus.PAID, f"Overpaid by {amount_text(-invoice.balance, NOK)}")
    if invoice.balance != 0:
        return PaymentStatus(
            StatementStatus.PARTLY_PAID,
            f"{amount_text(invoice.balance)} of {amount_text(invoice.total_posted, NOK)} open",
        )
    credited = sum((entry.amount for entry in entries if entry.voucher_type == "OutgoingCreditNote"), Decimal(0))
    written_off = sum((entry.amount for entry in entries if entry.is_write_off), Decimal(0))
    if not invoice.is_credit_note:
        if credited and -credited >= invoice.total_posted:
            return PaymentStatus(StatementStatus.CANCELLED, "Credited in full in PowerOffice Go")
        if written_off and -written_off >= invoice.total_posted:
            return PaymentStatus(StatementStatus.WRITTEN_OFF, "Written off in PowerOffice Go")
    if written_off:
        return PaymentStatus(StatementStatus.PAID, f"Paid, {amount_text(-written_off, NOK)} of it written off")
    if credited and not invoice.is_credit_note:
        return PaymentStatus(StatementStatus.PAID, f"Paid, {amount_text(-credited, NOK)} of it credited")
    return PaymentStatus(StatementStatus.PAID, "Settled" if invoice.is_credit_note else "Paid")
