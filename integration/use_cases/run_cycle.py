"""A cycle: all that is to be done for one company, by one worker at a time, in turns that leave room for others."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.enums import CompanyState, Operation, RunOutcome, RunTrigger, StatementStatus
from integration.errors import ConfigurationError, PrivilegeMissing, RemoteError, TemporaryError, Throttled
from integration.models import GoCompany, InvoiceStatement, SyncAttempt, SyncRun
from integration.models.go_company import PROBE_EVERY
from integration.use_cases.check_company import check_company
from integration.use_cases.invoice_receivers import hold_back
from integration.use_cases.moves import move
from integration.use_cases.pull_statuses import pull_statuses
from integration.use_cases.push_statements import due_statements, push_queue
from integration.use_cases.send_invoices import send_invoices, to_send
from integration.use_cases.settle_doubts import GATHER, close_stale_claims, settle_doubts
from integration.use_cases.sync_customers import read_customers
from integration.use_cases.sync_products import read_products
from integration.use_cases.workers import is_gone, worker_name

logger = logging.getLogger(__name__)

TURN: Final = timedelta(seconds=settings.CLAIM_LEASE_SECONDS / 4)
"""How long one company may keep a worker before it goes to the back of the row: ten seconds."""

TRIAL_EVERY: Final = 30 * PROBE_EVERY
"""A refusal that the list of privileges does not show is tried again so often: every quarter of an hour."""

CYCLE_LEASE: Final = timedelta(seconds=settings.CLAIM_LEASE_SECONDS)
"""A dead worker's company is free again after it. It only keeps the row orderly: once-only rests on the claims."""


REGISTERS_EVERY: Final = timedelta(seconds=settings.GO_ABSENCE_SECONDS)
"""Runs that follow each other within a minute know the registers from the first; a person's run reads them anew."""

OWN_FAULT: Final = "Fakturabro made a mistake ({}). Support has the details in the log."

GOES_ON_WITHIN: Final = timedelta(seconds=settings.CLAIM_LEASE_SECONDS)
"""After so long, a run whose next message was lost is ended, and a new one begins."""


@dataclass(frozen=True)
class Turn:
    """How a turn ended. `goes_on`: there is more to push now; ask again with this run."""

    run_id: int | None = None
    goes_on: bool = False
    counts: tuple[tuple[str, int], ...] = ()


def dead_holder(company_id: int) -> str:
    """Who holds the right to work on a company and is known to be dead, or nobody."""
    holder = GoCompany.objects.filter(pk=company_id).values_list("cycle_holder", flat=True).first() or ""
    return holder if is_gone(holder.partition(" ")[0]) else ""


def take_cycle(company_id: int, now: datetime, *, heir_of: str = "") -> str:
    """The right to work on a company, or nothing when another worker has it. `heir_of`: a dead one may have it."""
    holder = f"{worker_name()} {uuid4().hex[:12]}"
    free = Q(cycle_lease_until__isnull=True) | Q(cycle_lease_until__lt=now)
    if heir_of:
        free |= Q(cycle_holder=heir_of)
    taken = GoCompany.objects.filter(free, pk=company_id).update(
        cycle_lease_until=now + CYCLE_LEASE, cycle_holder=holder
    )
    return holder if taken else ""


def hold_cycle(company_id: int, holder: str, now: datetime) -> bool:
    """Renew the right. False: it was lost."""
    return bool(
        GoCompany.objects.filter(pk=company_id, cycle_holder=holder).update(cycle_lease_until=now + CYCLE_LEASE)
    )


def leave_cycle(company_id: int, holder: str) -> None:
    """Give the right back."""
    GoCompany.objects.filter(pk=company_id, cycle_holder=holder).update(cycle_lease_until=None, cycle_holder="")


