"""How late open money is."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final


@dataclass(frozen=True)
class Age:
    """So many days after the due date, first and last included; None: no end on that side."""

    key: str
    title: str
    first: int | None
    last: int | None


AGES: Final = (
    Age("not-due", "Not due", None, 0),
    Age("1-14", "1–14 days", 1, 14),
    Age("15-30", "15–30 days", 15, 30),
    Age("31-60", "31–60 days", 31, 60),
    Age("61-90", "61–90 days", 61, 90),
    Age("over-90", "Over 90 days", 91, None),
)
"""How late money is. Every due date falls into exactly one; what has no due date is not due."""


def due_dates(age: Age, today: date) -> tuple[date | None, date | None]:
    """The oldest and the newest due date of an age; None: no end on that side."""
    oldest = None if age.last is None else today - timedelta(days=age.last)
    newest = None if age.first is None else today - timedelta(days=age.first)
    return oldest, newest
