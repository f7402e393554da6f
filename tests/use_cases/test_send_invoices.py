"""Send from Go: asked by a person, sent once, looked up until it is known what became of it."""

import contextlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from integration.enums import AttemptOutcome, CompanyState, Operation, ReviewAction
from integration.enums import StatementStatus as S
from integration.models import GoCompany, InvoiceStatement, SyncAttempt
from integration.use_cases import run_cycle as cycles
from integration.use_cases.review_statements import carry_out, why_not
from integration.use_cases.send_invoices import NOT_DELIVERED, SEND_FAILED
from tests import factories
from tests.use_cases.conftest import PowerCut, power_cut_at_write

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])

SEND = {"method": "POST", "path": "*/createAndSendInvoice"}


@pytest.fixture
def person(world):
    return factories.person(role="Finance", companies=[world.company])


@pytest.fixture
def drafts(world):
    """Of a company that lets us send."""
    world.sandbox.act("set_send_grant", company=world.company, allow=True)
    made = [world.statement() for _ in range(3)]
    world.turn()
    return [world.fresh(statement) for statement in made]


def ask(world, person, *statements):
    chosen = InvoiceStatement.objects.filter(pk__in=[statement.pk for statement in statements])
    return carry_out(ReviewAction.SEND, chosen, user=person, now=world.clock())


def on(world, seconds=10, turns=1):
    for _ in range(turns):
        world.clock.advance(seconds)
        for _company in cycles.sweep(world.clock()):
            world.turn(trigger="SWEEP")


def sends(world) -> int:
    routes: Counter[str] = Counter(world.sandbox.requests()["by_route"])
    return sum(count for route, count in routes.items() if "createAndSendInvoice" in route)


def test_one_or_many_are_sent_once_and_come_back_with_their_numbers(world, person, drafts):
    report = ask(world, person, *drafts[:2])
    assert report.done == 2
    on(world, turns=3)
    rows = [world.fresh(draft) for draft in drafts]
    assert [row.status for row in rows] == [S.SENT, S.SENT, S.DRAFT]
    assert all(row.outgoing_invoice.invoice_number for row in rows[:2])
    assert sends(world) == 2
    assert [row.send_asked_at for row in rows] == [None] * 3


def test_asked_twice_it_is_sent_once(world, person, drafts):
    ask(world, person, drafts[0])
    again = ask(world, person, drafts[0])
    assert (again.done, again.held_back) == (0, (("is being sent already", 1),))
    on(world, turns=3)
    assert sends(world) == 1


def test_while_go_is_at_it_it_is_asked_seldom_and_never_told_again(world, person, drafts):
    world.sandbox.switch(send_delay_seconds="600")
    ask(world, person, drafts[0])
    on(world)
    before = world.sandbox.requests()["total"]
    on(world, turns=40)
    assert world.sandbox.requests()["total"] - before <= 10
    assert (sends(world), world.fresh(drafts[0]).status) == (1, S.DRAFT)
    assert world.fresh(drafts[0]).missing_since is None
    on(world, seconds=300, turns=3)
    assert (sends(world), world.fresh(drafts[0]).status) == (1, S.SENT)


