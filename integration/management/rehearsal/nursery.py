"""Where a rehearsal's workers and beats are born: Python, Django and Celery are loaded once, every process is a fork.

Loading takes a worker a second or more of a processor. Where one is killed every other second, nothing else would be
done. What is born is a Celery process as any other: it has opened nothing before the fork.

    python -m integration.management.rehearsal.nursery FD

reads orders from that socket, a line of JSON each, {"log", "arguments"}, and answers each with the process id.
"""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NoReturn

import django
from celery.bin.celery import main

PRELOADED: Final = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "django_celery_beat.schedulers",
    "integration.tasks",
    "integration.management.rehearsal.doubled_messages",
    "kombu.transport.filesystem",
    "kombu.transport.redis",
)


class Nursery:
    """The other end of the socket: what the rehearsal asks."""

    def __init__(self, ours: socket.socket) -> None:
        self._lines: IO[str] = ours.makefile("rw")

    def bear(self, arguments: list[str], log: Path) -> "Born":
        """A `celery` of these arguments that writes into `log`, leader of its own group."""
        self._lines.write(json.dumps({"arguments": arguments, "log": str(log)}) + "\n")
        self._lines.flush()
        return Born(int(self._lines.readline()))


@dataclass
class Born:
    """A process that is not our child but our nursery's; as much of `subprocess.Popen` as the world needs."""

    pid: int
    returncode: int | None = None
    """How it ended is not told: 0 for any end."""

    def poll(self) -> int | None:
        if self.returncode is None and not is_there(self.pid):
            self.returncode = 0
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def serve(orders: socket.socket) -> None:
    """Until nobody is there to order. Raises nothing of the born: they end by themselves."""
    django.setup()
    for module in PRELOADED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has ended is gone at once
    lines = orders.makefile("rw")
    while line := lines.readline():
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            orders.close()
            be(order)
        os.setpgid(pid, pid)  # before anybody can be told of it; the child does the same
        lines.write(f"{pid}\n")
        lines.flush()


def be(order: dict[str, Any]) -> NoReturn:
    """From here on a `celery` that somebody has started."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    for descriptor, path, flags in ((0, os.devnull, os.O_RDONLY), (1, order["log"], os.O_WRONLY | os.O_APPEND)):
        opened = os.open(path, flags | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.dup2(1, 2)
    sys.argv = ["celery", *order["arguments"]]
    sys.exit(main())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
