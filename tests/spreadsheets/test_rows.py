"""From rows to values and problems, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integration.decisions.spreadsheet_files import Row, Table, UnreadableFile
from integration.decisions.spreadsheet_rows import (
    ReadRow,
    RowProblem,
    StatementRows,
    gathered,
    group_statements,
    mend_customer,
    read_rows,
    row_ranges,
    shown,
)
from integration.decisions.spreadsheet_sheets import CUSTOMERS, PRODUCTS, SHEETS, STATEMENTS, Sheet, heading_key


def rows_of(sheet: Sheet, *rows: str) -> tuple[ReadRow, ...]:
    table = Table(tuple(Row(number, tuple(row.split(";"))) for number, row in enumerate(rows, start=1)))
    return read_rows(table, sheet).rows


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS.keys())
def test_every_heading_means_one_column(sheet: Sheet):
    meaning: dict[str, str] = {}
    for column in sheet.columns:
        for word in (column.label, column.key, *column.synonyms.split(",")):
            if word.strip():
                assert meaning.setdefault(heading_key(word), column.key) == column.key


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS.keys())
def test_every_example_can_be_read(sheet: Sheet):
    for column in sheet.columns:
        if column.example is not None and column.read is not None:
            column.read(column.example)


@pytest.mark.parametrize(
    "heading",
    ["Kundenr", "KUNDENUMMER", " kunde nr. ", "Kunde-nr", "kunde_nr", "Customer number", "customer no", "number"],
)
def test_headings_in_many_words(heading: str):
    [row] = rows_of(CUSTOMERS, f"{heading};Navn", "10;A")
    assert row.values == {"number": 10, "name": "A"}


def test_blank_rows_titles_and_trailing_columns_are_passed_over():
    [row] = rows_of(CUSTOMERS, "Kundeliste februar", "", "Kundenr;;Navn;", "10;;A;;")
    assert (row.number, row.values, row.problems) == (4, {"number": 10, "name": "A"}, [])


def test_all_problems_of_a_row_in_one_pass():
    [row] = rows_of(CUSTOMERS, "Kundenr;Navn;Orgnr;E-post;Betalingsfrist;Purring", "x;A;123;a@b;-1;kanskje;og mer")
    assert row.problems == [
        RowProblem(2, "Customer number", "x", "is not a whole number between 1 and 9999999999"),
        RowProblem(
            2, "Organisation number", "123", "is not an organisation number: nine digits, and the last one must check"
        ),
        RowProblem(2, "E-mail", "a@b", "is not an e-mail address: write one address, like ola@eksempel.no"),
        RowProblem(2, "Payment days", "-1", "is not a whole number between 0 and 365"),
        RowProblem(2, "Send reminders", "kanskje", "is not known: write yes or no (ja, nei)"),
        RowProblem(
            2, "", "og mer", "stands to the right of the last heading: perhaps a separator inside an amount or a text"
        ),
    ]


@pytest.mark.parametrize(
    ("sheet", "rows", "sentence"),
    [
        (
            CUSTOMERS,
            ["Kundenr;Kundenummer;Navn", "1;1;A"],
            (
                "The headings “Kundenr” and “Kundenummer” both mean Customer number. "
                "Keep one of the two columns and try again."
            ),
        ),
        (
            CUSTOMERS,
            ["Kundenr;E-post", "1;a@b.no"],
            "The column “Name” is missing in row 1. Add it, or start from the template on this page.",
        ),
        (
            PRODUCTS,
            ["Navn;Pris", "A;1"],
            "The column “Product code” is missing in row 1. Add it, or start from the template on this page.",
        ),
        (
            STATEMENTS,
            ["1;2;3", "4;5;6"],
            (
                "No headings for statements were found; the first row says: 1, 2, 3. "
                "Put headings in the first row, or start from the template on this page."
            ),
        ),
        (
            CUSTOMERS,
            ["Kundenr;Navn"],
            "There are headings but no rows below them. Fill in at least one row and try again.",
        ),
    ],
    ids=range(5),
)
def test_headings_refused_with_one_sentence(sheet: Sheet, rows: list[str], sentence: str):
    with pytest.raises(UnreadableFile) as error:
        rows_of(sheet, *rows)
    assert str(error.value) == sentence


def test_unknown_headings_are_told():
    table = Table((Row(1, ("Kundenr", "Navn", "Favorittfarge")), Row(2, ("1", "A", "blå"))), ("Et ark til.",))
    assert read_rows(table, CUSTOMERS).notes == (
        "Et ark til.",
        "Not read, because the heading is not known: “Favorittfarge”.",
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"first_name": "Kari", "last_name": "Bø"}, {"name": "Kari Bø", "is_person": True}),
        ({"first_name": "Kari", "last_name": "Bø", "is_person": False}, {"name": "Kari Bø", "is_person": False}),
        ({"name": "A", "zip_code": "155"}, {"zip_code": "0155"}),
        ({"name": "A", "zip_code": "155", "country": "SE"}, {"zip_code": "155"}),
        ({"name": "A", "zip_code": "SW1A"}, {"zip_code": "SW1A"}),
    ],
)
def test_customer_row_mended(values: dict[str, Any], expected: dict[str, Any]):
    row = ReadRow(2, dict(values))
    mend_customer(row)
    assert (row.values, row.problems) == ({**values, **expected}, [])


# --- Statements ---------------------------------------------------------------------------------------------------

HEADINGS = "Ordrenr;Kundenr;Dato;Varenr;Tekst;Antall;Pris;Linje"


def grouped(*rows: str, headings: str = HEADINGS) -> list[StatementRows]:
    read = rows_of(STATEMENTS, headings, *rows)
    for row in read:
        row.values["company"] = 1
    return group_statements(read, STATEMENTS)


def told(groups: list[StatementRows]) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.message) for group in groups for problem in group.problems]


def test_rows_of_one_id_are_one_statement_in_the_order_of_first_rows():
    groups = grouped("B;1;01.02.2026;P;;1;10;", "A;2;01.02.2026;P;;1;10;", "B;;;;Takk;;;", "B;1;;P;;2,5;10;")
    assert told(groups) == []
    assert [(group.source_id, [row.number for row in group.rows]) for group in groups] == [("B", [2, 4, 5]), ("A", [3])]
    assert groups[0].header == {"customer_number": 1, "statement_date": date(2026, 2, 1)}
    assert [(line.line_number, line.kind, line.values) for line in groups[0].lines] == [
        (1, "PRODUCT", {"product_code": "P", "quantity": Decimal(1), "unit_price": Decimal(10)}),
        (2, "TEXT", {"description": "Takk"}),
        (3, "PRODUCT", {"product_code": "P", "quantity": Decimal("2.5"), "unit_price": Decimal(10)}),
    ]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ([";1;01.02.2026;P;;1;10;"], [(2, "Statement id", "is missing: every row names its statement")]),
        (["A;1;;P;;1;10;"], [(2, "Date", "is missing")]),
        (
            ["A;;01.02.2026;P;;1;10;"],
            [(2, "Customer number", "is missing: give customer number, customer id or organisation number")],
        ),
        (
            ["A;1;01.02.2026;P;;1;10;", "A;2;02.02.2026;P;;1;10;"],
            [
                (3, "Customer number", "differs from row 2 of the same statement, which says “1”"),
                (3, "Date", "differs from row 2 of the same statement, which says “01.02.2026”"),
            ],
        ),
        (
            ["A;1;01.02.2026;P;;;10;", "A;;;P;;0;10;"],
            [
                (2, "Quantity", "is missing: a line with a product needs a quantity"),
                (3, "Quantity", "is zero: write how many, or remove the row"),
            ],
        ),
        (
            ["A;1;01.02.2026;;Tekst;1;;"],
            [(2, "Product code", "is missing: the row has a quantity or a price but no product")],
        ),
        (["A;1;01.02.2026;;;;;"], [(2, "Description", "is missing: the row has neither product nor text")]),
        (
            ["A;1;01.02.2026;P;;1;10;1", "A;;;P;;1;10;1", "A;;;P;;1;10;"],
            [
                (3, "Line number", "stands in row 2 too"),
                (4, "Line number", "is missing: number all lines of the statement, or none"),
            ],
        ),
    ],
    ids=range(8),
)
def test_statement_problems(rows: list[str], problems: list[tuple[int, str, str]]):
    assert told(grouped(*rows)) == problems


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        ("01.01.2026;31.01.2026", []),
        ("01.01.2026;", [(2, "Accrual from / to", "is missing: a period has a first and a last day")]),
        ("31.01.2026;01.01.2026", [(2, "Accrual to", "is before the period's first day")]),
        ("i fjor;01.01.2026", [(2, "Accrual from", "is not a date: write it like 01.02.2026")]),
    ],
)
def test_statement_accrual(cells: str, problems: list[tuple[int, str, str]]):
    groups = grouped(
        f"A;1;01.02.2026;P;1;{cells}", headings="Ordrenr;Kundenr;Dato;Varenr;Antall;Periode fra;Periode til"
    )
    assert told(groups) == problems


def test_credit_note_names_what_it_credits():
    groups = grouped("A;kreditnota;1;01.02.2026;P;-1", headings="Ordrenr;Type;Kundenr;Dato;Varenr;Antall")
    assert told(groups) == [
        (2, "Credit reason", "is missing: a credit note names the statement it credits, or why none")
    ]


# --- For people -----------------------------------------------------------------------------------------------------


def test_row_ranges():
    assert row_ranges([9, 2, 3, 4, 7, 3]) == "2–4, 7, 9"


def test_gathered_tells_the_same_problem_once():
    problems = [RowProblem(5, "A", "x", "m"), RowProblem(2, "B", "", "n"), RowProblem(6, "A", "x", "m")]
    assert [(line.rows, line.column) for line in gathered(problems)] == [("2", "B"), ("5–6", "A")]
    named = gathered(problems, {2: "F-1", 5: "F-2", 6: "F-2"})
    assert [(line.rows, line.names) for line in named] == [("2", "F-1"), ("5–6", "F-2")]


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), ("x" * 70, "x" * 60 + "…"), (Decimal("1.50"), "1.50"), (3, "3"), ("a\nb", "a b")]
)
def test_shown(value: Any, text: str):
    assert shown(value) == text
