"""Payments by hand: the list, and what waits for a second person."""

from collections import Counter
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.contrib.admin import action
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integration.admin.base import CompanyFilter, ReadOnlyModelAdmin
from integration.admin.by_hand_actions import PAY_STATEMENT
from integration.admin.columns import company_for_several
from integration.admin.display import NOTHING, amount, badge, day, link, minute, money, number, page_of, statement_badge
from integration.admin.statement_actions import ReasonForm, held_back_words, more_than
from integration.enums import ByHandAction, HandPaymentState
from integration.models import GoCompany, HandPayment
from integration.use_cases.pay_by_hand import PaymentRefused, decide, look_up_shares, why_not_decide
from integration.use_cases.review_statements import NAMED

Payments = QuerySet[HandPayment]
A = ByHandAction

EXPLANATIONS: Final[dict[ByHandAction, str]] = {
    A.APPROVE: "It counts from now on: the statement no longer follows PowerOffice Go.",
    A.REFUSE: "It never counts. The statement stays as it is, and whoever asked reads why.",
    A.TAKE_BACK: "You asked for it yourself: nobody need look at it any more.",
}
DONE: Final[dict[ByHandAction, str]] = {A.APPROVE: "approved", A.REFUSE: "refused", A.TAKE_BACK: "taken back"}


