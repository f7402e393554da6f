"""Pull: what became of our orders? At most three requests per company, however many are open.

One list of unsent orders (what was edited, locked, vanished), one balance-changed list of invoices, and one
changed-since ledger list when an invoice changed. Orders are read before invoices, so that a draft sent in
between shows in at least one of them. Applying the same answer twice changes nothing.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.money import amount_text, lines_among, lines_text
from integration.decisions.payment_status import EntryFacts, InvoiceFacts, payment_status
from integration.decisions.sales_orders import totals_differ
from integration.decisions.transitions import DRAFTS, INVOICED, is_allowed
from integration.enums import (
    AttemptOutcome,
    InvoiceType,
    Operation,
    Resource,
    StatementStatus,
    VanishedDraftPolicy,
)
from integration.errors import RemoteError
from integration.models import GoCompany, InvoiceStatement, LedgerEntry, OutgoingInvoice, SyncRun
from integration.terms import RemoteInvoice, RemoteLedgerEntry, SalesOrder
from integration.use_cases.attempts import close_attempt, error_code, open_attempt
from integration.use_cases.find_traces import Traces, find_traces
from integration.use_cases.moves import move
from integration.use_cases.push_statements import total_attention
from integration.use_cases.sync_customers import CHUNK, advance, watermark

logger = logging.getLogger(__name__)

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
FIRST_READ_REACHES_BACK: Final = timedelta(days=1)
MOST_MISSING: Final = 200
"""How many vanished drafts are looked for in one pull; the rest waits for the next."""

GONE: Final = frozenset({"VANISHED", "COMBINED"})
"""Attention codes of a draft that is not seen in Go; its words go when it is seen again."""

TWICE_IN_GO: Final = "TWICE_IN_GO"
"""Attention code: a draft and an invoice in Go carry the same reference of ours."""

LINKABLE: Final = DRAFTS | INVOICED | {StatementStatus.LINK_BROKEN}


def pull_statuses(
    *,
    company: GoCompany,
    client: PowerOfficeClient,
    clock: Callable[[], datetime],
    run: SyncRun | None = None,
) -> Counter[str]:
    """Bring every statement of a company up to date with Go. Returns counts by what changed; raises RemoteError."""
    attempt = open_attempt(company=company, operation=Operation.PULL, now=clock(), run=run)
    try:
        counts = _pull(company, client, clock)
    except RemoteError as error:
        close_attempt(
            attempt,
            AttemptOutcome.LATER,
            now=clock(),
            message=error.message,
            error_code=error_code(error),
            evidence=error.evidence,
        )
        raise
    except Exception as error:
        close_attempt(
            attempt,
            AttemptOutcome.INTERNAL,
            now=clock(),
            message=f"Fakturabro made a mistake ({type(error).__name__}). Support has the details in the log.",
            error_code="INTERNAL",
        )
        raise
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no news"
    close_attempt(attempt, AttemptOutcome.DONE, now=clock(), message=told)
    return counts


def _pull(company: GoCompany, client: PowerOfficeClient, clock: Callable[[], datetime]) -> Counter[str]:
    began = clock()
    orders = {order.id: order for order in client.orders(only_ours=True)}
    invoices = list(client.invoices(balance_changed_since=_since(company, Resource.INVOICES, began)))
    entries: list[RemoteLedgerEntry] = []
    if invoices:
        entries = list(
            client.ledger(from_date=FIRST_DAY, to_date=LAST_DAY, changed_since=_since(company, Resource.LEDGER, began))
        )
    counts: Counter[str] = Counter()
    with transaction.atomic(durable=True):
        counts["invoices with a number that is there already"] += store_invoices(company, invoices)
        link_invoices(company, invoices, living=orders)
        touched = {invoice.id for invoice in invoices} | store_entries(company, entries)
        counts += refresh_statuses(company, touched, began)
        advance(company, Resource.INVOICES, (invoice.balance_changed_at for invoice in invoices), began=began)
        advance(company, Resource.LEDGER, (entry.last_changed_at for entry in entries), began=began)
        counts += _watch_drafts(company, orders, began)
    counts += Counter()  # leaves out what did not happen
    counts += _look_for_vanished(company, client, clock)
    return counts


def _since(company: GoCompany, resource: Resource, now: datetime) -> datetime:
    """The watermark; before the first read, a day before our first push."""
    seen = watermark(company, resource)
    if seen is not None:
        return seen
    first = (
        InvoiceStatement.objects.filter(company=company, pushed_at__isnull=False)
        .order_by("pushed_at")
        .values_list("pushed_at", flat=True)
        .first()
    )
    return (first or now) - FIRST_READ_REACHES_BACK


def store_invoices(company: GoCompany, invoices: Sequence[RemoteInvoice]) -> int:
    """Remember Go's invoices as they were just seen. Returns how many could not be, because of a number twice."""
    # Reversed ones first: a reversal frees the number for the next invoice.
    ordered = sorted({invoice.id: invoice for invoice in invoices}.values(), key=lambda row: not row.is_reversed)
    try:
        with transaction.atomic():
            _upsert_invoices(company, ordered)
    except IntegrityError:
        return sum(_clashes(company, invoice) for invoice in ordered)
    return 0


