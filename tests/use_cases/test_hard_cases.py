"""Sequences of events that would lose, double or mix up an invoice, each once."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from integration import remotes
from integration.decisions.sales_orders import sales_order_draft
from integration.enums import AttemptOutcome, Resource, ReviewAction, RunOutcome, VanishedDraftPolicy
from integration.enums import StatementStatus as S
from integration.errors import Unavailable
from integration.models import (
    CustomerInGo,
    GoCompany,
    InvoiceStatement,
    OutgoingInvoice,
    SyncAttempt,
    SyncCursor,
    SyncRun,
)
from integration.terms import RemoteInvoice
from integration.use_cases import link_statements, push_statements, run_cycle
from integration.use_cases.pull_statuses import refresh_statuses, store_invoices
from integration.use_cases.review_statements import carry_out
from integration.use_cases.settle_doubts import COMBINED_UNSEEN, OTHER_ORDER, close_stale_claims
from integration.use_cases.sync_customers import advance
from integration.use_cases.sync_products import read_products
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])

DROPPED = {"kind": "drop_after_commit", "method": "POST", "path": "/SalesOrders/Complete", "count": 1}


def claimed(world, statement) -> SyncAttempt:
    attempt = push_statements.claim(world.fresh(statement), now=world.clock(), run=None)
    assert attempt is not None
    return attempt


def lines_in_go(world) -> list[str]:
    rows = world.drafts() + world.books()["invoices"]
    return sorted(line["reference"] for row in rows for line in row["lines"] if line["reference"])


@pytest.mark.parametrize("duplicates", ["400", "drafts only", "off"])
def test_a_draft_combined_before_we_looked_is_not_sent_again(world, duplicates):
    world.sandbox.switch(duplicate_reference=duplicates, deleted_reference_freed=True)
    known = world.statement()
    world.turn()
    world.sandbox.faults(**DROPPED)
    lost = world.statement()
    world.turn()
    ids = [order["id"] for order in world.drafts()]
    world.sandbox.act(
        "combine",
        world.company,
        order_ids=[world.fresh(known).go_order_id, *[i for i in ids if i != world.fresh(known).go_order_id]],
        survivor="first",
        line_references="kept",
        header_references="kept",
    )
    world.until_quiet(4)
    now = world.fresh(lost)
    assert (now.status, now.attention_code) == (S.NEEDS_FIX, COMBINED_UNSEEN)
    assert lines_in_go(world) == sorted([f"{known.reference}/1", f"{lost.reference}/1"])


def combined_unseen(world):
    """A known draft, one whose answer was lost, and the id of the order that they have become; with our marks."""
    world.sandbox.switch(deleted_reference_freed=True)
    known = world.statement()
    world.turn()
    world.sandbox.faults(**DROPPED)
    lost = world.statement()
    world.turn()
    survivor = world.fresh(known).go_order_id
    others = [order["id"] for order in world.drafts() if order["id"] != survivor]
    world.sandbox.act("combine", world.company, order_ids=[survivor, *others], survivor="first", line_references="kept")
    world.until_quiet(4)
    return known, lost, survivor


def test_a_draft_combined_before_we_looked_is_not_sent_again_however_often_it_is_pushed(world):
    known, lost, _ = combined_unseen(world)
    kari = factories.person(role="Finance", companies=[world.company])
    for _ in range(2):
        rows = InvoiceStatement.objects.filter(pk=lost.pk)
        carry_out(ReviewAction.PUSH, rows, user=kari, now=world.clock(), reason="")
        world.until_quiet(4)
        assert (world.fresh(lost).status, world.fresh(lost).attention_code) == (S.NEEDS_FIX, COMBINED_UNSEEN)
    assert lines_in_go(world) == sorted([f"{known.reference}/1", f"{lost.reference}/1"])


def test_a_proof_that_loses_its_marks_is_no_mere_likeness(world):
    """Our mark stood there when a person saw it; that somebody took it away since is no reason to invoice twice."""
    _, lost, survivor = combined_unseen(world)
    (order,) = world.drafts()
    marked = next(line for line in order["lines"] if line["reference"] == f"{lost.reference}/1")
    world.sandbox.act("delete_line", world.company, order_id=survivor, line_id=marked["id"])
    said = {"product_code": world.product.code, "quantity": "2", "unit_price": "1000", "description": "Hytte"}
    world.sandbox.act("add_line", world.company, order_id=survivor, **said)
    kari = factories.person(role="Finance", companies=[world.company])
    rows = InvoiceStatement.objects.filter(pk=lost.pk)
    carry_out(ReviewAction.PUSH, rows, user=kari, now=world.clock(), reason="")
    world.until_quiet(4)
    assert (world.fresh(lost).status, world.fresh(lost).attention_code) == (S.NEEDS_FIX, COMBINED_UNSEEN)
    assert len(world.drafts()) == 1


def test_a_draft_combined_before_we_looked_is_linked_as_it_is_and_unlinked_again(world):
    known, lost, survivor = combined_unseen(world)
    kari = factories.person(role="Finance", companies=[world.company])
    rows = InvoiceStatement.objects.filter(company=world.company)
    (proposal,) = link_statements.proposals(rows)
    assert [row.pk for row in proposal.statements] == [lost.pk]
    assert [row.pk for row in proposal.already] == [known.pk]

    report = link_statements.accept(
        rows.filter(pk=lost.pk), proposal.go_id, user=kari, now=world.clock(), client_for=remotes.go_client
    )
    assert (report.done, report.held_back) == (1, ())
    world.turn()
    world.sandbox.act("send", world.company, order_ids=[survivor])
    world.until_quiet(3)
    linked = world.fresh(lost)
    assert (linked.status, linked.go_order_id, linked.combined_into) == (S.SENT, "", survivor)
    assert linked.outgoing_invoice == world.fresh(known).outgoing_invoice
    assert linked.outgoing_invoice.total == linked.total + world.fresh(known).total

    link_statements.unlink(linked, user=kari, now=world.clock(), reason="Another stay")
    world.turn()
    again = world.fresh(lost)
    assert (again.status, again.attention_code, again.outgoing_invoice) == (S.NEEDS_FIX, COMBINED_UNSEEN, None)
    assert lines_in_go(world) == sorted([f"{known.reference}/1", f"{lost.reference}/1"])
    invoice = world.fresh(known).outgoing_invoice
    link_statements.link_by_number(
        again,
        invoice.invoice_number,
        user=kari,
        now=world.clock(),
        reason="It is this one after all",
        client_for=remotes.go_client,
    )
    assert (world.fresh(lost).status, world.fresh(lost).outgoing_invoice) == (S.SENT, invoice)


NEVER_ARRIVED = {"kind": "drop_before_commit", "method": "POST", "path": "/SalesOrders/Complete", "count": 1}


def test_lines_of_another_draft_that_was_combined_do_not_keep_back_what_never_arrived(world):
    """The lines lost our mark, and say what the lost one says: but a draft that is known to be gone explains them."""
    first, second = world.statement(), world.statement()
    world.turn()
    ids = [world.fresh(row).go_order_id for row in (first, second)]
    world.sandbox.act("combine", world.company, order_ids=ids, survivor="first", line_references="lost")
    world.sandbox.faults(**NEVER_ARRIVED)
    lost = world.statement()
    world.turn()
    world.until_quiet(4)
    assert world.fresh(second).status == S.LINK_BROKEN
    assert world.fresh(lost).status == S.DRAFT
    assert len(world.drafts()) == 2


def beside_a_stranger(world, **of_it):
    """One that never arrived, while the accountant types an order for its customer with lines that say the same."""
    world.statement()
    world.turn()
    world.sandbox.faults(**NEVER_ARRIVED)
    lost = world.statement()
    world.turn()
    number = CustomerInGo.objects.get(go_customer_id=world.fresh(lost).customer.go_customer_id).number
    line = lost.lines.get()
    said = {"description": line.description or line.product.name, "quantity": "2", "unit_price": "1000", **of_it}
    world.sandbox.act("create_order", world.company, customer_no=number, product_code=world.product.code, **said)
    world.until_quiet(4)
    return lost


def test_lines_that_only_look_like_its_own_wait_for_a_person_who_knows(world):
    lost = beside_a_stranger(world)
    stuck = world.fresh(lost)
    assert (stuck.status, stuck.attention_code) == (S.NEEDS_FIX, COMBINED_UNSEEN)
    assert "has lines that say the same" in stuck.attention
    kari = factories.person(role="Finance", companies=[world.company])
    rows = InvoiceStatement.objects.filter(pk=lost.pk)
    carry_out(ReviewAction.PUSH, rows, user=kari, now=world.clock(), reason="")
    world.until_quiet(4)
    assert world.fresh(lost).status == S.DRAFT
    assert [order["reference"] for order in world.drafts()].count(lost.reference) == 1


@pytest.mark.parametrize("of_it", [{"quantity": "3"}, {"unit_price": "900"}, {"quantity": "-2"}])
def test_lines_that_differ_from_its_own_do_not_keep_back_what_was_never_seen(world, of_it):
    """A credit note of the customer, say, has the same products: no reason to take a lost sale for it."""
    lost = beside_a_stranger(world, **of_it)
    assert world.fresh(lost).status == S.DRAFT


@pytest.mark.parametrize("hours", [0, 1])
def test_orders_that_were_as_they_are_before_it_was_sent_are_not_opened(world, hours):
    world.statement()
    world.turn()
    number = CustomerInGo.objects.get(go_customer_id=world.fresh(world.made[0]).customer.go_customer_id).number
    world.sandbox.act("create_order", world.company, customer_no=number, product_code=world.product.code)
    world.clock.advance(3600 * hours)
    world.sandbox.faults(**NEVER_ARRIVED)
    lost = world.statement()
    world.turn()
    world.sandbox.forget_requests()
    world.until_quiet(4)
    assert world.fresh(lost).status == S.DRAFT
    opened = world.sandbox.requests()["by_route"].get("GET /SalesOrders/{id}/Complete", 0)
    assert opened == (0 if hours else 1)


@pytest.mark.parametrize("duplicates", ["400", "409", "drafts only", "off"])
def test_pushing_again_what_go_has_in_another_shape_looks_first(world, duplicates):
    world.sandbox.switch(duplicate_reference=duplicates)
    world.sandbox.faults(**DROPPED)
    statement = world.statement()
    world.turn()
    (order,) = world.drafts()
    world.sandbox.act("edit_line", world.company, order_id=order["id"], quantity="9")
    world.sandbox.act("send", world.company, order_ids=[order["id"]])
    world.until_quiet(3)
    assert (world.fresh(statement).status, world.fresh(statement).attention_code) == (S.NEEDS_FIX, OTHER_ORDER)
    rows = InvoiceStatement.objects.filter(pk=statement.pk)
    kari = factories.person(role="Finance", companies=[world.company])
    carry_out(ReviewAction.PUSH, rows, user=kari, now=world.clock())
    assert world.fresh(statement).status == S.IN_DOUBT
    world.until_quiet(3)
    assert (world.fresh(statement).status, world.fresh(statement).attention_code) == (S.NEEDS_FIX, OTHER_ORDER)
    assert world.in_go() == {statement.reference: 1}


@pytest.mark.parametrize("ending", ["later", "stuck", "doubt"])
def test_a_worker_that_lost_its_claim_moves_nothing(world, ending):
    statement = world.statement()
    mine = claimed(world, statement)
    world.clock.advance(70)
    close_stale_claims(world.clock())
    InvoiceStatement.objects.filter(pk=statement.pk).update(status=S.PROCESSING)
    theirs = claimed(world, statement)
    error = Unavailable("too late")
    now = world.clock()
    if ending == "later":
        push_statements._later(statement, mine, error, now)
    elif ending == "stuck":
        push_statements._stuck(statement, mine, AttemptOutcome.REFUSED, code="X", message="x", now=now)
    else:
        push_statements._doubt(statement, mine, error, now=now)
    assert world.fresh(statement).status == S.PUSHING
    theirs.refresh_from_db()
    assert theirs.ended_at is None


def test_an_answer_that_comes_after_all_is_the_truth(world, go):
    """The worker froze, was taken for dead, its statement for absent; then it woke up with Go's answer."""
    statement = world.statement()
    mine = claimed(world, statement)
    read_products(world.company, go, began=world.clock())
    row, products = world.as_read(statement)
    facts = push_statements.prepare(row, products, go, clock=world.clock, hold=lambda: None)
    made = go.create_order(sales_order_draft(facts))
    world.clock.advance(70)
    close_stale_claims(world.clock())
    InvoiceStatement.objects.filter(pk=statement.pk).update(status=S.PROCESSING)
    push_statements._record(row, mine, made, go.last_evidence, now=world.clock())
    assert (world.fresh(statement).status, world.fresh(statement).go_order_id) == (S.DRAFT, made.id)
    world.until_quiet(2)
    assert world.in_go() == {statement.reference: 1}