class ApproveForm(ReasonForm):
    """Approving needs no words; they may be given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["reason"].label = "A word about it (may be empty)"


@admin.register(HandPayment)
class HandPaymentAdmin(ReadOnlyModelAdmin[HandPayment]):
    """Who marked what as paid, and who approved it."""

    list_display = ("number", "state_badge", "customer", "amount_shown", "paid", "method", "why", "asked", "approved")
    list_prefetch: ClassVar[tuple[str, ...]] = (
        "statement__company",
        "statement__customer",
        "asked_by",
        "approved_by",
    )
    list_filter = (("state", ChoicesDropdownFilter), CompanyFilter, ("method", ChoicesDropdownFilter))
    list_filter_submit = True
    compressed_fields = False
    list_fullwidth = True
    search_fields = ("statement__search",)
    search_help_text = "Reference, invoice number or customer of the statement"
    ordering = ("-asked_at", "-pk")
    actions = ("approve", "refuse", "take_back")
    change_form_before_template = "admin/integration/handpayment/page.html"

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return company_for_several(request, super().get_list_display(request))

    def get_fieldsets(self, request: HttpRequest, obj: HandPayment | None = None) -> tuple[()]:
        """The page says everything."""
        return ()

    @admin.display(description="Statement")
    def number(self, payment: HandPayment) -> str:
        return payment.statement.source_id

    @admin.display(description="State")
    def state_badge(self, payment: HandPayment) -> str:
        return badge(HandPaymentState(payment.state))

    @admin.display(description="Customer")
    def customer(self, payment: HandPayment) -> str:
        return link(payment.statement.customer)

    @admin.display(description="Amount")
    def amount_shown(self, payment: HandPayment) -> str:
        return money(payment.amount, payment.statement.currency)

    @admin.display(description="Paid on")
    def paid(self, payment: HandPayment) -> str:
        return day(payment.paid_on)

    @admin.display(description="Why")
    def why(self, payment: HandPayment) -> str:
        return format_html('<span class="fb-note" title="{0}">{0}</span>', payment.reason)

    @admin.display(description="Asked by")
    def asked(self, payment: HandPayment) -> str:
        return f"{payment.asked_by}, {minute(payment.asked_at)}"

    @admin.display(description="Approved by")
    def approved(self, payment: HandPayment) -> str:
        return str(payment.approved_by or NOTHING)

    @admin.display(description="Company")
    def company(self, payment: HandPayment) -> GoCompany:
        return payment.statement.company

    # --- Acts -----------------------------------------------------------------------------------------------------

    def has_pay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PAY_STATEMENT))

    @action(description=A.APPROVE.label, permissions=["pay"])
    def approve(self, request: HttpRequest, queryset: Payments) -> HttpResponse:
        return self.review(request, queryset, A.APPROVE)

    @action(description=A.REFUSE.label, permissions=["pay"])
    def refuse(self, request: HttpRequest, queryset: Payments) -> HttpResponse:
        return self.review(request, queryset, A.REFUSE)

    @action(description=A.TAKE_BACK.label, permissions=["pay"])
    def take_back(self, request: HttpRequest, queryset: Payments) -> HttpResponse:
        return self.review(request, queryset, A.TAKE_BACK)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:object_id>/decide/<slug:act>/",
            self.admin_site.admin_view(self.decide_view),
            name="integration_handpayment_decide",
        )
        return [page, *super().get_urls()]

    def decide_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponse:
        """A button on a payment's page. 404 for payments of other companies and unknown acts."""
        queryset = self.get_queryset(request).filter(pk=object_id)
        if act not in list(DONE) or not queryset.exists():
            raise Http404
        return self.review(request, queryset, A(act), back=page_of(queryset.get()))

    def review(self, request: HttpRequest, queryset: Payments, act: ByHandAction, back: str = "") -> HttpResponse:
        """Ask, or do what was confirmed. Raises PermissionDenied."""
        if not self.has_pay_permission(request):
            raise PermissionDenied
        queryset = queryset.prefetch_related(None).order_by()
        back = back or request.get_full_path()
        sent = request.POST if "confirmed" in request.POST else None
        form = (ApproveForm if act is A.APPROVE else ReasonForm)(sent)
        if sent is not None and form.is_valid():
            try:
                user: Any = request.user
                report = decide(act, queryset, user=user, now=timezone.now(), reason=form.cleaned_data["reason"])
            except PaymentRefused as refused:  # pragma: no cover - the form asks for the reason first
                form.add_error(None, str(refused))
            else:
                held_back = held_back_words(report.held_back)
                words = f"{number(report.done)} {DONE[act]}{', ' + held_back if held_back else ''}."
                messages.add_message(request, messages.SUCCESS if report.done else messages.WARNING, words)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "noun": "payment",
            "opts": self.opts,
            "media": self.media,
            "act": self.act_name(act),
            "explanation": EXPLANATIONS[act],
            "form": form,
            "back": back,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "across": request.POST.get("select_across") == "1",
            "count": queryset.count(),
            **self.planned(request, queryset, act),
        }
        return TemplateResponse(request, "admin/integration/invoicestatement/confirm.html", context)

    @staticmethod
    def act_name(act: ByHandAction) -> str:
        """What the list calls it: `approve`, `refuse`, `take_back`."""
        return act.value.removesuffix("_payment")

    def planned(self, request: HttpRequest, queryset: Payments, act: ByHandAction) -> dict[str, Any]:
        """What the page says before an act."""
        ready: list[HandPayment] = []
        held_back: Counter[str] = Counter()
        names: dict[str, tuple[str, ...]] = {}
        payments = queryset.prefetch_related(
            "statement__company", "statement__customer", "statement__outgoing_invoice", "statement__hand_payments"
        ).order_by("pk")
        look_up_shares([payment.statement for payment in payments])
        for payment in payments:
            if refusal := why_not_decide(act, payment, request.user):  # type: ignore[arg-type]
                held_back[refusal] += 1
                names[refusal] = (*names.get(refusal, ()), payment.statement.source_id)[:NAMED]
            else:
                ready.append(payment)
        return {
            "ready": len(ready),
            "named": [
                (
                    each.statement.source_id,
                    str(each.statement.customer or "No customer"),
                    amount(each.amount, each.statement.currency),
                )
                for each in ready[:NAMED]
            ],
            "held_back": [
                (reason, number(many), more_than(names[reason], many)) for reason, many in held_back.most_common()
            ],
            "held_back_count": held_back.total(),
        }

    # --- The page -------------------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        payment = self.get_object(request, object_id) if object_id else None
        if payment is not None and self.has_view_permission(request, payment):
            context |= {"page": page(payment), "buttons": self.buttons(request, payment)}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def buttons(self, request: HttpRequest, payment: HandPayment) -> list[dict[str, str]]:
        """What this person may decide, with why not where something is impossible now."""
        if not self.has_pay_permission(request):
            return []
        return [
            {
                "title": str(act.label),
                "address": reverse("admin:integration_handpayment_decide", args=[payment.pk, act]),
                "why_not": why_not_decide(act, payment, request.user),  # type: ignore[arg-type]
                "act": self.act_name(act),
            }
            for act in DONE
        ]


def page(payment: HandPayment) -> dict[str, Any]:
    """Everything about one payment by hand, in words."""
    statement = payment.statement
    return {
        "state": badge(HandPaymentState(payment.state)),
        "facts": [
            ("Statement", link(statement)),
            ("Customer", link(statement.customer)),
            ("Company", str(statement.company)),
            ("Statement is", statement_badge(statement)),
            ("PowerOffice Go says", statement.go_says or NOTHING),
        ],
        "payment": [
            ("Amount", amount(payment.amount, statement.currency)),
            ("Open before", amount(payment.open_before, statement.currency)),
            ("Paid on", day(payment.paid_on)),
            ("How", payment.get_method_display()),
            *([("Combined invoice", str(payment.invoice_number))] if payment.invoice_number else []),
            ("Why", payment.reason),
        ],
        "people": [
            ("Asked by", f"{payment.asked_by}, {minute(payment.asked_at)}"),
            *(
                [("Approved by", f"{payment.approved_by}, {minute(payment.approved_at)}")]
                if payment.approved_by
                else []
            ),
            *([("Ended by", f"{payment.ended_by}, {minute(payment.ended_at)}")] if payment.ended_by else []),
            *([("Why it ended", payment.end_reason)] if payment.end_reason else []),
        ],
    }
