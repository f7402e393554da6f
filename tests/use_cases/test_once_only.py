"""Once, and only once: the work is stopped after every step, and run again."""

from contextlib import suppress
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from integration import remotes
from integration.enums import StatementStatus
from integration.models import InvoiceStatement, SyncAttempt
from integration.use_cases.push_statements import claim, push_statement
from tests.use_cases.conftest import PowerCut, World, power_cut_at_write

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def assert_one_truth(world: World, *statements: InvoiceStatement) -> None:
    """Each statement is one order in Go, and we know which."""
    orders = {order["id"]: order for order in world.books()["orders"]}
    assert world.in_go() == {statement.reference: 1 for statement in statements}
    for statement in statements:
        now = world.fresh(statement)
        assert now.status == StatementStatus.DRAFT
        assert orders[now.go_order_id]["reference"] == statement.reference
    assert SyncAttempt.objects.filter(ended_at__isnull=True).count() == 0


def outcomes(statement: InvoiceStatement) -> list[str]:
    return list(SyncAttempt.objects.filter(statement=statement).order_by("pk").values_list("outcome", flat=True))


def test_power_cut_at_every_write_of_a_push(world):
    """In the claim, after the answer, in each write of the record: one order in Go, one truth here."""
    cuts = 0
    for number in range(1, 200):
        statement = world.statement()
        went = False
        with power_cut_at_write(number) as dark:
            with suppress(PowerCut):
                world.turn()
            went = dark()
        world.until_quiet(4)
        now = world.fresh(statement)
        assert (now.status, world.in_go()[statement.reference]) == (StatementStatus.DRAFT, 1), f"write {number}"
        cuts += went
        if not went:
            break
    assert cuts > 10
    assert_one_truth(world, *world.made)


class CutAtRequest(BaseAdapter):
    """Carries requests, and cuts the power before or after a create reaches Go."""

    def __init__(self, carrier: BaseAdapter, *, after: bool) -> None:
        super().__init__()
        self.carrier, self.after, self.left = carrier, after, 1

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        if self.left and request.method == "POST" and str(request.url).endswith("/Complete"):
            self.left -= 1
            if self.after:
                self.carrier.send(request, *args, **kwargs)
            raise PowerCut
        return self.carrier.send(request, *args, **kwargs)

    def close(self) -> None:
        self.carrier.close()


@pytest.mark.parametrize("duplicates", ["400", "off"])
@pytest.mark.parametrize("after", [False, True], ids=["before the request", "after Go's commit"])
def test_power_cut_around_the_request(world, monkeypatch, after, duplicates):
    world.sandbox.switch(duplicate_reference=duplicates)
    first, second = world.statement(), world.statement()
    carrier = CutAtRequest(remotes.transport(), after=after)
    monkeypatch.setattr(remotes, "transport", lambda: carrier)
    with pytest.raises(PowerCut):
        world.turn()
    assert world.in_go().total() == int(after)
    world.until_quiet()
    assert_one_truth(world, first, second)


@pytest.mark.parametrize(
    "kind",
    [
        "drop_before_commit",
        "drop_after_commit",
        "error_500_before_commit",
        "error_500_after_commit",
        "unavailable_503_before_commit",
        "unavailable_503_after_commit",
        "throttled_429",
        "malformed_json_after_commit",
        "html_after_commit",
        "empty_after_commit",
        "unauthorized_401",
    ],
)
@pytest.mark.parametrize(
    ("duplicates", "filters"), [("400", "present"), ("409", "400"), ("drafts only", "present"), ("off", "400")]
)
def test_every_fault_ends_in_one_order(world, kind, duplicates, filters):
    world.sandbox.switch(duplicate_reference=duplicates, d26_filters=filters)
    statements = [world.statement() for _ in range(3)]
    world.sandbox.faults(kind=kind, method="POST", path="/SalesOrders/Complete", count=2, skip=1)
    world.turn()
    world.until_quiet(6)
    assert_one_truth(world, *statements)


def test_a_doubt_is_not_sent_again_while_the_replica_may_lag(world):
    world.sandbox.switch(replica_delay_seconds=2)
    statement = world.statement()
    world.sandbox.faults(kind="drop_after_commit", method="POST", path="/SalesOrders/Complete", count=1)
    world.turn()
    assert world.fresh(statement).status == StatementStatus.IN_DOUBT
    world.turn()
    assert world.fresh(statement).status == StatementStatus.IN_DOUBT
    world.until_quiet(3)
    assert_one_truth(world, statement)


@pytest.mark.parametrize("duplicates", ["400", "409"])
def test_a_duplicate_answer_means_that_go_has_it_and_is_found(world, duplicates):
    """Go showed us its absence too long, and we sent it again: the refusal says that it is there, the look-up which."""
    world.sandbox.switch(duplicate_reference=duplicates, replica_delay_seconds=100)
    statement = world.statement()
    world.sandbox.faults(kind="drop_after_commit", method="POST", path="/SalesOrders/Complete", count=1)
    world.turn()
    world.until_quiet(1)
    assert outcomes(statement)[-2:] == ["ABSENT", "IN_DOUBT"]
    world.until_quiet(4)
    assert_one_truth(world, statement)
    assert outcomes(statement)[-1] == "FOUND"


def test_doubled_messages_and_two_beats_do_nothing_twice(world):
    statements = [world.statement() for _ in range(3)]
    for _ in range(3):
        world.turn()
    assert_one_truth(world, *statements)
    assert world.sandbox.requests()["by_route"]["POST /SalesOrders/Complete"] == 3


def test_a_claim_that_ran_out_sends_nothing(world, go):
    statement = world.statement()
    assert claim(world.fresh(statement), now=world.clock(), run=None) is not None
    row, products = world.as_read(statement)
    assert push_statement(row, products, go, clock=world.clock) is None
    assert world.in_go() == {}
