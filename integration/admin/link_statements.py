"""Combined drafts on the pages: what is proposed, with the lines as evidence, and the two ways to say yes."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from integration import remotes
from integration.admin.base import CompanyModelAdmin
from integration.admin.causes import stuck_by_cause
from integration.admin.display import amount, link, list_of, number, page_of, status_badge
from integration.admin.navigation import LINK_BROKEN
from integration.admin.report_tables import asked_by
from integration.admin.statement_actions import ReasonForm
from integration.enums import SharingRule, StatementStatus
from integration.errors import RemoteError
from integration.models import GoCompany, InvoiceStatement
from integration.use_cases.find_traces import BY_CONTENT
from integration.use_cases.link_statements import (
    UNLINK,
    NotLinkable,
    Proposal,
    accept,
    is_linkable,
    link_by_number,
    proposals,
    unlink,
    why_not_unlinked,
)

LINK_STATEMENT = "integration.link_statement"
LARGEST_NUMBER = 10**15


def client_for(company: GoCompany) -> Any:
    """Asks Go on behalf of the person who waits."""
    return remotes.go_client(company, person=True)


class LinkForm(forms.Form):
    """Which invoice, and how one knows."""

    number = forms.CharField(
        label="Invoice number in PowerOffice Go",
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        error_messages={"required": "Type the number of the invoice that the statement is in now."},
    )
    reason = forms.CharField(
        label="How do you know?",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        error_messages={"required": "Say how you know: whoever looks at this statement next year wants to know."},
    )

    def clean_number(self) -> int:
        digits = "".join(str(self.cleaned_data["number"]).split())
        if not (digits.isascii() and digits.isdecimal() and 0 < int(digits) < LARGEST_NUMBER):
            raise forms.ValidationError("An invoice number has only digits.")
        return int(digits)


class LinkStatements(CompanyModelAdmin[InvoiceStatement]):
    """Proposals above the list of broken links and on a statement's page; linking by hand."""

    list_before_template: ClassVar[str] = "admin/integration/invoicestatement/above.html"

    def get_urls(self) -> list[URLPattern]:
        wrapped = self.admin_site.admin_view
        return [
            path("link/accept/", wrapped(self.accept_view), name="integration_invoicestatement_accept"),
            path("<int:object_id>/link/", wrapped(self.link_view), name="integration_invoicestatement_link"),
            path("<int:object_id>/unlink/", wrapped(self.unlink_view), name="integration_invoicestatement_unlink"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Above the list of broken links: what is proposed. Above the stuck ones: the causes, unless one is chosen."""
        context = dict(extra_context or {})
        shown = request.GET.getlist("status__exact")
        if shown == [StatementStatus.NEEDS_FIX] and "attention_code__exact" not in request.GET:
            context["causes"] = [table for table in stuck_by_cause(asked_by(request)) if table.rows]
        if shown == [StatementStatus.LINK_BROKEN]:
            found = proposals(self.get_queryset(request).prefetch_related(None))
            context["proposals"] = [proposal_words(each) for each in found]
            context["may_link"] = request.user.has_perm(LINK_STATEMENT)
        return super().changelist_view(request, context)

    def linking(self, request: HttpRequest, statement: InvoiceStatement) -> dict[str, Any] | None:
        """What a statement's page says about where it is; None while its link is whole."""
        if not is_linkable(statement):
            return None
        found: list[Proposal] = []
        if statement.proposal:
            rows = self.get_queryset(request).prefetch_related(None)
            found = proposals(rows.filter(company=statement.company, proposal__id=statement.proposal["id"]))
        return {
            "proposal": proposal_words(found[0], only=statement) if found else None,
            "may": request.user.has_perm(LINK_STATEMENT),
            "by_hand": reverse("admin:integration_invoicestatement_link", args=[statement.pk]),
        }

    def accept_view(self, request: HttpRequest) -> HttpResponse:
        """One click: the statements of the form follow the place of the form, if that is what is proposed for them."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(LINK_STATEMENT):
            raise PermissionDenied
        keys = [int(key) for key in request.POST.getlist("statement") if key.isdecimal()][:1000]
        chosen = self.get_queryset(request).prefetch_related(None).filter(pk__in=keys)
        go_id = request.POST.get("go_id", "")
        try:
            report = accept(chosen, go_id, user=request.user, now=timezone.now(), client_for=client_for)  # type: ignore[arg-type]
        except RemoteError as error:
            messages.error(request, f"Nothing was linked. {error.message}")
        else:
            words = f"{number(report.done)} linked"
            words += "".join(f", {number(many)} held back: {reason}" for reason, many in report.held_back)
            messages.add_message(request, messages.SUCCESS if report.done else messages.WARNING, f"{words}.")
        return HttpResponseRedirect(list_of(InvoiceStatement, LINK_BROKEN))

    def link_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Link a statement with an invoice by its number."""
        if not request.user.has_perm(LINK_STATEMENT):
            raise PermissionDenied
        rows = self.get_queryset(request).prefetch_related(None).select_related("company", "customer")
        statement = get_object_or_404(rows, pk=object_id)
        form = LinkForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                invoice = link_by_number(
                    statement,
                    form.cleaned_data["number"],
                    user=request.user,  # type: ignore[arg-type] # staff: our own User
                    now=timezone.now(),
                    reason=form.cleaned_data["reason"],
                    client_for=client_for,
                )
            except NotLinkable as refusal:
                form.add_error("number", str(refusal))
            except RemoteError as error:
                form.add_error("number", f"PowerOffice Go could not be asked. {error.message}")
            else:
                messages.success(request, f"{statement.source_id} follows {invoice} now.")
                return HttpResponseRedirect(page_of(statement))
        context = {
            **self.admin_site.each_context(request),
            "title": "Link by invoice number",
            "opts": self.opts,
            "media": self.media,
            "statement": statement,
            "total": amount(statement.total, statement.currency),
            "form": form,
            "rule": SharingRule(statement.company.sharing).label.lower(),
            "back": page_of(statement),
        }
        return TemplateResponse(request, "admin/integration/invoicestatement/link.html", context)

    def unlink_button(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """Taking a link back, where a person made one."""
        if not statement.combined_into or not request.user.has_perm(LINK_STATEMENT):
            return []
        address = reverse("admin:integration_invoicestatement_unlink", args=[statement.pk])
        return [{"title": "Unlink", "address": address, "why_not": why_not_unlinked(statement), "act": UNLINK}]

    def unlink_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Take back that a statement is in another draft or invoice."""
        if not request.user.has_perm(LINK_STATEMENT):
            raise PermissionDenied
        rows = self.get_queryset(request).prefetch_related(None).select_related("company", "customer")
        statement = get_object_or_404(rows, pk=object_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                reason = form.cleaned_data["reason"]
                unlink(statement, user=request.user, now=timezone.now(), reason=reason)  # type: ignore[arg-type]
            except NotLinkable as refusal:
                messages.warning(request, str(refusal))
            else:
                messages.success(request, f"{statement.source_id} is not linked any more: decide what became of it.")
            return HttpResponseRedirect(page_of(statement))
        refusal_now = why_not_unlinked(statement)
        customer, total = str(statement.customer or "No customer"), amount(statement.total, statement.currency)
        context = {
            **self.admin_site.each_context(request),
            "title": "Unlink",
            "opts": self.opts,
            "media": self.media,
            "act": UNLINK,
            "explanation": "It no longer follows that draft or invoice, and its link is broken again: link it with "
            "another, or treat it as cancelled. Nothing is changed in PowerOffice Go.",
            "form": form,
            "back": page_of(statement),
            "count": 1,
            "ready": 0 if refusal_now else 1,
            "named": [] if refusal_now else [(statement.source_id, customer, total)],
            "held_back": [(refusal_now, "1", statement.source_id)] if refusal_now else [],
            "held_back_count": 1,
        }
        return TemplateResponse(request, "admin/integration/invoicestatement/confirm.html", context)


def proposal_words(found: Proposal, only: InvoiceStatement | None = None) -> dict[str, Any]:
    """A proposal ready to print: the place, the statements with their lines, who is in it already."""
    return {
        "place": found.place,
        "go_id": found.go_id,
        "company": str(found.company),
        "rule": SharingRule(found.company.sharing).label.lower(),
        "rows": [proposal_row(row) for row in found.statements],
        "keys": [row.pk for row in found.statements],
        "only": only.pk if only else None,
        "already": [(link(row, row.source_id), status_badge(row.status)) for row in found.already],
    }


def proposal_row(statement: InvoiceStatement) -> dict[str, Any]:
    """One statement of a proposal, with its evidence."""
    evidence = statement.proposal or {}
    how = "by what they say: product, text, quantity, price" if evidence.get("by") == BY_CONTENT else "by our mark"
    return {
        "key": statement.pk,
        "link": link(statement, statement.source_id),
        "customer": str(statement.customer or ""),
        "amount": amount(statement.total, statement.currency),
        "lines": evidence["lines"][:10],
        "more": max(len(evidence["lines"]) - 10, 0),
        "found": f"{len(evidence['lines'])} of {evidence['of']} found {how}",
    }
