"""`manage.py rehearse`: whole cycles against a private sandbox, with faults and kills, and a verdict."""

import json
import os
import signal
import sys
from argparse import SUPPRESS
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integration.management.rehearsal.rehearsal import Plan, Result, rehearse
from integration.management.rehearsal.world import (
    WorldBroken,
    new_place,
    private_environment,
    private_world,
    server_programs,
)

PASSED_ON = (
    *("statements", "companies", "workers", "faults", "kill_every", "seed"),
    *("hurry", "duplicate_check", "look_up_filters", "outage"),
)
FLAGS = ("json", "keep", "own_servers")
HURRIED = (
    "In a hurry: pace, time-outs, lease, replica, absence, retry and probe times, sweep, cycle, slow answers and Go's "
    "limit window are divided by {0:g}; seconds after quiet, after a kill and of an outage are told times {0:g}. "
    "Not divided: kills, stamps of payments, the start of processes."
)


class Command(BaseCommand):
    """Runs in a private world below the temporary folder; the configured database and broker are never opened."""

    help = (
        "Prove the promise: make statements, push them with real workers into a private sandbox of PowerOffice Go "
        "while an accountant works there, break things if asked to, and compare every statement with the sandbox's "
        "books. Ends with status 0 only if nothing was lost, doubled, wrong or left open."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--statements", type=whole_number, default=200, metavar="N", help="how many (200)")
        parser.add_argument("--companies", type=whole_number, default=2, metavar="C", help="over so many (2)")
        parser.add_argument("--workers", type=whole_number, default=2, metavar="W", help="worker processes (2)")
        parser.add_argument("--faults", type=rate, default=0.0, metavar="RATE", help="share of writes that fail (0)")
        parser.add_argument(
            "--kill-every", type=not_negative, default=0.0, metavar="SECONDS", help="kill -9 a worker (0: never)"
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed plays the same faults (1)")
        parser.add_argument(
            "--hurry", type=hurry, default=1.0, metavar="N", help="divide pace, leases, time-outs and waits by N (1)"
        )
        parser.add_argument(
            "--duplicate-check",
            choices=("400", "409", "drafts-only", "off"),
            default="400",
            help="how Go refuses a reference it has already (400); off: it takes it twice",
        )
        parser.add_argument(
            "--look-up-filters", choices=("present", "refused"), default="present", help="whether Go finds by reference"
        )
        parser.add_argument(
            "--outage", type=not_negative, default=0.0, metavar="SECONDS", help="first Go is down for so long (0)"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
        parser.add_argument("--keep", action="store_true", help="keep the folder with database and logs")
        parser.add_argument(
            "--database-url", default="", metavar="URL", help="a PostgreSQL server to make a private database on"
        )
        parser.add_argument("--broker-url", default="", metavar="URL", help="a broker of your own, empty (files)")
        parser.add_argument(
            "--own-servers", action="store_true", help="start a PostgreSQL and a Redis of its own, and break them too"
        )
        parser.add_argument("--inside", default="", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("A rehearsal never runs in production: it makes up statements. Nothing was done.")
        if options["inside"]:
            self._inside(Path(options["inside"]), options)
            return
        if options["own_servers"]:
            if options["database_url"] or options["broker_url"]:
                raise CommandError("Give --own-servers, or --database-url and --broker-url. Nothing was done.")
            try:
                server_programs()
            except WorldBroken as error:
                raise CommandError(f"{error} Nothing was done.") from error
        elif options["database_url"] or options["broker_url"]:
            self.stderr.write("Servers that are given are not broken: no restarts of PostgreSQL, no emptying of Redis.")
        if options["hurry"] > 1:
            self.stderr.write(HURRIED.format(options["hurry"]))
        self.stderr.flush()
        enter_private_world(options)

    def _inside(self, place: Path, options: dict[str, Any]) -> None:
        """In the private environment; everything made here is taken away here."""
        if str(place) not in os.environ["BROKER_DIR"]:
            raise CommandError("--inside is used by the command itself only.")
        signal.signal(signal.SIGTERM, go_home)
        plan = Plan(own_servers=options["own_servers"], **{name: options[name] for name in PASSED_ON})
        try:
            with private_world(place, keep=options["keep"], hurry=plan.hurry, own_servers=plan.own_servers) as world:
                result = rehearse(plan, world, say=self.stderr.write)
        except KeyboardInterrupt:
            raise CommandError("Stopped before the end; no verdict.", returncode=130) from None
        except WorldBroken as error:
            raise CommandError(f"The rehearsal could not go on. {error}", returncode=2) from error
        if options["keep"]:
            self.stderr.write(f"Kept: {place}")
        self.stdout.write(json.dumps(result.as_json(), indent=2) if options["json"] else table(result))
        if not result.verdict.clean:
            sys.exit(1)


def enter_private_world(options: dict[str, Any]) -> NoReturn:
    """Become the same command with another environment: from here on nobody knows the configured database."""
    place = new_place()
    environment = private_environment(
        place,
        database_url=options["database_url"],
        broker_url=options["broker_url"],
        hurry=options["hurry"],
        own_servers=options["own_servers"],
    )
    passed_on = [f"--{name.replace('_', '-')}={options[name]}" for name in PASSED_ON]
    passed_on += [f"--{name.replace('_', '-')}" for name in FLAGS if options[name]]
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "rehearse", *passed_on, f"--inside={place}"]
    os.execve(sys.executable, command, environment)  # noqa: S606 - ourselves


def go_home(*_: object) -> NoReturn:
    """SIGTERM ends as Ctrl-C does, so that everybody is taken home."""
    raise KeyboardInterrupt


def table(result: Result) -> str:
    """For people: the numbers, then every offender by name."""
    counts = [(name.replace("_", " "), str(value)) for name, value in result.numbers().items()]
    width = max(len(name) for name, _ in counts)
    lines = [f"{name:<{width}}  {value:>10}" for name, value in counts]
    for offence, sentences in result.verdict.offences().items():
        lines.extend(f"{offence.replace('_', ' ')}: {sentence}" for sentence in sentences)
    lines.append("The promise was kept." if result.verdict.clean else "The promise was broken.")
    return "\n".join(lines)


def whole_number(text: str) -> int:
    """A number from 1."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def hurry(text: str) -> float:
    """How many times as fast, from 1."""
    value = float(text)
    if not 1 <= value <= 50:
        raise ValueError(text)
    return value


def not_negative(text: str) -> float:
    """Seconds from 0."""
    value = float(text)
    if not 0 <= value < 86_400:
        raise ValueError(text)
    return value


def rate(text: str) -> float:
    """A share from 0 to 1, less than all."""
    value = float(text)
    if not 0 <= value < 1:
        raise ValueError(text)
    return value
