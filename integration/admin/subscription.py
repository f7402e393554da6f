"""Subscriptions: the list, the form, what became of each, and pausing, resuming and ending them."""

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import action
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextareaWidget

from integration.admin.base import CompanyFilter, CompanyModelAdmin, RecordForm
from integration.admin.columns import company_for_several
from integration.admin.display import NOTHING, amount, badge, day, link, list_of, money, number, page_of, status_badge
from integration.admin.fields import AmountField, FigureField
from integration.admin.search import rows_with, words_of
from integration.decisions.money import line_amounts
from integration.enums import Interval, SubscriptionAct, SubscriptionState
from integration.models import Customer, Subscription
from integration.models.go_company import behind_wall
from integration.use_cases.change_subscriptions import (
    carry_out,
    earliest_end_of,
    follow,
    next_payment_of,
    recent_terms,
    why_not,
)
from integration.use_cases.invoice_receivers import default_receivers

A = SubscriptionAct
Subscriptions = QuerySet[Subscription]
NAMED: Final = 10
SHOWN: Final = 25

VERBS: Final = {A.PAUSE: "paused", A.RESUME: "resumed", A.END: "ended"}
EXPLANATIONS: Final = {
    A.PAUSE: "Upcoming statements are withdrawn and no more are made until it is resumed. What is on its way stays.",
    A.RESUME: "Payments are made again from today on. None of the pause is made up for; a planned end is called off.",
    A.END: "No payment falls on the last day or later; what was made ready for then is withdrawn.",
}


class SubscriptionForm(RecordForm[Subscription]):
    """Without a payer the holder pays."""

    class Meta:
        labels: ClassVar[dict[str, str]] = {"discount_percent": "Discount %"}
        field_classes: ClassVar[dict[str, Any]] = {"price": AmountField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if payer := self.fields.get("payer"):
            payer.required = False
            payer.help_text = "Left empty: the holder. The payer's default invoice receiver gets the invoice."

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or self.cleaned_data
        if data.get("payer") is None and "payer" not in self.errors:
            data["payer"] = data.get("holder")
        product = data.get("product")
        if product is not None and product.price is None and data.get("price") is None and "price" not in self.errors:
            self.add_error("price", f"Product {product.code} has no price of its own: say what each payment costs.")
        first = data.get("first_date")
        if first is not None and "first_date" in self.changed_data and first < timezone.localdate():
            self.add_error("first_date", "Payments of the past are not made: choose today or a later day.")
        return data


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label="Why?",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        error_messages={"required": "Say why: whoever looks at this next year wants to know."},
    )


class EndForm(ReasonForm):
    """And when."""

    ends_on = forms.DateField(label="Last day", widget=UnfoldAdminDateWidget())
    field_order = ("ends_on", "reason")


class ReceiverFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """Whether the payer can be invoiced."""

    title = "payer"
    parameter_name = "receiver"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Without default invoice receiver"), ("yes", "With default invoice receiver")]

    def queryset(self, request: HttpRequest, queryset: Subscriptions) -> Subscriptions:
        if self.value() not in {"yes", "no"}:
            return queryset
        can = Exists(default_receivers().filter(customer=OuterRef("payer")))
        return queryset.filter(can if self.value() == "yes" else ~can)


def with_what_is_shown(rows: Subscriptions) -> Subscriptions:
    """With recent terms, and whether the payer can be invoiced."""
    return rows.annotate(has_receiver=Exists(default_receivers().filter(customer=OuterRef("payer")))).prefetch_related(
        Prefetch("terms", queryset=recent_terms(timezone.localdate()), to_attr="recent_terms")
    )


def next_day(subscription: Any) -> date | None:
    """The next payment, from what was read beforehand."""
    return next_payment_of(subscription, subscription.recent_terms, timezone.localdate())


def earliest(subscription: Subscription) -> str:
    """The earliest end when notice is given today."""
    today = timezone.localdate()
    return NOTHING if subscription.has_ended(today) else day(earliest_end_of(subscription, today))


