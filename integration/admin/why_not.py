"""“Why is my invoice not in PowerOffice Go?”: the answers on a statement's page, and a page to ask for any of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from integration.admin.dashboard import last_runs
from integration.admin.display import amount, link, number, page_of, statement_badge
from integration.admin.search import rows_with, words_of
from integration.decisions.transitions import BEFORE_PUSH, UNDER_WAY
from integration.decisions.why_not_in_go import Answer, Facts, why_not_in_go
from integration.enums import StatementStatus
from integration.models import GoCompany, InvoiceStatement, ProductInGo, StatementLine
from integration.use_cases.progress import progress_of

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


def answers(statements: Sequence[InvoiceStatement]) -> dict[int, list[Answer]]:
    """By statement, line by line, what is in order and what is not; nothing for one that is in Go.

    As many queries for ten as for one.
    """
    waiting = [statement for statement in statements if statement.status in BEFORE_PUSH]
    if not waiting:
        return {}
    companies = {statement.company_id: statement.company for statement in waiting}
    sold: dict[int, dict[str, int | None]] = defaultdict(dict)
    lines = StatementLine.objects.filter(statement__in=waiting, product__isnull=False).order_by()
    for key, code, account in lines.values_list("statement", "product__code", "product__sales_account"):
        sold[key][str(code)] = account
    known = ProductInGo.objects.filter(
        company__in=companies, code__in={code for codes in sold.values() for code in codes}, is_archived=False
    )
    there = set(known.values_list("company", "code"))
    on_their_way = [statement for statement in waiting if statement.status in UNDER_WAY]
    running = progress_of({statement.company_id for statement in on_their_way}, timezone.now())
    runs = last_runs([companies[key] for key in {statement.company_id for statement in on_their_way}])
    before = before_them(on_their_way)
    found = {}
    for statement in waiting:
        company, customer = statement.company, statement.customer
        codes = sold[statement.pk]
        batch, run = running.get(company.pk), runs.get(company.pk)
        found[statement.pk] = why_not_in_go(
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
                not_in_go=tuple(
                    sorted(
                        code
                        for code, account in codes.items()
                        # Where the company says so, those with a sales account are made on the way.
                        if (company.pk, code) not in there and (account is None or not company.create_missing_products)
                    )
                ),
                before=before.get(statement.pk, 0),
                ready_at=local(batch.about_ready_at) if batch else None,
                last_cycle_at=local(run.started_at) if run else None,
            )
        )
    return found


def before_them(statements: Sequence[InvoiceStatement]) -> dict[int, int]:
    """How many of the company wait that were made before each of these."""
    older = InvoiceStatement.objects.filter(
        company=OuterRef("company"), status=StatementStatus.PROCESSING, pk__lt=OuterRef("pk")
    )
    counted = older.order_by().values("company").annotate(many=Count("pk")).values("many")
    rows = InvoiceStatement.objects.filter(pk__in=[statement.pk for statement in statements])
    return {key: many or 0 for key, many in rows.values_list("pk", Subquery(counted))}


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
    by_statement = answers(rows[:SHOWN])
    context = {
        **admin.site.each_context(request),
        "title": TITLE,
        "content_title": TITLE,
        "form": form,
        "asked": asked,
        "more": number(SHOWN) if len(rows) > SHOWN else "",
        "found": [told(row, by_statement.get(row.pk, [])) for row in rows[:SHOWN]],
    }
    return TemplateResponse(request, "admin/integration/why_not.html", context)


def told(statement: InvoiceStatement, its_answers: list[Answer]) -> dict[str, Any]:
    """One statement of the page, ready to print."""
    invoice = statement.outgoing_invoice
    return {
        "address": page_of(statement),
        "number": statement.source_id,
        "customer": str(statement.customer or "No customer"),
        "company": str(statement.company),
        "amount": amount(statement.total, statement.currency),
        "badge": statement_badge(statement),
        "answers": its_answers,
        "in_go": link(invoice) if invoice else statement.go_says,
    }
