"""Drafts that somebody changed in Go: said field by field, accepted as they are, or restored as we made them."""

from decimal import Decimal

import pytest

from integration.enums import AttemptOutcome, Operation
from integration.enums import StatementStatus as S
from integration.models import AdminAction, SyncAttempt
from integration.use_cases.check_draft import DraftRefused, accept_draft, look_at_draft, restore_draft, version_of
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])

D = Decimal


@pytest.fixture
def person(world):
    return factories.person(role="Finance", companies=[world.company])


@pytest.fixture
def draft(world):
    line = {"product": world.product, "vat_rate": D("0.12")}
    statement = world.statement(
        customer_reference="Kari Nordmann",
        lines=[
            {**line, "quantity": 2, "unit_price": 1000, "description": "Hytte"},
            {**line, "quantity": 3, "unit_price": 100, "description": "Sengetøy"},
        ],
    )
    world.turn()
    return world.fresh(statement)


def edit(world, draft, act, **members):
    world.clock.advance(10)
    world.sandbox.act(act, company=world.company, order_id=draft.go_order_id, **members)
    world.turn()
    return world.fresh(draft)


def told(draft, go):
    return {each.where: (each.ours, each.theirs) for each in look_at_draft(draft, go).differences}


def seen(draft, go):
    return version_of(look_at_draft(draft, go).order)


def test_as_we_made_it_there_is_nothing_to_say(draft, go):
    assert told(draft, go) == {}


def test_field_by_field(world, draft, go):
    first, second = (line.id for line in look_at_draft(draft, go).order.lines)
    edit(world, draft, "edit_line", line_id=first, quantity="3", description="Hytte, per natt")
    edit(world, draft, "edit_header", CustomerReference="Ola")
    edit(world, draft, "add_line", product_code="KAFFE", quantity="1", unit_price="50", description="Kaffe")
    edit(world, draft, "delete_line", line_id=second)
    found = told(draft, go)
    assert found["Line 1: quantity"] == ("2", "3")
    assert found["Line 1: description"] == ("Hytte", "Hytte, per natt")
    assert found["Your reference"] == ("Kari Nordmann", "Ola")
    assert found["Line 2"] == ("Sengetøy: 3 × 100,00", "taken out")
    assert found["New line"][1].startswith("Kaffe: 1 × 50,00")
    assert set(found) >= {"Total incl. VAT"}


def test_given_to_another_customer(world, draft, go):
    other = next(row for row in world.books()["customers"] if row["name"] != "Fjell og Fjord AS")
    edited = edit(world, draft, "edit_header", CustomerId=other["id"])
    assert edited.attention_code == "EDITED_IN_GO"
    assert "to another customer" in edited.attention
    assert other["name"] in told(edited, go)["Customer"][1]


def test_accepted_it_is_no_longer_said_until_somebody_changes_it_again(world, draft, go, person):
    edited = edit(world, draft, "edit_line", quantity="3")
    assert edited.attention_code == "EDITED_IN_GO"
    accept_draft(edited, go, seen=seen(edited, go), user=person, reason="One night more", now=world.clock())
    for _ in range(2):
        world.turn()
        assert world.fresh(draft).attention == ""
    action = AdminAction.objects.get()
    assert (action.action, action.reason) == ("accept_changes_in_go", "One night more")
    assert action.after["Line 1: quantity"] == "3"
    assert edit(world, draft, "edit_line", quantity="4").attention_code == "EDITED_IN_GO"


def test_what_changed_since_it_was_seen_is_neither_accepted_nor_restored(world, draft, go, person):
    edited = edit(world, draft, "edit_line", quantity="3")
    as_seen = seen(edited, go)
    edit(world, draft, "edit_line", quantity="4")
    for act, clock in ((accept_draft, {"now": world.clock()}), (restore_draft, {"clock": world.clock})):
        with pytest.raises(DraftRefused, match="changed the draft again since you looked"):
            act(world.fresh(draft), go, seen=as_seen, user=person, reason="x", **clock)
    assert AdminAction.objects.count() == 0


def test_restored_it_is_as_we_made_it_under_a_new_reference(world, draft, go, person):
    edited = edit(world, draft, "edit_line", quantity="3")
    restore_draft(edited, go, seen=seen(edited, go), user=person, reason="Agreed price", clock=world.clock)
    row = world.fresh(draft)
    assert (row.status, row.go_order_id, row.reference_version) == (S.PROCESSING, "", 2)
    world.turn()
    row = world.fresh(draft)
    assert (row.status, row.attention, row.reference) == (S.DRAFT, "", f"{draft.reference}.2")
    assert [order["total"] for order in world.drafts()] == [str(draft.total)]
    assert SyncAttempt.objects.get(operation=Operation.DELETE_ORDER).outcome == AttemptOutcome.DONE


def test_a_locked_draft_is_not_restored(world, draft, go, person):
    edited = edit(world, draft, "edit_line", quantity="3")
    world.sandbox.act("confirm", company=world.company, order_ids=[draft.go_order_id])
    with pytest.raises(DraftRefused, match="unlock it there first"):
        restore_draft(edited, go, seen=seen(edited, go), user=person, reason="x", clock=world.clock)


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit"])
def test_in_doubt_nothing_is_sent_anew_by_itself(world, draft, go, person, fault):
    edited = edit(world, draft, "edit_line", quantity="3")
    as_seen = seen(edited, go)
    world.sandbox.faults(kind=fault, method="DELETE", count=1)
    with pytest.raises(DraftRefused, match="is unclear"):
        restore_draft(edited, go, seen=as_seen, user=person, reason="x", clock=world.clock)
    world.until_quiet(4)
    assert world.fresh(draft).status == (S.DRAFT if "before" in fault else S.LINK_BROKEN)
    assert len(world.drafts()) == (1 if "before" in fault else 0)


def test_sent_meanwhile_it_is_refused(world, draft, go, person):
    edited = edit(world, draft, "edit_line", quantity="3")
    as_seen = seen(edited, go)
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    with pytest.raises(DraftRefused, match="no longer has this draft"):
        restore_draft(edited, go, seen=as_seen, user=person, reason="x", clock=world.clock)
    world.turn()
    assert world.fresh(draft).status == S.SENT
