"""Cycles: one worker per company, turns, the sweep, and what the schedule does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integration import remotes, tasks
from integration.enums import CompanyState, RunOutcome, RunTrigger
from integration.enums import StatementStatus as S
from integration.models import GoCompany, SyncAttempt, SyncRun
from integration.use_cases import run_cycle as cycles
from integration.use_cases.push_statements import claim
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def test_one_worker_per_company_at_a_time(world):
    statement = world.statement()
    holder = cycles.take_cycle(world.company.pk, world.clock())
    assert holder
    assert cycles.take_cycle(world.company.pk, world.clock()) == ""
    assert world.turn() == cycles.Turn()
    assert world.fresh(statement).status == S.PROCESSING
    cycles.leave_cycle(world.company.pk, holder)
    world.turn()
    assert world.fresh(statement).status == S.DRAFT


def test_a_dead_workers_company_is_free_after_its_lease(world):
    cycles.take_cycle(world.company.pk, world.clock())
    world.clock.advance(cycles.CYCLE_LEASE.total_seconds() + 1)
    assert cycles.take_cycle(world.company.pk, world.clock()) != ""


def test_a_turn_that_runs_out_of_time_goes_on_with_the_same_run(world):
    statements = [world.statement() for _ in range(3)]
    asked = iter([False, True])
    first = world.turn(stop_asked=lambda: next(asked))
    assert first.goes_on
    assert [world.fresh(statement).status for statement in statements] == [S.DRAFT, S.PROCESSING, S.PROCESSING]
    before = world.sandbox.requests()["by_route"]
    last = world.turn(run_id=first.run_id)
    after = world.sandbox.requests()["by_route"]
    assert (last.run_id, last.goes_on) == (first.run_id, False)
    assert after["GET /Customers"] == before["GET /Customers"]
    run = SyncRun.objects.get()
    assert (run.outcome, run.counts["push done"]) == (RunOutcome.DONE, 3)


def test_a_run_whose_worker_died_is_told(world):
    dead = factories.run(world.company, ended_at=None, outcome="")
    world.turn()
    dead.refresh_from_db()
    assert (dead.outcome, dead.message) == (RunOutcome.PARTLY, "Its worker did not come back; the next run goes on.")


def test_the_sweep_makes_stale_claims_doubts_and_leaves_fresh_ones(world):
    statement = world.statement()
    claim(statement.pk, world.company, now=world.clock(), run=None)
    cycles.sweep(world.clock())
    assert world.fresh(statement).status == S.PUSHING
    assert cycles.sweep(world.clock() + timedelta(seconds=60)) == [world.company.pk]
    assert world.fresh(statement).status == S.IN_DOUBT
    assert SyncAttempt.objects.get(statement=statement).error_code == "WORKER_LOST"


def test_the_sweep_activates_what_is_due_and_not_held(world):
    today = timezone.localdate(world.clock())
    due = world.statement(status=S.UPCOMING, payment_date=today)
    tomorrow = world.statement(status=S.UPCOMING, payment_date=today + timedelta(days=1))
    held = world.statement(status=S.UPCOMING, payment_date=today, held=True)
    dateless = world.statement(status=S.UPCOMING)
    cycles.sweep(world.clock())
    assert [world.fresh(row).status for row in (due, tomorrow, held, dateless)] == [
        S.PROCESSING,
        S.UPCOMING,
        S.UPCOMING,
        S.UPCOMING,
    ]


def test_a_paused_company_is_probed_at_most_twice_a_minute(world):
    GoCompany.objects.filter(pk=world.company.pk).update(state=CompanyState.PAUSED, probe_at=None)
    world.sandbox.act("revoke_key", company=world.company)
    before = world.sandbox.requests()["total"]
    for _ in range(12):
        world.clock.advance(5)
        for company_id in cycles.sweep(world.clock()):
            cycles.run_cycle(company_id, client_for=remotes.go_client, clock=world.clock, trigger=RunTrigger.SCHEDULE)
    assert 0 < world.sandbox.requests()["total"] - before <= 3


def test_go_away_is_told_in_the_run_and_the_next_cycle_goes_on(world):
    statement = world.statement()
    world.sandbox.faults(kind="error_500_before_commit", method="GET", path="/Customers", count=3)
    world.turn()
    run = SyncRun.objects.get()
    assert run.outcome == RunOutcome.PARTLY
    assert world.fresh(statement).status == S.PROCESSING
    world.until_quiet(2)
    assert world.fresh(statement).status == S.DRAFT


def test_tasks_are_thin_and_the_table_is_the_queue(world, monkeypatch):
    """Losing every message loses nothing: the sweep finds the work in the table."""
    statement = world.statement()
    tasks.sweep()
    assert world.fresh(statement).status == S.DRAFT
    world.sandbox.act("send", company=world.company, order_ids=[world.fresh(statement).go_order_id])
    tasks.start_cycles(yesterdays_argument=1)
    assert world.fresh(statement).status == S.SENT


def test_companies_do_not_wait_for_each_other(world):
    other = factories.go_company(state=CompanyState.OFF)
    cycles.take_cycle(world.company.pk, world.clock())
    assert cycles.companies_to_cycle() == [world.company.pk]
    assert cycles.take_cycle(other.pk, world.clock()) != ""
