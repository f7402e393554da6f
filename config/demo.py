"""The whole house on one machine, in one foreground command: web, workers, beat, and the sandbox of PowerOffice Go.

`make demo` runs it. Everything listens on 127.0.0.1 only, and everything it keeps is under `var/`: a second start goes
on with the same data, `make demo-reset` throws it away. Production runs the same processes under a supervisor
(`deploy/`).
"""

import argparse
import fcntl
import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

import environ

BASE_DIR: Final = Path(__file__).resolve().parent.parent
VAR_DIR: Final = BASE_DIR / "var"
HOST: Final = "127.0.0.1"
LOOK_EVERY: Final = 0.1
"""Seconds between two looks at processes and URLs."""
READY_WITHIN: Final = 120
"""Seconds that everything has to answer in; a slow machine compiles all byte code in this time."""
GRACE: Final = 10
"""Seconds a process has to finish what it is doing before it is killed; what is cut off is settled after a restart."""
RESTARTS_PER_MINUTE: Final = 3

env = environ.Env()


@dataclass
class Process:
    """One of them. `restart`: it is started again when it ends by itself; without it, the demo ends."""

    name: str
    command: list[str]
    environment: dict[str, str]
    restart: bool
    says_when_ready: str = ""
    ready: threading.Event = field(default_factory=threading.Event)
    started_at: list[float] = field(default_factory=list)
    popen: subprocess.Popen[str] | None = None

    def start(self, screen: "Screen") -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches it through us only."""
        self.started_at.append(time.monotonic())
        self.popen = subprocess.Popen(  # noqa: S603 - the commands are written below
            self.command,
            cwd=BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self.popen, screen), daemon=True).start()

    def _listen(self, popen: subprocess.Popen[str], screen: "Screen") -> None:
        with popen.stdout or io.StringIO() as lines:
            for line in lines:
                screen.show(self.name, line.rstrip())
                if self.says_when_ready and self.says_when_ready in line:
                    self.ready.set()

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self.popen.poll() if self.popen else None

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself; it stops its own helpers in good order."""
        if self.popen and self.popen.poll() is None:
            self.popen.terminate()

    def kill(self) -> None:
        """Whatever is left of its group."""
        if self.popen:
            try:
                os.killpg(self.popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.popen.wait()

    def restarts_too_often(self) -> bool:
        """It ended by itself again and again within the last minute."""
        return sum(at > time.monotonic() - 60 for at in self.started_at) > RESTARTS_PER_MINUTE


class Screen:
    """Lines of several processes, one at a time, each with the name of who says it."""

    COLOURS: Final = {"web": 36, "worker1": 32, "worker2": 34, "beat": 35, "sandbox": 33, "demo": 1}

    def __init__(self, out: TextIO) -> None:
        """Coloured only where a person looks."""
        self.out = out
        self.coloured = out.isatty()
        self.lock = threading.Lock()

    def show(self, name: str, line: str) -> None:
        """Write one line."""
        prefix = f"{name:<7} |"
        if self.coloured:
            prefix = f"\x1b[{self.COLOURS[name]}m{prefix}\x1b[0m"
        with self.lock:
            self.out.write(f"{prefix} {line}\n")
            self.out.flush()


def demo_environment(port: int, sandbox_port: int) -> dict[str, str]:
    """The demo's own databases, broker and remote, whatever a `.env` says: what is set here wins over that file."""
    return {
        **os.environ,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{VAR_DIR / 'fakturabro.sqlite3'}",
        "SANDBOX_DATABASE_URL": f"sqlite:///{VAR_DIR / 'sandbox.sqlite3'}",
        "BROKER_URL": "filesystem://",
        "BROKER_DIR": str(VAR_DIR / "broker"),
        "GO_API_URL": f"http://{HOST}:{sandbox_port}/v2",
        "GO_TOKEN_URL": f"http://{HOST}:{sandbox_port}/OAuth/Token",
        "GO_WEB_URL": f"http://{HOST}:{sandbox_port}",
        "CSRF_TRUSTED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
        "LOG_LEVEL": "INFO",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "no_proxy": f"{HOST},localhost",
    }


def all_processes(port: int, sandbox_port: int) -> list[Process]:
    """The sandbox first: it is asked by the others. Two workers, so that one company does not wait for another."""
    environment = demo_environment(port, sandbox_port)
    gunicorn = [sys.executable, "-m", "gunicorn", "--graceful-timeout", "3", "--no-control-socket", "--threads", "8"]
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "config"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Process(
            name="sandbox",
            command=[*gunicorn, "--bind", f"{HOST}:{sandbox_port}", "integration.sandbox.wsgi:application"],
            environment={**environment, "DJANGO_SETTINGS_MODULE": "config.settings_sandbox"},
            restart=False,
        ),
        Process(
            name="web",
            command=[*gunicorn, "--bind", f"{HOST}:{port}", "config.wsgi:application"],
            environment=environment,
            restart=False,
        ),
        *(
            Process(
                name=name,
                command=[*celery, "worker", "--hostname", f"{name}@%h", "--loglevel", "INFO", *quiet],
                environment=environment,
                restart=True,
                says_when_ready=" ready.",
            )
            for name in ("worker1", "worker2")
        ),
        Process(
            name="beat",
            command=[*celery, "beat", "--loglevel", "INFO", "--pidfile="],
            environment=environment,
            restart=True,
        ),
    ]


