"""`make audit`: are the locked libraries what they should be, and is anything known against them?

What needs no network is always checked: each library stands in the lock with one version and with hashes, what is
installed is what is locked, and each says under which licence it comes. Known vulnerabilities are asked of the
advisory service by pip-audit. Where that does not answer, the last lines say so: nothing is known then, good or bad.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from config.lock import BASE_DIR, locked_versions

LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")
UNWANTED: Final = re.compile(r"AGPL|SSPL|Affero|Commons Clause", re.IGNORECASE)
"""Licences that would bind an installation which only runs Fakturabro."""


def unpinned(lock: str) -> list[str]:
    """A sentence for each entry without one exact version or without a hash."""
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#")))
    found = []
    for entry in filter(str.strip, entries):
        name = entry.split()[0]
        if not re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==[^=*\s]+$", name.rstrip("\\")):
            found.append(f"{name} is not locked to one version.")
        if not HASH.search(entry):
            found.append(f"{name} has no hash: another file under its name would be taken.")
    return found


def installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def strangers(lock: str, python: str) -> list[str]:
    """A sentence for each library that is installed in another version than the lock says."""
    return [
        f"{name} is {there.version} here, and {version} in the lock. Run make setup."
        for name, version in locked_versions(lock, python).items()
        if (there := installed(name)) is not None and there.version != version
    ]


def licence_of(library: Distribution) -> str:
    """What a library says of itself, in a few words."""
    said = library.metadata.get_all
    words = [*said("License-Expression", [])]
    words += [each.rpartition("::")[2].strip() for each in said("Classifier", []) if each.startswith("License")]
    words += [each.strip().split("\n")[0][:60] for each in said("License", [])]
    return next((each for each in words if each), "")


def licences(lock: str, python: str) -> list[str]:
    """A sentence for each installed library of the lock whose licence is unwanted, or not said."""
    found = []
    for name in locked_versions(lock, python):
        if (library := installed(name)) is not None:
            said = licence_of(library)
            if not said:
                found.append(f"{name} does not say under which licence it comes.")
            elif UNWANTED.search(said):
                found.append(f"{name} comes under {said}.")
    return found


@dataclass(frozen=True)
class Advice:
    """What the advisory service said: about how many it knew something, what is known against them, and whom it was
    not asked about, for whatever reason.
    """

    asked: int
    known: tuple[str, ...]
    not_asked: tuple[str, ...]


def advice(lock: Path) -> Advice:
    """Asks by way of pip-audit. It passes what a service does not know over in silence; here that is never clean."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes"]
    run = subprocess.run(  # noqa: S603 - our own words
        [*command, "--format", "json", "--progress-spinner", "off", "--timeout", "15"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        libraries = json.loads(run.stdout)["dependencies"]
    except ValueError:  # it ended before it had an answer
        return Advice(0, (), ("all of them: " + (run.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1],))
    return Advice(
        asked=sum("vulns" in each for each in libraries),
        known=tuple(
            f"{each['name']} {each['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}."
            for each in libraries
            for flaw in each.get("vulns", [])
        ),
        not_asked=tuple(each["name"] for each in libraries if "vulns" not in each),
    )


def main() -> None:
    """Ends with 1 when something is wrong; not knowing is said, and is not wrong by itself."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtime = (BASE_DIR / LOCKS[0]).read_text(encoding="utf-8")
    wrong = [f"{name}: {each}" for name in LOCKS for each in unpinned((BASE_DIR / name).read_text(encoding="utf-8"))]
    wrong += [*strangers(runtime, python), *licences(runtime, python)]
    say = sys.stdout.write
    say(f"{len(locked_versions(runtime, python))} libraries: version, hashes, licence looked at.\n")
    told = advice(BASE_DIR / LOCKS[0])
    wrong += told.known
    if wrong:
        sys.exit("\n".join(wrong))
    if told.asked:
        say(f"{told.asked} libraries have no known vulnerability.\n")
    if told.not_asked:
        say(
            f"NOT CHECKED for known vulnerabilities, so nothing is known about them: {', '.join(told.not_asked)}.\n"
            "The advisory service did not answer, or does not know them. Ask again where the network allows it.\n"
        )


if __name__ == "__main__":
    main()
