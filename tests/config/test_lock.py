"""The check that the locks fit `pyproject.toml`."""

from typing import Any

import pytest

from config import lock
from config.lock import stale

PROJECT: dict[str, Any] = {
    "project": {
        "requires-python": ">=3.11,<3.14",
        "dependencies": ["alpha>=2,<3", "beta>=1; python_version < '3.12'", "beta>=5; python_version >= '3.12'"],
    },
    "dependency-groups": {"dev": ["gamma[extra]>=7"]},
}
RUNTIME = """\
alpha==2.4 \\
    --hash=sha256:aa
    # via fakturabro (pyproject.toml)
beta==1.9 ; python_full_version < '3.12' \\
    --hash=sha256:bb
beta==5.1 ; python_full_version >= '3.12' \\
    --hash=sha256:bc
"""
TOOLS = f"""{RUNTIME}gamma==7.0 \\
    --hash=sha256:cc
only-windows==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:dd
"""


def test_locks_that_fit():
    assert stale(PROJECT, RUNTIME, TOOLS) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda lock: lock.replace("alpha==2.4", "alpha==3.0"),
            [
                f"{lock}: alpha<3,>=2 is wanted on Python {python}, and the lock has 3.0."
                for lock in ("requirements.lock", "requirements-dev.lock")
                for python in ("3.11", "3.12", "3.13")
            ],
        ),
        (
            lambda lock: lock.replace("beta==1.9 ", "delta==1.9 "),
            [
                f'{lock}: beta>=1; python_version < "3.12" is wanted on Python 3.11, and the lock has none.'
                for lock in ("requirements.lock", "requirements-dev.lock")
            ],
        ),
        (
            lambda lock: lock.replace("gamma==7.0", "gamma==6.9"),
            [
                f"requirements-dev.lock: gamma[extra]>=7 is wanted on Python {python}, and the lock has 6.9."
                for python in ("3.11", "3.12", "3.13")
            ],
        ),
    ],
)
def test_lock_that_does_not_fit(change, found):
    assert stale(PROJECT, change(RUNTIME), change(TOOLS)) == found


def test_locks_that_differ_from_each_other():
    assert (
        stale(PROJECT, RUNTIME, TOOLS.replace("alpha==2.4", "alpha==2.5"))
        == ["alpha is 2.4 in requirements.lock and 2.5 in requirements-dev.lock."] * 3
    )


def test_python_that_is_left_out():
    project = {**PROJECT, "project": {**PROJECT["project"], "requires-python": ">=3.12"}}

    assert stale(project, RUNTIME, TOOLS) == ["requires-python leaves out 3.11, for which the lock is checked."]


def test_command_says_that_the_locks_fit(capsys):
    lock.main()
    assert capsys.readouterr().out == "The locks fit pyproject.toml.\n"


def test_command_ends_with_what_is_stale(monkeypatch):
    monkeypatch.setattr(lock, "stale", lambda *_: ["alpha is not locked.", "alpha is not locked."])
    with pytest.raises(SystemExit, match=r"^alpha is not locked\.\nRun `make lock` and commit both locks\.$"):
        lock.main()
