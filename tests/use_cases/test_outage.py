"""Go is away, or refuses what its own list of privileges allows: the company waits, and few requests are wasted."""

from datetime import timedelta

import pytest
from django.conf import settings

from integration import remotes
from integration.enums import AttemptOutcome, CompanyState, RunOutcome, RunTrigger
from integration.enums import StatementStatus as S
from integration.models import GoCompany, SyncAttempt, SyncRun
from integration.use_cases import run_cycle as cycles
from integration.use_cases.push_statements import MOST_SILENCE, claim, push_queue
from integration.use_cases.settle_doubts import close_stale_claims
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])

COMPLETE = {"method": "POST", "path": "/SalesOrders/Complete"}


def minutes_pass(world, minutes: int) -> None:
    """Sweeps come every quarter of a minute, cycles every quarter of an hour."""
    for number in range(minutes * 4):
        world.clock.advance(15)
        company_ids = cycles.sweep(world.clock())
        if number % 60 == 0:
            company_ids = cycles.companies_to_cycle()
        for company_id in company_ids:
            cycles.run_cycle(company_id, client_for=remotes.go_client, clock=world.clock, trigger=RunTrigger.SWEEP)


@pytest.mark.parametrize("kind", ["unavailable_503_before_commit", "drop_before_commit", "error_500_before_commit"])
def test_go_is_left_alone_while_it_is_down_and_asked_at_most_twice_a_minute(world, kind):
    world.statement()
    world.turn()
    statements = [world.statement() for _ in range(12)]
    world.sandbox.faults(random=True, kinds=[kind], rate=1, read_rate=1)
    world.turn()
    company = GoCompany.objects.get()
    assert company.state == CompanyState.ACTIVE
    assert "It is asked again by itself" in company.state_reason
    world.sandbox.forget_requests()
    minutes_pass(world, 30)
    assert 30 <= world.sandbox.requests()["total"] <= 60
    assert sum(world.fresh(row).status != S.PROCESSING for row in statements) <= MOST_SILENCE
    world.sandbox.no_faults()
    minutes_pass(world, 3)
    assert {world.fresh(row).status for row in statements} == {S.DRAFT}
    company.refresh_from_db()
    assert (company.state, company.state_reason, company.probe_at) == (CompanyState.ACTIVE, "", None)


def test_a_few_silent_pushes_in_a_row_end_the_turn(world):
    world.statement()
    world.turn()
    statements = [world.statement() for _ in range(9)]
    world.sandbox.faults(kind="error_500_before_commit", count=99, **COMPLETE)
    world.turn()
    assert [world.fresh(row).status for row in statements] == [S.IN_DOUBT] * MOST_SILENCE + [S.PROCESSING] * 5
    assert SyncRun.objects.latest("pk").outcome == RunOutcome.PARTLY


def test_a_single_silent_push_among_others_ends_nothing(world):
    statements = [world.statement() for _ in range(4)]
    world.sandbox.faults(kind="error_500_before_commit", count=1, skip=1, **COMPLETE)
    world.turn()
    assert [world.fresh(row).status for row in statements] == [S.DRAFT, S.IN_DOUBT, S.DRAFT, S.DRAFT]
    assert GoCompany.objects.get().probe_at is None


def test_a_refusal_that_the_privileges_do_not_show_is_tried_once_a_quarter_of_an_hour(world):
    """Test connection finds nothing missing, and orders are refused all the same."""
    world.statement()
    world.turn()
    second = world.statement()
    world.sandbox.faults(kind="forbidden_403", count=99, **COMPLETE)
    world.turn()
    minutes_pass(world, 44)
    assert GoCompany.objects.get().state == CompanyState.PAUSED
    tried = SyncAttempt.objects.filter(statement=second, outcome=AttemptOutcome.SETUP).count()
    assert tried == 1 + 3
    world.sandbox.no_faults()
    minutes_pass(world, 16)
    assert GoCompany.objects.get().state == CompanyState.ACTIVE
    assert world.fresh(second).status == S.DRAFT


