"""What all records share."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

COMPANY = "integration.gocompany"


def company_path(model: type[models.Model]) -> str | None:
    """The lookup from a record to its company, for example `company` or `statement__company`; None: it has none.

    Found by following the foreign keys that are never empty, so a new record is behind the wall from its first day.
    """
    if model._meta.label_lower == COMPANY:
        return "pk"
    keys = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.null and field.related_model is not model
    ]
    for field in keys:
        if field.related_model._meta.label_lower == COMPANY:
            return field.name
    for field in keys:
        if path := company_path(field.related_model):
            return f"{field.name}__{path}"
    return None


def company_id_of(record: models.Model) -> int | None:
    """The key of the company that a record belongs to; None when it has none, or none yet."""
    path = company_path(type(record))
    if path is None:
        return None
    target: Any = record
    *steps, last = path.split("__")
    for step in steps:
        field = target._meta.get_field(step)
        if getattr(target, field.attname) is not None:
            target = getattr(target, step)
        elif (target := field.get_cached_value(target, default=None)) is None:  # an unsaved parent has no key yet
            return None
    key: int | None = getattr(target, target._meta.get_field(last).attname if last != "pk" else "pk")
    return key


class Record(models.Model):
    """Stamps for people to read; logic gets its own explicit times."""

    created_at = models.DateTimeField("made", auto_now_add=True, editable=False)
    updated_at = models.DateTimeField("last saved", auto_now=True, editable=False)

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Raises ValidationError when the record points at a record of another company."""
        super().clean()
        own = company_id_of(self)
        if own is None:
            return
        for field in self._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or getattr(self, field.attname) is None:
                continue
            if company_path(field.related_model) in {None, "pk"}:
                continue
            if company_id_of(getattr(self, field.name)) != own:
                raise ValidationError(
                    f"The {field.verbose_name} belongs to another company. Choose one of the same company.",
                    code="other_company",
                )
