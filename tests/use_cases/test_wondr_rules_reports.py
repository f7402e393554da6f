"""R12, R20 and R21 of wondr.md: what people read, played with the sandbox's accountant where Go is asked."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integration.admin.display import NEVER_COMBINE, amount
from integration.enums import StatementStatus as S
from integration.models import AdminAction, InvoiceStatement, StatementMove
from tests import factories
from tests.use_cases.conftest import World

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


@pytest.fixture
def finance(world: World) -> Client:
    client = Client()
    client.force_login(factories.person(role="Finance", companies=[world.company]))
    return client


def words(client: Client, address: str) -> str:
    """What a page says, without its tags."""
    response = client.get(address)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode().replace("&#x27;", "'")))


def order(client: Client, statement: InvoiceStatement) -> dict[str, Any]:
    """The statement in the panel on its customer's page."""
    response = client.get(reverse("admin:integration_customer_change", args=[statement.customer_id]))
    [row] = response.context["orders"]["rows"]
    return dict(row)


def pushed(world: World) -> InvoiceStatement:
    statement = world.statement()
    world.turn()
    return world.fresh(statement)


def sent(world: World) -> InvoiceStatement:
    """A statement whose draft the accountant has sent, after the next cycle."""
    statement = pushed(world)
    world.sandbox.act("send", world.company, order_ids=[statement.go_order_id])
    world.until_quiet(2)
    return world.fresh(statement)


def test_r12_never_combine_drafts_stands_in_the_settings_and_beside_the_way_to_the_drafts(
    world: World, finance: Client
) -> None:
    statement = pushed(world)
    assert statement.status == S.DRAFT
    page = reverse("admin:integration_invoicestatement_change", args=[statement.pk])
    for address in (
        reverse("admin:integration_gocompany_change", args=[world.company.pk]),
        page,
        reverse("report", args=["drafts"]),
    ):
        assert NEVER_COMBINE in words(finance, address)
    world.sandbox.act("send", world.company, order_ids=[statement.go_order_id])
    world.until_quiet(2)
    assert NEVER_COMBINE not in words(finance, page)


def test_r20_invoice_number_due_date_and_delivery_show(world: World, finance: Client) -> None:
    statement = sent(world)
    assert statement.status == S.SENT
    [in_go] = world.books()["invoices"]
    due, delivery = (order(finance, statement)["invoice"][each] for each in ("due", "delivery"))
    assert due == f"{in_go['due_date'][8:]}.{in_go['due_date'][5:7]}.{in_go['due_date'][:4]}"
    assert delivery not in {"", "–"}
    shown = words(finance, reverse("admin:integration_customer_change", args=[statement.customer_id]))
    page = words(finance, reverse("admin:integration_invoicestatement_change", args=[statement.pk]))
    for said in (str(in_go["invoice_no"]), due, delivery):
        assert said in shown
        assert said in page


def test_r21_a_paid_invoice_completes_the_order_without_anyones_action(world: World, finance: Client) -> None:
    statement = sent(world)
    assert [part for part, _ in order(finance, statement)["payments"]] == ["Open"]
    world.sandbox.act("pay", world.company, invoice_id=statement.go_order_id)
    world.until_quiet(2)
    assert world.fresh(statement).status == S.PAID
    row = order(finance, statement)
    assert "Paid" in row["status"]
    assert row["payments"] == [("Paid", amount(statement.total, "NOK"))]
    assert list(StatementMove.objects.filter(statement=statement, user__isnull=False)) == []
    assert list(AdminAction.objects.all()) == []