def test_a_trial_pulls_too_before_the_company_is_awake(world):
    world.statement()
    world.turn()
    world.sandbox.faults(kind="forbidden_403", method="GET", path="/OutgoingInvoices", count=99)
    world.turn()
    minutes_pass(world, 10)
    assert GoCompany.objects.get().state == CompanyState.PAUSED
    assert world.sandbox.requests()["by_answer"]["GET /OutgoingInvoices"].get("403") == 2


def test_a_sweep_pushes_and_settles_but_does_not_pull(world):
    statement = world.statement()
    run = cycles.run_cycle(world.company.pk, client_for=remotes.go_client, clock=world.clock, trigger=RunTrigger.SWEEP)
    assert not run.goes_on
    assert world.fresh(statement).status == S.DRAFT
    assert "GET /OutgoingInvoices" not in world.sandbox.requests()["by_route"]


def test_a_doubt_is_looked_up_with_others_of_its_time_and_when_absence_is_proof_not_between(world):
    statement = world.statement()
    world.turn()
    world.sandbox.faults(kind="drop_before_commit", count=1, **COMPLETE)
    statement = world.statement()
    world.turn()
    looked = []
    for _ in range(int(settings.GO_ABSENCE_SECONDS / 15) + 2):
        before = world.sandbox.requests()["by_route"].get("GET /SalesOrders", 0)
        world.clock.advance(15)
        for company_id in cycles.sweep(world.clock()):
            cycles.run_cycle(company_id, client_for=remotes.go_client, clock=world.clock, trigger=RunTrigger.SWEEP)
        looked.append(world.sandbox.requests()["by_route"]["GET /SalesOrders"] - before)
    assert [bool(count) for count in looked] == [False, True, False, True, False, False]
    assert world.fresh(statement).status == S.DRAFT


def test_while_a_customer_is_in_doubt_its_statements_wait_without_asking(world):
    customer = factories.customer(world.company, number=None, name="Ny Kunde AS")
    statements = [world.statement(customer=customer) for _ in range(3)]
    world.sandbox.faults(kind="drop_before_commit", method="POST", path="/Customers", count=1)
    world.turn()
    before = world.sandbox.requests()["by_route"]
    assert before["POST /Customers"] == 1
    assert {world.fresh(row).status for row in statements} == {S.PROCESSING}
    world.clock.advance(settings.GO_ABSENCE_SECONDS + 1)
    world.turn()
    assert {world.fresh(row).status for row in statements} == {S.DRAFT}
    assert [row["name"] for row in world.books()["customers"]].count("Ny Kunde AS") == 1


def test_a_stale_claim_is_in_doubt_from_the_end_of_its_lease_however_late_it_is_noticed(world):
    world.statement()
    world.turn()
    statement = world.statement()
    attempt = claim(world.fresh(statement), now=world.clock(), run=None)
    assert attempt is not None
    assert attempt.lease_until - attempt.started_at == timedelta(seconds=settings.CLAIM_LEASE_SECONDS)
    world.clock.advance(300)
    world.turn()
    attempt.refresh_from_db()
    assert attempt.outcome == AttemptOutcome.IN_DOUBT
    # Absence is proof at the first look: the lease ended more than a minute ago.
    assert world.fresh(statement).status == S.DRAFT


def test_a_lost_claim_is_not_counted_as_a_push(world, go):
    """Its worker was taken for dead while Go kept it waiting: whoever has the statement now tells its outcome."""
    world.statement()
    world.turn()
    statement = world.statement()
    # Asked for the time: what is due, what is read, the claim, right before the request, and long after it.
    late = iter([0, 0, 0, 0, 90])

    def clock():
        world.clock.offset += timedelta(seconds=next(late, 0))
        close_stale_claims(world.clock())
        return world.clock()

    world.sandbox.faults(kind="drop_before_commit", count=1, **COMPLETE)
    counts, trouble = push_queue(world.company, go, clock=clock, keep_going=lambda: True)
    attempt = SyncAttempt.objects.get(statement=statement)
    assert (world.fresh(statement).status, attempt.error_code) == (S.IN_DOUBT, "WORKER_LOST")
    assert (counts.total(), trouble) == (0, None)
    assert world.sandbox.requests()["by_answer"]["POST /SalesOrders/Complete"] == {"201": 1, "dropped": 1}
