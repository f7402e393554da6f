"""When to try again by itself. Jitter keeps many workers from knocking together."""

import random
from datetime import datetime, timedelta
from typing import Final

LONGEST_TIMES: Final = 12
"""The longest wait, in first waits. What keeps everybody out for long rests the whole company, not one statement."""


def next_try(
    now: datetime,
    tries: int,
    *,
    first_seconds: float,
    retry_after: float | None = None,
    chance: random.Random | None = None,
) -> datetime:
    """Doubling up to twelve times the first wait, with jitter of one half; never before what the remote asked for."""
    base = first_seconds * min(2 ** min(tries, 20), LONGEST_TIMES)
    spread = (chance or random).uniform(0.5, 1.0)
    return now + timedelta(seconds=max(base * spread, retry_after or 0.0))
