"""`manage.py roll_subscriptions`: make the upcoming statements of subscriptions now, as it happens every night."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integration.models import GoCompany
from integration.use_cases.roll_subscriptions import companies_to_roll, roll_company


class Command(BaseCommand):
    """Can be stopped and run again, also beside the workers."""

    help = "Makes the upcoming statements of subscriptions ahead of time, and brings those that are there up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", type=int, help="only this Go company, by its key")

    def handle(self, *args: Any, company: int | None, **options: Any) -> None:
        known = companies_to_roll()
        if company is not None and company not in known:
            raise CommandError(f"No company {company} with subscriptions that is not off. Nothing was done.")
        for company_id in known if company is None else [company]:
            counts, _ = roll_company(company_id, clock=timezone.now)
            self.stdout.write(f"{GoCompany.objects.get(pk=company_id)}: {words(counts)}.")


def words(counts: Counter[str]) -> str:
    """`3 made, 1 changed`, or that there was nothing to do."""
    return ", ".join(f"{many} {what}" for what, many in sorted(counts.items()) if many) or "nothing to do"
