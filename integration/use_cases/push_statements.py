"""Push: claim, decide, send, record. Every statement that should reach Go does, once, whatever breaks on the way.

A power cut after any line is safe: before the claim nothing happened; after it the lease runs out and the sweep
makes it a doubt; a doubt is settled by looking (`settle_doubts`), never by sending again blindly.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeGuard

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Prefetch, Q

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.explanations import refusal_code
from integration.decisions.money import amount_text
from integration.decisions.retries import next_try
from integration.decisions.sales_orders import (
    LineFacts,
    Problem,
    StatementFacts,
    sales_order_draft,
    totals_differ,
)
from integration.enums import (
    AttemptOutcome,
    LineKind,
    Operation,
    OrderStateOnArrival,
    StatementKind,
    StatementStatus,
)
from integration.errors import (
    ConfigurationError,
    Conflict,
    Evidence,
    InDoubt,
    NotFound,
    PermanentError,
    Refused,
    RemoteError,
    TemporaryError,
    Throttled,
    Unavailable,
)
from integration.models import GoCompany, InvoiceStatement, StatementLine, SyncAttempt, SyncRun
from integration.terms import SalesOrder
from integration.use_cases.attempts import close_attempt, error_code, open_attempt, renew_lease
from integration.use_cases.credit_statement import creditable
from integration.use_cases.moves import move
from integration.use_cases.sync_customers import CustomerProblem, ensure_customer, forget_customer
from integration.use_cases.sync_products import create_product, products_in_go, recheck_products

logger = logging.getLogger(__name__)

REFERENCE_TAKEN = "REFERENCE_TAKEN"
"""Attention code: Go says that our reference is in use. Nobody but a look-up can tell by what."""


class ClaimLost(Exception):
    """Our lease ran out before the request left: nothing was sent, somebody else has the statement."""


PORTION: Final = 20
"""So many statements are read at once: a second or two of work at the pace."""

FRESH: Final = timedelta(seconds=3)
"""What was read longer ago is read again: somebody may have mended a customer or product meanwhile."""

MOST_SILENCE: Final = 4
"""So many pushes in a row without a proper answer, and Go is left alone for a while."""

SILENT: Final = "PowerOffice Go does not answer properly."


@dataclass(frozen=True)
class Sent:
    """How one push ended, and on what error."""

    outcome: AttemptOutcome
    error: Exception | None = None


def due_statements(company: GoCompany, now: datetime) -> "list[int]":
    """The next statements to push, oldest first: at most a hundred at a time, because the queue moves."""
    return list(
        InvoiceStatement.objects.filter(company=company, status=StatementStatus.PROCESSING)
        .filter(Q(next_try_at__isnull=True) | Q(next_try_at__lte=now))
        .order_by("next_try_at", "pk")
        .values_list("pk", flat=True)[:100]
    )


def push_queue(
    company: GoCompany,
    client: PowerOfficeClient,
    *,
    clock: Callable[[], datetime],
    keep_going: Callable[[], bool],
    run: SyncRun | None = None,
) -> tuple[Counter[str], RemoteError | None]:
    """Push what is due until the queue is empty, `keep_going` says stop, or nothing can be sent now.

    Returns counts by outcome, and why nothing can be sent: Go does not answer (several in a row, or all of this turn),
    our turn is too far away, or the company was paused.
    """
    counts: Counter[str] = Counter()
    tried: set[int] = set()
    silence = 0
    while batch := [pk for pk in due_statements(company, clock()) if pk not in tried]:
        read_at = clock()
        portion = read_portion(company, batch[:PORTION])
        products = products_of(portion)
        for statement in portion:
            if not keep_going():
                return counts, Unavailable(SILENT) if 0 < silence == counts.total() else None
            tried.add(statement.pk)
            sent = push_statement(statement, products, client, clock=clock, run=run)
            if sent is None:
                break
            counts[sent.outcome.value] += 1
            silence = silence + 1 if isinstance(sent.error, (Unavailable, InDoubt)) else 0
            if silence >= MOST_SILENCE:
                return counts, Unavailable(SILENT)
            if isinstance(sent.error, ConfigurationError) or waits_long(sent.error):
                return counts, sent.error
            # What was tried in vain may have changed a customer or product that others of the portion have too.
            if sent.outcome != AttemptOutcome.DONE or clock() - read_at > FRESH:
                break
    return counts, None


def read_portion(company: GoCompany, statement_ids: list[int]) -> list[InvoiceStatement]:
    """Statements with customers, lines and products, in this order, in a few questions for all of them.

    Those of one customer share it, so what the first push learns of it the next one knows. The claim refuses a
    statement that was saved after it was read.
    """
    lines = StatementLine.objects.order_by("line_number").prefetch_related("product")
    rows = company.statements.prefetch_related("customer", Prefetch("lines", lines)).in_bulk(statement_ids)
    statements = [rows[pk] for pk in statement_ids if pk in rows]
    for statement in statements:
        if statement.customer is not None:
            statement.customer.company = company
    return statements


def products_of(statements: Collection[InvoiceStatement]) -> dict[str, int | str]:
    """What Go has of the products on their lines, by code: see `products_in_go`."""
    codes = {line.product.code for each in statements for line in each.lines.all() if line.product}
    return products_in_go(next(iter(statements)).company, codes) if codes else {}


def waits_long(error: Exception | None) -> TypeGuard[Throttled]:
    """Whether our own pace has no turn for us soon. (After Go's 429 the next request just waits until it may leave.)"""
    return isinstance(error, Throttled) and error.evidence.status is None


def claim(statement: InvoiceStatement, *, now: datetime, run: SyncRun | None) -> SyncAttempt | None:
    """Take a statement from the queue, or None when somebody else did, still has it open, or saved it since we read."""
    try:
        with transaction.atomic(durable=True):
            if not move(
                statement.pk,
                from_status=StatementStatus.PROCESSING,
                to_status=StatementStatus.PUSHING,
                now=now,
                reason="Taken from the queue",
                last_saved=statement.updated_at,
            ):
                return None
            return open_attempt(
                company=statement.company,
                operation=Operation.CREATE_ORDER,
                now=now,
                run=run,
                statement_id=statement.pk,
            )
    except IntegrityError:
        logger.warning("Statement %s has an attempt under way; the sweep closes it first.", statement)
        return None


def push_statement(
    statement: InvoiceStatement,
    products: dict[str, int | str],
    client: PowerOfficeClient,
    *,
    clock: Callable[[], datetime],
    run: SyncRun | None = None,
) -> Sent | None:
    """Push one statement as it was read, with `products_of` it. Never raises for what the remote system does.

    None: it was not ours to push.
    """
    attempt = claim(statement, now=clock(), run=run)
    if attempt is None:
        return None
    left_us = False

    def hold() -> None:
        if not renew_lease(attempt, clock()):
            raise ClaimLost

    def before_send() -> None:
        nonlocal left_us
        hold()
        left_us = True

    try:
        facts = prepare(statement, products, client, clock=clock, hold=hold, run=run)
        order = sales_order_draft(facts)
        if isinstance(order, list):
            return _not_ready(statement, attempt, order, now=clock())
        made = client.create_order(order, before_send=before_send)
        return _record(statement, attempt, made, client.last_evidence, now=clock())
    except ClaimLost:
        logger.warning("Statement %s: the claim ran out before the request left; nothing was sent.", statement)
        return None
    except InDoubt as error:
        return _doubt(statement, attempt, error, now=clock()) if left_us else _later(statement, attempt, error, clock())
    except TemporaryError as error:
        return _later(statement, attempt, error, clock())
    except ConfigurationError as error:
        return _pause(statement, attempt, error, now=clock())
    except PermanentError as error:
        return _refused(statement, attempt, error, client, now=clock())
    except Exception as error:
        logger.exception("Statement %s: our own fault while pushing.", statement)
        return _internal(statement, attempt, error, left_us=left_us, now=clock())


def prepare(
    statement: InvoiceStatement,
    products: dict[str, int | str],
    client: PowerOfficeClient,
    *,
    clock: Callable[[], datetime],
    hold: Callable[[], None],
    run: SyncRun | None = None,
) -> StatementFacts:
    """The statement as plain values, its customer and products made known to Go.

    `hold` keeps the claim alive between calls, and raises when it is lost. `products` learns what is made here. Asks Go
    nothing about customers and products that are known. Raises remote errors other than refusals.
    """
    customer_in_go, customer_problem = None, None
    if statement.customer is not None:
        try:
            customer_in_go = ensure_customer(statement.customer, client, clock=clock, run=run)
        except CustomerProblem as problem:
            customer_problem = Problem(problem.code, str(problem))
    lines = list(statement.lines.all())
    for line in lines:
        if line.product and line.product.code not in products:
            hold()
            products[line.product.code] = create_product(line.product, client, clock=clock, run=run)
    facts = []
    for line in lines:
        in_go = products.get(line.product.code) if line.product else None
        facts.append(
            LineFacts(
                line_number=line.line_number,
                kind=line.kind,
                description=line.description,
                product_code=line.product.code if line.product else "",
                product_in_go=in_go if isinstance(in_go, int) else None,
                product_problem=in_go if isinstance(in_go, str) else "",
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
                department=line.department,
                project=line.project,
                accrual_from=line.accrual_from,
                accrual_to=line.accrual_to,
            )
        )
    return statement_facts(statement, tuple(facts), customer_in_go=customer_in_go, customer_problem=customer_problem)


def statement_facts(
    statement: InvoiceStatement,
    lines: tuple[LineFacts, ...],
    *,
    customer_in_go: int | None,
    customer_problem: Problem | None = None,
) -> StatementFacts:
    """A statement's header as plain values."""
    taken_back = statement.credits if statement.kind == StatementKind.CREDIT_NOTE else None
    credited = taken_back.outgoing_invoice if taken_back else None
    return StatementFacts(
        reference=statement.reference,
        kind=statement.kind,
        currency=statement.currency,
        statement_date=statement.statement_date,
        total=statement.total,
        has_customer=statement.customer is not None,
        order_number=statement.pk,
        customer_in_go=customer_in_go,
        customer_problem=customer_problem,
        stated_total=statement.stated_total,
        delivery_date=statement.delivery_date,
        payment_days=statement.payment_days
        if statement.payment_days is not None
        else (statement.customer.payment_days if statement.customer else None) or statement.company.payment_days,
        customer_reference=statement.customer_reference,
        purchase_order_reference=statement.purchase_order_reference,
        contract_number=statement.contract_number,
        locked=statement.company.order_state_on_arrival == OrderStateOnArrival.LOCKED,
        related_invoice_number=credited.invoice_number if credited else None,
        credits=str(taken_back or ""),
        credit_left=creditable(taken_back, without=statement.pk).left_total if taken_back else None,
        lines=lines,
    )


def order_fields(statement: InvoiceStatement, order: SalesOrder, now: datetime) -> dict[str, Any]:
    """What is kept of an order that Go has: also what a person must know when its total is not ours."""
    code, attention = total_attention(statement, order)
    statement.go_order_number = order.number
    statement.refresh_search()
    return {
        "search": statement.search,
        "go_order_id": order.id,
        "combined_into": "",
        "go_order_number": order.number,
        "go_total": order.total,
        "go_line_count": order.line_count,
        "go_last_changed_at": order.last_changed_at,
        "go_says": f"Draft no. {order.number}",
        "pushed_at": now,
        "missing_since": None,
        "doubt_since": None,
        "next_try_at": None,
        "tries": 0,
        "attention_code": code,
        "attention": attention,
    }


def total_attention(statement: InvoiceStatement, order: SalesOrder) -> tuple[str, str]:
    """Code and words when Go's total is not ours, else two empty texts."""
    if not totals_differ(statement.total, order.total, order.line_count):
        return "", ""
    currency = statement.currency
    return "TOTAL_DIFFERS", (
        f"PowerOffice Go says {amount_text(order.total, currency)}, we say "
        f"{amount_text(statement.total, currency)}. Go takes VAT from "
        "the product's sales account: compare it with the VAT rate here before the invoice is sent."
    )


def arrived(order: SalesOrder) -> StatementStatus:
    """The status of a statement whose order is in Go, not sent."""
    return StatementStatus.CONFIRMED if order.locked else StatementStatus.DRAFT


def _record(
    statement: InvoiceStatement, attempt: SyncAttempt, order: SalesOrder, said: Evidence, *, now: datetime
) -> Sent:
    """Go has it. Also when the sweep meanwhile took us for dead: the answer is the truth, whatever it made of it."""
    fields = order_fields(statement, order, now)
    words = f"Sales order {order.number} made in PowerOffice Go"
    with transaction.atomic(durable=True):
        ours = close_attempt(attempt, AttemptOutcome.DONE, now=now, message=str(fields["attention"]), evidence=said)
        from_status = StatementStatus.PUSHING if ours else StatementStatus.IN_DOUBT
        known = move(statement.pk, from_status=from_status, to_status=arrived(order), now=now, reason=words, **fields)
        if not known and not ours:
            # Taken for absent already, and back in the queue: take it out before somebody sends it again.
            known = move(
                statement.pk,
                from_status=StatementStatus.PROCESSING,
                to_status=StatementStatus.PUSHING,
                now=now,
                reason="The answer came late",
            ) and move(
                statement.pk,
                from_status=StatementStatus.PUSHING,
                to_status=arrived(order),
                now=now,
                reason=words,
                **fields,
            )
        if not known:
            late = open_attempt(company=statement.company, operation=Operation.CREATE_ORDER, now=now)
            close_attempt(
                late,
                AttemptOutcome.INTERNAL,
                now=now,
                error_code="LATE_ANSWER",
                message=f"Statement {statement}: the answer came so late that somebody else was sending it. Look in "
                f"PowerOffice Go for a second order beside {order.number}.",
            )
            logger.error("Statement %s: late answer, sales order %s; look for a second one.", statement, order.number)
    return Sent(AttemptOutcome.DONE)


def _end(
    statement: InvoiceStatement,
    attempt: SyncAttempt,
    outcome: AttemptOutcome,
    to_status: StatementStatus,
    *,
    now: datetime,
    message: str,
    code: str,
    evidence: Evidence | None = None,
    next_try_at: datetime | None = None,
    **fields: Any,
) -> bool:
    """Close our attempt and move the statement. False: the claim was taken from us, nothing was changed."""
    with transaction.atomic(durable=True):
        ours = close_attempt(
            attempt,
            outcome,
            now=now,
            message=message,
            error_code=code,
            evidence=evidence,
            next_try_at=next_try_at,
        )
        if not ours:
            logger.warning("Statement %s: the claim ran out meanwhile; whoever has it now decides.", statement)
            return False
        return move(
            statement.pk,
            from_status=StatementStatus.PUSHING,
            to_status=to_status,
            now=now,
            reason=message,
            next_try_at=next_try_at,
            **fields,
        )


def _not_ready(
    statement: InvoiceStatement, attempt: SyncAttempt, problems: list[Problem], *, now: datetime
) -> Sent | None:
    message = "\n".join(str(problem) for problem in problems[:50])
    if len(problems) > 50:
        message += f"\n… and {len(problems) - 50} more."
    return _stuck(statement, attempt, AttemptOutcome.NOT_READY, code=problems[0].code, message=message, now=now)


def _stuck(
    statement: InvoiceStatement,
    attempt: SyncAttempt,
    outcome: AttemptOutcome,
    *,
    code: str,
    message: str,
    now: datetime,
    error: RemoteError | None = None,
) -> Sent | None:
    """A person must mend it; nothing of it is in Go."""
    ours = _end(
        statement,
        attempt,
        outcome,
        StatementStatus.NEEDS_FIX,
        now=now,
        message=message,
        code=code,
        evidence=error.evidence if error else None,
        attention=message,
        attention_code=code,
    )
    return Sent(outcome, error) if ours else None


def _later(statement: InvoiceStatement, attempt: SyncAttempt, error: RemoteError, now: datetime) -> Sent | None:
    """Nothing reached Go: back into the queue with a next time."""
    retry_after = error.retry_after if isinstance(error, TemporaryError) else None
    ours = _end(
        statement,
        attempt,
        AttemptOutcome.LATER,
        StatementStatus.PROCESSING,
        now=now,
        message=error.message,
        code=error_code(error),
        evidence=error.evidence,
        next_try_at=next_try(now, statement.tries, first_seconds=settings.GO_RETRY_SECONDS, retry_after=retry_after),
        tries=statement.tries + 1,
    )
    return Sent(AttemptOutcome.LATER, error) if ours else None


def _doubt(
    statement: InvoiceStatement, attempt: SyncAttempt, error: RemoteError, *, now: datetime, code: str = ""
) -> Sent | None:
    """The request left us and we do not know what became of it: look before anything else happens."""
    ours = _end(
        statement,
        attempt,
        AttemptOutcome.IN_DOUBT,
        StatementStatus.IN_DOUBT,
        now=now,
        message=error.message,
        code=error_code(error),
        evidence=error.evidence,
        doubt_since=now,
        tries=statement.tries + 1,
        attention_code=code,
    )
    return Sent(AttemptOutcome.IN_DOUBT, error) if ours else None


def _pause(statement: InvoiceStatement, attempt: SyncAttempt, error: RemoteError, *, now: datetime) -> Sent | None:
    """Keys or rights are refused: the whole company waits, this statement goes back to the queue unharmed."""
    statement.company.pause(error.message, now)
    ours = _end(
        statement,
        attempt,
        AttemptOutcome.SETUP,
        StatementStatus.PROCESSING,
        now=now,
        message=error.message,
        code=error_code(error),
        evidence=error.evidence,
    )
    return Sent(AttemptOutcome.SETUP, error) if ours else None


def _refused(
    statement: InvoiceStatement,
    attempt: SyncAttempt,
    error: PermanentError,
    client: PowerOfficeClient,
    *,
    now: datetime,
) -> Sent | None:
    """A refusal may mean "I have it already": which status and words Go uses for that is not known, so we look.

    A doubt finds it (or not); only a refusal that is about something else stops the statement at once.
    """
    said = f"{error.evidence.title} {error.evidence.detail}"
    about_reference = "externalimportreference" in said.casefold() or statement.reference.casefold() in said.casefold()
    if isinstance(error, Conflict) or about_reference:
        return _doubt(statement, attempt, error, now=now, code=REFERENCE_TAKEN)
    message = f"PowerOffice Go refused it: {error.evidence.detail or error.message}"
    cause = refusal_code(said, otherwise=error_code(error))
    if isinstance(error, NotFound):
        _recheck(statement, client)
    elif isinstance(error, Refused):
        try:
            since = statement.created_at - timedelta(days=1)
            taken = client.find_orders([statement.reference], since=since) or client.find_invoices(
                [statement.reference], since=since
            )
        except RemoteError:
            logger.warning("Statement %s: refused, and the look-up failed too; in doubt.", statement)
            return _doubt(statement, attempt, error, now=now)
        if taken:
            return _doubt(statement, attempt, error, now=now, code=REFERENCE_TAKEN)
    return _stuck(statement, attempt, AttemptOutcome.REFUSED, code=cause, message=message, now=now, error=error)


def _recheck(statement: InvoiceStatement, client: PowerOfficeClient) -> None:
    """Something we took for known is gone from Go: see what, so that the next push uses today's knowledge."""
    try:
        customer = statement.customer
        if customer is not None and customer.go_customer_id is not None:  # pragma: no branch - an order has a customer
            try:
                client.customer(customer.go_customer_id)
            except NotFound:
                forget_customer(customer)
        codes = statement.lines.filter(kind=LineKind.PRODUCT).values_list("product__code", flat=True)
        recheck_products(statement.company, client, (code for code in codes if code))
    except RemoteError as error:
        logger.warning("Statement %s: could not look what is missing in Go: %s", statement, error)


def _internal(
    statement: InvoiceStatement, attempt: SyncAttempt, error: Exception, *, left_us: bool, now: datetime
) -> Sent | None:
    """Our own fault, or our database away. If the request may have left, it is a doubt; else the statement stops."""
    if isinstance(error, (OperationalError, InterfaceError)):
        # Locked, restarted, cut off. Should it still be away, the lease runs out and the sweep sees to the statement.
        away = TemporaryError("Our own database did not answer. It goes on by itself.")
        return _doubt(statement, attempt, away, now=now) if left_us else _later(statement, attempt, away, now)
    wrapped = RemoteError(f"Fakturabro made a mistake ({type(error).__name__}). Support has the details in the log.")
    if left_us:
        return _doubt(statement, attempt, wrapped, now=now)
    return _stuck(
        statement, attempt, AttemptOutcome.INTERNAL, code="INTERNAL", message=wrapped.message, now=now, error=wrapped
    )
