"""Statements from a file to the database, through the pages."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.utils import timezone

from integration.decisions.sales_orders import statement_reference
from integration.decisions.transitions import BEYOND_PUSH
from integration.enums import StatementKind, StatementSource, StatementStatus
from integration.models import (
    AdminAction,
    Customer,
    InvoiceStatement,
    Product,
    SpreadsheetUpload,
    StatementLine,
    UploadBlock,
)
from integration.use_cases import import_spreadsheet, import_upload
from tests import factories
from tests.spreadsheets.conftest import Bookkeeper, bookkeeper_of, csv_file, xlsx_file

pytestmark = pytest.mark.django_db

HEADINGS = "Ordrenr;Kundenr;Dato;Deres ref;Sum;Varenr;Tekst;Antall;Pris;Rabatt %;Mva"
ONE = ("F-1;10;01.02.2026;Kari;262,50;HYTTE;Hytte 4;2;100,00;;25 %", "F-1;;;;;SENG;;1;;50 %;", "F-1;;;;;;Takk!;;;;")


@pytest.fixture(autouse=True)
def _register(bookkeeper: Bookkeeper) -> None:
    factories.customer(bookkeeper.company, number=10, name="Ti AS", source_id="M-10", organisation_number="988077917")
    factories.customer(bookkeeper.company, number=11, name="Elleve AS")
    factories.product(bookkeeper.company, code="HYTTE", name="Hytte", price=Decimal(120), vat_rate=Decimal("0.12"))
    factories.product(bookkeeper.company, code="SENG", name="Sengetøy", price=Decimal(20))
    factories.product(bookkeeper.company, code="GRATIS", name="Uten pris", price=None)


def file(*rows: str) -> bytes:
    return csv_file(HEADINGS, *rows)


def whole_state() -> list[Any]:
    """Every statement with every line."""
    return [
        {
            **InvoiceStatement.objects.filter(pk=pk).values().get(),
            "updated_at": None,
            "lines": list(StatementLine.objects.filter(statement=pk).order_by("line_number").values()),
        }
        for pk in InvoiceStatement.objects.order_by("pk").values_list("pk", flat=True)
    ]


def test_a_statement_with_lines_comes_in(bookkeeper: Bookkeeper):
    messages = bookkeeper.bring_in("statements", file(*ONE))
    assert messages == ["fil.csv: 1 new, 0 changed, 0 same, 0 refused."]
    statement = InvoiceStatement.objects.get()
    assert (
        statement.company,
        statement.source,
        statement.source_id,
        statement.reference,
        statement.status,
        statement.kind,
        statement.customer and statement.customer.number,
        statement.statement_date,
        statement.customer_reference,
        statement.currency,
        statement.stated_total,
        statement.net,
        statement.vat,
        statement.total,
    ) == (
        bookkeeper.company,
        StatementSource.SPREADSHEET,
        "F-1",
        statement_reference("SPREADSHEET", "F-1"),
        StatementStatus.UPCOMING,
        StatementKind.INVOICE,
        10,
        date(2026, 2, 1),
        "Kari",
        "NOK",
        Decimal("262.50"),
        Decimal(210),
        Decimal("52.50"),
        Decimal("262.50"),
    )
    assert "ti as" in statement.search
    assert [
        (
            line.line_number,
            line.kind,
            line.product and line.product.code,
            line.description,
            line.quantity,
            line.unit_price,
            line.discount_percent,
            line.vat_rate,
        )
        for line in statement.lines.order_by("line_number")
    ] == [
        (1, "PRODUCT", "HYTTE", "Hytte 4", Decimal(2), Decimal(100), Decimal(0), Decimal("0.25")),
        (2, "PRODUCT", "SENG", "Sengetøy", Decimal(1), Decimal(20), Decimal(50), Decimal("0.25")),
        (3, "TEXT", None, "Takk!", None, None, Decimal(0), Decimal(0)),
    ]


def test_the_same_file_twice_makes_nothing_twice(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("statements", file(*ONE))
    before = whole_state()
    seen = bookkeeper.preview("statements", file(*ONE))
    assert (seen["confirm"], seen["counts"]) == (
        None,
        [("new", "0"), ("changed", "0"), ("same", "1"), ("refused", "0")],
    )
    assert whole_state() == before
    assert SpreadsheetUpload.objects.count() == 0


def test_the_same_statements_are_the_same_however_they_were_saved(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("statements", file(*ONE))
    rows = [row.split(";") for row in (HEADINGS, *ONE)]
    commas = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode("utf-16")
    excel = xlsx_file(
        rows[0],
        ["F-1", 10, date(2026, 2, 1), "Kari", 262.5, "HYTTE", "Hytte 4", 2, 100, None, 0.25],
        ["F-1", 10, 46054, "Kari", 262.5, "SENG", None, 1, 20, 50, 25],
        ["F-1", None, None, None, None, None, "Takk!"],
    )
    for content in (commas, excel, file(*ONE).replace(b";", b"\t"), b"\xef\xbb\xbf" + file(*ONE)):
        assert bookkeeper.counts("statements", content) == "0 new 0 changed 1 same 0 refused"


# --- Changes ------------------------------------------------------------------------------------------------------

CHANGED = ("F-1;11;01.02.2026;Kari;;HYTTE;Hytte 4;3;100,00;;25 %", "F-1;;;;;;Takk!;;;;")


@pytest.mark.parametrize("status", [StatementStatus.UPCOMING, StatementStatus.PROCESSING, StatementStatus.NEEDS_FIX])
def test_a_changed_statement_is_brought_up_to_date_as_a_whole(bookkeeper: Bookkeeper, status: StatementStatus):
    bookkeeper.bring_in("statements", file(*ONE))
    InvoiceStatement.objects.update(status=status)
    seen = bookkeeper.preview("statements", file(*CHANGED))
    assert [row["changes"] for row in seen["records"]] == [
        [
            "Customer: 10 Ti AS → 11 Elleve AS",
            "Total: 262,50 → empty",
            "Line 1, quantity: 2 → 3",
            "Line 2, product: SENG → text",
            "Line 2, description: Sengetøy → Takk!",
            "Line 2, quantity: 1 → empty",
            "Line 2, unit price excl. VAT: 20,00 → empty",
            "Line 2, discount %: 50 → 0",
        ]
    ]
    assert seen["records"][0]["more"] == "2"
    assert bookkeeper.confirm("statements", seen) == ["fil.csv: 0 new, 1 changed, 0 same, 0 refused."]
    statement = InvoiceStatement.objects.get()
    assert (statement.status, statement.total, statement.lines.count()) == (status, Decimal(375), 2)
    assert bookkeeper.counts("statements", file(*CHANGED)) == "0 new 0 changed 1 same 0 refused"


@pytest.mark.parametrize(
    "status", [StatementStatus.PUSHING, StatementStatus.IN_DOUBT, StatementStatus.VOID, *sorted(BEYOND_PUSH)]
)
def test_a_statement_beyond_editing_is_refused_with_what_differs(bookkeeper: Bookkeeper, status: StatementStatus):
    bookkeeper.bring_in("statements", file(*ONE))
    InvoiceStatement.objects.update(status=status, go_order_id="x" if status in BEYOND_PUSH else "")
    before = whole_state()
    assert bookkeeper.counts("statements", file(*ONE)) == "0 new 0 changed 1 same 0 refused"
    seen = bookkeeper.preview("statements", file("F-1;10;01.02.2026;;;HYTTE;Hytte 4;3;100,00;;25 %"))
    assert seen["confirm"] is None
    assert [(line.rows, line.column, line.read, line.message) for line in seen["problems"]] == [
        (
            "2",
            "Statement id",
            "F-1",
            (
                f"is already “{StatementStatus(status).label}” and stays as it is. The file differs: "
                "Total: 262,50 → empty; Line 1, quantity: 2 → 3; "
                "Line 2: SENG, Sengetøy, quantity 1, unit price excl. VAT 20,00, discount % 50, "
                "VAT rate 25 % → empty; Line 3: text, Takk! → empty. "
                "Credit it, or give the new version an id of its own"
            ),
        )
    ]
    assert whole_state() == before


def test_what_the_file_leaves_empty_does_not_follow_the_product(bookkeeper: Bookkeeper):
    row = "F-2;10;01.02.2026;;;SENG;;1;;;"
    bookkeeper.bring_in("statements", file(row))
    Product.objects.filter(code="SENG").update(price=999, name="Nytt navn", vat_rate=0)
    assert bookkeeper.counts("statements", file(row)) == "0 new 0 changed 1 same 0 refused"


def test_nothing_is_imported_when_the_situation_changed_since_the_preview(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("statements", file(*ONE))
    seen = bookkeeper.preview("statements", file(*CHANGED, "F-2;10;01.02.2026;;;SENG;;1;;;"))
    InvoiceStatement.objects.update(status=StatementStatus.PUSHING)
    before = whole_state()
    response: Any = bookkeeper.client.post(bookkeeper.address("statements", "process_import/"), seen["confirm"].initial)
    assert [str(message) for message in response.context["messages"]] == [
        "Nothing was imported: something changed since the preview. This is how it stands now."
    ]
    assert whole_state() == before
    now = response.context["preview"]
    assert now["counts"] == [("new", "1"), ("changed", "0"), ("same", "0"), ("refused", "1")]
    assert bookkeeper.confirm("statements", now) == ["fil.csv: 1 new, 0 changed, 0 same, 1 refused."]


def test_a_preview_is_confirmed_once_by_its_own_person_within_a_day(bookkeeper: Bookkeeper):
    gone = "This preview was confirmed already or is too old. Nothing was imported now; "
    gone += "choose the file again to see what is in."
    colleague = bookkeeper_of([bookkeeper.company])
    with time_machine.travel(factories.NOW, tick=False):
        seen = bookkeeper.preview("statements", file(*ONE))
        assert colleague.confirm("statements", seen) == [gone]
        assert bookkeeper.confirm("customers", seen) == [gone]
    bookkeeper.client.force_login(bookkeeper.user)
    with time_machine.travel(factories.NOW + timedelta(days=1, seconds=1), tick=False):
        bookkeeper.client.force_login(bookkeeper.user)
        assert bookkeeper.confirm("statements", seen) == [gone]
        assert InvoiceStatement.objects.count() == 0
        import_upload.waiting_uploads(timezone.now())
        assert SpreadsheetUpload.objects.count() == 0  # yesterday's is gone
        seen = bookkeeper.preview("statements", file(*ONE))
        assert bookkeeper.confirm("statements", seen) == ["fil.csv: 1 new, 0 changed, 0 same, 0 refused."]
        assert bookkeeper.confirm("statements", seen) == [gone]
    assert (InvoiceStatement.objects.count(), SpreadsheetUpload.objects.count()) == (1, 0)


def test_a_person_who_left_the_company_confirms_nothing(bookkeeper: Bookkeeper):
    seen = bookkeeper.preview("statements", file(*ONE))
    bookkeeper.company.members.clear()
    assert bookkeeper.confirm("statements", seen) == [
        "You no longer see the company of this file. Nothing was imported."
    ]
    assert InvoiceStatement.objects.count() == 0


def test_two_confirmations_at_the_same_moment_make_it_once(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    def too_late(*_: Any) -> None:
        raise IntegrityError

    seen = bookkeeper.preview("statements", file(*ONE))
    # Only another connection between our look and our write can do this: the edge is played.
    monkeypatch.setattr(import_spreadsheet, "save_statements", too_late)
    assert bookkeeper.confirm("statements", seen) == [
        (
            "Somebody else saved one of the same records at the same moment. Nothing was imported; "
            "choose the file again and look at the preview."
        )
    ]
    assert (InvoiceStatement.objects.count(), SpreadsheetUpload.objects.count()) == (0, 1)


@pytest.mark.parametrize("posted", [{}, {"key": "../../etc/passwd", "digest": "x"}, {"key": "1"}])
def test_a_confirmation_of_nothing_is_refused(bookkeeper: Bookkeeper, posted: dict[str, str]):
    address = bookkeeper.address("statements", "process_import/")
    response: Any = bookkeeper.client.post(address, posted, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "Nothing was imported. Choose the file again."
    ]
    assert bookkeeper.client.get(address, follow=True).status_code == 200


def test_refused_statements_are_left_out_as_a_whole(bookkeeper: Bookkeeper):
    rows = file(*ONE, "F-2;10;01.02.2026;;;SENG;;1;;;", "F-2;10;;;;UKJENT;;1;;;")
    assert bookkeeper.bring_in("statements", rows) == ["fil.csv: 1 new, 0 changed, 0 same, 1 refused."]
    assert list(InvoiceStatement.objects.values_list("source_id", flat=True)) == ["F-1"]
    assert StatementLine.objects.count() == 3
    assert list(AdminAction.objects.values_list("record", "statement__source_id")) == [
        (f"statement F-1 ({statement_reference('SPREADSHEET', 'F-1')})", "F-1")
    ]


# --- Problems -----------------------------------------------------------------------------------------------------


def test_every_problem_of_every_row_in_one_pass(bookkeeper: Bookkeeper):
    other = factories.customer(number=99)
    factories.product(other.company, code="DERES")
    rows = file(
        f"F-1;{other.number};01.02.2026;;;HYTTE;;1;;;",
        "F-2;10;31.02.2026;;;DERES;;mange;1.234;0,1;1",
        "F-3;10;01.02.2026;;100,00;SENG;;1;;;",
        "F-4;10;01.02.2026;;;GRATIS;;1;;;",
        "F-5;10;01.02.2026;;;SENG;;-1;;;",
        "F-6;10;01.02.2026;;;SENG;;1;0;;",
        f"F-7;10;01.02.2026;;;SENG;{'x' * 10_240};1;;;",
        "F-8;10;01.02.2026;;;SENG;;9999999999;99999999999;;",
        "F-9;98;01.02.2026;;;SENG;;1;0;;",
    )
    assert bookkeeper.problems("statements", rows) == [
        ("2", "Customer number", "99", "fits no customer of this company: correct it, or import the customer first"),
        ("3", "Date", "31.02.2026", "is not a date: write it like 01.02.2026"),
        ("3", "Quantity", "mange", "is not an amount: write it like 1 234,50"),
        ("3", "Unit price excl. VAT", "1.234", "can be read in two ways: write 1234 or 1,2340"),
        ("3", "Discount %", "0,1", "can be read in two ways: write 0,1 % or 10 %"),
        ("3", "VAT rate", "1", "can be read in two ways: write 1 % or 100 %"),
        ("3", "Product code", "DERES", "is no product of this company: correct it, or import the product first"),
        ("4", "Statement", "", "The source states 100,00\xa0NOK, the lines sum to 25,00. Correct one of them"),
        ("5", "Unit price excl. VAT", "", "is missing, and product GRATIS has no price"),
        ("6", "Statement", "", "An invoice with a negative total. Make it a credit note, or correct it"),
        ("7, 10", "Statement", "", "The total is zero: there is nothing to invoice. Check the lines"),
        ("8", "Description", "x" * 60 + "…", "has 10240 characters, at most 2000 fit: shorten it"),
        ("9", "Total", "", "sums to more than can be kept: check quantities and prices"),
        ("10", "Customer number", "98", "fits no customer of this company: correct it, or import the customer first"),
    ]
    assert InvoiceStatement.objects.count() == 0


@pytest.mark.parametrize(
    ("headings", "cells", "problem"),
    [
        ("Kundeid", "M-10", None),
        ("Orgnr", "988077917", None),
        ("Kundenr;Kundeid;Orgnr", "10;M-10;988077917", None),
        (
            "Kundeid",
            "M-9",
            ("Customer id", "M-9", "fits no customer of this company: correct it, or import the customer first"),
        ),
        ("Kundenr;Kundeid", "11;M-10", ("Customer id", "M-10", "is another customer than the one named beside it")),
        (
            "Kundenr;Orgnr",
            "11;988077917",
            ("Organisation number", "988077917", "is another customer than the one named beside it"),
        ),
    ],
)
def test_the_customer_is_found(bookkeeper: Bookkeeper, headings: str, cells: str, problem: tuple[str, str, str] | None):
    rows = csv_file(f"Ordrenr;Dato;Varenr;Antall;{headings}", f"F-1;01.02.2026;SENG;1;{cells}")
    assert bookkeeper.problems("statements", rows) == ([("2", *problem)] if problem else [])


def test_an_organisation_number_of_two_customers_needs_the_number(bookkeeper: Bookkeeper):
    factories.customer(bookkeeper.company, number=12, organisation_number="988077917")
    rows = csv_file("Ordrenr;Dato;Varenr;Antall;Orgnr", "F-1;01.02.2026;SENG;1;988077917")
    assert bookkeeper.problems("statements", rows) == [
        ("2", "Organisation number", "988077917", "fits 2 customers: add the customer number")
    ]


def test_an_id_of_two_customers_needs_the_number(bookkeeper: Bookkeeper):
    factories.customer(bookkeeper.company, number=12, source_id="M-10", source=StatementSource.QONDOR)
    rows = csv_file("Ordrenr;Dato;Varenr;Antall;Kundeid", "F-1;01.02.2026;SENG;1;M-10")
    assert bookkeeper.problems("statements", rows) == [
        ("2", "Customer id", "M-10", "fits 2 customers: add the customer number")
    ]


def test_what_is_worth_a_look(bookkeeper: Bookkeeper):
    Customer.objects.filter(number=11).update(is_active=False)
    factories.statement(bookkeeper.company, source=StatementSource.QONDOR, source_id="F-1")
    rows = csv_file("Ordrenr;Dato;Varenr;Antall;Kundenr;Kundenavn", "F-1;01.02.2026;SENG;1;11;Ti AS")
    notes = bookkeeper.preview("statements", rows)["notes"]
    assert [(each["where"], each["name"], each["note"]) for each in notes] == [
        ("2", "F-1", "The file says “Ti AS”, customer 11 is “Elleve AS”."),
        ("2", "F-1", "Customer 11 Elleve AS is not active."),
        ("2", "F-1", "Another statement with this id came from Qondor."),
    ]


def test_a_statement_of_another_source_is_known_again_but_never_made(bookkeeper: Bookkeeper):
    rows = csv_file("Kilde;Ordrenr;Dato;Varenr;Antall;Kundenr", "Qondor;Q-1;01.02.2026;SENG;1;10")
    assert bookkeeper.problems("statements", rows) == [
        (
            "2",
            "Statement id",
            "Q-1",
            "is not known from Qondor: a file only makes statements of its own; leave Source empty",
        )
    ]


def test_credit_notes(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("statements", file(*ONE))
    headings = "Ordrenr;Type;Kundenr;Dato;Varenr;Antall;Krediterer;Årsak"
    rows = csv_file(
        headings, "K-1;kreditnota;10;01.02.2026;SENG;-1;F-1;", "K-2;kreditnota;10;01.02.2026;SENG;-1;;Avtalt"
    )
    assert bookkeeper.bring_in("statements", rows) == ["fil.csv: 2 new, 0 changed, 0 same, 0 refused."]
    assert list(
        InvoiceStatement.objects.filter(kind=StatementKind.CREDIT_NOTE)
        .order_by("pk")
        .values_list("credits__source_id", "credit_reason", "total")
    ) == [("F-1", "", Decimal(-25)), (None, "Avtalt", Decimal(-25))]
    factories.statement(bookkeeper.company, source=StatementSource.QONDOR, source_id="F-1")
    rows = csv_file(
        headings,
        "K-3;kreditnota;10;01.02.2026;SENG;1;F-9;",
        "K-4;kreditnota;10;01.02.2026;SENG;-1;F-1;",
        "K-1;kreditnota;10;01.02.2026;SENG;-1;K-1;",
    )
    unknown = "fits no statement of this company: import the credited one first, or give a credit reason instead"
    assert bookkeeper.problems("statements", rows) == [
        ("2", "Credits statement", "F-9", unknown),
        ("2", "Statement", "", "A credit note with a positive total. Use negative quantities"),
        (
            "3",
            "Credits statement",
            "F-1",
            "fits 2 statements from different sources: give a credit reason instead",
        ),
        ("4", "Credits statement", "K-1", unknown),
    ]


def test_hostile_text_is_kept_as_text(bookkeeper: Bookkeeper):
    rows = file("F-1;10;01.02.2026;Ola\x00\x07;;SENG;=cmd|' /C calc'!A0;1;;;", "F-1;;;;;;\u202eשלום 🎉 <b>&;;;;")
    bookkeeper.bring_in("statements", rows)
    assert InvoiceStatement.objects.get().customer_reference == "Ola"
    assert list(StatementLine.objects.order_by("pk").values_list("description", flat=True)) == [
        "=cmd|' /C calc'!A0",
        "שלום 🎉 <b>&",
    ]


def test_a_statement_of_five_thousand_lines_comes_in_in_few_queries(
    bookkeeper: Bookkeeper, django_assert_max_num_queries: Any
):
    rows = csv_file("Ordrenr;Kundenr;Dato;Varenr;Antall", *["F-1;10;01.02.2026;SENG;1"] * 5000)
    with django_assert_max_num_queries(25):
        seen = bookkeeper.preview("statements", rows)
    with django_assert_max_num_queries(130):  # SQLite takes about 55 lines in one
        bookkeeper.confirm("statements", seen)
    assert InvoiceStatement.objects.get().total == Decimal(125_000)
    assert StatementLine.objects.count() == 5000


# --- The page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty. Save it once more and choose it."),
        (b"x" * (30 * 1024 * 1024 + 1), "The file is larger than 30 MB. Split it."),
        (
            b"PK\x03\x04",
            "The workbook is damaged. Open it in the spreadsheet program, save it once more and try again.",
        ),
        (
            b"hei;hopp\n1;2",
            (
                "No headings for statements were found; the first row says: hei, hopp. "
                "Put headings in the first row, or start from the template on this page."
            ),
        ),
    ],
    ids=range(4),
)
def test_an_unreadable_file_gets_one_sentence(bookkeeper: Bookkeeper, content: bytes, sentence: str):
    assert bookkeeper.refusal("statements", content) == sentence
    assert SpreadsheetUpload.objects.count() == 0


def test_a_file_name_is_only_shown(bookkeeper: Bookkeeper):
    seen = bookkeeper.preview("statements", file(*ONE), name='../../<img src=x onerror="1">\x00.csv')
    assert "/" not in seen["file_name"]
    page = bookkeeper.upload("statements", file(*ONE), name="<script>.csv").content.decode()
    assert "<script>.csv" not in page
    assert "&lt;script&gt;.csv" in page


def test_the_page_shows_problems_first_then_counts_then_the_button(bookkeeper: Bookkeeper):
    page = bookkeeper.upload("statements", file(*ONE, "F-2;99;01.02.2026;;;SENG;;1;;;")).content.decode()
    places = [
        page.index(text)
        for text in (
            "Problems in 1 row<",
            "Fits no customer of this company: correct it, or import the customer first.",
            'id="count-new"><b>1</b>',
            'id="count-refused"><b>1</b>',
            "1 refused statement will be left out.",
            "Import 1 new statement<",
            "10 Ti AS, 01.02.2026, 3 lines, 262,50 NOK",
        )
    ]
    assert places == sorted(places)


def test_the_list_of_what_would_be_saved_is_capped(bookkeeper: Bookkeeper):
    rows = file(*[f"F-{number};10;01.02.2026;;;SENG;;1;;;" for number in range(130)])
    seen = bookkeeper.preview("statements", rows)
    assert (len(seen["records"]), seen["more"], seen["button"]) == (100, "30", "Import 130 new statements")


def test_nobody_without_a_log_in_gets_in(client: Any, bookkeeper: Bookkeeper):
    for page in ("import/", "process_import/", "export/", "import/template.xlsx"):
        assert client.get(bookkeeper.address("statements", page)).status_code == 302


def test_a_statement_needs_a_customer(bookkeeper: Bookkeeper):
    assert bookkeeper.problems("statements", csv_file("Ordrenr;Dato;Varenr;Antall", "F-1;01.02.2026;HYTTE;1")) == [
        ("2", "Customer number", "", "is missing: give customer number, customer id or organisation number")
    ]


def test_a_statement_of_an_unnamed_company_is_refused_whole():
    two = bookkeeper_of([factories.go_company(), factories.go_company()])
    seen = two.preview("statements", file(*ONE), company="")
    assert (seen["confirm"], [line.column for line in seen["problems"]]) == (None, ["Company"])


def test_an_upload_that_can_no_longer_be_read_imports_nothing(bookkeeper: Bookkeeper):
    seen = bookkeeper.preview("statements", file(*ONE))
    UploadBlock.objects.all().delete()
    assert bookkeeper.confirm("statements", seen) == [
        "The file is empty. Save the spreadsheet once more and choose it again. Nothing was imported."
    ]
    assert InvoiceStatement.objects.count() == 0
