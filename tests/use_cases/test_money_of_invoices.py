"""The whole money picture through the sandbox: whatever the accountant does, and however we hear of it."""

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.enums import MoneyState as M
from integration.enums import Part as P
from integration.enums import Resource
from integration.enums import StatementStatus as S
from integration.models import InvoiceStatement, LedgerEntry, OutgoingInvoice, SyncCursor
from integration.use_cases.money_of_invoices import beside, money_of, states_of
from integration.use_cases.pull_statuses import (
    FIRST_DAY,
    LAST_DAY,
    link_invoices,
    refresh_statuses,
    store_entries,
    store_invoices,
)

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


@pytest.fixture
def invoices(world):
    """Three invoices of 2 240,00 to one customer, sent."""
    statements = [world.statement() for _ in range(3)]
    world.turn()
    ids = [world.fresh(row).go_order_id for row in statements]
    world.sandbox.act("send", world.company, order_ids=ids)
    heard(world)
    return ids


def heard(world, seconds=10):
    world.clock.advance(seconds)
    world.turn()


def money(invoice_id):
    row = OutgoingInvoice.objects.get(go_invoice_id=invoice_id)
    return money_of(row.company, [row])[0]


def parts(invoice_id):
    return dict(money(invoice_id).picture.parts.shown)


def states(world, invoice_id):
    found = money(invoice_id)
    return states_of(found, beside(found), timezone.localdate(world.clock()))


def test_each_way_of_settling_is_told_apart(world, invoices):
    first, second, third = invoices
    act = world.sandbox.act
    act("pay", world.company, invoice_id=first, amount="1000")
    act("credit", world.company, invoice_id=first, amount="200")
    act("write_off", world.company, invoice_id=first, amount="40")
    (note,) = act("credit", world.company, invoice_id=second, matched=False)["invoice_ids"]
    act("net", world.company, invoice_id=third, credit_note_id=note)
    heard(world)
    assert parts(first) == {P.PAID: 1000, P.CREDITED: 200, P.WRITTEN_OFF: 40, P.OPEN: 1000}
    assert states(world, first) == (M.PARTLY_PAID, M.PARTLY_CREDITED, M.PARTLY_WRITTEN_OFF)
    assert parts(second) == {P.OPEN: 2240}
    assert parts(third) == {P.CREDITED: 2240}  # the credit note names none: it credits what it is matched with
    assert parts(note) == {P.NETTED: -2240}
    assert (
        InvoiceStatement.objects.get(go_order_id=first).go_says
        == f"Invoice {money(first).invoice.invoice_number}: 1\u202f000,00 of 2\u202f240,00\xa0NOK open"
    )


def test_a_credit_note_of_another_invoice_is_netting_and_counts_as_settled(world, invoices):
    first, second, _ = invoices
    act = world.sandbox.act
    act("pay", world.company, invoice_id=second)
    (note,) = act("credit", world.company, invoice_id=second)["invoice_ids"]
    act("net", world.company, invoice_id=first, credit_note_id=note)
    heard(world)
    assert parts(first) == {P.NETTED: 2240}
    assert states(world, first) == (M.NETTED,)
    assert InvoiceStatement.objects.get(go_order_id=first).status == S.PAID
    assert parts(second) == {P.PAID: 2240}


def test_r06_a_paid_invoice_that_is_credited_shows_what_belongs_to_the_customer(world, invoices):
    first = invoices[0]
    world.sandbox.act("pay", world.company, invoice_id=first)
    world.sandbox.act("credit", world.company, invoice_id=first)
    heard(world)
    assert states(world, first) == (M.PAID, M.CREDITED)
    assert beside(money(first)).credited == 2240


def test_one_payment_for_several_invoices_pays_each(world, invoices):
    world.sandbox.act("pay_together", world.company, invoice_ids=invoices[:2], amount="3000")
    heard(world)
    assert [parts(invoices[0]), parts(invoices[1])] == [{P.PAID: 2240}, {P.PAID: 760, P.OPEN: 1480}]
    world.sandbox.act("undo_payment", world.company, invoice_id=invoices[0])
    heard(world)
    assert [parts(row) for row in invoices] == [{P.OPEN: 2240}] * 3


def test_overpaid_and_a_payment_that_nobody_can_place(world, invoices):
    first, second, _ = invoices
    world.sandbox.act("overpay", world.company, invoice_id=first, by="50")
    heard(world)
    assert money(first).picture.overpaid == 50
    assert states(world, first) == (M.PAID, M.OVERPAID)
    assert beside(money(second)).unused == 50


def test_a_reversed_invoice_says_so(world, invoices):
    world.sandbox.act("pay", world.company, invoice_id=invoices[0], amount="240")
    world.sandbox.act("reverse", world.company, invoice_id=invoices[0])
    heard(world)
    assert parts(invoices[0]) == {P.REVERSED: 2240}
    assert states(world, invoices[0]) == (M.REVERSED,)


def test_reminders_are_noticed_although_no_balance_changed_and_count_for_nothing(world, invoices):
    first, second, _ = invoices
    world.sandbox.act("pay", world.company, invoice_id=second)
    heard(world)
    heard(world, timedelta(days=30).total_seconds())  # 14 days to pay, then 14 days: the first reminder
    assert states(world, first) == (M.UNPAID, M.REMINDED, M.OVERDUE)
    fee = beside(money(first)).fees[0]
    assert (fee.amount, fee.voucher_type) == (D(35), "OutgoingPaymentReminder")
    assert parts(first) == {P.OPEN: 2240}
    assert states(world, second) == (M.PAID,)
    heard(world, timedelta(days=30).total_seconds())
    assert states(world, first) == (M.UNPAID, M.IN_COLLECTION, M.OVERDUE)


