"""From the bytes of a file to a table of cells, and back. Trusts nothing: neither the name nor what is inside.

Written for the ways a Norwegian bookkeeper saves a spreadsheet: CSV with semicolon, comma or tab, in UTF-8 (with or
without a byte-order mark), UTF-16 ("Unicode text") or Windows-1252; and XLSX.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol
from xml.parsers import expat

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from integration.decisions.spreadsheet_cells import Cell, as_text, defused, visible

MAX_BYTES: Final = 10 * 1024 * 1024
"""Largest file that is taken."""

MAX_UNPACKED: Final = 100 * 1024 * 1024
"""Largest sum of what is packed in an XLSX file: 5 000 rows take about 5 MB."""

MAX_PARTS: Final = 2000
MAX_ROWS: Final = 5_000
"""Most rows in one file: as many as the longest statement has lines. 5 000 statements of one line: 2 s for the preview,
4 s for the confirmation on two cores, and that long one SQLite database waits."""

MAX_COLUMNS: Final = 100
_SHEET_ROWS: Final = 1_048_576
"""What Excel itself allows: rows that nobody sees are read past, not kept."""


class UnreadableFile(ValueError):
    """Why the file as a whole cannot be read and what to do, for a bookkeeper."""


@dataclass(frozen=True)
class Row:
    """One row; `number` is what the spreadsheet program shows at its left."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """All rows in which something stands. `notes` tell what was left unread."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())


def read_table(content: bytes, knows: Callable[[str], bool]) -> Table:
    """The table in a file. `knows` tells whether a word is a heading: it decides between semicolon, comma and tab.

    Raises UnreadableFile with one sentence.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it and try again.")
    for start, what in _FOREIGN:
        if content.startswith(start):
            raise UnreadableFile(f"This is {what}. Save it as Excel workbook (.xlsx) or CSV and try again.")
    table = _read_xlsx(content) if content.startswith(b"PK") else _read_csv(_decoded(content), knows)
    if not table.rows:
        raise UnreadableFile("The file is empty. Save the spreadsheet once more and choose it again.")
    return table


_FOREIGN: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls) or one with a password"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a packed file"),
    (b"7z\xbc\xaf", "a packed file"),
    (b"Rar!", "a packed file"),
)


# --- CSV --------------------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    """The text, from whichever encoding it was saved in."""
    head = content[:2000]
    encoding = "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif head[1::2].count(0) > len(head) // 3:
        encoding = "utf-16-le"
    elif head[0::2].count(0) > len(head) // 3:
        encoding = "utf-16-be"
    elif head.count(0) > len(head) // 10:
        raise UnreadableFile("This is not a spreadsheet. Save it as Excel workbook (.xlsx) or CSV and try again.")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise UnreadableFile("The file is damaged. Save it once more as CSV UTF-8 and try again.") from error
        text = _decoded_as_windows(content)
    start = text.lstrip()[:100].lower()
    if start.startswith(("<!doctype", "<html", "<table", "<?xml")):
        raise UnreadableFile("This is a web page or XML, not a spreadsheet. Save it as .xlsx or CSV and try again.")
    return text


def _decoded_as_windows(content: bytes) -> str:
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise UnreadableFile("The letters cannot be read. Save the file as CSV UTF-8 and try again.") from error
    if re.search("Ã[¦¸¥†˜…]", text):  # UTF-8's æ ø å Æ Ø Å beside something that is not UTF-8
        raise UnreadableFile("The file mixes two encodings. Save it once more as CSV UTF-8 and try again.")
    return text


def _read_csv(text: str, knows: Callable[[str], bool]) -> Table:
    first, _, rest = text.partition("\n")
    skipped = 0
    if match := re.fullmatch(r"\s*\"?sep=(.)\"?\s*", first):  # Excel's own way of naming the separator
        delimiter, text, skipped = match[1], rest, 1
    else:
        delimiter = max(";,\t|", key=lambda sign: _headings_with(text, sign, knows))
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = skipped
    try:
        for cells in reader:
            number += 1
            kept = _kept_row(number, cells, len(rows))
            if kept:
                rows.append(kept)
    except csv.Error as error:
        raise UnreadableFile(
            f"Row {number + 1} cannot be read: a quotation mark opens there and does not close rightly "
            "(or one cell holds more than 130 000 characters). Mend it in the spreadsheet and save again."
        ) from error
    return Table(tuple(rows))


def _headings_with(text: str, delimiter: str, knows: Callable[[str], bool]) -> int:
    """How many headings the first rows hold if this sign parts the cells."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:10]
    best = 0
    for line in lines:
        try:
            cells = next(csv.reader([line], delimiter=delimiter))
        except csv.Error:
            continue
        best = max(best, sum(knows(cell) for cell in cells))
    return best


