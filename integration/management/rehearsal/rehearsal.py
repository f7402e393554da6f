"""The rehearsal itself: the storm, the calm after it, and the verdict."""

import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from integration.decisions.transitions import BEYOND_PUSH, UNDER_WAY
from integration.enums import AttemptOutcome, RunOutcome, RunTrigger, StatementStatus
from integration.management.rehearsal.accountant import (
    Accountant,
    ControlDesk,
    documents,
    duties,
    fault_plans,
    known_customers,
)
from integration.management.rehearsal.material import Material, client_keys, make_material
from integration.management.rehearsal.outage import Outage, rehearse_outage
from integration.management.rehearsal.verdict import (
    Fate,
    OurStatement,
    Verdict,
    chain_break,
    judge,
    untold_writes,
)
from integration.management.rehearsal.world import World
from integration.models import Customer, InvoiceStatement, StatementMove, SyncAttempt, SyncRun
from integration.tasks import run_company_cycle, sweep

TICK: Final = 0.25
VISIT_EVERY: Final = 1.0
CALM_ROUNDS: Final = 3
"""Whole cycles after everything is quiet: one sees that a draft is missing, the next one looks where it went."""
CALM_SECONDS: Final = 300.0
QUIET_SHARE: Final = 0.02
"""With so little left to push, faults and kills end: what is on its way then must arrive soon."""

SETTLED_WITHIN: Final = 120.0
RETURN_WITHIN: Final = 60.0
MOST_REQUESTS: Final = 1.30
MOST_REQUESTS_ACCOUNTANT: Final = 1.45
"""Bounds of the promise: seconds after quiet, seconds after a kill, requests per statement."""
FEW: Final = 1000
"""Below so many statements, what a cycle costs outweighs them: requests per statement are told, not judged."""

SERVER_MISHAPS: Final = ((0.2, "redis"), (0.4, "postgres"), (0.6, "redis"), (0.8, "postgres"))
"""When so much is done, that server breaks."""


@dataclass(frozen=True)
class Plan:
    """What to rehearse. `faults` is a share of the writes, `kill_every` in seconds, 0 for never; `hurry` divides the
    house's times; `outage` in seconds of the house.
    """

    statements: int = 200
    companies: int = 2
    workers: int = 2
    faults: float = 0.0
    kill_every: float = 0.0
    seed: int = 1
    hurry: float = 1.0
    duplicate_check: str = "400"
    look_up_filters: str = "present"
    own_servers: bool = False
    outage: float = 0.0

    @property
    def drops_references(self) -> bool:
        """Whether Go forgets the reference of a draft that is gone, or never asks for it."""
        return self.duplicate_check in {"drafts-only", "off"}

    @property
    def storm_seconds(self) -> float:
        """Enough for a house that works: at its pace, with every doubt waited out, and again for every kill."""
        hard = 1 + 10 * self.faults + (10 if self.kill_every else 0)
        return 120 + 0.3 * self.statements * hard / min(self.hurry, 4)


@dataclass(frozen=True)
class Result:
    """What happened. `seen` is the sandbox's own count; times after quiet and after kills are the house's."""

    plan: Plan
    verdict: Verdict
    seen: dict[str, Any]
    seconds: float
    faults: int
    acts: dict[str, int]
    world: dict[str, int]
    settled_after_quiet: float | None
    returns_after_kill: list[float] = field(default_factory=list)
    outage: Outage | None = None

    def numbers(self) -> dict[str, Any]:
        """The numbers, by name."""
        total = self.seen["total"]
        returns = sorted(self.returns_after_kill)
        return {
            "statements": self.plan.statements,
            **{name: len(sentences) for name, sentences in self.verdict.offences().items()},
            "requests": total,
            "requests_per_statement": round(total / self.plan.statements, 2),
            "throttled": self.seen["throttled"],
            "most_in_one_window": self.seen["most_in_one_window"],
            "seconds": round(self.seconds, 1),
            "faults": self.faults,
            **self.world,
            "settled_after_quiet": self.settled_after_quiet,
            "returns_after_kill": len(returns),
            "slowest_return_after_kill": returns[-1] if returns else None,
            **{f"accountant_{act}": count for act, count in sorted(self.acts.items())},
            **({} if self.outage is None else {f"outage_{name}": value for name, value in asdict(self.outage).items()}),
        }

    def as_json(self) -> dict[str, Any]:
        """The numbers, the offenders, and what was asked for."""
        return {
            **self.numbers(),
            "offenders": self.verdict.offences(),
            "by_route": self.seen["by_route"],
            "by_answer": self.seen["by_answer"],
            "plan": asdict(self.plan),
        }


