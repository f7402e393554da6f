"""The rehearsal itself, as a person starts it: real processes, a private world, and nothing left of it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]
SILENCE = {"lost": 0, "duplicated": 0, "wrong_state": 0, "unresolved": 0, "amounts_differ": 0}


def started(*arguments: str, place: Path) -> subprocess.Popen[str]:
    """The command in a process of its own, its world below `place`, the configured database one that does not exist."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TMPDIR": str(place),
        "DATABASE_URL": f"sqlite:///{place / 'configured' / 'never-opened.sqlite3'}",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "rehearse", "--json", *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def rehearsed(*arguments: str, place: Path) -> dict[str, Any]:
    process = started(*arguments, place=place)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, f"{out}\n{err}"
    assert list(place.iterdir()) == []
    result: dict[str, Any] = json.loads(out)
    return result


def test_200_statements_in_fair_weather(tmp_path):
    result = rehearsed("--statements=200", "--faults=0", place=tmp_path)
    assert {name: result[name] for name in SILENCE} == SILENCE
    assert [result[name] for name in ("statements", "kills", "faults", "worker_deaths")] == [200, 0, 0, 0]
    orders = 200 - 10 - 4  # 10 have a mistake, and of 4 the day has not come
    # On a machine that is too busy to wake up in time, Go may ask us to slow down now and then; that order goes twice.
    assert orders <= result["by_route"]["POST /SalesOrders/Complete"] <= orders + result["throttled"]


def test_60_statements_while_a_fifth_of_the_writes_goes_wrong(tmp_path):
    """Seed 2: Go does not refuse a second order with the same reference: only we see to it that there is none."""
    result = rehearsed("--statements=60", "--faults=0.2", "--seed=2", place=tmp_path)
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


def test_production_is_refused(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="never runs in production"):
        call_command("rehearse")


@pytest.mark.parametrize("option", ["--statements=0", "--faults=1", "--faults=-0.1", "--kill-every=-1", "--workers=x"])
def test_nonsense_is_refused(option):
    with pytest.raises(CommandError, match="invalid"):
        call_command("rehearse", option)
