"""How late open money is."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.ageing import AGES, due_dates

TODAY = date(2026, 3, 1)


def ages_of(due_date: date, today: date) -> list[str]:
    """The ages whose due dates include this one."""
    return [
        age.key
        for age in AGES
        for oldest, newest in [due_dates(age, today)]
        if (oldest is None or oldest <= due_date) and (newest is None or due_date <= newest)
    ]


@pytest.mark.parametrize(
    ("days_late", "key"),
    [
        (-400, "not-due"),
        (-1, "not-due"),
        (0, "not-due"),
        (1, "1-14"),
        (14, "1-14"),
        (15, "15-30"),
        (30, "15-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "over-90"),
        (4000, "over-90"),
    ],
)
def test_days_late_fall_into_their_age(days_late: int, key: str):
    assert ages_of(TODAY - timedelta(days=days_late), TODAY) == [key]


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.dates(date(2000, 1, 1), date(2080, 1, 1)))
def test_every_due_date_has_exactly_one_age(due_date: date, today: date):
    assert len(ages_of(due_date, today)) == 1
