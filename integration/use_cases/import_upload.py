"""A large spreadsheet comes in, in the background: read, checked, confirmed by a person, written.

It is cut into portions of some hundred rows, and the table of portions is the queue. Whatever is done to a portion is
committed together with the mark that it was done, so a worker may be killed anywhere: the next one goes on, and nothing
is made twice. One worker at a time, by a lease that is renewed in the same transactions: whoever lost it commits
nothing more.

What a person confirms is what the check said. A portion of which anything else would be said when it is to be written
is not written: it is checked again, and the person asked again.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import get_permission_codename
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Model, Q, Sum

from accounts.models import User
from integration.decisions.spreadsheet_cells import visible
from integration.decisions.spreadsheet_files import Table, UnreadableFile, look_into, open_table, packed, unpacked
from integration.decisions.spreadsheet_rows import RowProblem, open_rows, portions
from integration.decisions.spreadsheet_sheets import (
    CUSTOMERS,
    PRODUCTS,
    SHEETS,
    STATEMENTS,
    Sheet,
    heading_key,
    headings,
)
from integration.enums import PortionState, UploadState
from integration.models import (
    Customer,
    GoCompany,
    InvoiceStatement,
    Product,
    SpreadsheetUpload,
    UploadBlock,
    UploadName,
    UploadPortion,
)
from integration.use_cases.import_plan import ImportPlan, Outcome, Planned
from integration.use_cases.import_spreadsheet import (
    KEPT_FOR,
    ImportRefused,
    carry_out,
    companies_of,
    one_at_a_time,
    plan_table,
)

logger = logging.getLogger(__name__)

TURN: Final = timedelta(seconds=20)
"""How long an upload may keep a worker before it goes to the back of the row."""

LEASE: Final = timedelta(seconds=settings.CLAIM_LEASE_SECONDS)
"""A dead worker's upload is free again after it; a portion takes about a second."""

MOST_AT_WORK: Final = 5
"""Uploads of one person that are being read, checked or imported at the same time."""

EXAMPLES: Final = 20
"""Records of a portion that are kept to be shown."""

AT_WORK: Final = (UploadState.READING, UploadState.CHECKING, UploadState.IMPORTING)

MODELS: Final[dict[str, type[Model]]] = {
    CUSTOMERS.name: Customer,
    PRODUCTS.name: Product,
    STATEMENTS.name: InvoiceStatement,
}

CHANGED_MEANWHILE: Final = "Something changed since you looked: these rows were not imported. Look at them once more."
NO_LONGER_ALLOWED: Final = "You may no longer import these. What was imported until then stays."
OWN_FAULT: Final = (
    "Fakturabro made a mistake ({}). Support has the details in the log. What was imported until then stays."
)


class LeaseLost(Exception):
    """Somebody stopped the upload, or another worker has it: what was about to be committed is not."""


# --- What people do -------------------------------------------------------------------------------------------------


def begin(
    *, sheet: Sheet, file: IO[bytes], file_name: str, user: User, company: GoCompany | None, now: datetime
) -> SpreadsheetUpload:
    """Keep a large file, to be read and checked. Call the task on commit. Raises ImportRefused and UnreadableFile."""
    companies_of(user, company)
    look_into(file)
    with transaction.atomic():
        _make_room(user)
        upload = SpreadsheetUpload.objects.create(
            user=user,
            company=company,
            sheet=sheet.name,
            file_name=visible(file_name)[:200],
            uploaded_at=now,
            state=UploadState.READING,
            began_at=now,
        )
        upload.keep(file)
    return upload


def _make_room(user: User) -> None:
    """Before one more is at work, in its transaction. Raises ImportRefused."""
    User.objects.select_for_update().get(pk=user.pk)  # two uploads at the same moment are counted one by one
    if SpreadsheetUpload.objects.filter(user=user, state__in=AT_WORK).count() >= MOST_AT_WORK:
        raise ImportRefused(f"{MOST_AT_WORK} of your files are being worked on. Wait until one of them is done.")


