"""Workers by name: who is known to be dead, and what becomes of what it left behind. Real processes, really killed."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from integration.enums import RunTrigger
from integration.enums import StatementStatus as S
from integration.models import GoCompany, SyncAttempt, SyncRun
from integration.use_cases import run_cycle as cycles
from integration.use_cases.push_statements import claim
from integration.use_cases.workers import is_gone, worker_name
from tests import factories

with_books = pytest.mark.django_db(databases=["default", "sandbox"])
ASK = "from integration.use_cases.workers import worker_name; print(worker_name(), flush=True); input()"


@pytest.fixture
def other():
    """Another process of this machine, which says its name and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR
    )
    assert process.stdout is not None
    process.told = process.stdout.readline().strip()  # type: ignore[attr-defined]
    yield process
    process.kill()
    process.communicate()


def killed(process):
    """Kill it and have it reaped, as its keeper does. Its name."""
    process.kill()
    process.communicate()
    return process.told


def test_a_worker_is_gone_when_it_was_killed_and_not_before(other):
    assert other.told
    assert not is_gone(other.told)
    assert is_gone(killed(other))


def test_a_worker_that_nobody_has_reaped_yet_is_gone_too(other):
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
    assert is_gone(other.told)


def test_another_process_with_the_number_of_a_dead_one_does_not_bring_it_back():
    place, pid, start = worker_name().split(":")
    assert is_gone(f"{place}:{pid}:{int(start) - 1}")


def test_a_process_that_is_not_ours_is_alive():
    """Number 1 belongs to the system: its start may be read, and is not what the name says only if it is another."""
    place = worker_name().partition(":")[0]
    start = Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
    assert not is_gone(f"{place}:1:{start}")


@pytest.mark.parametrize("name", ["", "elsewhere.4026531836:1:1", "no colon"])
def test_who_lives_elsewhere_is_never_known_to_be_gone(name):
    assert not is_gone(name)


def test_a_name_fits_where_it_is_kept(other):
    assert len(other.told) <= (SyncAttempt._meta.get_field("worker").max_length or 0)
    assert len(f"{other.told} {'x' * 12}") <= (GoCompany._meta.get_field("cycle_holder").max_length or 0)


def test_a_forked_child_is_somebody_else():
    mine = worker_name()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.write(writer, worker_name().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 100).decode()
    os.close(reader)
    os.close(writer)
    assert theirs
    assert theirs != mine
    assert is_gone(theirs)
    assert not is_gone(mine)


@with_books
def test_a_killed_workers_company_and_statement_move_on_at_once(world, other):
    """No lease is waited for: the company is taken over, and what it had in hand is in doubt from now on."""
    statement = world.statement()
    run = factories.run(world.company, trigger=RunTrigger.SWEEP, ended_at=None, outcome="", turn_ended_at=None)
    attempt = claim(world.fresh(statement), now=world.clock(), run=run)
    assert attempt is not None
    SyncAttempt.objects.filter(pk=attempt.pk).update(worker=other.told)
    GoCompany.objects.update(cycle_holder=f"{other.told} abc", cycle_lease_until=world.clock() + timedelta(seconds=40))
    assert world.turn(trigger=RunTrigger.SWEEP) == cycles.Turn()
    assert world.fresh(statement).status == S.PUSHING

    killed(other)
    turn = world.turn(trigger=RunTrigger.SWEEP)

    assert turn.run_id == run.pk
    row = world.fresh(statement)
    assert row.status == S.IN_DOUBT
    assert row.doubt_since <= world.clock()
    attempt.refresh_from_db()
    assert attempt.error_code == "WORKER_LOST"
    assert GoCompany.objects.get().cycle_holder == ""


@with_books
@pytest.mark.parametrize(("turn_ended", "registers_read"), [(False, 1), (True, 0)])
def test_an_heir_reads_the_registers_unless_a_turn_of_the_run_has(world, other, turn_ended, registers_read):
    world.statement()
    run = factories.run(
        world.company,
        trigger=RunTrigger.SWEEP,
        ended_at=None,
        outcome="",
        turn_ended_at=world.clock() if turn_ended else None,
    )
    GoCompany.objects.update(
        cycle_holder=f"{killed(other)} abc", cycle_lease_until=world.clock() + timedelta(seconds=40)
    )
    before = world.sandbox.requests()["by_route"].get("GET /Customers", 0)
    assert world.turn(trigger=RunTrigger.SWEEP).run_id == run.pk
    assert world.sandbox.requests()["by_route"].get("GET /Customers", 0) - before == registers_read


@with_books
def test_a_person_does_not_inherit_but_starts_anew(world, other):
    """What a person asked for has a run of its own, and the one that was left behind is told as it was."""
    left = factories.run(
        world.company, trigger=RunTrigger.SWEEP, ended_at=None, outcome="", turn_ended_at=world.clock()
    )
    GoCompany.objects.update(
        cycle_holder=f"{killed(other)} abc", cycle_lease_until=world.clock() + timedelta(seconds=40)
    )
    turn = world.turn(trigger=RunTrigger.PERSON)
    assert turn.run_id not in {None, left.pk}
    assert SyncRun.objects.get(pk=left.pk).message == "Its worker did not come back; the next run goes on."


@with_books
def test_runs_that_follow_each_other_read_the_registers_once_a_minute_but_a_person_anew(world):
    def reads():
        return world.sandbox.requests()["by_route"].get("GET /Customers", 0)

    told = []
    for seconds, trigger in [(0, "SWEEP"), (20, "SWEEP"), (20, "PERSON"), (59, "SWEEP"), (2, "SWEEP")]:
        world.clock.advance(seconds)
        world.statement()
        before = reads()
        world.turn(trigger=RunTrigger(trigger))
        told.append(reads() - before)
    assert told == [1, 0, 1, 0, 1]
