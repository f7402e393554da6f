"""The rehearsals that take longer: the true pace, faults, servers of their own, and Ctrl-C."""

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.management.test_rehearse import SILENCE, rehearsed, started


def test_a_few_statements_at_the_true_pace(tmp_path):
    result = rehearsed("--statements=20", "--companies=1", "--workers=1", place=tmp_path)
    assert {name: result[name] for name in SILENCE} == SILENCE
    assert result["plan"]["hurry"] == 1


def test_40_statements_while_a_third_of_the_writes_goes_wrong(tmp_path):
    """Go does not refuse a second order with the same reference: only we see to it that there is none."""
    result = rehearsed(
        *("--statements=40", "--companies=1", "--workers=1", "--faults=0.3", "--hurry=5"),
        *("--duplicate-check=off", "--look-up-filters=refused"),
        place=tmp_path,
    )
    assert {name: result[name] for name in SILENCE} == SILENCE
    assert result["faults"] > 0


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    process = started("--statements=20", place=tmp_path)
    assert process.stderr is not None
    while "statements made" not in (line := process.stderr.readline()):
        assert line, "the rehearsal ended before it began"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "CommandError: Stopped before the end; no verdict."
    assert list(tmp_path.iterdir()) == []
    everybody = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert [line for line in everybody.splitlines() if "@rehearsal" in line and str(tmp_path) in line] == []


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that the private PostgreSQL's own user may enter, which pytest's folders do not allow."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


def test_100_statements_while_postgresql_redis_and_workers_break(open_place):
    result = rehearsed(
        *("--own-servers", "--statements=100", "--faults=0.3", "--kill-every=10", "--hurry=4", "--seed=3"),
        *("--duplicate-check=drafts-only", "--companies=2", "--workers=2"),
        place=open_place,
    )
    assert {name: result[name] for name in SILENCE} == SILENCE
    assert result["kills"] > 0
