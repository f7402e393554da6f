"""The private world of a rehearsal: a database, a sandbox, a beat and worker processes, all below one folder.

The processes learn where they are from their environment only, as in production.
"""

import contextlib
import math
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
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from integration.management.rehearsal.nursery import Born, Nursery

APPLICATION_KEY: Final = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION_KEY: Final = "sandbox-subscription-key"

COMPRESSED: Final = (
    "GO_CONNECT_TIMEOUT",
    "GO_READ_TIMEOUT",
    "GO_REPLICA_SECONDS",
    "GO_ABSENCE_SECONDS",
    "GO_RETRY_SECONDS",
    "GO_PROBE_SECONDS",
    "CLAIM_LEASE_SECONDS",
)
"""Settings in seconds that are divided by the hurry, as are the pace, the schedule and the sandbox's limit window."""

BEATS: Final = ("beat1", "beat2")
STOP_SECONDS: Final = 10
START_SECONDS: Final = 30

HOUSE: Final = "config.settings_rehearsal"
SANDBOX: Final = "config.settings_sandbox"


class WorldBroken(Exception):
    """A part of the world did not start or died by itself; the message says which, and what it wrote last."""


def new_place() -> Path:
    """A folder name nobody uses yet. Nothing is made."""
    return Path(tempfile.gettempdir()) / f"fakturabro-rehearsal-{os.getpid()}-{secrets.token_hex(4)}"


