"""What goes out, and comes in again."""

import csv
import io
import zipfile
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from integration.admin import spreadsheets
from integration.admin.resources import StatementLineResource, StatementResource
from integration.enums import InvoiceDelivery, LineKind, StatementSource
from integration.models import Customer, InvoiceStatement, Product, StatementLine
from tests import factories
from tests.spreadsheets.conftest import Bookkeeper, downloaded

pytestmark = pytest.mark.django_db


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.fixture(autouse=True)
def _register(bookkeeper: Bookkeeper) -> None:
    company = bookkeeper.company
    factories.customer(company, number=10, source_id="M-10", name="=cmd|' /C calc'!A0", phone="+47 22 33 44 55")
    factories.customer(
        company,
        number=None,
        name="Kari Åsnes",
        is_person=True,
        first_name="Kari",
        last_name="Åsnes",
        email="@feil@example.no",
        payment_days=0,
        delivery=InvoiceDelivery.EMAIL,
        is_active=False,
        send_reminders=False,
        country="SE",
        zip_code="0155",
    )
    factories.customer(company, number=None, name="Ole", organisation_number="912000001", source_id="")
    factories.product(company, code="-10", name="'sitat", price=Decimal("-1234.5678"), cost=None)
    factories.product(company, code="007", price=Decimal("0.125"), vat_rate=Decimal("0.1111"), gtin="7038010069307")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(("sheet", "model"), [("customers", Customer), ("products", Product)])
def test_what_went_out_comes_in_again_as_the_same(bookkeeper: Bookkeeper, kind: str, sheet: str, model: Any):
    factories.customer()
    factories.product()
    Customer.objects.filter(email="@feil@example.no").update(email="riktig@example.no")
    exported = bookkeeper.export(sheet, kind=kind)
    many = model.objects.filter(company=bookkeeper.company).count()
    for company in (bookkeeper.company, ""):
        assert bookkeeper.counts(sheet, exported, company=company) == f"0 new 0 changed {many} same 0 refused"


def test_formulas_are_defused_and_numbers_stay_numbers(bookkeeper: Bookkeeper):
    customers = rows_of(bookkeeper.export("customers"))
    assert [(row["Name"], row["Phone"], row["E-mail"]) for row in customers][:2] == [
        ("'=cmd|' /C calc'!A0", "'+47 22 33 44 55", customers[0]["E-mail"]),
        ("Kari Åsnes", "", "'@feil@example.no"),
    ]
    product = rows_of(bookkeeper.export("products"))[0]
    assert (product["Product code"], product["Name"], product["Price excl. VAT"], product["VAT rate"]) == (
        "'-10",
        "'sitat",
        "-1234,5678",
        "25 %",
    )
    book = load_workbook(io.BytesIO(bookkeeper.export("products", kind="xlsx")))
    cells = {str(head.value): cell for head, cell in zip(*book.active.iter_rows(max_row=2), strict=True)}
    assert [(cells[name].value, cells[name].data_type) for name in ("Product code", "Price excl. VAT")] == [
        ("'-10", "s"),
        (-1234.5678, "n"),
    ]


def test_statements_with_lines_go_out_and_come_in_again_as_the_same(bookkeeper: Bookkeeper):
    company = bookkeeper.company
    first = factories.statement(
        company,
        source=StatementSource.SPREADSHEET,
        source_id="F-1",
        customer=Customer.objects.get(number=10),
        stated_total=Decimal("281.25"),
        lines=[
            {"quantity": Decimal("1.5"), "discount_percent": Decimal("12.5"), "description": "=1+1", "unit_price": 200},
            {"kind": LineKind.TEXT, "description": "to\nlinjer"},
        ],
    )
    first.stated_total = first.total
    first.save()
    factories.statement(company, source=StatementSource.QONDOR, source_id="Q-1", credits=first, credit_reason="fordi")
    factories.statement()
    for kind in ("csv", "xlsx"):
        exported = bookkeeper.export("statements", kind=kind)
        assert bookkeeper.counts("statements", exported) == "0 new 0 changed 2 same 0 refused"
    rows = rows_of(bookkeeper.export("statements"))
    assert [
        (
            row["Statement id"],
            row["Line number"],
            row["Description"],
            row["Quantity"],
            row["Discount %"],
            row["Line net"],
        )
        for row in rows
    ] == [
        ("F-1", "1", "'=1+1", "1,50", "12,5 %", "262,50"),
        ("F-1", "2", "to\nlinjer", "", "0 %", "0,00"),
        ("Q-1", "1", rows[2]["Description"], "1,00", "0 %", "100,00"),
    ]
    heads = rows_of(bookkeeper.export("statements", resource=1))
    assert [(row["Statement id"], row["Source"], row["Status"], row["Total"]) for row in heads] == [
        ("F-1", "Spreadsheet", "Processing", "328,13"),
        ("Q-1", "Qondor", "Processing", "125,00"),
    ]


def test_only_the_filtered_list_of_own_companies_goes_out(bookkeeper: Bookkeeper):
    theirs = factories.customer(name="Deres AS")
    for query, names in (
        ("", {"=cmd|' /C calc'!A0", "Kari Åsnes", "Ole"}),
        ("?is_person__exact=1", {"Kari Åsnes"}),
        ("?q=ole", {"Ole"}),
        (f"?company={theirs.company_id}", {"=cmd|' /C calc'!A0", "Kari Åsnes", "Ole"}),
    ):
        rows = rows_of(bookkeeper.export("customers", query=query))
        assert {row["Name"].removeprefix("'") for row in rows} == names


