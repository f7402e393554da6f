"""Credit an invoice from here: a credit note that travels the same push, naming the invoice it takes back.

Rules R1 to R6 of reference/wondr.md: credited is only what PowerOffice Go has numbered and recorded; the caller asks Go
right before (`pull_statuses`), so that a draft sent a minute ago counts and a number of yesterday is still true. Parts
add up and never exceed the invoice, together with credit notes that somebody made in Go.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from integration.decisions.credits import CreditLine, CreditRefused, InvoicedLine, credit_lines
from integration.decisions.money import amount_text
from integration.decisions.sales_orders import statement_reference
from integration.decisions.transitions import is_allowed
from integration.enums import CompanyState, InvoiceType, LineKind, StatementKind, StatementStatus
from integration.models import AdminAction, GoCompany, InvoiceStatement, OutgoingInvoice, StatementLine
from integration.use_cases.moves import move

S = StatementStatus

INVOICE_STANDS: Final = frozenset({S.SENT, S.PARTLY_PAID, S.PAID, S.WRITTEN_OFF})
ASK_FIRST: Final = INVOICE_STANDS | {S.DRAFT, S.CONFIRMED}
"""Go may know of an invoice behind these: it is asked before anything is credited or refused."""

OUT_OF_THE_WAY: Final = frozenset({S.VOID, S.CANCELLED})
"""A credit note in one of these takes nothing back. One whose link is broken may still: a person decides first."""

NOT_NOW: Final[dict[StatementStatus, str]] = {
    S.UPCOMING: "It is not in PowerOffice Go yet: withdraw it, or change its lines.",
    S.PROCESSING: "It is not in PowerOffice Go yet: put it on hold or withdraw it.",
    S.PUSHING: "It is being transferred. Wait a minute.",
    S.IN_DOUBT: "Whether PowerOffice Go has it is being checked. Wait a minute.",
    S.NEEDS_FIX: "It is stuck and not in PowerOffice Go: withdraw it, or mend it.",
    S.DRAFT: "It is still a draft in PowerOffice Go: delete the draft there, or wait until it is sent.",
    S.CONFIRMED: "It is still a draft in PowerOffice Go, locked: delete it there, or wait until it is sent.",
    S.LINK_BROKEN: "Its link to PowerOffice Go is broken: settle that first.",
    S.CANCELLED: "It was cancelled in PowerOffice Go: credit it here only, without a credit note.",
    S.CREDITED: "It is credited already.",
    S.SETTLED_OTHERWISE: "It was settled otherwise: there is no invoice to credit.",
    S.VOID: "It was withdrawn and never invoiced.",
}


@dataclass(frozen=True)
class Creditable:
    """What is left to credit. `left_total`, `invoiced` incl. VAT in the statement's currency."""

    lines: tuple[InvoicedLine, ...]
    invoiced: Decimal
    left_total: Decimal
    ours: tuple[InvoiceStatement, ...]
    made_in_go: tuple[OutgoingInvoice, ...]

    def whole_rest(self) -> dict[int, Decimal]:
        """Every line with what is left of it."""
        return {line.line_number: line.left for line in self.lines if line.left != 0}


def why_no_credit(statement: InvoiceStatement) -> str:
    """In words why no credit note can be made of it as we know it now, or nothing."""
    status = StatementStatus(statement.status)
    if statement.kind == StatementKind.CREDIT_NOTE:
        return "A credit note cannot be credited: make a new invoice."
    if status not in INVOICE_STANDS:
        return NOT_NOW[status]
    invoice = statement.outgoing_invoice
    if invoice is None or invoice.invoice_number is None or invoice.voucher_number is None:
        return (
            "PowerOffice Go has not given it an invoice number and a voucher yet. Press Update status, and check that "
            "it is recorded there."
        )
    if statement.company.state != CompanyState.ACTIVE:
        return f"{statement.company} is not active: nothing is transferred."
    return ""


def credit_notes_of(statement: InvoiceStatement) -> QuerySet[InvoiceStatement]:
    """Credit notes of ours that take something of it back, oldest first."""
    return statement.credit_notes.exclude(status__in=sorted(OUT_OF_THE_WAY)).order_by("pk")


