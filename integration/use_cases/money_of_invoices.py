"""What Go's ledger says of outgoing invoices, put together for the decisions: a few queries, however many invoices."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q

from integration.decisions.money_picture import (
    CREDIT_NOTE_VOUCHER,
    FEES,
    ZERO,
    EntryFacts,
    InvoiceFacts,
    MoneyPicture,
    Names,
    Parts,
    money_picture,
    money_states,
)
from integration.decisions.payment_status import PaymentStatus, status_of
from integration.decisions.sharing import Claim, Shares, share_parts
from integration.enums import InvoiceType, MoneyState, Part, SharingRule
from integration.models import GoCompany, InvoiceStatement, LedgerEntry, OutgoingInvoice


@dataclass(frozen=True)
class Money:
    """An invoice, the entries it is matched with (not its own), and what they come to."""

    invoice: OutgoingInvoice
    facts: InvoiceFacts
    matched: tuple[LedgerEntry, ...]
    picture: MoneyPicture


@dataclass(frozen=True)
class Beside:
    """What a customer's ledger says that is no part of an invoice. Amounts are not negative, NOK.

    `fees` are reminders sent while it was overdue; `credited` is what is still open of credit notes that name it;
    `unused` is left of the customer's payments and credits.
    """

    fees: tuple[LedgerEntry, ...]
    credited: Decimal
    unused: Decimal


def money_of(company: GoCompany, invoices: Sequence[OutgoingInvoice]) -> list[Money]:
    """The picture of each of these invoices of one company: two queries."""
    entries: dict[int, list[LedgerEntry]] = defaultdict(list)
    matches = [invoice.match_id for invoice in invoices if invoice.match_id is not None]
    for entry in LedgerEntry.objects.filter(company=company, match_id__in=matches).order_by("posting_date", "pk"):
        entries[entry.match_id or 0].append(entry)
    notes = [
        entry.voucher_id for group in entries.values() for entry in group if entry.voucher_type == CREDIT_NOTE_VOUCHER
    ]
    credited: dict[str, int | None] = (
        dict(
            OutgoingInvoice.objects.filter(company=company, go_invoice_id__in=notes).values_list(
                "go_invoice_id", "related_invoice_number"
            )
        )
        if notes
        else {}
    )
    found = []
    for invoice in invoices:
        group = entries[invoice.match_id] if invoice.match_id is not None else []
        matched = tuple(entry for entry in group if entry.voucher_id != invoice.go_invoice_id)
        facts = invoice_facts(invoice)
        found.append(Money(invoice, facts, matched, money_picture(facts, entry_facts(invoice, matched, credited))))
    return found


def invoice_facts(invoice: OutgoingInvoice) -> InvoiceFacts:
    """An invoice in the words of the decisions."""
    return InvoiceFacts(
        total_posted=invoice.total_posted,
        balance=invoice.balance,
        is_credit_note=invoice.type == InvoiceType.CREDIT_NOTE,
        is_reversed=invoice.is_reversed,
        due_date=invoice.due_date,
    )


def entry_facts(
    invoice: OutgoingInvoice, matched: Iterable[LedgerEntry], credited: dict[str, int | None]
) -> list[EntryFacts]:
    """The entries of a match as this invoice sees them. `credited`: credit note's id -> the number it credits."""
    entries = list(matched)
    mine = {str(invoice.invoice_number), str(invoice.related_invoice_number)} - {"None"}
    siblings = [entry for entry in entries if (entry.amount < 0) == (invoice.total_posted < 0)]
    numbers = {entry.invoice_number for entry in siblings} - {""}
    kids = {entry.kid for entry in siblings} - {""}

    def names(entry: LedgerEntry) -> Names:
        if entry.voucher_type == CREDIT_NOTE_VOUCHER:
            related = credited.get(entry.voucher_id)
            number, kid = ("" if related is None else str(related)), ""
        else:
            number, kid = entry.invoice_number, entry.kid
        if (number and number in mine) or (kid and kid == invoice.kid):
            return Names.THIS
        if (number and number in numbers) or (kid and kid in kids):
            return Names.SIBLING
        return Names.OUTSIDER if number or kid else Names.NOBODY

    return [
        EntryFacts(entry.amount, entry.voucher_type, entry.is_write_off, entry.balance, names(entry))
        for entry in entries
    ]


