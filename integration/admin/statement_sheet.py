"""What a statement's page shows beside its form: the sheet, ready to print into the template."""

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from integration.admin.display import (
    NEVER_COMBINE,
    amount,
    badge,
    day,
    delivery_words,
    figure,
    link,
    list_of,
    minute,
    percent,
    price,
    statement_badge,
)
from integration.admin.money_table import money_table
from integration.admin.timeline import timeline
from integration.admin.why_not import answers
from integration.decisions.explanations import CATALOGUE
from integration.decisions.transitions import DRAFTS, WAITS_FOR_A_PERSON
from integration.enums import HandPaymentState, InvoiceType, LineKind, StatementStatus
from integration.models import HandPayment, InvoiceStatement, LedgerEntry, OutgoingInvoice, StatementLine, SyncAttempt
from integration.use_cases.credit_statement import credit_notes_made_in_go

LINES_IN_FORM: Final = 100
"""A longer statement shows its lines page by page instead of as a form of thousands of boxes."""


def go_order_url(statement: InvoiceStatement) -> str:
    """The order's page in PowerOffice Go, or "" while there is none."""
    return f"{settings.GO_WEB_URL}/orders/{statement.followed_id}" if statement.followed_id else ""


def go_invoice_url(invoice: OutgoingInvoice) -> str:
    """The invoice's page in PowerOffice Go; an invoice keeps the id of its order."""
    return f"{settings.GO_WEB_URL}/orders/{invoice.go_invoice_id}"


def sheet(request: HttpRequest, statement: InvoiceStatement, *, lines_in_form: bool) -> dict[str, Any]:
    """Everything the page says about one statement. The number of queries does not depend on how much there is."""
    return {
        "status": statement_badge(statement),
        "needs_person": statement.status in WAITS_FOR_A_PERSON,
        "attention": statement.attention,
        "cause": CATALOGUE.get(statement.attention_code) if statement.attention else None,
        "why_not_in_go": answers([statement]).get(statement.pk),
        "kind": statement.get_kind_display(),
        "go_says": statement.go_says,
        "go_order_url": go_order_url(statement),
        "drafts_warning": NEVER_COMBINE if statement.status in DRAFTS else "",
        "facts": facts(statement),
        "go_facts": go_facts(statement),
        "lines": None if lines_in_form else lines(request, statement),
        "totals": totals(statement),
        "invoice": invoice(statement),
        "by_hand": by_hand(statement),
        "timeline": timeline(statement),
        "all_attempts": list_of(SyncAttempt, f"statement__id__exact={statement.pk}"),
    }


def facts(statement: InvoiceStatement) -> list[tuple[str, Any]]:
    """What it says, field by field; empty fields are left out."""
    said = [
        ("Customer", link(statement.customer)),
        ("Company", str(statement.company)),
        ("Date", day(statement.statement_date)),
        ("Delivery", statement.delivery_date and day(statement.delivery_date)),
        ("Goes to Go on", statement.payment_date and day(statement.payment_date)),
        ("Payment terms", statement.payment_days is not None and f"{statement.payment_days} days"),
        ("Your reference", statement.customer_reference),
        ("Purchase order", statement.purchase_order_reference),
        ("Contract", statement.contract_number),
        ("Credits", statement.credits and link(statement.credits, statement.credits.source_id)),
        ("Why nothing is credited", statement.credit_reason),
        ("Source states", statement.stated_total is not None and amount(statement.stated_total, statement.currency)),
    ]
    notes = statement.credit_notes.select_related("outgoing_invoice").order_by("pk")
    said.extend(("Credited by", credited_by(note)) for note in notes)
    if statement.outgoing_invoice is not None:
        made_in_go = credit_notes_made_in_go(statement.outgoing_invoice)
        said.extend(
            ("Credited in Go", format_html("{}, {}", link(note), amount(note.total, note.currency)))
            for note in made_in_go
        )
    return [(name, value) for name, value in said if value]


def credited_by(note: InvoiceStatement) -> str:
    """A credit note of ours; what of it is open is money that the customer has coming."""
    words = format_html("{}, {}", link(note, note.source_id), amount(note.total, note.currency))
    made = note.outgoing_invoice
    if made is None or not made.balance:
        return words
    return format_html("{}: {} is owed to the customer", words, amount(-made.balance, "NOK"))


def go_facts(statement: InvoiceStatement) -> list[tuple[str, Any]]:
    """Where it came from and what PowerOffice Go knows of it."""
    said = [
        ("Source", f"{statement.get_source_display()}, {statement.source_id}"),
        ("Reference", statement.reference),
        ("On hold", statement.held and "Yes: not pushed by its date"),
        ("Order in Go", statement.go_order_number and str(statement.go_order_number)),
        ("Transferred", statement.pushed_at and minute(statement.pushed_at)),
        ("Total in Go", statement.go_total is not None and amount(statement.go_total, statement.currency)),
        ("Lines in Go", statement.go_line_count is not None and str(statement.go_line_count)),
        ("Being sent", statement.send_asked_at and f"asked for {minute(statement.send_asked_at)}"),
        ("Changes in Go", statement.edits_accepted_at and f"accepted {minute(statement.edits_accepted_at)}"),
        ("Next try", statement.next_try_at and minute(statement.next_try_at)),
        (
            "Combined into",
            statement.combined_into and not statement.outgoing_invoice and "another draft in PowerOffice Go",
        ),
        ("Status", not statement.follows_go and "Set by hand: PowerOffice Go no longer changes it"),
    ]
    return [(name, value) for name, value in said if value]