def test_a_vanished_draft_of_a_customer_known_only_by_email_is_searched(world):
    GoCompany.objects.filter(pk=world.company.pk).update(vanished_drafts=VanishedDraftPolicy.CANCELLED)
    statements = [world.statement(), world.statement()]
    world.turn()
    type(world.customer).objects.filter(pk=world.customer.pk).update(number=None)
    world.sandbox.act(
        "combine",
        world.company,
        order_ids=[world.fresh(row).go_order_id for row in statements],
        survivor="first",
        line_references="kept",
        header_references="lost",
    )
    world.until_quiet(3)
    assert {world.fresh(row).status for row in statements} == {S.DRAFT, S.LINK_BROKEN}


def test_many_vanished_drafts_cost_few_requests(world):
    statements = [world.statement() for _ in range(12)]
    world.turn()
    ids = [world.fresh(row).go_order_id for row in statements]
    world.sandbox.act("delete", world.company, order_ids=ids[:8])
    world.clock.advance(10)
    world.turn()
    world.clock.advance(10)
    before = world.sandbox.requests()["total"]
    world.turn()
    assert world.sandbox.requests()["total"] - before <= 10
    assert InvoiceStatement.objects.filter(status=S.LINK_BROKEN).count() == 8


def test_a_watermark_never_passes_the_start_of_the_reading(company):
    began = timezone.now()
    advance(company, Resource.INVOICES, [began - timedelta(hours=1), began + timedelta(minutes=5), None], began=began)
    assert SyncCursor.objects.get().watermark == began
    advance(company, Resource.INVOICES, [began - timedelta(hours=1)], began=began + timedelta(hours=1))
    assert SyncCursor.objects.get().watermark == began