def _clashes(company: GoCompany, invoice: RemoteInvoice) -> bool:
    try:
        with transaction.atomic():
            _upsert_invoices(company, [invoice])
    except IntegrityError:
        logger.exception("%s: Go's invoice %s (%s) has a number that another has.", company, invoice.number, invoice.id)
        return True
    return False


def _upsert_invoices(company: GoCompany, invoices: Sequence[RemoteInvoice]) -> None:
    OutgoingInvoice.objects.bulk_create(
        [
            OutgoingInvoice(
                company=company,
                go_invoice_id=invoice.id,
                type=InvoiceType.CREDIT_NOTE if invoice.is_credit_note else InvoiceType.INVOICE,
                invoice_number=invoice.number,
                voucher_number=invoice.voucher_number,
                kid=invoice.kid[:50],
                invoice_date=invoice.invoice_date,
                due_date=invoice.due_date,
                currency=(invoice.currency or "NOK")[:3],
                net=invoice.net,
                total=invoice.total,
                total_posted=invoice.total_posted,
                balance=invoice.balance,
                balance_changed_at=invoice.balance_changed_at,
                match_id=invoice.match_id,
                sent_at=invoice.sent_at,
                delivery=invoice.delivery[:30],
                order_number=invoice.order_number,
                related_invoice_number=invoice.related_invoice_number,
                reference=invoice.reference[:100],
                go_customer_id=invoice.customer_id,
                customer_number=invoice.customer_number,
                is_reversed=invoice.is_reversed,
            )
            for invoice in invoices
        ],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["company", "go_invoice_id"],
        update_fields=[
            "type",
            "invoice_number",
            "voucher_number",
            "kid",
            "invoice_date",
            "due_date",
            "currency",
            "net",
            "total",
            "total_posted",
            "balance",
            "balance_changed_at",
            "match_id",
            "sent_at",
            "delivery",
            "order_number",
            "related_invoice_number",
            "reference",
            "go_customer_id",
            "customer_number",
            "is_reversed",
            "updated_at",
        ],
    )


def store_entries(company: GoCompany, entries: Sequence[RemoteLedgerEntry]) -> set[str]:
    """Remember ledger entries; returns the ids of the invoices whose matching they touch.

    An entry that leaves a match touches the invoice it belonged to before as well: an undone payment.
    """
    if not entries:
        return set()
    touched: set[str] = set()
    for start in range(0, len(entries), CHUNK):
        chunk = entries[start : start + CHUNK]
        before = LedgerEntry.objects.filter(company=company, go_entry_id__in=[entry.id for entry in chunk])
        matches = {entry.match_id for entry in chunk if entry.match_id is not None}
        matches |= {match_id for match_id in before.values_list("match_id", flat=True) if match_id is not None}
        LedgerEntry.objects.bulk_create(
            [
                LedgerEntry(
                    company=company,
                    go_entry_id=entry.id,
                    match_id=entry.match_id,
                    voucher_id=entry.voucher_id[:36],
                    voucher_number=entry.voucher_number,
                    voucher_type=entry.voucher_type[:50],
                    voucher_date=entry.voucher_date,
                    posting_date=entry.posting_date,
                    amount=entry.amount,
                    balance=entry.balance,
                    is_write_off=entry.is_write_off,
                    invoice_number=entry.invoice_number[:50],
                    go_customer_id=entry.customer_id,
                )
                for entry in {entry.id: entry for entry in chunk}.values()
            ],
            update_conflicts=True,
            unique_fields=["company", "go_entry_id"],
            update_fields=["match_id", "balance", "is_write_off", "updated_at"],
        )
        own = OutgoingInvoice.objects.filter(company=company).filter(
            Q(match_id__in=matches) | Q(go_invoice_id__in=[entry.voucher_id for entry in chunk])
        )
        touched |= set(own.values_list("go_invoice_id", flat=True))
    return touched


