"""What every page about business data shares: the wall between companies, the log book, and speed at a million rows."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.utils import timezone
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.filters.admin import DropdownFilter

from accounts.models import User
from integration.admin.display import NOTHING
from integration.admin.log_book import changes_of, named
from integration.admin.paginator import EstimatingPaginator
from integration.models import AdminAction, GoCompany, InvoiceStatement
from integration.models.base import company_id_of, company_path
from integration.models.go_company import behind_wall
from vault.fields import SecretField

M = TypeVar("M", bound=models.Model)
logger = logging.getLogger(__name__)


def own_company_ids(request: HttpRequest) -> frozenset[int] | None:
    """The companies this person may see; None means all. Asked once per request."""
    if request.user.is_superuser:
        return None
    ids: frozenset[int] | None = getattr(request, "_own_company_ids", None)
    if ids is None:
        ids = frozenset(GoCompany.objects.of(request.user).values_list("pk", flat=True))
        request._own_company_ids = ids  # type: ignore[attr-defined] # a note on the request
    return ids


class CompanyFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
    """Filters by company, offering only the person's own; nothing to choose, nothing shown."""

    title = "company"
    parameter_name = "company"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = GoCompany.objects.of(request.user).order_by("name").values_list("pk", "name")
        return [(str(pk), name) for pk, name in rows]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value not in dict(self.lookup_choices):
            return queryset.none()
        return queryset.filter(**{company_path(queryset.model) or "pk": value})


class RecordForm(ModelForm[M]):
    """Checks the constraints that also involve fields which the form does not show, above all the company.

    Django leaves those out, and the database's refusal would then be a page of error instead of a sentence.
    """

    also_checks: ClassVar[frozenset[str]] = frozenset({"company"})

    def _get_validation_exclusions(self) -> set[str]:
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc] # Django's own hook
        return left_out - (self.also_checks - set(self.fields))


class CompanyWall(Generic[M]):
    """The wall, for pages and inlines alike. Stands left of the admin class it guards."""

    model: type[M]
    form: Any = RecordForm

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[M]:
        """Rows of own companies only: list, search, autocomplete, action, export and each page by URL start here."""
        rows: models.QuerySet[M] = super().get_queryset(request)  # type: ignore[misc] # the admin class to the right
        return behind_wall(rows, request.user)

    def is_own(self, request: HttpRequest, obj: Any) -> bool:
        """Whether a record is of an own company. Unfold's buttons hand in the key from the URL, not the record."""
        if obj is None:
            return True
        if not isinstance(obj, self.model):
            # An inline is asked about its parent, a button about a key.
            if isinstance(obj, models.Model):
                ids = own_company_ids(request)
                return ids is None or company_id_of(obj) in ids or company_path(type(obj)) is None
            return self.get_queryset(request).filter(pk=obj).exists() if str(obj).isdecimal() else False
        ids = own_company_ids(request)
        return ids is None or obj.pk is None or company_id_of(obj) in ids

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj)) and self.is_own(request, obj)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and self.is_own(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and self.is_own(request, obj)  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> models.QuerySet[Any]:
        """What a form offers and accepts for a relation, also behind autocomplete and raw ids: own companies only."""
        rows = super().get_field_queryset(db, db_field, request)  # type: ignore[misc] # the admin class to the right
        if rows is None:  # no order is known
            rows = db_field.related_model._default_manager.using(db)
        return behind_wall(rows, request.user)


class CompanyModelAdmin(CompanyWall[M], ModelAdmin):  # type: ignore[misc] # unfold has no types
    """A page about records of a company.

    A subclass sets `list_prefetch` for the foreign keys in `list_display`, and `sortable_by` to indexed columns.
    What a person saves here is written into the log book (`AdminAction`) with the values before and after.
    """

    list_prefetch: ClassVar[tuple[str, ...]] = ()
    empty_value_display = NOTHING
    list_select_related = ()  # () and not False: Django then joins nothing by itself (libraries.md 4.3 rule 1)
    sortable_by: Any = ()
    ordering: Any = ("-pk",)
    list_per_page = 50
    list_max_show_all = 200
    paginator = EstimatingPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[M]:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch)

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> tuple[Any, ...]:
        """A record never moves to another company."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "company") if obj is not None and company_path(self.model) == "company" else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A person of one company need not choose it."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        ids = own_company_ids(request)
        if company_path(self.model) == "company" and ids is not None and len(ids) == 1:
            initial.setdefault("company", str(next(iter(ids))))
        return initial

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Records of a company are not deleted; they are switched off, withdrawn, or left in peace."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """An act that this person is not offered is refused when it is posted all the same: Django would ignore it."""
        known = {name for _, name, _ in self._get_base_actions()}
        wanted = known.intersection(request.POST.getlist("action"))
        if wanted and not wanted <= self.get_actions(request).keys():
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Two people who save the same thing in the same moment: the second reads a sentence, nothing is half saved."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            logger.warning("A form for %s was refused by the database.", self.opts.label, exc_info=True)
            self.message_user(
                request,
                "Nothing was saved: it no longer fits with what somebody else has just saved. Look again and repeat.",
                messages.ERROR,
            )
            return HttpResponseRedirect(request.get_full_path())

    def save_related(self, request: HttpRequest, form: ModelForm[M], formsets: Iterable[Any], change: bool) -> None:
        formsets = list(formsets)
        super().save_related(request, form, formsets, change)
        before, after = changes_of(form, formsets, change=change)
        if before or after or not change:
            self.write_down(request, form.instance, "change" if change else "add", before=before, after=after)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for record in queryset:
            self.write_down(request, record, "delete", keep_link=False)
        return super().log_deletions(request, queryset)

    def write_down(
        self,
        request: HttpRequest,
        record: models.Model,
        action: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        reason: str = "",
        keep_link: bool = True,
    ) -> None:
        """One entry in the log book; `keep_link` False when the statement is about to be gone."""
        AdminAction.objects.create(
            company_id=cast("int", company_id_of(record)),  # pages about business data only
            user=cast("User", request.user),
            at=timezone.now(),
            action=action,
            statement=record if keep_link and isinstance(record, InvoiceStatement) else None,
            record=named(record)[:200],
            before=before or {},
            after=after or {},
            reason=reason,
        )


class ReadOnlyModelAdmin(CompanyModelAdmin[M]):
    """What machines write: people read it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any]:
        """All that is on the record, secrets left out, when the page names no fields."""
        if self.fields:
            return list(self.fields)
        return [
            field.name
            for field in self.model._meta.concrete_fields
            if not field.primary_key and not isinstance(field, SecretField)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> tuple[Any, ...]:
        named = [name for _, options in self.get_fieldsets(request, obj) for name in flatten(options["fields"])]
        return tuple(dict.fromkeys([*self.readonly_fields, *named]))


class CompanyTabularInline(CompanyWall[M], TabularInline):  # type: ignore[misc] # unfold has no types
    """Rows of a record, in a table on its page."""

    extra = 0


class CompanyStackedInline(CompanyWall[M], StackedInline):  # type: ignore[misc] # unfold has no types
    """Rows of a record, one below the other on its page."""

    extra = 0


def flatten(fields: Iterable[Any]) -> Iterator[Any]:
    """Names in a fieldset, rows of several included."""
    for field in fields:
        if isinstance(field, list | tuple):
            yield from field
        else:
            yield field
