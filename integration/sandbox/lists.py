"""What every list does: filters read from the query, Fields, OrderBy, pages (reference §5, rows 16-25)."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q

from integration.sandbox.errors import invalid, problem
from integration.sandbox.switches import Switches
from integration.sandbox.wire import dumps, moment_of

LIST_PARAMETERS = {
    "Fields": "text",
    "OrderBy": "text",
    "PageNumber": "int",
    "PageSize": "int",
    "UseDatabaseValidation": "bool",
}
DEFAULT_PAGE, LARGEST_PAGE = 5000, 20000
INT64 = 2**63


def cast_error(name: str) -> str:
    """The vendor's text for a filter that cannot be read."""
    return (
        f"{name} contains negative numbers and/or range of numbers, or illegal characters. "
        "Only comma ',' separated single positive numbers are allowed."
    )


def parse(name: str, kind: str, text: str) -> Any:
    """The value of one query parameter; 400 when it cannot be read. Empty means the filter is off: None."""
    if text.strip() == "" or "\x00" in text:
        return None
    try:
        return PARSERS[kind](text)
    except (ValueError, OverflowError) as error:
        if kind in {"ids", "ranges", "uuids", "numbers"}:
            raise problem(400, "Unable to cast object(s)", cast_error(name)) from error
        raise invalid("Request", f"The value '{text}' is not valid for {name}.") from error


def boolean(text: str) -> bool:
    """true or false, in any case."""
    if text.strip().lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.strip().lower() == "true"


def texts(text: str) -> list[str]:
    """Comma-separated codes or references."""
    return [part.strip() for part in text.split(",") if part.strip()]


def whole(text: str) -> int:
    """One int64."""
    if not (text.isascii() and text.strip().removeprefix("-").isdecimal()):
        raise ValueError(text)
    number = int(text)
    if not -INT64 <= number < INT64:
        raise ValueError(text)
    return number


def positives(text: str) -> list[int]:
    """Comma-separated ids or numbers; no ranges."""
    numbers = [whole(part) for part in texts(text)]
    if any(number < 0 for number in numbers):
        raise ValueError(text)
    return numbers


def ranges(text: str) -> list[tuple[int, int]]:
    """`10000-15999, 12500, 13000-`: inclusive, an open end allowed."""
    found = []
    for part in texts(text):
        low, dash, high = part.partition("-")
        first = whole(low)
        last = INT64 - 1 if dash and not high.strip() else whole(high) if dash else first
        if first < 0 or last < first:
            raise ValueError(part)
        found.append((first, last))
    return found


PARSERS: dict[str, Callable[[str], Any]] = {
    "text": str.strip,
    "texts": texts,
    "bool": boolean,
    "int": whole,
    "ids": positives,
    "numbers": positives,
    "ranges": ranges,
    "uuid": lambda text: UUID(text.strip()),
    "uuids": lambda text: [UUID(part) for part in texts(text)],
    "date": lambda text: dt.date.fromisoformat(text.strip()[:10]),
    "moment": moment_of,
}


def in_ranges(column: str, wanted: list[tuple[int, int]]) -> Q:
    """Rows whose number lies in one of the ranges."""
    condition = Q(pk__in=[])
    for low, high in wanted:
        condition |= Q(**{f"{column}__gte": low, f"{column}__lte": high})
    return condition


def within(number: int | None, wanted: list[tuple[int, int]]) -> bool:
    """The same for a number in hand."""
    return number is not None and any(low <= number <= high for low, high in wanted)


def ordered(rows: list[dict[str, Any]], order_by: str | None, members: set[str]) -> list[dict[str, Any]]:
    """`OrderBy=InvoiceNo asc, VoucherDate desc`; without it, the order they came in. Unknown members: 400."""
    spelled = {name.lower(): name for name in members}
    for part in reversed(texts(order_by or "")):
        words = part.split()
        name = spelled.get(words[0].lower())
        direction = words[1].lower() if len(words) > 1 else "asc"
        if name is None or direction not in {"asc", "desc"} or len(words) > 2:
            raise problem(400, "Invalid resourceParameter", f"OrderBy property '{part}' is not formatted correct.")
        rows = sorted(rows, key=lambda row: sort_key(row.get(name)), reverse=direction == "desc")
    return rows


def sort_key(value: Any) -> tuple[bool, Any]:
    """Nulls first; objects and lists by their text."""
    return (value is not None, dumps(value) if isinstance(value, (dict, list)) else value)


def projected(rows: list[dict[str, Any]], wanted: str | None, members: set[str], switches: Switches) -> list[Any]:
    """Only the members named by `Fields`; the others are absent or null, as switched (row 19). Bad names: 400."""
    if not wanted:
        return rows
    spelled = {name.lower(): name for name in members}
    names = [spelled.get(part.lower()) for part in texts(wanted)]
    if not names or None in names:
        raise problem(
            400, "Invalid resourceParameter", "Fields property in resourceParameter is not formatted correct."
        )
    if switches["fields_unselected"] == "null":
        return [{name: value if name in names else None for name, value in row.items()} for row in rows]
    return [{name: row[name] for name in names if name in row} for row in rows]


def page_bounds(query: dict[str, Any], switches: Switches) -> tuple[int, int]:
    """The first and the one-past-last row of the page asked for (row 17)."""
    number, size = query.get("PageNumber", 1), query.get("PageSize", DEFAULT_PAGE)
    if number < 1 or size < 1 or (size > LARGEST_PAGE and switches["page_size_excess"] == "400"):
        raise problem(
            400, "Invalid resourceParameter", f"PageNumber starts at 1 and PageSize is between 1 and {LARGEST_PAGE}."
        )
    size = min(size, LARGEST_PAGE)
    return (number - 1) * size, number * size


def bare_name(spelled: str) -> str:
    """`PageSize` of `resourceParameter[PageSize]` or `resourceParameter.PageSize`: the spec draws one object."""
    inner = re.fullmatch(r"resourceParameters?(?:\[(\w+)\]|\.(\w+))", spelled, re.IGNORECASE)
    return (inner[1] or inner[2]) if inner else spelled


def pagination_header(url: str, given: dict[str, str], query: dict[str, Any], *, more: bool) -> str:
    """The JSON of `X-Pagination`; only `nextPageLink` is known (row 18)."""
    if not more:
        return '{"nextPageLink":null}'
    following = {name: value for name, value in given.items() if bare_name(name).lower() != "pagenumber"}
    following["PageNumber"] = str(query.get("PageNumber", 1) + 1)
    return dumps({"nextPageLink": f"{url}?{urlencode(following)}"})