def link_invoices(
    company: GoCompany, invoices: Sequence[RemoteInvoice], *, living: Container[str] = frozenset()
) -> None:
    """Connect statements with the invoices their orders became: by id, which survives, else by reference.

    `living`: ids of unsent orders. A statement whose own order is among them does not follow another invoice with
    its reference: Go then has it twice, and a person is told.
    """
    for start in range(0, len(invoices), CHUNK):
        chunk = invoices[start : start + CHUNK]
        stored = {
            invoice.go_invoice_id: invoice
            for invoice in OutgoingInvoice.objects.filter(
                company=company, go_invoice_id__in=[invoice.id for invoice in chunk]
            )
        }
        by_reference = {
            invoice.reference: stored[invoice.id] for invoice in chunk if invoice.reference and invoice.id in stored
        }
        ours = InvoiceStatement.objects.filter(
            Q(go_order_id__in=list(stored)) | Q(reference__in=list(by_reference)),
            company=company,
            outgoing_invoice__isnull=True,
            status__in=sorted(LINKABLE),
        ).select_related("customer")
        for statement in ours:
            invoice = stored.get(statement.go_order_id)
            if invoice is None:
                invoice = by_reference[statement.reference]
                if statement.go_order_id in living:
                    _twice(statement, invoice)
                    continue
            statement.outgoing_invoice = invoice
            statement.missing_since = None
            statement.refresh_search()
            statement.save(update_fields=["outgoing_invoice", "missing_since", "search", "updated_at"])


def _twice(statement: InvoiceStatement, invoice: OutgoingInvoice) -> None:
    InvoiceStatement.objects.filter(pk=statement.pk).update(
        attention_code=TWICE_IN_GO,
        attention=f"PowerOffice Go has it twice: as draft no. {statement.go_order_number} and as invoice "
        f"{invoice.invoice_number}. Delete the draft there before it is sent.",
    )


def refresh_statuses(company: GoCompany, invoice_ids: Iterable[str], now: datetime) -> Counter[str]:
    """Decide the status of every statement behind these invoices anew, and move those that differ."""
    counts: Counter[str] = Counter()
    ids = sorted(set(invoice_ids))
    for start in range(0, len(ids), CHUNK):
        invoices = OutgoingInvoice.objects.filter(company=company, go_invoice_id__in=ids[start : start + CHUNK])
        entries: dict[int, list[LedgerEntry]] = defaultdict(list)
        matches = [invoice.match_id for invoice in invoices if invoice.match_id is not None]
        for entry in LedgerEntry.objects.filter(company=company, match_id__in=matches):
            entries[entry.match_id or 0].append(entry)
        statements: dict[int, list[InvoiceStatement]] = defaultdict(list)
        for statement in InvoiceStatement.objects.filter(outgoing_invoice__in=invoices):
            statements[statement.outgoing_invoice_id or 0].append(statement)
        for invoice in invoices:
            matched = [entry for entry in entries[invoice.match_id or 0] if entry.voucher_id != invoice.go_invoice_id]
            _link_entries(invoice, matched)
            if any(entry.voucher_type == "OutgoingInvoice" for entry in matched):
                matched = _of_this_alone(company, invoice, matched)
            for statement in statements[invoice.pk]:
                counts[_follow(statement, invoice, matched, now, shared=len(statements[invoice.pk]) > 1)] += 1
    counts.pop("", None)
    return counts


