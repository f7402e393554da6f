"""Go companies: their choices, their people, their client key, and the test of the connection."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget

from integration import remotes
from integration.admin.base import CompanyModelAdmin, RecordForm
from integration.admin.display import NEVER_COMBINE, badge, moment
from integration.admin.fields import AmountField
from integration.enums import CompanyState
from integration.models import AccessToken, GoCompany
from integration.use_cases.check_company import NEEDED, CompanyCheck, check_company

TEST_CONNECTION = "integration.test_connection"
SET_CLIENT_KEY = "integration.set_client_key"


class GoCompanyForm(RecordForm[GoCompany]):
    """A company's choices. Only a refusal pauses it; people use Off."""

    also_checks: ClassVar[frozenset[str]] = frozenset({"client_key_fingerprint"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (state := self.fields.get("state")) and self.instance.state != CompanyState.PAUSED:
            choices = [choice for choice in CompanyState.choices if choice[0] != CompanyState.PAUSED]
            cast("forms.ChoiceField", state).choices = choices


class ClientKeyForm(GoCompanyForm):
    """With a new client key, for those who may set it: it goes in and never comes out."""

    new_client_key = forms.CharField(
        label="New client key",
        required=False,
        max_length=200,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="From PowerOffice Go: Settings, Extensions. Left empty, the key stays as it is.",
    )

    def clean_new_client_key(self) -> str:
        key = str(self.cleaned_data["new_client_key"]).strip()
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise forms.ValidationError("A client key has only letters, digits and hyphens. Copy it again.")
        return key

    def clean(self) -> dict[str, Any] | None:
        if key := self.cleaned_data.get("new_client_key"):
            self.instance.set_client_key(key)
        return super().clean()


@admin.register(GoCompany)
class GoCompanyAdmin(CompanyModelAdmin[GoCompany]):
    """A company's books in PowerOffice Go."""

    form = GoCompanyForm
    list_display = ("name", "organisation_number", "state_badge", "order_state_on_arrival", "key_text")
    list_filter = ("state",)
    search_fields = ("name", "organisation_number")
    ordering = ("name", "pk")
    autocomplete_fields = ("members",)
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DecimalField: {"form_class": AmountField}}
    readonly_fields = ("key_text", "state_reason", "probe_text")
    actions_detail = ("test_connection",)
    fieldsets = (
        (None, {"fields": (("name", "organisation_number"),)}),
        (
            "Connection to PowerOffice Go",
            {
                "fields": ("state", "state_reason", "probe_text", "key_text", "new_client_key"),
                "description": (
                    "Active: statements go to PowerOffice Go and status comes back. Off: nothing is sent or fetched. "
                    "Paused is set by itself when PowerOffice Go refuses the key or a right; it ends by itself "
                    "when a later test succeeds."
                ),
            },
        ),
        (
            "How statements arrive",
            {
                "fields": ("order_state_on_arrival", "payment_days", "create_missing_products", "vanished_drafts"),
                "description": "A locked draft cannot be edited in PowerOffice Go until somebody unlocks it there. "
                + NEVER_COMBINE,
            },
        ),
        ("Subscriptions", {"fields": ("subscription_days_ahead",)}),
        (
            "Drafts combined in PowerOffice Go",
            {
                "fields": ("sharing",),
                "description": "When several statements became one invoice, its payments are shared out over them.",
            },
        ),
        ("Customer data", {"fields": ("customer_data_owner",)}),
        ("Money", {"fields": ("by_hand_limit",)}),
        (
            "People",
            {"fields": ("members",), "description": "Staff see only the companies they are members of."},
        ),
    )

    @admin.display(description="state", ordering="state")
    def state_badge(self, company: GoCompany) -> SafeString:
        return badge(CompanyState(company.state))

    @admin.display(description="client key")
    def key_text(self, company: GoCompany) -> str:
        """Whether there is a key, and the start of its fingerprint to tell two keys apart."""
        return f"set, fingerprint {company.client_key_fingerprint[:8]}" if company.client_key_fingerprint else "not set"

    @admin.display(description="next test by itself")
    def probe_text(self, company: GoCompany) -> str:
        return moment(company.probe_at)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever adds a company decides who sees it: superusers only."""
        return bool(request.user.is_superuser)

    def has_test_connection_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(TEST_CONNECTION) and self.is_own(request, obj)

    def may_set_key(self, request: HttpRequest, obj: GoCompany | None) -> bool:
        return request.user.has_perm(SET_CLIENT_KEY) and self.has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: GoCompany | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A form without the field takes no key, whatever is posted."""
        kwargs["form"] = ClientKeyForm if self.may_set_key(request, obj) else GoCompanyForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: GoCompany | None = None) -> Any:
        """Members are for superusers, a new key for those who may set it."""
        hidden = set()
        if not request.user.is_superuser:
            hidden.add("members")
        if not self.may_set_key(request, obj):
            hidden.add("new_client_key")
        kept = [
            (name, {**options, "fields": tuple(field for field in options["fields"] if field not in hidden)})
            for name, options in super().get_fieldsets(request, obj)
        ]
        return [(name, options) for name, options in kept if options["fields"]]

    @method_decorator(sensitive_post_parameters("new_client_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: GoCompany, form: GoCompanyForm, change: bool) -> None:
        """A person's word on the state replaces the machine's; a token of the old key is of no use any more."""
        if "state" in form.changed_data:
            obj.state_reason, obj.probe_at = "", None
        super().save_model(request, obj, form, change)
        if change and form.cleaned_data.get("new_client_key"):
            AccessToken.objects.filter(company=obj).update(token="", expires_at=None)

    @action(  # type: ignore[untyped-decorator] # unfold has no types
        description="Test connection", url_path="test-connection", permissions=["test_connection"], icon="cable"
    )
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks on a page of its own, tests by POST, and says there what was found."""
        company = get_object_or_404(self.get_queryset(request), pk=object_id)
        check: CompanyCheck | None = None
        if request.method == "POST" and company.client_key:
            check = check_company(company=company, client=remotes.go_client(company, person=True), now=timezone.now())
            company.refresh_from_db()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Test connection: {company}",
            "company": company,
            "state": self.state_badge(company),
            "check": check,
            "present": [(name, NEEDED.get(name, "")) for name in check.present] if check else [],
            "missing": [(name, NEEDED.get(name, "")) for name in check.missing] if check else [],
        }
        return TemplateResponse(request, "admin/integration/gocompany/test_connection.html", context)
