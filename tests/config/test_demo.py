"""The watch over the demo's processes, with small stand-ins; `.ci/run` starts the real ones."""

import io
import os
import socket
import sys

import pytest

from config import demo

SAYS_READY = "print('stand-in ready.', flush=True); signal.pause()"
RUNS_ON = [sys.executable, "-c", f"import signal; {SAYS_READY}"]
ENDS = [sys.executable, "-c", "raise SystemExit(3)"]
STUBBORN = [sys.executable, "-c", f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SAYS_READY}"]


def process(name: str, command: list[str], *, restart: bool) -> demo.Process:
    return demo.Process(name, command, dict(os.environ), restart, says_when_ready="ready.")


@pytest.fixture
def house():
    """A demo without processes; whatever a test starts is ended."""
    house = demo.Demo(0, 0, demo.Screen(io.StringIO()))
    house.processes = []
    yield house
    for each in house.processes:
        each.kill()


def said(house: demo.Demo) -> list[str]:
    lines: list[str] = house.screen.out.getvalue().splitlines()  # type: ignore[attr-defined] # a StringIO
    return [line.removeprefix("demo    | ") for line in lines if line.startswith("demo")]


def run(house: demo.Demo, *processes: demo.Process) -> None:
    house.processes = list(processes)
    for each in processes:
        each.start(house.screen)


def ended(each: demo.Process) -> None:
    assert each.popen
    each.popen.wait(timeout=30)


def test_worker_that_ends_is_started_again(house):
    worker = process("worker1", ENDS, restart=True)
    run(house, worker)
    ended(worker)
    worker.command = RUNS_ON

    assert house.look_after_processes()
    assert worker.ready.wait(timeout=30)
    assert worker.exit_status() is None
    assert said(house) == ["worker1 has ended by itself (status 3) and is started again. Nothing is lost."]


def test_worker_that_ends_again_and_again_ends_the_demo(house):
    worker = process("worker1", ENDS, restart=True)
    run(house, worker)
    went_on = []
    for _ in range(demo.RESTARTS_PER_MINUTE + 1):
        ended(worker)
        went_on.append(house.look_after_processes())

    assert went_on == [True, True, True, False]
    assert said(house)[-1] == "worker1 ends again and again (status 3). Everything stops."


def test_web_that_ends_ends_the_demo(house):
    web = process("web", ENDS, restart=False)
    run(house, web)
    ended(web)

    assert not house.look_after_processes()
    assert said(house) == ["web has ended by itself (status 3). Everything stops."]


def test_stop_ends_every_process(house):
    web, worker = process("web", RUNS_ON, restart=False), process("worker1", RUNS_ON, restart=True)
    run(house, web, worker)
    assert web.ready.wait(timeout=30)
    assert worker.ready.wait(timeout=30)

    house.stop()

    assert (web.exit_status(), worker.exit_status()) == (-15, -15)


def test_stop_kills_what_does_not_end_in_time(house, monkeypatch):
    worker = process("worker1", STUBBORN, restart=True)
    run(house, worker)
    assert worker.ready.wait(timeout=30)
    monkeypatch.setattr(demo, "GRACE", 0)

    house.stop()

    assert worker.exit_status() == -9


def test_lines_carry_the_name_of_who_says_them():
    screen = demo.Screen(io.StringIO())
    screen.show("web", "Hello")

    assert screen.out.getvalue() == "web     | Hello\n"  # type: ignore[attr-defined] # a StringIO


def test_busy_port_is_one_sentence():
    with socket.create_server((demo.HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            demo.refuse_busy_port(port, "SANDBOX_PORT")

    assert refused.value.code == (
        f"Port {port} cannot be used (Address already in use). Stop the program that has it, or choose another port: "
        f"make demo SANDBOX_PORT={port + 1}"
    )


@pytest.mark.parametrize("value", ["abc", "0", "65536", "-1"])
def test_port_that_is_none_is_one_sentence(value, monkeypatch):
    monkeypatch.setenv("PORT", value)
    with pytest.raises(SystemExit) as refused:
        demo.chosen_port("PORT", 8000)

    assert refused.value.code == f"PORT={value} is not a port. Choose a number between 1024 and 65535."


def test_second_demo_on_the_same_data_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "VAR_DIR", tmp_path / "var")
    with demo.hold_data(), pytest.raises(SystemExit) as refused, demo.hold_data():
        pass

    assert refused.value.code == "A demo is running on this data. Stop it with Ctrl-C where it runs, then try again."
    with demo.hold_data():
        pass


def test_reset_throws_away_the_data_of_the_demo_only(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "VAR_DIR", tmp_path)
    for name in ("fakturabro.sqlite3", "fakturabro.sqlite3-wal", "sandbox.sqlite3", "somebody-elses.sqlite3"):
        (tmp_path / name).touch()
    (tmp_path / "broker" / "fakturabro").mkdir(parents=True)

    demo.reset()

    assert [path.name for path in tmp_path.iterdir()] == ["somebody-elses.sqlite3"]


def test_everything_of_the_demo_is_on_this_machine_and_under_var(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://the-real-one")
    environment = demo.demo_environment(8001, 8011)

    assert {
        name: environment[name] for name in ("ENVIRONMENT", "BROKER_URL", "GO_API_URL", "GO_TOKEN_URL", "GO_WEB_URL")
    } == {
        "ENVIRONMENT": "development",
        "BROKER_URL": "filesystem://",
        "GO_API_URL": "http://127.0.0.1:8011/v2",
        "GO_TOKEN_URL": "http://127.0.0.1:8011/OAuth/Token",
        "GO_WEB_URL": "http://127.0.0.1:8011",
    }
    assert environment["DATABASE_URL"] == f"sqlite:///{demo.VAR_DIR}/fakturabro.sqlite3"
    assert environment["SANDBOX_DATABASE_URL"] == f"sqlite:///{demo.VAR_DIR}/sandbox.sqlite3"
