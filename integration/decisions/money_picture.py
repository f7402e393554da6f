"""What became of an invoice's money: parts that always sum to the invoice. Source: reference/poweroffice-go.md §10.1.

Go says of an invoice how much is open, and which ledger entries it is matched with; never how much of an entry went
to which invoice. So the settled amount (total less balance) is explained by the entries, those first that certainly
belong to this invoice, and what they do not explain is a part of its own. The picture depends only on what Go says
now, not on the order in which it was heard.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

from integration.enums import MoneyState, Part

ZERO: Final = Decimal("0.00")

INVOICE_VOUCHER: Final = "OutgoingInvoice"
CREDIT_NOTE_VOUCHER: Final = "OutgoingCreditNote"
REVERSALS: Final = frozenset({"ReversalVoucher", "CorrectionVoucher"})
REMINDERS: Final = frozenset({"OutgoingPaymentReminder", "OutgoingNoticeOfDebtCollection"})
COLLECTION: Final = frozenset({"OutgoingPaymentDemand", "OutgoingWarrantOfExecution"})
FEES: Final = REMINDERS | COLLECTION
"""Vouchers of their own on the customer: shown beside an invoice, never a part of it."""

CERTAIN_FIRST: Final = (Part.REVERSED, Part.CREDITED, Part.NETTED, Part.WRITTEN_OFF, Part.PAID)
"""Where entries that name an invoice are larger than what was settled, payments give way: they may be too large."""

ORDER: Final = (Part.PAID, Part.NETTED, Part.UNEXPLAINED, Part.CREDITED, Part.WRITTEN_OFF, Part.REVERSED, Part.OPEN)
"""As they are read."""


class Names(Enum):
    """Which invoice an entry names, by invoice number or KID."""

    THIS = "this"
    SIBLING = "another invoice of the same match"
    OUTSIDER = "an invoice outside the match"
    NOBODY = "none"


@dataclass(frozen=True)
class InvoiceFacts:
    """An invoice as Go has it, NOK. Amounts of credit notes are negative."""

    total_posted: Decimal
    balance: Decimal
    is_credit_note: bool = False
    is_reversed: bool = False
    due_date: date | None = None


@dataclass(frozen=True)
class EntryFacts:
    """A ledger entry matched to the invoice, other than the invoice's own, NOK. `balance` is what is left of it."""

    amount: Decimal
    voucher_type: str
    is_write_off: bool = False
    balance: Decimal = ZERO
    names: Names = Names.NOBODY


@dataclass(frozen=True)
class Parts:
    """What an amount in NOK consists of. The amounts always sum to `total`; those of a credit note are negative."""

    total: Decimal
    amounts: tuple[tuple[Part, Decimal], ...]

    def __getitem__(self, part: Part) -> Decimal:
        return dict(self.amounts).get(part, ZERO)

    @property
    def shown(self) -> tuple[tuple[Part, Decimal], ...]:
        """Those that are not nothing, in the order they are read."""
        return tuple((part, self[part]) for part in ORDER if self[part])


@dataclass(frozen=True)
class MoneyPicture:
    """The parts of an invoice. `overpaid` (not negative, NOK) is left of its payments and belongs to the customer."""

    parts: Parts
    overpaid: Decimal = ZERO


def make_parts(total: Decimal, amounts: dict[Part, Decimal]) -> Parts:
    """Parts of a total; what the amounts leave over is unexplained."""
    rest = total - sum(amounts.values(), ZERO)
    known = {**amounts, Part.UNEXPLAINED: amounts.get(Part.UNEXPLAINED, ZERO) + rest}
    return Parts(total, tuple((part, known[part]) for part in ORDER if known.get(part)))


def money_picture(invoice: InvoiceFacts, entries: Sequence[EntryFacts]) -> MoneyPicture:
    """The parts of an invoice and what was paid too much."""
    sign = -1 if invoice.total_posted < 0 else 1
    settled = sign * (invoice.total_posted - invoice.balance)
    offsets = [entry for entry in entries if sign * entry.amount < 0]
    shared = any(sign * entry.amount > 0 for entry in entries)
    own = [entry for entry in offsets if not shared or entry.names is Names.THIS]
    explained = _take(own, settled, invoice, shared=shared)
    pool = [entry for entry in offsets if shared and entry.names in {Names.NOBODY, Names.OUTSIDER}]
    rest = settled - sum(explained.values(), ZERO)
    kinds = {_part(entry, invoice, shared=shared) for entry in pool}
    if len(kinds) == 1 or sum((_used(entry) for entry in pool), ZERO) <= rest:
        for part, amount in _take(pool, rest, invoice, shared=shared).items():
            explained[part] = explained.get(part, ZERO) + amount
    amounts = {part: sign * amount for part, amount in explained.items()}
    parts = make_parts(invoice.total_posted, {**amounts, Part.OPEN: invoice.balance})
    return MoneyPicture(parts, ZERO if invoice.is_credit_note else _overpaid(invoice, own))


