"""Doubts: what became of a write whose answer never came? Look, for many statements with one list.

Found: it is ours. Absent: only a look-up that began long enough after the doubt proves it (Go reads from a replica
that lags, and a slow request may still be committed after our time-out); until then the statement stays in doubt.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.money import lines_among
from integration.decisions.sales_orders import same_order
from integration.enums import AttemptOutcome, Operation, RunTrigger, StatementStatus
from integration.models import GoCompany, InvoiceStatement, SyncAttempt, SyncRun
from integration.terms import RemoteInvoice, SalesOrder
from integration.use_cases.attempts import close_attempt, open_attempt
from integration.use_cases.find_traces import BY_CONTENT, Traces, find_traces
from integration.use_cases.moves import move
from integration.use_cases.pull_statuses import link_invoices, refresh_statuses, store_invoices
from integration.use_cases.push_statements import REFERENCE_TAKEN, arrived, order_fields, statement_facts
from integration.use_cases.workers import is_gone

BATCH: Final = 200
GATHER: Final = timedelta(seconds=settings.GO_ABSENCE_SECONDS / 3)
"""Doubts are gathered so long before they are looked up with one list, unless a person asks."""

OTHER_ORDER = "OTHER_ORDER"
"""Attention code: Go has an order or invoice under our reference that is not the one we meant."""

COMBINED_UNSEEN = "COMBINED_UNSEEN"
"""Attention code: its lines are in another order or invoice, though we never heard that it arrived."""


def close_stale_claims(now: datetime) -> int:
    """Attempts whose worker died: close them; their statements become doubts. Returns how many.

    A worker is dead when its lease has ended, or at once when the machine we share knows it.
    """
    under_way = list(
        SyncAttempt.objects.filter(ended_at__isnull=True)
        .order_by("lease_until")
        .values_list("pk", "statement_id", "started_at", "lease_until", "worker")[:1000]
    )
    count = 0
    for attempt_id, statement_id, started_at, lease_until, worker in under_way:
        if lease_until >= now and not is_gone(worker):
            continue
        with transaction.atomic(durable=True):
            # The lease is asked again here: its worker may have come back to life and renewed it.
            closed = SyncAttempt.objects.filter(pk=attempt_id, ended_at__isnull=True, lease_until=lease_until).update(
                ended_at=now,
                outcome=AttemptOutcome.IN_DOUBT,
                error_code="WORKER_LOST",
                message=f"The worker that began at {started_at:%H:%M:%S} UTC did not come back.",
            )
            count += closed
            if closed and statement_id is not None:
                move(
                    statement_id,
                    from_status=StatementStatus.PUSHING,
                    to_status=StatementStatus.IN_DOUBT,
                    now=now,
                    reason="The worker did not come back; we look whether the order reached PowerOffice Go.",
                    doubt_since=min(lease_until, now),  # nothing leaves us after it, however late we notice
                    next_try_at=None,
                )
    return count


def settle_doubts(
    company: GoCompany, client: PowerOfficeClient, *, clock: Callable[[], datetime], run: SyncRun | None = None
) -> Counter[str]:
    """Look up the doubts of a company: once they are gathered, or a person asks, and again when absence is proof.

    Doubts so young that Go's replica may not show them yet are left for the next time. Raises remote errors.
    """
    counts: Counter[str] = Counter()
    began = clock()
    doubts = list(
        InvoiceStatement.objects.filter(
            Q(next_try_at__isnull=True) | Q(next_try_at__lte=began),
            company=company,
            status=StatementStatus.IN_DOUBT,
            doubt_since__lte=began - timedelta(seconds=settings.GO_REPLICA_SECONDS),
        )
        .select_related("company", "customer", "credits__outgoing_invoice", "outgoing_invoice")
        .order_by("doubt_since")[:BATCH]
    )
    gathered = any(each.next_try_at or (each.doubt_since and began - each.doubt_since >= GATHER) for each in doubts)
    if not gathered and not (doubts and run and run.trigger == RunTrigger.PERSON):
        return counts
    # A doubt may follow earlier ones of the same statement: look back to when the statement was made.
    since = min(statement.created_at for statement in doubts) - timedelta(days=1)
    orders = client.find_orders([statement.reference for statement in doubts], since=since)
    # Somebody may have sent it before we looked; that can wait for the look-up from which we would conclude absence.
    rest = [each.reference for each in doubts if each.reference not in orders and _old_enough(each, began)]
    invoices = client.find_invoices(rest, since=since) if rest else {}
    absent, waiting = [], []
    for statement in doubts:
        order, invoice = orders.get(statement.reference), invoices.get(statement.reference)
        if order is not None:
            counts[_found(statement, order, run, clock())] += 1
        elif invoice is not None:
            counts[_found_sent(statement, invoice, run, clock())] += 1
        elif _old_enough(statement, began):
            absent.append(statement)
        else:
            waiting.append(statement)
    if waiting:
        counts["waiting"] += _wait(waiting)
    # After those found are recorded: their orders need not be opened in search of lines.
    traces = find_traces(company, client, absent) if absent else Traces()
    for statement in absent:
        counts[_absent(statement, traces.proposals.get(statement.pk), run, clock())] += 1
    return counts


def _old_enough(statement: InvoiceStatement, began: datetime) -> bool:
    """Whether a look-up that began now proves absence."""
    since = statement.doubt_since
    return since is not None and began - since >= timedelta(seconds=settings.GO_ABSENCE_SECONDS)


def _difference(statement: InvoiceStatement, customer_id: int | None, total: "SalesOrder | RemoteInvoice") -> str:
    facts = statement_facts(
        statement, (), customer_in_go=statement.customer.go_customer_id if statement.customer else None
    )
    return same_order(facts, their_customer_id=customer_id, their_total=total.total, line_count=statement.lines.count())


def _close(
    statement: InvoiceStatement, run: SyncRun | None, outcome: AttemptOutcome, message: str, now: datetime
) -> None:
    """One look-up of one statement, told in the trail."""
    attempt = open_attempt(
        company=statement.company, operation=Operation.LOOK_UP_ORDER, now=now, run=run, statement_id=statement.pk
    )
    close_attempt(attempt, outcome, now=now, message=message)


def _stop(
    statement: InvoiceStatement,
    run: SyncRun | None,
    *,
    code: str,
    message: str,
    outcome: AttemptOutcome,
    now: datetime,
    proposal: dict[str, Any] | None = None,
) -> str:
    with transaction.atomic(durable=True):
        if move(
            statement.pk,
            from_status=StatementStatus.IN_DOUBT,
            to_status=StatementStatus.NEEDS_FIX,
            now=now,
            reason=message,
            attention=message,
            attention_code=code,
            doubt_since=None,
            next_try_at=None,
            proposal=proposal,
        ):
            _close(statement, run, outcome, message, now)
    return "stuck"


def _found(statement: InvoiceStatement, order: SalesOrder, run: SyncRun | None, now: datetime) -> str:
    difference = _difference(statement, order.customer_id, order)
    if difference:
        return _stop(
            statement,
            run,
            code=OTHER_ORDER,
            message=f"PowerOffice Go has sales order {order.number} under our reference {statement.reference}, but "
            f"{difference}. Look at that order; delete it there or correct the statement, then push "
            "again: we look first.",
            outcome=AttemptOutcome.FOUND,
            now=now,
        )
    with transaction.atomic(durable=True):
        if move(
            statement.pk,
            from_status=StatementStatus.IN_DOUBT,
            to_status=arrived(order),
            now=now,
            reason=f"Found in PowerOffice Go as sales order {order.number}",
            **order_fields(statement, order, now),
        ):
            _close(statement, run, AttemptOutcome.FOUND, f"Sales order {order.number}", now)
    return "found"


def _found_sent(statement: InvoiceStatement, invoice: RemoteInvoice, run: SyncRun | None, now: datetime) -> str:
    """Somebody sent it before we looked."""
    difference = _difference(statement, invoice.customer_id, invoice)
    if difference:
        return _stop(
            statement,
            run,
            code=OTHER_ORDER,
            message=f"PowerOffice Go has invoice {invoice.number} under our reference {statement.reference}, but "
            f"{difference}. Look at that invoice before anything is pushed again.",
            outcome=AttemptOutcome.FOUND,
            now=now,
        )
    with transaction.atomic(durable=True):
        if move(
            statement.pk,
            from_status=StatementStatus.IN_DOUBT,
            to_status=StatementStatus.SENT,
            now=now,
            reason=f"Found in PowerOffice Go as invoice {invoice.number}",
            go_order_id=invoice.id,
            go_order_number=invoice.order_number,
            go_total=invoice.total,
            pushed_at=now,
            doubt_since=None,
            next_try_at=None,
            tries=0,
            attention="",
            attention_code="",
        ):
            _close(statement, run, AttemptOutcome.FOUND, f"Invoice {invoice.number}", now)
        store_invoices(statement.company, [invoice])
        link_invoices(statement.company, [invoice])
        refresh_statuses(statement.company, [invoice.id], now)
    return "found"


def _wait(statements: Sequence[InvoiceStatement]) -> int:
    """Not seen yet. The next look proves something: one look for all whose proof comes at about the same time."""
    proof = timedelta(seconds=settings.GO_ABSENCE_SECONDS)
    proved_at = {each.pk: (each.doubt_since or each.created_at) + proof for each in statements}
    last = max(proved_at.values())
    for key, moment in proved_at.items():
        look_at = last if last - moment <= GATHER else moment
        InvoiceStatement.objects.filter(pk=key, status=StatementStatus.IN_DOUBT).update(next_try_at=look_at)
    return len(statements)


def _absent(statement: InvoiceStatement, proposal: dict[str, Any] | None, run: SyncRun | None, now: datetime) -> str:
    likeness = proposal is not None and proposal["by"] == BY_CONTENT
    if likeness and proposal and _was_shown(proposal, statement.proposal):
        proposal = None  # a person knows better, and pushed again
    if proposal is not None:
        where = f"{'sales order' if proposal['kind'] == 'order' else 'invoice'} {proposal['number']} in PowerOffice Go"
        message = (
            f"{lines_among(len(proposal['lines']), proposal['of'])} in {where}: somebody combined it with others "
            "before we heard of it. Do not invoice it again: link it with that one."
        )
        if likeness:
            message = (
                f"It was sent without an answer and is not there under our reference, but {where} has lines that say "
                "the same. If somebody combined it into that one, link it; if it is not in there, push again: then it "
                "is sent."
            )
        return _stop(
            statement,
            run,
            code=COMBINED_UNSEEN,
            message=message,
            outcome=AttemptOutcome.FOUND,
            now=now,
            proposal=proposal,
        )
    if statement.attention_code == REFERENCE_TAKEN:
        return _stop(
            statement,
            run,
            code=REFERENCE_TAKEN,
            message=f"PowerOffice Go says that our reference {statement.reference} is in use, but shows neither an "
            "order nor an invoice with it: most likely a draft that was deleted there. Make sure that the customer "
            "has not been invoiced, then push again: it gets a new reference.",
            outcome=AttemptOutcome.ABSENT,
            now=now,
        )
    with transaction.atomic(durable=True):
        if move(
            statement.pk,
            from_status=StatementStatus.IN_DOUBT,
            to_status=StatementStatus.PROCESSING,
            now=now,
            reason="Not in PowerOffice Go: it is sent again",
            doubt_since=None,
            next_try_at=None,
            attention_code="",
            proposal=None,
        ):
            _close(statement, run, AttemptOutcome.ABSENT, "Neither an order nor an invoice.", now)
    return "absent"


def _was_shown(proposal: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Whether a person has seen this likeness. One who saw our own mark there has seen a proof, and it stays one."""
    return before is not None and (before["id"], before["by"]) == (proposal["id"], BY_CONTENT)
