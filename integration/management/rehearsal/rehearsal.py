"""The rehearsal itself: the storm, the calm after it, and the verdict."""

import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q
from django.utils import timezone

from integration.decisions.transitions import UNDER_WAY
from integration.enums import RunOutcome, StatementStatus
from integration.management.rehearsal.accountant import Accountant, ControlDesk, documents, known_customers
from integration.management.rehearsal.material import Material, client_keys, make_material
from integration.management.rehearsal.verdict import OurStatement, Verdict, judge
from integration.management.rehearsal.world import World
from integration.models import Customer, InvoiceStatement, SyncRun

TICK: Final = 0.25
ACCOUNTANT_EVERY: Final = 1.0
MISHAP_EVERY: Final = 5.0
CALM_ROUNDS: Final = 3
"""Whole cycles after everything is quiet: one sees that a draft is missing, the next one looks where it went."""
CALM_SECONDS: Final = 180.0


@dataclass(frozen=True)
class Plan:
    """What to rehearse. `faults` is a share of the writes, `kill_every` in seconds, 0 for never."""

    statements: int = 200
    companies: int = 2
    workers: int = 2
    faults: float = 0.0
    kill_every: float = 0.0
    seed: int = 1

    @property
    def go_accepts_duplicates(self) -> bool:
        """With an even seed Go takes a reference twice, so that its refusals hide no mistake of ours.

        Nothing is deleted then: a draft that is gone while we are in doubt would rightly be made again.
        """
        return self.seed % 2 == 0

    @property
    def storm_seconds(self) -> float:
        """Enough for a house that works: at its pace, with every doubt waited out, and again for every kill."""
        hard = 1 + 10 * self.faults + (4 if self.kill_every else 0)
        return 60 + 0.3 * self.statements * hard


@dataclass(frozen=True)
class Result:
    """What happened. `requests` and `throttled` are the sandbox's own counts."""

    plan: Plan
    verdict: Verdict
    requests: int
    throttled: int
    most_in_one_second: int
    by_route: dict[str, int]
    seconds: float
    kills: int
    deaths: int
    faults: int
    acts: dict[str, int]

    def numbers(self) -> dict[str, Any]:
        """The numbers, by name."""
        return {
            "statements": self.plan.statements,
            "lost": len(self.verdict.lost),
            "duplicated": len(self.verdict.duplicated),
            "wrong_state": len(self.verdict.wrong_state),
            "unresolved": len(self.verdict.unresolved),
            "amounts_differ": len(self.verdict.amounts_differ),
            "requests": self.requests,
            "requests_per_statement": round(self.requests / self.plan.statements, 2),
            "throttled": self.throttled,
            "most_in_one_second": self.most_in_one_second,
            "seconds": round(self.seconds, 1),
            "kills": self.kills,
            "worker_deaths": self.deaths,
            "faults": self.faults,
            **{f"accountant_{act}": count for act, count in sorted(self.acts.items())},
        }

    def as_json(self) -> dict[str, Any]:
        """The numbers, the offenders, and what was asked for."""
        return {
            **self.numbers(),
            "offenders": asdict(self.verdict),
            "by_route": self.by_route,
            "plan": asdict(self.plan),
        }


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
    accountant = Accountant(desk, keys, plan.seed, deletes=not plan.go_accepts_duplicates)
    say(f"{plan.statements} statements made; sandbox at {world.url}")

    if plan.go_accepts_duplicates:
        desk.accept_duplicates()
    desk.forget_requests()
    if plan.faults:
        desk.add_faults(plan.faults, plan.seed)
    world.start_background(plan.workers)
    faults = _storm(plan, world, desk, accountant, material, chance, say)
    say(f"calm after {time.monotonic() - began:.0f} s")
    verdict = _calm(world, desk, accountant, material)
    seen = desk.requests_seen()
    desk.close()
    return Result(
        plan=plan,
        verdict=verdict,
        requests=seen["total"],
        throttled=seen["throttled"],
        most_in_one_second=seen["most_in_one_second"],
        by_route=seen["by_route"],
        seconds=time.monotonic() - began,
        kills=world.kills,
        deaths=world.deaths,
        faults=faults,
        acts=dict(accountant.acts),
    )


