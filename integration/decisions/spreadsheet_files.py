"""From a file to a table of cells, and back, a row at a time. Trusts nothing: neither the name nor what is inside.

Written for the ways a Norwegian bookkeeper saves a spreadsheet: CSV with semicolon, comma or tab, in UTF-8 (with or
without a byte-order mark), UTF-16 ("Unicode text") or Windows-1252; and XLSX.
"""

import codecs
import csv
import io
import json
import os
import re
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import IO, Any, Final
from xml.etree.ElementTree import iterparse
from xml.parsers import expat

import xlsxwriter
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet._reader import DATA_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from integration.decisions.money import count_text
from integration.decisions.spreadsheet_cells import Cell, as_text, defused, visible

MAX_BYTES: Final = 30 * 1024 * 1024
"""Largest file that is taken: 100 000 customers with every column filled are about 20 MB."""

MAX_UNPACKED: Final = 200 * 1024 * 1024
"""Largest sum of what is packed in an XLSX file: 100 000 rows of 20 columns take about 100 MB."""

MAX_PARTS: Final = 2000
MAX_ROWS: Final = 100_000
"""Most rows in one file."""

MAX_COLUMNS: Final = 100
_SHEET_ROWS: Final = 1_048_576
"""What Excel itself allows: rows that nobody sees are read past, not kept."""

_BLOCK: Final = 64 * 1024


class UnreadableFile(ValueError):
    """Why the file as a whole cannot be read and what to do, for a bookkeeper."""


class TooMuch(UnreadableFile):
    """There is more in the file than was asked for."""


@dataclass(frozen=True)
class Limits:
    """How much of a file is read; beyond it TooMuch is raised. `unpacked` in bytes."""

    rows: int = MAX_ROWS
    unpacked: int = MAX_UNPACKED


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


@dataclass(frozen=True)
class OpenTable:
    """A table that is read as it is walked over, once: memory does not grow with the rows."""

    rows: Iterator[Row]
    notes: tuple[str, ...] = ()


Knows = Callable[[str], bool]
"""Tells whether a word is a heading: it decides between semicolon, comma and tab."""


def read_table(file: IO[bytes], knows: Knows, limits: Limits = Limits()) -> Table:
    """The whole table in a file. Raises UnreadableFile with one sentence."""
    with open_table(file, knows, limits) as table:
        rows = tuple(table.rows)
        if not rows:
            raise UnreadableFile(EMPTY)
        return Table(rows, table.notes)


EMPTY: Final = "The file is empty. Save the spreadsheet once more and choose it again."


@contextmanager
def open_table(file: IO[bytes], knows: Knows, limits: Limits = Limits()) -> Iterator[OpenTable]:
    """The table in a file, a row at a time. Raises UnreadableFile with one sentence, at any row."""
    encoding = look_into(file, limits)
    if encoding:
        text = io.TextIOWrapper(file, encoding, newline="")
        try:
            yield OpenTable(_within(_csv_rows(text, knows), limits))
        finally:
            text.detach()  # or it would close the file, which is not ours
        return
    with closing(_Workbook(file)) as book:
        yield OpenTable(_within(book.rows(), limits), book.notes)