@pytest.mark.parametrize("second_send", ["400", "202"])
@pytest.mark.parametrize("fault", ["drop_after_commit", "error_500_after_commit", "drop_before_commit"])
def test_a_doubt_is_looked_up_and_never_sent_twice(world, person, drafts, fault, second_send):
    world.sandbox.switch(second_send=second_send)
    world.sandbox.faults(kind=fault, count=1, **SEND)
    ask(world, person, drafts[0])
    on(world)
    assert SyncAttempt.objects.get(operation=Operation.SEND_INVOICE).outcome == AttemptOutcome.IN_DOUBT
    on(world, turns=2 + int(settings.GO_ABSENCE_SECONDS // 10) * 3)
    assert world.fresh(drafts[0]).status == S.SENT
    assert len(world.books()["invoices"]) == 1
    assert sends(world) == (2 if "before" in fault else 1)


@pytest.mark.parametrize("number", range(1, 7))
def test_a_power_cut_at_any_write_neither_loses_nor_doubles_it(world, person, drafts, number):
    ask(world, person, drafts[0])
    world.clock.advance(10)
    with power_cut_at_write(number), contextlib.suppress(PowerCut):
        world.turn()
    on(world, seconds=45, turns=8)
    assert world.fresh(drafts[0]).status == S.SENT
    assert len(world.books()["invoices"]) == 1


def test_what_go_does_not_send_is_said_and_can_be_asked_for_again(world, person, drafts):
    world.sandbox.act("set_lock_date", company=world.company, date="2099-12-31")
    ask(world, person, drafts[0])
    on(world, turns=3)
    row = world.fresh(drafts[0])
    assert (row.status, row.attention_code) == (S.DRAFT, SEND_FAILED)
    assert "on or before the lock date" in row.attention
    world.turn()  # a pull leaves the words standing
    assert world.fresh(row).attention_code == SEND_FAILED
    assert why_not(ReviewAction.SEND, world.fresh(row)) == ""


@pytest.mark.parametrize(("keeps", "code", "status"), [(True, SEND_FAILED, S.DRAFT), (False, NOT_DELIVERED, S.SENT)])
def test_sent_but_not_delivered_is_said(world, person, keeps, code, status):
    world.sandbox.switch(failed_send_keeps_draft=keeps)
    world.sandbox.act("set_send_grant", company=world.company, allow=True)
    customer = factories.customer(world.company, number=None, name="Leveringsfeil AS")
    statement = world.statement(customer=customer)
    world.turn()
    ask(world, person, statement)
    on(world, turns=3)
    row = world.fresh(statement)
    assert (row.status, row.attention_code) == (status, code)
    assert "could not be reached" in row.attention
    world.turn()
    assert world.fresh(statement).attention_code == code


def test_without_the_right_to_send_nothing_else_stops(world, person, drafts):
    world.sandbox.act("set_send_grant", company=world.company, allow=False)
    ask(world, person, drafts[0])
    another = world.statement()
    on(world)
    row = world.fresh(drafts[0])
    assert (row.attention_code, row.send_asked_at) == (SEND_FAILED, None)
    assert GoCompany.objects.get().state == CompanyState.ACTIVE
    assert world.fresh(another).status == S.DRAFT
    assert why_not(ReviewAction.SEND, world.fresh(drafts[1])) == (
        f"PowerOffice Go lets nobody send from outside for {world.company}; when it does, test the connection once"
    )


def test_go_away_means_later_by_itself(world, person, drafts):
    world.sandbox.faults(kind="throttled_429", count=2, **SEND)
    ask(world, person, drafts[0])
    on(world, turns=5)
    assert (world.fresh(drafts[0]).status, len(world.books()["invoices"])) == (S.SENT, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attention": "Somebody changed it", "attention_code": "EDITED_IN_GO"}, "look at that first"),
        ({"status": S.SENT}, "not possible while it is"),
        ({"status": S.PROCESSING}, "not possible while it is"),
    ],
)
def test_what_is_not_sent_and_why(world, drafts, changes: dict[str, Any], words):
    InvoiceStatement.objects.filter(pk=drafts[0].pk).update(**changes)
    assert words in why_not(ReviewAction.SEND, world.fresh(drafts[0]))


def test_a_long_queue_does_not_keep_a_person_waiting(world, person, drafts):
    """The turn is over before the queue is: what was asked for went first."""
    waiting = [world.statement() for _ in range(3)]
    ask(world, person, drafts[0])
    asked = iter([False, True])
    assert world.turn(stop_asked=lambda: next(asked, True)).goes_on
    assert sends(world) == 1
    assert S.PROCESSING in {world.fresh(statement).status for statement in waiting}


def test_what_somebody_else_has_in_hand_is_not_asked_for_in_a_circle(world, person, drafts):
    ask(world, person, drafts[0])
    factories.attempt(statement=drafts[0], started_at=world.clock(), lease_until=world.clock() + timedelta(seconds=40))
    turn = world.turn(trigger="SWEEP")
    assert (turn.goes_on, sends(world)) == (False, 0)
    on(world, seconds=45, turns=3)
    assert (sends(world), world.fresh(drafts[0]).status) == (1, S.SENT)
