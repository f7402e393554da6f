"""A small spreadsheet comes in: first a preview that saves nothing, then, confirmed, all of it in one transaction.

What a person confirms is what the preview said. At the confirmation the plan is made again, with the records locked;
if it would say anything else now, nothing is imported and the new preview is shown. Rows and statements with problems
are left out, each as a whole; the same file can be imported again when they are mended: what is in already is "same".

A file beyond the limits below is work for the background: `import_upload.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from integration.decisions.spreadsheet_cells import visible
from integration.decisions.spreadsheet_files import Limits, Table, TooMuch, UnreadableFile, read_table
from integration.decisions.spreadsheet_rows import read_rows
from integration.decisions.spreadsheet_sheets import CUSTOMERS, PRODUCTS, STATEMENTS, Sheet, heading_key, headings
from integration.enums import UploadState
from integration.models import AdminAction, Customer, GoCompany, InvoiceStatement, Product, SpreadsheetUpload
from integration.use_cases.import_customers import plan_customers
from integration.use_cases.import_plan import (
    SAVED_AT_ONCE,
    Companies,
    ImportPlan,
    Outcome,
    Planned,
    save_changed,
)
from integration.use_cases.import_products import plan_products
from integration.use_cases.import_statements import plan_statements, save_statements

KEPT_FOR: Final = timedelta(days=1)
"""How long an upload waits for its confirmation."""

AT_ONCE: Final = Limits(rows=5_000, unpacked=20 * 1024 * 1024)
"""What is read, checked and imported while the person waits: about 2 s for each."""

AT_ONCE_BYTES: Final = 2 * 1024 * 1024

_PLANNERS: Final[dict[str, Callable[..., list[Planned]]]] = {
    CUSTOMERS.name: plan_customers,
    PRODUCTS.name: plan_products,
    STATEMENTS.name: plan_statements,
}
_CHANGES_KEPT: Final = 200


class ImportRefused(Exception):
    """Nothing was imported; the message says why and what to do."""


@dataclass(frozen=True)
class Preview:
    """What an upload would do. `key` is None when there is nothing to confirm."""

    plan: ImportPlan
    key: UUID | None
    file_name: str
    company: GoCompany | None


def preview(
    *, sheet: Sheet, file: IO[bytes], file_name: str, user: User, company: GoCompany | None, now: datetime
) -> Preview:
    """Read a small file and say what it would do. Keeps it for the confirmation.

    Raises TooMuch when it is not small, and other kinds of UnreadableFile.
    """
    if file.seek(0, 2) > AT_ONCE_BYTES:
        raise TooMuch("The file is large.")
    plan = _plan(sheet, file, user, company, lock=False)
    file_name = visible(file_name)[:200]
    if not plan.work:
        return Preview(plan, None, file_name, company)
    with transaction.atomic():
        upload = SpreadsheetUpload.objects.create(
            user=user,
            company=company,
            sheet=sheet.name,
            file_name=file_name,
            uploaded_at=now,
            state=UploadState.PREVIEWED,
            began_at=now,
        )
        upload.keep(file)
    return Preview(plan, upload.key, file_name, company)


def confirm(*, sheet: Sheet, key: UUID, digest: str, user: User, now: datetime) -> tuple[Preview, bool]:
    """Import what was confirmed; True when it was done, False when the preview would now say something else.

    Raises ImportRefused when the upload is gone: confirmed already, too old, or somebody else's.
    """
    try:
        with transaction.atomic():
            one_at_a_time(sheet)
            upload = SpreadsheetUpload.objects.filter(
                key=key,
                user=user,
                sheet=sheet.name,
                state=UploadState.PREVIEWED,
                uploaded_at__gte=now - KEPT_FOR,
            ).first()
            if upload is None:
                raise ImportRefused(
                    "This preview was confirmed already or is too old. Nothing was imported now; "
                    "choose the file again to see what is in."
                )
            with upload.file() as file:
                plan = _plan(sheet, file, user, upload.company, lock=True)
            seen = Preview(plan, upload.key, upload.file_name, upload.company)
            if plan.digest != digest:
                return seen, False
            carry_out(plan, seen.file_name, user, now)
            upload.delete()
            return seen, True
    except IntegrityError as error:
        raise ImportRefused(
            "Somebody else saved one of the same records at the same moment. Nothing was imported; "
            "choose the file again and look at the preview."
        ) from error
    except UnreadableFile as error:
        raise ImportRefused(f"{error} Nothing was imported.") from error


def one_at_a_time(sheet: Sheet) -> None:
    """Wait until nobody else imports into the same register, and keep others waiting until the transaction ends.

    Every import stands in this table before it writes, so all of them meet here. Without it, two people who confirm
    the same file at the same moment could make a customer twice that has no number of its own.
    """
    uploads = SpreadsheetUpload.objects.select_for_update().filter(sheet=sheet.name).order_by("pk")
    list(uploads.values_list("pk", flat=True))


def _plan(sheet: Sheet, file: IO[bytes], user: User, company: GoCompany | None, *, lock: bool) -> ImportPlan:
    known = headings(sheet)
    table = read_table(file, lambda word: heading_key(word) in known, AT_ONCE)
    return plan_table(sheet, table, companies_of(user, company), lock=lock)


def companies_of(user: User, company: GoCompany | None) -> Companies:
    """Where this person may import to. Raises ImportRefused when the company chosen is not theirs any more."""
    own = list(GoCompany.objects.of(user).order_by("pk"))
    if company is not None and company not in own:
        raise ImportRefused("You no longer see the company of this file. Nothing was imported.")
    return Companies(own, company)


def plan_table(sheet: Sheet, table: Table, companies: Companies, *, lock: bool) -> ImportPlan:
    """What importing these rows would do; `lock` holds the records until the transaction ends."""
    read = read_rows(table, sheet)
    return ImportPlan(sheet, _PLANNERS[sheet.name](read, companies, lock=lock), read.notes)


def carry_out(plan: ImportPlan, file_name: str, user: User, now: datetime) -> None:
    """Save what is new and changed, and write into the log book who did it and what it was before."""
    if plan.sheet is STATEMENTS:
        save_statements(plan.work)
    else:
        _save_records(Customer if plan.sheet is CUSTOMERS else Product, plan)
    AdminAction.objects.bulk_create(
        [log_entry(each, file_name, user, now) for each in plan.work], batch_size=SAVED_AT_ONCE
    )


def _save_records(model: type[Customer | Product], plan: ImportPlan) -> None:
    """Many in one question. A row's own rules were checked when it was planned; the database checks the others."""
    for each in plan.work:
        if isinstance(each.record, Customer):
            each.record.complete()
    made = [each for each in plan.work if each.outcome == Outcome.NEW]
    changed = [each for each in plan.work if each.outcome == Outcome.CHANGED]
    model._default_manager.bulk_create([each.record for each in made], batch_size=SAVED_AT_ONCE)
    fields = {field for each in changed for field in each.fields} | ({"search"} if model is Customer else set())
    save_changed(model, [each.record for each in changed], fields)


def log_entry(planned: Planned, file_name: str, user: User, now: datetime) -> AdminAction:
    record: Any = planned.record
    told = planned.changes[:_CHANGES_KEPT]
    after = {change.what: change.after for change in told}
    if len(planned.changes) > len(told):
        after["and more"] = f"{len(planned.changes) - len(told)} other values"
    return AdminAction(
        company_id=record.company_id,
        user=user,
        at=now,
        action="import",
        statement=record if isinstance(record, InvoiceStatement) else None,
        record=f"{record._meta.verbose_name} {record}"[:200],
        before={change.what: change.before for change in told} if planned.outcome == Outcome.CHANGED else {},
        after=after,
        reason=f"From the file {file_name}" if file_name else "From a file",
    )
