"""R17, R18 and R19 of wondr.md, played with the sandbox's accountant: what becomes of a subscription's payments."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integration.enums import PaymentMethodKind, ReviewAction, StatementSource
from integration.enums import StatementStatus as S
from integration.models import InvoiceStatement, PaymentMethod, Product, Subscription
from integration.use_cases import run_cycle as cycles
from integration.use_cases.invoice_receivers import NO_RECEIVER, REFUSAL
from integration.use_cases.review_statements import carry_out
from integration.use_cases.roll_subscriptions import roll_company
from tests import factories as f
from tests.use_cases.conftest import World

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def subscribe(world: World, **fields: Any) -> Subscription:
    """A monthly subscription of the world's customer that is paid first in ten days."""
    first = timezone.localdate(world.clock()) + timedelta(days=10)
    Product.objects.filter(pk=world.product.pk).update(vat_rate=Decimal("0.12"))  # as in Go
    given = {"holder": world.customer, "product": world.product, "first_date": first, "payment_day": first.day}
    return f.subscription(world.company, **{**given, **fields})


def roll(world: World) -> None:
    roll_company(world.company.pk, clock=world.clock)


def days(world: World, count: int) -> None:
    """Days go by: nights roll forward, sweeps sweep, cycles run."""
    world.clock.advance(count * 86_400)
    roll(world)
    world.until_quiet(2)


def upcoming(world: World) -> InvoiceStatement:
    """The statement of the first payment."""
    return InvoiceStatement.objects.filter(source=StatementSource.SUBSCRIPTION).earliest("payment_date")


def test_r17_nothing_is_in_go_before_the_payment_date(world: World):
    f.invoice_receiver(world.customer)
    subscribe(world)
    roll(world)

    days(world, 9)

    assert [row.status for row in InvoiceStatement.objects.all()] == [S.UPCOMING]
    assert world.books()["orders"] == []

    days(world, 1)

    assert upcoming(world).status == S.DRAFT
    assert sum(world.in_go().values()) == 1


@pytest.mark.parametrize("method", [None, PaymentMethodKind.CARD, PaymentMethodKind.INVOICE])
def test_r18_without_a_default_invoice_receiver_no_invoice_is_made_and_it_says_so(world: World, method):
    if method is not None:
        PaymentMethod.objects.create(
            customer=world.customer, kind=method, is_default=method != PaymentMethodKind.INVOICE
        )
    subscribe(world)
    roll(world)
    before = upcoming(world)

    days(world, 10)

    after = upcoming(world)
    assert (before.attention_code, before.attention[:24]) == (NO_RECEIVER, "Will not be invoiced on ")
    assert (after.status, after.held, after.attention_code) == (S.UPCOMING, True, NO_RECEIVER)
    assert after.attention.startswith(f"Not invoiced on {after.payment_date:%d.%m.%Y}: {world.customer} had no default")
    assert world.books()["orders"] == []


def test_r18_is_asked_again_when_somebody_activates(world: World):
    subscribe(world)
    roll(world)
    days(world, 10)
    rows = InvoiceStatement.objects.filter(pk=upcoming(world).pk)
    someone = f.person(role="Finance", companies=[world.company])

    refused = [
        carry_out(act, rows, user=someone, now=world.clock()) for act in (ReviewAction.ACTIVATE, ReviewAction.PUSH)
    ]
    f.invoice_receiver(world.customer)
    days(world, 1)
    waits = upcoming(world)
    accepted = carry_out(ReviewAction.ACTIVATE, rows, user=someone, now=world.clock())
    world.until_quiet(2)

    assert [(report.done, report.held_back) for report in refused] == [(0, ((REFUSAL, 1),))] * 2
    assert (waits.status, waits.held) == (S.UPCOMING, True), "it must not go by itself later"
    assert accepted.done == 1
    assert (upcoming(world).status, upcoming(world).attention) == (S.DRAFT, "")
    assert sum(world.in_go().values()) == 1


def test_r18_single_invoices_need_no_receiver(world: World):
    single = world.statement(status=S.UPCOMING, payment_date=timezone.localdate(world.clock()))

    world.until_quiet(2)

    assert world.fresh(single).status == S.DRAFT


def test_r19_a_payment_becomes_exactly_one_draft_with_our_reference(world: World):
    f.invoice_receiver(world.customer, invoice_reference="Kari, HR")
    first = subscribe(world, description="Medlemskap")
    second = subscribe(world, holder=f.customer(world.company), payer=world.customer)
    roll(world)
    days(world, 10)
    books = world.books()

    days(world, 1)
    roll(world)
    cycles.sweep(world.clock())
    world.turn()

    made = upcoming(world)
    [draft] = world.drafts()
    assert draft["reference"] == made.reference
    assert [line["description"].split(",")[1].strip() for line in draft["lines"] if line["description"]] == sorted(
        [first.holder.name, second.holder.name], key=str.casefold
    )
    assert made.customer_reference == "Kari, HR"
    assert world.books()["orders"] == books["orders"]


def test_r19_activated_before_its_date_it_is_not_made_again_on_it(world: World):
    f.invoice_receiver(world.customer)
    subscribe(world)
    roll(world)
    carry_out(
        ReviewAction.ACTIVATE,
        InvoiceStatement.objects.filter(pk=upcoming(world).pk),
        user=f.person(),
        now=world.clock(),
    )

    days(world, 0)
    days(world, 10)

    assert upcoming(world).status == S.DRAFT
    assert world.in_go() == {upcoming(world).reference: 1}
