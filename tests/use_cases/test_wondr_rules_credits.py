"""Credits as reference/wondr.md has them (R1 to R6), played with the accountant in the sandbox."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from integration.decisions.credits import CreditRefused
from integration.enums import StatementKind
from integration.enums import StatementStatus as S
from integration.models import AdminAction, InvoiceStatement, StatementLine
from integration.use_cases.credit_statement import (
    NOT_NOW,
    credit_statement,
    creditable,
    why_no_credit,
)
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])

D = Decimal


@pytest.fixture
def draft(world):
    """Two lines: 2 x 1000 kroner and 3 x 100 kroner, 12 % VAT: 2 576 kroner in all."""
    line = {"product": world.product, "vat_rate": D("0.12")}
    statement = world.statement(
        lines=[{**line, "quantity": 2, "unit_price": 1000}, {**line, "quantity": 3, "unit_price": 100}]
    )
    world.turn()
    return world.fresh(statement)


@pytest.fixture
def sent(world, draft):
    return send(world, draft)


def pull(world):
    world.clock.advance(10)
    world.turn()


def send(world, statement):
    world.sandbox.act("send", company=world.company, order_ids=[statement.go_order_id])
    pull(world)
    return world.fresh(statement)


def credit(world, statement, wanted=None, reason="Cancelled the trip", **kwargs: Any):
    return credit_statement(
        statement.pk,
        wanted,
        user=kwargs.pop("user", None) or factories.person(role="Finance", companies=[world.company]),
        reason=reason,
        now=world.clock(),
        today=timezone.localdate(world.clock()),
    )


def in_go(world, note):
    return next(order for order in world.books()["orders"] if order["id"] == world.fresh(note).go_order_id)


def test_r01_credited_from_here_by_a_credit_note_that_names_the_invoice(world, sent):
    note = credit(world, sent)
    assert (note.kind, note.status, note.source_id) == (
        StatementKind.CREDIT_NOTE,
        S.PROCESSING,
        f"{sent.source_id}-K1",
    )
    assert (note.total, note.credits, note.customer) == (-sent.total, sent, sent.customer)
    pull(world)
    note = world.fresh(note)
    assert note.status == S.DRAFT
    order = in_go(world, note)
    assert order["header"]["RelatedInvoiceNo"] == sent.outgoing_invoice.invoice_number
    assert (order["total"], order["reference"]) == ("-2576.00", note.reference)
    told = AdminAction.objects.get(action="credit")
    assert (told.statement, told.reason) == (sent, "Cancelled the trip")


def test_r02_without_an_invoice_number_and_a_voucher_it_is_refused_with_what_to_do(world, sent):
    for missing in ("invoice_number", "voucher_number"):
        invoice = world.fresh(sent).outgoing_invoice
        setattr(invoice, missing, None)
        invoice.save()
        with pytest.raises(CreditRefused, match="Press Update status, and check that it is recorded there"):
            credit(world, sent)
        setattr(invoice, missing, 10099)
        invoice.save()
    assert InvoiceStatement.objects.count() == 1


def test_r03_after_the_check_the_same_day_it_goes_through(world, draft):
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    assert why_no_credit(draft) == NOT_NOW[S.DRAFT]
    pull(world)
    sent = world.fresh(draft)
    assert why_no_credit(sent) == ""
    note = send_note(world, credit(world, sent))
    assert note.outgoing_invoice.related_invoice_number == sent.outgoing_invoice.invoice_number
    assert world.fresh(sent).status == S.CREDITED


def test_r04_while_it_is_a_draft_it_is_refused_with_what_to_do(world, draft):
    pull(world)
    with pytest.raises(CreditRefused, match="delete the draft there, or wait until it is sent"):
        credit(world, world.fresh(draft))
    assert AdminAction.objects.count() == 0


def test_r05_on_a_later_day_the_number_that_a_pull_brings_is_enough(world, draft):
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    world.clock.advance(timedelta(days=2).total_seconds())
    world.turn()
    assert why_no_credit(world.fresh(draft)) == ""


def send_note(world, note):
    pull(world)
    return send(world, world.fresh(note))


@pytest.mark.parametrize(
    ("paid", "owed"), [(None, None), ("1000.00", "-1000.00"), ("2576.00", "-2576.00")], ids=["unpaid", "part", "paid"]
)
def test_r06_paid_or_not_it_is_credited_and_the_surplus_is_owed(world, sent, paid, owed):
    if paid:
        world.sandbox.act("pay", company=world.company, invoice_id=sent.go_order_id, amount=paid)
        pull(world)
    note = send_note(world, credit(world, world.fresh(sent)))
    pull(world)
    assert world.fresh(sent).status == S.CREDITED
    balance = world.fresh(note).outgoing_invoice.balance
    assert (balance == 0) if owed is None else (balance == D(owed))


def test_a_full_credit_of_ours_is_never_shown_as_a_failed_payment(world, sent):
    send_note(world, credit(world, sent))
    for _ in range(3):
        pull(world)
    statuses = set(sent.moves.values_list("to_status", flat=True))
    assert S.CANCELLED not in statuses
    assert world.fresh(sent).status == S.CREDITED


def test_parts_add_up_and_never_exceed(world, sent):
    first = credit(world, sent, {1: D(1), 2: D(1)})
    assert first.total == D("-1232.00")
    with pytest.raises(CreditRefused, match="Line 1: at most 1 can"):
        credit(world, sent, {1: D("1.5")})
    second = credit(world, sent, {1: D(1)})
    rest = credit(world, sent)
    assert [rest.source_id[-3:], rest.total] == ["-K3", D("-224.00")]
    assert first.total + second.total + rest.total == -sent.total
    with pytest.raises(CreditRefused, match="Nothing is to be credited"):
        credit(world, sent)
    with pytest.raises(CreditRefused, match="Line 2 is credited already"):
        credit(world, sent, {2: D(1)})
    for note in (first, second):
        send_note(world, note)
        assert world.fresh(sent).status == S.PARTLY_PAID
    send_note(world, rest)
    assert world.fresh(sent).status == S.CREDITED


def test_a_withdrawn_credit_note_takes_nothing_back(world, sent):
    note = credit(world, sent)
    InvoiceStatement.objects.filter(pk=note.pk).update(status=S.VOID)
    assert creditable(sent).left_total == sent.total
    assert credit(world, sent).source_id == f"{sent.source_id}-K2"


def test_a_credit_note_made_in_go_is_noticed_and_counts(world, sent):
    world.sandbox.act("credit", company=world.company, invoice_id=sent.go_order_id, amount="2000.00")
    pull(world)
    left = creditable(world.fresh(sent))
    assert [note.total for note in left.made_in_go] == [D("-2000.00")]
    assert left.left_total == D("576.00")
    with pytest.raises(CreditRefused, match="only 576,00\xa0NOK of the invoice is not credited yet"):
        credit(world, sent, {1: D(2)})
    assert credit(world, sent, {2: D(3)}).total == D("-336.00")
    pull(world)
    assert world.fresh(sent).status == S.PARTLY_PAID


def test_credited_in_full_in_go_by_a_person_stays_a_failed_payment(world, sent):
    """R8: we did not order it, so a person decides."""
    world.sandbox.act("credit", company=world.company, invoice_id=sent.go_order_id)
    pull(world)
    assert world.fresh(sent).status == S.CANCELLED
    assert why_no_credit(world.fresh(sent)).startswith("It was cancelled in PowerOffice Go")


def test_a_credit_note_that_was_made_larger_by_hand_is_not_pushed(world, sent):
    note = credit(world, sent, {1: D(1)})
    line = StatementLine.objects.get(statement=note)
    line.quantity = D(-5)
    line.save()
    note.recount()
    note.save()
    before = len(world.books()["orders"])
    pull(world)
    note = world.fresh(note)
    assert note.status == S.NEEDS_FIX
    assert "only 2\u202f576,00 of that is not credited yet" in note.attention
    assert len(world.books()["orders"]) == before


def test_a_credit_note_for_what_is_not_invoiced_waits_for_a_person(world, draft):
    line = {"product": world.product, "vat_rate": D("0.12"), "quantity": -1, "unit_price": 1000}
    note = world.statement(kind=StatementKind.CREDIT_NOTE, credits=draft, lines=[line])
    pull(world)
    assert world.fresh(note).status == S.NEEDS_FIX
    assert "has no invoice number in PowerOffice Go yet" in world.fresh(note).attention


@pytest.mark.parametrize("status", sorted(NOT_NOW))
def test_every_other_state_says_what_to_do_instead(world, status):
    statement = world.statement(status=status, go_order_id=f"order-of-{status}")
    assert why_no_credit(statement) == NOT_NOW[status]
    with pytest.raises(CreditRefused):
        credit(world, statement)


def test_a_credit_note_is_not_credited(world, sent):
    note = send_note(world, credit(world, sent))
    assert why_no_credit(note) == "A credit note cannot be credited: make a new invoice."


def test_a_reason_is_needed(world, sent):
    with pytest.raises(CreditRefused, match="Say why"):
        credit(world, sent, reason="  ")


def test_nothing_is_half_made(world, sent, monkeypatch):
    """The power goes in the middle: neither note nor log entry."""

    def dark(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AdminAction.objects, "create", dark)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        credit(world, sent)
    assert InvoiceStatement.objects.count() == 1
    assert StatementLine.objects.filter(credits_line__isnull=False).count() == 0