def confirm_upload(*, upload: SpreadsheetUpload, digest: str, now: datetime) -> None:
    """Let it be written. Call the task on commit. Raises ImportRefused when it is not as it was shown any more."""
    with transaction.atomic():
        current = SpreadsheetUpload.objects.select_for_update().get(pk=upload.pk)
        if current.state != UploadState.CHECKED:
            raise ImportRefused("This was confirmed or stopped already.")
        if digest_of(current) != digest:
            raise ImportRefused("Something changed since you looked. This is how it stands now.")
        current.state, current.began_at, current.message = UploadState.IMPORTING, now, ""
        current.save(update_fields=["state", "began_at", "message"])


def stop_upload(*, upload: SpreadsheetUpload, now: datetime) -> bool:
    """No further portion is worked on. False: it had ended already."""
    return bool(
        SpreadsheetUpload.objects.filter(pk=upload.pk, state__in=[*AT_WORK, UploadState.CHECKED]).update(
            state=UploadState.STOPPED, began_at=now, message="", holder="", lease_until=None
        )
    )


def resume_upload(*, upload: SpreadsheetUpload, now: datetime) -> None:
    """What a person stopped is read and checked to its end, and then confirmed anew, even what was confirmed before.

    Call the task on commit. Raises ImportRefused.
    """
    with transaction.atomic():
        _make_room(upload.user)
        current = SpreadsheetUpload.objects.select_for_update().get(pk=upload.pk)
        if not current.was_stopped_by_a_person:
            raise ImportRefused("It goes on already, or has ended.")
        current.state = UploadState.READING if current.blocks.exists() else UploadState.CHECKING
        current.began_at = now
        current.save(update_fields=["state", "began_at"])


# --- What pages show ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How an upload stands. Rows are rows of the file; the others are records."""

    rows: int
    rows_checked: int
    rows_to_write: int
    rows_written: int
    problem_rows: int
    counts: dict[Outcome, int]
    waiting: dict[Outcome, int]
    written: dict[Outcome, int]


def standing(upload: SpreadsheetUpload) -> Standing:
    """One query, however large the upload."""
    work = Q(new__gt=0) | Q(changed__gt=0)
    of = {
        "all_rows": Sum("rows", default=0),
        "rows_checked": Sum("rows", filter=~Q(state=PortionState.READ), default=0),
        "rows_to_write": Sum("rows", filter=work, default=0),
        "rows_written": Sum("rows", filter=work & Q(state=PortionState.DONE), default=0),
        "all_problem_rows": Sum("problem_rows", default=0),
    }
    for outcome in Outcome:
        of[f"all_{outcome}"] = Sum(outcome.value, default=0)
        of[f"waiting_{outcome}"] = Sum(outcome.value, filter=Q(state=PortionState.CHECKED), default=0)
        of[f"written_{outcome}"] = Sum(outcome.value, filter=Q(state=PortionState.DONE), default=0)
    found = upload.portions.aggregate(**of)
    counts, waiting, written = (
        {outcome: found.pop(f"{which}_{outcome}") for outcome in Outcome} for which in ("all", "waiting", "written")
    )
    return Standing(
        rows=found.pop("all_rows"),
        problem_rows=found.pop("all_problem_rows"),
        counts=counts,
        waiting=waiting,
        written=written,
        **found,
    )


def digest_of(upload: SpreadsheetUpload) -> str:
    """Stands for all that a confirmation would let happen."""
    waiting = upload.portions.filter(state=PortionState.CHECKED).order_by("first_row").values_list("pk", "digest")
    return hashlib.sha256(repr(list(waiting)).encode()).hexdigest()


# --- What workers do ------------------------------------------------------------------------------------------------


def waiting_uploads(now: datetime) -> list[UUID]:
    """For the sweep: uploads that nobody works on. What is older than a day and at rest is deleted."""
    SpreadsheetUpload.objects.filter(uploaded_at__lt=now - KEPT_FOR).exclude(state__in=AT_WORK).delete()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return list(
        SpreadsheetUpload.objects.filter(free, state__in=AT_WORK).order_by("uploaded_at").values_list("pk", flat=True)
    )


