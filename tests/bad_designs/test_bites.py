"""Does the suite bite? Each bad design is put into a copy of the project, and the tests named with it must fail there.

make bites
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bad_designs.designs import DESIGNS, BadDesign, Change

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", ".env")
KEPT_DATABASES = """
for _alias, _database in DATABASES.items():  # made once for all designs
    _database["TEST"] = {{"NAME": f"{place}/{{_alias}}.sqlite3"}}
"""
CRASHES = ("SyntaxError", "NameError", "ImportError", "ModuleNotFoundError", "AttributeError", "TypeError")
"""A design that ends like this is not bad but broken: any test at all would notice."""


class Copy:
    """The project, to be spoiled and mended again."""

    def __init__(self, place: Path) -> None:
        self.root = place / "project"
        self.report = place / "report.xml"
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        with (self.root / "config" / "settings_test.py").open("a", encoding="utf-8") as settings:
            settings.write(KEPT_DATABASES.format(place=place))

    def spoil(self, change: Change) -> None:
        """Raises when the code has moved on, and this design is no longer seeded."""
        path = self.root / change.path
        text = path.read_text(encoding="utf-8")
        found = text.count(change.before)
        assert found == 1, f"{change.path} has this {found} times, not once; write it anew:\n{change.before}"
        path.write_text(text.replace(change.before, change.after), encoding="utf-8")

    def mend(self, change: Change) -> None:
        shutil.copy2(ROOT / change.path, self.root / change.path)

    def run(self, tests: tuple[str, ...]) -> dict[str, str]:
        """How each of these tests ended: "passed", or the first line of what it says."""
        self.report.unlink(missing_ok=True)
        # Databases, options and measurements of the run around us are not the copy's. Compiled modules are not kept:
        # a file that is spoiled and mended within a second would look unchanged.
        strange = ("PYTEST_", "COV", "DATABASE_URL", "SANDBOX_DATABASE_URL", "BROKER_URL")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        command = [sys.executable, "-m", "pytest", "-q", "--reuse-db", f"--junitxml={self.report}"]
        done = subprocess.run(
            [*command, *tests],
            cwd=self.root,
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stdout  # 2 and more: pytest itself did not get along
        return dict(self._endings())

    def _endings(self) -> Iterator[tuple[str, str]]:
        for case in ElementTree.parse(self.report).iter("testcase"):
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            ending = case.find("failure") if case.find("error") is None else case.find("error")
            said = "passed" if ending is None else f"{ending.tag}: {ending.get('message', '')}"
            yield name, said.splitlines()[0]


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """One for each process."""
    return Copy(tmp_path_factory.mktemp("bites"))


def test_the_copy_is_sound(copy):
    """What fails with a bad design passes without it."""
    tests = tuple(dict.fromkeys(test for design in DESIGNS for test in design.caught_by))
    assert copy.run(tests) == dict.fromkeys(tests, "passed")


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_is_caught(copy, design: BadDesign, record_property):
    try:
        for change in design.changes:
            copy.spoil(change)
        endings = copy.run(design.caught_by)
    finally:
        for change in design.changes:
            copy.mend(change)
    assert set(endings) == set(design.caught_by)
    assert {test: said for test, said in endings.items() if not said.startswith("failure: ")} == {}
    assert [said for said in endings.values() if said.removeprefix("failure: ").startswith(CRASHES)] == []
    record_property("caught", design.caught_by)
