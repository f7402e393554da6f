"""People and roles. Only superusers come here, so nobody can give away rights that they lack."""

import logging
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import F, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import second_factor
from accounts.forms import AdminPasswordChangeForm, PersonAddForm, PersonChangeForm
from accounts.models import Authenticator, FailedLogIn, Role, User, new_stamp
from accounts.open_log_ins import open_log_ins
from accounts.tasks import tell_person
from accounts.visitors import visitor

logger = logging.getLogger(__name__)


class SuperusersOnly:
    """A page that is not there for anybody else, whatever permissions they hold."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser


@admin.register(User)
class PersonAdmin(SuperusersOnly, UserAdmin[User], ModelAdmin):  # type: ignore[misc] # unfold has no types
    """A person: log-in, roles, whether they may enter. Which companies they see is set at the company."""

    form = PersonChangeForm
    add_form = PersonAddForm
    add_form_template = None  # Django's says that more can be told of a user afterwards
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "email",
        "first_name",
        "last_name",
        "roles",
        "second_factor",
        "is_active",
        "superuser",
        "last_log_in",
    )
    list_filter = ("is_active", "is_superuser", "groups")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = ("last_log_in", "added", "new_password", "second_factor")
    actions = ("take_away_second_factor", "log_out_everywhere")
    change_form_outer_after_template = "accounts/log_ins_of_person.html"
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "new_password", "second_factor")}),
        (
            "What this person may do",
            {
                "fields": ("is_active", "is_staff", "groups", "is_superuser"),
                "description": (
                    "The roles say what, the Go companies say where: members are set at each Go company. "
                    "Superusers may do everything in all companies."
                ),
            },
        ),
        ("Times", {"fields": ("last_log_in", "added")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", ("first_name", "last_name"), "password1", "password2", "groups")},
        ),
    )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Few roles: a box to tick each."""
        return super().formfield_for_manytomany(
            db_field,
            request,
            queryset=Group.objects.order_by("name"),
            widget=UnfoldAdminCheckboxSelectMultipleWidget(),
            **kwargs,
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the time of the second factor, and without its seed."""
        rows = super().get_queryset(request).prefetch_related("groups")
        return rows.annotate(second_factor_at=F("authenticator__set_up_at"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the log-ins that are open now."""
        person = self.get_object(request, object_id)
        more = {"whose": person, "log_ins": open_log_ins(person, timezone.now())} if person else {}
        answer: HttpResponse = super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})
        return answer

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        return ", ".join(sorted(group.name for group in person.groups.all()))

    @admin.display(description="second factor", ordering="second_factor_at")
    def second_factor(self, person: User) -> str:
        set_up_at = getattr(person, "second_factor_at", None)
        return f"since {timezone.localdate(set_up_at):%d.%m.%Y}" if set_up_at else "not set up"

    @admin.display(description="superuser", ordering="is_superuser", boolean=True)
    def superuser(self, person: User) -> bool:
        return person.is_superuser

    @admin.display(description="last log-in", ordering="last_login")
    def last_log_in(self, person: User) -> str:
        return f"{timezone.localtime(person.last_login):%d.%m.%Y %H:%M}" if person.last_login else "never"

    @admin.display(description="added")
    def added(self, person: User) -> str:
        return f"{timezone.localtime(person.date_joined):%d.%m.%Y %H:%M}"

    @admin.display(description="password")
    def new_password(self, person: User) -> str:
        address = reverse("admin:auth_user_password_change", args=[person.pk])
        return format_html('Nobody can read it. <a class="fb-link" href="{}">Set a new one</a>', address)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a person did stays theirs: people who leave are made inactive."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is added may enter: that is what they were added for. What they may do changes with a new log-in."""
        if not change:
            obj.is_staff = True
        elif {"is_active", "is_staff", "is_superuser", "groups", "email"}.intersection(form.changed_data):
            obj.session_stamp = new_stamp()
        super().save_model(request, obj, form, change)

    @admin.action(description="Take away the second factor", permissions=["change"])
    def take_away_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For a lost telephone. The next log-in sets it up anew where the role asks for it."""
        taken = 0
        for person in queryset:
            if second_factor.take_away(person):
                taken += 1
                self.write_down(request, person, "Took away the second factor.")
                tell_person.delay_on_commit(person_id=person.pk, notice="taken_away")  # type: ignore[attr-defined]
        words = f"{taken} taken away; {queryset.count() - taken} had none. They are logged out everywhere."
        messages.success(request, words)

    @admin.action(description="Log out everywhere", permissions=["change"])
    def log_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """For a lost machine, or when in doubt. The button on the page of a person leads back there."""
        for person in queryset:
            person.end_log_ins()
            self.write_down(request, person, "Logged out everywhere.")
        messages.success(request, f"{queryset.count()} logged out everywhere.")
        pages = [reverse("admin:accounts_user_change", args=[person.pk]) for person in queryset]
        return HttpResponseRedirect(pages[0]) if "from_page" in request.POST and pages else None

    def write_down(self, request: HttpRequest, person: User, what: str) -> None:
        """In the person's history, and in the log."""
        self.log_change(request, person, what)
        logger.warning("%s Whose: %s (person %s). By %s", what, person, person.pk, visitor(request))


