"""Where did the lines of a lost draft go? Combined drafts lose their header references; line references survive (I).
Where they do not, lines are known by what they say (`decisions/whereabouts.py`).

One list of orders and one of invoices for all customers concerned; only orders and invoices that are not known to be
untouched ones of ours, and that changed since the lost one was sent, are opened. A line that another lost draft of the
customer explains is not evidence. Source: reference/poweroffice-go.md §8.10.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Min, Q, prefetch_related_objects

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.sales_orders import line_reference
from integration.decisions.transitions import DRAFTS
from integration.decisions.whereabouts import BY_CONTENT, FoundLine, LostDraft, Place, whereabouts
from integration.enums import Operation, StatementStatus
from integration.models import CustomerInGo, GoCompany, InvoiceStatement, StatementLine, SyncAttempt
from integration.use_cases.sync_products import products_in_go

__all__ = ["BY_CONTENT", "Traces", "find_traces"]

MOST_OPENED: Final = 60
"""How many orders and invoices are opened in one search. More, and the search counts as cut short."""

SKEW: Final = timedelta(minutes=1)
"""So far Go's clock and ours may be apart, at most."""


@dataclass(frozen=True)
class Candidate:
    """An order or invoice worth opening."""

    kind: str
    id: str
    number: int | None
    customer_id: int | None
    changed_at: datetime | None


@dataclass
class Traces:
    """What a search found. `proposals` by statement id; `unsearched` are those for whom nothing can be said."""

    proposals: dict[int, dict[str, Any]] = field(default_factory=dict)
    unsearched: set[int] = field(default_factory=set)


def find_traces(company: GoCompany, client: PowerOfficeClient, statements: Sequence[InvoiceStatement]) -> Traces:
    """Look for the lines of these statements among their customers' orders and invoices. Raises RemoteError."""
    traces = Traces()
    numbers = _customer_numbers(company, statements)
    searched = [statement for statement in statements if statement.customer_id in numbers]
    traces.unsearched = {statement.pk for statement in statements} - {statement.pk for statement in searched}
    if not searched:
        return traces
    customers = sorted(set(numbers.values()))
    since = min(statement.created_at for statement in searched) - timedelta(days=1)
    candidates, listed = _candidates(company, client, customers, since)
    rows = list(InvoiceStatement.objects.filter(pk__in=[row.pk for row in searched]).select_related("customer"))
    changed_at = _last_changed(rows)
    candidates = [each for each in candidates if _may_hold(each, rows, changed_at)]
    opened = candidates[:MOST_OPENED]
    already = _already_there(company, [each.id for each in opened], [row.pk for row in searched])
    rivals = _rivals(company, list(numbers), listed, leaving_out=[row.pk for row in searched]) if opened else []
    everybody = [*rows, *rivals, *(row for there in already.values() for row in there)]
    prefetch_related_objects(everybody, "lines__product")
    lines = _lines_of(company, everybody)

    def lost(statements: Sequence[InvoiceStatement]) -> list[LostDraft]:
        return [
            LostDraft(
                row.pk,
                lines[row.pk],
                row.customer.go_customer_id if row.customer else None,
                changed_at.get(row.pk, row.go_last_changed_at),
                seen=bool(row.go_order_id),
            )
            for row in statements
        ]

    places = [
        _opened(client, each, tuple(line for row in already[each.id] for line in lines[row.pk])) for each in opened
    ]
    taken: dict[str, tuple[FoundLine, ...]] = defaultdict(tuple)
    for key, found in whereabouts(lost(rivals), places).items():
        taken[found.place.id] += lines[key]
    places = [replace(place, own=place.own + taken[place.id]) for place in places]
    for key, found in whereabouts(lost(rows), places).items():
        traces.proposals[key] = {
            "kind": found.place.kind,
            "id": found.place.id,
            "number": found.place.number,
            "lines": list(found.lines),
            "of": found.of,
            "by": found.by,
        }
    if len(candidates) > MOST_OPENED:
        traces.unsearched |= {statement.pk for statement in searched if statement.pk not in traces.proposals}
    return traces


def _already_there(
    company: GoCompany, ids: Sequence[str], leaving_out: Sequence[int]
) -> dict[str, list[InvoiceStatement]]:
    """Who follows these orders and invoices: their lines are not those of a lost draft."""
    found: dict[str, list[InvoiceStatement]] = defaultdict(list)
    rows = InvoiceStatement.objects.filter(
        Q(go_order_id__in=ids, combined_into="") | Q(combined_into__in=ids), company=company
    )
    for row in rows.exclude(pk__in=leaving_out):
        found[row.followed_id].append(row)
    return found


