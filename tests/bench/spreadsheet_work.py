"""What the children of the spreadsheet benchmarks do, on a database of their own. Each gives a dict."""

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from integration.admin.resources import CsvForExcel, CustomerResource, ExcelWorkbook
from integration.decisions.spreadsheet_files import read_table
from integration.decisions.spreadsheet_sheets import CUSTOMERS, heading_key, headings
from integration.enums import UploadState
from integration.models import AdminAction, Customer, GoCompany, SpreadsheetUpload
from integration.use_cases.import_plan import Companies
from integration.use_cases.import_spreadsheet import log_entry, plan_table
from integration.use_cases.import_upload import begin, confirm_upload, digest_of, waiting_uploads, work_on


def somebody() -> tuple[User, GoCompany]:
    """A person who may do everything, and a company. Without a password: making its hash takes 100 MB."""
    user = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("bench@example.no")
    company = GoCompany.objects.first() or GoCompany.objects.create(name="Fjord og Fjell AS")
    return user, company


def one_by_one(path: str) -> dict[str, Any]:
    """As the admin's form saves, a row after the other: look up whom it means, all rules, save, log entry, committed.

    Reading the file and its cells is done for all rows at once, as in the import. `bare` leaves out look-up and rules,
    and commits once: what nobody would dare, for comparison.
    """
    user, company = somebody()
    known = headings(CUSTOMERS)
    seconds = {}
    for bare in (False, True):
        began = time.perf_counter()
        with Path(path).open("rb") as file:
            table = read_table(file, lambda word: heading_key(word) in known)
        plan = plan_table(CUSTOMERS, table, Companies([company], company), lock=False)
        with transaction.atomic() if bare else nullcontext():
            for planned in plan.work:
                with nullcontext() if bare else transaction.atomic():
                    if not bare:
                        Customer.objects.filter(company=company, number=planned.record.number).first()
                        planned.record.full_clean()
                    planned.record.save()
                    log_entry(planned, "file", user, timezone.now()).save()
        seconds[bare] = time.perf_counter() - began
        Customer.objects.all().delete()
    return {"seconds": seconds[False], "bare": seconds[True]}


def begin_upload(path: str) -> dict[str, Any]:
    """As when somebody uploads the file."""
    user, company = somebody()
    with Path(path).open("rb") as file:
        begin(sheet=CUSTOMERS, file=file, file_name="file", user=user, company=company, now=timezone.now())
    return {}


def work() -> dict[str, Any]:
    """As a worker does, until nothing is left; the person confirms in between."""
    seconds: dict[str, float] = {}
    while True:
        upload = SpreadsheetUpload.objects.get()
        if upload.state == UploadState.CHECKED:
            confirm_upload(upload=upload, digest=digest_of(upload), now=timezone.now())
        if upload.state in {UploadState.DONE, UploadState.STOPPED}:
            return {"state": upload.state, "message": upload.message, "seconds": seconds}
        began = time.perf_counter()
        for key in waiting_uploads(timezone.now()):
            while work_on(key, clock=timezone.now):  # as its own next message would
                pass
        seconds[upload.state] = seconds.get(upload.state, 0.0) + time.perf_counter() - began
        time.sleep(0.05)


def import_file(path: str) -> dict[str, Any]:
    """From upload to the last row."""
    began = time.perf_counter()
    begin_upload(path)
    worked = work()
    return {
        **worked,
        "seconds": time.perf_counter() - began,
        "each": worked["seconds"],
        "rows": Customer.objects.count(),
    }


def count() -> dict[str, Any]:
    """What is there."""
    customers = Customer.objects.all()
    return {
        "customers": customers.count(),
        "different": customers.values("number").distinct().count(),
        "log_entries": AdminAction.objects.count(),
    }


def fill(many: str) -> dict[str, Any]:
    """So many customers."""
    _, company = somebody()
    for start in range(0, int(many), 1000):
        Customer.objects.bulk_create(
            Customer(company=company, number=number, source_id=str(number), name=f"Fjellheim {number} AS", city="Oslo")
            for number in range(start + 1, start + 1001)
        )
    return {}


def export(path: str) -> dict[str, Any]:
    """All customers into a file, as the download sends them."""
    form = CsvForExcel() if path.endswith("csv") else ExcelWorkbook()
    resource = CustomerResource()
    began = time.perf_counter()
    response: Any = form.response(resource.rows(Customer.objects.all()), title=resource.name, file_name="file")
    with Path(path).open("wb") as out:
        out.writelines(response.streaming_content)
    response.close()
    return {"seconds": time.perf_counter() - began}


WORK = {each.__name__: each for each in (one_by_one, begin_upload, work, import_file, count, fill, export)}


def peak_mb() -> float:
    """The most memory that this process ever had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    answer: dict[str, Any] = WORK[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(json.dumps({**answer, "peak_mb": peak_mb()}) + "\n")
