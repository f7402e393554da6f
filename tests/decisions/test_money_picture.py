"""The parts of an invoice: they always sum to it, whatever the ledger went through and in which order it was heard."""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.money_picture import (
    EntryFacts,
    InvoiceFacts,
    Names,
    money_picture,
    money_states,
    overdue_days,
)
from integration.enums import MoneyState as M
from integration.enums import Part as P

TODAY = date(2026, 3, 1)
CREDIT = "OutgoingCreditNote"


def entry(amount, kind="BankJournal", *, left=0, names=Names.NOBODY, loss=False):
    return EntryFacts(D(amount), kind, loss, D(left), names)


def other_invoice(amount=500):
    return entry(amount, "OutgoingInvoice")


@pytest.mark.parametrize(
    ("balance", "entries", "parts"),
    [
        (1000, [], {P.OPEN: 1000}),
        (0, [], {P.UNEXPLAINED: 1000}),
        (400, [entry(-600)], {P.PAID: 600, P.OPEN: 400}),
        (0, [entry(-1050, left=-50)], {P.PAID: 1000}),
        (0, [entry(-990), entry(-10, "ManualJournal", loss=True)], {P.PAID: 990, P.WRITTEN_OFF: 10}),
        (700, [entry(-300, CREDIT)], {P.CREDITED: 300, P.OPEN: 700}),
        (0, [entry(-1000, CREDIT, names=Names.THIS)], {P.CREDITED: 1000}),
        (0, [entry(-1000, CREDIT, names=Names.OUTSIDER)], {P.NETTED: 1000}),
        (0, [entry(-3000, CREDIT, left=-2000)], {P.NETTED: 1000}),
        (0, [entry(-1000, "ReversalVoucher")], {P.REVERSED: 1000}),
        # One payment for two invoices: all money is money.
        (0, [entry(-1500), other_invoice()], {P.PAID: 1000}),
        # Of two kinds in one match of two invoices nobody can say which went where.
        (0, [entry(-900), entry(-600, CREDIT), other_invoice()], {P.UNEXPLAINED: 1000}),
        # Unless each names its own.
        (0, [entry(-1000), entry(-500, CREDIT, names=Names.SIBLING), other_invoice()], {P.PAID: 1000}),
        (0, [entry(-1000, CREDIT, names=Names.THIS), entry(-500), other_invoice()], {P.CREDITED: 1000}),
        (0, [entry(-1535, names=Names.THIS), entry(35, "OutgoingPaymentReminder"), other_invoice()], {P.PAID: 1000}),
        # The ledger was read before the invoice, or after it.
        (400, [], {P.UNEXPLAINED: 600, P.OPEN: 400}),
        (400, [entry(-1000)], {P.PAID: 600, P.OPEN: 400}),
        (1100, [entry(-100)], {P.UNEXPLAINED: -100, P.OPEN: 1100}),
    ],
)
def test_parts(balance, entries, parts):
    picture = money_picture(InvoiceFacts(D(1000), D(balance)), entries)
    assert dict(picture.parts.shown) == parts


def test_parts_of_a_credit_note_are_negative():
    note = InvoiceFacts(D(-500), D(-100), is_credit_note=True)
    parts = money_picture(note, [other_invoice(300), entry(100, "OutgoingPayments")]).parts
    assert dict(parts.shown) == {P.NETTED: -300, P.PAID: -100, P.OPEN: -100}


@pytest.mark.parametrize(
    ("balance", "entries", "overpaid"),
    [
        (0, [entry(-1050, left=-50)], 50),
        (-50, [entry(-1050)], 50),
        (100, [entry(-900)], 0),
        (0, [entry(-1000), entry(-100, CREDIT, left=-100)], 0),
        (0, [entry(-1600, left=-100), other_invoice()], 0),  # of which of the two?
        (0, [entry(-1600, left=-100, names=Names.THIS), other_invoice()], 100),
    ],
)
def test_overpaid(balance, entries, overpaid):
    assert money_picture(InvoiceFacts(D(1000), D(balance)), entries).overpaid == overpaid


@pytest.mark.parametrize(
    ("balance", "entries", "states"),
    [
        (1000, [], (M.UNPAID, M.OVERDUE)),
        (400, [entry(-600)], (M.PARTLY_PAID, M.OVERDUE)),
        (400, [entry(-600, CREDIT)], (M.PARTLY_SETTLED, M.PARTLY_CREDITED, M.OVERDUE)),
        (0, [entry(-1000)], (M.PAID,)),
        (0, [entry(-1050, left=-50)], (M.PAID, M.OVERPAID)),
        (-50, [entry(-1050)], (M.PAID, M.OVERPAID)),
        (0, [entry(-1000, CREDIT)], (M.CREDITED,)),
        (0, [entry(-700), entry(-300, CREDIT)], (M.PAID, M.PARTLY_CREDITED)),
        (0, [entry(-1000, loss=True)], (M.WRITTEN_OFF,)),
        (0, [entry(-900), entry(-100, loss=True)], (M.PAID, M.PARTLY_WRITTEN_OFF)),
        (0, [entry(-1000, CREDIT, names=Names.OUTSIDER)], (M.NETTED,)),
        (0, [entry(-1000, "ReversalVoucher")], (M.REVERSED,)),
    ],
)
def test_states(balance, entries, states):
    invoice = InvoiceFacts(D(1000), D(balance), due_date=TODAY - timedelta(days=3))
    assert money_states(invoice, money_picture(invoice, entries), today=TODAY) == states


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        (["OutgoingPaymentReminder"], M.REMINDED),
        (["OutgoingPaymentReminder", "OutgoingNoticeOfDebtCollection"], M.REMINDED),
        (["OutgoingPaymentReminder", "OutgoingPaymentDemand"], M.IN_COLLECTION),
        (["OutgoingWarrantOfExecution"], M.IN_COLLECTION),
    ],
)
def test_reminded_and_in_collection_come_from_the_kinds_of_entries(kinds, state):
    invoice = InvoiceFacts(D(1000), D(1000))
    states = money_states(invoice, money_picture(invoice, []), today=TODAY, voucher_types=kinds)
    assert states == (M.UNPAID, state)


