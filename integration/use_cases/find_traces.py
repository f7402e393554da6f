"""Where did the lines of a lost draft go? Combined drafts lose their header references; line references survive (I).

One list of orders and one of invoices for all customers concerned; only orders and invoices that are not known to be
untouched ones of ours are opened. Source: reference/poweroffice-go.md §8.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.sales_orders import line_reference
from integration.models import CustomerInGo, GoCompany, InvoiceStatement, StatementLine

MOST_OPENED: Final = 60
"""How many orders and invoices are opened in one search. More, and the search counts as cut short."""


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
    wanted = _wanted_lines(searched)
    customers = sorted(set(numbers.values()))
    since = min(statement.created_at for statement in searched) - timedelta(days=1)
    candidates = _candidates(company, client, customers, since)
    for kind, row_id, number in candidates[:MOST_OPENED]:
        there = (
            [line.reference for line in client.order_with_lines(row_id).lines]
            if kind == "order"
            else [line.reference for line in client.invoice_lines(row_id)]
        )
        for statement in searched:
            shared = sorted(set(there) & wanted[statement.pk])
            best = traces.proposals.get(statement.pk)
            if shared and (best is None or len(shared) > len(best["lines"])):
                traces.proposals[statement.pk] = {
                    "kind": kind,
                    "id": row_id,
                    "number": number,
                    "lines": shared,
                    "of": len(wanted[statement.pk]),
                }
    if len(candidates) > MOST_OPENED:
        traces.unsearched |= {statement.pk for statement in searched if statement.pk not in traces.proposals}
    return traces


def _customer_numbers(company: GoCompany, statements: Sequence[InvoiceStatement]) -> dict[int | None, int]:
    """Go's customer number by our customer's id: Go's own, which may differ from ours."""
    by_go_id = {
        statement.customer.go_customer_id: statement.customer_id
        for statement in statements
        if statement.customer is not None and statement.customer.go_customer_id is not None
    }
    known = CustomerInGo.objects.filter(company=company, go_customer_id__in=list(by_go_id), number__isnull=False)
    return {by_go_id[row.go_customer_id]: row.number for row in known if row.number is not None}


def _wanted_lines(statements: Sequence[InvoiceStatement]) -> dict[int, set[str]]:
    references = {statement.pk: statement.reference for statement in statements}
    wanted: dict[int, set[str]] = {statement_id: set() for statement_id in references}
    rows = StatementLine.objects.filter(statement_id__in=list(references)).values_list("statement_id", "line_number")
    for statement_id, line_number in rows:
        wanted[statement_id].add(line_reference(references[statement_id], line_number))
    return wanted


def _candidates(
    company: GoCompany, client: PowerOfficeClient, customers: Sequence[int], since: datetime
) -> list[tuple[str, str, int | None]]:
    """Orders and invoices worth opening, latest change first: not those of ours that are as we made them."""
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
    found: list[tuple[float, str, str, int | None]] = []
    for order in orders:
        mine = ours.get(order.id)
        if mine is None or (mine["go_total"], mine["go_line_count"]) != (order.total, order.line_count):
            found.append((_age(order.last_changed_at), "order", order.id, order.number))
    for invoice in invoices:
        mine = ours.get(invoice.id)
        if mine is None or mine["go_total"] != invoice.total:
            found.append((_age(invoice.sent_at), "invoice", invoice.id, invoice.number))
    found.sort(key=lambda row: -row[0])
    return [(kind, row_id, number) for _, kind, row_id, number in found]


def _age(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0
