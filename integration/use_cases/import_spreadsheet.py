"""A spreadsheet comes in: first a preview that saves nothing, then, confirmed, all of it in one transaction.

What a person confirms is what the preview said. At the confirmation the plan is made again, with the records locked;
if it would say anything else now, nothing is imported and the new preview is shown. Rows and statements with problems
are left out, each as a whole; the same file can be imported again when they are mended: what is in already is "same".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from integration.decisions.spreadsheet_cells import visible
from integration.decisions.spreadsheet_files import MAX_BYTES, UnreadableFile, read_table
from integration.decisions.spreadsheet_rows import ReadSheet, read_rows
from integration.decisions.spreadsheet_sheets import CUSTOMERS, PRODUCTS, STATEMENTS, Sheet, heading_key, headings
from integration.models import AdminAction, GoCompany, InvoiceStatement, SpreadsheetUpload
from integration.use_cases.import_customers import plan_customers
from integration.use_cases.import_plan import Companies, ImportPlan, Outcome, Planned
from integration.use_cases.import_products import plan_products
from integration.use_cases.import_statements import plan_statements, save_statements

KEPT_FOR: Final = timedelta(days=1)
"""How long an upload waits for its confirmation."""

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
    *, sheet: Sheet, content: bytes, file_name: str, user: User, company: GoCompany | None, now: datetime
) -> Preview:
    """Read a file and say what it would do. Keeps it for the confirmation; raises UnreadableFile."""
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it and try again.")
    plan = _plan(sheet, content, user, company, lock=False)
    file_name = visible(file_name)[:200]
    SpreadsheetUpload.objects.filter(uploaded_at__lt=now - KEPT_FOR).delete()
    if not plan.has_work:
        return Preview(plan, None, file_name, company)
    upload = SpreadsheetUpload.objects.create(
        user=user, company=company, sheet=sheet.name, file_name=file_name, content=content, uploaded_at=now
    )
    return Preview(plan, upload.key, file_name, company)


def confirm(*, sheet: Sheet, key: UUID, digest: str, user: User, now: datetime) -> tuple[Preview, bool]:
    """Import what was confirmed; True when it was done, False when the preview would now say something else.

    Raises ImportRefused when the upload is gone: confirmed already, too old, or somebody else's.
    """
    try:
        with transaction.atomic():
            upload = (
                SpreadsheetUpload.objects.select_for_update()
                .filter(key=key, user=user, sheet=sheet.name, uploaded_at__gte=now - KEPT_FOR)
                .first()
            )
            if upload is None:
                raise ImportRefused(
                    "This preview was confirmed already or is too old. Nothing was imported now; "
                    "choose the file again to see what is in."
                )
            plan = _plan(sheet, bytes(upload.content), user, upload.company, lock=True)
            seen = Preview(plan, upload.key, upload.file_name, upload.company)
            if plan.digest != digest:
                return seen, False
            _carry_out(plan, seen.file_name, user, now)
            upload.delete()
            return seen, True
    except IntegrityError as error:
        raise ImportRefused(
            "Somebody else saved one of the same records at the same moment. Nothing was imported; "
            "choose the file again and look at the preview."
        ) from error
    except UnreadableFile as error:
        raise ImportRefused(f"{error} Nothing was imported.") from error


def _plan(sheet: Sheet, content: bytes, user: User, company: GoCompany | None, *, lock: bool) -> ImportPlan:
    own = list(GoCompany.objects.of(user).order_by("pk"))
    if company is not None and company not in own:
        raise ImportRefused("You no longer see the company of this file. Nothing was imported.")
    known = headings(sheet)
    table = read_table(content, lambda word: heading_key(word) in known)
    read: ReadSheet = read_rows(table, sheet)
    records = _PLANNERS[sheet.name](read, Companies(own, company), lock=lock)
    return ImportPlan(sheet, records, read.notes)


def _carry_out(plan: ImportPlan, file_name: str, user: User, now: datetime) -> None:
    """Save what is new and changed, and write into the log book who did it and what it was before."""
    work = [each for each in plan.records if each.outcome in {Outcome.NEW, Outcome.CHANGED}]
    if plan.sheet is STATEMENTS:
        save_statements(work)
    else:
        for each in work:
            derived = ("search",) if hasattr(each.record, "search") else ()
            if each.outcome == Outcome.NEW:
                each.record.save()
            else:
                each.record.save(update_fields=(*each.fields, *derived, "updated_at"))
    AdminAction.objects.bulk_create([_log_entry(each, file_name, user, now) for each in work], batch_size=200)


def _log_entry(planned: Planned, file_name: str, user: User, now: datetime) -> AdminAction:
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
