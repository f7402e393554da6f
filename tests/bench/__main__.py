"""Runs each benchmark in a private world of its own, and prints what it yields as JSON lines.

A benchmark is a generator function that takes the world (see `integration/management/rehearsal/world.py`) and yields
figures: {"figure", "value", "unit"}, and where there is a limit {"limit", "ok"}. Ends with 1 if a limit was missed.
`BENCH_DATABASE_URL` names a PostgreSQL server to make the private databases on; without it they are SQLite files.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from integration.management.rehearsal.world import World, new_place, private_environment, private_world

Figures = Iterator[dict[str, Any]]
FAST = {"GO_PACE_MS": "1"}
"""The pace is kept, but a thousand a second: what is measured is the house, not the waiting."""


@dataclass(frozen=True)
class Bench:
    """Where a benchmark stands, and what its world is told through the environment."""

    place: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, world: World) -> Figures:
        module, name = self.place.rsplit(".", 1)
        function: Callable[[World], Figures] = getattr(import_module(f"tests.bench.{module}"), name)
        return function(world)


BENCHES = {
    "requests": Bench("pushing.requests_per_push", FAST),
    "cost": Bench("pushing.cost_per_push", FAST),
    "poll": Bench("pushing.status_poll", FAST),
    "person": Bench("pushing.a_person_among_ten_thousand"),
    "pace": Bench("pushing.sustained_pace"),
    "memory": Bench("pushing.worker_memory", FAST),
    "import": Bench("spreadsheets.imports"),
    "export": Bench("spreadsheets.exports"),
    "lists": Bench("lists.a_million_against_ten_thousand"),
    "subscriptions": Bench("subscriptions.roll_forward"),
}


def main(names: list[str]) -> int:
    """Each in a process of its own, since the settings are read once per process."""
    missed = 0
    for name in names or BENCHES:
        place = new_place()
        environment = private_environment(
            place, database_url=os.environ.get("BENCH_DATABASE_URL", ""), broker_url="", hurry=1
        ) | dict(BENCHES[name].environment)
        command = [sys.executable, "-m", "tests.bench", "--inside", str(place), name]
        missed += subprocess.run(command, env=environment, check=False).returncode != 0
    return int(missed > 0)


def inside(place: Path, name: str) -> int:
    """In the private environment: make the world, measure, print."""
    missed = 0
    with private_world(place, keep=False, hurry=1) as world:
        settings.GO_API_URL = world.environment["GO_API_URL"]
        settings.GO_TOKEN_URL = world.environment["GO_TOKEN_URL"]
        for figure in BENCHES[name].run(world):
            sys.stdout.write(json.dumps({"bench": name, **figure}) + "\n")
            sys.stdout.flush()
            missed += figure.get("ok") is False
    return int(missed > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        sys.exit(inside(Path(sys.argv[2]), sys.argv[3]))
    sys.exit(main(sys.argv[1:]))
