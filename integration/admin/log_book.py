"""What a person changed in a form, in values that can be kept."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.forms import ModelForm

from vault.fields import SecretField

Changes = tuple[dict[str, Any], dict[str, Any]]


def plain(value: Any) -> Any:
    """A value as JSON can keep it and a person can read it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, list | tuple | set | models.QuerySet):
        return [plain(item) for item in value]
    return str(value)  # Decimal, date, datetime: as they read


def named(record: models.Model) -> str:
    """A record in words: what it is, and which."""
    kind, which = str(record._meta.verbose_name), str(record)
    return which if which.startswith(kind) else f"{kind} {which}"


def form_changes(form: "ModelForm[Any]", *, change: bool) -> Changes:
    """Before and after of each changed field. What is not a plain column, secrets above all, says only "changed"."""
    columns = {
        field.name: field
        for field in form.instance._meta.get_fields()
        if isinstance(field, models.Field) and not isinstance(field, SecretField)
    }
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name in form.changed_data:
        column = columns.get(name)
        if column is None:
            after[name] = "changed"
            continue
        if change:
            old = form.initial.get(name)
            if isinstance(column, models.ForeignKey) and old is not None:
                old = column.related_model._base_manager.filter(pk=old).first()
            before[name] = plain(old)
        after[name] = plain(form.cleaned_data.get(name))
    return before, after


def changes_of(form: "ModelForm[Any]", formsets: Iterable[Any], *, change: bool) -> Changes:
    """Before and after of a whole page: the record's own fields, then each row below it by name."""
    before, after = form_changes(form, change=change)
    for formset in formsets:
        deleted = set(map(id, getattr(formset, "deleted_objects", [])))
        added = set(map(id, getattr(formset, "new_objects", [])))
        for row in formset.forms:
            record = row.instance
            key = named(record)
            if id(record) in deleted:
                before[key] = "there"
                after[key] = "deleted"
            elif id(record) in added:
                after[key] = form_changes(row, change=False)[1]
            elif record.pk and row.has_changed():
                before[key], after[key] = form_changes(row, change=True)
    return before, after
