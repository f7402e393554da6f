"""What people do with statements: first a page that says what will change, then the deed, then a report in numbers."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import action
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget

from integration import remotes
from integration.admin.base import CompanyModelAdmin
from integration.admin.display import amount, number, page_of
from integration.enums import CompanyState, ReviewAction, RunTrigger
from integration.enums import StatementStatus as S
from integration.errors import RemoteError
from integration.models import GoCompany, InvoiceStatement
from integration.tasks import run_company_cycle
from integration.use_cases.pull_statuses import pull_statuses
from integration.use_cases.review_statements import NAMED, RULES, carry_out, plan, why_not

Statements = QuerySet[InvoiceStatement]
A = ReviewAction
PULL: Final = "pull"

PERMISSIONS: Final[dict[str, str]] = {
    A.PUSH: "push",
    A.RELEASE: "push",
    A.ACTIVATE: "push",
    A.HOLD: "withdraw",
    A.WITHDRAW: "withdraw",
    A.SEND: "send",
    PULL: "pull",
}
"""Act -> which of `InvoiceStatement`'s own permissions it needs."""

EXPLANATIONS: Final[dict[str, str]] = {
    A.PUSH: "Transferred to PowerOffice Go now, to become sales order drafts there.",
    A.RELEASE: "Tried once more now. Mend what is said to be wrong first.",
    A.ACTIVATE: "No longer waits for its date: transferred to PowerOffice Go now.",
    A.HOLD: "Stays here until somebody activates or pushes it, whatever its date.",
    A.WITHDRAW: "Never sent to PowerOffice Go. This cannot be undone.",
    A.SEND: "PowerOffice Go makes the invoice and sends it to the customer, by the way the customer gets invoices. "
    "This cannot be undone, only credited.",
    PULL: "PowerOffice Go is asked now what became of each, with at most three requests for each company.",
}
NEEDS_REASON: Final = frozenset({A.WITHDRAW})
TITLES: Final[dict[str, str]] = {**{act: act.label for act in A}, PULL: "Update status"}
ORDER: Final[tuple[str, ...]] = (A.PUSH, A.RELEASE, PULL, A.ACTIVATE, A.HOLD, A.WITHDRAW, A.SEND)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label="Why?",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        error_messages={"required": "Say why: whoever looks at this statement next year wants to know."},
    )


def held_back_words(held_back: tuple[tuple[str, int], ...]) -> str:
    """`2 held back: no customer`, or with several reasons `3 held back: no customer (2), on hold (1)`."""
    count = sum(many for _, many in held_back)
    if not count:
        return ""
    if len(held_back) == 1:
        return f"{number(count)} held back: {held_back[0][0]}"
    return f"{number(count)} held back: " + ", ".join(f"{reason} ({number(many)})" for reason, many in held_back)