def run_cycle(
    company_id: int,
    *,
    client_for: Callable[[GoCompany], PowerOfficeClient],
    clock: Callable[[], datetime],
    trigger: RunTrigger,
    run_id: int | None = None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Turn:
    """One turn for one company: settle doubts, read registers, push, pull. Safe to run twice, or by two beats.

    `run_id` goes on with an earlier turn of the same run: registers are not read again. A run of the sweep does not
    pull: that is for the schedule and for people. Raises nothing for what Go answers: it is told in the run.
    """
    began = clock()
    close_stale_claims(began)
    heir_of = dead_holder(company_id)
    holder = take_cycle(company_id, began, heir_of=heir_of)
    if not holder:
        return Turn()
    try:
        company = GoCompany.objects.get(pk=company_id)
        if company.state not in {CompanyState.ACTIVE, CompanyState.PAUSED}:
            return Turn()
        waits = company.state == CompanyState.PAUSED or company.probe_at is not None
        if waits and not _probe(company, client_for, began):
            return Turn()
        run, is_new = _open_run(company, trigger, run_id, began, orphaned=bool(heir_of))
        if run is None:
            return Turn()
        trial = company.state == CompanyState.PAUSED

        held_at = began

        def keep_going() -> bool:
            nonlocal held_at
            now = clock()
            if stop_asked() or now - began >= TURN or (trial and _has_pushed(run)):
                return False
            if now - held_at < TURN / 2:  # nobody else can have it yet
                return True
            held_at = now
            return hold_cycle(company_id, holder, now)

        return _turn(company, run, client_for, clock=clock, keep_going=keep_going, is_new=is_new)
    finally:
        leave_cycle(company_id, holder)


def _open_run(
    company: GoCompany, trigger: RunTrigger, run_id: int | None, now: datetime, *, orphaned: bool
) -> tuple[SyncRun | None, bool]:
    """The run to go on with, or a new one; None when another message goes on with the open one in a moment.

    `orphaned`: its worker died in the middle of a turn, so no message will come; the sweep goes on with it.
    """
    going = SyncRun.objects.filter(company=company, ended_at__isnull=True).order_by("-pk").first()
    if going is not None:
        if going.pk == run_id or (orphaned and trigger == RunTrigger.SWEEP):
            return going, going.turn_ended_at is None
        if not orphaned and going.turn_ended_at is not None and now - going.turn_ended_at < GOES_ON_WITHIN:
            return None, False
    # A run whose worker died is told as it was: it did not end.
    SyncRun.objects.filter(company=company, ended_at__isnull=True).update(
        ended_at=now, outcome=RunOutcome.PARTLY, message="Its worker did not come back; the next run goes on."
    )
    return SyncRun.objects.create(company=company, trigger=trigger, started_at=now), True


def _turn(
    company: GoCompany,
    run: SyncRun,
    client_for: Callable[[GoCompany], PowerOfficeClient],
    *,
    clock: Callable[[], datetime],
    keep_going: Callable[[], bool],
    is_new: bool,
) -> Turn:
    counts: Counter[str] = Counter(run.counts)
    outcome, message, goes_on = RunOutcome.DONE, "", False
    trial = company.state == CompanyState.PAUSED
    try:
        client = client_for(company)
        try:
            counts.update(prefixed("doubts", settle_doubts(company, client, clock=clock, run=run)))
        except Exception as error:
            if isinstance(error, RemoteError):
                raise
            logger.exception("%s: our own fault while settling doubts; pushing goes on.", company)
            outcome, message = RunOutcome.FAILED, OWN_FAULT.format(type(error).__name__)
        # Before the queue, which may take every turn for hours: a person waits for these.
        sent = Counter() if trial else send_invoices(company, client, clock=clock, keep_going=keep_going, run=run)
        counts.update(prefixed("send", sent))
        _push(company, client, run, counts, clock=clock, keep_going=keep_going, is_new=is_new)
        more = _more(company, sent, clock())
        if trial or sent["sent"] or sent["not delivered"] or not (more or run.trigger == RunTrigger.SWEEP):
            counts.update(pull_statuses(company=company, client=client, clock=clock, run=run))
        if trial:
            company.wake(clock())
        company.refresh_from_db()
        goes_on = more and company.state == CompanyState.ACTIVE
    except ConfigurationError as error:
        company.pause(error.message, clock())
        if trial and isinstance(error, PrivilegeMissing):
            _try_again_later(company, clock())
        outcome, message = RunOutcome.FAILED, error.message
    except TemporaryError as error:
        if not isinstance(error, Throttled):
            company.rest(f"{error.message} It is asked again by itself until it answers; nothing is lost.", clock())
        outcome, message = RunOutcome.PARTLY, f"{error.message} The next cycle goes on."
    except RemoteError as error:
        logger.exception("%s: a read was refused.", company)
        outcome, message = RunOutcome.FAILED, error.message
    except Exception as error:
        logger.exception("%s: our own fault in a cycle.", company)
        outcome, goes_on = RunOutcome.FAILED, False
        message = OWN_FAULT.format(type(error).__name__)
    told: dict[str, Any] = {"counts": dict(counts), "turn_ended_at": clock()}
    if not goes_on:
        told |= {"ended_at": clock(), "outcome": outcome, "message": message}
    _tell(run, told)
    return Turn(run.pk, goes_on=goes_on, counts=tuple(sorted(counts.items())))


def _more(company: GoCompany, sent: Counter[str], now: datetime) -> bool:
    """Whether another turn can do something at once.

    Where nothing could be sent, somebody else has it: asking again at once would only turn in a circle.
    """
    return bool(due_statements(company, now)) or (bool(sent) and to_send(now).filter(company=company).exists())


def _tell(run: SyncRun, told: dict[str, Any]) -> None:
    """Write into the run, unless somebody else closed it meanwhile since we seemed dead: then it stays as it is."""
    if not SyncRun.objects.filter(pk=run.pk, ended_at__isnull=True).update(**told):
        logger.warning("%s: this run was closed before its worker came back with: %s", run, told)


def _push(
    company: GoCompany,
    client: PowerOfficeClient,
    run: SyncRun,
    counts: Counter[str],
    *,
    clock: Callable[[], datetime],
    keep_going: Callable[[], bool],
    is_new: bool,
) -> None:
    """Push what is due, the registers read first in a new run. Raises why nothing more can be sent."""
    if not due_statements(company, clock()):
        return
    began, last = clock(), company.registers_read_at
    if is_new and (last is None or run.trigger == RunTrigger.PERSON or began - last >= REGISTERS_EVERY):
        read_customers(company, client, began=began)
        read_products(company, client, began=began)
        GoCompany.objects.filter(pk=company.pk).update(registers_read_at=began)
    pushed, trouble = push_queue(company, client, clock=clock, keep_going=keep_going, run=run)
    counts.update(prefixed("push", pushed))
    if trouble is not None:
        raise trouble


def prefixed(word: str, counts: Counter[str]) -> dict[str, int]:
    """Counts under names that say what they belong to."""
    return {f"{word} {name.lower()}": count for name, count in counts.items()}


def _has_pushed(run: SyncRun) -> bool:
    """Whether this run has tried to push anything yet."""
    return SyncAttempt.objects.filter(run=run, operation=Operation.CREATE_ORDER).exists()


def _probe(company: GoCompany, client_for: Callable[[GoCompany], PowerOfficeClient], now: datetime) -> bool:
    """Ask, at most twice a minute, whether Go answers again and the key works. True: the turn may go on.

    For a paused company that turn is a trial: it stays paused until one statement and a pull have gone well, because
    the list of privileges does not show everything that may be refused.
    """
    if company.probe_at is not None and company.probe_at > now:
        return False
    try:
        check = check_company(
            company=company, client=client_for(company), now=now, wake=company.state == CompanyState.ACTIVE
        )
    except ConfigurationError as error:
        logger.info("%s is still paused: %s", company, error)
        return False
    return not check.problem and not check.missing


def _try_again_later(company: GoCompany, now: datetime) -> None:
    """The key works and no privilege is missing, and still Go refuses: ask seldom, a person will have to act."""
    GoCompany.objects.filter(pk=company.pk, state=CompanyState.PAUSED).update(probe_at=now + TRIAL_EVERY)


def activate_due(now: datetime) -> int:
    """Upcoming statements whose payment date has come begin their journey. Norwegian calendar day. Returns how many.

    Those of subscriptions whose payer has no default invoice receiver are put on hold instead, with the reason.
    """
    waiting = InvoiceStatement.objects.filter(
        status=StatementStatus.UPCOMING,
        held=False,
        payment_date__lte=timezone.localdate(now),
        company__state=CompanyState.ACTIVE,
    )
    due = list(waiting.values_list("pk", flat=True)[:5000])
    held = hold_back(due, now)
    return sum(
        move(
            pk,
            from_status=StatementStatus.UPCOMING,
            to_status=StatementStatus.PROCESSING,
            now=now,
            reason="Its payment date has come",
        )
        for pk in due
        if pk not in held
    )


def companies_with_work(now: datetime) -> list[int]:
    """Companies that have something to push, settle or send, or a probe that is due."""
    waiting = InvoiceStatement.objects.filter(
        Q(next_try_at__isnull=True) | Q(next_try_at__lte=now),
        Q(status=StatementStatus.PROCESSING) | Q(status=StatementStatus.IN_DOUBT, doubt_since__lte=now - GATHER),
        Q(company__probe_at__isnull=True) | Q(company__probe_at__lte=now),
        company__state=CompanyState.ACTIVE,
    )
    sends = to_send(now).filter(company__state=CompanyState.ACTIVE)
    sends = sends.filter(Q(company__probe_at__isnull=True) | Q(company__probe_at__lte=now))
    probes = GoCompany.objects.filter(state=CompanyState.PAUSED).filter(Q(probe_at__isnull=True) | Q(probe_at__lte=now))
    return sorted(
        set(waiting.values_list("company_id", flat=True).distinct())
        | set(sends.values_list("company_id", flat=True).distinct())
        | set(probes.values_list("pk", flat=True))
    )


def sweep(now: datetime) -> list[int]:
    """Every few seconds: stale claims become doubts, due statements are activated. Returns the companies with work."""
    close_stale_claims(now)
    activate_due(now)
    return companies_with_work(now)


def companies_to_cycle() -> list[int]:
    """Companies whose cycle the schedule starts."""
    return list(
        GoCompany.objects.filter(state__in=[CompanyState.ACTIVE, CompanyState.PAUSED])
        .order_by("pk")
        .values_list("pk", flat=True)
    )
