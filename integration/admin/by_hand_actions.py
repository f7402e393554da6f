"""Money that PowerOffice Go does not know of: mark as paid by hand, and follow PowerOffice again."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import action
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from integration import remotes
from integration.admin.display import amount, number, page_of
from integration.admin.fields import AmountField
from integration.admin.statement_actions import (
    ReasonForm,
    StatementActions,
    Statements,
    cannot_pull,
    companies_of,
    held_back_words,
    more_than,
)
from integration.decisions.by_hand import amount_problem, date_problem
from integration.enums import ByHandAction, HandPaymentMethod
from integration.models import InvoiceStatement
from integration.use_cases.pay_by_hand import (
    MOST,
    Given,
    PaymentPlan,
    PaymentRefused,
    follow_go,
    lock_dates,
    mark_paid,
    plan,
    why_not_follow,
    why_not_pay,
)
from integration.use_cases.review_statements import NAMED

PAY_STATEMENT: Final = "integration.pay_statement"
A = ByHandAction
ACTS: Final = {A.MARK_PAID: why_not_pay, A.FOLLOW_GO: why_not_follow}

EXPLANATIONS: Final[dict[ByHandAction, str]] = {
    A.MARK_PAID: "Your word counts from now on: what PowerOffice Go says is only shown beside it, until somebody "
    "presses Follow PowerOffice again. Nothing is changed in PowerOffice Go.",
    A.FOLLOW_GO: "The payments by hand no longer count. The status is at once what PowerOffice Go last said.",
}


class PaymentForm(ReasonForm):
    """What was paid, when and how; an amount for each statement, first what is open of it."""

    paid_on = forms.DateField(label="Paid on", widget=UnfoldAdminSingleDateWidget)
    method = forms.ChoiceField(
        label="How", choices=[("", "Choose"), *HandPaymentMethod.choices], widget=UnfoldAdminSelectWidget
    )
    invoice_number = forms.IntegerField(
        label="Number of the combined invoice",
        required=False,
        min_value=1,
        max_value=10**12,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text="When several statements were paid with one invoice in PowerOffice Go.",
    )
    field_order = ("paid_on", "method", "invoice_number", "reason")

    def __init__(
        self, *args: Any, ready: Sequence[tuple[InvoiceStatement, Decimal]], today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.ready = today, ready
        self.fields["paid_on"].initial = today
        for statement, left in ready:
            box = AmountField(max_digits=14, decimal_places=2, initial=left)
            box.widget.attrs["aria-label"] = f"Amount for {statement.source_id}"
            self.fields[self.key_of(statement)] = box

    @staticmethod
    def key_of(statement: InvoiceStatement) -> str:
        """The name of a statement's box."""
        return f"amount_{statement.pk}"

    def clean_paid_on(self) -> date:
        paid_on: date = self.cleaned_data["paid_on"]
        if problem := date_problem(paid_on, self.today):
            raise forms.ValidationError(problem)
        return paid_on

    def clean(self) -> dict[str, Any]:
        for statement, left in self.ready:
            given = self.cleaned_data.get(self.key_of(statement))
            if given is not None and (problem := amount_problem(given, left, statement.currency)):
                self.add_error(self.key_of(statement), problem)
        return self.cleaned_data

    def given(self) -> Given:
        """What the person said."""
        data = self.cleaned_data
        return Given(
            paid_on=data["paid_on"],
            method=HandPaymentMethod(data["method"]),
            reason=data["reason"],
            invoice_number=data.get("invoice_number"),
            amounts={statement.pk: data[self.key_of(statement)] for statement, _ in self.ready},
        )

    def rows(self) -> list[tuple[InvoiceStatement, str, Any]]:
        """Each statement with what is open and its box."""
        return [
            (statement, amount(left, statement.currency), self[self.key_of(statement)])
            for statement, left in self.ready
        ]