admin.site.unregister(Group)


class RightsField(ModelMultipleChoiceField[Permission]):
    """Rights in words."""

    def label_from_instance(self, obj: Permission) -> str:
        return obj.name


@admin.register(Role)
class RoleAdmin(SuperusersOnly, GroupAdmin, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """A role: a name and what its people may do."""

    formfield_overrides: ClassVar[dict[Any, Any]] = {}
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        """A box to tick for each right about business data: all the rest is for superusers, whatever a role says."""
        rights = Permission.objects.filter(content_type__app_label="integration")
        kwargs |= {"queryset": rights, "form_class": RightsField, "widget": UnfoldAdminCheckboxSelectMultipleWidget()}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """The people who lose it, instead of the rows that say who has it and what it allows."""
        roles = list(objs)
        people = list(User.objects.filter(groups__in=roles).distinct().order_by("email"))
        told: list[Any] = [*(f"Role: {role}" for role in roles), *(f"Loses it: {person}" for person in people)]
        return told, {"roles": len(roles), "people who lose it": len(people)}, set(), []


@admin.register(FailedLogIn)
class FailedLogInAdmin(SuperusersOnly, ModelAdmin):  # type: ignore[misc] # unfold has no types
    """Wrong passwords and codes, until they are forgotten; unlocking forgets them at once."""

    list_display = ("who", "place", "failures", "last", "browser")
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
    fields = readonly_fields = list_display
    actions = ("unlock",)

    @admin.display(description="e-mail")
    def who(self, failed: FailedLogIn) -> str:
        return str(failed.username)

    @admin.display(description="from")
    def place(self, failed: FailedLogIn) -> str:
        return str(failed.ip_address)

    @admin.display(description="failures")
    def failures(self, failed: FailedLogIn) -> int:
        return int(failed.failures_since_start)

    @admin.display(description="last time", ordering="attempt_time")
    def last(self, failed: FailedLogIn) -> str:
        return f"{timezone.localtime(failed.attempt_time):%d.%m.%Y %H:%M}"

    @admin.display(description="browser")
    def browser(self, failed: FailedLogIn) -> str:
        return str(failed.user_agent)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Unlock", permissions=["view"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[FailedLogIn]) -> None:
        """Whoever is meant may try again at once, also with a code."""
        rows = list(queryset)
        Authenticator.objects.filter(user__email__in=[row.username for row in rows]).update(failures=0, wait_until=None)
        queryset.delete()
        for row in rows:
            logger.warning("Unlocked: %r from %s. By %s", row.username, row.ip_address, visitor(request))
        messages.success(request, f"{len(rows)} unlocked.")
