"""Which process is at work, and whether it is still alive: one that is known to be dead need not be waited for.

A lease is the only proof of death that holds between machines. On the same machine the kernel knows at once, and a
killed worker's company goes on with the next one that looks.
"""

import os
from functools import cache
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
DEAD: Final = frozenset("ZX")


def worker_name() -> str:
    """This process, at most 60 characters: where it lives, its number there, and when it started.

    Empty where the system does not tell (it has no /proc): then only leases count.
    """
    return _name(os.getpid())  # a forked child is somebody else


@cache
def _name(pid: int) -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:16]
        namespace = str((PROC / "self/ns/pid").readlink()).strip("pid:[]")
        return f"{boot}.{namespace}:{pid}:{_state_and_start(pid)[1]}"
    except (OSError, ValueError):
        return ""


def is_gone(name: str) -> bool:
    """Whether this worker is known to be dead. One that lives elsewhere, or is nobody, is never known to be."""
    place, _, rest = name.partition(":")
    if not rest or place != worker_name().partition(":")[0]:
        return False
    pid, _, start = rest.partition(":")
    try:
        os.kill(int(pid), 0)  # asks only; files in /proc may be hidden from us, this is not
        state, began = _state_and_start(int(pid))
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's process, or its files are hidden
        return False
    return state in DEAD or began != start


def _state_and_start(pid: int) -> tuple[str, str]:
    """The third and the 22nd word of a process: its state, and its start in ticks since the machine's."""
    words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()  # its name may have blanks
    return words[0], words[19]
