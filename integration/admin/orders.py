"""The *Orders* panel on a customer's page: every statement, what became of it, and what can be done with it now."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.contrib.admin import site
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest

from integration.admin.display import amount, day, delivery_words, link, list_of, page_of, statement_badge
from integration.admin.statement_actions import PULL
from integration.enums import ByHandAction, ReviewAction
from integration.enums import StatementStatus as S
from integration.models import Customer, InvoiceStatement, OutgoingInvoice, StatementLine
from integration.use_cases.money_of_invoices import money_of
from integration.use_cases.pay_by_hand import in_force
from integration.use_cases.review_statements import asked_at_once
from integration.use_cases.settle_failed import FROM

SHOWN: Final = 25
"""Orders on one page of the panel."""

PAGE: Final = "orders"
"""Which page of the panel, in the address."""


ACTS: Final[tuple[str, ...]] = (
    ReviewAction.ACTIVATE,
    PULL,
    "credit",
    ByHandAction.MARK_PAID,
    ByHandAction.SETTLE,
    ByHandAction.INVOICE_AGAIN,
    ByHandAction.CREDIT_HERE,
)
"""Which of the buttons on a statement's page each order has, in order. One word more is one button more."""

ONLY_IN: Final[Mapping[str, Collection[str]]] = {**FROM, ByHandAction.SETTLE: {S.CANCELLED, S.LINK_BROKEN}}
"""The states where an act is worth a button, possible or with why not; everywhere, if nothing is said here."""


def orders(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """One page of the customer's statements, newest first. As many queries for many as for one."""
    own = InvoiceStatement.objects.filter(customer=customer).order_by("-statement_date", "-pk")
    page = Paginator(own.values_list("pk", flat=True), SHOWN).get_page(request.GET.get(PAGE))
    texts = StatementLine.objects.filter(statement=OuterRef("pk")).exclude(description="").order_by("line_number")
    shown = list(
        asked_at_once(own.filter(pk__in=list(page.object_list)))
        .select_related("company", "outgoing_invoice")
        .prefetch_related("hand_payments")
        .annotate(text=Subquery(texts.values("description")[:1]))
    )
    payments = payments_of(customer, [each.outgoing_invoice for each in shown if each.outgoing_invoice])
    shared = shared_invoices([each.outgoing_invoice_id for each in shown if each.outgoing_invoice_id])
    return {
        "page": page,
        "rows": [
            {
                "address": page_of(statement),
                "number": statement.source_id,
                "text": getattr(statement, "text", None) or "",
                "status": statement_badge(statement),
                "marks": "on hold" if statement.held else "",
                "date": day(statement.statement_date),
                "amount": amount(statement.total, statement.currency),
                "invoice": invoice_words(statement.outgoing_invoice),
                "payments": [*payments.get(statement.outgoing_invoice_id or 0, []), *by_hand(statement)],
                "shared": statement.outgoing_invoice_id in shared,
                "buttons": shown_buttons,
                "held_up": any(button["why_not"] for button in shown_buttons),
            }
            for statement in shown
            for shown_buttons in [buttons(request, statement)]
        ],
        "all": list_of(InvoiceStatement, f"customer__id__exact={customer.pk}"),
    }


def invoice_words(invoice: OutgoingInvoice | None) -> dict[str, Any] | None:
    """The invoice that a statement became: its number, when it is due, how it was delivered."""
    if invoice is None:
        return None
    return {
        "number": link(invoice, str(invoice.invoice_number or "without number")),
        "due": day(invoice.due_date),
        "delivery": delivery_words(invoice.delivery) if invoice.delivery else "",
    }


def payments_of(customer: Customer, invoices: Sequence[OutgoingInvoice]) -> dict[int, list[tuple[str, str]]]:
    """What each invoice consists of, paid and open above all, in NOK; the parts sum to the invoice."""
    unique = list({invoice.pk: invoice for invoice in invoices}.values())
    return {
        money.invoice.pk: [(part.label, amount(value, "NOK")) for part, value in money.picture.parts.shown]
        for money in money_of(customer.company, unique)
    }


def by_hand(statement: InvoiceStatement) -> list[tuple[str, str]]:
    """What was paid by a person's word, which PowerOffice Go does not know of."""
    return [("By hand", amount(each.amount, statement.currency)) for each in in_force(statement)]


def shared_invoices(keys: Sequence[int]) -> frozenset[int]:
    """Those that several statements share: what is paid there is paid for all of them."""
    sharing = InvoiceStatement.objects.filter(outgoing_invoice__in=keys).order_by().values_list("outgoing_invoice")
    return frozenset(key for key, many in sharing.annotate(Count("pk")) if key is not None and many > 1)


def buttons(request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
    """The acts that this person may do, with why not where one is not possible now: those of the statement's page."""
    page: Any = site.get_model_admin(InvoiceStatement)
    offered = {button["act"]: button for button in page.every_button(request, statement)}
    if PULL in offered and not statement.go_order_id:
        offered[PULL]["why_not"] = offered[PULL]["why_not"] or "it is not in PowerOffice Go"
    return [offered[act] for act in ACTS if act in offered and statement.status in ONLY_IN.get(act, S)]