def lines(request: HttpRequest, statement: InvoiceStatement) -> dict[str, Any]:
    """One page of its lines, read-only."""
    rows = statement.lines.select_related("product").order_by("line_number")
    page = Paginator(rows, LINES_IN_FORM).get_page(request.GET.get("lines"))
    return {"page": page, "rows": [line_row(line, statement) for line in page]}


def line_row(line: StatementLine, statement: InvoiceStatement) -> dict[str, Any]:
    """A line in words."""
    line.statement = statement  # one object for all, instead of a query for each
    amounts = line.amounts()
    return {
        "number": line.line_number,
        "is_text": line.kind == LineKind.TEXT,
        "product": line.product.code if line.product else "",
        "product_link": link(line.product, line.product.code) if line.product else "",
        "description": line.description,
        "quantity": figure(line.quantity),
        "unit_price": price(line.unit_price) if line.unit_price is not None else "",
        "discount": figure(line.discount_percent) + "\xa0%" if line.discount_percent else "",
        "vat_rate": percent(line.vat_rate),
        "net": amount(amounts.net, statement.currency),
        "total": amount(amounts.total, statement.currency),
        "more": ", ".join(
            part
            for part in (
                line.department and f"department {line.department}",
                line.project and f"project {line.project}",
                line.accrual_from and f"accrued {day(line.accrual_from)} to {day(line.accrual_to)}",
            )
            if part
        ),
    }


def totals(statement: InvoiceStatement) -> list[tuple[str, str]]:
    """Net, VAT by rate, total incl. VAT."""
    by_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in statement.lines.filter(kind=LineKind.PRODUCT):
        line.statement = statement
        by_rate[line.vat_rate.normalize()] += line.amounts().vat
    vat = [(f"VAT {percent(rate)}", amount(by_rate[rate], statement.currency)) for rate in sorted(by_rate)]
    return [
        ("Net excl. VAT", amount(statement.net, statement.currency)),
        *vat,
        ("Total incl. VAT", amount(statement.total, statement.currency)),
    ]


def by_hand(statement: InvoiceStatement) -> list[dict[str, Any]]:
    """The payments that people recorded, those that wait or no longer count included; oldest first."""
    payments = HandPayment.objects.filter(statement=statement).select_related("asked_by", "approved_by").order_by("pk")
    return [
        {
            "date": day(payment.paid_on),
            "state": badge(HandPaymentState(payment.state)),
            "how": link(payment, payment.get_method_display()),
            "who": str(payment.asked_by) + (f", approved by {payment.approved_by}" if payment.approved_by else ""),
            "invoice": payment.invoice_number or "",
            "why": payment.reason,
            "amount": amount(payment.amount, statement.currency),
        }
        for payment in payments
    ]


def invoice(statement: InvoiceStatement) -> dict[str, Any] | None:
    """The outgoing invoice it became, with what was paid."""
    made = statement.outgoing_invoice
    if made is None:
        return None
    money = money_table(made)
    shared = InvoiceStatement.objects.filter(outgoing_invoice=made).exclude(pk=statement.pk).order_by("pk")[:20]
    return {
        "title": f"{InvoiceType(made.type).label} {made.invoice_number or 'without number'}",
        "link": link(made, "All about this invoice"),
        "go_url": go_invoice_url(made),
        "facts": invoice_facts(made, with_due=statement.status in {StatementStatus.SENT, StatementStatus.PARTLY_PAID}),
        "entries": entries(made),
        "money": money,
        "share": money["shares"].get(statement.pk),
        "shared": [link(other) for other in shared],
    }


def invoice_facts(made: OutgoingInvoice, *, with_due: bool) -> list[tuple[str, Any]]:
    """An invoice's dates and amounts."""
    overdue = with_due and made.due_date is not None and made.due_date < timezone.localdate()
    return [
        ("Date", day(made.invoice_date)),
        ("Due", f"{day(made.due_date)}{' (overdue)' if overdue else ''}"),
        ("Delivered as", delivery_words(made.delivery)),
        ("KID", made.kid or "–"),
        ("Total", amount(made.total, made.currency)),
        ("Open", amount(made.balance, "NOK")),
    ]


def entries(made: OutgoingInvoice) -> list[dict[str, Any]]:
    """Payments, credits and write-offs matched to an invoice, oldest first."""
    whose = Q(outgoing_invoice=made)
    if made.match_id is not None:  # a payment of several invoices is linked with one of them only
        whose |= Q(match_id=made.match_id)
    rows = LedgerEntry.objects.filter(whose, company=made.company_id).exclude(voucher_id=made.go_invoice_id)
    return [entry_row(entry) for entry in rows.order_by("posting_date", "pk")]


def spaced(name: str) -> str:
    """Go's name for a kind of voucher in words: `CustomerPayment` is `Customer payment`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize().replace(" ocr ", " OCR ")


def entry_row(entry: LedgerEntry) -> dict[str, Any]:
    """A ledger entry in words."""
    return {
        "date": day(entry.posting_date),
        "what": "Write-off" if entry.is_write_off else spaced(entry.voucher_type),
        "voucher": entry.voucher_number or "–",
        "amount": amount(entry.amount, "NOK"),
    }
