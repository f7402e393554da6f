"""Single values as PowerOffice Go writes them. Nonsense raises ValueError, TypeError or ArithmeticError."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

Row = Mapping[str, object]

_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?")


def stamp(value: object) -> datetime | None:
    """A timestamp as aware UTC: up to seven decimals (cut to six), blank or T, Z or offset; none means UTC.

    Year 1 is how .NET writes "never".
    """
    if value in (None, ""):
        return None
    found = _STAMP.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"{value!r} is not a timestamp")
    day, hour, minute, second, fraction, zone = found.groups()
    if day.startswith("0001-"):
        return None
    offset = UTC
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        offset = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))
    clock = datetime.strptime(f"{day} {hour or '00'}:{minute or '00'}:{second or '00'}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - zone follows
    return clock.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")), tzinfo=offset).astimezone(UTC)


def stamp_text(moment: datetime) -> str:
    """A moment for a filter, UTC with Z. Refuses a naive one."""
    if moment.tzinfo is None:
        raise ValueError("A filter needs an aware datetime.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day(value: object) -> date | None:
    """A calendar day; a time behind it means nothing (reference §5)."""
    if value in (None, ""):
        return None
    found = date.fromisoformat(str(value)[:10])
    return None if found.year == 1 else found


def text(value: object) -> str:
    """Text that every database can hold: without NUL and halves of signs."""
    if value is None:
        return ""
    return str(value).replace("\0", "").encode("utf-8", "ignore").decode()


def number(value: object) -> int | None:
    """A whole number, also where it came as text or as 7.0."""
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise TypeError(f"{value!r} is not a whole number")
    if int(value) != Decimal(value):
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


def sure_number(value: object) -> int:
    found = number(value)
    if found is None:
        raise ValueError("a number is missing")
    return found


def amount(value: object) -> Decimal | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise TypeError(f"{value!r} is not an amount")
    return Decimal(value)


def sure_amount(row: Row, name: str) -> Decimal:
    """An amount that must be there: money is never guessed."""
    found = amount(row.get(name))
    if found is None:
        raise ValueError(f"{name} is missing")
    return found


def uuid(value: object) -> str:
    return str(UUID(str(value)))


def flag(value: object, *, default: bool = False) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value