def invoice(number: int, identity: str, *, is_reversed: bool = False) -> RemoteInvoice:
    none = dict.fromkeys(
        ("voucher_number", "invoice_date", "due_date", "balance_changed_at", "match_id", "sent_at", "order_number")
    )
    return RemoteInvoice(
        **none,
        id=identity,
        number=number,
        is_credit_note=False,
        kid="",
        currency="NOK",
        net=Decimal(100),
        total=Decimal(100),
        total_posted=Decimal(100),
        balance=Decimal(100),
        delivery="",
        related_invoice_number=None,
        reference="",
        customer_number=None,
        customer_id=None,
        is_reversed=is_reversed,
    )


def test_a_reversed_invoice_frees_its_number(company):
    assert store_invoices(company, [invoice(1, "a")]) == 0
    assert store_invoices(company, [invoice(1, "b"), invoice(1, "a", is_reversed=True)]) == 0
    assert OutgoingInvoice.objects.filter(invoice_number=1).count() == 2


def test_a_number_twice_does_not_stop_the_others(company, caplog):
    with caplog.at_level(logging.CRITICAL):
        assert store_invoices(company, [invoice(1, "a"), invoice(1, "b"), invoice(2, "c")]) == 1
    assert sorted(OutgoingInvoice.objects.values_list("go_invoice_id", flat=True)) == ["a", "c"]


