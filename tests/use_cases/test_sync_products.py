"""Products: found by code, made once, and in words why there is none to use."""

from typing import Any

import pytest

from integration.enums import AttemptOutcome, Operation
from integration.enums import StatementStatus as S
from integration.models import GoCompany, ProductInGo, SyncAttempt
from integration.terms import ProductDraft
from integration.use_cases.sync_products import create_product, products_in_go, recheck_products
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def codes(world) -> list[str]:
    return [row["code"] for row in world.books()["products"]]


@pytest.fixture
def new(world):
    """A product that Go does not have, of a company that may create it."""
    GoCompany.objects.filter(pk=world.company.pk).update(create_missing_products=True)
    world.company.refresh_from_db()
    return factories.product(world.company, code="NY", name="Ny vare", sales_account=3000)


@pytest.mark.parametrize(
    ("archived", "answer"),
    [
        ([False], 1),
        ([True, False], 2),
        ([False, False], "PowerOffice Go has 2 products with the code A. Archive all but one there."),
        ([True], "Product A is archived in PowerOffice Go. Bring it back there, or use another one."),
    ],
)
def test_what_a_code_means_in_go(company, archived, answer):
    for number, is_archived in enumerate(archived, start=1):
        ProductInGo.objects.create(company=company, go_product_id=number, code="A", is_archived=is_archived)
    assert products_in_go(company, ["A", "B"]) == {"A": answer}


def test_rechecking_nothing_asks_nothing(company, go, sandbox):
    """An empty filter would mean: all products there are."""
    recheck_products(company, go, [])
    assert sandbox.requests()["total"] == 0


def test_a_product_that_somebody_made_since_we_read_is_used(world, go, new):
    account = next(iter(go.accounts(numbers=[3000])))
    there = go.create_product(ProductDraft(code="NY", name="Made there", sales_account_id=account.id))
    assert create_product(new, go, clock=world.clock) == there.id
    assert codes(world).count("NY") == 1


def test_a_product_that_somebody_made_faster_is_used(world, go, new, monkeypatch):
    made: list[Any] = []
    create = go.create_product

    def create_after_another(draft: ProductDraft) -> Any:
        made.append(create(draft))
        return create(draft)

    monkeypatch.setattr(go, "create_product", create_after_another)
    assert create_product(new, go, clock=world.clock) == made[0].id
    assert codes(world).count("NY") == 1
    assert SyncAttempt.objects.get(operation=Operation.CREATE_PRODUCT).outcome == AttemptOutcome.REFUSED


def test_a_refused_product_stops_the_statement_in_gos_words(world, new):
    type(new).objects.filter(pk=new.pk).update(group="NOGROUP")
    statement = world.statement(lines=[{"product": new, "quantity": 1, "unit_price": 100}])
    world.turn()
    now = world.fresh(statement)
    assert now.status == S.NEEDS_FIX
    assert now.attention.startswith("Line 1: PowerOffice Go refused product NY: ")
    assert "NY" not in codes(world)