def look_into(file: IO[bytes], limits: Limits = Limits()) -> str:
    """Look what the file is, without reading its rows: the encoding of a text, nothing for a workbook.

    Raises UnreadableFile for everything that is refused whatever its rows say.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > MAX_BYTES:
        raise UnreadableFile(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it and try again.")
    head = file.read(2000)
    file.seek(0)
    for start, what in _FOREIGN:
        if head.startswith(start):
            raise UnreadableFile(f"This is {what}. Save it as Excel workbook (.xlsx) or CSV and try again.")
    if not head.startswith(b"PK"):
        return _encoding_of(file, head)
    _inspect(file, limits)
    return ""


def _within(rows: Iterator[tuple[int, Sequence[Cell]]], limits: Limits) -> Iterator[Row]:
    """The rows in which something stands, without empty cells at their ends. Raises TooMuch beyond the limits."""
    many = 0
    for number, cells in rows:
        if kept := _kept_row(number, cells, many, limits):
            many += 1
            yield kept


def _kept_row(number: int, cells: Sequence[Cell], already: int, limits: Limits) -> Row | None:
    """The row without empty cells at its end; None if it is blank."""
    last = len(cells)
    while last and (cells[last - 1] is None or as_text(cells[last - 1]) == ""):
        last -= 1
    if not last:
        return None
    if last > MAX_COLUMNS:
        raise UnreadableFile(f"Row {number} has {last} columns; at most {MAX_COLUMNS} are read. Remove what is unused.")
    if already > limits.rows:  # one more for the headings
        raise TooMuch(
            f"The file has more than {count_text(limits.rows)} rows. Split it in parts, each with whole statements, "
            "and import them one after the other: what is already in stays as it is."
        )
    return Row(number, tuple(cells[:last]))


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


def _encoding_of(file: IO[bytes], head: bytes) -> str:
    """Which encoding the text was saved in; the whole file is looked through, and left at its start."""
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
        for _ in _pieces(file, encoding):
            pass
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise UnreadableFile("The file is damaged. Save it once more as CSV UTF-8 and try again.") from error
        _check_windows(file)
        encoding = "cp1252"
    start = next(_pieces(file, encoding), "").lstrip()[:100].lower()
    if start.startswith(("<!doctype", "<html", "<table", "<?xml")):
        raise UnreadableFile("This is a web page or XML, not a spreadsheet. Save it as .xlsx or CSV and try again.")
    file.seek(0)
    return encoding


def _pieces(file: IO[bytes], encoding: str) -> Iterator[str]:
    """The text from the start of the file, in pieces."""
    file.seek(0)
    return codecs.iterdecode(iter(lambda: file.read(_BLOCK), b""), encoding)


def _check_windows(file: IO[bytes]) -> None:
    before = ""
    try:
        for piece in _pieces(file, "cp1252"):
            if re.search("Ã[¦¸¥†˜…]", before + piece):  # UTF-8's æ ø å Æ Ø Å beside something that is not UTF-8
                raise UnreadableFile("The file mixes two encodings. Save it once more as CSV UTF-8 and try again.")
            before = piece[-1:]
    except UnicodeDecodeError as error:
        raise UnreadableFile("The letters cannot be read. Save the file as CSV UTF-8 and try again.") from error


def _csv_rows(text: io.TextIOBase, knows: Knows) -> Iterator[tuple[int, Sequence[Cell]]]:
    head = text.read(20_000)
    text.seek(0)
    number = 0
    if match := re.fullmatch(r"\s*\"?sep=(.)\"?\s*", head.partition("\n")[0]):  # Excel's own way of naming it
        delimiter = match[1]
        text.readline()
        number = 1
    else:
        delimiter = max(";,\t|", key=lambda sign: _headings_with(head, sign, knows))
    try:
        for cells in csv.reader(text, delimiter=delimiter, strict=True):
            number += 1
            if number > _SHEET_ROWS:
                raise UnreadableFile("The file has more rows than a spreadsheet can have. Save it once more as CSV.")
            yield number, cells
    except csv.Error as error:
        raise UnreadableFile(
            f"Row {number + 1} cannot be read: a quotation mark opens there and does not close rightly "
            "(or one cell holds more than 130 000 characters). Mend it in the spreadsheet and save again."
        ) from error


def _headings_with(text: str, delimiter: str, knows: Callable[[str], bool]) -> int:
    """How many headings the first rows hold if this sign parts the cells."""
    lines = [line for line in text.splitlines() if line.strip()][:10]
    best = 0
    for line in lines:
        cells = next(csv.reader([line], delimiter=delimiter))
        best = max(best, sum(knows(cell) for cell in cells))
    return best


# --- XLSX -------------------------------------------------------------------------------------------------------

_NOT_XLSX: Final = "This is not an Excel workbook. Save the spreadsheet as .xlsx or CSV and try again."
_DAMAGED: Final = "The workbook is damaged. Open it in the spreadsheet program, save it once more and try again."


@contextmanager
def _told() -> Iterator[None]:
    """A stranger's file: openpyxl, zipfile, zlib and expat raise whatever a broken part led them to."""
    try:
        yield
    except UnreadableFile:
        raise
    except Exception as error:
        raise UnreadableFile(_DAMAGED) from error


