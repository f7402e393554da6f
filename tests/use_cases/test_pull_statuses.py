"""Pull: what became of our orders, and at most three requests however many are open."""

import logging
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from integration.enums import AttemptOutcome, Operation, VanishedDraftPolicy
from integration.enums import StatementStatus as S
from integration.models import (
    Customer,
    CustomerInGo,
    GoCompany,
    InvoiceStatement,
    LedgerEntry,
    OutgoingInvoice,
    StatementMove,
    SyncAttempt,
    SyncCursor,
)
from integration.models.go_company import PROBE_EVERY
from integration.use_cases import find_traces, pull_statuses
from tests.use_cases.conftest import PowerCut, power_cut_at_write

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


@pytest.fixture
def draft(world):
    statement = world.statement()
    world.turn()
    return world.fresh(statement)


def pull(world):
    world.clock.advance(10)
    world.turn()


def sent(world, draft):
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    return world.fresh(draft)


def test_sent_brings_number_due_date_and_link(world, draft):
    now = sent(world, draft)
    (invoice,) = world.books()["invoices"]
    assert now.status == S.SENT
    assert now.outgoing_invoice.invoice_number == invoice["invoice_no"]
    assert now.outgoing_invoice.go_invoice_id == draft.go_order_id
    assert now.outgoing_invoice.total == Decimal("2240.00")
    assert now.outgoing_invoice.due_date is not None
    assert str(invoice["invoice_no"]) in now.search