def test_our_own_fault_ends_the_run_and_says_so(world, monkeypatch, caplog):
    world.statement()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run_cycle, "read_products", broken)
    with caplog.at_level(logging.CRITICAL):
        world.turn()
    run = SyncRun.objects.get()
    assert run.outcome == RunOutcome.FAILED
    assert run.message == "Fakturabro made a mistake (ZeroDivisionError). Support has the details in the log."
    assert SyncAttempt.objects.filter(ended_at__isnull=True).count() == 0


def test_a_draft_that_is_seen_again_loses_its_warning(world):
    statement = world.statement()
    world.turn()
    InvoiceStatement.objects.filter(pk=statement.pk).update(
        status=S.LINK_BROKEN, attention_code="VANISHED", attention="gone", missing_since=world.clock()
    )
    world.clock.advance(10)
    world.turn()
    now = world.fresh(statement)
    assert (now.status, now.attention, now.attention_code, now.missing_since) == (S.DRAFT, "", "", None)


def test_a_credit_of_another_invoice_in_the_same_match_is_not_ours(company):
    paid = factories.outgoing_invoice(
        company, total=Decimal(500), total_posted=Decimal(500), balance=Decimal(0), match_id=7
    )
    credited = factories.outgoing_invoice(
        company, total=Decimal(1000), total_posted=Decimal(1000), balance=Decimal(0), match_id=7
    )
    note = factories.outgoing_invoice(company, related_invoice_number=credited.invoice_number)
    for row, amount, kind in (
        (paid, 500, "OutgoingInvoice"),
        (credited, 1000, "OutgoingInvoice"),
        (note, -1000, "OutgoingCreditNote"),
    ):
        factories.ledger_entry(
            row,
            match_id=7,
            voucher_id=row.go_invoice_id,
            amount=Decimal(amount),
            voucher_type=kind,
        )
    ours, other = (
        factories.statement(company, status=S.SENT, outgoing_invoice=row, go_order_id=row.go_invoice_id)
        for row in (paid, credited)
    )
    refresh_statuses(company, [paid.go_invoice_id, credited.go_invoice_id], timezone.now())
    ours.refresh_from_db()
    other.refresh_from_db()
    assert (ours.status, other.status) == (S.PAID, S.CANCELLED)


