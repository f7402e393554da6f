"""How PowerOffice Go spells things on the wire: JSON numbers from Decimal, stamps with seven decimals, plain dates.

Money inside the sandbox is an integer number of øre; prices, quantities and rates are Decimal. No float anywhere.
"""

import datetime as dt
import json
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

LARGEST = Decimal(10) ** 15


def kroner(ore: int) -> Decimal:
    """Øre as kroner: 12345 -> 123.45."""
    return Decimal(ore).scaleb(-2)


def ore(amount: Decimal) -> int:
    """Kroner as øre, half an øre away from zero (reference §8.4, rounding is unknown: our assumption)."""
    return int(amount.scaleb(2).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def decimal_of(value: object) -> Decimal:
    """A Decimal from a JSON number or a text such as "123.45"; ValueError when it is neither, or absurdly large."""
    try:
        number = Decimal(str(value)) if isinstance(value, (int, str, Decimal)) else Decimal("NaN")
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not number.is_finite() or abs(number) >= LARGEST or (number and number.adjusted() < -10):
        raise ValueError(f"{value!r} is out of range")
    return number


def stamp(moment: dt.datetime) -> str:
    """UTC with offset and seven decimals: 2024-09-03T11:35:00.8674470+00:00 (reference §5)."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")


def moment_of(text: str) -> dt.datetime:
    """A moment from a filter. A blank may stand for `T` or for the `+` of the offset; no offset means UTC."""
    text = text.strip()
    if len(text) > len("2024-09-03T11:35") and text[-6:-5] == " ":
        text = f"{text[:-6]}+{text[-5:]}"  # a `+` that was not URL-encoded
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def number_text(number: Decimal) -> str:
    """A JSON number without exponent and without needless zeroes: 1000, 12.5."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def dumps(value: Any) -> str:
    """JSON text with Decimals as exact numbers, which the standard library cannot write."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(str(name))}:{dumps(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    if isinstance(value, dt.datetime):
        return encode_basestring(stamp(value))
    if isinstance(value, (dt.date, UUID)):
        return encode_basestring(str(value))
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def loads(text: str | bytes) -> Any:
    """JSON with numbers as int or Decimal; ValueError on anything JSON does not allow, NaN and lone surrogates too."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    value = json.loads(text, parse_float=Decimal, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False, default=str).encode()
    return value


class DocumentEncoder(json.JSONEncoder):
    """Lets a JSONField hold Decimals exactly."""

    def encode(self, o: Any) -> str:
        """As `dumps`."""
        return dumps(o)


class DocumentDecoder(json.JSONDecoder):
    """Reads them back as Decimals."""

    def __init__(self, **_: Any) -> None:
        """Takes no options."""
        super().__init__(parse_float=Decimal)
