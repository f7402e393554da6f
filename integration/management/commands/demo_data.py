"""`manage.py demo_data`: people, companies and statements to try everything with. A second run changes nothing."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from integration.management.demo_logins import DEMO_LOGINS, SUPERUSER, DemoLogin
from integration.management.demo_material import COMPANIES, make_company
from integration.models import GoCompany


class Command(BaseCommand):
    """Everything in one transaction. Prints the log-ins, also when they were there already."""

    help = "Make the demo's people, companies, customers, products and statements; what is there already is left alone."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(
                "The demo's passwords are published, so it never goes into production. Nothing was done."
            )
        with transaction.atomic():
            companies = [make_company(demo, timezone.localdate()) for demo in COMPANIES]
            for login in DEMO_LOGINS:
                make_person(login, companies)
        for login in DEMO_LOGINS:
            self.stdout.write(f"{login.role:<10} {login.email:<28} {login.password}")


def make_person(login: DemoLogin, companies: list[GoCompany]) -> None:
    """Somebody with this role in these companies (a reader in the first only); left alone if known already."""
    if User.objects.filter(email=login.email).exists():
        return
    if login.role == SUPERUSER:
        User.objects.create_superuser(login.email, login.password)
        return
    first_name = login.email.partition("@")[0].capitalize()
    person = User.objects.create_user(login.email, login.password, is_staff=True, first_name=first_name)
    person.groups.add(Group.objects.get(name=login.role))
    person.go_companies.set(companies[:1] if login.role == "Reader" else companies)
