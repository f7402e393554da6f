"""The private world of a rehearsal: a database, a sandbox, a beat and worker processes, all below one folder.

The processes learn where they are from their environment only, as in production.
"""

import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask

APPLICATION_KEY: Final = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION_KEY: Final = "sandbox-subscription-key"

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 2
LEASE_SECONDS: Final = 6
"""Longer than connecting and reading together can take, as it must be."""
LATE_SECONDS: Final = 3
"""A slow request of the sandbox: longer than we wait, and written down after we gave up."""
REPLICA_SECONDS: Final = 1
ABSENCE_SECONDS: Final = 8
"""Longer than a request that we gave up on can still be written down."""

SWEEP_SECONDS: Final = 1
CYCLE_SECONDS: Final = 3

STOP_SECONDS: Final = 10

HOUSE: Final = "config.settings"
SANDBOX: Final = "config.settings_sandbox"


class WorldBroken(Exception):
    """A part of the world did not start or died by itself; the message says which, and what it wrote last."""


def new_place() -> Path:
    """A folder name nobody uses yet. Nothing is made."""
    return Path(tempfile.gettempdir()) / f"fakturabro-rehearsal-{os.getpid()}-{secrets.token_hex(4)}"


def private_environment(place: Path, *, database_url: str, broker_url: str) -> dict[str, str]:
    """The environment of the rehearsal itself: a database that does not exist yet, never the configured one."""
    if database_url:
        parts = urlsplit(database_url)
        private_url = urlunsplit(parts._replace(path=f"/{place.name.replace('-', '_')}"))
    else:
        private_url = f"sqlite:///{place / 'house.sqlite3'}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": HOUSE,
        "ENVIRONMENT": "development",
        "DATABASE_URL": private_url,
        "SANDBOX_DATABASE_URL": f"sqlite:///{place / 'sandbox.sqlite3'}",
        "BROKER_URL": broker_url or "filesystem://",
        "BROKER_DIR": str(place / "broker"),
        "GO_APPLICATION_KEY": APPLICATION_KEY,
        "GO_SUBSCRIPTION_KEY": SUBSCRIPTION_KEY,
        "GO_PACE_MS": "102",
        "GO_CONNECT_TIMEOUT": str(CONNECT_SECONDS),
        "GO_READ_TIMEOUT": str(READ_SECONDS),
        "GO_REPLICA_SECONDS": str(REPLICA_SECONDS),
        "GO_ABSENCE_SECONDS": str(ABSENCE_SECONDS),
        "CLAIM_LEASE_SECONDS": str(LEASE_SECONDS),
        "LOG_LEVEL": "WARNING",
    }


