"""JSON with exact numbers: `Decimal` in and out, never a float, not even for a moment."""

import json
from collections.abc import Mapping
from decimal import Decimal


def dumps(value: object) -> str:
    """JSON text. Raises TypeError for a float and ValueError for a number that is not finite."""
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that can be sent.")
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{dumps(str(name))}: {dumps(member)}" for name, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(dumps(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} cannot be sent.")


def loads(content: bytes) -> object:
    """Parsed JSON, fractions as `Decimal`. Raises ValueError for anything else, NaN and Infinity included."""
    return json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a number.")