def private_environment(
    place: Path, *, database_url: str, broker_url: str, hurry: float, own_servers: bool = False
) -> dict[str, str]:
    """The environment of the rehearsal itself: a database that does not exist yet, never the configured one.

    The times are those of this installation, divided by `hurry`.
    """
    if own_servers:
        database_url = f"postgres://postgres@127.0.0.1:{free_port()}/postgres"
        broker_url = f"redis://127.0.0.1:{free_port()}/0"
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
        "GO_PACE_MS": str(math.ceil(settings.GO_PACE_MS / hurry)),
        **{name: str(getattr(settings, name) / hurry) for name in COMPRESSED},
        "LOG_LEVEL": "WARNING",
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_programs() -> dict[str, str]:
    """Where initdb, postgres and redis-server are. Raises WorldBroken when one is missing."""
    folders = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), *os.get_exec_path()]
    found = {name: shutil.which(name, path=os.pathsep.join(folders)) for name in ("initdb", "postgres", "redis-server")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise WorldBroken(f"Not on this machine: {', '.join(missing)}. Install PostgreSQL and Redis.")
    return {name: str(path) for name, path in found.items()}


@dataclass
class Child:
    """A process of ours, leader of its own group, writing into its own file."""

    name: str
    process: subprocess.Popen[bytes] | Born
    log: Path
    started: float = field(default_factory=time.time)

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
    nursery: Nursery | None = None
    workers: list[str] = field(default_factory=list)
    killed_at: list[datetime] = field(default_factory=list)
    beats_killed: int = 0
    deaths: int = 0
    redis_wipes: int = 0
    postgres_restarts: int = 0

    def start(self, name: str, *arguments: str, pass_fds: tuple[int, ...] = (), settings_module: str = HOUSE) -> Child:
        """Run Python with these arguments. What a killed one leaves in its temporary folder goes with our place."""
        return self.run(
            name,
            [sys.executable, *arguments],
            env={**self.environment, "TMPDIR": str(self.place), "DJANGO_SETTINGS_MODULE": settings_module},
            cwd=settings.BASE_DIR,
            pass_fds=pass_fds,
        )

    def run(self, name: str, command: list[str], **options: Any) -> Child:
        """Run a program. Ctrl-C does not reach it: we take it down in order."""
        log = self.place / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - programs of this machine and our own words
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **options,
            )
        self.children[name] = Child(name, process, log)
        return self.children[name]

    def start_worker(self, name: str) -> None:
        """A real Celery worker, one task at a time. It writes its pid file when it is about to take messages."""
        self._pid_file(name).unlink(missing_ok=True)
        self._bear(
            name, "worker", "--concurrency", "1", "--loglevel", "WARNING",
            "--hostname", f"{name}@rehearsal", "--pidfile", str(self._pid_file(name)),
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip

    def _bear(self, name: str, *arguments: str) -> None:
        """A Celery process from the nursery, which is started when the first is wanted."""
        if self.nursery is None:
            ours, theirs = socket.socketpair()
            with theirs:
                module = "integration.management.rehearsal.nursery"
                self.start("nursery", "-m", module, str(theirs.fileno()), pass_fds=(theirs.fileno(),))
            self.nursery = Nursery(ours)
        log = self.place / f"{name}.log"
        process = self.nursery.bear(["--app", "config", *arguments], log)
        self.children[name] = Child(name, process, log)

    def _pid_file(self, name: str) -> Path:
        return self.place / f"{name}.pid"

    def start_background(self, workers: int) -> None:
        """Workers, and two beats that ring for them: one more than there should be."""
        self.workers = [f"worker{number}" for number in range(1, workers + 1)]
        for name in self.workers:
            self.start_worker(name)
        for name in BEATS:
            self.start_beat(name)

    def start_beat(self, name: str) -> None:
        """Rings for sweeps and cycles."""
        self._bear(name, "beat", "--loglevel", "WARNING", "--pidfile=")

    def start_again(self, name: str) -> None:
        """As its keeper does when a process has ended."""
        if name in BEATS:
            self.start_beat(name)
        else:
            self.start_worker(name)

    def look_after(self) -> None:
        """Start workers and beats that died again. Raises WorldBroken when something else is gone."""
        for name, child in list(self.children.items()):
            if child.process.poll() is None:
                continue
            if name not in {*self.workers, *BEATS}:
                raise WorldBroken(f"{name} stopped with status {child.process.returncode}:\n{child.last_words()}")
            self.deaths += 1
            child.kill()
            self.start_again(name)

    def kill_one(self, chance: random.Random, *, up_seconds: float) -> bool:
        """`kill -9` of a worker or beat, or only of the child that works for a worker, where it has one.

        False: none has been up for so long, nobody was killed.
        """
        latest = time.time() - up_seconds
        pid_files = {name: self._pid_file(name) for name in self.workers}
        up = [name for name, file in pid_files.items() if file.exists() and file.stat().st_mtime <= latest]
        up += [name for name in BEATS if self.children[name].started <= latest]
        if not up:
            return False
        name = chance.choice(up)
        at_work = children_of(self.children[name].process.pid)
        if name in BEATS:
            self.beats_killed += 1
        else:
            self.killed_at.append(timezone.now())
        if at_work and chance.random() < 0.5:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(at_work), signal.SIGKILL)
        else:
            self.children[name].kill()
            self.start_again(name)
        return True

    def messages(self) -> tuple[int, int]:
        """How many messages were published, and how many of them twice."""
        told = self.place / "messages"
        marks = told.read_text() if told.exists() else ""
        return len(marks), marks.count("2")

    # --- Servers of our own ---------------------------------------------------------------------------------------

    def start_servers(self) -> None:
        """A PostgreSQL and a Redis with nothing in them, for this world only."""
        programs = server_programs()
        data, owner = self.place / "postgres", {"user": "postgres", "group": "postgres", "extra_groups": []}
        data.mkdir(mode=0o700)
        options: dict[str, Any] = {"cwd": data}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self.place.chmod(0o711)
            shutil.chown(data, "postgres", "postgres")
            options |= owner
        made = self.run(
            "initdb",
            [programs["initdb"], "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"],
            **options,
        )
        if made.process.wait():
            raise WorldBroken(f"The private PostgreSQL cannot be made:\n{made.last_words()}")
        del self.children["initdb"]
        port = urlsplit(os.environ["DATABASE_URL"]).port
        self._postgres = (
            [
                *(programs["postgres"], "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"),
                *("-c", "unix_socket_directories=", "-c", "fsync=off"),  # the machine itself does not fail here
            ],
            options,
        )
        self._redis = [
            programs["redis-server"], "--port", str(urlsplit(os.environ["BROKER_URL"]).port), "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--dir", str(self.place),
        ]  # fmt: skip
        self.run("redis", self._redis)
        self._start_postgres()

    def _start_postgres(self) -> None:
        command, options = self._postgres
        self.run("postgres", command, **options)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with warnings.catch_warnings(action="ignore"), connection._nodb_cursor():
                    return
            except OperationalError as error:
                if time.monotonic() > deadline:
                    raise WorldBroken(
                        f"PostgreSQL does not start:\n{self.children['postgres'].last_words()}"
                    ) from error
            time.sleep(0.1)

    def restart_postgres(self) -> None:
        """Immediate mode: every connection is cut in the middle of whatever it does; the log is replayed."""
        self.postgres_restarts += 1
        postgres = self.children["postgres"].process
        postgres.send_signal(signal.SIGQUIT)
        postgres.wait()
        connections.close_all()
        self._start_postgres()

    def wipe_redis(self, *, away_seconds: float) -> None:
        """Gone, and when it comes back every message in it is lost."""
        self.redis_wipes += 1
        self.children["redis"].kill()
        time.sleep(away_seconds)
        self.run("redis", self._redis)

    def stop(self) -> None:
        """Everybody goes home: asked first, made to after a while. Servers last; PostgreSQL leaves no memory behind."""
        servers = [self.children.pop(name) for name in ("postgres", "redis") if name in self.children]
        for child in self.children.values():
            if child.process.poll() is None:
                child.process.terminate()
        self._wait_for(list(self.children.values()))
        for child in servers:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGQUIT)
        self._wait_for(servers)

    def _wait_for(self, children: list[Child]) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
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
def private_world(place: Path, *, keep: bool, hurry: float, own_servers: bool = False) -> Iterator[World]:
    """Make the world in `place`: database migrated, sandbox serving. Take all of it away afterwards."""
    place.mkdir(mode=0o700)
    world = None
    try:
        with listening_socket() as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            addresses = {"GO_API_URL": f"{url}/v2", "GO_TOKEN_URL": f"{url}/OAuth/Token", "GO_WEB_URL": url}
            world = World(place, url, {**os.environ, **addresses})
            sandbox = world.start("sandbox", "manage.py", "migrate", "--verbosity", "0", settings_module=SANDBOX)
            if own_servers:
                world.start_servers()
            make_database(hurry)
            if sandbox.process.wait():
                raise WorldBroken(f"The sandbox's database cannot be made:\n{sandbox.last_words()}")
            serve_sandbox(world, listener)
        yield world
    finally:
        if not own_servers:
            drop_database()
        connections.close_all()
        if world is not None:
            world.stop()
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