def test_payments_move_the_status_in_both_directions(world, draft):
    sent(world, draft)
    act = world.sandbox.act
    act("pay", company=world.company, invoice_id=draft.go_order_id, amount="1000.00")
    pull(world)
    assert world.fresh(draft).status == S.PARTLY_PAID
    act("pay", company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    assert world.fresh(draft).status == S.PAID
    assert world.fresh(draft).outgoing_invoice.balance == 0
    act("undo_payment", company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    assert world.fresh(draft).status == S.PARTLY_PAID
    act("undo_payment", company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    assert world.fresh(draft).status == S.SENT


@pytest.mark.parametrize(
    ("act", "status"), [("credit", S.CANCELLED), ("write_off", S.WRITTEN_OFF), ("reverse", S.CANCELLED)]
)
def test_settled_without_money_is_not_paid(world, draft, act, status):
    sent(world, draft)
    world.sandbox.act(act, company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    pull(world)
    assert world.fresh(draft).status == status


def test_overpaid_is_paid(world, draft):
    sent(world, draft)
    world.sandbox.act("overpay", company=world.company, invoice_id=draft.go_order_id, by="50.00")
    pull(world)
    assert world.fresh(draft).status == S.PAID


def test_applying_twice_changes_nothing(world, draft):
    sent(world, draft)
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id)
    pull(world)

    def all_we_know():
        rows: list[dict[str, Any]] = []
        for model in (InvoiceStatement, OutgoingInvoice, LedgerEntry):
            rows += [{**row, "updated_at": None, "read_at": None} for row in model.objects.order_by("pk").values()]
        return rows, StatementMove.objects.count(), list(SyncCursor.objects.values_list("resource", "watermark"))

    once = all_we_know()
    pull(world)
    assert all_we_know() == once


def test_a_pull_costs_at_most_three_requests_however_many_are_open(world):
    for _ in range(30):
        world.statement()
    world.turn()
    drafts = InvoiceStatement.objects.filter(company=world.company)
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id for draft in drafts[:20]])
    world.clock.advance(10)
    before = world.sandbox.requests()["total"]
    world.turn()
    assert world.sandbox.requests()["total"] - before <= 3
    assert InvoiceStatement.objects.filter(status=S.SENT).count() == 20


def test_locked_and_unlocked_in_go_is_followed(world, draft):
    world.sandbox.act("confirm", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    assert world.fresh(draft).status == S.CONFIRMED
    world.sandbox.act("unlock", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    assert world.fresh(draft).status == S.DRAFT


def test_an_edited_draft_says_what_was_sent_and_what_is_there(world, draft):
    world.sandbox.act("edit_line", company=world.company, order_id=draft.go_order_id, quantity="3")
    pull(world)
    now = world.fresh(draft)
    assert (now.status, now.attention_code) == (S.DRAFT, "EDITED_IN_GO")
    assert "3\u202f360,00\xa0NOK; we sent 1 line and 2\u202f240,00" in now.attention
    world.sandbox.act("edit_line", company=world.company, order_id=draft.go_order_id, quantity="2")
    pull(world)
    assert world.fresh(draft).attention == ""


def test_an_edited_draft_that_is_sent_says_that_the_invoice_has_another_total(world, draft):
    world.sandbox.act("edit_line", company=world.company, order_id=draft.go_order_id, quantity="3")
    now = sent(world, draft)
    assert (now.status, now.attention_code) == (S.SENT, "INVOICE_TOTAL_DIFFERS")
    assert "The invoice total is 3\u202f360,00\xa0NOK; the draft we made had 2\u202f240,00." in now.attention


@pytest.mark.parametrize(
    ("policy", "status"),
    [(VanishedDraftPolicy.ASK, S.LINK_BROKEN), (VanishedDraftPolicy.CANCELLED, S.CANCELLED)],
)
def test_a_deleted_draft_waits_for_a_person_or_the_companys_rule(world, draft, policy, status):
    GoCompany.objects.filter(pk=world.company.pk).update(vanished_drafts=policy)
    world.sandbox.act("delete", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    pull(world)
    now = world.fresh(draft)
    assert (now.status, now.attention_code) == (status, "VANISHED")
    world.until_quiet(3)
    assert world.fresh(draft).status == status
    assert world.in_go() == {}


@pytest.mark.parametrize("survivor", ["first", "new"])
def test_combined_drafts_are_proposed_with_their_lines_as_evidence(world, survivor):
    statements = [world.statement() for _ in range(3)]
    world.turn()
    ids = [world.fresh(statement).go_order_id for statement in statements]
    world.sandbox.act(
        "combine",
        company=world.company,
        order_ids=ids,
        survivor=survivor,
        line_references="kept",
        header_references="lost",
    )
    pull(world)
    pull(world)
    (living,) = world.drafts()
    absorbed = [world.fresh(s) for s in statements if world.fresh(s).go_order_id != living["id"]]
    assert len(absorbed) == (2 if survivor == "first" else 3)
    for statement in absorbed:
        assert (statement.status, statement.attention_code) == (S.LINK_BROKEN, "COMBINED")
        assert statement.proposal["id"] == living["id"]
        assert statement.proposal["lines"] == [f"{statement.reference}/1"]


def test_a_statement_set_by_hand_does_not_follow(world, draft):
    sent(world, draft)
    InvoiceStatement.objects.filter(pk=draft.pk).update(follows_go=False)
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    now = world.fresh(draft)
    assert now.status == S.SENT
    assert now.go_says.endswith("Paid")


def test_a_draft_is_not_missed_because_the_replica_lags(world):
    world.sandbox.switch(replica_delay_seconds=2)
    statement = world.statement()
    world.turn()
    assert world.fresh(statement).missing_since is None
    pull(world)
    now = world.fresh(statement)
    assert (now.status, now.missing_since) == (S.DRAFT, None)


def test_payments_stamped_late_are_not_missed(world, draft):
    """A payment whose stamp lies before what we have seen already is still found: watermarks overlap."""
    sent(world, draft)
    other = world.statement()
    world.turn()
    world.sandbox.act("set_clock", offset_seconds=int(world.clock.offset.total_seconds()) - 60)
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id)
    world.turn()
    assert world.fresh(draft).status == S.PAID
    assert world.fresh(other).status == S.DRAFT


def pulls() -> list[tuple[str, str]]:
    rows = SyncAttempt.objects.filter(operation=Operation.PULL).order_by("pk")
    return list(rows.values_list("outcome", "error_code"))


def test_a_pull_that_go_does_not_answer_is_told_and_made_up_for(world, draft):
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    world.sandbox.faults("error_500_before_commit", method="GET", path="/OutgoingInvoices", count=3)
    pull(world)
    assert pulls()[-1] == (AttemptOutcome.LATER, "UNAVAILABLE")
    assert world.fresh(draft).status == S.DRAFT
    world.clock.advance(PROBE_EVERY.total_seconds())  # Go is left alone until then
    pull(world)
    assert world.fresh(draft).status == S.SENT


def test_our_own_fault_in_a_pull_moves_no_watermark(world, draft, monkeypatch, caplog):
    """What was read is read again: the watermark and what it covers are one."""
    sent(world, draft)
    before = list(SyncCursor.objects.values_list("resource", "watermark"))
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as once, caplog.at_level(logging.CRITICAL):
        once.setattr(pull_statuses, "refresh_statuses", broken)
        pull(world)
    assert pulls()[-1] == (AttemptOutcome.INTERNAL, "INTERNAL")
    assert list(SyncCursor.objects.values_list("resource", "watermark")) == before
    assert OutgoingInvoice.objects.get().balance == Decimal("2240.00")
    pull(world)
    assert world.fresh(draft).status == S.PAID


def test_power_cut_at_every_write_of_a_pull(world):
    """Whatever was written when the power went, the next cycle knows of the payment."""
    for number in range(1, 100):
        statement = world.statement()
        world.turn()
        world.sandbox.act("send", company=world.company, order_ids=[world.fresh(statement).go_order_id])
        world.sandbox.act("pay", company=world.company, invoice_id=world.fresh(statement).go_order_id)
        world.clock.advance(10)
        with power_cut_at_write(number) as dark, suppress(PowerCut):
            world.turn()
        world.clock.advance(600)  # beyond every lease and every overlap
        world.turn()
        assert world.fresh(statement).status == S.PAID, f"write {number}"
        if not dark():
            break
    assert number > 8


def test_an_end_state_stays_and_what_go_says_is_shown_beside_it(world, draft):
    sent(world, draft)
    InvoiceStatement.objects.filter(pk=draft.pk).update(status=S.CREDITED)
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    now = world.fresh(draft)
    assert (now.status, now.go_says) == (S.CREDITED, f"Invoice {now.outgoing_invoice.invoice_number}: Paid")


def test_a_draft_that_go_made_anew_under_our_reference_is_followed(world, draft):
    world.sandbox.act("delete", company=world.company, order_ids=[draft.go_order_id])
    world.sandbox.switch(deleted_reference_freed=True)
    world.sandbox.act("create_order", company=world.company, customer_no=10000, product_code="KURS", quantity=1)
    (anew,) = world.drafts()
    world.sandbox.act(
        "edit_header", company=world.company, order_id=anew["id"], ExternalImportReference=draft.reference
    )
    pull(world)
    pull(world)
    now = world.fresh(draft)
    assert (now.status, now.go_order_id, now.go_order_number) == (S.DRAFT, anew["id"], anew["number"])
    assert now.attention.startswith(f"PowerOffice Go keeps this draft under a new number, {anew['number']}, with total")
    world.sandbox.act("send", company=world.company, order_ids=[anew["id"]])
    pull(world)
    assert world.fresh(draft).status == S.SENT


@pytest.mark.parametrize("why", ["customer unknown in Go", "too many to open"])
def test_a_search_cut_short_never_cancels(world, draft, monkeypatch, why):
    """The company's rule is for drafts that are nowhere; of this one nobody can say so."""
    GoCompany.objects.filter(pk=world.company.pk).update(vanished_drafts=VanishedDraftPolicy.CANCELLED)
    if why == "customer unknown in Go":
        Customer.objects.filter(pk=draft.customer_id).update(go_customer_id=None)
    else:
        monkeypatch.setattr(find_traces, "MOST_OPENED", 0)
        number = CustomerInGo.objects.get(go_customer_id=draft.customer.go_customer_id).number
        world.sandbox.act("create_order", company=world.company, customer_no=number, product_code="KURS", quantity=1)
    world.sandbox.act("delete", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    pull(world)
    now = world.fresh(draft)
    assert (now.status, now.attention_code) == (S.LINK_BROKEN, "VANISHED")
    assert "could not all be searched for its lines" in now.attention


def test_lines_of_a_vanished_draft_are_found_in_an_invoice_and_not_in_others(world):
    """One invoice is ours as we made it and is not opened; one order is a stranger's and has none of our lines."""
    untouched, kept, absorbed = (world.statement() for _ in range(3))
    world.turn()
    untouched, kept, absorbed = (world.fresh(row) for row in (untouched, kept, absorbed))
    world.sandbox.act("send", company=world.company, order_ids=[untouched.go_order_id])
    world.sandbox.act(
        "combine",
        company=world.company,
        order_ids=[kept.go_order_id, absorbed.go_order_id],
        survivor="first",
        line_references="kept",
        header_references="lost",
    )
    world.sandbox.act("send", company=world.company, order_ids=[kept.go_order_id])
    number = CustomerInGo.objects.get(go_customer_id=absorbed.customer.go_customer_id).number
    world.sandbox.act("create_order", company=world.company, customer_no=number, product_code="KURS", quantity=1)
    pull(world)
    pull(world)
    now = world.fresh(absorbed)
    assert (now.status, now.attention_code) == (S.LINK_BROKEN, "COMBINED")
    assert (now.proposal["kind"], now.proposal["id"]) == ("invoice", kept.go_order_id)
    assert now.proposal["lines"] == [f"{absorbed.reference}/1"]
    assert [world.fresh(row).status for row in (untouched, kept)] == [S.SENT, S.SENT]
