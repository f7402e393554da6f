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
from integration.management.rehearsal.world import WorldBroken, new_place, private_environment, private_world

NUMBERS = ("statements", "companies", "workers", "faults", "kill_every", "seed")
OFFENCES = ("lost", "duplicated", "wrong_state", "unresolved", "amounts_differ")


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
        parser.add_argument(
            "--seed",
            type=int,
            default=1,
            metavar="S",
            help="the same seed plays the same faults (1); even: Go takes doubles",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
        parser.add_argument("--keep", action="store_true", help="keep the folder with database and logs")
        parser.add_argument(
            "--database-url", default="", metavar="URL", help="a PostgreSQL server to make a private database on"
        )
        parser.add_argument("--broker-url", default="", metavar="URL", help="a broker of your own, empty (files)")
        parser.add_argument("--inside", default="", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("A rehearsal never runs in production: it makes up statements. Nothing was done.")
        if options["inside"]:
            self._inside(Path(options["inside"]), options)
        else:
            enter_private_world(options)

    def _inside(self, place: Path, options: dict[str, Any]) -> None:
        """In the private environment; everything made here is taken away here."""
        if str(place) not in os.environ["BROKER_DIR"]:
            raise CommandError("--inside is used by the command itself only.")
        signal.signal(signal.SIGTERM, go_home)
        plan = Plan(
            statements=options["statements"],
            companies=options["companies"],
            workers=options["workers"],
            faults=options["faults"],
            kill_every=options["kill_every"],
            seed=options["seed"],
        )
        try:
            with private_world(place, keep=options["keep"]) as world:
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
    environment = private_environment(place, database_url=options["database_url"], broker_url=options["broker_url"])
    passed_on = [f"--{name.replace('_', '-')}={options[name]}" for name in NUMBERS]
    passed_on += [f"--{name}" for name in ("json", "keep") if options[name]]
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
    for offence in OFFENCES:
        lines.extend(f"{offence.replace('_', ' ')}: {sentence}" for sentence in getattr(result.verdict, offence))
    lines.append("The promise was kept." if result.verdict.clean else "The promise was broken.")
    return "\n".join(lines)


def whole_number(text: str) -> int:
    """A number from 1."""
    value = int(text)
    if value < 1:
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
