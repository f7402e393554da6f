"""`manage.py rotate_field_keys`: close the secrets in the database with the newest key of FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integration.use_cases.rotate_keys import rotate_keys


class Command(BaseCommand):
    """Make the new key known everywhere, put it first in FIELD_KEYS, run this, and take the old key out (README)."""

    help = (
        "Encrypts all secrets in the database again with the newest key (the first in FIELD_KEYS). "
        "Can be stopped and run again. With --check it changes nothing and says which keys are still in use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing, only count")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        reports = rotate_keys(change=not check)
        for report in reports:
            self.stdout.write(
                f"{report.secret}: {report.closed_again} encrypted again, "
                + ", ".join(f"{count} with key {place}" for place, count in enumerate(report.opened_by, start=1))
                + (f", {report.unreadable} that no key opens" if report.unreadable else "")
            )
        totals = [sum(counts) for counts in zip(*(report.opened_by for report in reports), strict=True)]
        for place, total in enumerate(totals[1:], start=2):
            self.stdout.write(
                f"Key {place} of FIELD_KEYS is still needed for {total}."
                if total
                else f"Key {place} of FIELD_KEYS is not needed any more: it can be taken out."
            )
        if unreadable := sum(report.unreadable for report in reports):
            raise CommandError(
                f"{unreadable} cannot be opened with any key in FIELD_KEYS. Put the missing key back at the end of "
                "FIELD_KEYS, or set these secrets again. The others were not held back by this."
            )
