"""When to try again."""

import random
from datetime import UTC, datetime

import pytest

from integration.decisions.retries import next_try

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(("tries", "least", "most"), [(0, 2.5, 5), (1, 5, 10), (3, 20, 40), (50, 30, 60)])
def test_next_try_doubles_up_to_twelve_times_the_first_wait(tries, least, most):
    waits = [
        (next_try(NOW, tries, first_seconds=5, chance=random.Random(seed)) - NOW).total_seconds() for seed in range(50)
    ]
    assert least <= min(waits)
    assert max(waits) <= most
    assert len(set(waits)) > 40


def test_next_try_never_comes_before_what_go_asked_for():
    assert (next_try(NOW, 0, first_seconds=5, retry_after=120.0) - NOW).total_seconds() == 120
