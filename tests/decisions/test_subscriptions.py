"""When a subscription is paid, and when it can end."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.subscriptions import (
    Schedule,
    Taken,
    add_months,
    day_in,
    due_dates,
    earliest_end,
    month_of,
    next_payment,
    paid_period,
)

DAYS = st.dates(min_value=date(2024, 1, 1), max_value=date(2031, 12, 31))
INTERVALS = st.sampled_from([1, 3, 6, 12])
SCHEDULES = st.builds(Schedule, first_date=DAYS, payment_day=st.integers(1, 31), interval=INTERVALS)


def dates(schedule: Schedule, until: date, *taken: Taken, today: date | None = None) -> list[str]:
    found = due_dates(schedule, taken, today=today or schedule.first_date, until=until)
    return [day.isoformat() for day in found]


def taken(day: date, months: int = 1) -> Taken:
    return Taken(month_of(day), months)


@pytest.mark.parametrize(
    ("first_date", "payment_day", "interval", "expected"),
    [
        (date(2027, 1, 31), 31, 1, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
        (date(2028, 1, 15), 30, 1, ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30", "2028-05-30"]),
        (date(2027, 2, 28), 31, 3, ["2027-02-28", "2027-05-31"]),
        (date(2027, 1, 2), 1, 3, ["2027-02-01", "2027-05-01"]),
        (date(2027, 1, 1), 1, 6, ["2027-01-01"]),
        (date(2026, 12, 16), 15, 1, ["2027-01-15", "2027-02-15", "2027-03-15", "2027-04-15", "2027-05-15"]),
        (date(2027, 6, 1), 1, 1, []),
    ],
)
def test_dates_until_the_end_of_may(first_date, payment_day, interval, expected):
    until = date(first_date.year if first_date.month < 12 else 2027, 5, 31)
    assert dates(Schedule(first_date, payment_day, interval), until) == expected


def test_a_leap_day_is_paid_each_year_on_the_last_of_february():
    schedule = Schedule(date(2028, 2, 29), 29, 12)
    assert dates(schedule, date(2032, 12, 31)) == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


def test_no_payment_falls_on_the_last_day_or_later():
    schedule = Schedule(date(2027, 1, 1), 1, 1, ends_on=date(2027, 3, 1))
    assert dates(schedule, date(2027, 12, 31)) == ["2027-01-01", "2027-02-01"]


def test_a_pause_is_not_made_up_for_and_keeps_the_months():
    schedule = Schedule(date(2027, 1, 1), 1, 3, not_before=date(2027, 5, 20))
    assert dates(schedule, date(2027, 12, 31), today=date(2027, 5, 20)) == ["2027-07-01", "2027-10-01"]


def test_taken_payments_are_not_made_again():
    schedule = Schedule(date(2027, 1, 1), 1, 1)
    assert dates(schedule, date(2027, 4, 30), taken(date(2027, 1, 1)), taken(date(2027, 3, 1))) == [
        "2027-02-01",
        "2027-04-01",
    ]


def test_a_new_payment_day_does_not_pay_the_same_month_twice():
    later = Schedule(date(2027, 1, 1), 20, 1)
    assert dates(later, date(2027, 6, 30), taken(date(2027, 5, 1)), today=date(2027, 5, 3)) == ["2027-06-20"]


def test_a_new_interval_counts_on_from_what_is_paid():
    yearly = Schedule(date(2027, 1, 1), 1, 12)
    quarter = taken(date(2027, 4, 1), 3)
    assert dates(yearly, date(2028, 12, 31), quarter, today=date(2027, 5, 3)) == ["2027-07-01", "2028-07-01"]


def test_a_new_interval_counts_on_from_what_is_taken_of_the_future():
    half_yearly = Schedule(date(2027, 3, 1), 1, 6)
    assert dates(half_yearly, date(2027, 12, 31), taken(date(2027, 3, 1)), today=date(2027, 1, 5)) == [
        "2027-04-01",
        "2027-10-01",
    ]


def test_a_payment_that_nobody_made_in_time_is_made_late():
    schedule = Schedule(date(2027, 1, 1), 1, 1)
    assert dates(schedule, date(2027, 5, 1), taken(date(2027, 3, 1)), today=date(2027, 4, 20)) == [
        "2027-04-01",
        "2027-05-01",
    ]


def test_next_payment():
    schedule = Schedule(date(2026, 1, 1), 1, 12, ends_on=date(2028, 1, 1))
    assert next_payment(schedule, [taken(date(2026, 1, 1), 12)], today=date(2026, 3, 1)) == date(2027, 1, 1)
    assert next_payment(schedule, [taken(date(2027, 1, 1), 12)], today=date(2027, 3, 1)) is None


def test_next_payment_of_what_starts_in_some_years():
    assert next_payment(Schedule(date(2031, 5, 2), 1, 12), [], today=date(2026, 3, 1)) == date(2031, 6, 1)


@pytest.mark.parametrize(
    ("day", "months", "payment_day", "last"),
    [
        (date(2027, 1, 31), 1, 31, date(2027, 2, 27)),
        (date(2027, 2, 28), 1, 31, date(2027, 3, 30)),
        (date(2027, 12, 1), 3, 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, 29, date(2029, 2, 27)),
    ],
)
def test_paid_period_ends_the_day_before_the_next_payment(day, months, payment_day, last):
    assert paid_period(day, months, payment_day) == (day, last)


@pytest.mark.parametrize(
    ("binding_until", "notice_months", "expected"),
    [
        (None, 0, date(2027, 1, 31)),
        (None, 1, date(2027, 2, 28)),
        (None, 2, date(2027, 3, 31)),
        (date(2027, 12, 31), 2, date(2027, 12, 31)),
        (date(2027, 3, 1), 2, date(2027, 3, 31)),
        (date(2020, 3, 1), 0, date(2027, 1, 31)),
    ],
)
def test_earliest_end_by_binding_and_notice(binding_until, notice_months, expected):
    assert earliest_end(today=date(2027, 1, 31), binding_until=binding_until, notice_months=notice_months) == expected


@given(SCHEDULES)
def test_each_payment_is_on_the_payment_day_and_one_interval_after_the_last(schedule):
    found = due_dates(schedule, [], today=schedule.first_date, until=add_months(schedule.first_date, 48))

    assert found[0] >= schedule.first_date
    assert found[0] - schedule.first_date < timedelta(days=31)
    assert all(day.day == min(schedule.payment_day, monthrange(day.year, day.month)[1]) for day in found)
    months = [month_of(day) for day in found]
    assert {later - earlier for earlier, later in pairwise(months)} <= {schedule.interval}


@given(SCHEDULES, st.lists(st.integers(0, 90), max_size=25), st.integers(0, 60))
def test_rolled_forward_on_any_days_it_is_the_same_as_at_once(schedule, steps, ahead):
    """However often, and with whatever gaps, somebody rolls forward: each payment comes once."""
    today, made = schedule.first_date, list[date]()
    for step in [*steps, 0]:
        today += timedelta(days=step)
        until = today + timedelta(days=ahead)
        made += due_dates(schedule, [taken(day, schedule.interval) for day in made], today=today, until=until)

    assert made == due_dates(schedule, [], today=schedule.first_date, until=until)


@given(
    SCHEDULES,
    st.lists(st.tuples(st.integers(1, 31), INTERVALS, st.integers(1, 200)), min_size=1, max_size=8),
)
def test_whatever_is_changed_no_month_is_paid_twice(schedule, changes):
    today, made = schedule.first_date, list[Taken]()
    for payment_day, interval, step in changes:
        today += timedelta(days=step)
        changed = Schedule(schedule.first_date, payment_day, interval)
        found = due_dates(changed, made, today=today, until=today)
        made += [taken(day, interval) for day in found]

    covered = [month for each in made for month in range(each.month, each.month + each.months)]
    assert len(covered) == len(set(covered))


@given(SCHEDULES, DAYS)
def test_the_next_payment_is_the_first_of_those_to_come(schedule, today):
    upcoming = next_payment(schedule, [], today=today)

    assert upcoming is not None
    assert due_dates(schedule, [], today=today, until=upcoming) == [upcoming]


@given(DAYS, st.integers(1, 31), INTERVALS)
def test_paid_periods_leave_no_day_out(first, payment_day, interval):
    day = day_in(month_of(first), payment_day)
    _, last = paid_period(day, interval, payment_day)

    assert last + timedelta(days=1) == day_in(month_of(day) + interval, payment_day)


@given(DAYS, st.none() | DAYS, st.integers(0, 36))
def test_earliest_end_keeps_binding_and_notice(today, binding_until, notice_months):
    end = earliest_end(today=today, binding_until=binding_until, notice_months=notice_months)

    assert end >= add_months(today, notice_months)
    assert binding_until is None or end >= binding_until
    assert end in {add_months(today, notice_months), binding_until}