def listening_socket() -> socket.socket:
    """A free port, ours from now on. It answers as soon as the sandbox has taken it over."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def serve_sandbox(world: World, listener: socket.socket) -> None:
    """One process, with threads for the slow answers too; callers queue at the socket until it is ready."""
    world.start(
        "sandbox", "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--workers", "1", "--threads", "32",
        "--log-level", "warning", "integration.sandbox.wsgi:application",
        pass_fds=(listener.fileno(),), settings_module=SANDBOX,
    )  # fmt: skip


def make_database(hurry: float) -> None:
    """The house's private database, migrated, with the schedule that comes with it, `hurry` times as fast.

    What is done at a fixed time of the night is left as it is.
    """
    if connection.vendor != "sqlite":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])}")
    call_command("migrate", verbosity=0)
    every_so_often = PeriodicTask.objects.filter(task__startswith="integration.tasks", interval__isnull=False)
    for task in every_so_often.select_related("interval"):
        seconds = task.interval.schedule.run_every.total_seconds() / hurry
        task.interval = IntervalSchedule.objects.create(
            every=round(seconds * 1_000_000), period=IntervalSchedule.MICROSECONDS
        )
        task.expire_seconds = math.ceil(seconds)
        task.save()


def drop_database() -> None:
    """A private PostgreSQL database goes; a file goes with its folder."""
    connections.close_all()
    if connection.vendor != "sqlite":
        with connection._nodb_cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