def refuse_busy_port(port: int, variable: str) -> None:
    """Ends with one sentence when another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(
                f"Port {port} cannot be used ({error.strerror}). Stop the program that has it, or choose another port: "
                f"make demo {variable}={port + 1}"
            )


def chosen_port(variable: str, default: int) -> int:
    """A port from the environment. Ends with one sentence when it is none."""
    value = env.str(variable, default=str(default))
    if not (value.isdecimal() and 0 < int(value) < 65536):
        sys.exit(f"{variable}={value} is not a port. Choose a number between 1024 and 65535.")
    return int(value)


@contextmanager
def hold_data() -> Iterator[None]:
    """Only one demo at a time on `var/`; the hold ends with this process. Ends with one sentence when there is one."""
    VAR_DIR.mkdir(exist_ok=True)
    with (VAR_DIR / "demo.lock").open("w") as hold:
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("A demo is running on this data. Stop it with Ctrl-C where it runs, then try again.")
        yield


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a command of manage.py says. Ends with one sentence when it fails."""
    done = subprocess.run(  # noqa: S603 - the commands are written below
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stdout.write(done.stdout)
        sys.exit(f"manage.py {' '.join(arguments)} failed; the lines above say why. make demo-reset starts over.")
    return done.stdout


def answers(port: int, path: str) -> bool:
    """Does something answer there with 200?"""
    link = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        link.request("GET", path)
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


class Demo:
    """Starts the processes, watches over them, and stops them."""

    def __init__(self, port: int, sandbox_port: int, screen: Screen) -> None:
        """Nothing is started yet."""
        self.port, self.sandbox_port, self.screen = port, sandbox_port, screen
        self.processes = all_processes(port, sandbox_port)
        self.stopping = threading.Event()

    def say(self, sentence: str) -> None:
        """A line of our own."""
        self.screen.show("demo", sentence)

    def run(self, log_ins: str) -> bool:
        """Until Ctrl-C. True when that is how it ended."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, lambda *_: self.stopping.set())
        try:
            for process in self.processes:
                process.start(self.screen)
            return self.wait_until_ready(log_ins) and self.watch()
        finally:
            self.stop()

    def wait_until_ready(self, log_ins: str) -> bool:
        """Polls until both URLs and the workers answer, then says where to go. False when one does not."""
        waiting = {
            f"the admin on port {self.port}": lambda: answers(self.port, "/admin/login/"),
            f"the sandbox on port {self.sandbox_port}": lambda: answers(self.sandbox_port, "/_control/clock"),
            **{process.name: process.ready.is_set for process in self.processes if process.says_when_ready},
        }
        deadline = time.monotonic() + READY_WITHIN
        while waiting:
            if time.monotonic() > deadline:
                self.say(f"No answer from {' and '.join(waiting)}. The lines above say why. Everything stops.")
                return False
            if not self.look_after_processes():
                return False
            if self.stopping.wait(LOOK_EVERY):
                return True
            waiting = {name: is_ready for name, is_ready in waiting.items() if not is_ready()}
        self.say("")
        self.say("Everything answers.")
        self.say(f"  Fakturabro                   http://{HOST}:{self.port}/")
        self.say(f"  PowerOffice Go (a sandbox)   http://{HOST}:{self.sandbox_port}/")
        for line in log_ins.splitlines():
            self.say(f"  {line}")
        self.say("README.md has a tour of ten minutes. Ctrl-C stops everything; the data stays.")
        self.say("")
        return True

    def watch(self) -> bool:
        """Until Ctrl-C (True), or until something ends that the demo cannot do without (False)."""
        while not self.stopping.wait(LOOK_EVERY):
            if not self.look_after_processes():
                return False
        return True

    def look_after_processes(self) -> bool:
        """Start what has ended again, if it may be. False when the demo cannot go on."""
        for process in self.processes:
            status = process.exit_status()
            if status is None or self.stopping.is_set():
                continue
            process.kill()  # helpers that a killed process leaves behind
            if not process.restart:
                self.say(f"{process.name} has ended by itself (status {status}). Everything stops.")
                return False
            if process.restarts_too_often():
                self.say(f"{process.name} ends again and again (status {status}). Everything stops.")
                return False
            self.say(f"{process.name} has ended by itself (status {status}) and is started again. Nothing is lost.")
            process.start(self.screen)
        return True

    def stop(self) -> None:
        """Ask all, wait for the grace time, kill what is left."""
        self.stopping.clear()
        self.say("Stopping. A second Ctrl-C does not wait for what is under way.")
        for process in self.processes:
            process.ask_to_stop()
        deadline = time.monotonic() + GRACE
        while any(process.popen and process.exit_status() is None for process in self.processes):
            if time.monotonic() > deadline or self.stopping.wait(LOOK_EVERY):
                break
        for process in self.processes:
            process.kill()
        self.say("Everything has stopped. The data stays: make demo goes on with it, make demo-reset starts over.")


def reset() -> None:
    """Throw the demo's data away."""
    for path in [*VAR_DIR.glob("fakturabro.sqlite3*"), *VAR_DIR.glob("sandbox.sqlite3*")]:
        path.unlink()
    shutil.rmtree(VAR_DIR / "broker", ignore_errors=True)


def main() -> None:  # pragma: no cover - .ci/run starts the real demo from nothing
    """The command line: nothing, or --reset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reset", action="store_true", help="only throw the demo's data away")
    resetting = parser.parse_args().reset
    screen = Screen(sys.stdout)
    if resetting:
        with hold_data():
            reset()
        screen.show("demo", "The demo's data is gone. make demo starts over.")
        return
    port, sandbox_port = chosen_port("PORT", 8000), chosen_port("SANDBOX_PORT", 8010)
    if port == sandbox_port:
        sys.exit(f"PORT and SANDBOX_PORT are both {port}. Choose two different ports.")
    refuse_busy_port(port, "PORT")
    refuse_busy_port(sandbox_port, "SANDBOX_PORT")
    with hold_data():
        environment = demo_environment(port, sandbox_port)
        screen.show("demo", "Preparing the two databases and the demo data.")
        manage(environment, "migrate", "--verbosity", "0")
        manage({**environment, "DJANGO_SETTINGS_MODULE": "config.settings_sandbox"}, "migrate", "--verbosity", "0")
        log_ins = manage(environment, "demo_data")
        stopped_by_a_person = Demo(port, sandbox_port, screen).run(log_ins)
    sys.exit(0 if stopped_by_a_person else 1)


if __name__ == "__main__":
    main()
