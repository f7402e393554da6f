"""The open books: one company, at one moment, as seen by one visitor (an integration, or the accountant)."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from integration.sandbox.models import Company, Record
from integration.sandbox.switches import OSLO, Switches, read_state

LARGE_REGISTERS = {"Customer", "Product", "ContactPerson"}
SMALL_REGISTERS = {
    *("ProductGroup", "Department", "Project", "Location", "PaymentTerm", "DeliveryTerm", "BrandingTheme"),
    *("GeneralLedgerAccount", "VatCode", "SubLedgerNumberSeries"),
    *("Employee", "ContactGroup", "ContactDeliveryAddress", "CustomDimension"),
}
"""The last row is of registers that stay empty here."""


@dataclass
class Books:
    """Everything a call or an act needs to know; `application_key` is empty when a user works in Go itself."""

    company: Company
    switches: Switches
    now: dt.datetime
    application_key: str = ""
    _known: dict[tuple[str, int], Record | None] = field(default_factory=dict)
    _loaded: set[str] = field(default_factory=set)

    @property
    def today(self) -> dt.date:
        """The day it is in Oslo."""
        return self.now.astimezone(OSLO).date()

    @property
    def seen_from(self) -> dt.datetime:
        """GETs do not see what happened after this moment: the replica lags (row 15)."""
        return self.now - dt.timedelta(seconds=float(self.switches["replica_delay_seconds"]))

    @property
    def replica_lags(self) -> bool:
        """Whether the replica lags at all."""
        return bool(self.switches["replica_delay_seconds"])

    def too_new(self, moment: dt.datetime | None) -> bool:
        """Whether the replica has not heard of this moment yet."""
        return self.replica_lags and moment is not None and moment > self.seen_from

    def register(self, kind: str) -> QuerySet[Record]:
        """All entries of a register."""
        return Record.objects.filter(company=self.company, kind=kind)

    def load(self, kind: str) -> list[Record]:
        """A whole register, kept for the rest of the call; the small ones come together in one query."""
        if kind not in self._loaded:
            records = Record.objects.filter(company=self.company).order_by("pk")
            if kind in LARGE_REGISTERS:
                records = records.filter(kind=kind)
                self._loaded.add(kind)
            else:
                records = records.exclude(kind__in=LARGE_REGISTERS)
                self._loaded |= SMALL_REGISTERS
            for record in records:
                self.know(record)
        return [record for (of, _), record in self._known.items() if of == kind and record]

    def record(self, kind: str, pk: int | None) -> Record | None:
        """An entry by Go's id, or None."""
        if pk is None or not 0 < pk < 2**63:
            return None
        if kind not in LARGE_REGISTERS:
            self.load(kind)
        if (kind, pk) not in self._known:
            self._known[kind, pk] = None if kind in self._loaded else self.register(kind).filter(pk=pk).first()
        return self._known[kind, pk]

    def know(self, record: Record) -> None:
        """Keep an entry that was read or changed by other means."""
        self._known[record.kind, record.pk] = record

    def by_code(self, kind: str, code: str) -> Record | None:
        """An entry by its code or number, or None."""
        if kind in LARGE_REGISTERS and kind not in self._loaded:
            for (of, _), known in self._known.items():
                if of == kind and known and known.code == code:
                    return known
            record = self.register(kind).filter(code=code).first()
            if record:
                self.know(record)
            return record
        return next((record for record in self.load(kind) if record.code == code), None)

    def by_member(self, kind: str, member: str, value: Any) -> Record | None:
        """The first entry whose member has this value: a payment term by its days, a delivery term by its name."""
        return next((record for record in self.load(kind) if record.data.get(member) == value), None)

    def default(self, kind: str) -> Record | None:
        """The entry marked as default."""
        return self.by_member(kind, "IsDefault", value=True)


def locked_company(pk: int) -> Company:
    """The company, locked until the transaction ends: number sequences and duplicate checks need it."""
    return Company.objects.select_for_update().get(pk=pk)


def accountants_books(company_pk: int) -> Books:
    """The books as a user of Go opens them, locked; to be called inside one act."""
    state = read_state()
    return Books(locked_company(company_pk), Switches(state), timezone.now() + state.clock_offset)
