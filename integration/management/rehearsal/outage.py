"""Go is down for an hour while statements arrive: how often it is knocked at, and how fast the backlog goes through."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.utils import timezone

from integration.decisions.transitions import UNDER_WAY
from integration.enums import CompanyState, StatementStatus
from integration.management.rehearsal.accountant import ControlDesk
from integration.management.rehearsal.material import Material
from integration.management.rehearsal.world import World
from integration.models import GoCompany, InvoiceStatement
from integration.tasks import sweep

TICK: Final = 0.2
MOST_PROBES: Final = 2.0
SLACK: Final = 1.15
WARM_WITHIN: Final = 600.0
DRAIN_WITHIN: Final = 10.0
"""Real seconds until we give up on warming, and times the allowed time on draining."""


@dataclass(frozen=True)
class Outage:
    """Seconds are the house's. `allowed_seconds`: 1.15 x backlog / pace, since nothing arrives while it drains."""

    backlog: int
    drain_seconds: float
    allowed_seconds: float
    probes_per_minute_and_company: float
    throttled_after: int

    def missed(self) -> list[str]:
        """Which bounds were not kept."""
        found = []
        if self.drain_seconds > self.allowed_seconds:
            found.append(f"the backlog of {self.backlog} took {self.drain_seconds} s, not {self.allowed_seconds}")
        if self.probes_per_minute_and_company > MOST_PROBES:
            found.append(f"{self.probes_per_minute_and_company} probes a minute and company, not {MOST_PROBES}")
        if self.throttled_after:
            found.append(f"{self.throttled_after} requests too many in a second after the outage")
        return found


def rehearse_outage(
    seconds: float, hurry: float, desk: ControlDesk, material: Material, world: World, say: Callable[[str], object]
) -> Outage:
    """One statement of each customer goes first, so that customers and products are known.

    Then Go is down, and the rest arrives, evenly.
    """
    rows = InvoiceStatement.objects.filter(company__in=material.companies)
    first: dict[object, int] = {}
    for pk, customer_id in rows.order_by("pk").values_list("pk", "customer_id"):
        first.setdefault(customer_id, pk)
    later = list(rows.exclude(pk__in=first.values()).order_by("pk").values_list("pk", flat=True))
    _hold(later, held=True)
    sweep.delay()
    give_up = time.monotonic() + WARM_WITHIN
    while _left(material) and time.monotonic() < give_up:
        world.look_after()
        time.sleep(TICK)
    say(f"Go goes down; {len(later)} statements arrive within {seconds:.0f} s of the house")
    desk.go_down()
    began, length, arrived = time.monotonic(), seconds / hurry, 0
    resting_since, asked_before = 0.0, 0
    while (passed := time.monotonic() - began) < length:
        world.look_after()
        due = round(len(later) * passed / length)
        _hold(later[arrived:due], held=False)
        arrived = max(arrived, due)
        if not resting_since and arrived >= len(material.companies) and _all_rest(material):
            resting_since, asked_before = time.monotonic(), desk.requests_seen()["total"]
        time.sleep(TICK)
    _hold(later[arrived:], held=False)
    minutes = (time.monotonic() - (resting_since or began)) * hurry / 60
    probes = (desk.requests_seen()["total"] - asked_before) / minutes / len(material.companies)
    desk.end_faults()
    desk.forget_requests()
    backlog, ended = _left(material), time.monotonic()
    allowed = SLACK * backlog * 0.102
    say(f"Go is back; {backlog} statements wait")
    while _left(material) and time.monotonic() - ended < DRAIN_WITHIN * allowed / hurry:
        world.look_after()
        time.sleep(TICK)
    return Outage(
        backlog=backlog,
        drain_seconds=round((time.monotonic() - ended) * hurry, 1),
        allowed_seconds=round(allowed, 1),
        probes_per_minute_and_company=round(probes, 2),
        throttled_after=desk.requests_seen()["throttled"],
    )


def _hold(statement_ids: Sequence[int], *, held: bool) -> None:
    for start in range(0, len(statement_ids), 500):
        InvoiceStatement.objects.filter(pk__in=statement_ids[start : start + 500]).update(held=held)


def _left(material: Material) -> int:
    waiting = Q(status__in=sorted(UNDER_WAY)) | Q(
        status=StatementStatus.UPCOMING, held=False, payment_date__lte=timezone.localdate()
    )
    return InvoiceStatement.objects.filter(waiting, company__in=material.companies).count()


def _all_rest(material: Material) -> bool:
    active = GoCompany.objects.filter(pk__in=[company.pk for company in material.companies], state=CompanyState.ACTIVE)
    return not active.filter(probe_at__isnull=True).exists()