def _kept_row(number: int, cells: Sequence[Cell], already: int) -> Row | None:
    """The row without empty cells at its end; None if it is blank. Raises UnreadableFile beyond the limits."""
    last = len(cells)
    while last and (cells[last - 1] is None or as_text(cells[last - 1]) == ""):
        last -= 1
    if not last:
        return None
    if last > MAX_COLUMNS:
        raise UnreadableFile(f"Row {number} has {last} columns; at most {MAX_COLUMNS} are read. Remove what is unused.")
    if already > MAX_ROWS:  # one more for the headings
        raise UnreadableFile(
            f"The file has more than {MAX_ROWS} rows. Split it in parts, each with whole statements, "
            "and import them one after the other: what is already in stays as it is."
        )
    return Row(number, tuple(cells[:last]))


# --- XLSX -------------------------------------------------------------------------------------------------------

_NOT_XLSX: Final = "This is not an Excel workbook. Save the spreadsheet as .xlsx or CSV and try again."
_DAMAGED: Final = "The workbook is damaged. Open it in the spreadsheet program, save it once more and try again."


def _read_xlsx(content: bytes) -> Table:
    formulas = _inspect(content)
    try:
        rows, notes = _sheet_rows(content)
        if formulas:
            rows = _with_missing_results(content, rows)
    except UnreadableFile:
        raise
    except Exception as error:  # a stranger's file: openpyxl raises whatever a broken part led it to
        raise UnreadableFile(_DAMAGED) from error
    return Table(tuple(rows), tuple(notes))


def _inspect(content: bytes) -> bool:
    """Look into the package before anything is unpacked; whether it has formulas. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _inspect_parts(package)
    except UnreadableFile:
        raise
    except Exception as error:  # zipfile, zlib and expat each have errors of their own, and raise others too
        raise UnreadableFile(_DAMAGED) from error


def _inspect_parts(package: zipfile.ZipFile) -> bool:
    parts = package.infolist()
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise UnreadableFile(_NOT_XLSX)
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise UnreadableFile("The workbook is too large when unpacked. Split it and try again.")
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableFile("The workbook has a password. Save it without one and try again.")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise UnreadableFile("The workbook has macros. Save it as .xlsx (without macros) and try again.")
    for part in parts:
        if part.filename.endswith((".xml", ".rels", ".vml")):
            _refuse_doctype(package, part)
    return any(_mentions_formula(package, part) for part in parts if part.filename.startswith("xl/worksheets/"))


class _PrologRead(Exception):
    """The first element is reached: no document type can follow."""


def _refuse_doctype(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """A document type is the door for entities (XXE, billion laughs); no spreadsheet program writes one."""

    def refuse(*_: object) -> None:
        raise UnreadableFile(_NOT_XLSX)

    def stop(*_: object) -> None:
        raise _PrologRead

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = stop
    with package.open(part) as stream:
        try:
            while block := stream.read(4096):
                parser.Parse(block, False)
            parser.Parse(b"", True)  # newer versions of expat put long tokens off until the end
        except _PrologRead:
            return


def _mentions_formula(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    tail = b""
    with package.open(part) as stream:
        while block := stream.read(65536):
            if re.search(rb"<(\w+:)?f[ />]", tail + block):
                return True
            tail = block[-20:]
    return False


class _Sheet(Protocol):
    """What we use of openpyxl's read-only worksheet."""

    title: str
    sheet_state: str

    def reset_dimensions(self) -> None: ...

    def iter_rows(self) -> Iterator[tuple[Any, ...]]: ...