class StatementActions(CompanyModelAdmin[InvoiceStatement]):
    """The acts in the list and on a statement's page; each has its own permission, asked again when it is posted."""

    actions: tuple[str, ...] = ("push", "release", "pull", "activate", "hold", "withdraw", "send")

    def may(self, request: HttpRequest, act: str) -> bool:
        """Whether this person may do this at all."""
        return bool(request.user.has_perm(f"integration.{PERMISSIONS[act]}_statement"))

    def has_push_permission(self, request: HttpRequest) -> bool:
        return self.may(request, A.PUSH)

    def has_pull_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PULL)

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return self.may(request, A.WITHDRAW)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return self.may(request, A.SEND)

    @action(description=TITLES[A.SEND], permissions=["send"])
    def send(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, A.SEND)

    @action(description=TITLES[A.PUSH], permissions=["push"])
    def push(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, A.PUSH)

    @action(description=TITLES[A.RELEASE], permissions=["push"])
    def release(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, A.RELEASE)

    @action(description=TITLES[PULL], permissions=["pull"])
    def pull(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, PULL)

    @action(description=TITLES[A.ACTIVATE], permissions=["push"])
    def activate(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, A.ACTIVATE)

    @action(description=TITLES[A.HOLD], permissions=["withdraw"])
    def hold(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, A.HOLD)

    @action(description=TITLES[A.WITHDRAW], permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: Statements) -> HttpResponse:
        return self.review(request, queryset, A.WITHDRAW)

    def get_urls(self) -> list[URLPattern]:
        act_page = path(
            "<int:object_id>/act/<slug:act>/",
            self.admin_site.admin_view(self.act_view),
            name="integration_invoicestatement_act",
        )
        return [act_page, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponse:
        """A button on a statement's page. 404 for statements of other companies and unknown acts."""
        if act not in TITLES:
            raise Http404
        queryset = self.get_queryset(request).filter(pk=object_id)
        if not queryset.exists():
            raise Http404
        return self.review(request, queryset, act, back=page_of(queryset.get()))

    def buttons(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """The acts this person may do, with why not where one is impossible now. Of the two pushes one makes sense."""
        return [
            {
                "title": TITLES[act],
                "address": reverse("admin:integration_invoicestatement_act", args=[statement.pk, act]),
                "why_not": cannot_pull(statement.company) if act == PULL else why_not(A(act), statement),
                "act": act,
            }
            for act in ORDER
            if self.may(request, act) and act != (A.PUSH if statement.status == S.NEEDS_FIX else A.RELEASE)
        ]

    def review(self, request: HttpRequest, queryset: Statements, act: str, back: str = "") -> HttpResponse:
        """Ask, or do what was confirmed. Raises PermissionDenied."""
        if not self.may(request, act):
            raise PermissionDenied
        queryset = queryset.prefetch_related(None).order_by()
        form = ReasonForm(request.POST if "confirmed" in request.POST else None) if act in NEEDS_REASON else None
        across = request.POST.get("select_across") == "1"
        if "confirmed" in request.POST and (form is None or form.is_valid()):
            if across and request.POST["confirmed"] != str(queryset.count()):
                messages.warning(request, "The list changed since you looked. Please check the numbers again.")
            else:
                reason = form.cleaned_data["reason"] if form else ""
                (self._pull if act == PULL else self._carry_out(A(act), reason))(request, queryset)
                return HttpResponseRedirect(back or request.get_full_path())
        context = {
            **self.admin_site.each_context(request),
            "title": TITLES[act],
            "opts": self.opts,
            "media": self.media,
            "act": act,
            "explanation": EXPLANATIONS[act],
            "form": form,
            "back": back or request.get_full_path(),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "across": across,
            "count": queryset.count(),
            **(pull_plan(queryset) if act == PULL else review_plan(A(act), queryset)),
        }
        return TemplateResponse(request, "admin/integration/invoicestatement/confirm.html", context)

    def _carry_out(self, act: ReviewAction, reason: str) -> Callable[[HttpRequest, Statements], None]:
        def do(request: HttpRequest, queryset: Statements) -> None:
            report = carry_out(act, queryset, user=request.user, now=timezone.now(), reason=reason)  # type: ignore[arg-type]
            held_back = held_back_words(report.held_back)
            words = f"{number(report.done)} {RULES[act].verb}{', ' + held_back if held_back else ''}."
            messages.add_message(request, messages.SUCCESS if report.done else messages.WARNING, words)
            if act in {A.PUSH, A.RELEASE, A.ACTIVATE, A.SEND}:
                nudge(report.companies)

        return do

    def _pull(self, request: HttpRequest, queryset: Statements) -> None:
        for company in companies_of(queryset):
            if refusal := cannot_pull(company):
                messages.warning(request, f"{company}: {refusal}. Nothing was asked.")
                continue
            try:
                counts = pull_statuses(
                    company=company, client=remotes.go_client(company, person=True), clock=timezone.now
                )
            except RemoteError as error:
                messages.error(request, f"{company}: {error.message}")
                continue
            told = ", ".join(f"{number(many)} {what}" for what, many in sorted(counts.items())) or "no news"
            messages.success(request, f"{company}: PowerOffice Go was asked. {told[0].upper()}{told[1:]}.")


def nudge(company_ids: tuple[int, ...]) -> None:
    """Wake the workers. Should they not hear it, the next sweep finds the queue."""
    for company_id in company_ids:
        run_company_cycle.delay_on_commit(  # type: ignore[attr-defined] # Celery's Django task, unknown to its types
            company_id=company_id, trigger=RunTrigger.PERSON.value
        )


def cannot_pull(company: GoCompany) -> str:
    """Why Go cannot be asked for a company, or nothing."""
    return "" if company.state in {CompanyState.ACTIVE, CompanyState.PAUSED} else f"{company} is not active"


def companies_of(queryset: Statements) -> list[GoCompany]:
    """The companies that statements belong to, by name."""
    return list(GoCompany.objects.filter(pk__in=queryset.values("company")).order_by("name"))


def review_plan(act: ReviewAction, queryset: Statements) -> dict[str, Any]:
    """What the page says before an act."""
    ready = plan(act, queryset)
    return {
        "ready": len(ready.ready),
        "named": named(ready.ready),
        "sums": [amount(total, currency) for currency, total in ready.sums],
        "held_back": [(reason, number(many), more_than(ready.named[reason], many)) for reason, many in ready.held_back],
        "held_back_count": sum(many for _, many in ready.held_back),
    }


def more_than(names: tuple[str, ...], many: int) -> str:
    """The names, and that there are more."""
    return ", ".join(names) + (" …" if many > len(names) else "")


def named(keys: tuple[int, ...]) -> list[tuple[str, str, str]]:
    """The first few, so that a person sees what is meant: number, customer, amount."""
    first = InvoiceStatement.objects.filter(pk__in=keys[:NAMED]).select_related("customer").order_by("pk")
    return [(row.source_id, str(row.customer or "No customer"), amount(row.total, row.currency)) for row in first]


def pull_plan(queryset: Statements) -> dict[str, Any]:
    """What the page says before Go is asked."""
    many = dict(queryset.values_list("company").annotate(Count("pk")))
    companies = companies_of(queryset)
    held_back = [
        (f"{refusal}", number(many[company.pk]), "") for company in companies if (refusal := cannot_pull(company))
    ]
    asked = [company for company in companies if not cannot_pull(company)]
    return {
        "ready": sum(many[company.pk] for company in asked),
        "companies": [(str(company), number(many[company.pk])) for company in asked],
        "held_back": held_back,
        "held_back_count": sum(many.values()) - sum(many[company.pk] for company in asked),
    }
