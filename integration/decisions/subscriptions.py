"""When a subscription is paid, and when it can end. Calendar days; a payment day that a month lacks is its last day.

Months are counted from year 0 (`month_of`), so that February to March is always one.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

LONGEST: Final = 12
"""Months of the longest interval."""


@dataclass(frozen=True)
class Schedule:
    """How often and on which day. The first payment is the first payment day on or after `first_date`.

    No payment before `not_before` (the end of a pause), and none on `ends_on` or later.
    """

    first_date: date
    payment_day: int
    interval: int
    ends_on: date | None = None
    not_before: date | None = None


@dataclass(frozen=True)
class Taken:
    """A payment that stays as it is. `months`: how many months it pays for, from its own on."""

    month: int
    months: int


def month_of(day: date) -> int:
    """The number of a day's month."""
    return day.year * 12 + day.month - 1


def day_in(month: int, payment_day: int) -> date:
    """The payment day of a month: the 31st is the 28th or 29th of February, and the 31st again in March."""
    year, index = divmod(month, 12)
    return date(year, index + 1, min(payment_day, monthrange(year, index + 1)[1]))


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the last of a shorter month."""
    return day_in(month_of(day) + months, day.day)


def first_month(first_date: date, payment_day: int) -> int:
    """The month of the first payment day on or after a date."""
    month = month_of(first_date)
    return month if day_in(month, payment_day) >= first_date else month + 1


def due_dates(schedule: Schedule, taken: Iterable[Taken], *, today: date, until: date) -> list[date]:
    """The payments to come up to `until`, oldest first, without those that are taken.

    They are counted on from the last payment taken up to this month, or from the first date when there is none: what
    was skipped before it is never made up for. A payment that nobody made in time is made late, not left out.
    """
    kept = sorted(taken, key=lambda each: each.month)
    past = [each for each in kept if each.month <= month_of(today)]
    month = first_month(schedule.first_date, schedule.payment_day)
    if past:
        month = max(month, past[-1].month + past[-1].months)
    found = []
    while (day := day_in(month, schedule.payment_day)) <= until:
        if schedule.ends_on is not None and day >= schedule.ends_on:
            break
        cover = next((each for each in kept if each.month <= month < each.month + each.months), None)
        if cover is not None:
            month = cover.month + cover.months
            continue
        if schedule.not_before is None or day >= schedule.not_before:
            found.append(day)
        month += schedule.interval
    return found


def next_payment(schedule: Schedule, taken: Iterable[Taken], *, today: date) -> date | None:
    """The next payment that is not taken, or None when the subscription ends before it."""
    start = max(today, schedule.first_date, schedule.not_before or schedule.first_date)
    dates = due_dates(schedule, taken, today=today, until=add_months(start, 3 * LONGEST))
    return dates[0] if dates else None


def paid_period(day: date, months: int, payment_day: int) -> tuple[date, date]:
    """The days that a payment pays for: from its own to the one before the next."""
    return day, day_in(month_of(day) + months, payment_day) - timedelta(days=1)


def earliest_end(*, today: date, binding_until: date | None, notice_months: int) -> date:
    """The earliest day on which a subscription can end when notice is given today."""
    noticed = add_months(today, notice_months)
    return noticed if binding_until is None else max(noticed, binding_until)
