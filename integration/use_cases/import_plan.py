"""What an import would do, before it does it: shown as the preview, made again and compared at the confirmation."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from integration.decisions.spreadsheet_rows import ReadRow, RowProblem
from integration.decisions.spreadsheet_sheets import Sheet
from integration.models import GoCompany

T = TypeVar("T")

_CHUNK: Final = 500
CHANGES_TOLD: Final = 8
"""Changes of one record that a page tells."""

SAVED_AT_ONCE: Final = 500
"""Rows in one INSERT; SQLite takes fewer."""


class Outcome(StrEnum):
    """What becomes of a record."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class Change(NamedTuple):
    """One value that an import would change, in words."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before or 'empty'} → {self.after or 'empty'}"


@dataclass
class Planned:
    """A record of the file. `record` carries the new values, unsaved; `lines` are a statement's."""

    rows: tuple[int, ...]
    name: str
    company: str = ""
    outcome: Outcome = Outcome.SAME
    changes: tuple[Change, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[str, ...] = ()
    summary: str = ""
    record: Any = None
    fields: tuple[str, ...] = ()
    lines: Sequence[Any] = ()
    identity: tuple[Any, ...] | None = None
    """Whom or what it means: no two rows of a file may mean the same."""

    @property
    def where(self) -> str:
        """The rows it stands in, for people."""
        first, last = self.rows[0], self.rows[-1]
        return str(first) if first == last else f"{first}–{last}"

    @property
    def told(self) -> list[str]:
        """The first changes, for people; of a new record what it says, unless its summary says it."""
        if self.outcome == Outcome.NEW:
            return [] if self.summary else [" · ".join(f"{change.what}: {change.after}" for change in self.changes)]
        return [str(change) for change in self.changes[:CHANGES_TOLD]]

    @property
    def more(self) -> int:
        """How many changes are not told."""
        return 0 if self.outcome == Outcome.NEW else max(len(self.changes) - CHANGES_TOLD, 0)


@dataclass
class ImportPlan:
    """Everything an import would do. Nothing is saved yet."""

    sheet: Sheet
    records: list[Planned]
    notes: tuple[str, ...] = field(default=())

    def count(self, outcome: Outcome) -> int:
        """How many records have this outcome."""
        return self.counts[outcome]

    @property
    def counts(self) -> Counter[Outcome]:
        return Counter(planned.outcome for planned in self.records)

    @property
    def work(self) -> list[Planned]:
        """The records that would be saved."""
        return [planned for planned in self.records if planned.outcome in {Outcome.NEW, Outcome.CHANGED}]

    @property
    def digest(self) -> str:
        """Stands for everything the plan says: another situation gives another digest."""
        return _digest(self.records)

    @property
    def work_digest(self) -> str:
        """Stands for what would be saved."""
        return _digest(self.work)


def _digest(records: Iterable[Planned]) -> str:
    said = hashlib.sha256()
    for p in records:
        parts = (p.rows, p.name, p.company, p.outcome, p.changes, p.problems, p.summary, _key(p.record))
        said.update(f"{parts!r}\n".encode("utf-8", "surrogatepass"))
    return said.hexdigest()


def _key(record: Any) -> Any:
    return record.pk if isinstance(record, models.Model) else None


class Companies:
    """The companies a person may import into, and the one chosen on the page."""

    def __init__(self, own: Iterable[GoCompany], chosen: GoCompany | None) -> None:
        self.own = {company.pk: company for company in own}
        self.chosen = chosen

    def place(self, row: ReadRow) -> None:
        """Make the row's company its id, or None with a problem. Companies of others are unknown here."""
        said = row.values.get("company")
        row.values["company"] = None
        if not isinstance(said, str):
            if said is None and self.chosen is None:
                row.refuse("is missing: choose the company on the page, or name it in the row", column="Company")
            elif said is None and self.chosen is not None:
                row.values["company"] = self.chosen.pk
            return
        found = [company for company in self.own.values() if _is_called(company, said)]
        if self.chosen in found:
            row.values["company"] = self.chosen.pk if self.chosen else None
        elif not found:
            row.refuse("is not one of your companies: check the name", column="Company", read=said)
        elif self.chosen is not None:
            row.refuse(f"is not {self.chosen}, the company chosen on the page", column="Company", read=said)
        elif len(found) > 1:
            row.refuse("is the name of several companies: use the organisation number", column="Company", read=said)
        else:
            row.values["company"] = found[0].pk

    def name(self, company_id: int | None) -> str:
        return str(self.own[company_id]) if company_id in self.own else ""


def _is_called(company: GoCompany, said: str) -> bool:
    digits = "".join(sign for sign in said if sign.isdigit())
    by_number = bool(company.organisation_number) and digits == company.organisation_number
    return by_number or " ".join(said.split()).casefold() == " ".join(company.name.split()).casefold()


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Values in portions that every database takes in one question."""
    kept = list(values)
    for start in range(0, len(kept), _CHUNK):
        yield kept[start : start + _CHUNK]


def in_words(record: models.Model, key: str, value: Any) -> str:
    """A field's value as a bookkeeper reads it."""
    if value is None or value == "":
        return ""
    if key == "is_person":
        return "person" if value else "company"
    if isinstance(value, bool):
        return "yes" if value else "no"
    choices = _choices(type(record), key)
    if value in choices:
        return str(choices[value])
    if isinstance(value, Decimal):
        if key == "vat_rate":
            return f"{(value * 100).normalize():f} %".replace(".", ",")
        if key in {"quantity", "discount_percent"}:
            return f"{value.normalize():f}".replace(".", ",")
        return _amount(value)
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    return str(value)


@cache
def _choices(model: type[models.Model], key: str) -> dict[Any, Any]:
    """What a field's values are called."""
    return dict(getattr(model._meta.get_field(key), "flatchoices", ()))


def _amount(value: Decimal) -> str:
    kept = round(value, 2)
    return f"{kept if kept == value else value.normalize():,f}".replace(",", "\xa0").replace(".", ",")


def set_values(record: models.Model, values: dict[str, Any], sheet: Sheet) -> tuple[Change, ...]:
    """Put the values into the record, unsaved; what that changes."""
    changes = []
    for key, value in values.items():
        before = getattr(record, key)
        if before != value:
            label = sheet.column(key).label
            changes.append(Change(label, in_words(record, key, before), in_words(record, key, value)))
            setattr(record, key, value)
    return tuple(changes)


def refuse_invalid(record: models.Model, row: ReadRow, sheet: Sheet) -> None:
    """What the record's own rules (form of e-mails, lengths, ranges) say: the last net before the database.

    As `clean_fields` of the sheet's columns, but without looking at values that a new record has by itself.
    """
    for own in _own_fields(type(record)):
        value = getattr(record, own.attname)
        if own.name not in sheet.by_key or (value == own.default and own.has_default()):
            continue
        if own.blank and value in own.empty_values:
            continue
        try:
            setattr(record, own.attname, own.clean(value, record))
        except ValidationError as error:
            row.refuse(" ".join(error.messages).rstrip("."), column=sheet.column(own.name).label, read=value)


@cache
def _own_fields(model: type[models.Model]) -> "tuple[models.Field[Any, Any], ...]":
    """The columns of a record that lead to no other record."""
    return tuple(field for field in model._meta.fields if not field.is_relation)


def save_changed(model: type[models.Model], records: Sequence[Any], fields: Iterable[str]) -> None:
    """Save these fields of records that are there and locked, many in one question. Every constraint holds.

    An INSERT that becomes an UPDATE where the key is there already; Django's `bulk_update` asks with a CASE for each
    field of each row, and takes ten times as long.
    """
    model._default_manager.bulk_create(
        records,
        batch_size=SAVED_AT_ONCE,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=sorted({*fields, "updated_at"}),
    )
