"""Cycles: one worker per company, turns, the sweep, and what the schedule does."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integration import remotes, tasks
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.enums import CompanyState, RunOutcome, RunTrigger
from integration.enums import StatementStatus as S
from integration.errors import KeyRejected, Refused
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


def test_a_worker_that_comes_back_late_does_not_change_its_closed_run(world, caplog):
    world.statement()

    def somebody_else_closes_it():
        SyncRun.objects.update(ended_at=world.clock(), outcome=RunOutcome.PARTLY, message="closed")
        return False

    turn = world.turn(stop_asked=somebody_else_closes_it)

    run = SyncRun.objects.get(pk=turn.run_id)
    assert (run.outcome, run.message, run.counts) == (RunOutcome.PARTLY, "closed", {})
    assert "was closed before its worker came back" in caplog.text


def test_the_sweep_makes_stale_claims_doubts_and_leaves_fresh_ones(world):
    statement = world.statement()
    claim(world.fresh(statement), now=world.clock(), run=None)
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


def test_our_own_fault_while_settling_doubts_does_not_keep_others_from_going(world, monkeypatch, caplog):
    statement = world.statement()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cycles, "settle_doubts", broken)
    with caplog.at_level(logging.CRITICAL):
        world.turn()
    run = SyncRun.objects.get()
    assert (run.outcome, run.message) == (
        RunOutcome.FAILED,
        "Fakturabro made a mistake (ZeroDivisionError). Support has the details in the log.",
    )
    assert world.fresh(statement).status == S.DRAFT


def test_doubts_that_cannot_be_looked_up_wait_and_nothing_is_pushed_blindly(world):
    doubtful, waiting = world.statement(status=S.IN_DOUBT, doubt_since=world.clock()), world.statement()
    world.clock.advance(70)
    world.sandbox.faults("error_500_before_commit", method="GET", path="/SalesOrders", count=3)
    world.turn()
    assert SyncRun.objects.get().outcome == RunOutcome.PARTLY
    assert [world.fresh(row).status for row in (doubtful, waiting)] == [S.IN_DOUBT, S.PROCESSING]
    world.clock.advance(40)  # the company rests a while after Go's silence
    world.turn()
    world.turn()
    assert world.in_go() == {doubtful.reference: 1, waiting.reference: 1}


def test_a_read_that_go_refuses_fails_the_run_in_gos_words(world, caplog):
    def refuses(company: GoCompany) -> PowerOfficeClient:
        raise Refused("Reading customers: PowerOffice Go does not accept it.")

    with caplog.at_level(logging.CRITICAL):
        cycles.run_cycle(world.company.pk, client_for=refuses, clock=world.clock, trigger=RunTrigger.SCHEDULE)
    run = SyncRun.objects.get()
    assert (run.outcome, run.message) == (
        RunOutcome.FAILED,
        "Reading customers: PowerOffice Go does not accept it.",
    )
    assert run.ended_at is not None


def test_a_paused_company_whose_key_cannot_be_used_stays_paused(world):
    def has_no_key(company: GoCompany) -> PowerOfficeClient:
        raise KeyRejected(f"{company} has no client key.")

    GoCompany.objects.filter(pk=world.company.pk).update(state=CompanyState.PAUSED, probe_at=None)
    cycles.run_cycle(world.company.pk, client_for=has_no_key, clock=world.clock, trigger=RunTrigger.SCHEDULE)
    world.company.refresh_from_db()
    assert world.company.state == CompanyState.PAUSED
    assert world.sandbox.requests()["total"] == 0


def test_a_turn_with_more_to_push_asks_for_the_next_one_with_the_same_run(world, monkeypatch):
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(tasks.run_company_cycle, "delay", lambda **sent: asked.append(sent))
    monkeypatch.setattr(cycles, "TURN", timedelta(0))
    world.statement()
    world.statement()
    tasks.run_company_cycle(company_id=world.company.pk, trigger="PERSON")
    run = SyncRun.objects.get()
    assert asked == [{"company_id": world.company.pk, "trigger": "PERSON", "run_id": run.pk}]


def test_a_warm_push_costs_eleven_queries(world):
    """Claim 3, order 3, right to send 1, pace 1, record 3; what a whole turn costs does not count."""

    def queries_of(statements):
        for _ in range(statements):
            world.statement()
        with CaptureQueriesContext(connection) as seen:
            world.turn()
        return sum(query["sql"].startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) for query in seen)

    queries_of(1)  # customer and product are known afterwards

    assert (queries_of(20) - queries_of(10)) / 10 < 10.5


def test_the_right_to_a_company_is_renewed_long_before_it_runs_out(world):
    for _ in range(4):
        world.statement()
    renewals: list[Any] = []

    def time_passes():
        world.clock.advance(cycles.TURN.total_seconds() / 3)
        renewals.append(GoCompany.objects.get().cycle_lease_until)
        return False

    world.turn(stop_asked=time_passes)

    assert renewals[0] == renewals[2] < renewals[3]