def state_of(subscription: Subscription) -> str:
    """Active or paused, and its end."""
    if subscription.has_ended(timezone.localdate()):
        return format_html('<span class="fb-badge fb-quiet">{}</span>', f"Ended {day(subscription.ends_on)}")
    state = badge(SubscriptionState(subscription.state))
    if subscription.ends_on is None:
        return state
    return format_html('{} <small class="fb-muted">{}</small>', state, f"ends {day(subscription.ends_on)}")


def each_payment(subscription: Subscription) -> str:
    """What each payment comes to, excl. VAT."""
    price = subscription.price if subscription.price is not None else subscription.product.price
    if price is None:
        return NOTHING
    net = line_amounts(
        quantity=subscription.quantity,
        unit_price=price,
        discount_percent=subscription.discount_percent,
        vat_rate=subscription.product.vat_rate,
        currency="NOK",
    ).net
    return money(net, "NOK")


def paid(subscription: Subscription) -> str:
    """How often and on which day."""
    return f"{Interval(subscription.interval).label}, day {subscription.payment_day}"


def what(subscription: Subscription) -> str:
    """What it is for."""
    return subscription.description or subscription.product.name


def may_see_subscriptions(request: HttpRequest) -> bool:
    """Whether this person reads subscriptions."""
    return bool(request.user.has_perm("integration.view_subscription"))


def subscriptions_of(customer: Customer) -> list[dict[str, Any]]:
    """The newest subscriptions that a customer holds or pays, in words."""
    rows = with_what_is_shown(
        Subscription.objects.filter(Q(holder=customer) | Q(payer=customer))
        .select_related("holder", "payer", "product")
        .order_by("-pk")
    )
    return [
        {
            "name": link(row, what(row)),
            "state": state_of(row),
            "holder": row.holder.name,
            "payer": row.payer.name,
            "amount": each_payment(row),
            "paid": paid(row),
            "next_payment": day(next_day(row)),
            "earliest_end": earliest(row),
        }
        for row in rows[:SHOWN]
    ]