def work_on(key: UUID, *, clock: Callable[[], datetime]) -> bool:
    """One turn of work on an upload; True when there is more to do. Safe to run twice, and to kill."""
    began = clock()
    holder = str(uuid4())
    free = Q(holder="") | Q(lease_until__lt=began)
    if not SpreadsheetUpload.objects.filter(free, pk=key, state__in=AT_WORK).update(
        holder=holder, lease_until=began + LEASE
    ):
        return False
    worker = Worker(SpreadsheetUpload.objects.select_related("user", "company").get(pk=key), holder, clock)
    rings_again_until = None
    try:
        worker.admit()
        while clock() - began < TURN:
            if not worker.step():
                return False
    except LeaseLost:
        return False
    except DatabaseError:  # the sweep tries again
        raise
    except (UnreadableFile, ImportRefused) as error:
        worker.end(str(error))
        return False
    except Exception as error:
        logger.exception("%s: our own fault.", worker.upload)
        worker.end(OWN_FAULT.format(type(error).__name__))
        return False
    else:
        rings_again_until = clock() + LEASE  # our own message takes it at once; the sweep only when that was lost
        return True
    finally:
        SpreadsheetUpload.objects.filter(pk=key, holder=holder).update(holder="", lease_until=rings_again_until)


class Worker:
    """The one that has the lease of an upload."""

    def __init__(self, upload: SpreadsheetUpload, holder: str, clock: Callable[[], datetime]) -> None:
        self.upload = upload
        self.holder = holder
        self.clock = clock
        self.sheet = SHEETS[upload.sheet]
        self.user: User = upload.user

    def admit(self) -> None:
        """Look once more whether the person may do this. Raises ImportRefused."""
        if not self._may_still():
            raise ImportRefused(NO_LONGER_ALLOWED)
        self.companies = companies_of(self.user, self.upload.company)

    def _may_still(self) -> bool:
        options = MODELS[self.upload.sheet]._meta
        rights = [f"{options.app_label}.{get_permission_codename(act, options)}" for act in ("import", "add", "change")]
        return self.user.is_active and self.user.has_perms(rights)

    def step(self) -> bool:
        """Read the file, check a portion or write one; False when nothing is left to do."""
        if self.upload.state == UploadState.READING:
            self._read()
            return True
        portion = self.upload.portions.filter(state=PortionState.READ).order_by("first_row").first()
        if self.upload.state == UploadState.CHECKING:
            if portion is not None:
                self._check(portion)
                return True
            work = self.upload.portions.filter(state=PortionState.CHECKED).exists()
            self._pass_on(UploadState.CHECKED if work else UploadState.DONE)
            return False
        checked = self.upload.portions.filter(state=PortionState.CHECKED).order_by("first_row").first()
        if checked is not None:
            self._write(checked)
            return True
        if portion is not None:  # it was not as it had been confirmed
            self._pass_on(UploadState.CHECKING, message=CHANGED_MEANWHILE)
            return True
        self._pass_on(UploadState.DONE)
        return False

    def end(self, message: str) -> None:
        """Stop with a sentence. What was written stays."""
        self._update(state=UploadState.STOPPED, began_at=self.clock(), message=message)

    def _update(self, **values: Any) -> bool:
        held = SpreadsheetUpload.objects.filter(pk=self.upload.pk, holder=self.holder, state=self.upload.state)
        return bool(held.update(**values))

    def _hold(self) -> None:
        """Renew the lease, in the transaction of the work it is for. Raises LeaseLost."""
        if not self._update(lease_until=self.clock() + LEASE):
            raise LeaseLost

    def _pass_on(self, state: UploadState, **values: Any) -> None:
        if not self._update(state=state, began_at=self.clock(), **values):
            raise LeaseLost
        self.upload.state = state

    def _read(self) -> None:
        """Cut the file into portions. Those that are there already, from a worker that was killed, are passed by."""
        last = self.upload.portions.order_by("-first_row").values_list("last_row", flat=True).first() or 0
        known = headings(self.sheet)
        with self.upload.file() as file, open_table(file, lambda word: heading_key(word) in known) as table:
            heading, rows = open_rows(table.rows, self.sheet)
            for portion in portions(rows, heading, self.sheet):
                if portion[0].number <= last:
                    continue
                with transaction.atomic():
                    self._hold()
                    UploadPortion.objects.create(
                        upload=self.upload,
                        first_row=portion[0].number,
                        last_row=portion[-1].number,
                        rows=len(portion),
                        table=packed([heading.row, *portion]),
                    )
            notes = [*table.notes, *heading.notes]
        with transaction.atomic():
            self._pass_on(UploadState.CHECKING, notes=notes)
            UploadBlock.objects.filter(upload=self.upload).delete()

    def _check(self, portion: UploadPortion) -> None:
        table = Table(unpacked(bytes(portion.table)))
        plan = plan_table(self.sheet, table, self.companies, lock=False)
        names = {_number(each.identity): each for each in plan.records if each.identity is not None}
        self._refuse_seen(portion, names)
        work = plan.work
        portion.state = PortionState.CHECKED if work else PortionState.DONE
        written = {row for each in work for row in each.rows}
        portion.left_out = [row.number for row in table.rows[1:] if row.number not in written] if work else []
        portion.digest = plan.work_digest
        portion.new, portion.changed = plan.count(Outcome.NEW), plan.count(Outcome.CHANGED)
        portion.same, portion.refused = plan.count(Outcome.SAME), plan.count(Outcome.REFUSED)
        portion.findings = findings(plan)
        portion.problem_rows = len({problem["row"] for problem in portion.findings["problems"]})
        if not work:
            portion.table = b""
        with transaction.atomic():
            self._hold()
            UploadName.objects.bulk_create(
                [UploadName(upload=self.upload, name=name, row=each.rows[0]) for name, each in names.items()],
                ignore_conflicts=True,  # of an earlier check, or of an earlier portion
            )
            portion.save()

    def _refuse_seen(self, portion: UploadPortion, names: dict[int, Planned]) -> None:
        """No two rows of the file may mean the same: those of earlier portions are looked up."""
        earlier = UploadName.objects.filter(upload=self.upload, name__in=list(names), row__lt=portion.first_row)
        for name, row in earlier.values_list("name", "row"):
            again = names[name]
            told = f"is the {self.sheet.thing} of row {row} again: " + (
                "its rows stand together. Sort the file by it"
                if self.sheet is STATEMENTS
                else "keep one of the two rows"
            )
            label = {CUSTOMERS.name: "Name", PRODUCTS.name: "Product code"}.get(self.sheet.name, "Statement id")
            again.problems = (*again.problems, RowProblem(again.rows[0], label, "", told))
            again.outcome, again.changes = Outcome.REFUSED, ()

    def _write(self, portion: UploadPortion) -> None:
        left_out = set(portion.left_out)
        table = Table(tuple(row for row in unpacked(bytes(portion.table)) if row.number not in left_out))
        try:
            with transaction.atomic():
                self._hold()
                one_at_a_time(self.sheet)
                plan = plan_table(self.sheet, table, self.companies, lock=True)
                if plan.work_digest == portion.digest:
                    carry_out(plan, self.upload.file_name, self.user, self.clock())
                    portion.state, portion.table = PortionState.DONE, b""
                else:
                    portion.state = PortionState.READ
                portion.save(update_fields=["state", "table"])
        except IntegrityError:  # somebody saved one of the same records at the same moment
            with transaction.atomic():
                self._hold()
                portion.state = PortionState.READ
                portion.save(update_fields=["state"])


def _number(identity: tuple[Any, ...] | None) -> int:
    """An identity as a number of 64 bits: two of a file are the same by chance once in some billion files."""
    said = hashlib.blake2b(repr(identity).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(said.digest(), "big", signed=True)


def findings(plan: ImportPlan) -> dict[str, Any]:
    """What pages and the download print of a portion: every problem and note, and some examples of records."""
    return {
        "problems": [
            {
                "row": each.row,
                "name": _plain(planned.name),
                "column": each.column,
                "read": _plain(each.read),
                "message": _plain(each.message),
            }
            for planned in plan.records
            for each in planned.problems
        ],
        "notes": [
            {"where": planned.where, "name": _plain(planned.name), "note": _plain(note)}
            for planned in plan.records
            for note in planned.notes
        ],
        "records": [
            {
                "where": planned.where,
                "name": _plain(planned.name),
                "company": planned.company,
                "company_id": planned.record.company_id,
                "outcome": planned.outcome.value,
                "summary": _plain(planned.summary),
                "changes": [_plain(told) for told in planned.told],
                "more": planned.more,
            }
            for planned in plan.work[:EXAMPLES]
        ],
    }


def _plain(text: str) -> str:
    """Without what a database column does not take."""
    return visible(text, lines=True)
