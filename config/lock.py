"""Does the lock still fit `pyproject.toml`? `make check` asks with `python -m config.lock`; no network is needed."""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

BASE_DIR: Final = Path(__file__).resolve().parent.parent
PYTHONS: Final = ("3.11", "3.12", "3.13")


def applies(requirement: Requirement, python: str) -> bool:
    """Is it wanted on Linux with this Python?"""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def locked_versions(lock: str, python: str) -> dict[str, str]:
    """Version by package, of what `pip install --requirement` would install with this Python."""
    pins = [Requirement(line.rstrip("\\ ")) for line in lock.splitlines() if line[:1].isalnum()]
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in pins if applies(pin, python)}


def unmet(wanted: list[str], lock: str) -> Iterator[str]:
    """A sentence for each requirement that the lock does not meet."""
    for python in PYTHONS:
        versions = locked_versions(lock, python)
        for requirement in map(Requirement, wanted):
            version = versions.get(requirement.name)
            if applies(requirement, python) and (version is None or version not in requirement.specifier):
                yield f"{requirement} is wanted on Python {python}, and the lock has {version or 'none'}."


def stale(project: dict[str, Any], runtime_lock: str, tools_lock: str) -> list[str]:
    """Everything in which the two locks differ from `pyproject.toml`, or from each other."""
    runtime, tools = project["project"]["dependencies"], project["dependency-groups"]["dev"]
    found = [f"requirements.lock: {sentence}" for sentence in unmet(runtime, runtime_lock)]
    found += [f"requirements-dev.lock: {sentence}" for sentence in unmet(runtime + tools, tools_lock)]
    for python in PYTHONS:
        with_tools = locked_versions(tools_lock, python)
        found += [
            f"{name} is {version} in requirements.lock and {with_tools.get(name)} in requirements-dev.lock."
            for name, version in locked_versions(runtime_lock, python).items()
            if with_tools.get(name) != version
        ]
        if f"{python}.0" not in SpecifierSet(project["project"]["requires-python"]):
            found.append(f"requires-python leaves out {python}, for which the lock is checked.")
    return found


def main() -> None:
    """Ends with 1 and says what is stale."""
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    runtime_lock, tools_lock = (
        (BASE_DIR / name).read_text(encoding="utf-8") for name in ("requirements.lock", "requirements-dev.lock")
    )
    if found := stale(project, runtime_lock, tools_lock):
        sys.exit("\n".join([*dict.fromkeys(found), "Run `make lock` and commit both locks."]))
    sys.stdout.write("The locks fit pyproject.toml.\n")


if __name__ == "__main__":
    main()
