"""The watch over the demo's processes, with small stand-ins; `.ci/run` starts the real ones."""

import http.server
import io
import os
import signal
import socket
import sys
import threading

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


class Answers(http.server.BaseHTTPRequestHandler):
    """Says 200 to everything, in silence."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def open_house(house, monkeypatch):
    """A demo whose two ports answer, run as a person runs it; the signals are given back."""
    server = http.server.ThreadingHTTPServer((demo.HOST, 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    house.port = house.sandbox_port = server.server_port
    monkeypatch.setattr(demo, "LOOK_EVERY", 0.01)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield house
    for number, handler in handlers.items():
        signal.signal(number, handler)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("hang_up", [signal.SIG_DFL, signal.SIG_IGN], ids=["terminal", "nohup"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_runs_until_ctrl_c(open_house, number, hang_up):
    signal.signal(signal.SIGHUP, hang_up)
    worker = process("worker1", RUNS_ON, restart=True)
    silent = demo.Process("beat", RUNS_ON, dict(os.environ), restart=True)
    open_house.processes = [worker, silent]
    looked = threading.Event()
    watch = open_house.look_after_processes

    def ctrl_c_once_it_watches():
        if "Everything answers." in said(open_house) and not looked.is_set():
            looked.set()
            os.kill(os.getpid(), number)
        return watch()

    open_house.look_after_processes = ctrl_c_once_it_watches

    assert open_house.run("Log in as kari@example.no") is True
    assert (worker.exit_status(), silent.exit_status()) == (-15, -15)
    address = f"http://127.0.0.1:{open_house.port}/"
    assert said(open_house)[:5] == [
        "",
        "Everything answers.",
        f"  Fakturabro                   {address}",
        f"  PowerOffice Go (a sandbox)   {address}",
        "  Log in as kari@example.no",
    ]
    assert (signal.getsignal(signal.SIGHUP) is signal.SIG_IGN) == (hang_up is signal.SIG_IGN)


def test_demo_ends_when_what_it_cannot_do_without_ends_before_it_is_ready(open_house):
    open_house.processes = [process("web", ENDS, restart=False)]

    assert open_house.run("") is False
    assert said(open_house)[0] == "web has ended by itself (status 3). Everything stops."


def test_demo_ends_when_what_it_cannot_do_without_ends_later(open_house):
    web = process("web", RUNS_ON, restart=False)
    open_house.processes = [web]
    watch = open_house.look_after_processes

    def kill_once_it_watches():
        if "Everything answers." in said(open_house) and web.exit_status() is None:
            web.kill()
        return watch()

    open_house.look_after_processes = kill_once_it_watches

    assert open_house.run("") is False
    assert "web has ended by itself (status -9). Everything stops." in said(open_house)


def test_demo_that_does_not_answer_in_time_says_what_is_missing(house, monkeypatch):
    with socket.create_server((demo.HOST, 0)) as free:
        house.port = house.sandbox_port = free.getsockname()[1]
    monkeypatch.setattr(demo, "READY_WITHIN", 0)

    assert house.wait_until_ready("") is False
    assert said(house) == [
        (
            f"No answer from the admin on port {house.port} and the sandbox on port {house.port}. "
            "The lines above say why. Everything stops."
        )
    ]


def test_ctrl_c_before_it_is_ready_is_heard(house):
    house.stopping.set()

    assert house.wait_until_ready("") is True


def test_nobody_answers_on_a_free_port():
    with socket.create_server((demo.HOST, 0)) as free:
        port = free.getsockname()[1]

    assert demo.answers(port, "/") is False


def test_a_process_that_ended_is_neither_asked_nor_started_again_while_stopping(house):
    web, never = process("web", ENDS, restart=False), process("beat", ENDS, restart=True)
    run(house, web)
    ended(web)
    house.processes.append(never)
    house.stopping.set()

    assert house.look_after_processes()
    house.stop()
    assert (web.exit_status(), never.exit_status()) == (3, None)


def test_what_manage_says_and_what_it_cannot_do(capfd):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test"}

    assert demo.manage(environment, "version").startswith("5.")
    with pytest.raises(SystemExit) as refused:
        demo.manage(environment, "dance")

    assert refused.value.code == ("manage.py dance failed; the lines above say why. make demo-reset starts over.")
    assert "Unknown command" in capfd.readouterr().err


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


def test_lines_are_coloured_where_a_person_looks():
    screen = demo.Screen(io.StringIO())
    screen.coloured = True
    screen.show("web", "Hello")

    assert screen.out.getvalue() == "\x1b[36mweb     |\x1b[0m Hello\n"  # type: ignore[attr-defined] # a StringIO


def test_busy_port_is_one_sentence():
    with socket.create_server((demo.HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            demo.refuse_busy_port(port, "SANDBOX_PORT")

    assert refused.value.code == (
        f"Port {port} cannot be used (Address already in use). Stop the program that has it, or choose another port: "
        f"make demo SANDBOX_PORT={port + 1}"
    )


def test_port_of_the_environment(monkeypatch):
    monkeypatch.setenv("PORT", "8123")

    assert demo.chosen_port("PORT", 8000) == 8123


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