def test_chosen_records_of_others_do_not_go_out(bookkeeper: Bookkeeper):
    theirs, ours = factories.customer(name="Deres AS"), Customer.objects.get(name="Ole")
    post = {"format": "0", "resource": "0", "export_items": [theirs.pk, ours.pk]}
    response: Any = bookkeeper.client.post(bookkeeper.address("customers", "export/"), post)
    assert b"Deres AS" not in response.content
    post = {"format": "0", "resource": "0", "export_items": [ours.pk]}
    response = bookkeeper.client.post(bookkeeper.address("customers", "export/"), post)
    assert [row["Name"] for row in rows_of(downloaded(response))] == ["Ole"]


def test_outgoing_invoices_go_out(bookkeeper: Bookkeeper):
    factories.outgoing_invoice(bookkeeper.company, invoice_number=20_001, balance=Decimal("-12.50"), kid="0012345")
    factories.outgoing_invoice()
    response: Any = bookkeeper.client.post(
        "/admin/integration/outgoinginvoice/export/", {"format": "0", "resource": "0"}
    )
    rows = [
        (row["Invoice number"], row["KID"], row["Total"], row["Open, NOK"]) for row in rows_of(downloaded(response))
    ]
    assert rows == [("20001", "0012345", "125,00", "-12,50")]


def test_an_export_has_a_name_and_a_limit(bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch):
    address = bookkeeper.address("customers", "export/")
    response: Any = bookkeeper.client.post(address, {"format": "1", "resource": "0"})
    assert response.headers["Content-Disposition"].startswith('attachment; filename="customers-20')
    assert zipfile.is_zipfile(io.BytesIO(downloaded(response)))
    monkeypatch.setattr(spreadsheets, "MAX_EXPORT_ROWS", 2)  # 200 000 rows would take a minute to make
    response = bookkeeper.client.post(address, {"format": "1", "resource": "0"}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "The list has more than 2 rows. Filter it, for example by date."
    ]
    assert bookkeeper.client.get(address).status_code == 200


def test_lines_go_out_in_few_queries(bookkeeper: Bookkeeper, django_assert_max_num_queries: Any):
    for _ in range(3):
        factories.statement(bookkeeper.company, lines=[{}] * 3)
    for resource in (0, 1):
        with django_assert_max_num_queries(12):
            bookkeeper.export("statements", resource=resource)
    assert InvoiceStatement.objects.count() == 3


@pytest.mark.parametrize("resource", [StatementLineResource, StatementResource])
def test_a_thousand_rows_take_one_query(bookkeeper: Bookkeeper, resource: Any, django_assert_num_queries: Any):
    """What the columns need is joined, and rows are walked over, not gathered."""
    one = factories.statement(bookkeeper.company, lines=[{}])
    InvoiceStatement.objects.bulk_create(
        InvoiceStatement(
            company=bookkeeper.company,
            customer=one.customer,
            source_id=f"many-{n}",
            reference=f"many-{n}",
            statement_date=factories.TODAY,
        )
        for n in range(1000)
    )
    statements = InvoiceStatement.objects.exclude(pk=one.pk)
    StatementLine.objects.bulk_create(
        StatementLine(statement=each, line_number=1, kind=LineKind.TEXT, description="x") for each in statements
    )
    rows = resource().rows(InvoiceStatement.objects.all())
    with django_assert_num_queries(0):
        next(rows)  # the headings
    with django_assert_num_queries(1):
        assert sum(1 for _ in rows) == 1001


# --- Templates ------------------------------------------------------------------------------------------------------


def test_templates_can_be_filled_in_and_imported(bookkeeper: Bookkeeper):
    for sheet in ("customers", "products", "statements"):
        for kind, outcome in (
            ("csv", "1 new 0 changed 0 same 0 refused"),
            ("xlsx", "0 new 0 changed 1 same 0 refused"),
        ):
            response: Any = bookkeeper.client.get(bookkeeper.address(sheet, f"import/template.{kind}"))
            content = downloaded(response)
            assert response.headers["Content-Disposition"] == f'attachment; filename="{sheet}-template.{kind}"'
            assert bookkeeper.counts(sheet, content) == outcome
            if kind == "csv":
                bookkeeper.bring_in(sheet, content)
    statement = InvoiceStatement.objects.get()
    assert (statement.total, statement.lines.count()) == (Decimal(2800), 2)


def test_the_workbook_explains_its_columns(bookkeeper: Bookkeeper):
    response = bookkeeper.client.get(bookkeeper.address("statements", "import/template.xlsx"))
    book: Any = load_workbook(io.BytesIO(downloaded(response)))
    assert book.sheetnames == ["Statements", "Columns"]
    assert [cell.value for cell in book["Columns"][1]] == ["Column", "Needed", "What to write", "Also understood as"]
    day = next(cell for cell in book["Statements"][2] if isinstance(cell.value, datetime))
    assert (day.value, day.number_format) == (datetime(2026, 2, 1), "dd\\.mm\\.yyyy")  # noqa: DTZ001


def test_there_is_no_third_kind_of_template(bookkeeper: Bookkeeper):
    assert bookkeeper.client.get(bookkeeper.address("customers", "import/template.ods")).status_code == 404