def _first_sheet(book: Any) -> _Sheet:
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets:
        raise UnreadableFile("The workbook has no visible sheet. Show one, save and try again.")
    sheet: _Sheet = sheets[0]
    sheet.reset_dimensions()  # what the file says about its size may be wrong
    return sheet


def _sheet_rows(content: bytes) -> tuple[list[Row], list[str]]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    try:
        if book.epoch == CALENDAR_MAC_1904:
            raise UnreadableFile(
                "The workbook counts days from 1904. Save it as CSV with dates like 01.02.2026 and try again."
            )
        sheet = _first_sheet(book)
        rows: list[Row] = []
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            if number > _SHEET_ROWS:
                raise UnreadableFile(_DAMAGED)
            if kept := _kept_row(number, [_cell(cell) for cell in cells], len(rows)):
                rows.append(kept)
        visible_sheets = [each.title for each in book.worksheets if each.sheet_state == "visible"]
        notes = [f"Only the first sheet is read: “{visible(sheet.title)}”."] if len(visible_sheets) > 1 else []
        return rows, notes
    finally:
        book.close()


def _with_missing_results(content: bytes, rows: list[Row]) -> list[Row]:
    """Says so where a formula has no result yet (made by a program, never opened): it would read as empty."""
    by_number = {row.number: row for row in rows}
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        for number, cells in enumerate(_first_sheet(book).iter_rows(), start=1):
            for index, cell in enumerate(cells):
                if cell.data_type == "f":
                    kept = by_number.get(number)
                    if kept is None or index >= len(kept.cells) or kept.cells[index] is None:
                        raise UnreadableFile(
                            f"The formula in row {number} has no result yet. Open the workbook in the spreadsheet "
                            "program, save it and try again."
                        )
    finally:
        book.close()
    return rows


def _cell(cell: Any) -> Cell:
    """A cell's value in our words. Excel keeps 15 digits; so do we, and the float is gone."""
    value = cell.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        plain = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")
        if not plain.is_finite():
            return str(value)
        shown_as: str = cell.number_format or ""
        if "%" in shown_as:
            return f"{(plain * 100).normalize():f} %"
        if re.fullmatch("0{2,}", shown_as) and plain == int(plain) and plain >= 0:
            return f"{int(plain):0{len(shown_as)}}"  # a code with zeros in front
        return plain
    return value if isinstance(value, date) else str(value)


# --- Writing ----------------------------------------------------------------------------------------------------


def write_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """CSV as Excel in Norway opens it by itself: semicolons, byte-order mark, decimal comma, days as 01.02.2026."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return defused(visible(cell, lines=True))
    if isinstance(cell, Decimal):
        return format(_padded(cell), "f").replace(".", ",")
    return as_text(cell)


def _padded(amount: Decimal) -> Decimal:
    """Two decimals or four, never three: `1,234` could be read in two ways."""
    short = round(amount, 2)
    return short if short == amount else round(amount, 4)


def write_xlsx(sheets: Iterable[tuple[str, Iterable[Sequence[Cell]]]]) -> bytes:
    """An Excel workbook: amounts are numbers, days are days, text is never a formula. First row of a sheet in bold."""
    book = Workbook(write_only=True)
    bold = Font(bold=True)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for index, row in enumerate(rows):
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=_xlsx_value(value))
                if isinstance(value, date):
                    cell.number_format = "dd\\.mm\\.yyyy"
                elif isinstance(value, Decimal):
                    cell.number_format = "#,##0.00" if round(value, 2) == value else "#,##0.0000"
                if index == 0:
                    cell.font = bold
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_value(value: Cell) -> Cell:
    if isinstance(value, bool):
        return as_text(value)
    if isinstance(value, str):
        return defused(visible(value, lines=True)) or None
    return value