def _storm(
    plan: Plan,
    world: World,
    desk: ControlDesk,
    accountant: Accountant,
    material: Material,
    chance: random.Random,
    say: Callable[[str], object],
) -> int:
    """Everything at once until nothing is left to push, or time is up. Returns how many requests a fault hit."""
    began = time.monotonic()
    next_visit, next_mishap = began, began + MISHAP_EVERY
    next_kill = began + plan.kill_every if plan.kill_every else float("inf")
    quiet = False
    while not quiet and (now := time.monotonic()) < began + plan.storm_seconds:
        world.look_after()
        if now >= next_visit:
            next_visit = now + ACCOUNTANT_EVERY
            quiet = not accountant.work() and not _left(material)
        if now >= next_kill and world.kill_one(chance, up_seconds=plan.kill_every):
            next_kill = now + plan.kill_every
        if plan.faults and now >= next_mishap:
            next_mishap = now + MISHAP_EVERY
            _mishap(desk, chance)
            say(f"{now - began:.0f} s: {_left(material)} left")
        time.sleep(TICK)
    hits = desk.fault_hits()
    desk.end_faults()
    return hits


def _mishap(desk: ControlDesk, chance: random.Random) -> None:
    """What no single request draws: a burst of refusals, or every token suddenly expired."""
    if chance.random() < 0.5:
        desk.add_burst(retry_after=chance.random() < 0.5)
    else:
        desk.act("expire_tokens")


def _left(material: Material) -> int:
    """How many statements the machines still have to work on."""
    waiting = Q(status__in=sorted(UNDER_WAY)) | Q(
        status=StatementStatus.UPCOMING, payment_date__lte=timezone.localdate()
    )
    return InvoiceStatement.objects.filter(waiting, company__in=material.companies).count()


def _calm(world: World, desk: ControlDesk, accountant: Accountant, material: Material) -> Verdict:
    """No more faults and kills: what is left is done, the last cycles run, then the books are compared."""
    deadline = time.monotonic() + CALM_SECONDS
    while (accountant.work() or _left(material)) and time.monotonic() < deadline:
        world.look_after()
        time.sleep(ACCOUNTANT_EVERY)
    began = timezone.now()
    while True:
        world.look_after()
        late = time.monotonic() >= deadline
        if late or (not _left(material) and _rounds(material, began) >= CALM_ROUNDS):
            verdict = _verdict(desk, accountant, material)
            if late or verdict.clean or verdict.duplicated:  # what was made twice never heals
                return verdict
        time.sleep(TICK)


def _rounds(material: Material, since: datetime) -> int:
    """Whole cycles that every company has had."""
    runs = SyncRun.objects.filter(started_at__gte=since, outcome=RunOutcome.DONE).values_list("company")
    counts: dict[int, int] = dict(runs.annotate(Count("pk")))
    return min(counts.get(company.pk, 0) for company in material.companies)


def _verdict(desk: ControlDesk, accountant: Accountant, material: Material) -> Verdict:
    """Our rows beside the sandbox's books."""
    books = {key: desk.books(key) for key in material.client_keys}
    names = {company.pk: key for company, key in zip(material.companies, material.client_keys, strict=True)}
    ours = InvoiceStatement.objects.filter(company__in=material.companies).select_related("outgoing_invoice")
    made = set(Customer.objects.filter(company__in=material.companies).values_list("name", flat=True))
    return judge(
        [our_statement(statement, names[statement.company_id], material) for statement in ours.order_by("pk")],
        [document for key, book in books.items() for document in documents(key, book, edited=accountant.edited)],
        [(key, name) for key, book in books.items() for _, name in known_customers(book) if name in made],
    )


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