def credit_notes_made_in_go(invoice: OutgoingInvoice) -> list[OutgoingInvoice]:
    """Credit notes in Go that name this invoice and are not from here, oldest first."""
    if invoice.invoice_number is None:
        return []
    notes = OutgoingInvoice.objects.filter(
        company_id=invoice.company_id,
        type=InvoiceType.CREDIT_NOTE,
        related_invoice_number=invoice.invoice_number,
        is_reversed=False,
    ).order_by("pk")
    from_here = set(
        InvoiceStatement.objects.filter(
            company_id=invoice.company_id, go_order_id__in=[note.go_invoice_id for note in notes]
        ).values_list("go_order_id", flat=True)
    )
    return [note for note in notes if note.go_invoice_id not in from_here]


def creditable(statement: InvoiceStatement, *, without: int | None = None) -> Creditable:
    """What was invoiced, what is credited already, and what is left. `without`: leave that credit note out."""
    ours = tuple(note for note in credit_notes_of(statement) if note.pk != without)
    taken: dict[int, list[StatementLine]] = defaultdict(list)
    for line in StatementLine.objects.filter(statement__in=ours, credits_line__isnull=False).select_related(
        "statement"
    ):
        taken[line.credits_line_id or 0].append(line)
    lines = []
    for line in statement.lines.filter(kind=LineKind.PRODUCT).order_by("line_number"):
        amounts = [part.amounts() for part in taken[line.pk]]
        lines.append(
            InvoicedLine(
                line_number=line.line_number,
                quantity=line.quantity or Decimal(0),
                unit_price=line.unit_price or Decimal(0),
                discount_percent=line.discount_percent,
                vat_rate=line.vat_rate,
                credited_quantity=sum((part.credited_quantity or Decimal(0) for part in taken[line.pk]), Decimal(0)),
                credited_net=-sum((part.net for part in amounts), Decimal(0)),
                credited_total=-sum((part.total for part in amounts), Decimal(0)),
            )
        )
    invoice = statement.outgoing_invoice
    in_go = credit_notes_made_in_go(invoice) if invoice else []
    left = statement.total + sum((note.total for note in ours), Decimal(0))
    left += sum((note.total for note in in_go), Decimal(0))
    if invoice is not None and in_go and statement.total < invoice.total:  # a combined invoice has room for others too
        shared = InvoiceStatement.objects.filter(outgoing_invoice=invoice, kind=StatementKind.INVOICE)
        notes = InvoiceStatement.objects.filter(credits__in=shared).exclude(status__in=sorted(OUT_OF_THE_WAY))
        notes = notes.exclude(pk=without or 0)
        of_all = invoice.total + sum((note.total for note in notes), Decimal(0))
        of_all += sum((note.total for note in in_go), Decimal(0))
        left = min(of_all, statement.total + sum((note.total for note in ours), Decimal(0)))
    return Creditable(tuple(lines), statement.total, max(left, Decimal(0)), ours, tuple(in_go))


def planned(
    statement: InvoiceStatement, wanted: Mapping[int, Decimal] | None
) -> tuple[Creditable, tuple[CreditLine, ...]]:
    """What a credit note would hold; `wanted` None is all that is left. Raises CreditRefused, changes nothing."""
    refusal = why_no_credit(statement)
    if refusal:
        raise CreditRefused(refusal)
    now = creditable(statement)
    chosen = now.whole_rest() if wanted is None else wanted
    return now, credit_lines(now.lines, chosen, left_total=now.left_total, currency=statement.currency)