def _used(entry: EntryFacts) -> Decimal:
    """How much of an entry offsets others, never less than nothing."""
    return min(max(abs(entry.amount) - abs(entry.balance), ZERO), abs(entry.amount))


def _part(entry: EntryFacts, invoice: InvoiceFacts, *, shared: bool) -> Part:
    if entry.is_write_off:
        return Part.WRITTEN_OFF
    if entry.voucher_type in REVERSALS:
        return Part.REVERSED
    if entry.voucher_type == INVOICE_VOUCHER:
        return Part.NETTED
    if entry.voucher_type != CREDIT_NOTE_VOUCHER:
        return Part.PAID
    fits = entry.names is Names.NOBODY and not shared and abs(entry.amount) <= abs(invoice.total_posted)
    return Part.CREDITED if entry.names is Names.THIS or fits else Part.NETTED


def _take(entries: Iterable[EntryFacts], limit: Decimal, invoice: InvoiceFacts, *, shared: bool) -> dict[Part, Decimal]:
    """What these entries explain of an amount, and not more than it."""
    sums: dict[Part, Decimal] = {}
    for entry in entries:
        part = _part(entry, invoice, shared=shared)
        sums[part] = sums.get(part, ZERO) + _used(entry)
    taken: dict[Part, Decimal] = {}
    for part in CERTAIN_FIRST:
        amount = min(sums.get(part, ZERO), limit - sum(taken.values(), ZERO))
        if amount > 0:
            taken[part] = amount
    return taken


def _overpaid(invoice: InvoiceFacts, own: Iterable[EntryFacts]) -> Decimal:
    """What is left of this invoice's payments once it is settled, or more than its total was matched with it."""
    if invoice.balance > 0:
        return ZERO
    left = sum((-entry.balance for entry in own if _part(entry, invoice, shared=False) is Part.PAID), ZERO)
    return max(left, ZERO) - invoice.balance


def money_states(
    invoice: InvoiceFacts,
    picture: MoneyPicture,
    *,
    today: date,
    voucher_types: Iterable[str] = (),
    credited_beside: Decimal = ZERO,
) -> tuple[MoneyState, ...]:
    """What a bookkeeper says of an invoice; several may be true at once.

    `voucher_types` are those of the reminders sent for it; `credited_beside` (not negative) is what is still open of
    credit notes that name it.
    """
    parts, total, left = picture.parts, invoice.total_posted, abs(invoice.balance)
    states: list[MoneyState] = []
    if total and invoice.balance == total:
        states.append(MoneyState.UNPAID)
    elif left and not picture.overpaid:
        states.append(MoneyState.PARTLY_PAID if _money_came(parts) else MoneyState.PARTLY_SETTLED)
    elif _money_came(parts) or not total:
        states.append(MoneyState.PAID)
    if picture.overpaid:
        states.append(MoneyState.OVERPAID)
    credited = parts[Part.CREDITED] + credited_beside
    if credited:
        states.append(MoneyState.CREDITED if credited >= total else MoneyState.PARTLY_CREDITED)
    if written_off := parts[Part.WRITTEN_OFF]:
        states.append(MoneyState.WRITTEN_OFF if written_off == total else MoneyState.PARTLY_WRITTEN_OFF)
    if parts[Part.NETTED]:
        states.append(MoneyState.NETTED)
    if invoice.is_reversed or parts[Part.REVERSED]:
        states.append(MoneyState.REVERSED)
    sent = set(voucher_types)
    if sent & COLLECTION:
        states.append(MoneyState.IN_COLLECTION)
    elif sent & REMINDERS:
        states.append(MoneyState.REMINDED)
    if overdue_days(invoice, today):
        states.append(MoneyState.OVERDUE)
    return tuple(states)


def _money_came(parts: Parts) -> bool:
    return bool(parts[Part.PAID] or parts[Part.UNEXPLAINED])


def overdue_days(invoice: InvoiceFacts, today: date) -> int:
    """How many days money is late; 0 when it is not, or nothing is open."""
    if invoice.due_date is None or invoice.balance <= 0:
        return 0
    return max((today - invoice.due_date).days, 0)
