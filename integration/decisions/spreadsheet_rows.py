"""From the rows of a table to values, with every problem of every row in one pass.

An empty cell says nothing: what is there already stays, a new record gets the usual value.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from typing import Any, Final

from integration.decisions.spreadsheet_cells import Cell, CellProblem, as_text, is_blank
from integration.decisions.spreadsheet_files import EMPTY, Row, Table, UnreadableFile
from integration.decisions.spreadsheet_sheets import Column, Sheet, heading_key, headings
from integration.enums import LineKind, StatementKind, StatementSource

_ROWS_BEFORE_HEADINGS: Final = 10
_ENOUGH_HEADINGS: Final = 2
_NAMED: Final = 5
_SHOWN: Final = 60


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with a row: where, what stood there, what to do. `row` is the spreadsheet's own number."""

    row: int
    column: str
    read: str
    message: str


@dataclass
class ReadRow:
    """A row: the values of its filled cells by column key, and its problems."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)

    def refuse(self, message: str, *, column: str = "", read: Any = "") -> None:
        """Note a problem of this row."""
        self.problems.append(RowProblem(self.number, column, shown(read), message))


def shown(value: Any) -> str:
    """What stood in a cell, short enough for a list of problems."""
    text = value if isinstance(value, str) else "" if value is None else as_text(value)
    text = as_text(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(frozen=True)
class ReadSheet:
    """All rows of a file, and what a person should know about it."""

    rows: tuple[ReadRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """The row of headings: what stands in which column. `notes` tell which columns are not read."""

    row: Row
    columns: dict[int, Column]
    notes: tuple[str, ...]


def open_rows(rows: Iterable[Row], sheet: Sheet) -> tuple[Heading, Iterator[Row]]:
    """The headings, and the rows below them, still unread. Raises UnreadableFile."""
    walked = iter(rows)
    above = list(islice(walked, _ROWS_BEFORE_HEADINGS))
    if not above:
        raise UnreadableFile(EMPTY)
    known = headings(sheet)
    start = _find_headings(above, sheet, known)
    columns, unread = _columns_of(above[start].cells, known)
    notes: tuple[str, ...] = ()
    if unread:
        notes = (f"Not read, because the heading is not known: {', '.join(f'“{title}”' for title in unread)}.",)
    below = chain(above[start + 1 :], walked)
    first = next(below, None)
    if first is None:
        raise UnreadableFile("There are headings but no rows below them. Fill in at least one row and try again.")
    return Heading(above[start], columns, notes), chain([first], below)


def read_rows(table: Table, sheet: Sheet) -> ReadSheet:
    """Every row with values and problems. Raises UnreadableFile when the headings cannot be understood."""
    heading, rows = open_rows(table.rows, sheet)
    width = len(heading.row.cells)
    return ReadSheet(tuple(_read_row(row, heading.columns, width) for row in rows), (*table.notes, *heading.notes))


PORTION: Final = 500
"""Rows that are worked on together."""

_PORTION_CHARACTERS: Final = 1_000_000
_LONGEST_STATEMENT: Final = 5_000


def portions(rows: Iterable[Row], heading: Heading, sheet: Sheet) -> Iterator[list[Row]]:
    """The rows, in portions that end where a statement ends. Raises UnreadableFile for an endless statement."""
    whole = "source_id" if any(column.per_line for column in sheet.columns) else None
    id_at = next((index for index, column in heading.columns.items() if column.key == whole), None)
    portion: list[Row] = []
    characters = lines = 0
    before: Cell = None
    for row in rows:
        said = row.cells[id_at] if id_at is not None and id_at < len(row.cells) else None
        lines = lines + 1 if said is not None and said == before else 1
        if lines > _LONGEST_STATEMENT:
            raise UnreadableFile(
                f"More than {_LONGEST_STATEMENT} rows in a row say “{shown(said)}”. Split the statement and try again."
            )
        if lines == 1 and (len(portion) >= PORTION or characters > _PORTION_CHARACTERS):
            yield portion
            portion, characters = [], 0
        before = said
        portion.append(row)
        characters += sum(len(cell) for cell in row.cells if isinstance(cell, str))
    if portion:
        yield portion


def _find_headings(rows: Sequence[Row], sheet: Sheet, known: dict[str, Column]) -> int:
    """Which row holds the headings: the first with two that we know. Titles and blank rows may stand above."""
    for index, row in enumerate(rows):
        found = {known[key].key for cell in row.cells if (key := heading_key(as_text(cell))) in known}
        if len(found) >= _ENOUGH_HEADINGS:
            missing = [sheet.column(key).label for key in sheet.needed if key not in found]
            if sheet.name == "customers" and {"first_name", "last_name"} <= found:
                missing = []
            if missing:
                raise UnreadableFile(
                    f"The column “{', '.join(missing)}” is missing in row {row.number}. "
                    "Add it, or start from the template on this page."
                )
            return index
    first = ", ".join(shown(cell) for cell in rows[0].cells[:8] if not is_blank(cell))
    raise UnreadableFile(
        f"No headings for {sheet.name} were found; the first row says: {first}. "
        "Put headings in the first row, or start from the template on this page."
    )


def _columns_of(titles: Sequence[Cell], known: dict[str, Column]) -> tuple[dict[int, Column], list[str]]:
    """Which column stands where, and the headings nobody knows. Raises UnreadableFile for one that stands twice."""
    columns: dict[int, Column] = {}
    unread = []
    for index, cell in enumerate(titles):
        if is_blank(cell):
            continue
        column = known.get(heading_key(as_text(cell)))
        if column is None:
            unread.append(shown(cell))
            continue
        for earlier, other in columns.items():
            if other.key == column.key:
                raise UnreadableFile(
                    f"The headings “{shown(titles[earlier])}” and “{shown(cell)}” both mean {column.label}. "
                    "Keep one of the two columns and try again."
                )
        columns[index] = column
    return columns, unread


def _read_row(row: Row, columns: dict[int, Column], width: int) -> ReadRow:
    done = ReadRow(row.number)
    for index, cell in enumerate(row.cells):
        if is_blank(cell):
            continue
        column = columns.get(index)
        if column is None:
            if index >= width:
                done.refuse(
                    "stands to the right of the last heading: perhaps a separator inside an amount or a text",
                    read=cell,
                )
            continue
        if column.read is None:
            continue
        try:
            done.values[column.key] = column.read(cell)
        except CellProblem as problem:
            done.refuse(str(problem), column=column.label, read=cell)
            done.values[column.key] = UNREADABLE
    return done


class Unreadable:
    """Stands where a value could not be read, so that nobody takes the cell for empty."""


UNREADABLE: Final = Unreadable()


def readable(values: dict[str, Any]) -> dict[str, Any]:
    """The values that could be read."""
    return {key: value for key, value in values.items() if value is not UNREADABLE}


# --- Customers and products ----------------------------------------------------------------------------------------

_POST_CODE_DIGITS: Final = 4


def mend_customer(row: ReadRow) -> None:
    """What only the whole row tells about a customer."""
    values = row.values
    first, last = values.get("first_name"), values.get("last_name")
    if "name" not in values:
        if isinstance(first, str) and isinstance(last, str):
            values["name"] = f"{first} {last}"
            values.setdefault("is_person", True)
        else:
            row.refuse("is missing", column="Name")
    if values.get("is_person") is True and "organisation_number" in values:
        row.refuse(
            "belongs to a company, but the row says it is a private person: correct one of them",
            column="Organisation number",
            read=values["organisation_number"],
        )
    post_code = values.get("zip_code")
    if isinstance(post_code, str) and post_code.isdecimal() and values.get("country", "NO") == "NO":
        values["zip_code"] = post_code.zfill(_POST_CODE_DIGITS)  # spreadsheet programs drop the zero of 0155


def mend_product(row: ReadRow) -> None:
    """What only the whole row tells about a product."""
    if "code" not in row.values:
        row.refuse("is missing", column="Product code")


# --- Statements ---------------------------------------------------------------------------------------------------


@dataclass
class StatementRows:
    """The rows of one statement: header values, and its lines as they stand."""

    company_id: int | None
    source: str
    source_id: str
    rows: list[ReadRow]
    header: dict[str, Any] = field(default_factory=dict)
    lines: list["LineRow"] = field(default_factory=list)

    @property
    def problems(self) -> list[RowProblem]:
        return [problem for row in self.rows for problem in row.problems]


@dataclass
class LineRow:
    """One line: its row, number, kind and values. A key that is not there was empty."""

    row: ReadRow
    line_number: int
    kind: str
    values: dict[str, Any]


def group_statements(rows: Iterable[ReadRow], sheet: Sheet) -> list[StatementRows]:
    """Statements in the order of their first row. Expects the company's id, or None, as each row's `company`."""
    groups: dict[tuple[Any, ...], StatementRows] = {}
    for row in rows:
        source_id = row.values.get("source_id")
        if source_id is None:
            row.refuse("is missing: every row names its statement", column="Statement id")
        company_id = row.values.get("company")
        source = row.values.get("source", StatementSource.SPREADSHEET)
        if not isinstance(source_id, str) or source is UNREADABLE:
            key: tuple[Any, ...] = (row.number,)
        else:
            key = (company_id, source, source_id)
        if key not in groups:
            name = source_id if isinstance(source_id, str) else ""
            groups[key] = StatementRows(company_id, str(source), name, [])
        groups[key].rows.append(row)
    per_line = {column.key for column in sheet.columns if column.per_line} | {"company", "source", "source_id"}
    for group in groups.values():
        _gather_header(group, per_line, sheet)
        group.lines = _lines_of(group, per_line)
        _check_whole(group)
    return list(groups.values())


def _gather_header(group: StatementRows, per_line: set[str], sheet: Sheet) -> None:
    """Header values, from the first row or repeated on all; two different ones are a problem of the later row."""
    said_in: dict[str, int] = {}
    for row in group.rows:
        for key, value in row.values.items():
            if key in per_line:
                continue
            if key not in group.header or group.header[key] is UNREADABLE:
                group.header[key] = value
                said_in[key] = row.number
            elif value is not UNREADABLE and value != group.header[key]:
                row.refuse(
                    f"differs from row {said_in[key]} of the same statement, which says “{shown(group.header[key])}”",
                    column=sheet.column(key).label,
                    read=value,
                )


def _lines_of(group: StatementRows, per_line: set[str]) -> list[LineRow]:
    lines: list[LineRow] = []
    taken: dict[int, int] = {}
    numbered = any("line_number" in row.values for row in group.rows)
    for index, row in enumerate(group.rows, start=1):
        values = {key: value for key, value in row.values.items() if key in per_line}
        number = values.pop("line_number", None)
        if number is None and numbered:
            row.refuse("is missing: number all lines of the statement, or none", column="Line number")
        if not isinstance(number, int):
            number = index
        elif number in taken:
            row.refuse(f"stands in row {taken[number]} too", column="Line number", read=str(number))
        taken.setdefault(number, row.number)
        for key in ("company", "source", "source_id"):
            values.pop(key, None)
        lines.append(LineRow(row, number, _kind_of(row, values), values))
    return lines


def _kind_of(row: ReadRow, values: dict[str, Any]) -> str:
    """Product or text, with what is missing for either."""
    if "product_code" in values:
        if "quantity" not in values:
            row.refuse("is missing: a line with a product needs a quantity", column="Quantity")
        elif values["quantity"] == 0:
            row.refuse("is zero: write how many, or remove the row", column="Quantity", read="0")
        return LineKind.PRODUCT
    sold = [key for key in ("quantity", "unit_price", "discount_percent") if values.get(key)]
    if sold:
        row.refuse("is missing: the row has a quantity or a price but no product", column="Product code")
        return LineKind.PRODUCT
    if "description" not in values and not row.problems:
        row.refuse("is missing: the row has neither product nor text", column="Description")
    for key in ("quantity", "unit_price", "discount_percent", "vat_rate"):
        values.pop(key, None)
    return LineKind.TEXT


def _check_whole(group: StatementRows) -> None:
    """What only the whole statement tells. Problems of the whole are told of its first row."""
    first = group.rows[0]
    if "statement_date" not in group.header:
        first.refuse("is missing", column="Date")
    if not {"customer_number", "customer_id", "customer_organisation_number"} & group.header.keys():
        first.refuse("is missing: give customer number, customer id or organisation number", column="Customer number")
    if group.header.get("kind") == StatementKind.CREDIT_NOTE and not {"credits", "credit_reason"} & group.header.keys():
        first.refuse("is missing: a credit note names the statement it credits, or why none", column="Credit reason")
    for line in group.lines:
        start, end = line.values.get("accrual_from"), line.values.get("accrual_to")
        if (start is None) != (end is None):
            line.row.refuse("is missing: a period has a first and a last day", column="Accrual from / to")
        elif start and end and UNREADABLE not in (start, end) and end < start:
            line.row.refuse("is before the period's first day", column="Accrual to", read=end)


# --- Problems for people --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProblemLine:
    """The same problem of one or many rows. `rows` reads `2–40, 43`; `names` the first few records they belong to."""

    rows: str
    column: str
    read: str
    message: str
    names: str = ""


def gathered(problems: Iterable[RowProblem], names: Mapping[int, str] | None = None) -> list[ProblemLine]:
    """All problems in order of their first row, the same one of many rows told once. `names`: row -> its record."""
    same: dict[tuple[str, str, str], list[int]] = {}
    for problem in problems:
        same.setdefault((problem.column, problem.read, problem.message), []).append(problem.row)
    lines = [(rows, ProblemLine(row_ranges(rows), *key, named(rows, names or {}))) for key, rows in same.items()]
    return [line for _, line in sorted(lines, key=lambda pair: min(pair[0]))]


def named(rows: Iterable[int], names: Mapping[int, str]) -> str:
    """The records that rows belong to, each once, the first few."""
    found = list(dict.fromkeys(names[row] for row in rows if names.get(row)))
    return ", ".join(found[:_NAMED]) + (" …" if len(found) > _NAMED else "")


def row_ranges(numbers: Iterable[int]) -> str:
    """Row numbers as people write them: `2–5, 8`."""
    parts = []
    for _, run in groupby(enumerate(sorted(set(numbers))), key=lambda pair: pair[1] - pair[0]):
        row = [number for _, number in run]
        parts.append(str(row[0]) if len(row) == 1 else f"{row[0]}–{row[-1]}")
    return ", ".join(parts)
