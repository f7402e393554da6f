"""100 000 subscriptions roll forward, twice: first all is made, then nothing is left to do."""

import resource
import time
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from integration.enums import CompanyState
from integration.management.rehearsal.world import World
from integration.models import Customer, GoCompany, InvoiceStatement, Product, Subscription, SubscriptionTerm
from integration.use_cases.roll_subscriptions import roll_company
from tests.bench.__main__ import Figures

SUBSCRIPTIONS = 100_000
PER_PAYER = 2
PORTION = 500
MINUTES = 10
MEGABYTES = 100


def roll_forward(world: World) -> Figures:
    """Half of the holders pay for themselves and one more; each has one payment within the days ahead."""
    company = GoCompany.objects.create(name="Many members AS", state=CompanyState.SETUP)
    product = Product.objects.create(company=company, code="MEDLEM", name="Medlemskap", price=400)
    today = timezone.localdate()
    for start in range(0, SUBSCRIPTIONS, PORTION):
        customers = Customer.objects.bulk_create(
            Customer(company=company, number=100_000 + number, name=f"Person {number}", source_id=str(number))
            for number in range(start, start + PORTION)
        )
        Subscription.objects.bulk_create(
            Subscription(
                company=company,
                holder=holder,
                payer=customers[number - number % PER_PAYER],
                product=product,
                first_date=today,
                payment_day=(today + timedelta(days=2)).day,
            )
            for number, holder in enumerate(customers)
        )
    for what, made in (("making them all", SUBSCRIPTIONS), ("the same night once more", 0)):
        before = SubscriptionTerm.objects.count()
        asked = 0

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(sql, params, many, context)

        memory, began = peak(), time.monotonic()
        with connection.execute_wrapper(count):
            roll_company(company.pk, clock=timezone.now)
        minutes = round((time.monotonic() - began) / 60, 2)
        new = SubscriptionTerm.objects.count() - before
        yield {"figure": f"{what}: payments made", "value": new, "unit": "payments", "limit": made, "ok": new == made}
        yield {"figure": what, "value": minutes, "unit": "minutes", "limit": MINUTES, "ok": minutes <= MINUTES}
        per_thousand = round(asked / SUBSCRIPTIONS * 1000, 1)
        yield {"figure": f"{what}: questions to the database", "value": per_thousand, "unit": "per 1000 subscriptions"}
        grown = round(peak() - memory)
        yield {
            "figure": f"{what}: memory above the start",
            "value": grown,
            "unit": "MB",
            "limit": MEGABYTES,
            "ok": grown <= MEGABYTES,
        }
    statements = InvoiceStatement.objects.filter(company=company).count()
    expected = SUBSCRIPTIONS // PER_PAYER
    yield {"figure": "statements", "value": statements, "unit": "", "limit": expected, "ok": statements == expected}


def peak() -> float:
    """The most memory this process has ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
