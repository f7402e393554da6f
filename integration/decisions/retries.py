"""When to try again by itself. Full jitter keeps many workers from knocking together."""

import random
from datetime import datetime, timedelta
from typing import Final

FIRST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 900.0


def next_try(
    now: datetime, tries: int, *, retry_after: float | None = None, chance: random.Random | None = None
) -> datetime:
    """Doubling from 5 s to 15 min with jitter of one half; never before what the remote asked for."""
    base = min(FIRST_SECONDS * 2 ** min(tries, 20), LONGEST_SECONDS)
    spread = (chance or random).uniform(0.5, 1.0)
    return now + timedelta(seconds=max(base * spread, retry_after or 0.0))
