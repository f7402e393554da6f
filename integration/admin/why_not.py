"""“Why is my invoice not in PowerOffice Go?”: the answers on a statement's page, and a page to ask for any of them."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from integration.admin.display import amount, link, number, page_of, statement_badge
from integration.admin.search import rows_with, words_of
from integration.decisions.transitions import BEFORE_PUSH, UNDER_WAY
from integration.decisions.why_not_in_go import Answer, Facts, why_not_in_go
from integration.enums import StatementStatus
from integration.models import GoCompany, InvoiceStatement, ProductInGo, SyncRun
from integration.use_cases.progress import progress

TITLE: Final = "Why is it not in PowerOffice Go?"
SHOWN: Final = 10
"""So many statements are answered for at once; who finds more is asked to say more."""


class AskForm(forms.Form):
    """Which statement."""

    q = forms.CharField(
        label="Number, reference or customer of the statement",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search"}),
    )


def answers(statement: InvoiceStatement) -> list[Answer]:
    """Line by line what is in order and what is not; nothing for a statement that is in Go."""
    if statement.status not in BEFORE_PUSH:
        return []
    company, customer, now = statement.company, statement.customer, timezone.now()
    sold = statement.lines.filter(product__isnull=False).order_by()
    codes = dict(sold.values_list("product__code", "product__sales_account"))
    there = ProductInGo.objects.filter(company=company, code__in=list(codes), is_archived=False)
    missing = codes.keys() - set(there.values_list("code", flat=True))
    if company.create_missing_products:  # those with a sales account are made on the way
        missing = {code for code in missing if codes[code] is None}
    facts: dict[str, Any] = {}
    if statement.status in UNDER_WAY:
        queue = InvoiceStatement.objects.filter(company=company, status=StatementStatus.PROCESSING)
        running = progress(company, now)
        runs = SyncRun.objects.filter(company=company).order_by("-started_at")
        facts = {
            "ahead": queue.filter(pk__lt=statement.pk).count(),
            "ready_at": local(running.about_ready_at) if running else None,
            "last_cycle_at": local(runs.values_list("started_at", flat=True).first()),
        }
    return why_not_in_go(
        Facts(
            status=statement.status,
            reference=statement.reference,
            company_state=company.state,
            company_reason=company.state_reason,
            has_key=bool(company.client_key_fingerprint),
            payment_date=statement.payment_date,
            held=statement.held,
            attention=statement.attention,
            next_try_at=local(statement.next_try_at),
            customer=str(customer or ""),
            customer_in_go=customer is not None and customer.go_customer_id is not None,
            products=len(codes),
            not_in_go=tuple(sorted(missing)),
            **facts,
        )
    )


def local(moment: datetime | None) -> datetime | None:
    """The moment on a Norwegian clock."""
    return timezone.localtime(moment) if moment else None


def ask(request: HttpRequest) -> HttpResponse:
    """The page: words of a reference, a number or a customer, and the answers for the statements that have them."""
    if not request.user.has_perm("integration.view_invoicestatement"):
        raise PermissionDenied
    form = AskForm(request.GET)
    asked = form.cleaned_data["q"] if form.is_valid() else ""
    words = list(words_of(asked.lower()))
    rows: list[InvoiceStatement] = []
    if words:
        companies = [company.pk for company in GoCompany.objects.of(request.user)]
        own = InvoiceStatement.objects.filter(company__in=companies)
        newest = rows_with(own, words).order_by("-pk").values_list("pk", flat=True)[: SHOWN + 1]
        rows = list(
            InvoiceStatement.objects.filter(pk__in=list(newest))
            .select_related("company", "customer", "outgoing_invoice")
            .order_by("-pk")
        )
    context = {
        **admin.site.each_context(request),
        "title": TITLE,
        "content_title": TITLE,
        "form": form,
        "asked": asked,
        "more": number(SHOWN) if len(rows) > SHOWN else "",
        "found": [told(row) for row in rows[:SHOWN]],
    }
    return TemplateResponse(request, "admin/integration/why_not.html", context)


def told(statement: InvoiceStatement) -> dict[str, Any]:
    """One statement of the page, ready to print."""
    invoice = statement.outgoing_invoice
    return {
        "address": page_of(statement),
        "number": statement.source_id,
        "customer": str(statement.customer or "No customer"),
        "company": str(statement.company),
        "amount": amount(statement.total, statement.currency),
        "badge": statement_badge(statement),
        "answers": answers(statement),
        "in_go": link(invoice) if invoice else statement.go_says,
    }
