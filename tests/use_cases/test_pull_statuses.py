"""Pull: what became of our orders, and at most three requests however many are open."""

from decimal import Decimal
from typing import Any

import pytest

from integration.enums import StatementStatus as S
from integration.enums import VanishedDraftPolicy
from integration.models import GoCompany, InvoiceStatement, LedgerEntry, OutgoingInvoice, StatementMove, SyncCursor

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
            rows += [{**row, "updated_at": None} for row in model.objects.order_by("pk").values()]
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
    assert "3\u202f360,00\xa0NOK; we sent 1 lines and 2\u202f240,00" in now.attention
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
