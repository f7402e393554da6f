"""Whatever order things happen in: never lost, never doubled, and the states add up."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from integration.decisions.transitions import BEFORE_PUSH
from integration.enums import StatementStatus as S
from integration.models import InvoiceStatement, SyncAttempt
from tests import factories
from tests.use_cases.conftest import Clock, PowerCut, World, power_cut_at_write

pytestmark = [pytest.mark.django_db(databases=["default", "sandbox"]), pytest.mark.once]

FAULTS = [
    "drop_before_commit",
    "drop_after_commit",
    "error_500_before_commit",
    "error_500_after_commit",
    "unavailable_503_after_commit",
    "throttled_429",
    "malformed_json_after_commit",
    "unauthorized_401",
]


class Bridge(RuleBasedStateMachine):
    """A bookkeeper, an accountant, workers, a bad network and a bad power line."""

    sandbox: Any

    def __init__(self) -> None:
        super().__init__()
        self.sandbox.reset()
        company = factories.go_company(client_key=self.sandbox.open_company())
        self.world = World(company, self.sandbox, Clock(self.sandbox))
        self.world.customer = factories.customer(company, number=None)
        self.world.product = factories.product(company, code="HYTTE", name="Hytte")
        self.deleted: set[str] = set()

    def open_orders(self) -> list[Any]:
        return self.world.drafts()

    @rule(count=st.integers(1, 3))
    def statements_arrive(self, count: int) -> None:
        for _ in range(count):
            self.world.statement()

    @rule()
    def worker_takes_a_turn(self) -> None:
        self.world.turn()

    @rule(write=st.integers(1, 25))
    def power_goes_during_a_turn(self, write: int) -> None:
        with power_cut_at_write(write):
            try:
                self.world.turn()
            except PowerCut:
                return

    @rule(kind=st.sampled_from(FAULTS), count=st.integers(1, 2), skip=st.integers(0, 1))
    def network_goes_bad(self, kind: str, count: int, skip: int) -> None:
        self.sandbox.faults(kind=kind, method="POST", path="/SalesOrders/Complete", count=count, skip=skip)

    @rule(seconds=st.sampled_from([2, 10, 70]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.open_orders())
    @rule(pick=st.integers(0, 10))
    def accountant_sends(self, pick: int) -> None:
        orders = self.open_orders()
        self.sandbox.act("send", company=self.world.company, order_ids=[orders[pick % len(orders)]["id"]])

    @precondition(lambda self: self.open_orders())
    @rule(pick=st.integers(0, 10))
    def accountant_deletes(self, pick: int) -> None:
        orders = self.open_orders()
        order = orders[pick % len(orders)]
        self.sandbox.act("delete", company=self.world.company, order_ids=[order["id"]])
        self.deleted.add(order["reference"])

    @precondition(lambda self: self.open_orders())
    @rule(pick=st.integers(0, 10))
    def accountant_locks(self, pick: int) -> None:
        orders = self.open_orders()
        self.sandbox.act("confirm", company=self.world.company, order_ids=[orders[pick % len(orders)]["id"]])

    @precondition(lambda self: self.world.books()["invoices"])
    @rule(pick=st.integers(0, 10), amount=st.sampled_from([None, "100.00"]))
    def customer_pays(self, pick: int, amount: str | None) -> None:
        invoices = [row for row in self.world.books()["invoices"] if row["balance"] == row["total"]]
        if invoices:
            invoice = invoices[pick % len(invoices)]
            self.sandbox.act("pay", company=self.world.company, invoice_id=invoice["id"], amount=amount)

    @invariant()
    def nothing_is_doubled(self) -> None:
        doubled = {reference: count for reference, count in self.world.in_go().items() if count > 1}
        assert doubled == {}

    @invariant()
    def states_add_up(self) -> None:
        rows = InvoiceStatement.objects.filter(company=self.world.company)
        assert sum(rows.filter(status=status).count() for status in S) == len(self.world.made) == rows.count()

    def teardown(self) -> None:
        """Everything heals: then our states are the books' states, statement by statement."""
        self.sandbox.no_faults()
        self.world.until_quiet(8)
        books = self.world.books()
        orders = {row["reference"]: row for row in self.world.drafts()}
        invoices = {row["reference"]: row for row in books["invoices"]}
        for made in self.world.made:
            now = self.world.fresh(made)
            if made.reference in invoices:
                invoice = invoices[made.reference]
                paid = {True: S.PAID, False: S.PARTLY_PAID}[invoice["balance"] == "0.00"]
                expected = {S.SENT} if invoice["balance"] == invoice["total"] else {paid}
            elif made.reference in orders:
                expected = {S.CONFIRMED if orders[made.reference]["status"] == "Confirmed" else S.DRAFT}
            else:
                # Deleted by the accountant: a person decides, whether we knew of the order already or not.
                assert made.reference in self.deleted, f"{made.reference} is lost"
                expected = {S.LINK_BROKEN, S.NEEDS_FIX}
            assert {now.status} <= expected, made.reference
            assert now.status in BEFORE_PUSH or now.go_order_id
        assert SyncAttempt.objects.filter(ended_at__isnull=True).count() == 0


def test_never_lost_never_doubled(sandbox):
    machine = type("TestedBridge", (Bridge,), {"sandbox": sandbox})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
