from decimal import Decimal

import pytest

from integration.clients import json_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (Decimal("1000.10"), "1000.10"),
        (Decimal("0.1") + Decimal("0.2"), "0.3"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.0000001"), "-0.0000001"),
        ("Æ “quoted” \\ \n \x00", '"Æ “quoted” \\\\ \\n \\u0000"'),
        ({"A": [Decimal("1.5"), {"B": ()}]}, '{"A": [1.5, {"B": []}]}'),
    ],
)
def test_dumps(value, text):
    assert json_text.dumps(value) == text


@pytest.mark.parametrize(
    ("value", "error"),
    [(0.1, TypeError), (Decimal("NaN"), ValueError), (Decimal("Infinity"), ValueError), ({1}, TypeError)],
)
def test_dumps_refuses_what_is_not_exact(value, error):
    with pytest.raises(error):
        json_text.dumps([value])


def test_loads_reads_fractions_exactly():
    value = json_text.loads(b'\xef\xbb\xbf{"A": 0.10, "B": 7, "C": 1e2}')
    assert value == {"A": Decimal("0.10"), "B": 7, "C": Decimal(100)}
    assert isinstance(value, dict)
    assert str(value["A"]) == "0.10"


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"A": 1', b"NaN", b"[Infinity]", b"\xff"])
def test_loads_refuses_what_is_not_json(content):
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise, the words are json's
        json_text.loads(content)