@admin.register(Subscription)
class SubscriptionAdmin(CompanyModelAdmin[Subscription]):
    """What customers pay for again and again."""

    form = SubscriptionForm
    list_display = (
        "name",
        "standing",
        "holder_name",
        "payer_name",
        "amount",
        "how_often",
        "next_payment",
        "earliest_end",
    )
    list_prefetch: ClassVar[tuple[str, ...]] = ("company", "holder", "payer", "product")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ReceiverFilter,
        CompanyFilter,
        ("interval", ChoicesDropdownFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = False
    search_fields = ("pk",)
    search_help_text = "Name or number of holder or payer"
    autocomplete_fields = ("holder", "payer", "product")
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DecimalField: {"form_class": FigureField}}
    actions = ("pause", "resume", "end")
    change_form_before_template = "admin/integration/subscription/before.html"
    change_form_outer_after_template = "admin/integration/subscription/after.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("company", "holder", "payer"),
                    ("product", "description"),
                    ("price", "quantity", "discount_percent"),
                )
            },
        ),
        ("Payments", {"fields": (("interval", "payment_day"), ("first_date", "payment_days"))}),
        ("How it can end", {"fields": (("binding_until", "notice_months"),)}),
    )

    # --- The list -----------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Subscriptions:
        return with_what_is_shown(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return company_for_several(request, super().get_list_display(request))

    def get_search_results(
        self, request: HttpRequest, queryset: Subscriptions, search_term: str
    ) -> tuple[Subscriptions, bool]:
        """By holder or payer, as customers are found."""
        words = list(words_of(search_term.lower()))
        if not words:
            return queryset, False
        found = rows_with(behind_wall(Customer.objects.all(), request.user), words).values("pk")
        return queryset.filter(Q(holder__in=found) | Q(payer__in=found)), False

    @admin.display(description="Subscription")
    def name(self, subscription: Subscription) -> str:
        return format_html('<span class="fb-strong">{}</span>', what(subscription))

    @admin.display(description="State")
    def standing(self, subscription: Subscription) -> str:
        return state_of(subscription)

    @admin.display(description="Holder")
    def holder_name(self, subscription: Subscription) -> str:
        return format_html('<span class="fb-name">{}</span>', link(subscription.holder))

    @admin.display(description="Payer")
    def payer_name(self, subscription: Any) -> str:
        who = "" if subscription.payer_id == subscription.holder_id else link(subscription.payer)
        if subscription.has_receiver or subscription.has_ended(timezone.localdate()):
            return who or NOTHING
        note = "No default invoice receiver: no invoices are made"
        return format_html('<div>{} <span class="fb-attention" title="{}">{}</span></div>', who, note, note)

    @admin.display(description="Each payment")
    def amount(self, subscription: Subscription) -> str:
        return each_payment(subscription)

    @admin.display(description="Paid")
    def how_often(self, subscription: Subscription) -> str:
        return paid(subscription)

    @admin.display(description="Next payment")
    def next_payment(self, subscription: Subscription) -> str:
        return day(next_day(subscription))

    @admin.display(description="Earliest end")
    def earliest_end(self, subscription: Subscription) -> str:
        return earliest(subscription)

    # --- The page -----------------------------------------------------------------------------------------------

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """It starts today unless somebody says otherwise."""
        return {"first_date": timezone.localdate(), **super().get_changeform_initial_data(request)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        subscription = self.get_object(request, object_id) if object_id else None
        if subscription is not None and self.has_view_permission(request, subscription):
            context["sheet"] = sheet(subscription)
            context["buttons"] = self.buttons(request, subscription)
            context["subtitle"] = what(subscription)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What is upcoming for the payer, and for the one before, follows at once."""
        super().save_related(request, form, formsets, change)
        subscription = form.instance
        before = form.initial.get("payer") if change else None
        payers = {subscription.payer_id, *([int(before)] if before else [])}
        follow(subscription.company, payers, timezone.now())

    # --- Acts ---------------------------------------------------------------------------------------------------

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("integration.end_subscription"))

    @action(description="Pause", permissions=["end"])
    def pause(self, request: HttpRequest, queryset: Subscriptions) -> HttpResponse:
        return self.review(request, queryset, A.PAUSE)

    @action(description="Resume", permissions=["end"])
    def resume(self, request: HttpRequest, queryset: Subscriptions) -> HttpResponse:
        return self.review(request, queryset, A.RESUME)

    @action(description="End", permissions=["end"])
    def end(self, request: HttpRequest, queryset: Subscriptions) -> HttpResponse:
        return self.review(request, queryset, A.END)

    def get_urls(self) -> list[URLPattern]:
        act_page = path(
            "<int:object_id>/act/<slug:act>/",
            self.admin_site.admin_view(self.act_view),
            name="integration_subscription_act",
        )
        return [act_page, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponse:
        """A button on a subscription's page. 404 for those of other companies and unknown acts."""
        queryset = self.get_queryset(request).filter(pk=object_id)
        if act not in A.values or not queryset.exists():
            raise Http404
        return self.review(request, queryset, A(act), back=page_of(queryset.get()))

    def buttons(self, request: HttpRequest, subscription: Subscription) -> list[dict[str, str]]:
        """The acts, with why not where one is impossible now."""
        if not self.has_end_permission(request):
            return []
        return [
            {
                "title": act.label,
                "address": reverse("admin:integration_subscription_act", args=[subscription.pk, act.value]),
                "why_not": why_not(act, subscription, timezone.localdate()),
            }
            for act in A
        ]

    def review(self, request: HttpRequest, queryset: Subscriptions, act: A, back: str = "") -> HttpResponse:
        """Ask, or do what was confirmed. Raises PermissionDenied."""
        if not self.has_end_permission(request):
            raise PermissionDenied
        today = timezone.localdate()
        rows = list(queryset.prefetch_related(None).select_related("holder", "product", "payer").order_by("pk"))
        refusals = [refusal for row in rows if (refusal := why_not(act, row, today))]
        ready = [row for row in rows if not why_not(act, row, today)]
        make: Callable[..., forms.Form] = EndForm if act == A.END else ReasonForm
        soonest = max((earliest_end_of(row, today) for row in ready), default=today)
        form = make(request.POST if "confirmed" in request.POST else None, initial={"ends_on": soonest})
        across = request.POST.get("select_across") == "1"
        if "confirmed" in request.POST and form.is_valid():
            if across and request.POST["confirmed"] != str(len(rows)):
                messages.warning(request, "The list changed since you looked. Please check the numbers again.")
            else:
                self._carry_out(request, [row.pk for row in rows], act, form.cleaned_data)
                return HttpResponseRedirect(back or request.get_full_path())
        shown = with_what_is_shown(Subscription.objects.filter(pk__in=[row.pk for row in ready[:NAMED]]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.label} subscription{'' if len(rows) == 1 else 's'}",
            "opts": self.opts,
            "media": self.media + form.media,
            "act": act.value if back else act.name.lower(),
            "explanation": EXPLANATIONS[act],
            "form": form,
            "back": back or request.get_full_path(),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "across": across,
            "count": len(rows),
            "ready": len(ready),
            "named": [
                {
                    "holder": row.holder.name,
                    "what": what(row),
                    "next_payment": day(next_day(row)),
                    "earliest_end": earliest(row),
                }
                for row in shown.select_related("holder", "product").order_by("pk")
            ],
            "held_back": [(refusal, number(refusals.count(refusal))) for refusal in sorted(set(refusals))],
        }
        return TemplateResponse(request, "admin/integration/subscription/confirm.html", context)

    def _carry_out(self, request: HttpRequest, keys: list[int], act: A, said: dict[str, Any]) -> None:
        done = carry_out(
            act,
            Subscription.objects.filter(pk__in=keys).select_related("holder", "product"),
            user=request.user,  # type: ignore[arg-type] # logged in, so one of ours
            now=timezone.now(),
            reason=said["reason"],
            ends_on=said.get("ends_on"),
        )
        held = "".join(f", {number(many)} held back: {refusal}" for refusal, many in done.held_back)
        messages.add_message(
            request,
            messages.SUCCESS if done.done else messages.WARNING,
            f"{number(done.done)} {VERBS[act]}{held}.",
        )


def sheet(subscription: Any) -> dict[str, Any]:
    """What the page says beside the form."""
    ended = subscription.has_ended(timezone.localdate())
    lacking = not subscription.has_receiver and not ended
    payments = subscription.terms.select_related("bill__statement").order_by("-date")[:SHOWN]
    return {
        "state": state_of(subscription),
        "attention": format_html(
            "{} has no default invoice receiver, so no invoices are made. Add one under Payment methods on {}.",
            subscription.payer,
            link(subscription.payer, "the customer's page"),
        )
        if lacking
        else "",
        "facts": [
            ("Next payment", day(next_day(subscription))),
            ("Each payment, excl. VAT", each_payment(subscription)),
            ("Earliest end, if notice is given today", earliest(subscription)),
            ("Holder", link(subscription.holder)),
            ("Payer", link(subscription.payer)),
        ],
        "payments": [
            {
                "date": day(term.date),
                "statement": link(term.bill.statement, term.bill.statement.source_id),
                "status": status_badge(term.bill.statement.status),
                "total": amount(term.bill.statement.total, term.bill.statement.currency),
            }
            for term in payments
        ],
    }


def all_paid_by(customer: Customer) -> str:
    """The list of the subscriptions that a customer pays."""
    return list_of(Subscription, f"payer__id__exact={customer.pk}")
