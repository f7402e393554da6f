"""Single values, and what is tolerated in them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from integration.clients.poweroffice import values

MOMENT = datetime(2024, 9, 3, 11, 35, 0, 867447, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-09-03T11:35:00.8674470+00:00", MOMENT),
        ("2024-09-03 11:35:00.8674479Z", MOMENT),
        ("2024-09-03T13:35:00.867447+02:00", MOMENT),
        ("2024-09-03T05:05:00,867447-0630", MOMENT),
        (" 2024-09-03 11:35:00.867447 +00:00 ", MOMENT),
        ("2024-09-03T11:35:00.867447", MOMENT),
        ("2024-09-03T11:35:00.8z", MOMENT.replace(microsecond=800000)),
        ("2024-09-03T11:35:00Z", MOMENT.replace(microsecond=0)),
        ("2024-09-03T11:35Z", MOMENT.replace(microsecond=0)),
        ("2024-09-03", datetime(2024, 9, 3, tzinfo=UTC)),
        ("0001-01-01T00:00:00+00:00", None),
        ("", None),
        (None, None),
    ],
)
def test_stamp(text, moment):
    read = values.stamp(text)
    assert read == moment
    assert read is None or read.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["yesterday", "2024-13-01T00:00:00Z", "2024-09-03T25:00:00Z", 17, "2024-09-03T11:35:00Zx"]
)
def test_stamp_refuses_nonsense(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise
        values.stamp(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-03-02T23:00:00+00:00", date(2026, 3, 2)),
        ("2026-03-02 00:00:00", date(2026, 3, 2)),
        ("0001-01-01", None),
        ("", None),
        (None, None),
    ],
)
def test_day(text, day):
    assert values.day(text) == day


@pytest.mark.parametrize(
    ("value", "number"), [(7, 7), ("7", 7), (Decimal("7.0"), 7), (-1, -1), (2**63, 2**63), ("", None), (None, None)]
)
def test_number(value, number):
    assert values.number(value) == number


@pytest.mark.parametrize("value", [True, Decimal("7.5"), "x", [1], {}])
def test_number_refuses_nonsense(value):
    with pytest.raises((TypeError, ValueError)):
        values.number(value)


@pytest.mark.parametrize(("value", "amount"), [(Decimal("0.10"), "0.10"), (-5, "-5"), ("1000.5", "1000.5"), (0, "0")])
def test_amount(value, amount):
    assert str(values.amount(value)) == amount


@pytest.mark.parametrize("value", [True, "1 000", "1,5", [1]])
def test_amount_refuses_nonsense(value):
    with pytest.raises((TypeError, ArithmeticError)):
        values.amount(value)


def test_flag_refuses_what_is_neither():
    with pytest.raises(TypeError):
        values.flag("true")
