"""What all records share."""

from typing import Any, ClassVar, NoReturn

from django.db import models


class Record(models.Model):
    """Stamps for people to read; logic gets its own explicit times."""

    created_at = models.DateTimeField("made", auto_now_add=True, editable=False)
    updated_at = models.DateTimeField("last saved", auto_now=True, editable=False)

    class Meta:
        abstract = True


class AppendOnlyError(Exception):
    """Somebody tried to change the log book. Nothing was changed."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows can be added and read, nothing else."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.verbose_name}: rows are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.verbose_name}: rows are never deleted.")


class AppendOnlyRecord(models.Model):
    """A page of the log book: written once, never changed or deleted."""

    objects: ClassVar[models.Manager[Any]] = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise AppendOnlyError(f"{self._meta.verbose_name} {self.pk}: rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self._meta.verbose_name} {self.pk}: rows are never deleted.")
