"""Files as bookkeepers save them, and files that mean harm."""

import contextlib
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from integration.decisions import spreadsheet_files
from integration.decisions.spreadsheet_cells import Cell
from integration.decisions.spreadsheet_files import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    Row,
    Table,
    UnreadableFile,
    csv_lines,
    read_table,
    write_xlsx,
)
from tests.spreadsheets.conftest import xlsx_file


def knows(heading: str) -> bool:
    return heading.strip('" ').casefold() in {"kundenr", "navn", "by"}


def table(content: bytes) -> Table:
    return read_table(io.BytesIO(content), knows)


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as error:
        table(content)
    return str(error.value)


ROWS = (Row(1, ("Kundenr", "Navn", "By")), Row(2, ("1", "Åse Bø & Sønn", "Ælvik")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_csv_however_it_was_saved(encoding: str, separator: str, end: str):
    text = f"Kundenr{separator}Navn{separator}By{end}1{separator}Åse Bø & Sønn{separator}Ælvik{end}"
    assert table(text.encode(encoding)).rows == ROWS


def test_csv_with_excels_own_first_line():
    assert table(b"sep=#\r\nKundenr#Navn\r\n1#A;B\r\n").rows == (Row(2, ("Kundenr", "Navn")), Row(3, ("1", "A;B")))


def test_csv_keeps_the_row_numbers_of_the_spreadsheet():
    content = b'Kundenr;Navn\r\n\r\n;;\r\n1;"to\r\nlinjer"\r\n2;B;;;\r\n'
    assert table(content).rows == (Row(1, ("Kundenr", "Navn")), Row(4, ("1", "to\r\nlinjer")), Row(5, ("2", "B")))


def test_csv_with_title_above_chooses_the_separator_by_the_headings():
    content = b"Liste, hentet, i dag, 1, 2\r\nKundenr;Navn\r\n1;A\r\n"
    assert table(content).rows[1] == Row(2, ("Kundenr", "Navn"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty. Save the spreadsheet once more and choose it again."),
        (b"\r\n\r\n;;;\r\n", "The file is empty. Save the spreadsheet once more and choose it again."),
        (xlsx_file([None]), "The file is empty. Save the spreadsheet once more and choose it again."),
        (b"x" * (MAX_BYTES + 1), "The file is larger than 30 MB. Split it and try again."),
        (b"%PDF-1.7", "This is a PDF. Save it as Excel workbook (.xlsx) or CSV and try again."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            (
                "This is an old Excel file (.xls) or one with a password. "
                "Save it as Excel workbook (.xlsx) or CSV and try again."
            ),
        ),
        (
            b"\x01\x02\x00\x03\x00\x00\x05" * 100,
            "This is not a spreadsheet. Save it as Excel workbook (.xlsx) or CSV and try again.",
        ),
        (
            b"<html><table><tr><td>Kundenr</td></tr></table></html>",
            "This is a web page or XML, not a spreadsheet. Save it as .xlsx or CSV and try again.",
        ),
        (
            b"Kundenr;Navn\n1;\x81\x8d",
            "The letters cannot be read. Save the file as CSV UTF-8 and try again.",
        ),
        (
            "Kundenr;Navn\n1;Bø\n".encode() + "2;Bø".encode("cp1252"),
            "The file mixes two encodings. Save it once more as CSV UTF-8 and try again.",
        ),
        (
            "Kundenr;Navn".encode("utf-16") + b"x",
            "The file is damaged. Save it once more as CSV UTF-8 and try again.",
        ),
        (
            b'Kundenr;Navn\n1;A\n2;"B\n3;C\n',
            (
                "Row 3 cannot be read: a quotation mark opens there and does not close rightly "
                "(or one cell holds more than 130 000 characters). Mend it in the spreadsheet and save again."
            ),
        ),
        (
            b"Kundenr;Navn\n1;" + b"x" * 200_000,
            (
                "Row 2 cannot be read: a quotation mark opens there and does not close rightly "
                "(or one cell holds more than 130 000 characters). Mend it in the spreadsheet and save again."
            ),
        ),
        (
            b"Kundenr;Navn\n" + b"1;" * MAX_COLUMNS + b"1\n",
            "Row 2 has 101 columns; at most 100 are read. Remove what is unused.",
        ),
        (
            b"Kundenr;Navn\n" + b"1;A\n" * (MAX_ROWS + 1),
            (
                "The file has more than 100\u202f000 rows. Split it in parts, each with whole statements, "
                "and import them one after the other: what is already in stays as it is."
            ),
        ),
    ],
    ids=range(15),
)
def test_file_refused_with_one_sentence(content: bytes, sentence: str):
    assert refusal(content) == sentence


def test_csv_of_the_largest_size_is_read():
    assert len(table(b"Kundenr;Navn\n" + b"1;A\n" * MAX_ROWS).rows) == MAX_ROWS + 1


# --- XLSX ---------------------------------------------------------------------------------------------------------


def test_xlsx_values_become_ours():
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["Kundenr", "Navn"])
    sheet.append([1234.5, 0.1 + 0.2, 10001, True, date(2026, 2, 1), datetime(2026, 2, 1, 12, 30), None, " tekst "])  # noqa: DTZ001
    sheet.append([0.25, 123, None, None, None, None])
    sheet["A3"].number_format = "0 %"
    sheet["B3"].number_format = "00000"
    out = io.BytesIO()
    book.save(out)
    assert table(out.getvalue()).rows[1:] == (
        Row(
            2,
            (
                Decimal("1234.5"),
                Decimal("0.3"),
                Decimal(10001),
                True,
                datetime(2026, 2, 1),  # noqa: DTZ001 - a spreadsheet knows no time zones
                datetime(2026, 2, 1, 12, 30),  # noqa: DTZ001
                None,
                " tekst ",
            ),
        ),
        Row(3, ("25 %", "00123")),
    )


def test_xlsx_reads_the_first_visible_sheet_and_says_so():
    book = Workbook()
    hidden: Any = book.active
    hidden.append(["skjult"])
    hidden.sheet_state = "hidden"
    for title in ("Kunder", "Notater"):
        book.create_sheet(title).append([title])
    out = io.BytesIO()
    book.save(out)
    assert table(out.getvalue()) == Table((Row(1, ("Kunder",)),), ("Only the first sheet is read: “Kunder”.",))


def test_xlsx_with_a_cell_far_away_is_refused_not_filled_up():
    book = Workbook()
    sheet: Any = book.active
    sheet["A1"] = "Kundenr"
    sheet["XFD1048576"] = "langt borte"
    out = io.BytesIO()
    book.save(out)
    assert refusal(out.getvalue()) == ("Row 1048576 has 16384 columns; at most 100 are read. Remove what is unused.")


def test_xlsx_formula_without_result_is_told():
    assert refusal(xlsx_file(["Kundenr", "Navn"], [1, "=1+1"])) == (
        "The formula in row 2 has no result yet. Open the workbook in the spreadsheet program, save it and try again."
    )


def test_xlsx_formula_with_result_gives_the_result():
    content = with_part(xlsx_file(["Kundenr", "Navn"], [1, "=1+1"]), "xl/worksheets/sheet1.xml", b"<v />", b"<v>2</v>")
    assert table(content).rows[1] == Row(2, (Decimal(1), Decimal(2)))


def test_xlsx_that_counts_from_1904_is_refused():
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    out = io.BytesIO()
    book.save(out)
    assert refusal(out.getvalue()) == (
        "The workbook counts days from 1904. Save it as CSV with dates like 01.02.2026 and try again."
    )


def test_xlsx_with_a_number_beyond_all_numbers_shows_it_as_text():
    content = with_part(GOOD, "xl/worksheets/sheet1.xml", b"<v>1</v>", b"<v>1E999</v>")
    assert table(content).rows[1] == Row(2, ("inf", "A"))


def test_xlsx_with_a_picture_is_read():
    assert table(with_part(GOOD, "xl/media/logo.png", b"", b"\x89PNG")).rows[1] == Row(2, (Decimal(1), "A"))


def test_csv_with_more_rows_than_a_sheet_can_have_is_refused(monkeypatch):
    monkeypatch.setattr(spreadsheet_files, "_SHEET_ROWS", 3)
    assert table(b"Kundenr;Navn\n\n1;A\n").rows[1] == Row(3, ("1", "A"))
    assert refusal(b"Kundenr;Navn\n\n\n1;A\n") == (
        "The file has more rows than a spreadsheet can have. Save it once more as CSV."
    )


def test_xlsx_with_more_rows_than_a_sheet_can_have_is_refused(monkeypatch):
    monkeypatch.setattr(spreadsheet_files, "_SHEET_ROWS", 1)
    assert refusal(GOOD) == DAMAGED


def with_part(content: bytes, name: str, old: bytes = b"", new: bytes = b"") -> bytes:
    """The same package with one part changed, or added when `old` is empty."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            data = source.read(part)
            if part.filename == name:
                assert old in data
                data = data.replace(old, new, 1)
            target.writestr(part.filename, data)
        if name not in source.namelist():
            target.writestr(name, new)
    return out.getvalue()


def packed(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def with_password(content: bytes) -> bytes:
    """The same package, its last part said to be encrypted."""
    changed = bytearray(content)
    changed[changed.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


NOT_XLSX = "This is not an Excel workbook. Save the spreadsheet as .xlsx or CSV and try again."
DAMAGED = "The workbook is damaged. Open it in the spreadsheet program, save it once more and try again."
GOOD = xlsx_file(["Kundenr", "Navn"], [1, "A"])
DOCTYPE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (packed(**{"a.txt": b"hei"}), NOT_XLSX),
        (packed(**{"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"}), NOT_XLSX),
        (packed(**{"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}), DAMAGED),
        (packed(**{"[Content_Types].xml": b"no xml", "xl/workbook.xml": b"\xff\xfe"}), DAMAGED),
        (b"PK\x03\x04 and then nonsense", DAMAGED),
        (GOOD[: len(GOOD) // 2], DAMAGED),
        (GOOD[:200] + b"\x00" * 60 + GOOD[260:], DAMAGED),
        (with_part(GOOD, "xl/worksheets/sheet1.xml", b"</sheetData>", b"<row>"), DAMAGED),
        (with_part(GOOD, "xl/worksheets/sheet1.xml", b"<worksheet", DOCTYPE + b"<worksheet"), NOT_XLSX),
        (with_part(GOOD, "xl/workbook.xml", b"<workbook", DOCTYPE + b"<workbook"), NOT_XLSX),
        (
            with_part(GOOD, "xl/sharedStrings.xml", b"<sst", b"<!--" + b"x" * 9000 + b"-->" + DOCTYPE + b"<sst"),
            NOT_XLSX,
        ),
        (with_part(GOOD, "xl/worksheets/sheet2.dat", b"", b"\xef\xbb\xbf " + DOCTYPE + b"<x/>"), NOT_XLSX),
        (
            with_part(GOOD, "xl/vbaProject.bin", b"", b"macro"),
            "The workbook has macros. Save it as .xlsx (without macros) and try again.",
        ),
        (with_password(GOOD), "The workbook has a password. Save it without one and try again."),
        (
            with_part(GOOD, "xl/workbook.xml", b'state="visible"', b'state="hidden"'),
            "The workbook has no visible sheet. Show one, save and try again.",
        ),
        (
            with_part(GOOD, "xl/media/bomb.xml", b"", b"0" * (201 * 1024 * 1024)),
            "The workbook is too large when unpacked. Split it and try again.",
        ),
        (
            packed(**{"[Content_Types].xml": b"", "xl/workbook.xml": b"", **{f"{n}.bin": b"" for n in range(2000)}}),
            "The workbook is too large when unpacked. Split it and try again.",
        ),
    ],
    ids=range(17),
)
def test_hostile_package_refused_with_one_sentence(content: bytes, sentence: str):
    assert len(content) < MAX_BYTES
    assert refusal(content) == sentence


@settings(deadline=None)
@given(st.data())
def test_any_broken_workbook_is_read_or_refused(data: st.DataObject):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnreadableFile):
        assert len(table(bytes(content)).rows) <= MAX_ROWS + 1


@settings(deadline=None)
@example(b"")
@example(b"\x00" * 50)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes):
    with contextlib.suppress(UnreadableFile):
        assert table(content).rows


def test_xlsx_with_a_lying_size_is_refused():
    """A part that says it is small and unpacks to much is cut at what it says, and its checksum then fails."""
    content = bytearray(with_part(GOOD, "xl/worksheets/sheet1.xml", b"</worksheet>", b"</worksheet>" + b" " * 500_000))
    real = next(
        part.file_size
        for part in zipfile.ZipFile(io.BytesIO(bytes(content))).infolist()
        if part.filename == "xl/worksheets/sheet1.xml"
    )
    assert content.count(real.to_bytes(4, "little")) == 2
    lying = bytes(content).replace(real.to_bytes(4, "little"), (400).to_bytes(4, "little"))
    assert refusal(lying) == DAMAGED


CELLS = st.one_of(
    st.none(), st.booleans(), st.text(), st.decimals(allow_nan=False, allow_infinity=False), st.dates(), st.datetimes()
)


@settings(deadline=None)
@given(st.lists(st.builds(Row, st.integers(1, 10**6), st.lists(CELLS).map(tuple)), max_size=5))
def test_rows_put_aside_come_back(rows: list[Row]):
    assert spreadsheet_files.unpacked(spreadsheet_files.packed(rows)) == tuple(rows)


# --- Writing ------------------------------------------------------------------------------------------------------

WRITTEN: list[list[Cell]] = [
    ["Navn", "Beløp", "Dag"],
    ["=HYPERLINK(1)", Decimal("-1234.5"), date(2026, 2, 1)],
    ["+47 22", Decimal("0.125"), None],
    ["æ\x07ø", True, "10"],
]


def test_csv_lines_are_what_excel_in_norway_opens():
    assert b"".join(csv_lines(WRITTEN)) == (
        "\ufeffNavn;Beløp;Dag\r\n'=HYPERLINK(1);-1234,50;01.02.2026\r\n'+47 22;0,1250;\r\næø;yes;10\r\n".encode()
    )


def test_write_xlsx_has_numbers_days_and_no_formula():
    out = io.BytesIO()
    write_xlsx(out, [("Ark", WRITTEN), ("To", [["x"]])])
    book = load_workbook(out)
    assert book.sheetnames == ["Ark", "To"]
    cells = [[(cell.value, cell.data_type) for cell in row] for row in book["Ark"].iter_rows(min_row=2)]
    assert cells == [
        [("'=HYPERLINK(1)", "s"), (-1234.5, "n"), (datetime(2026, 2, 1), "d")],  # noqa: DTZ001
        [("'+47 22", "s"), (0.125, "n"), (None, "n")],
        [("æø", "s"), ("yes", "s"), ("10", "s")],
    ]