@dataclass
class Rehearsal:
    """One run, from the first statement to the verdict."""

    plan: Plan
    world: World
    say: Callable[[str], object]
    desk: ControlDesk
    accountant: Accountant
    material: Material
    chance: random.Random
    next_visit: float = 0.0

    def left(self) -> int:
        """How many statements the machines still have to work on."""
        return self._waiting().count()

    def _waiting(self) -> QuerySet[InvoiceStatement]:
        waiting = Q(status__in=sorted(UNDER_WAY)) | Q(
            status=StatementStatus.UPCOMING, held=False, payment_date__lte=timezone.localdate()
        )
        return InvoiceStatement.objects.filter(waiting, company__in=self.material.companies)

    def visit(self) -> bool:
        """The accountant comes by, but not all of the time: a look into full books is slow. Whether there was work."""
        if time.monotonic() < self.next_visit:
            return True
        began = time.monotonic()
        worked = self.accountant.work()
        self.next_visit = began + max(VISIT_EVERY, 5 * (time.monotonic() - began))
        return worked

    def storm(self) -> int:
        """Everything at once until little is left to push, or time is up. Returns how many requests a fault hit."""
        plan, world = self.plan, self.world
        began = time.monotonic()
        mishaps = list(SERVER_MISHAPS) if plan.own_servers else []
        next_kill = began + plan.kill_every if plan.kill_every else float("inf")
        next_word = began
        few = plan.statements * QUIET_SHARE if plan.faults or plan.kill_every else 0
        while (now := time.monotonic()) < began + plan.storm_seconds:
            world.look_after()
            worked, left = self.visit(), self.left()
            if left <= few and not mishaps and (few or not worked):
                break
            if now >= next_kill and world.kill_one(self.chance, up_seconds=plan.kill_every):
                next_kill = now + plan.kill_every
            if mishaps and left <= plan.statements * (1 - mishaps[0][0]):
                self._break_server(mishaps.pop(0)[1])
            if now >= next_word:
                next_word = now + 10
                self.say(f"{now - began:.0f} s: {left} left")
            time.sleep(TICK)
        hits = self.desk.fault_hits()
        self.desk.end_faults()
        return hits

    def _break_server(self, name: str) -> None:
        self.say(f"{name} goes down")
        if name == "redis":
            self.world.wipe_redis(away_seconds=2.0)
        else:
            self.world.restart_postgres()

    def settle(self) -> tuple[float | None, list[str]]:
        """No more faults and kills. How long, in the house's seconds, until nothing is under way; or who still is."""
        began = time.monotonic()
        limit = SETTLED_WITHIN / self.plan.hurry
        late: list[str] = []
        while (passed := time.monotonic() - began) < CALM_SECONDS:
            self.world.look_after()
            if not self.left():
                return round(passed * self.plan.hurry, 1), late
            if passed > limit and not late:
                late = [f"{row}: {row.status} {SETTLED_WITHIN:.0f} s after quiet" for row in self._waiting()]
            time.sleep(TICK)
        return None, late

    def calm(self) -> Verdict:
        """The last acts and cycles, as a person asks for them; then the books are compared."""
        deadline = time.monotonic() + CALM_SECONDS
        while self.accountant.work() and time.monotonic() < deadline:
            time.sleep(VISIT_EVERY)
        began = timezone.now()
        next_nudge = 0.0
        while True:
            self.world.look_after()
            if time.monotonic() >= next_nudge:
                next_nudge = time.monotonic() + max(1.0, settings.GO_REPLICA_SECONDS)
                for company in self.material.companies:
                    run_company_cycle.delay(company_id=company.pk, trigger=RunTrigger.PERSON.value)
            late = time.monotonic() >= deadline
            if late or (not self.left() and self._rounds(began) >= CALM_ROUNDS):
                verdict = self.judge()
                if late or verdict.clean or verdict.duplicated:  # what was made twice never heals
                    return verdict
            time.sleep(TICK)

    def hear_out(self) -> None:
        """What workers still do when the books agree comes to its end; where one died, the sweep tells so."""
        deadline = time.monotonic() + 2 * settings.CLAIM_LEASE_SECONDS
        while SyncAttempt.objects.filter(ended_at=None).exists() and time.monotonic() < deadline:
            self.world.look_after()
            time.sleep(TICK)

    def _rounds(self, since: datetime) -> int:
        """Whole cycles that every company has had."""
        runs = SyncRun.objects.filter(started_at__gte=since, outcome=RunOutcome.DONE, trigger=RunTrigger.PERSON)
        counts: dict[int, int] = dict(runs.values_list("company").annotate(Count("pk")))
        return min(counts.get(company.pk, 0) for company in self.material.companies)

    def judge(self) -> Verdict:
        """Our rows beside the sandbox's books."""
        material, accountant = self.material, self.accountant
        books = {key: self.desk.books(key) for key in material.client_keys}
        names = {company.pk: key for company, key in zip(material.companies, material.client_keys, strict=True)}
        ours = InvoiceStatement.objects.filter(company__in=material.companies).select_related("outgoing_invoice")
        made = set(Customer.objects.filter(company__in=material.companies).values_list("name", flat=True))
        return judge(
            [our_statement(statement, names[statement.company_id], material) for statement in ours.order_by("pk")],
            [document for key, book in books.items() for document in documents(key, book, accountant)],
            [(key, name) for key, book in books.items() for _, name in known_customers(book) if name in made],
        )

    def untold(self, seen: dict[str, Any]) -> list[str]:
        """What the trail does not tell: moves that do not follow each other, open attempts, requests without one."""
        moves: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for statement_id, *step in StatementMove.objects.order_by("pk").values_list(
            "statement_id", "from_status", "to_status"
        ):
            moves[statement_id].append((step[0], step[1]))
        rows = InvoiceStatement.objects.filter(company__in=self.material.companies).order_by("pk")
        breaks = [chain_break(str(row), StatementStatus.UPCOMING, moves[row.pk], row.status) for row in rows]
        attempts = dict(SyncAttempt.objects.order_by().values_list("operation").annotate(Count("pk")))
        still_open = [
            f"Attempt {attempt.pk}, {attempt}: never closed" for attempt in SyncAttempt.objects.filter(ended_at=None)
        ]
        return [*filter(None, breaks), *still_open, *untold_writes(seen["by_answer"], attempts)]

    def returns_after_kill(self) -> list[float]:
        """Seconds of the house from a kill until the statement in that worker's hands moved on, for each such kill.

        Which worker held a statement is not known: of the kills while its attempt was open, the first counts.
        """
        found = []
        lost = SyncAttempt.objects.filter(error_code="WORKER_LOST", statement__isnull=False)
        for started_at, ended_at in lost.values_list("started_at", "ended_at"):
            kills = [moment for moment in self.world.killed_at if ended_at and started_at <= moment <= ended_at]
            if ended_at and kills:
                found.append(round((ended_at - min(kills)) / timedelta(seconds=1) * self.plan.hurry, 1))
        return found