@dataclass
class Child:
    """A process of ours, leader of its own group, writing into its own file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        """The end of what it wrote."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def kill(self) -> None:
        """`kill -9` of the process and everything below it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class World:
    """What runs. Made by `private_world`, which also takes it down."""

    place: Path
    url: str
    environment: Mapping[str, str]
    children: dict[str, Child] = field(default_factory=dict)
    workers: list[str] = field(default_factory=list)
    kills: int = 0
    deaths: int = 0

    def start(self, name: str, *arguments: str, pass_fds: tuple[int, ...] = (), settings_module: str = HOUSE) -> Child:
        """Run Python with these arguments. Ctrl-C does not reach it: we take it down in order."""
        log = self.place / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env={**self.environment, "DJANGO_SETTINGS_MODULE": settings_module},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        self.children[name] = Child(name, process, log)
        return self.children[name]

    def start_worker(self, name: str) -> None:
        """A real Celery worker, one task at a time. It writes its pid file when it is about to take messages."""
        self._pid_file(name).unlink(missing_ok=True)
        self.start(
            name, "-m", "celery", "--app", "config", "worker", "--concurrency", "1", "--loglevel", "WARNING",
            "--hostname", f"{name}@rehearsal", "--pidfile", str(self._pid_file(name)),
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip

    def _pid_file(self, name: str) -> Path:
        return self.place / f"{name}.pid"

    def start_background(self, workers: int) -> None:
        """Workers, and the beat that rings for them."""
        self.workers = [f"worker{number}" for number in range(1, workers + 1)]
        for name in self.workers:
            self.start_worker(name)
        self.start("beat", "-m", "celery", "-A", "config", "beat", "--loglevel", "WARNING", "--pidfile=")

    def look_after(self) -> None:
        """Start workers that died again. Raises WorldBroken when the sandbox or the beat is gone."""
        for name, child in list(self.children.items()):
            if child.process.poll() is None:
                continue
            if name not in self.workers:
                raise WorldBroken(f"{name} stopped with status {child.process.returncode}:\n{child.last_words()}")
            self.deaths += 1
            child.kill()
            self.start_worker(name)

    def kill_one(self, chance: random.Random, *, up_seconds: float) -> bool:
        """`kill -9` of a worker, or only of the child that works for it, where it has one (Celery makes a new one).

        False: no worker has been up for so long, nobody was killed.
        """
        latest = time.time() - up_seconds
        pid_files = {name: self._pid_file(name) for name in self.workers}
        up = [name for name, file in pid_files.items() if file.exists() and file.stat().st_mtime <= latest]
        if not up:
            return False
        name = chance.choice(up)
        at_work = children_of(self.children[name].process.pid)
        self.kills += 1
        if at_work and chance.random() < 0.5:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(at_work), signal.SIGKILL)
        else:
            self.children[name].kill()
            self.start_worker(name)
        return True

    def stop(self) -> None:
        """Everybody goes home: asked first, made to after a while."""
        for child in self.children.values():
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            child.kill()


def children_of(parent: int) -> list[int]:
    """The processes that this one started."""
    everybody = ["ps", "-A", "-o", "pid=,ppid="]
    listing = subprocess.run(everybody, capture_output=True, text=True, check=True).stdout  # noqa: S603 - POSIX
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, ppid in rows if int(ppid) == parent]


@contextlib.contextmanager
def private_world(place: Path, *, keep: bool) -> Iterator[World]:
    """Make the world in `place`: database migrated, sandbox serving. Take all of it away afterwards."""
    place.mkdir(mode=0o700)
    world = None
    try:
        with listening_socket() as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            addresses = {"GO_API_URL": f"{url}/v2", "GO_TOKEN_URL": f"{url}/OAuth/Token", "GO_WEB_URL": url}
            world = World(place, url, {**os.environ, **addresses})
            sandbox = world.start("sandbox", "manage.py", "migrate", "--verbosity", "0", settings_module=SANDBOX)
            make_database()
            if sandbox.process.wait():
                raise WorldBroken(f"The sandbox's database cannot be made:\n{sandbox.last_words()}")
            serve_sandbox(world, listener)
        yield world
    finally:
        if world is not None:
            world.stop()
        drop_database()
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


def listening_socket() -> socket.socket:
    """A free port, ours from now on. It answers as soon as the sandbox has taken it over."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def serve_sandbox(world: World, listener: socket.socket) -> None:
    """One process with threads; callers queue at the socket until it is ready."""
    world.start(
        "sandbox", "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--workers", "1", "--threads", "8",
        "--log-level", "warning", "integration.sandbox.wsgi:application",
        pass_fds=(listener.fileno(),), settings_module=SANDBOX,
    )  # fmt: skip


def make_database() -> None:
    """The house's private database, migrated, with a schedule for the impatient."""
    if connection.vendor != "sqlite":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])}")
    call_command("migrate", verbosity=0)
    for task, seconds in (
        ("integration.tasks.sweep", SWEEP_SECONDS),
        ("integration.tasks.start_cycles", CYCLE_SECONDS),
    ):
        interval = IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.filter(task=task).update(interval=interval, expire_seconds=seconds)


def drop_database() -> None:
    """A private PostgreSQL database goes; a file goes with its folder."""
    connections.close_all()
    if connection.vendor != "sqlite":
        with connection._nodb_cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
