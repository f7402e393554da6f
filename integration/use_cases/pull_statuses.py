"""Pull: what became of our orders? At most three requests per company, however many are open.

One list of unsent orders (what was edited, locked, vanished), one balance-changed list of invoices, and one
changed-since ledger list when an invoice changed, and otherwise now and then (reminders change no balance). Orders are
read before invoices, so that a draft sent in between shows in at least one of them. Applying the same answer twice
changes nothing.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.money import amount_text, lines_among, lines_text
from integration.decisions.payment_status import status_of
from integration.decisions.sales_orders import totals_differ
from integration.decisions.sharing import Shares
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
from integration.models import GoCompany, InvoiceStatement, LedgerEntry, OutgoingInvoice, SyncCursor, SyncRun
from integration.terms import RemoteInvoice, RemoteLedgerEntry, SalesOrder
from integration.use_cases.attempts import close_attempt, error_code, open_attempt
from integration.use_cases.credit_statement import mark_credited
from integration.use_cases.find_traces import BY_CONTENT, Traces, find_traces
from integration.use_cases.money_of_invoices import Money, money_of, share_status, shares_of
from integration.use_cases.moves import move
from integration.use_cases.push_statements import total_attention
from integration.use_cases.send_invoices import SEND_FAILED
from integration.use_cases.sync_customers import CHUNK, advance, watermark

logger = logging.getLogger(__name__)

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
FIRST_READ_REACHES_BACK: Final = timedelta(days=1)
MOST_MISSING: Final = 200
"""How many vanished drafts are looked for in one pull; the rest waits for the next."""

LEDGER_EVERY: Final = timedelta(hours=6)
"""So often the ledger is read even when no balance changed."""

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
    orders = {order.id: order for order in client.orders(only_ours=not _follows_strangers(company))}
    invoices = list(client.invoices(balance_changed_since=_since(company, Resource.INVOICES, began)))
    entries: list[RemoteLedgerEntry] = []
    if reads_ledger := bool(invoices) or _ledger_is_due(company, began):
        entries = list(
            client.ledger(from_date=FIRST_DAY, to_date=LAST_DAY, changed_since=_since(company, Resource.LEDGER, began))
        )
    counts: Counter[str] = Counter()
    with transaction.atomic(durable=True):
        one_at_a_time(company)
        counts["invoices with a number that is there already"] += store_invoices(company, invoices, read_at=began)
        link_invoices(company, invoices, living=orders)
        touched = {invoice.id for invoice in invoices} | store_entries(company, entries, read_at=began)
        counts += refresh_statuses(company, touched, began)
        advance(company, Resource.INVOICES, (invoice.balance_changed_at for invoice in invoices), began=began)
        advance(company, Resource.LEDGER, (entry.last_changed_at for entry in entries), began=began)
        if reads_ledger:
            SyncCursor.objects.filter(company=company, resource=Resource.LEDGER).update(read_at=began)
        counts += _watch_drafts(company, orders, began)
    counts += Counter()  # leaves out what did not happen
    counts += _look_for_vanished(company, client, clock)
    return counts


def _follows_strangers(company: GoCompany) -> bool:
    """Whether drafts were combined into another order: a person in Go may have made that one, and it is not ours."""
    rows = InvoiceStatement.objects.filter(company=company, status__in=sorted(DRAFTS), outgoing_invoice__isnull=True)
    return rows.exclude(combined_into="").exists()


def _ledger_is_due(company: GoCompany, now: datetime) -> bool:
    """Whether the ledger is read although no balance changed: a reminder or a refund changes none."""
    cursor = SyncCursor.objects.filter(company=company, resource=Resource.LEDGER).first()
    return cursor is not None and (cursor.read_at is None or now - cursor.read_at >= LEDGER_EVERY)


def one_at_a_time(company: GoCompany) -> None:
    """Two readings of a company are recorded one after the other; call it first in the transaction.

    What was read earlier never overwrites what was read later, whichever of the two is recorded first.
    """
    GoCompany.objects.select_for_update(no_key=True).filter(pk=company.pk).values_list("pk").first()


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


def store_invoices(company: GoCompany, invoices: Sequence[RemoteInvoice], *, read_at: datetime | None = None) -> int:
    """Remember Go's invoices as they were seen by a reading that began at `read_at` (None: just now).

    Of an invoice that a later reading has told of, nothing is changed. Returns how many could not be stored, because
    of a number twice.
    """
    read_at = read_at or timezone.now()
    known = {invoice.id: invoice for invoice in invoices}
    for pk in _read_later(OutgoingInvoice.objects.filter(company=company), "go_invoice_id", list(known), read_at):
        del known[pk]
    # Reversed ones first: a reversal frees the number for the next invoice.
    ordered = sorted(known.values(), key=lambda row: not row.is_reversed)
    try:
        with transaction.atomic():
            _upsert_invoices(company, ordered, read_at)
    except IntegrityError:
        return sum(_clashes(company, invoice, read_at) for invoice in ordered)
    return 0


def _read_later(rows: QuerySet[Any], name: str, ids: Sequence[Any], read_at: datetime) -> list[Any]:
    """Which of these have been told of by a reading that began later."""
    return [
        pk
        for start in range(0, len(ids), CHUNK)
        for pk in rows.filter(**{f"{name}__in": ids[start : start + CHUNK]}, read_at__gt=read_at).values_list(
            name, flat=True
        )
    ]


def _clashes(company: GoCompany, invoice: RemoteInvoice, read_at: datetime) -> bool:
    try:
        with transaction.atomic():
            _upsert_invoices(company, [invoice], read_at)
    except IntegrityError:
        logger.exception("%s: Go's invoice %s (%s) has a number that another has.", company, invoice.number, invoice.id)
        return True
    return False


def _upsert_invoices(company: GoCompany, invoices: Sequence[RemoteInvoice], read_at: datetime) -> None:
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
                read_at=read_at,
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
            "read_at",
            "updated_at",
        ],
    )


def store_entries(
    company: GoCompany, entries: Sequence[RemoteLedgerEntry], *, read_at: datetime | None = None
) -> set[str]:
    """Remember ledger entries, unless a later reading has told of them; returns the ids of the invoices whose matching
    they touch.

    An entry that leaves a match touches the invoice it belonged to before as well: an undone payment.
    """
    read_at = read_at or timezone.now()
    fresh = {entry.id: entry for entry in entries}
    for pk in _read_later(LedgerEntry.objects.filter(company=company), "go_entry_id", list(fresh), read_at):
        del fresh[pk]
    entries = list(fresh.values())
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
                    kid=entry.kid[:50],
                    go_customer_id=entry.customer_id,
                    read_at=read_at,
                )
                for entry in chunk
            ],
            update_conflicts=True,
            unique_fields=["company", "go_entry_id"],
            update_fields=["match_id", "balance", "is_write_off", "kid", "go_customer_id", "read_at", "updated_at"],
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
            Q(go_order_id__in=list(stored)) | Q(combined_into__in=list(stored)) | Q(reference__in=list(by_reference)),
            company=company,
            outgoing_invoice__isnull=True,
            status__in=sorted(LINKABLE),
        ).select_related("customer")
        for statement in ours:
            invoice = stored.get(statement.followed_id) or stored.get(statement.go_order_id)
            if invoice is None:
                invoice = by_reference[statement.reference]
                if statement.followed_id in living:
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
    ids = sorted(set(invoice_ids))
    counts: Counter[str] = Counter()
    for start in range(0, len(ids), CHUNK):  # first: what we credited ourselves is no failed payment
        counts += mark_credited(company, ids[start : start + CHUNK], now)
    for start in range(0, len(ids), CHUNK):
        invoices = list(OutgoingInvoice.objects.filter(company=company, go_invoice_id__in=ids[start : start + CHUNK]))
        statements: dict[int, list[InvoiceStatement]] = defaultdict(list)
        for statement in InvoiceStatement.objects.filter(outgoing_invoice__in=invoices):
            statements[statement.outgoing_invoice_id or 0].append(statement)
        for money in money_of(company, invoices):
            _link_entries(money.invoice, money.matched)
            ours = statements[money.invoice.pk]
            shares = shares_of(company, money, ours)
            for statement in ours:
                counts[_follow(statement, money, now, ours, shares)] += 1
    counts.pop("", None)
    return counts


def _link_entries(invoice: OutgoingInvoice, matched: Iterable[LedgerEntry]) -> None:
    wanted = {entry.pk for entry in matched}
    if not wanted and not invoice.ledger_entries.exists():
        return
    invoice.ledger_entries.exclude(pk__in=wanted).update(outgoing_invoice=None)
    LedgerEntry.objects.filter(pk__in=wanted, outgoing_invoice__isnull=True).update(outgoing_invoice=invoice)


def _follow(
    statement: InvoiceStatement,
    money: Money,
    now: datetime,
    family: Sequence[InvoiceStatement],
    shares: Shares | None,
) -> str:
    """One statement follows its invoice, or its share of a combined one; returns what happened, or nothing."""
    invoice = money.invoice
    verdict = status_of(money.facts, money.picture) if shares is None else share_status(money, shares, statement.pk)
    says = f"Invoice {invoice.invoice_number}{', its share' if shares else ''}: {verdict.says}"
    changes: dict[str, Any] = {"go_says": says[:200]}
    if (
        statement.attention_code in GONE | {"EDITED_IN_GO", "INVOICE_TOTAL_DIFFERS", TWICE_IN_GO, SEND_FAILED}
        and statement.status != StatementStatus.CANCELLED
    ):
        changes["attention_code"] = changes["attention"] = ""
    made, lines = _sent_together(family)
    if made is not None and totals_differ(made, invoice.total, lines or 1):
        drafts = "the draft we made had" if len(family) == 1 else f"the {len(family)} drafts we made had together"
        changes["attention_code"] = "INVOICE_TOTAL_DIFFERS"
        changes["attention"] = (
            f"The invoice total is {amount_text(invoice.total, invoice.currency)}; {drafts} {amount_text(made)}. "
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


def _sent_together(family: Sequence[InvoiceStatement]) -> tuple[Decimal | None, int]:
    """What the drafts of these statements came to when they arrived, incl. VAT, and their lines; None: not known."""
    totals = [statement.go_total for statement in family if statement.go_total is not None]
    lines = sum(statement.go_line_count or 0 for statement in family)
    return (sum(totals, Decimal(0)) if len(totals) == len(family) else None), lines


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
    families = _families(company)
    for statement in drafts.select_related("customer").iterator(chunk_size=CHUNK):
        order = orders.get(statement.followed_id)
        if order is not None:
            counts[_still_draft(statement, order, families.get(order.id, [statement]), began)] += 1
        elif statement.missing_since is None and statement.status in DRAFTS and statement.send_begun_at is None:
            InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status).update(missing_since=began)
            counts["not found this time"] += 1
    counts.pop("", None)
    return counts


def _families(company: GoCompany) -> dict[str, list[InvoiceStatement]]:
    """Unsent orders that several statements follow, or one that was combined into a stranger: who they are."""
    unsent = InvoiceStatement.objects.filter(
        company=company, status__in=sorted(DRAFTS), outgoing_invoice__isnull=True, follows_go=True
    )
    combined = list(unsent.exclude(combined_into=""))
    targets = {statement.combined_into for statement in combined}
    families: dict[str, list[InvoiceStatement]] = defaultdict(list)
    for statement in [*unsent.filter(combined_into="", go_order_id__in=sorted(targets)), *combined]:
        families[statement.followed_id].append(statement)
    return families


def _still_draft(
    statement: InvoiceStatement, order: SalesOrder, family: Sequence[InvoiceStatement], now: datetime
) -> str:
    if len(family) > 1 or statement.combined_into:
        return _still_combined(statement, order, family, now)
    edited = statement.go_total != order.total or statement.go_line_count != order.line_count
    changes: dict[str, Any] = {
        "missing_since": None,
        "go_order_number": order.number,
        "go_says": f"Draft no. {order.number}" + (", locked" if order.locked else "") + (", edited" if edited else ""),
    }
    code, words = total_attention(statement, order)
    if statement.edits_accepted_at is not None and not edited:
        code = words = ""
    elif statement.attention_code == SEND_FAILED and not code:
        code, words = SEND_FAILED, statement.attention
    elif _readdressed(statement, order):
        edited, code = True, "EDITED_IN_GO"
        words = (
            f"Somebody gave the draft to another customer in PowerOffice Go, no. {order.customer_number or 'unknown'}. "
            "Compare it, then accept it or restore ours."
        )
    elif edited and (code or statement.go_line_count != order.line_count):
        code = "EDITED_IN_GO"
        words = (
            f"Somebody changed the draft in PowerOffice Go: it has {lines_text(order.line_count)} and "
            f"{amount_text(order.total, order.currency)}; we sent {lines_text(statement.go_line_count or 0)} and "
            f"{amount_text(statement.go_total or Decimal(0))}. Compare it, then accept it or restore ours."
        )
    if statement.attention_code != TWICE_IN_GO:  # that is the greater trouble, and holds while this draft lives
        changes["attention_code"], changes["attention"] = code, words
    if statement.status == _as_draft(order):
        _note(statement, changes, now)
        return "edited in Go" if edited and statement.attention_code != "EDITED_IN_GO" else ""
    return _draft_again(statement, order, changes, now)


def _still_combined(
    statement: InvoiceStatement, order: SalesOrder, family: Sequence[InvoiceStatement], now: datetime
) -> str:
    """Several drafts that are one in Go, with the consent of a person: they are judged by what they were together."""
    made, lines = _sent_together(family)
    alone = f"alone of ours, total {amount_text(order.total, order.currency)}"
    says = f"combined: {len(family)} of our drafts in one" if len(family) > 1 else f"combined, {alone}"
    changes: dict[str, Any] = {
        "missing_since": None,
        "go_order_number": order.number,
        "go_says": f"Draft no. {order.number}" + (", locked" if order.locked else "") + f", {says}",
        "attention_code": "",
        "attention": "",
    }
    if len(family) > 1 and made is not None and (totals_differ(made, order.total, lines) or lines != order.line_count):
        changes["attention_code"] = "EDITED_IN_GO"
        changes["attention"] = (
            f"The combined draft in PowerOffice Go has {lines_text(order.line_count)} and "
            f"{amount_text(order.total, order.currency)}; the {len(family)} drafts that we made had together "
            f"{lines_text(lines)} and {amount_text(made)}."
        )
    if statement.status == _as_draft(order):
        _note(statement, changes, now)
        return ""
    return _draft_again(statement, order, changes, now)


def _as_draft(order: SalesOrder) -> StatementStatus:
    return StatementStatus.CONFIRMED if order.locked else StatementStatus.DRAFT


def _draft_again(statement: InvoiceStatement, order: SalesOrder, changes: dict[str, Any], now: datetime) -> str:
    wanted = _as_draft(order)
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


def _readdressed(statement: InvoiceStatement, order: SalesOrder) -> bool:
    ours = statement.customer.go_customer_id if statement.customer else None
    return ours is not None and order.customer_id is not None and order.customer_id != ours


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
    found = list(client.invoices(ids=sorted({statement.followed_id for statement in missing})))
    references = [statement.reference for statement in missing]
    since = min(statement.created_at for statement in missing) - FIRST_READ_REACHES_BACK
    known = {invoice.id for invoice in found}
    found += [invoice for invoice in client.find_invoices(references, since=since).values() if invoice.id not in known]
    moved_orders = client.find_orders(references, since=since)
    with transaction.atomic(durable=True):
        one_at_a_time(company)
        store_invoices(company, found, read_at=began)
        link_invoices(company, found)
        counts += refresh_statuses(company, [invoice.id for invoice in found], clock())
    linked = {invoice.id for invoice in found} | {invoice.reference for invoice in found}
    rest = [statement for statement in missing if not {statement.followed_id, statement.reference} & linked]
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
        combined_into="",
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
        if proposal["by"] == BY_CONTENT:
            message += " Their marks are gone: they were known by product, text, quantity and price."
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