def rehearse(plan: Plan, world: World, *, say: Callable[[str], object]) -> Result:
    """Run it to the verdict. Raises WorldBroken when a part of the world fails that must not."""
    began = time.monotonic()
    chance = random.Random(plan.seed)  # noqa: S311 - a game of dice, nothing secret
    desk = ControlDesk(world.url)
    keys = client_keys(plan.companies, chance)
    for number, key in enumerate(keys, start=1):
        desk.add_company(f"Rehearsal {number} AS", key)
    known = {key: known_customers(desk.books(key)) for key in keys}
    material = make_material(keys, plan.statements, known, chance, timezone.localdate())
    rows = InvoiceStatement.objects.filter(company__in=material.companies).order_by("pk")
    wanted = [(row.reference, row.customer_id) for row in rows if material.fates[row.pk] is Fate.IN_GO]
    accountant = Accountant(
        desk, keys, duties(wanted, chance), chance, known=references_in_go, waits=plan.drops_references
    )
    desk.switch(
        duplicate_reference=plan.duplicate_check.replace("-", " "),
        d26_filters="present" if plan.look_up_filters == "present" else "400",
        rate_window_seconds=f"{1 / plan.hurry:.4f}",
    )
    say(f"{plan.statements} statements made; sandbox at {world.url}")

    run = Rehearsal(plan, world, say, desk, accountant, material, chance)
    outage = None
    world.start_background(plan.workers)
    if plan.outage:
        outage = rehearse_outage(plan.outage, plan.hurry, desk, material, world, say)
    if not plan.outage:  # else they count from the end of the outage
        desk.forget_requests()
    if plan.faults:
        slow = 2 * settings.GO_READ_TIMEOUT
        desk.add_faults(fault_plans(plan.faults, slow_seconds=slow, burst_seconds=0.9 / plan.hurry), plan.seed)
    sweep.delay()
    faults = run.storm()
    say(f"quiet after {time.monotonic() - began:.0f} s")
    settled, late = run.settle()
    seen = desk.requests_seen()
    verdict = run.calm()
    run.hear_out()
    verdict.untold.extend(run.untold(desk.requests_seen() if not plan.outage else seen))
    published, twice = world.messages()
    result = Result(
        plan=plan,
        verdict=verdict,
        seen=seen,
        seconds=time.monotonic() - began,
        faults=faults,
        acts=dict(accountant.acts),
        world={
            "kills": len(world.killed_at),
            "beats_killed": world.beats_killed,
            "process_deaths": world.deaths,
            "redis_wiped": world.redis_wipes,
            "postgres_restarted": world.postgres_restarts,
            "messages": published,
            "messages_twice": twice,
            "attempts_in_doubt": SyncAttempt.objects.filter(outcome=AttemptOutcome.IN_DOUBT).count(),
        },
        settled_after_quiet=settled,
        returns_after_kill=run.returns_after_kill(),
        outage=outage,
    )
    verdict.missed.extend(late)
    verdict.missed.extend(missed_bounds(result))
    desk.close()
    return result