class SettleForm(PaymentForm):
    """How a failed payment is settled otherwise: always in the whole."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, ready=(), **kwargs)
        del self.fields["invoice_number"]


def locked_until(request: HttpRequest, queryset: Statements) -> dict[int, date]:
    """By company the day up to which its books in Go are locked; a person is told where Go could not be asked."""
    companies = [company for company in companies_of(queryset) if not cannot_pull(company)]
    known, unknown = lock_dates(companies, lambda company: remotes.go_client(company, person=True))
    for company in unknown:
        messages.warning(
            request, f"{company}: PowerOffice Go could not be asked up to which day the books are locked. Look there."
        )
    return known


class ByHandActions(StatementActions):
    """The two acts in the list and on a statement's page."""

    actions = (*StatementActions.actions, "mark_paid", "follow_go")

    def has_pay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PAY_STATEMENT))

    @action(description=A.MARK_PAID.label, permissions=["pay"])
    def mark_paid(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review_by_hand(request, queryset, A.MARK_PAID)

    @action(description=A.FOLLOW_GO.label, permissions=["pay"])
    def follow_go(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review_by_hand(request, queryset, A.FOLLOW_GO)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:object_id>/by-hand/<slug:act>/",
            self.admin_site.admin_view(self.by_hand_view),
            name="integration_invoicestatement_by_hand",
        )
        return [page, *super().get_urls()]

    def by_hand_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponse:
        """A button on a statement's page. 404 for statements of other companies and unknown acts."""
        queryset = self.get_queryset(request).filter(pk=object_id)
        if act not in list(ACTS) or not queryset.exists():
            raise Http404
        return self.review_by_hand(request, queryset, A(act), back=page_of(queryset.get()))

    def buttons(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """Following again is offered for what was set by hand only; marking as paid always, or with why not."""
        acts = [A.MARK_PAID] if statement.follows_go else [A.MARK_PAID, A.FOLLOW_GO]
        return [
            *super().buttons(request, statement),
            *(
                {
                    "title": str(act.label),
                    "address": reverse("admin:integration_invoicestatement_by_hand", args=[statement.pk, act]),
                    "why_not": ACTS[act](statement),
                    "act": act.value,
                }
                for act in acts
                if self.has_pay_permission(request)
            ),
        ]

    def review_by_hand(
        self, request: HttpRequest, queryset: Statements, act: ByHandAction, back: str = ""
    ) -> HttpResponse:
        """Ask, or do what was confirmed. Raises PermissionDenied."""
        if not self.has_pay_permission(request):
            raise PermissionDenied
        queryset = queryset.prefetch_related(None).order_by()
        back = back or request.get_full_path()
        count = queryset.count()
        if count > MOST:
            messages.warning(request, f"At most {MOST} statements in one go: each has its own amount to look at.")
            return HttpResponseRedirect(back)
        planned = plan(queryset, ACTS[act])
        sent = request.POST if "confirmed" in request.POST else None
        form = (
            PaymentForm(sent, ready=planned.ready, today=timezone.localdate())
            if act is A.MARK_PAID
            else ReasonForm(sent)
        )
        if sent is not None and form.is_valid():
            try:
                self._do(request, queryset, form)
            except PaymentRefused as refused:
                form.add_error(None, str(refused))
            else:
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "opts": self.opts,
            "media": self.media + form.media,
            "act": act.value,
            "explanation": EXPLANATIONS[act],
            "form": form,
            "back": back,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "across": request.POST.get("select_across") == "1",
            "count": count,
            **planned_words(planned, with_names=act is not A.MARK_PAID),
            "rows": form.rows() if isinstance(form, PaymentForm) else (),
            "limits": limits(planned),
        }
        page = "mark_paid" if act is A.MARK_PAID else "confirm"
        return TemplateResponse(request, f"admin/integration/invoicestatement/{page}.html", context)

    def _do(self, request: HttpRequest, queryset: Statements, form: forms.Form) -> None:
        now, user = timezone.now(), request.user
        if isinstance(form, PaymentForm):
            report = mark_paid(
                queryset,
                form.given(),
                user=user,  # type: ignore[arg-type] # logged in
                now=now,
                today=timezone.localdate(),
                locked=locked_until(request, queryset),
            )
            done = report.paid + report.waiting
            told = [f"{number(report.paid)} marked as paid by hand"] if report.paid or not done else []
            if report.waiting:
                told.append(
                    f"{number(report.waiting)} {'waits' if report.waiting == 1 else 'wait'} for a second person"
                )
            words, held_back = ", ".join(told), held_back_words(report.held_back)
        else:
            followed = follow_go(queryset, user=user, now=now, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
            done, held_back = followed.done, held_back_words(followed.held_back)
            words = f"{number(done)} {'follows' if done == 1 else 'follow'} PowerOffice Go again"
        messages.add_message(
            request,
            messages.SUCCESS if done else messages.WARNING,
            f"{words}{', ' + held_back if held_back else ''}.",
        )


def planned_words(planned: PaymentPlan, *, with_names: bool) -> dict[str, Any]:
    """What the page says before an act."""
    return {
        "ready": len(planned.ready),
        "named": [
            (row.source_id, str(row.customer or "No customer"), amount(row.total, row.currency))
            for row, _ in planned.ready[:NAMED]
        ]
        if with_names
        else [],
        "held_back": [
            (reason, number(many), more_than(planned.named[reason], many)) for reason, many in planned.held_back
        ],
        "held_back_count": sum(many for _, many in planned.held_back),
    }


def limits(planned: PaymentPlan) -> list[str]:
    """Above how much a second person must approve, for each company that has a limit."""
    companies = {statement.company for statement, _ in planned.ready}
    return [
        f"{company}: above {amount(company.by_hand_limit, 'NOK')} in one go, a second person must approve."
        for company in sorted(companies, key=str)
        if company.by_hand_limit is not None
    ]