def test_a_product_whose_create_is_in_doubt_is_not_made_twice(world):
    GoCompany.objects.filter(pk=world.company.pk).update(create_missing_products=True)
    world.sandbox.switch(replica_delay_seconds=2)
    new = factories.product(world.company, code="NY", sales_account=3000)
    statements = [world.statement(lines=[{"product": new, "quantity": 1, "unit_price": 100}]) for _ in range(2)]
    world.sandbox.faults("drop_after_commit", method="POST", path="/Products", count=1)
    world.turn()
    world.until_quiet(4)
    assert {world.fresh(row).status for row in statements} == {S.DRAFT}
    assert [row["code"] for row in world.books()["products"]].count("NY") == 1


def test_the_sweep_does_not_start_a_second_row_of_turns(world):
    for _ in range(3):
        world.statement()
    asked = iter([False, True])
    first = world.turn(stop_asked=lambda: next(asked))
    assert first.goes_on
    assert world.turn() == run_cycle.Turn()
    assert SyncRun.objects.count() == 1
    world.clock.advance(70)
    assert world.turn().run_id != first.run_id
    assert SyncRun.objects.get(pk=first.run_id).message == "Its worker did not come back; the next run goes on."


def test_the_same_order_by_a_long_statement_is_the_same_despite_rounding(world, go):
    world.sandbox.switch(vat_rounding="order")
    lines = [
        {"product": world.product, "quantity": 1, "unit_price": Decimal("10.04"), "vat_rate": Decimal("0.12")}
    ] * 60
    world.sandbox.faults(**DROPPED)
    statement = world.statement(lines=lines)
    world.turn()
    world.until_quiet(2)
    assert world.fresh(statement).status == S.DRAFT


def test_twice_in_go_is_said_and_stays_said_until_the_draft_is_gone(world, go):
    """A living draft and a sent invoice with the same reference: the warning outlives the look at the drafts."""
    world.sandbox.switch(duplicate_reference="off")
    statement = world.statement()
    world.turn()
    row, products = world.as_read(statement)
    facts = push_statements.prepare(row, products, go, clock=world.clock, hold=lambda: None)
    second = go.create_order(sales_order_draft(facts))
    world.sandbox.act("send", world.company, order_ids=[second.id])
    for _ in range(3):
        world.clock.advance(10)
        world.turn()
        now = world.fresh(statement)
        assert (now.status, now.attention_code, now.outgoing_invoice) == (S.DRAFT, "TWICE_IN_GO", None)
    world.sandbox.act("delete", world.company, order_ids=[now.go_order_id])
    world.until_quiet(3)
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (S.SENT, "")
    assert now.outgoing_invoice is not None
    assert now.outgoing_invoice.go_invoice_id == second.id