def _inspect(file: IO[bytes], limits: Limits) -> None:
    """Look into the package before anything is unpacked. Raises UnreadableFile."""
    with _told(), zipfile.ZipFile(file) as package:
        parts = package.infolist()
        names = {part.filename for part in parts}
        if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
            raise UnreadableFile(_NOT_XLSX)
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > limits.unpacked:
            raise TooMuch("The workbook is too large when unpacked. Split it and try again.")
        if any(part.flag_bits & 1 for part in parts):
            raise UnreadableFile("The workbook has a password. Save it without one and try again.")
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise UnreadableFile("The workbook has macros. Save it as .xlsx (without macros) and try again.")
        for part in parts:
            if _is_xml(package, part):
                _refuse_doctype(package, part)


def _is_xml(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """By its name, or by its first sign: a package may call its parts what it likes."""
    with package.open(part) as stream:
        start = stream.read(200).lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return start.startswith(b"<") or part.filename.endswith((".xml", ".rels", ".vml"))


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
            parser.Parse(b"", True)  # pragma: no cover - newer versions of expat put long tokens off until the end
        except _PrologRead:
            return


class _Strings:
    """A workbook's shared strings: on disk, because there may be as many as cells. Found by their place."""

    def __init__(self, source: IO[bytes]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._ends = array("L", [0])
        root = None
        for event, node in iterparse(source, events=("start", "end")):  # noqa: S314 - document types are refused above
            if root is None:
                root = node
            if event == "end" and node.tag == f"{{{SHEET_MAIN_NS}}}si":
                text = Text.from_tree(node).content.replace("x005F_", "").encode("utf-8", "surrogatepass")
                self._ends.append(self._ends[-1] + self._file.write(text))
                root.clear()
        self._file.flush()
        self.kept = lru_cache(maxsize=2000)(self._read)

    def __getitem__(self, index: int) -> str:
        return self.kept(index)

    def _read(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise IndexError(index)
        start, end = self._ends[index : index + 2]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")

    def close(self) -> None:
        self._file.close()


class _Reader(ExcelReader):  # type: ignore[misc] # openpyxl has no types
    """openpyxl's reader of packages, with the shared strings on disk."""

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = _Strings(source)


class _Rows(WorkSheetParser):  # type: ignore[misc] # openpyxl has no types
    """openpyxl's parser of a worksheet, keeping one row at a time. A formula without a result is refused."""

    def rows(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        data = None
        for event, element in iterparse(self.source, events=("start", "end")):  # noqa: S314 - as above
            if element.tag == DATA_TAG and event == "start":
                data = element
            elif element.tag == ROW_TAG and event == "end":
                yield self.parse_row(element)
                self.row_dimensions.clear()
                if data is not None:
                    data.clear()

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None and element.get("t") != "str":
            # Made by a program and never opened: it would read as empty.
            raise UnreadableFile(
                f"The formula in row {cell['row']} has no result yet. Open the workbook in the spreadsheet "
                "program, save it and try again."
            )
        return cell


def _first_sheet(book: Any) -> tuple[Any, tuple[str, ...]]:
    """The sheet that is read, and a note when there are others."""
    if book.epoch == CALENDAR_MAC_1904:
        raise UnreadableFile(
            "The workbook counts days from 1904. Save it as CSV with dates like 01.02.2026 and try again."
        )
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets:
        raise UnreadableFile("The workbook has no visible sheet. Show one, save and try again.")
    notes = (f"Only the first sheet is read: “{visible(sheets[0].title)}”.",) if len(sheets) > 1 else ()
    return sheets[0], notes


class _Workbook:
    """A workbook's first visible sheet. What the file says about its own size is not believed."""

    def __init__(self, file: IO[bytes]) -> None:
        with _told():
            self._reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
        try:
            with _told():
                self._reader.read()
            self._book = self._reader.wb
            self._sheet, self.notes = _first_sheet(self._book)
        except UnreadableFile:
            self.close()
            raise

    def close(self) -> None:
        """Close what was opened; the file itself stays open."""
        self._reader.archive.close()
        if isinstance(self._reader.shared_strings, _Strings):
            self._reader.shared_strings.close()

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Each row's number and cells."""
        book = self._book
        with _told(), self._sheet._get_source() as source:
            parser = _Rows(
                source,
                self._reader.shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            earlier = 0
            for number, found in parser.rows():
                if not earlier < number <= _SHEET_ROWS:
                    raise UnreadableFile(_DAMAGED)
                earlier = number
                yield number, self._cells(number, found)

    def _cells(self, number: int, found: list[dict[str, Any]]) -> list[Cell]:
        last = max((cell["column"] for cell in found if cell["value"] is not None), default=0)
        if last > MAX_COLUMNS:
            raise UnreadableFile(
                f"Row {number} has {last} columns; at most {MAX_COLUMNS} are read. Remove what is unused."
            )
        cells: list[Cell] = [None] * last
        for cell in found:
            if cell["value"] is not None:
                cells[cell["column"] - 1] = _cell(ReadOnlyCell(self._sheet, **cell))
        return cells


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


# --- Rows put aside ---------------------------------------------------------------------------------------------


def packed(rows: Iterable[Row]) -> bytes:
    """Rows, small enough to be kept. `unpacked` gives them back."""
    plain = [[row.number, *[_plain(cell) for cell in row.cells]] for row in rows]
    return zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 1)


def unpacked(content: bytes) -> tuple[Row, ...]:
    """The rows as they were before `packed`."""
    return tuple(
        Row(number, tuple(_UNPACK[cell[0]](cell[1]) if isinstance(cell, list) else cell for cell in cells))
        for number, *cells in json.loads(zlib.decompress(content))
    )


_UNPACK: Final[dict[str, Callable[[str], Cell]]] = {
    "number": Decimal,
    "moment": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def _plain(cell: Cell) -> str | bool | list[str] | None:
    if isinstance(cell, Decimal):
        return ["number", str(cell)]
    if isinstance(cell, date):
        return ["moment" if isinstance(cell, datetime) else "day", cell.isoformat()]
    return cell


# --- Writing ----------------------------------------------------------------------------------------------------

_CELL_CHARACTERS: Final = 32_767
"""What Excel takes in one cell."""


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """CSV as Excel in Norway opens it by itself: semicolons, byte-order mark, decimal comma, days as 01.02.2026.

    In pieces of about 64 kB, as the rows come.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    out.write("\ufeff")
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        if out.tell() > _BLOCK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


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


def write_xlsx(out: IO[bytes], sheets: Iterable[tuple[str, Iterable[Sequence[Cell]]]]) -> None:
    """An Excel workbook: amounts are numbers, days are days, text is never a formula. First row of a sheet in bold.

    Rows are written to disk as they come, so that memory does not grow with them. Raises TooMuch when they do not fit.
    """
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "dd\\.mm\\.yyyy"})
        short, long = (book.add_format({"num_format": shape}) for shape in ("#,##0.00", "#,##0.0000"))
        for title, rows in sheets:
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            for index, row in enumerate(rows):
                if index >= _SHEET_ROWS:
                    raise TooMuch(f"An Excel sheet has room for {_SHEET_ROWS} rows. Choose CSV, or filter the list.")
                style = bold if index == 0 else None
                for column, value in enumerate(row):
                    if isinstance(value, date):
                        sheet.write_datetime(index, column, value, day)
                    elif isinstance(value, Decimal):
                        sheet.write_number(index, column, value, short if round(value, 2) == value else long)
                    elif text := _xlsx_text(value):
                        sheet.write_string(index, column, text, style)


def _xlsx_text(value: str | bool | None) -> str:
    text = defused(visible(value, lines=True)) if isinstance(value, str) else as_text(value)
    return text[:_CELL_CHARACTERS]