def beside(money: Money) -> Beside:
    """What the customer's ledger says beside an invoice: two queries. Go does not say which invoice a reminder was for,
    unless it names one: it belongs to what was overdue on its day."""
    invoice = money.invoice
    if invoice.go_customer_id is None or invoice.type == InvoiceType.CREDIT_NOTE:
        return Beside((), ZERO, ZERO)
    rows = list(
        LedgerEntry.objects.filter(
            Q(voucher_type__in=FEES) | Q(balance__lt=0),
            company_id=invoice.company_id,
            go_customer_id=invoice.go_customer_id,
        ).order_by("posting_date", "pk")
    )
    fees = tuple(row for row in rows if row.voucher_type in FEES and _reminds_of(row, money))
    notes = OutgoingInvoice.objects.filter(
        company_id=invoice.company_id,
        type=InvoiceType.CREDIT_NOTE,
        go_customer_id=invoice.go_customer_id,
        related_invoice_number=invoice.invoice_number,
        balance__lt=0,
    ).values_list("balance", flat=True)
    unused = sum((-row.balance for row in rows if row.balance < 0), ZERO)
    return Beside(fees, sum((-balance for balance in notes), ZERO), unused)


def _reminds_of(fee: LedgerEntry, money: Money) -> bool:
    invoice = money.invoice
    if fee.invoice_number or (fee.kid and fee.kid == invoice.kid):
        return fee.invoice_number == str(invoice.invoice_number) or fee.kid == invoice.kid != ""
    if fee.posting_date is None or invoice.due_date is None or fee.posting_date <= invoice.due_date:
        return False
    settled_on = max((row.posting_date for row in money.matched if row.posting_date), default=None)
    return invoice.balance > 0 or settled_on is None or settled_on >= fee.posting_date


def states_of(money: Money, around: Beside, today: date) -> tuple[MoneyState, ...]:
    """What a bookkeeper says of an invoice today."""
    return money_states(
        money.facts,
        money.picture,
        today=today,
        voucher_types=[fee.voucher_type for fee in around.fees],
        credited_beside=around.credited,
    )


def shares_of(company: GoCompany, money: Money, statements: Sequence[InvoiceStatement]) -> Shares | None:
    """What each statement has of a combined invoice; None when the invoice is a single statement's own."""
    if len(statements) < 2 and not any(statement.combined_into for statement in statements):
        return None
    claims = [
        Claim(
            statement.pk,
            statement.total,
            statement.statement_date
            + timedelta(days=company.payment_days if statement.payment_days is None else statement.payment_days),
        )
        for statement in statements
    ]
    return share_parts(money.picture.parts, money.invoice.total, claims, SharingRule(company.sharing))


@dataclass(frozen=True)
class Share:
    """What one statement has of its invoice, in NOK: all of it, or its share of a combined one."""

    parts: Parts
    combined: bool


def share_of_each(statements: Iterable[InvoiceStatement]) -> dict[int, Share]:
    """By statement, for those that have an invoice: three queries for each company, however many statements."""
    wanted: dict[GoCompany, dict[int, OutgoingInvoice]] = defaultdict(dict)
    for statement in statements:
        if statement.outgoing_invoice is not None:
            wanted[statement.company][statement.outgoing_invoice.pk] = statement.outgoing_invoice
    found: dict[int, Share] = {}
    for company, invoices in wanted.items():
        families: dict[int, list[InvoiceStatement]] = defaultdict(list)
        for member in InvoiceStatement.objects.filter(outgoing_invoice__in=list(invoices)).order_by("pk"):
            families[member.outgoing_invoice_id or 0].append(member)
        for money in money_of(company, list(invoices.values())):
            family = families[money.invoice.pk]
            shares = shares_of(company, money, family)
            for member in family:
                parts = money.picture.parts if shares is None else shares.by_key[member.pk]
                found[member.pk] = Share(parts, combined=shares is not None)
    return found


def share_status(money: Money, shares: Shares, statement_id: int) -> PaymentStatus:
    """The status that follows from a statement's share of a combined invoice."""
    parts = shares.by_key[statement_id]
    facts = InvoiceFacts(
        total_posted=parts.total,
        balance=parts[Part.OPEN],
        is_credit_note=parts.total < 0,
        is_reversed=money.facts.is_reversed,
        due_date=money.facts.due_date,
    )
    return status_of(facts, MoneyPicture(parts))