def missed_bounds(result: Result) -> list[str]:
    """Which bounds of time and cost were not kept."""
    numbers = result.numbers()
    missed = []
    slowest = numbers["slowest_return_after_kill"]
    if slowest is not None and slowest > RETURN_WITHIN:
        missed.append(f"a killed worker's statement moved on after {slowest} s, not within {RETURN_WITHIN:.0f}")
    most = MOST_REQUESTS_ACCOUNTANT if result.acts else MOST_REQUESTS
    cost = numbers["requests_per_statement"]
    if result.plan.statements >= FEW and not result.outage and cost > most:
        missed.append(f"{cost} requests per statement, not {most:.2f}")
    if result.outage is not None:
        missed.extend(result.outage.missed())
    return missed


def references_in_go() -> set[str]:
    """Of the statements that the house knows to be in Go."""
    return set(InvoiceStatement.objects.filter(status__in=sorted(BEYOND_PUSH)).values_list("reference", flat=True))


def our_statement(statement: InvoiceStatement, company: str, material: Material) -> OurStatement:
    """A row as plain values."""
    invoice = statement.outgoing_invoice
    return OurStatement(
        company=company,
        name=statement.source_id,
        reference=statement.reference,
        fate=material.fates[statement.pk],
        status=statement.status,
        total=statement.total,
        order_number=statement.pk,
        attention_code=statement.attention_code,
        go_order_id=statement.go_order_id,
        invoice_number=invoice.invoice_number if invoice else None,
        open_amount=invoice.balance if invoice else None,
    )
