"""Credit a statement: choose what, see what it sums to, say why, confirm. Go is asked before anything is made."""

from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from integration import remotes
from integration.admin.base import CompanyModelAdmin
from integration.admin.display import amount, figure, link, page_of, price
from integration.admin.fields import FigureField
from integration.admin.statement_actions import ReasonForm, cannot_pull, nudge
from integration.admin.statement_sheet import LINES_IN_FORM
from integration.decisions.credits import CreditRefused
from integration.errors import RemoteError
from integration.models import InvoiceStatement
from integration.use_cases.credit_statement import (
    ASK_FIRST,
    Creditable,
    credit_statement,
    creditable,
    planned,
    why_no_credit,
)
from integration.use_cases.pull_statuses import pull_statuses

TITLE: Final = "Credit"
ASK: Final = "ask"
CONFIRM: Final = "confirm"


def field_name(line_number: int) -> str:
    """The box of a line."""
    return f"line_{line_number}"


class CreditForm(ReasonForm):
    """How much of each line, and why. Without boxes it is all that is left."""

    def __init__(self, data: Any, *, left: Creditable, by_line: bool) -> None:
        super().__init__(data)
        self.numbers = [line.line_number for line in left.lines if line.left != 0] if by_line else []
        for line in left.lines:
            if by_line and line.left != 0:
                box = FigureField(
                    label=f"Line {line.line_number}: quantity to credit",
                    required=False,
                    initial=line.left,
                    max_digits=14,
                    decimal_places=4,
                )
                box.widget.attrs["aria-label"] = box.label
                self.fields[field_name(line.line_number)] = box
        self.fields["reason"].max_length = 300  # type: ignore[attr-defined] # it is a text
        self.fields["reason"].widget.attrs["maxlength"] = 300

    def wanted(self) -> dict[int, Decimal] | None:
        """Quantity by line number, or None for all that is left."""
        if not self.numbers:
            return None
        said = {number: self.cleaned_data[field_name(number)] for number in self.numbers}
        return {number: quantity for number, quantity in said.items() if quantity}


class StatementCredit(CompanyModelAdmin[InvoiceStatement]):
    """The page where an invoice is credited."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:object_id>/credit/",
            self.admin_site.admin_view(self.credit_view),
            name="integration_invoicestatement_credit",
        )
        return [page, *super().get_urls()]

    def has_credit_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("integration.credit_statement"))

    def credit_button(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """The button on a statement's page, for those who may, with why not where it is impossible now."""
        if not self.has_credit_permission(request):
            return []
        may_become_possible = statement.status in ASK_FIRST and not cannot_pull(statement.company)
        return [
            {
                "title": TITLE,
                "address": reverse("admin:integration_invoicestatement_credit", args=[statement.pk]),
                "why_not": "" if may_become_possible else why_no_credit(statement),
                "act": "credit",
            }
        ]

    def credit_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask, look, confirm. 404 for statements of other companies; raises PermissionDenied."""
        statement = self.get_queryset(request).filter(pk=object_id).first()
        if statement is None:
            raise Http404
        if not self.has_credit_permission(request):
            raise PermissionDenied
        step = request.POST.get("step", "") if request.method == "POST" else ""
        if step == ASK:
            self._ask_go(request, statement)
            return HttpResponseRedirect(request.path)
        refusal = why_no_credit(statement)
        left = creditable(statement)
        by_line = len(left.lines) <= LINES_IN_FORM
        form = None if refusal else CreditForm(request.POST if step else None, left=left, by_line=by_line)
        note: dict[str, Any] | None = None
        problem = ""
        if form is not None and step and form.is_valid():
            try:
                _, lines = planned(statement, form.wanted())
                total = -sum((line.amounts.total for line in lines), Decimal(0))
                seen = str(total)  # a word: the page would write the number with a comma
                if step == CONFIRM and request.POST.get("seen") == seen:
                    return self._credit(request, statement, form)
                note = {"lines": len(lines), "total": amount(total, statement.currency), "seen": seen}
            except CreditRefused as refused:
                problem = str(refused)
        context = {
            **self.admin_site.each_context(request),
            "title": TITLE,
            "subtitle": statement.source_id,
            "opts": self.opts,
            "media": self.media,
            "statement": statement,
            "invoice": link(statement.outgoing_invoice),
            "back": page_of(statement),
            "refusal": refusal,
            "can_ask": bool(refusal) and statement.status in ASK_FIRST and not cannot_pull(statement.company),
            "problem": problem,
            "form": form,
            "note": note,
            "by_line": by_line,
            "rows": rows(statement, left, form) if form is not None and by_line else [],
            "figures": figures(statement, left),
        }
        return TemplateResponse(request, "admin/integration/invoicestatement/credit.html", context)

    def _ask_go(self, request: HttpRequest, statement: InvoiceStatement) -> bool:
        """What Go knows now. False: it could not be asked, and the person is told."""
        if refusal := cannot_pull(statement.company):
            messages.warning(request, f"{refusal}. Nothing was asked.")
            return False
        try:
            pull_statuses(
                company=statement.company,
                client=remotes.go_client(statement.company, person=True),
                clock=timezone.now,
            )
        except RemoteError as error:
            messages.error(request, f"{error.message} Nothing was credited; try again later.")
            return False
        return True

    def _credit(self, request: HttpRequest, statement: InvoiceStatement, form: CreditForm) -> HttpResponse:
        """Raises CreditRefused."""
        if not self._ask_go(request, statement):
            return HttpResponseRedirect(request.path)
        note = credit_statement(
            statement.pk,
            form.wanted(),
            user=request.user,  # type: ignore[arg-type] # logged in
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
            today=timezone.localdate(),
        )
        nudge((note.company_id,))
        messages.success(
            request,
            format_html(
                "Credit note {} of {} is on its way to PowerOffice Go, where somebody sends it.",
                link(note),
                amount(-note.total, note.currency),
            ),
        )
        return HttpResponseRedirect(page_of(statement))


def rows(statement: InvoiceStatement, left: Creditable, form: CreditForm) -> list[dict[str, Any]]:
    """Each product line with what was invoiced, what is credited, and its box."""
    words = dict(statement.lines.values_list("line_number", "description"))
    return [
        {
            "number": line.line_number,
            "description": words[line.line_number],
            "quantity": figure(line.quantity),
            "price": price(line.unit_price),
            "credited": figure(line.credited_quantity),
            "field": form[field_name(line.line_number)] if line.left != 0 else None,
        }
        for line in left.lines
    ]


def figures(statement: InvoiceStatement, left: Creditable) -> list[tuple[str, Any]]:
    """What was invoiced, by whom how much was credited, what is left."""
    said: list[tuple[str, Any]] = [("Invoiced", amount(left.invoiced, statement.currency))]
    said += [(format_html("Credit note {}", link(note)), amount(note.total, statement.currency)) for note in left.ours]
    said += [
        (format_html("{}, made in PowerOffice Go", link(note)), amount(note.total, note.currency))
        for note in left.made_in_go
    ]
    return [*said, ("Can still be credited", amount(left.left_total, statement.currency))]