def _of_this_alone(company: GoCompany, invoice: OutgoingInvoice, matched: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """In a match of several invoices, only the credit notes that name this one are certainly its own."""
    own = set(
        OutgoingInvoice.objects.filter(
            company=company,
            go_invoice_id__in=[entry.voucher_id for entry in matched],
            related_invoice_number=invoice.invoice_number,
        ).values_list("go_invoice_id", flat=True)
    )
    return [entry for entry in matched if entry.voucher_id in own]


def _link_entries(invoice: OutgoingInvoice, matched: Sequence[LedgerEntry]) -> None:
    wanted = {entry.pk for entry in matched}
    if not wanted and not invoice.ledger_entries.exists():
        return
    invoice.ledger_entries.exclude(pk__in=wanted).update(outgoing_invoice=None)
    LedgerEntry.objects.filter(pk__in=wanted, outgoing_invoice__isnull=True).update(outgoing_invoice=invoice)


def _follow(
    statement: InvoiceStatement,
    invoice: OutgoingInvoice,
    matched: Sequence[LedgerEntry],
    now: datetime,
    *,
    shared: bool,
) -> str:
    """One statement follows its invoice; returns what happened, or nothing."""
    verdict = payment_status(
        InvoiceFacts(
            total_posted=invoice.total_posted,
            balance=invoice.balance,
            is_credit_note=invoice.type == InvoiceType.CREDIT_NOTE,
            is_reversed=invoice.is_reversed,
        ),
        [EntryFacts(entry.amount, entry.voucher_type, entry.is_write_off) for entry in matched],
    )
    says = f"Invoice {invoice.invoice_number}: {verdict.says}"
    changes: dict[str, Any] = {"go_says": says[:200]}
    if (
        statement.attention_code in GONE | {"EDITED_IN_GO", TWICE_IN_GO}
        and statement.status != StatementStatus.CANCELLED
    ):
        changes["attention_code"] = changes["attention"] = ""
    if (
        not shared
        and statement.go_total is not None
        and totals_differ(statement.go_total, invoice.total, statement.go_line_count or 1)
    ):
        changes["attention_code"] = "INVOICE_TOTAL_DIFFERS"
        changes["attention"] = (
            f"The invoice total is {amount_text(invoice.total, invoice.currency)}; the draft we made had "
            f"{amount_text(statement.go_total)}. "
            "Somebody changed it in PowerOffice Go, or an invoice fee was added."
        )
    if not statement.follows_go or statement.status == verdict.status:
        _note(statement, changes, now)
        return ""
    if not is_allowed(statement.status, verdict.status):
        # An end state, or one that a person must leave: what Go says is shown beside it.
        _note(statement, changes, now)
        return ""
    moved = move(
        statement.pk,
        from_status=statement.status,
        to_status=verdict.status,
        now=now,
        reason=says,
        missing_since=None,
        proposal=None,
        **changes,
    )
    return verdict.status.label.lower() if moved else ""


def _note(statement: InvoiceStatement, changes: dict[str, Any], now: datetime) -> None:
    """Record what Go says beside a status; nothing is written when it is known already."""
    if any(getattr(statement, name) != value for name, value in changes.items()):
        InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status).update(updated_at=now, **changes)


def _watch_drafts(company: GoCompany, orders: dict[str, SalesOrder], began: datetime) -> Counter[str]:
    """Compare our drafts with Go's list of unsent orders: locked, unlocked, edited, or gone."""
    counts: Counter[str] = Counter()
    settled = began - timedelta(seconds=settings.GO_REPLICA_SECONDS)
    drafts = InvoiceStatement.objects.filter(
        company=company,
        status__in=sorted(DRAFTS | {StatementStatus.LINK_BROKEN}),
        outgoing_invoice__isnull=True,
        pushed_at__lt=settled,
        follows_go=True,
    )
    for statement in drafts.iterator(chunk_size=CHUNK):
        order = orders.get(statement.go_order_id)
        if order is not None:
            counts[_still_draft(statement, order, began)] += 1
        elif statement.missing_since is None and statement.status in DRAFTS:
            InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status).update(missing_since=began)
            counts["not found this time"] += 1
    counts.pop("", None)
    return counts


def _still_draft(statement: InvoiceStatement, order: SalesOrder, now: datetime) -> str:
    edited = statement.go_total != order.total or statement.go_line_count != order.line_count
    changes: dict[str, Any] = {
        "missing_since": None,
        "go_order_number": order.number,
        "go_says": f"Draft no. {order.number}" + (", locked" if order.locked else "") + (", edited" if edited else ""),
    }
    code, words = total_attention(statement, order)
    if edited and (code or statement.go_line_count != order.line_count):
        code = "EDITED_IN_GO"
        words = (
            f"Somebody changed the draft in PowerOffice Go: it has {lines_text(order.line_count)} and "
            f"{amount_text(order.total, order.currency)}; we sent {lines_text(statement.go_line_count or 0)} and "
            f"{amount_text(statement.go_total or Decimal(0))}."
        )
    if statement.attention_code != TWICE_IN_GO:  # that is the greater trouble, and holds while this draft lives
        changes["attention_code"], changes["attention"] = code, words
    wanted = StatementStatus.CONFIRMED if order.locked else StatementStatus.DRAFT
    if statement.status == wanted:
        _note(statement, changes, now)
        return "edited in Go" if edited and statement.attention_code != "EDITED_IN_GO" else ""
    moved = move(
        statement.pk,
        from_status=statement.status,
        to_status=wanted,
        now=now,
        reason="Locked in PowerOffice Go" if order.locked else "Open for editing in PowerOffice Go",
        proposal=None,
        **changes,
    )
    return wanted.label.lower() if moved else ""