def credit_statement(
    statement_id: int,
    wanted: Mapping[int, Decimal] | None,
    *,
    user: User,
    reason: str,
    now: datetime,
    today: date,
) -> InvoiceStatement:
    """Make the credit note and queue it. `wanted`: quantity by line number, None is all that is left.

    Ask Go right before. The caller nudges the workers after commit. Raises CreditRefused, then nothing was made.
    """
    if not reason.strip():
        raise CreditRefused("Say why it is credited.")
    with transaction.atomic():
        # Whoever credits the same statement waits here, and then sees what is left.
        statement = InvoiceStatement.objects.select_for_update().get(pk=statement_id)
        before, lines = planned(statement, wanted)
        note = _make_note(statement, lines, reason=reason.strip(), today=today)
        move(
            note.pk,
            from_status=S.UPCOMING,
            to_status=S.PROCESSING,
            now=now,
            reason=f"Credits {statement}",
            user=user,
        )
        AdminAction.objects.create(
            company=statement.company,
            user=user,
            at=now,
            action="credit",
            statement=statement,
            record=str(statement)[:200],
            before={"left to credit": amount_text(before.left_total, statement.currency)},
            after={
                "left to credit": amount_text(before.left_total + note.total, statement.currency),
                "credit note": note.source_id,
            },
            reason=reason.strip(),
        )
    note.refresh_from_db()
    return note


def mark_credited(company: GoCompany, invoice_ids: Collection[str], now: datetime) -> Counter[str]:
    """Statements whose credit notes are sent and take all of them back are credited, paid or not (R6).

    `invoice_ids`: Go's, of what was just seen. Call it before what Go says of the invoices themselves is followed.
    """
    counts: Counter[str] = Counter()
    touched = InvoiceStatement.objects.filter(
        company=company, credit_notes__outgoing_invoice__go_invoice_id__in=list(invoice_ids), follows_go=True
    )
    for statement in touched.distinct():
        notes = [
            note.outgoing_invoice
            for note in credit_notes_of(statement).select_related("outgoing_invoice")
            if note.outgoing_invoice is not None and not note.outgoing_invoice.is_reversed
        ]
        if -sum((note.total for note in notes), Decimal(0)) < statement.total or statement.total <= 0:
            continue
        if not is_allowed(statement.status, S.CREDITED):
            continue
        numbers = ", ".join(str(note.invoice_number) for note in notes)
        counts["credited"] += move(
            statement.pk,
            from_status=statement.status,
            to_status=S.CREDITED,
            now=now,
            reason=f"Credited in full in PowerOffice Go: credit note {numbers}",
            attention="",
            attention_code="",
        )
    return counts


def _make_note(
    statement: InvoiceStatement, lines: tuple[CreditLine, ...], *, reason: str, today: date
) -> InvoiceStatement:
    note = InvoiceStatement(
        company=statement.company,
        kind=StatementKind.CREDIT_NOTE,
        source=statement.source,
        source_id=_free_source_id(statement),
        customer=statement.customer,
        statement_date=today,
        currency=statement.currency,
        payment_days=statement.payment_days,
        customer_reference=statement.customer_reference,
        purchase_order_reference=statement.purchase_order_reference,
        contract_number=statement.contract_number,
        credits=statement,
        credit_reason=reason[:300],
        held=False,
    )
    note.reference = statement_reference(note.source, note.source_id)
    originals = {line.line_number: line for line in statement.lines.select_related("product")}
    made = []
    for number, line in enumerate(lines, start=1):
        original = originals[line.line_number]
        made.append(
            StatementLine(
                statement=note,
                line_number=number,
                kind=LineKind.PRODUCT,
                product=original.product,
                description=original.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
                vat_rate=original.vat_rate,
                department=original.department,
                project=original.project,
                accrual_from=original.accrual_from,
                accrual_to=original.accrual_to,
                credits_line=original,
                credited_quantity=line.takes,
            )
        )
    note.recount(made)
    note.refresh_search()
    note.save()
    StatementLine.objects.bulk_create(made)
    return note


def _free_source_id(statement: InvoiceStatement) -> str:
    """`<id>-K1` for the first credit note of a statement, and so on."""
    start = statement.source_id[:95]
    taken = set(
        InvoiceStatement.objects.filter(
            company_id=statement.company_id, source=statement.source, source_id__startswith=f"{start}-K"
        ).values_list("source_id", flat=True)
    )
    number = 1
    while f"{start}-K{number}" in taken:
        number += 1
    return f"{start}-K{number}"
