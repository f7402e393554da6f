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
OFFENCES = ("lost", "duplicated", "wrong_state", "unresolved", "amounts_differ", "untold", "missed")
SILENCE = dict.fromkeys(OFFENCES, 0)
ACTS = {"combine": 2, "confirm": 2, "delete": 2, "edit_header": 1, "edit_line": 1, "pay": 5, "send": 9}
"""Of 186 drafts, 1 % of each and 5 % sent; of the 9 sent, 3 are paid in full and 2 in part."""


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
        preexec_fn=hear_ctrl_c,  # noqa: PLW1509 - it only sets a signal, and these tests have no threads
    )


def hear_ctrl_c() -> None:
    """Whoever starts the tests in the background has told them to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def rehearsed(*arguments: str, place: Path) -> dict[str, Any]:
    process = started(*arguments, place=place)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, f"{out}\n{err}"
    assert list(place.iterdir()) == []
    result: dict[str, Any] = json.loads(out)
    return result


@pytest.mark.once
def test_200_statements_in_fair_weather(tmp_path):
    """Four times as fast as true; the accountant does his share all the same."""
    result = rehearsed("--statements=200", "--hurry=4", place=tmp_path)
    assert {name: result[name] for name in SILENCE} == SILENCE
    assert [result[name] for name in ("statements", "kills", "faults", "process_deaths")] == [200, 0, 0, 0]
    orders = 200 - 10 - 4  # 10 have a mistake, and of 4 the day has not come
    # On a machine that is too busy to wake up in time, Go may ask us to slow down now and then; that order goes twice.
    assert orders <= result["by_route"]["POST /SalesOrders/Complete"] <= orders + result["throttled"]
    acts = {name: count for name, count in result.items() if name.startswith("accountant_")}
    assert acts == {f"accountant_{act}": count for act, count in ACTS.items()}


def test_production_is_refused(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="never runs in production"):
        call_command("rehearse")


@pytest.mark.parametrize(
    "option",
    ["--statements=0", "--faults=1", "--faults=-0.1", "--kill-every=-1", "--workers=x", "--hurry=0.5", "--outage=-1"],
)
def test_nonsense_is_refused(option):
    with pytest.raises(CommandError, match="invalid"):
        call_command("rehearse", option)