def _look_for_vanished(company: GoCompany, client: PowerOfficeClient, clock: Callable[[], datetime]) -> Counter[str]:
    """Drafts that are in neither list: sent unnoticed, moved, combined, or deleted? Only these cost more requests."""
    counts: Counter[str] = Counter()
    began = clock()
    missing = list(
        InvoiceStatement.objects.filter(
            company=company,
            status__in=sorted(DRAFTS),
            outgoing_invoice__isnull=True,
            missing_since__lte=began - timedelta(seconds=settings.GO_REPLICA_SECONDS),
        )
        .select_related("customer")
        .order_by("missing_since", "pk")[:MOST_MISSING]
    )
    if not missing:
        return counts
    found = list(client.invoices(ids=[statement.go_order_id for statement in missing]))
    references = [statement.reference for statement in missing]
    since = min(statement.created_at for statement in missing) - FIRST_READ_REACHES_BACK
    known = {invoice.id for invoice in found}
    found += [invoice for invoice in client.find_invoices(references, since=since).values() if invoice.id not in known]
    moved_orders = client.find_orders(references, since=since)
    with transaction.atomic(durable=True):
        store_invoices(company, found)
        link_invoices(company, found)
        counts += refresh_statuses(company, [invoice.id for invoice in found], clock())
    linked = {invoice.id for invoice in found} | {invoice.reference for invoice in found}
    rest = [statement for statement in missing if not {statement.go_order_id, statement.reference} & linked]
    gone = [statement for statement in rest if statement.reference not in moved_orders]
    traces = find_traces(company, client, gone) if gone else Traces()
    for statement in rest:
        order = moved_orders.get(statement.reference)
        if order is not None:
            counts[_moved(statement, order, clock())] += 1
        else:
            counts[_broken(statement, traces, company, clock())] += 1
    return counts


def _moved(statement: InvoiceStatement, order: SalesOrder, now: datetime) -> str:
    """The same draft under another id: Go made it anew and kept our reference."""
    InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status).update(
        go_order_id=order.id,
        go_order_number=order.number,
        missing_since=None,
        attention_code="EDITED_IN_GO",
        attention=f"PowerOffice Go keeps this draft under a new number, {order.number}, with total "
        f"{amount_text(order.total)}.",
        updated_at=now,
    )
    return "moved in Go"


def _broken(statement: InvoiceStatement, traces: Traces, company: GoCompany, now: datetime) -> str:
    """The draft is gone. Never pushed again by itself: a person decides, unless the company said otherwise."""
    proposal = traces.proposals.get(statement.pk)
    searched = statement.pk not in traces.unsearched
    if proposal is not None:
        kind = "draft no." if proposal["kind"] == "order" else "invoice"
        message = (
            f"The draft is gone from PowerOffice Go; {lines_among(len(proposal['lines']), proposal['of'])} now in "
            f"{kind} {proposal['number']}: it was probably combined with others."
        )
    elif searched:
        message = (
            "The draft is gone from PowerOffice Go and its lines are nowhere to be found: it was deleted, or combined "
            "by hand. Find out before it is invoiced again."
        )
    else:
        message = (
            "The draft is gone from PowerOffice Go, and the customer's other orders and invoices could not all be "
            "searched for its lines. Look there for them before it is invoiced again."
        )
    cancel = proposal is None and searched and company.vanished_drafts == VanishedDraftPolicy.CANCELLED
    to_status = StatementStatus.CANCELLED if cancel else StatementStatus.LINK_BROKEN
    moved = move(
        statement.pk,
        from_status=statement.status,
        to_status=to_status,
        now=now,
        reason=message,
        attention=message,
        attention_code="COMBINED" if proposal is not None else "VANISHED",
        proposal=proposal,
        go_says="Gone from PowerOffice Go",
    )
    return to_status.label.lower() if moved else ""
