"""Failed payments and broken links: another payment method, invoice again, credit here, treat as cancelled."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import action
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from integration import remotes
from integration.admin.by_hand_actions import ByHandActions, SettleForm, limits, locked_until, planned_words
from integration.admin.display import number, page_of
from integration.admin.statement_actions import (
    ReasonForm,
    Statements,
    cannot_pull,
    companies_of,
    held_back_words,
    nudge,
)
from integration.enums import ByHandAction
from integration.enums import StatementStatus as S
from integration.errors import RemoteError
from integration.models import InvoiceStatement
from integration.use_cases.pay_by_hand import MOST, PaymentRefused, mark_paid, plan
from integration.use_cases.settle_failed import FROM, decide_failed, look, why_not

A = ByHandAction
ACTS: Final = (A.SETTLE, A.INVOICE_AGAIN, A.CREDIT_HERE, A.CANCEL)

EXPLANATIONS: Final[dict[ByHandAction, str]] = {
    A.SETTLE: "The whole amount is settled in another way, and nothing more happens with it here. "
    "PowerOffice Go is asked first: while the draft or the invoice is there, it is refused.",
    A.INVOICE_AGAIN: "A new sales order with a new reference goes to PowerOffice Go. The old order stays in the "
    "timeline. PowerOffice Go is asked first: while the old draft or invoice is there, it is refused.",
    A.CREDIT_HERE: "Credited here only: no credit note is made in PowerOffice Go, since nothing is owed there. "
    "This cannot be undone.",
    A.CANCEL: "You say that the draft was deleted, and not combined with others. It is then a failed payment: take "
    "another payment method, invoice again or credit. PowerOffice Go is asked first.",
}
DANGER: Final = (
    "The draft vanished from PowerOffice Go, and nobody knows whether it was deleted or combined with others by hand. "
    "If it was combined, the customer is invoiced twice. Look at the customer's invoices in PowerOffice Go first."
)
DONE: Final[dict[ByHandAction, str]] = {
    A.SETTLE: "settled otherwise",
    A.INVOICE_AGAIN: "queued with a new reference",
    A.CREDIT_HERE: "credited here",
    A.CANCEL: "treated as cancelled",
}


class FailedActions(ByHandActions):
    """The acts in the list and on a statement's page."""

    actions = (*ByHandActions.actions, "settle_otherwise", "invoice_again", "credit_here", "treat_as_cancelled")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("integration.settle_statement"))

    @action(description=A.SETTLE.label, permissions=["settle"])
    def settle_otherwise(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review_failed(request, queryset, A.SETTLE)

    @action(description=A.INVOICE_AGAIN.label, permissions=["settle"])
    def invoice_again(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review_failed(request, queryset, A.INVOICE_AGAIN)

    @action(description=A.CREDIT_HERE.label, permissions=["settle"])
    def credit_here(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review_failed(request, queryset, A.CREDIT_HERE)

    @action(description=A.CANCEL.label, permissions=["settle"])
    def treat_as_cancelled(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review_failed(request, queryset, A.CANCEL)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:object_id>/settle/<slug:act>/",
            self.admin_site.admin_view(self.settle_view),
            name="integration_invoicestatement_settle",
        )
        return [page, *super().get_urls()]

    def settle_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponse:
        """A button on a statement's page. 404 for statements of other companies and unknown acts."""
        queryset = self.get_queryset(request).filter(pk=object_id)
        if act not in list(ACTS) or not queryset.exists():
            raise Http404
        return self.review_failed(request, queryset, A(act), back=page_of(queryset.get()))

    def buttons(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """Where it failed or its link broke, the ways on; on what lives in Go one that says to cancel it there (R7)."""
        buttons = super().buttons(request, statement)
        if not self.has_settle_permission(request):
            return buttons
        acts: tuple[ByHandAction, ...] = ()
        if statement.status in {S.CANCELLED, S.LINK_BROKEN}:
            acts = ACTS
        elif statement.status in {S.DRAFT, S.CONFIRMED, S.SENT, S.PARTLY_PAID}:
            acts = (A.SETTLE,)
        return [
            *buttons,
            *(
                {
                    "title": str(act.label),
                    "address": reverse("admin:integration_invoicestatement_settle", args=[statement.pk, act]),
                    "why_not": why_not(act, statement),
                    "act": act.value,
                }
                for act in acts
            ),
        ]

    def review_failed(
        self, request: HttpRequest, queryset: Statements, act: ByHandAction, back: str = ""
    ) -> HttpResponse:
        """Ask, or do what was confirmed. Raises PermissionDenied."""
        if not self.has_settle_permission(request):
            raise PermissionDenied
        queryset = queryset.prefetch_related(None).order_by()
        back = back or request.get_full_path()
        count = queryset.count()
        if count > MOST:
            messages.warning(request, f"At most {MOST} statements in one go: PowerOffice Go is asked about each.")
            return HttpResponseRedirect(back)
        sent = request.POST if "confirmed" in request.POST else None
        form = SettleForm(sent, today=timezone.localdate()) if act is A.SETTLE else ReasonForm(sent)
        if sent is not None and form.is_valid():
            try:
                self._settle(request, queryset, act, form)
            except PaymentRefused as refused:
                form.add_error(None, str(refused))
            else:
                return HttpResponseRedirect(back)
        planned = plan(queryset, lambda statement: why_not(act, statement))
        broken = any(statement.status == S.LINK_BROKEN for statement, _ in planned.ready)
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "opts": self.opts,
            "media": self.media + form.media,
            "act": act.value,
            "explanation": EXPLANATIONS[act],
            "danger": DANGER if act in FROM and broken else "",
            "form": form,
            "back": back,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "across": request.POST.get("select_across") == "1",
            "count": count,
            **planned_words(planned, with_names=True),
            "limits": limits(planned) if act is A.SETTLE else (),
        }
        page = "mark_paid" if act is A.SETTLE else "confirm"
        return TemplateResponse(request, f"admin/integration/invoicestatement/{page}.html", context)

    def _settle(self, request: HttpRequest, queryset: Statements, act: ByHandAction, form: ReasonForm) -> None:
        """Ask Go, then do it. What Go could not be asked about is left alone."""
        user: Any = request.user
        lives: dict[int, str] = {}
        for company in companies_of(queryset):
            lives |= self._ask(request, queryset, company, act)
        if isinstance(form, SettleForm):
            paid = mark_paid(
                queryset,
                form.given(),
                user=user,
                now=timezone.now(),
                today=timezone.localdate(),
                action=act,
                why_not=lambda statement: why_not(act, statement) or lives.get(statement.pk, ""),
                locked=locked_until(request, queryset),
            )
            done, held_back = paid.paid, held_back_words(paid.held_back)
            waiting = f", {number(paid.waiting)} waiting for a second person" if paid.waiting else ""
        else:
            reason = form.cleaned_data["reason"]
            report = decide_failed(act, queryset, lives=lives, user=user, now=timezone.now(), reason=reason)
            done, held_back, waiting = report.done, held_back_words(report.held_back), ""
            if act is A.INVOICE_AGAIN:
                nudge(report.companies)
        messages.add_message(
            request,
            messages.SUCCESS if done or waiting else messages.WARNING,
            f"{number(done)} {DONE[act]}{waiting}{', ' + held_back if held_back else ''}.",
        )

    def _ask(self, request: HttpRequest, queryset: Statements, company: Any, act: ByHandAction) -> dict[int, str]:
        """What lives in Go, by statement; those of a company that cannot be asked are all held back."""
        theirs = [
            statement
            for statement in queryset.filter(company=company).select_related("customer", "company")
            if not why_not(act, statement)
        ]
        if not theirs:
            return {}
        refusal = cannot_pull(company)
        if not refusal:
            try:
                return look(company, remotes.go_client(company, person=True), theirs, clock=timezone.now)
            except RemoteError as error:
                messages.error(request, f"{company}: {error.message}")
                refusal = "PowerOffice Go could not be asked"
        return dict.fromkeys((statement.pk for statement in theirs), refusal)
