"""Doubts: looked up, and settled by the one who came first."""

import pytest

from integration import remotes
from integration.enums import Operation, RunTrigger
from integration.enums import StatementStatus as S
from integration.models import InvoiceStatement, StatementMove, SyncAttempt
from integration.use_cases.run_cycle import run_cycle
from integration.use_cases.settle_doubts import settle_doubts
from tests.use_cases.conftest import World

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def doubtful(world: World, kind: str) -> InvoiceStatement:
    """A statement whose request got lost on the way, or its answer."""
    statement = world.statement()
    world.sandbox.faults(kind, method="POST", path="/SalesOrders/Complete", count=1)
    world.turn()
    assert world.fresh(statement).status == S.IN_DOUBT
    return statement


def test_too_soon_to_prove_absence_is_said_and_nothing_moves(world, go):
    statement = doubtful(world, "drop_before_commit")
    world.clock.advance(30)
    world.sandbox.forget_requests()
    assert settle_doubts(world.company, go, clock=world.clock) == {"waiting": 1}
    assert world.fresh(statement).status == S.IN_DOUBT
    # Whether it was sent meanwhile is asked where absence would be concluded, not twice.
    assert world.sandbox.requests()["by_route"] == {"GET /SalesOrders": 1}
    world.clock.advance(31)
    assert settle_doubts(world.company, go, clock=world.clock) == {"absent": 1}
    assert world.fresh(statement).status == S.PROCESSING
    assert world.sandbox.requests()["by_route"]["GET /OutgoingInvoices"] > 0


def test_doubts_are_gathered_for_one_look_unless_a_person_asks(world):
    statement = doubtful(world, "drop_after_commit")
    world.clock.advance(5)
    for trigger, status in ((RunTrigger.SCHEDULE, S.IN_DOUBT), (RunTrigger.PERSON, S.DRAFT)):
        run_cycle(world.company.pk, client_for=remotes.go_client, clock=world.clock, trigger=trigger)
        assert world.fresh(statement).status == status


@pytest.mark.parametrize("truth", ["draft", "another draft", "invoice", "absent"])
def test_of_two_workers_who_look_the_slower_changes_and_tells_nothing(world, go, monkeypatch, truth):
    statement = doubtful(world, "drop_before_commit" if truth == "absent" else "drop_after_commit")
    if truth != "absent":
        (order,) = world.drafts()
        if truth == "another draft":
            world.sandbox.act("edit_line", company=world.company, order_id=order["id"], quantity="9")
        if truth == "invoice":
            world.sandbox.act("send", company=world.company, order_ids=[order["id"]])
    world.clock.advance(70)
    look = go.find_orders

    def look_slowly(*args, **kwargs):
        seen = look(*args, **kwargs)
        InvoiceStatement.objects.filter(pk=statement.pk).update(status=S.NEEDS_FIX, attention="the faster one's")
        return seen

    monkeypatch.setattr(go, "find_orders", look_slowly)
    moves = StatementMove.objects.count()
    settle_doubts(world.company, go, clock=world.clock)
    now = world.fresh(statement)
    assert (now.status, now.attention, now.go_order_id) == (S.NEEDS_FIX, "the faster one's", "")
    assert StatementMove.objects.count() == moves
    assert SyncAttempt.objects.filter(operation=Operation.LOOK_UP_ORDER).count() == 0