def _last_changed(statements: Sequence[InvoiceStatement]) -> dict[int, datetime]:
    """When each was last as Go had it from us, by Go's clock; where Go never answered, when it was first sent."""
    unseen = [row.pk for row in statements if row.go_last_changed_at is None]
    sent = SyncAttempt.objects.filter(statement__in=unseen, operation=Operation.CREATE_ORDER)
    first = sent.order_by().values_list("statement").annotate(Min("started_at"))
    known = {row.pk: row.go_last_changed_at for row in statements if row.go_last_changed_at is not None}
    return known | {key: moment - SKEW for key, moment in first if key is not None}


def _may_hold(candidate: Candidate, rows: Sequence[InvoiceStatement], changed_at: dict[int, datetime]) -> bool:
    """Whether one of these may be in it: the same customer's, and it changed since."""
    for row in rows:
        moment = changed_at.get(row.pk)
        theirs = row.customer is not None and candidate.customer_id in {None, row.customer.go_customer_id}
        if theirs and (moment is None or candidate.changed_at is None or candidate.changed_at >= moment):
            return True
    return False


def _rivals(
    company: GoCompany, customers: Sequence[int | None], listed: set[str], *, leaving_out: Sequence[int]
) -> list[InvoiceStatement]:
    """Other drafts of these customers that are gone from Go: lines without our mark may be theirs."""
    drafts = InvoiceStatement.objects.filter(
        company=company,
        customer__in=customers,
        status__in=sorted(DRAFTS | {StatementStatus.LINK_BROKEN}),
        combined_into="",
        outgoing_invoice__isnull=True,
    ).exclude(pk__in=leaving_out)
    gone = [pk for pk, go_id in drafts.values_list("pk", "go_order_id") if go_id not in listed]
    return list(InvoiceStatement.objects.filter(pk__in=gone[:MOST_OPENED]).select_related("customer"))


def _opened(client: PowerOfficeClient, candidate: Candidate, own: tuple[FoundLine, ...]) -> Place:
    lines = (
        client.order_with_lines(candidate.id).lines if candidate.kind == "order" else client.invoice_lines(candidate.id)
    )
    return Place(
        kind=candidate.kind,
        id=candidate.id,
        number=candidate.number,
        customer_id=candidate.customer_id,
        changed_at=candidate.changed_at,
        lines=tuple(
            FoundLine(line.reference, line.description, line.product_id, line.quantity, line.unit_price)
            for line in lines
        ),
        own=own,
    )


def _lines_of(company: GoCompany, statements: Sequence[InvoiceStatement]) -> dict[int, tuple[FoundLine, ...]]:
    """Each statement's lines as they were sent."""
    codes = {line.product.code for row in statements for line in row.lines.all() if line.product}
    products = products_in_go(company, codes)

    def as_sent(row: InvoiceStatement, line: StatementLine) -> FoundLine:
        product = products.get(line.product.code) if line.product else None
        return FoundLine(
            line_reference(row.reference, line.line_number),
            line.description or (line.product.name if line.product else ""),
            product if isinstance(product, int) else None,
            line.quantity,
            line.unit_price,
        )

    return {row.pk: tuple(as_sent(row, line) for line in row.lines.all()) for row in statements}


def _customer_numbers(company: GoCompany, statements: Sequence[InvoiceStatement]) -> dict[int | None, int]:
    """Go's customer number by our customer's id: Go's own, which may differ from ours."""
    by_go_id = {
        statement.customer.go_customer_id: statement.customer_id
        for statement in statements
        if statement.customer is not None and statement.customer.go_customer_id is not None
    }
    known = CustomerInGo.objects.filter(company=company, go_customer_id__in=list(by_go_id), number__isnull=False)
    return {by_go_id[row.go_customer_id]: row.number for row in known if row.number is not None}


def _candidates(
    company: GoCompany, client: PowerOfficeClient, customers: Sequence[int], since: datetime
) -> tuple[list[Candidate], set[str]]:
    """Orders and invoices worth opening, latest change first: not those of ours that are as we made them. And the ids
    of all that the customers have.
    """
    orders = list(client.orders(customer_numbers=customers))
    invoices = list(client.invoices(customer_numbers=customers, from_date=since.date()))
    ids = [order.id for order in orders] + [invoice.id for invoice in invoices]
    ours = {
        row["go_order_id"]: row
        for start in range(0, len(ids), 500)
        for row in InvoiceStatement.objects.filter(company=company, go_order_id__in=ids[start : start + 500]).values(
            "go_order_id", "go_total", "go_line_count"
        )
    }
    found: list[Candidate] = []
    for order in orders:
        mine = ours.get(order.id)
        if mine is None or (mine["go_total"], mine["go_line_count"]) != (order.total, order.line_count):
            found.append(Candidate("order", order.id, order.number, order.customer_id, order.last_changed_at))
    for invoice in invoices:
        mine = ours.get(invoice.id)
        if mine is None or mine["go_total"] != invoice.total:
            found.append(Candidate("invoice", invoice.id, invoice.number, invoice.customer_id, invoice.sent_at))
    return sorted(found, key=lambda each: -each.changed_at.timestamp() if each.changed_at else 0.0), set(ids)
