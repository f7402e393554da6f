"""What people decide about failed payments and broken links (reference/wondr.md R7 to R11, R16; design §3).

Before anything is done, PowerOffice Go is asked whether the draft or the invoice still lives there: then it is refused,
since the customer could be charged twice. The asking is `look`, outside every transaction; what it found is handed in.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.money import lines_among
from integration.decisions.sales_orders import statement_reference
from integration.enums import ByHandAction, CompanyState, LineKind, StatementKind, StatementStatus
from integration.models import GoCompany, InvoiceStatement
from integration.use_cases.find_traces import find_traces
from integration.use_cases.moves import move
from integration.use_cases.pay_by_hand import (
    PAYMENT_WAITS,
    PaymentRefused,
    payment_waits,
    read,
    reason_problem,
    why_not_settle,
    write_down,
)
from integration.use_cases.pull_statuses import link_invoices, pull_statuses, refresh_statuses, store_invoices
from integration.use_cases.review_statements import Report

S = StatementStatus
A = ByHandAction

FROM: Final[dict[ByHandAction, frozenset[StatementStatus]]] = {
    A.INVOICE_AGAIN: frozenset({S.CANCELLED, S.LINK_BROKEN}),
    A.CREDIT_HERE: frozenset({S.CANCELLED}),
    A.CANCEL: frozenset({S.LINK_BROKEN}),
}
TO: Final[dict[ByHandAction, StatementStatus]] = {
    A.INVOICE_AGAIN: S.PROCESSING,
    A.CREDIT_HERE: S.CREDITED,
    A.CANCEL: S.CANCELLED,
}
LIVES: Final = "its draft or invoice is in PowerOffice Go: cancel it there first"

NEW_LIFE: Final[dict[str, Any]] = {
    "go_order_id": "",
    "combined_into": "",
    "go_order_number": None,
    "go_total": None,
    "go_line_count": None,
    "go_last_changed_at": None,
    "go_says": "",
    "pushed_at": None,
    "missing_since": None,
    "doubt_since": None,
    "next_try_at": None,
    "tries": 0,
    "proposal": None,
    "outgoing_invoice": None,
    "follows_go": True,
    "send_asked_at": None,
    "send_begun_at": None,
    "send_look_at": None,
    "edits_accepted_at": None,
    "held": False,
    "attention": "",
    "attention_code": "",
}
"""What is forgotten of the old order when it is invoiced again; the log book keeps it."""


def why_not(action: ByHandAction, statement: InvoiceStatement) -> str:
    """In words why this cannot be done now, as far as we know without asking Go, or nothing."""
    if action is A.SETTLE:
        return why_not_settle(statement)
    status = S(statement.status)
    if status not in FROM[action]:
        if status in {S.DRAFT, S.CONFIRMED, S.SENT, S.PARTLY_PAID, S.PAID}:
            return LIVES
        return f"not possible while it is “{status.label}”"
    if payment_waits(statement):
        return PAYMENT_WAITS
    if action is not A.INVOICE_AGAIN:
        return ""
    if statement.kind == StatementKind.CREDIT_NOTE:
        return "a credit note: credit the invoice again instead"
    if statement.customer_id is None:
        return "no customer"
    # From `read` or `asked_at_once`, which ask for many at once.
    counted = getattr(statement, "has_products", getattr(statement, "line_count", None))
    if not (statement.lines.filter(kind=LineKind.PRODUCT).exists() if counted is None else counted):
        return "no product lines"
    if statement.company.state in {CompanyState.SETUP, CompanyState.OFF}:
        return f"{statement.company} is not active"
    return ""


def look(
    company: GoCompany,
    client: PowerOfficeClient,
    statements: Sequence[InvoiceStatement],
    *,
    clock: Callable[[], datetime],
) -> dict[int, str]:
    """Ask Go what became of these; the words by statement of what still lives there. Raises RemoteError.

    All that changed since the last cycle is pulled first, so an undone credit is followed before anybody decides.
    """
    pull_statuses(company=company, client=client, clock=clock)
    orders = list(client.orders(only_ours=True))  # before the invoices: what is sent in between shows in one of them
    by_id, by_reference = {order.id: order for order in orders}, {order.reference: order for order in orders}
    found = list(client.invoices(ids=sorted({statement.followed_id for statement in statements})))
    references = [statement.reference for statement in statements]
    since = min(statement.created_at for statement in statements) - timedelta(days=1)
    seen = {invoice.id for invoice in found}
    found += [invoice for invoice in client.find_invoices(references, since=since).values() if invoice.id not in seen]
    with transaction.atomic(durable=True):
        store_invoices(company, found)
        link_invoices(company, found, living=by_id)
        refresh_statuses(company, [invoice.id for invoice in found], clock())
    lives: dict[int, str] = {}
    for statement in statements:
        order = by_id.get(statement.followed_id) or by_reference.get(statement.reference)
        if order is not None:
            lives[statement.pk] = f"draft no. {order.number} is in PowerOffice Go: delete it there first"
    broken = [each for each in statements if each.status == S.LINK_BROKEN and each.pk not in lives]
    if broken:
        traces = find_traces(company, client, broken)
        for statement in broken:
            proposal = traces.proposals.get(statement.pk)
            if proposal is not None:
                kind = "draft no." if proposal["kind"] == "order" else "invoice"
                lives[statement.pk] = (
                    f"{lines_among(len(proposal['lines']), proposal['of'])} in {kind} {proposal['number']} in "
                    "PowerOffice Go: it was combined"
                )
            elif statement.pk in traces.unsearched:
                lives[statement.pk] = (
                    "not all of the customer's orders and invoices in PowerOffice Go could be searched"
                )
    return lives


def decide_failed(
    action: ByHandAction,
    statements: QuerySet[InvoiceStatement],
    *,
    lives: Mapping[int, str],
    user: User,
    now: datetime,
    reason: str,
) -> Report:
    """Invoice again, credit here only, or treat as cancelled; `lives` is what `look` found right before.

    The caller nudges the workers of `companies` after commit. Raises PaymentRefused: nothing was done.
    """
    if problem := reason_problem(reason):
        raise PaymentRefused(problem)
    held_back: Counter[str] = Counter()
    companies: set[int] = set()
    done = 0
    with transaction.atomic():
        for statement in read(statements, hold=True):
            if refusal := why_not(action, statement) or lives.get(statement.pk, ""):
                held_back[refusal] += 1
                continue
            before = {"status": statement.status, **_old_life(statement)}
            fields = _fields(action, statement, reason)
            words = f"{action.label}: {reason}"
            if not move(
                statement.pk,
                from_status=statement.status,
                to_status=TO[action],
                now=now,
                reason=words,
                user=user,
                **fields,
            ):  # pragma: no cover - its row is held
                continue
            after = {"reference": statement.reference} if action is A.INVOICE_AGAIN else {}
            write_down(action, statement, before, after, user, now, reason=reason)
            companies.add(statement.company_id)
            done += 1
    return Report(done, tuple(held_back.most_common()), tuple(sorted(companies)))


def _old_life(statement: InvoiceStatement) -> dict[str, Any]:
    """What Go called it until now."""
    invoice = statement.outgoing_invoice
    return {
        "reference": statement.reference,
        "order in Go": str(statement.go_order_number or ""),
        "order id in Go": statement.followed_id,
        "invoice": str(invoice.invoice_number or "") if invoice else "",
    }


def _fields(action: ByHandAction, statement: InvoiceStatement, reason: str) -> dict[str, Any]:
    if action is A.CANCEL:
        return {
            "attention": f"Treated as cancelled by a person: {reason}",
            "attention_code": "VANISHED",
            "proposal": None,
        }
    if action is A.CREDIT_HERE:
        return {"attention": "", "attention_code": ""}
    return new_life(statement)


def new_life(statement: InvoiceStatement) -> dict[str, Any]:
    """What becomes of a statement that goes to Go once more, as a new order with the next version of its reference."""
    version = statement.reference_version + 1
    statement.reference = statement_reference(statement.source, statement.source_id, version)
    statement.go_order_number, statement.outgoing_invoice = None, None
    statement.refresh_search()
    return {
        **NEW_LIFE,
        "reference": statement.reference,
        "reference_version": version,
        "search": statement.search,
    }