def test_the_ledger_is_read_now_and_then_and_a_pull_still_costs_three_requests_at_most(world, invoices):
    def asked(seconds):
        world.clock.advance(seconds)
        world.sandbox.forget_requests()
        world.turn()
        routes = world.sandbox.requests()["by_route"]
        return [
            routes.get(f"GET /{name}", 0) for name in ("SalesOrders", "OutgoingInvoices", "Customerledger/Statement")
        ]

    assert asked(10) == [1, 1, 1]  # watermarks overlap: the newest invoice is heard again
    SyncCursor.objects.filter(resource=Resource.INVOICES).update(watermark=world.clock() + timedelta(days=1))
    assert asked(10) == [1, 1, 0]
    SyncCursor.objects.filter(resource=Resource.LEDGER).update(read_at=world.clock() - timedelta(hours=7))
    assert asked(10) == [1, 1, 1]
    assert asked(10) == [1, 1, 0]
    assert SyncCursor.objects.get(resource=Resource.LEDGER).read_at is not None


ACTS = (
    "pay",
    "pay_all",
    "overpay",
    "credit",
    "credit_open",
    "write_off",
    "undo",
    "net",
    "together",
    "remind",
    "reverse",
)


def something(world, invoices, dice):
    """One act of a restless accountant; what makes no sense is refused, and nothing is done."""
    one, other = dice.sample(invoices, 2)
    amount = str(dice.randint(1, 1500))
    name = dice.choice(ACTS)
    body = {
        "pay": {"invoice_id": one, "amount": amount},
        "pay_all": {"invoice_id": one},
        "overpay": {"invoice_id": one, "by": amount},
        "credit": {"invoice_id": one, "amount": amount},
        "credit_open": {"invoice_id": one, "amount": amount, "matched": False},
        "write_off": {"invoice_id": one},
        "undo": {"invoice_id": one, "mode": dice.choice(["unmatched", "reversed"])},
        "net": {"invoice_id": one},
        "together": {"invoice_ids": [one, other], "amount": amount},
        "remind": {"invoice_id": one},
        "reverse": {"invoice_id": one},
    }[name]
    if name == "net":
        notes = [row["id"] for row in world.books()["invoices"] if D(row["total"]) < 0]
        body["credit_note_id"] = dice.choice(notes or [other])
    real = {"pay_all": "pay", "credit_open": "credit", "undo": "undo_payment", "together": "pay_together"}
    with suppress(AssertionError):
        world.sandbox.act(real.get(name, name), world.company, **body)


def all_parts():
    rows = OutgoingInvoice.objects.order_by("invoice_number")
    return {row.invoice_number: money(row.go_invoice_id).picture for row in rows}


def all_statuses():
    return dict(InvoiceStatement.objects.values_list("go_order_id", "status"))


@pytest.mark.parametrize("seed", range(6))
def test_heard_piece_by_piece_at_once_or_in_any_order_it_is_the_same_picture(world, invoices, go, seed):
    """And the parts sum to each invoice all the time, and open is what Go says is open."""
    dice = random.Random(seed)
    for _ in range(10):
        something(world, invoices, dice)
        if dice.random() < 0.6:
            heard(world)
            for picture in all_parts().values():
                assert sum(amount for _, amount in picture.parts.amounts) == picture.parts.total
    heard(world)
    heard(world)
    step_by_step, statuses = all_parts(), all_statuses()
    in_go = {row["invoice_no"]: D(row["balance"]) for row in world.books()["invoices"]}
    assert {number: picture.parts[P.OPEN] for number, picture in step_by_step.items()} == in_go
    forget(statuses)
    tell_in_any_order(world, go, dice)
    assert (all_parts(), all_statuses()) == (step_by_step, statuses)


def forget(statuses):
    """As if we had heard of no payment yet."""
    InvoiceStatement.objects.update(outgoing_invoice=None, status=S.DRAFT, go_says="")
    LedgerEntry.objects.all().delete()
    OutgoingInvoice.objects.all().delete()
    assert set(all_statuses()) == set(statuses)


def tell_in_any_order(world, go: PowerOfficeClient, dice):
    """What Go has now, in portions, entries before invoices or after them; some portions twice."""
    invoices, entries = list(go.invoices()), list(go.ledger(from_date=FIRST_DAY, to_date=LAST_DAY))
    dice.shuffle(invoices)
    dice.shuffle(entries)
    portions: list[tuple[str, Any]] = [
        ("invoices", invoices[place : place + 2]) for place in range(0, len(invoices), 2)
    ]
    portions += [("entries", entries[place : place + 3]) for place in range(0, len(entries), 3)]
    portions += portions[:2]
    dice.shuffle(portions)
    for kind, rows in portions:
        if kind == "invoices":
            store_invoices(world.company, rows, read_at=world.clock())
            link_invoices(world.company, rows)
            touched = {row.id for row in rows}
        else:
            touched = store_entries(world.company, rows, read_at=world.clock())
        refresh_statuses(world.company, touched, world.clock())


def test_what_was_read_earlier_never_overwrites_what_was_read_later(world, invoices, go):
    """Two people press Update status; the slower answer is the older one."""
    began = world.clock()
    old_invoices, old_entries = list(go.invoices()), list(go.ledger(from_date=FIRST_DAY, to_date=LAST_DAY))
    world.sandbox.act("pay", world.company, invoice_id=invoices[0])
    heard(world)
    assert parts(invoices[0]) == {P.PAID: 2240}
    store_invoices(world.company, old_invoices, read_at=began)
    touched = store_entries(world.company, old_entries, read_at=began)
    refresh_statuses(world.company, touched | set(invoices), world.clock())
    assert parts(invoices[0]) == {P.PAID: 2240}
    assert InvoiceStatement.objects.get(go_order_id=invoices[0]).status == S.PAID
