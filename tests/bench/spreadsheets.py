"""Benchmarks of large spreadsheets: speed against row by row, memory, and a kill in the middle.

Work is done in child processes, each on a database of its own beside the one that DATABASE_URL names (PostgreSQL, or
a file of SQLite); memory is the child's own peak as the kernel saw it (VmHWM;
`ru_maxrss` would begin with the parent's).
"""

import csv
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
import xlsxwriter
from psycopg import sql

from integration.management.rehearsal.world import World

MANY: Final = 100_000
FEW: Final = 10_000
SAMPLE: Final = 2_000
"""Rows saved one by one, as a sample: 100 000 would take minutes, and each costs the same."""

FASTER: Final = 5.0
MORE_MEMORY_MB: Final = 20.0

HEADINGS: Final = ("Kundenr", "Navn", "E-post", "Telefon", "Adresse", "Postnr", "Sted", "Betalingsfrist")


def row(number: int) -> tuple[int | str, ...]:
    """A customer like those that bookkeepers have."""
    return (
        number,
        f"Fjellheim Hytteutleie {number} AS",
        f"post{number}@fjellheim.example.no",
        "22334455",
        f"Fjellveien {number % 200 + 1}",
        "0785",
        "Oslo",
        14,
    )


def write_file(path: Path, many: int) -> None:
    """A file of so many customers: CSV as Excel in Norway saves it, or XLSX with shared strings as Excel does."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as out:
            writer = csv.writer(out, delimiter=";")
            writer.writerow(HEADINGS)
            writer.writerows(row(number) for number in range(1, many + 1))
        return
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Kunder")
        sheet.write_row(0, 0, HEADINGS)
        for number in range(1, many + 1):
            sheet.write_row(number, 0, row(number))


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """An empty database of ours, and the environment for processes that use it. Gone at the end."""
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="bench_spreadsheets_") as folder:
        if not url.startswith("postgres"):
            yield migrated({**os.environ, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3"})
            return
        name = f"bench_spreadsheets_{secrets.token_hex(4)}"
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield migrated({**os.environ, "DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/{name}"))})
            finally:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def migrated(environment: dict[str, str]) -> dict[str, str]:
    """The environment, once its database has its tables."""
    environment = {**environment, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], env=environment, check=True)
    return environment


def start(environment: dict[str, str], *command: str) -> subprocess.Popen[str]:
    """A child at its work."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.spreadsheet_work", *command],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def child(environment: dict[str, str], *command: str) -> dict[str, Any]:
    """What a child printed. Raises CalledProcessError when it failed."""
    with start(environment, *command) as process:
        said, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


# --- The benchmarks -------------------------------------------------------------------------------------------------


def import_speed(kind: str = "csv") -> dict[str, Any]:
    """Rows per second: read, checked and written in the background, against the same rows saved one by one."""
    with database() as environment, tempfile.TemporaryDirectory() as folder:
        sample, whole = Path(folder, f"sample.{kind}"), Path(folder, f"whole.{kind}")
        write_file(sample, SAMPLE)
        one_by_one = child(environment, "one_by_one", str(sample))
        write_file(whole, MANY)
        ours = child(environment, "import_file", str(whole))
    times = (one_by_one["seconds"] / SAMPLE) / (ours["seconds"] / MANY)
    return {
        "figure": f"import of {MANY} customers ({kind}), checked and written, against saving row by row",
        "value": round(times, 1),
        "unit": "times as fast",
        "limit": FASTER,
        "ok": times >= FASTER and ours["rows"] == MANY,
        "rows_a_second": round(MANY / ours["seconds"]),
        "seconds": {state: round(spent, 1) for state, spent in ours["each"].items()},
        "times_without_the_check_before_the_confirmation": round(
            (one_by_one["seconds"] / SAMPLE) / (ours["each"]["CHECKED"] / MANY), 1
        ),
        "row_by_row_sample": SAMPLE,
        "row_by_row_a_second": round(SAMPLE / one_by_one["seconds"]),
        "row_by_row_without_rules_a_second": round(SAMPLE / one_by_one["bare"]),
    }


def memory(what: str, kind: str) -> dict[str, Any]:
    """How much more memory the large file takes than the small one, in a process of its own each."""
    peaks = {}
    for many in (FEW, MANY):
        with database() as environment, tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"file.{kind}")
            if what == "export":
                child(environment, "fill", str(many))
            else:
                write_file(path, many)
            peaks[many] = child(environment, "export" if what == "export" else "import_file", str(path))["peak_mb"]
    more = peaks[MANY] - peaks[FEW]
    return {
        "figure": f"{what} ({kind}), memory of {MANY} rows above that of {FEW}",
        "value": round(more, 1),
        "unit": "MB",
        "limit": MORE_MEMORY_MB,
        "ok": more <= MORE_MEMORY_MB,
        "peaks_mb": {str(many): round(peak, 1) for many, peak in peaks.items()},
    }


def kill_and_resume(kills: int = 12) -> dict[str, Any]:
    """Workers killed with SIGKILL while they read, check and write; what is there in the end, and how often."""
    with database() as environment, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        write_file(path, FEW)
        # A lease must outlast a call to Go; here nobody calls.
        briefly = {**environment, "CLAIM_LEASE_SECONDS": "1", "GO_CONNECT_TIMEOUT": "0.1", "GO_READ_TIMEOUT": "0.1"}
        child(briefly, "begin_upload", str(path))
        killed = 0
        while True:
            process = start(briefly, "work")
            seconds = 1.2 + 0.35 * (killed % 6)
            try:
                said, _ = process.communicate(timeout=seconds if killed < kills else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed += 1
                continue
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, "work")
            if json.loads(said.splitlines()[-1])["state"] == "DONE":
                break
        found = child(environment, "count")
    wrong = abs(found["customers"] - FEW) + abs(found["different"] - FEW) + abs(found["log_entries"] - FEW)
    return {
        "figure": f"import of {FEW} customers, {killed} workers killed: records lost, doubled or without log entry",
        "value": wrong,
        "unit": "records",
        "limit": 0,
        "ok": wrong == 0 and killed > 0,
        **found,
    }


def imports(_: World) -> Iterator[dict[str, Any]]:
    """100 000 customers come in: how fast, how much memory, and what twelve kills do."""
    for kind in ("csv", "xlsx"):
        yield import_speed(kind)
        yield memory("import", kind)
    yield kill_and_resume()


def exports(_: World) -> Iterator[dict[str, Any]]:
    """100 000 customers go out: how much memory."""
    for kind in ("csv", "xlsx"):
        yield memory("export", kind)
