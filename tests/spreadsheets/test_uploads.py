"""Large spreadsheets: read, checked and written in the background, a portion at a time.

What is large is made small here: three rows at once are too many, and a portion has two.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, connection, models
from django.test import Client

from integration import tasks
from integration.admin.uploads import LOOK_AGAIN
from integration.decisions import spreadsheet_files, spreadsheet_rows
from integration.decisions.sales_orders import statement_reference
from integration.decisions.spreadsheet_files import Limits, read_table
from integration.decisions.spreadsheet_sheets import SHEETS, heading_key, headings
from integration.enums import StatementSource, UploadState
from integration.models import (
    AdminAction,
    Customer,
    GoCompany,
    InvoiceStatement,
    Product,
    SpreadsheetUpload,
    StatementLine,
    UploadBlock,
)
from integration.use_cases import import_spreadsheet, import_upload
from tests import factories
from tests.spreadsheets.conftest import Bookkeeper, bookkeeper_of, csv_file, downloaded, xlsx_file

pytestmark = pytest.mark.django_db

SQLITE = connection.vendor == "sqlite"
CUSTOMERS = [
    ["Kundenr", "Kundeid", "Navn", "E-post", "Orgnr", "Betalingsfrist"],
    ["10", "M-10", "Ti AS", "ti@example.no", "988077917", "30"],
    ["11", "", "Elleve AS", "", "", ""],
    ["12", "M-12", "Tolv AS", "feil", "", ""],
    ["13", "M-13", "Tretten AS", "", "", "14"],
    ["14", "M-14", "Fjorten AS", "", "", ""],
    ["", "M-15", "Uten nummer", "", "", ""],
    ["16", "", "Seksten AS", "post@example.no", "", "0"],
]
PRODUCTS = [
    ["Varenr", "Navn", "Pris", "Mva"],
    ["HYTTE", "Hytte, per døgn", "1250,00", "12 %"],
    ["SENG", "Sengetøy", "150,50", ""],
    ["NY,1", "Feil kode", "1,00", ""],
    ["NY", "Ny vare", "-0,1250", "25 %"],
    ["UENDRET", "Uendret", "", ""],
]
STATEMENTS = [
    ["Ordrenr", "Kundenr", "Dato", "Varenr", "Tekst", "Antall", "Pris", "Krediterer", "Type"],
    ["F-1", "10", "01.02.2026", "HYTTE", "Hytte 4", "2", "100,00", "", ""],
    ["F-1", "", "", "SENG", "", "1", "", "", ""],
    ["F-1", "", "", "", "Takk!", "", "", "", ""],
    ["F-2", "10", "02.02.2026", "SENG", "", "3", "", "", ""],
    ["F-3", "99", "02.02.2026", "SENG", "", "3", "", "", ""],
    ["F-4", "10", "03.02.2026", "SENG", "", "-1", "", "GAMMEL", "kreditnota"],
    ["GAMMEL", "10", "05.02.2026", "SENG", "ny tekst", "1", "", "", ""],
]
FILES = {"customers": CUSTOMERS, "products": PRODUCTS, "statements": STATEMENTS}


def as_csv(rows: list[list[str]]) -> bytes:
    return csv_file(*[";".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_spreadsheet, "AT_ONCE", Limits(rows=2))
    monkeypatch.setattr(spreadsheet_rows, "PORTION", 2)


def fill(company: GoCompany) -> None:
    """What is there before."""
    customer = factories.customer(
        company, number=10, name="Ti", source_id="M-10", organisation_number="988077917", email="", address_line1=""
    )
    factories.customer(company, number=14, name="Fjorten AS", source_id="M-14", email="", address_line1="")
    factories.product(company, code="HYTTE", name="Hytte", price=Decimal(120), vat_rate=Decimal("0.12"))
    factories.product(company, code="SENG", name="Sengetøy", price=Decimal(20))
    seng = factories.product(company, code="UENDRET", name="Uendret")
    factories.statement(
        company,
        source=StatementSource.SPREADSHEET,
        source_id="GAMMEL",
        reference=statement_reference(StatementSource.SPREADSHEET, "GAMMEL"),
        customer=customer,
        lines=[{"product": seng, "quantity": 1}],
    )


@pytest.fixture(autouse=True)
def _register(bookkeeper: Bookkeeper) -> None:
    fill(bookkeeper.company)


class Clock:
    def __init__(self) -> None:
        self.now = factories.NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def begin(bookkeeper: Bookkeeper, sheet: str, content: bytes) -> SpreadsheetUpload:
    """Uploaded: the browser is sent to the page of the upload."""
    response = bookkeeper.upload(sheet, content)
    upload = SpreadsheetUpload.objects.exclude(state=UploadState.PREVIEWED).latest("uploaded_at")
    assert response.status_code == 302, response.context["form"].errors
    assert response.url == page_of(bookkeeper, upload)
    return upload


def page_of(bookkeeper: Bookkeeper, upload: SpreadsheetUpload, page: str = "") -> str:
    return bookkeeper.address(upload.sheet, f"import/{upload.pk}/{page}")


def work(upload: SpreadsheetUpload, clock: Clock | None = None) -> str:
    """Turns of work until nothing is left to do; the state then."""
    clock = clock or Clock()
    while import_upload.work_on(upload.pk, clock=clock):
        pass
    upload.refresh_from_db()
    return upload.state


def look(bookkeeper: Bookkeeper, upload: SpreadsheetUpload) -> dict[str, Any]:
    response: Any = bookkeeper.client.get(page_of(bookkeeper, upload))
    assert response.status_code == 200
    seen: dict[str, Any] = response.context
    return seen


def confirm(bookkeeper: Bookkeeper, upload: SpreadsheetUpload, digest: str | None = None) -> list[str]:
    digest = digest if digest is not None else look(bookkeeper, upload)["confirm"].initial["digest"]
    response: Any = bookkeeper.client.post(page_of(bookkeeper, upload, "confirm/"), {"digest": digest}, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def resume(bookkeeper: Bookkeeper, upload: SpreadsheetUpload) -> list[str]:
    response: Any = bookkeeper.client.post(page_of(bookkeeper, upload, "resume/"), follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def bring_in(bookkeeper: Bookkeeper, sheet: str, content: bytes) -> SpreadsheetUpload:
    """From upload to the last row."""
    upload = begin(bookkeeper, sheet, content)
    assert work(upload) == UploadState.CHECKED
    assert confirm(bookkeeper, upload) == []
    assert work(upload) == UploadState.DONE
    return upload


def counts(seen: dict[str, Any]) -> str:
    return " ".join(f"{many} {outcome}" for outcome, many in seen["counts"])


def rows_of(model: type[models.Model], company: GoCompany, *leave: str) -> list[dict[str, Any]]:
    """All rows of a company, without keys and stamps."""
    through = "statement__company" if model is StatementLine else "company"
    rows = model._default_manager.filter(**{through: company}).order_by("pk").values()
    return [
        {
            key: value
            for key, value in row.items()
            if not key.endswith(("_at", "_id", "id")) and key not in {"reference", *leave}
        }
        for row in rows
    ]


def everything(company: GoCompany) -> dict[str, Any]:
    """All that an import may change, in words that do not depend on keys. Ids that we made up are left out."""
    return {
        "customers": rows_of(Customer, company, "search"),
        "ids": sorted(
            Customer.objects.filter(company=company, number__in=[10, 13, 14]).values_list("source_id", flat=True)
        ),
        "products": rows_of(Product, company),
        "statements": rows_of(InvoiceStatement, company, "search"),
        "lines": rows_of(StatementLine, company),
        "links": list(
            InvoiceStatement.objects.filter(company=company)
            .order_by("source_id")
            .values_list("source_id", "customer__number", "credits__source_id", "lines__product__code")
            .order_by("source_id", "lines__line_number")
        ),
        "log": [
            (row.action, row.user_id is not None, row.record.split(" (")[0], row.before, row.after, row.reason)
            for row in AdminAction.objects.filter(company=company).order_by("record")
        ],
    }


# --- From upload to result ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
def test_a_large_file_is_checked_confirmed_and_written_in_the_background(bookkeeper: Bookkeeper):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    seen = look(bookkeeper, upload)
    assert (upload.state, seen["at_work"], seen["look_again"]) == (UploadState.READING, True, LOOK_AGAIN)
    assert Customer.objects.count() == 2

    assert work(upload) == UploadState.CHECKED
    seen = look(bookkeeper, upload)
    assert (counts(seen), seen["problem_rows"], seen["at_work"]) == ("4 new 1 changed 1 same 1 refused", "1", False)
    assert [(line.rows, line.column, line.read) for line in seen["problems"]] == [("4", "E-mail", "feil")]
    assert [(record["where"], record["name"], record["outcome"]) for record in seen["records"]] == [
        ("2", "10 Ti AS", "changed"),
        ("3", "11 Elleve AS", "new"),
        ("5", "13 Tretten AS", "new"),
        ("7", "Uten nummer", "new"),
        ("8", "16 Seksten AS", "new"),
    ]
    assert (Customer.objects.count(), AdminAction.objects.count()) == (2, 0)
    assert (
        "Import 4 new and 1 changed customers<" in bookkeeper.client.get(page_of(bookkeeper, upload)).content.decode()
    )

    assert confirm(bookkeeper, upload) == []
    upload.refresh_from_db()
    assert upload.state == UploadState.IMPORTING
    assert work(upload) == UploadState.DONE
    assert sorted(Customer.objects.values_list("name", flat=True)) == [
        "Elleve AS",
        "Fjorten AS",
        "Seksten AS",
        "Ti AS",
        "Tretten AS",
        "Uten nummer",
    ]
    page = bookkeeper.client.get(page_of(bookkeeper, upload)).content.decode()
    assert "Imported: 4 new and 1 changed customers." in page
    assert (
        AdminAction.objects.filter(user=bookkeeper.user, action="import", reason="From the file fil.csv").count() == 5
    )


@pytest.mark.parametrize("kind", [as_csv, lambda rows: xlsx_file(*rows)], ids=["csv", "xlsx"])
@pytest.mark.parametrize("sheet", FILES)
def test_in_portions_comes_out_what_comes_out_at_once(
    bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch, sheet: str, kind: Callable[[Any], bytes]
):
    at_once = bookkeeper_of([factories.go_company()])
    fill(at_once.company)
    content = kind(FILES[sheet])
    told = at_once.counts(sheet, content)
    at_once.bring_in(sheet, content)
    monkeypatch.setattr(import_spreadsheet, "AT_ONCE", Limits(rows=2))
    monkeypatch.setattr(spreadsheet_rows, "PORTION", 2)
    upload = bring_in(bookkeeper, sheet, content)
    assert upload.portions.count() > 1
    assert counts(look(bookkeeper, upload)) == told
    assert everything(bookkeeper.company) == everything(at_once.company)


@pytest.mark.parametrize("sheet", FILES)
def test_many_at_once_are_saved_as_one_by_one_with_all_rules(bookkeeper: Bookkeeper, sheet: str):
    """What the import saves in bulk is what `full_clean` and `save` of each record would have made of it."""
    one_by_one = bookkeeper_of([factories.go_company()])
    fill(one_by_one.company)
    bookkeeper.bring_in(sheet, as_csv(FILES[sheet]))
    companies = import_spreadsheet.companies_of(one_by_one.user, one_by_one.company)
    known = headings(SHEETS[sheet])
    table = read_table(io.BytesIO(as_csv(FILES[sheet])), lambda word: heading_key(word) in known)
    plan = import_spreadsheet.plan_table(SHEETS[sheet], table, companies, lock=False)
    for planned in plan.work:
        if sheet == "statements":
            planned.record.refresh_search()
        planned.record.full_clean()
        planned.record.save()
        if sheet == "statements":
            planned.record.lines.all().delete()
        for line in planned.lines:
            line.statement = planned.record
            line.full_clean()
            line.save()
        import_spreadsheet.log_entry(planned, "fil.csv", one_by_one.user, factories.NOW).save()
    assert everything(bookkeeper.company) == everything(one_by_one.company)
    for model in (Customer, Product, InvoiceStatement, StatementLine):
        for record in model._default_manager.all():
            record.full_clean()


@pytest.mark.usefixtures("small")
def test_the_same_file_twice_makes_nothing_twice(bookkeeper: Bookkeeper):
    content = as_csv(STATEMENTS)
    bring_in(bookkeeper, "statements", content)
    before = everything(bookkeeper.company)
    upload = begin(bookkeeper, "statements", content)
    assert work(upload) == UploadState.DONE
    assert counts(look(bookkeeper, upload)) == "0 new 0 changed 4 same 1 refused"
    assert everything(bookkeeper.company) == before


@pytest.mark.usefixtures("small")
def test_two_uploads_of_one_file_make_it_once(bookkeeper: Bookkeeper):
    uploads = []
    for _ in range(2):
        uploads.append(begin(bookkeeper, "customers", as_csv(CUSTOMERS)))
        assert work(uploads[-1]) == UploadState.CHECKED
    for upload in uploads:
        confirm(bookkeeper, upload)
    states = [work(upload) for upload in uploads]
    assert states == [UploadState.DONE, UploadState.DONE]
    assert Customer.objects.count() == 6
    assert AdminAction.objects.count() == 5
    assert counts(look(bookkeeper, uploads[1])) == "0 new 0 changed 6 same 1 refused"


# --- Between the check and the writing ------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
def test_what_is_not_as_it_was_confirmed_is_not_written_but_asked_again(bookkeeper: Bookkeeper):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    assert work(upload) == UploadState.CHECKED
    confirm(bookkeeper, upload)
    factories.customer(bookkeeper.company, number=13, name="Noen andre")
    assert work(upload) == UploadState.CHECKED
    assert not Customer.objects.filter(name="Tretten AS").exists()
    seen = look(bookkeeper, upload)
    assert upload.message == import_upload.CHANGED_MEANWHILE
    assert (seen["written"], seen["left"]) == ("3 new and 1 changed", "1 changed")
    confirm(bookkeeper, upload)
    assert work(upload) == UploadState.DONE
    assert Customer.objects.get(number=13).name == "Tretten AS"
    assert AdminAction.objects.count() == 5


@pytest.mark.usefixtures("small")
def test_a_record_that_somebody_saves_at_the_same_moment_is_checked_again(
    bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    work(upload)
    confirm(bookkeeper, upload)
    carry_out = import_spreadsheet.carry_out

    def too_late(*args: Any) -> None:
        monkeypatch.setattr(import_upload, "carry_out", carry_out)
        raise IntegrityError

    # Only another connection between our look and our write can do this: the edge is played.
    monkeypatch.setattr(import_upload, "carry_out", too_late)
    assert work(upload) == UploadState.CHECKED
    confirm(bookkeeper, upload)
    assert work(upload) == UploadState.DONE
    assert Customer.objects.count() == 6


@pytest.mark.usefixtures("small")
def test_it_is_confirmed_once_and_as_it_was_shown(bookkeeper: Bookkeeper):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    assert confirm(bookkeeper, upload, "x") == ["Nothing more was imported. This was confirmed or stopped already."]
    work(upload)
    assert confirm(bookkeeper, upload, "x") == [
        "Nothing more was imported. Something changed since you looked. This is how it stands now."
    ]
    digest = look(bookkeeper, upload)["confirm"].initial["digest"]
    assert confirm(bookkeeper, upload, digest) == []
    assert confirm(bookkeeper, upload, digest) == ["Nothing more was imported. This was confirmed or stopped already."]
    assert bookkeeper.client.get(page_of(bookkeeper, upload, "confirm/")).status_code == 302


# --- Rows that stand apart ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("sheet", "rows", "problem"),
    [
        (
            "customers",
            [*CUSTOMERS[:2], ["20", "", "A", "", "", ""], ["21", "", "B", "", "", ""], ["", "M-10", "Ti", "", "", ""]],
            ("5", "Name", "is the customer of row 2 again: keep one of the two rows"),
        ),
        (
            "products",
            [PRODUCTS[0], ["A", "A", "", ""], ["B", "B", "", ""], ["C", "C", "", ""], ["A", "Igjen", "", ""]],
            ("5", "Product code", "is the product of row 2 again: keep one of the two rows"),
        ),
        (
            "statements",
            [*STATEMENTS[:6], STATEMENTS[1]],
            ("7", "Statement id", "is the statement of row 2 again: its rows stand together. Sort the file by it"),
        ),
    ],
    ids=FILES,
)
def test_the_same_twice_in_a_file_is_refused_however_far_apart(
    bookkeeper: Bookkeeper, sheet: str, rows: list[list[str]], problem: tuple[str, str, str]
):
    upload = begin(bookkeeper, sheet, as_csv(rows))
    work(upload)
    assert problem in [(line.rows, line.column, line.message) for line in look(bookkeeper, upload)["problems"]]


@pytest.mark.usefixtures("small")
def test_every_problem_of_every_row_can_be_downloaded(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("integration.admin.uploads.SHOWN", 3)
    rows = [CUSTOMERS[0], *[[str(number), "", "", "feil", "", ""] for number in range(100, 105)]]
    upload = begin(bookkeeper, "customers", as_csv(rows))
    assert work(upload) == UploadState.DONE
    seen = look(bookkeeper, upload)
    assert (len(seen["problems"]), seen["more_problems"], seen["problem_rows"]) == (2, True, "5")
    response = bookkeeper.client.get(page_of(bookkeeper, upload, "problems.csv"))
    told = list(csv.reader(io.StringIO(downloaded(response).decode("utf-8-sig")), delimiter=";"))
    assert told[0] == ["Row", "Which", "Column", "Stood there", "What is wrong"]
    assert [(row[0], row[2], row[3]) for row in told[1:]] == [
        said for row in range(2, 7) for said in ((str(row), "E-mail", "feil"), (str(row), "Name", ""))
    ]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (as_csv(CUSTOMERS) + b'\r\n17;"uten slutt\r\n', "Row 9 cannot be read: "),
        (csv_file("hei;hopp", "1;2", "3;4", "5;6"), "No headings for customers were found; "),
    ],
)
def test_a_file_that_cannot_be_read_ends_with_one_sentence(bookkeeper: Bookkeeper, content: bytes, sentence: str):
    upload = begin(bookkeeper, "customers", content)
    assert work(upload) == UploadState.STOPPED
    assert upload.message.startswith(sentence)
    assert upload.message in look(bookkeeper, upload)["upload"].message
    assert Customer.objects.count() == 2


# --- Workers that die, meet, or are stopped -------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(query: int) -> Iterator[None]:
    """From this query on, nothing reaches the database any more; what is open is rolled back."""
    asked = 0

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal asked
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            asked += 1
            if asked >= query:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("small")
def test_a_worker_killed_at_any_moment_is_followed_by_one_that_goes_on(bookkeeper: Bookkeeper):
    whole = bookkeeper_of([factories.go_company()])
    fill(whole.company)
    content = as_csv(STATEMENTS)
    bring_in(whole, "statements", content)
    clock = Clock()
    upload = begin(bookkeeper, "statements", content)
    survived, query = 0, 1
    while upload.state != UploadState.DONE:
        if upload.state == UploadState.CHECKED:
            confirm(bookkeeper, upload)
        before = (import_upload.standing(upload), upload.portions.count())
        with killed_at(query):
            try:
                import_upload.work_on(upload.pk, clock=clock)
            except Killed:
                survived += 1
        # Step by step further; where the work goes on, the moments begin anew.
        upload.refresh_from_db()
        query = 1 if (import_upload.standing(upload), upload.portions.count()) != before else query + 1
        clock.now += timedelta(minutes=2)
        assert import_upload.waiting_uploads(factories.NOW + timedelta(minutes=2)) in ([upload.pk], [])
    assert survived > 50
    assert everything(bookkeeper.company) == everything(whole.company)


@pytest.mark.usefixtures("small")
def test_one_worker_at_a_time(bookkeeper: Bookkeeper, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    plan_table = import_spreadsheet.plan_table
    turns: list[bool] = []

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        turns.append(import_upload.work_on(upload.pk, clock=clock))
        return plan_table(*args, **kwargs)

    monkeypatch.setattr(import_upload, "plan_table", meanwhile)
    assert work(upload, clock) == UploadState.CHECKED
    assert turns == [False] * upload.portions.count()


@pytest.mark.usefixtures("small")
def test_a_worker_that_lost_its_lease_commits_nothing(
    bookkeeper: Bookkeeper, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    work(upload, clock)
    confirm(bookkeeper, upload)
    portions = spreadsheet_files.unpacked

    def slow(content: bytes) -> Any:
        """It takes so long that another worker comes."""
        monkeypatch.setattr(import_upload, "unpacked", portions)
        clock.now += timedelta(minutes=5)
        other = SpreadsheetUpload.objects.filter(pk=upload.pk)
        other.update(holder="another", lease_until=clock.now + timedelta(minutes=1))
        return portions(content)

    monkeypatch.setattr(import_upload, "unpacked", slow)
    assert work(upload, clock) == UploadState.IMPORTING
    assert (Customer.objects.count(), upload.holder) == (2, "another")
    clock.now += timedelta(minutes=2)
    assert work(upload, clock) == UploadState.DONE
    assert Customer.objects.count() == 6


@pytest.mark.usefixtures("small")
def test_a_person_stops_it_and_what_was_imported_stays(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    work(upload)
    confirm(bookkeeper, upload)
    carry_out = import_spreadsheet.carry_out

    def then_stop(*args: Any) -> None:
        carry_out(*args)
        monkeypatch.setattr(import_upload, "unpacked", stop)

    def stop(content: bytes) -> Any:
        monkeypatch.undo()
        bookkeeper.client.post(page_of(bookkeeper, upload, "stop/"))
        return unpacked(content)

    unpacked = spreadsheet_files.unpacked
    monkeypatch.setattr(import_upload, "carry_out", then_stop)
    assert work(upload) == UploadState.STOPPED
    assert set(Customer.objects.values_list("number", flat=True)) == {10, 11, 14}
    seen = look(bookkeeper, upload)
    assert (seen["written"], seen["at_work"], seen["confirm"]) == ("1 new and 1 changed", False, None)
    assert import_upload.waiting_uploads(factories.NOW) == []
    response: Any = bookkeeper.client.post(page_of(bookkeeper, upload, "stop/"), follow=True)
    assert [str(message) for message in response.context["messages"]] == ["It had ended already."]


@pytest.mark.usefixtures("small")
def test_what_a_person_stopped_goes_on_and_is_confirmed_anew(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    bookkeeper.client.post(page_of(bookkeeper, upload, "stop/"))
    assert resume(bookkeeper, upload) == []
    assert work(upload) == UploadState.CHECKED
    carry_out = import_spreadsheet.carry_out

    def then_stop(*args: Any) -> None:
        monkeypatch.undo()
        carry_out(*args)
        bookkeeper.client.post(page_of(bookkeeper, upload, "stop/"))

    confirm(bookkeeper, upload)
    monkeypatch.setattr(import_upload, "carry_out", then_stop)
    assert work(upload) == UploadState.STOPPED
    assert look(bookkeeper, upload)["can_resume"] is True
    numbers = set(Customer.objects.values_list("number", flat=True))
    assert resume(bookkeeper, upload) == []
    assert work(upload) == UploadState.CHECKED
    assert set(Customer.objects.values_list("number", flat=True)) == numbers
    seen = look(bookkeeper, upload)
    assert {record["name"] for record in seen["records"]}.isdisjoint({"10 Ti AS", "11 Elleve AS"})
    assert confirm(bookkeeper, upload) == []
    assert work(upload) == UploadState.DONE
    assert set(Customer.objects.values_list("number", flat=True)) == {10, 11, 13, 14, 16, None}


@pytest.mark.usefixtures("small")
def test_only_what_a_person_stopped_goes_on_and_only_by_a_button(
    bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
):
    refused = ["It goes on already, or has ended."]
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    assert resume(bookkeeper, upload) == refused
    bookkeeper.client.post(page_of(bookkeeper, upload, "stop/"))
    bookkeeper.client.get(page_of(bookkeeper, upload, "resume/"))
    upload.refresh_from_db()
    assert upload.state == UploadState.STOPPED
    monkeypatch.setattr(import_upload, "MOST_AT_WORK", 0)
    assert resume(bookkeeper, upload) == ["0 of your files are being worked on. Wait until one of them is done."]
    SpreadsheetUpload.objects.update(message="The file is broken.")
    monkeypatch.undo()
    assert resume(bookkeeper, upload) == refused
    assert look(bookkeeper, upload)["can_resume"] is False


@pytest.mark.usefixtures("small")
def test_a_turn_ends_so_that_others_have_theirs(bookkeeper: Bookkeeper, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    unpacked = spreadsheet_files.unpacked

    def slow(content: bytes) -> Any:
        clock.now += timedelta(seconds=15)
        return unpacked(content)

    monkeypatch.setattr(import_upload, "unpacked", slow)
    assert import_upload.work_on(upload.pk, clock=clock) is True
    stands = import_upload.standing(upload)
    assert (stands.rows_checked, stands.rows) == (4, 7)
    seen = look(bookkeeper, upload)["progress"]
    assert (seen["done"], seen["left"], seen["ready_at"] is not None) == ("4", "3", True)
    assert import_upload.waiting_uploads(clock.now) == []  # its own message is on the way
    assert import_upload.waiting_uploads(clock.now + timedelta(seconds=61)) == [upload.pk]
    assert work(upload, clock) == UploadState.CHECKED


@pytest.mark.usefixtures("small")
def test_our_own_fault_ends_it_with_a_sentence(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))

    def broken(*_: Any, **__: Any) -> None:
        raise KeyError

    with monkeypatch.context() as patched:
        patched.setattr(import_upload, "plan_table", broken)
        assert work(upload) == UploadState.STOPPED
    assert upload.message == import_upload.OWN_FAULT.format("KeyError")


@pytest.mark.usefixtures("small")
def test_a_database_that_is_away_ends_nothing(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))

    def away(*_: Any, **__: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(import_upload, "plan_table", away)
        with pytest.raises(DatabaseError):
            work(upload)
    assert work(upload) == UploadState.CHECKED


@pytest.mark.usefixtures("small")
def test_the_sweep_picks_up_what_was_missed_and_deletes_what_is_old(
    bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    rung: list[dict[str, str]] = []
    monkeypatch.setattr(tasks.work_on_upload, "delay", lambda **message: rung.append(message))
    tasks.sweep()
    assert rung == [{"key": str(upload.pk)}]
    tasks.work_on_upload(key=str(upload.pk))
    upload.refresh_from_db()
    assert (upload.state, rung) == (UploadState.CHECKED, [{"key": str(upload.pk)}])
    at_work = factories.upload(user=bookkeeper.user, uploaded_at=factories.NOW - timedelta(days=2))
    late = upload.uploaded_at + timedelta(days=1, seconds=1)
    assert import_upload.waiting_uploads(late) == [at_work.pk]
    assert list(SpreadsheetUpload.objects.all()) == [at_work]
    assert UploadBlock.objects.count() == 0


def test_a_message_with_more_to_do_rings_again(monkeypatch: pytest.MonkeyPatch):
    rung: list[dict[str, str]] = []
    monkeypatch.setattr(tasks.work_on_upload, "delay", lambda **message: rung.append(message))
    monkeypatch.setattr(import_upload, "work_on", lambda key, **_: True)
    upload = factories.upload()
    tasks.work_on_upload(key=str(upload.pk))
    assert rung == [{"key": str(upload.pk)}]


@pytest.mark.usefixtures("small")
def test_a_person_has_a_few_files_at_work(bookkeeper: Bookkeeper):
    for _ in range(import_upload.MOST_AT_WORK):
        begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    assert bookkeeper.refusal("customers", as_csv(CUSTOMERS)) == (
        "5 of your files are being worked on. Wait until one of them is done."
    )
    response: Any = bookkeeper.client.get(bookkeeper.address("customers", "import/"))
    assert len(response.context["uploads"]) == 5


# --- The wall -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
def test_an_upload_is_its_persons_own(bookkeeper: Bookkeeper):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    work(upload)
    pages = [("get", ""), ("get", "problems.csv"), ("post", "confirm/"), ("post", "stop/"), ("post", "resume/")]

    def answers(client: Client) -> set[int]:
        return {getattr(client, how)(page_of(bookkeeper, upload, page)).status_code for how, page in pages}

    assert answers(bookkeeper_of([bookkeeper.company]).client) == {404}
    assert answers(bookkeeper_of([bookkeeper.company], role="Reader").client) == {403}
    assert answers(Client()) == {302}
    assert bookkeeper.client.get(bookkeeper.address("products", f"import/{upload.pk}/")).status_code == 404
    bookkeeper.company.members.remove(bookkeeper.user)
    assert answers(bookkeeper.client) == {404}
    upload.refresh_from_db()
    assert upload.state == UploadState.CHECKED


@pytest.mark.usefixtures("small")
def test_whoever_lost_the_right_imports_nothing_more(bookkeeper: Bookkeeper):
    upload = begin(bookkeeper, "customers", as_csv(CUSTOMERS))
    work(upload)
    confirm(bookkeeper, upload)
    bookkeeper.user.groups.set([Group.objects.get(name="Reader")])
    assert work(upload) == UploadState.STOPPED
    assert (upload.message, Customer.objects.count()) == (import_upload.NO_LONGER_ALLOWED, 2)


@pytest.mark.usefixtures("small")
def test_records_of_a_company_that_a_person_left_are_not_shown(bookkeeper: Bookkeeper):
    other = factories.go_company(name="Nabo AS")
    other.members.add(bookkeeper.user)
    rows = csv_file("Selskap;Kundenr;Navn", *[f"Nabo AS;{number};N{number}" for number in (1, 2, 3)])
    response = bookkeeper.upload("customers", rows, company="")
    assert response.status_code == 302
    upload = SpreadsheetUpload.objects.get()
    work(upload)
    assert len(look(bookkeeper, upload)["records"]) == 3
    other.members.remove(bookkeeper.user)
    assert look(bookkeeper, upload)["records"] == []
    confirm(bookkeeper, upload)
    work(upload)
    assert Customer.objects.filter(company=other).count() == 0


# --- Cost -----------------------------------------------------------------------------------------------------------


def test_a_portion_takes_few_queries(bookkeeper: Bookkeeper, django_assert_max_num_queries: Any):
    """500 new customers: five look-ups, what marks the work, and INSERTs of as many rows as SQLite takes in one."""
    rows = [CUSTOMERS[0], *[[str(n), f"K-{n}", f"Kunde {n}", "", "", ""] for n in range(1000, 6001)]]
    upload = begin(bookkeeper, "customers", as_csv(rows))
    worker = import_upload.Worker(upload, "", Clock())
    worker.admit()
    worker.step()
    with django_assert_max_num_queries(25):
        worker.step()
    SpreadsheetUpload.objects.update(state=UploadState.IMPORTING)
    upload.refresh_from_db()
    with django_assert_max_num_queries(60):
        worker.step()
    assert Customer.objects.filter(number__gte=1000).count() == 500


@pytest.mark.parametrize("sheet", FILES)
def test_look_ups_use_an_index_on_what_they_look_for(bookkeeper: Bookkeeper, sheet: str):
    """Without it, each portion of a large file would walk over all records of the company."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        tables = "|".join(f'FROM "{model._meta.db_table}"' for model in (Customer, Product, InvoiceStatement))
        if re.search(tables, sql) and len(re.findall(" IN ", sql)) > 1:
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        bookkeeper.preview(sheet, as_csv(FILES[sheet]))
    assert len(asked) == {"customers": 4, "products": 1, "statements": 3}[sheet]
    of_use = "AND (number|name|organisation_number|source=.* AND source_id|code)=" if SQLITE else "_once|customer_"
    for sql, params in asked:
        plan = plan_of(sql, params)
        assert re.search(of_use, plan), (sql, plan)


def plan_of(sql: str, params: Any) -> str:
    """How the database carries it out; on PostgreSQL if the table were too large to be read whole."""
    with connection.cursor() as cursor:
        if not SQLITE:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if SQLITE else ''}{sql}", params)
        return " ".join(str(line) for line in cursor.fetchall())