def test_a_paid_invoice_that_is_credited_is_credited_although_nothing_of_it_was_open():
    invoice = InvoiceFacts(D(1000), D(0))
    picture = money_picture(invoice, [entry(-1000)])
    assert money_states(invoice, picture, today=TODAY, credited_beside=D(1000)) == (M.PAID, M.CREDITED)
    assert money_states(invoice, picture, today=TODAY, credited_beside=D(999)) == (M.PAID, M.PARTLY_CREDITED)


@pytest.mark.parametrize(("late", "balance", "days"), [(3, 1, 3), (0, 1, 0), (-2, 1, 0), (3, 0, 0), (3, -5, 0)])
def test_overdue_days(late, balance, days):
    invoice = InvoiceFacts(D(1000), D(balance), due_date=TODAY - timedelta(days=late))
    assert overdue_days(invoice, TODAY) == days
    assert overdue_days(InvoiceFacts(D(1000), D(1)), TODAY) == 0


ore = st.integers(-10_000_00, 10_000_00).map(lambda value: D(value) / 100)
kinds = st.sampled_from(
    [
        "IncomingOcrGiro",
        "BankJournal",
        CREDIT,
        "OutgoingInvoice",
        "ReversalVoucher",
        "OutgoingPaymentReminder",
        "Unknown",
    ]
)
any_entry = st.builds(EntryFacts, ore, kinds, st.booleans(), ore, st.sampled_from(Names))
any_invoice = st.builds(InvoiceFacts, ore, ore, st.booleans(), st.booleans())


in_two_orders = st.lists(any_entry, max_size=6).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows)))


@given(any_invoice, in_two_orders)
def test_whatever_go_says_the_parts_sum_to_the_invoice_in_any_order(invoice, told):
    entries, otherwise = told
    picture = money_picture(invoice, entries)
    assert sum(amount for _, amount in picture.parts.amounts) == invoice.total_posted == picture.parts.total
    assert picture.parts[P.OPEN] == invoice.balance
    assert picture.overpaid >= 0 or invoice.balance > 0
    assert money_picture(invoice, otherwise) == picture


class Ledger:
    """One invoice in a ledger that remembers what offset what: the truth that Go does not tell."""

    def __init__(self, total):
        self.total = total
        self.open: dict[str, D] = {}
        self.entries: list[list[Any]] = []

    def offset(self, amount, kind, *, loss=False):
        """An entry that offsets the invoice as far as it goes."""
        self.entries.append([amount, min(amount, self.balance), kind, loss])

    @property
    def balance(self):
        return self.total - sum(row[1] for row in self.entries)

    def undo(self, index):
        if self.entries:
            del self.entries[index % len(self.entries)]

    def told(self):
        """As Go tells it: entries whose offset is nothing are not in the match."""
        return [
            EntryFacts(-amount, kind, loss, used - amount, Names.THIS)
            for amount, used, kind, loss in self.entries
            if used
        ]

    def truth(self):
        sums: dict[P, D] = {}
        for _, used, kind, loss in self.entries:
            part = P.WRITTEN_OFF if loss else {CREDIT: P.CREDITED, "ReversalVoucher": P.REVERSED}.get(kind, P.PAID)
            sums[part] = sums.get(part, D(0)) + used
        return {part: amount for part, amount in {**sums, P.OPEN: self.balance}.items() if amount}


event = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 200_00)),
    st.tuples(st.just("credit"), st.integers(1, 200_00)),
    st.tuples(st.just("lose"), st.integers(1, 50_00)),
    st.tuples(st.just("undo"), st.integers(0, 9)),
)


@given(st.integers(1, 300_00), st.lists(event, max_size=12))
def test_a_random_history_of_one_invoice_is_told_as_it_was(total, events):
    """At every step, and so too when only the end is heard: payments undone, credits and write-offs in any order."""
    ledger = Ledger(D(total) / 100)
    for kind, number in events:
        if kind == "undo":
            ledger.undo(number)
        else:
            voucher = CREDIT if kind == "credit" else "BankJournal"
            ledger.offset(D(number) / 100, voucher, loss=kind == "lose")
        picture = money_picture(InvoiceFacts(ledger.total, ledger.balance), ledger.told())
        assert dict(picture.parts.shown) == ledger.truth()
