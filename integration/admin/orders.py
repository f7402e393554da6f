"""The *Orders* panel on a customer's page: every statement, what became of it, and what can be done with it now."""

from typing import Any, Final

from django.contrib.admin import site
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest

from integration.admin.display import amount, day, delivery_words, link, list_of, page_of, statement_badge
from integration.admin.statement_actions import PULL
from integration.enums import ByHandAction, ReviewAction
from integration.enums import StatementStatus as S
from integration.models import Customer, InvoiceStatement, OutgoingInvoice, StatementLine
from integration.use_cases.money_of_invoices import Share
from integration.use_cases.pay_by_hand import in_force, look_up_shares, share_of
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

ONLY_IN: Final[dict[str, frozenset[S]]] = {
    ByHandAction.SETTLE.value: frozenset({S.CANCELLED, S.LINK_BROKEN}),
    **{act.value: states for act, states in FROM.items()},
}
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
    look_up_shares(shown)
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
                "payments": [*in_go(share), *by_hand(statement)],
                "shared": share is not None and share.combined,
                "buttons": shown_buttons,
                "held_up": any(button["why_not"] for button in shown_buttons),
            }
            for statement in shown
            for shown_buttons, share in [(buttons(request, statement), share_of(statement))]
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


def in_go(share: Share | None) -> list[tuple[str, str]]:
    """What a statement's part of its invoice consists of, paid and open above all, in NOK; it sums to that part."""
    return [(part.label, amount(value, "NOK")) for part, value in share.parts.shown] if share else []


def by_hand(statement: InvoiceStatement) -> list[tuple[str, str]]:
    """What was paid by a person's word, which PowerOffice Go does not know of."""
    return [("By hand", amount(each.amount, statement.currency)) for each in in_force(statement)]


def buttons(request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
    """The acts that this person may do, with why not where one is not possible now: those of the statement's page."""
    page: Any = site.get_model_admin(InvoiceStatement)
    offered = {button["act"]: button for button in page.every_button(request, statement)}
    if PULL in offered and not statement.followed_id:
        offered[PULL]["why_not"] = offered[PULL]["why_not"] or "it is not in PowerOffice Go"
    return [offered[act] for act in ACTS if act in offered and statement.status in ONLY_IN.get(act, frozenset(S))]
