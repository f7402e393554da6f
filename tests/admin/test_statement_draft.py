"""The page where a changed draft is compared, accepted or restored; and who may have Go send."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integration import remotes
from integration.enums import RunTrigger
from integration.enums import StatementStatus as S
from integration.models import AdminAction, GoCompany, InvoiceStatement
from integration.tasks import run_company_cycle
from integration.use_cases import run_cycle as cycles
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def page_of(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_draft", args=[statement.pk])


@pytest.fixture
def home(company: GoCompany) -> GoCompany:
    return company


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(run_company_cycle, "delay_on_commit", lambda **sent: rung.append(sent))
    return rung


@pytest.fixture
def edited(company: GoCompany, sandbox: Any) -> InvoiceStatement:
    statement = factories.statement(
        company,
        customer=factories.customer(company, number=None, name="Fjell og Fjord AS"),
        status=S.PROCESSING,
        lines=[
            {
                "product": factories.product(company, code="HYTTE"),
                "quantity": 2,
                "unit_price": 1000,
                "vat_rate": Decimal("0.12"),
            }
        ],
    )
    cycles.run_cycle(company.pk, client_for=remotes.go_client, clock=timezone.now, trigger=RunTrigger.PERSON)
    statement.refresh_from_db()
    sandbox.act("edit_line", company=company, order_id=statement.go_order_id, quantity="3")
    return statement


def test_compared_and_accepted(finance: Client, edited: InvoiceStatement) -> None:
    page = finance.get(page_of(edited))
    assert next((each.ours, each.theirs) for each in page.context["differences"]) == ("2", "3")
    without = finance.post(page_of(edited), {"step": "accept", "seen": page.context["seen"], "reason": ""})
    assert "Say why" in without.content.decode()
    response = finance.post(page_of(edited), {"step": "accept", "seen": page.context["seen"], "reason": "One more"})
    assert response.status_code == 302
    assert AdminAction.objects.get().reason == "One more"


def test_restored(finance: Client, edited: InvoiceStatement, nudged: list[Any], company: GoCompany) -> None:
    page = finance.get(page_of(edited))
    response = finance.post(page_of(edited), {"step": "restore", "seen": page.context["seen"], "reason": "Agreed"})
    assert [str(told) for told in get_messages(response.wsgi_request)][-1].startswith("The changed draft was taken")
    assert InvoiceStatement.objects.get(pk=edited.pk).status == S.PROCESSING
    assert nudged == [{"company_id": company.pk, "trigger": RunTrigger.PERSON.value}]


def test_a_refusal_is_told_on_the_page(finance: Client, edited: InvoiceStatement) -> None:
    response = finance.post(page_of(edited), {"step": "restore", "seen": "old", "reason": "Agreed"})
    assert "changed the draft again since you looked" in response.content.decode()
    assert AdminAction.objects.count() == 0


def test_go_away_is_told_on_the_page(finance: Client, edited: InvoiceStatement, sandbox: Any) -> None:
    sandbox.faults(kind="error_500_before_commit", method="GET", count=9)
    assert "Nothing was changed." in finance.get(page_of(edited)).content.decode()


@pytest.mark.parametrize(
    ("role", "looks", "decides"), [("Finance", 200, 302), ("Support", 200, 403), ("Reader", 403, 403), ("", 403, 403)]
)
def test_looking_and_deciding_need_their_permissions(
    as_role: Callable[..., Client], edited: InvoiceStatement, role: str, looks: int, decides: int
) -> None:
    client = as_role(role)
    page = client.get(page_of(edited))
    seen = page.context["seen"] if looks == 200 else ""
    answer = client.post(page_of(edited), {"step": "accept", "seen": seen, "reason": "One more"})
    assert (page.status_code, answer.status_code) == (looks, decides)


def test_statements_of_another_company_are_not_found(finance: Client) -> None:
    stranger = factories.statement(status=S.DRAFT, go_order_id="theirs")
    assert finance.get(page_of(stranger)).status_code == 404
    assert finance.post(page_of(stranger), {"step": "accept", "reason": "x"}).status_code == 404


@pytest.mark.parametrize(("role", "asked"), [("Finance", True), ("Support", False), ("Reader", False), ("", False)])
def test_having_go_send_needs_its_own_permission(
    as_role: Callable[..., Client], edited: InvoiceStatement, nudged: list[Any], role: str, asked: bool
) -> None:
    address = reverse("admin:integration_invoicestatement_act", args=[edited.pk, "send"])
    response = as_role(role).post(address, {"confirmed": "1"})
    assert response.status_code == (302 if asked else 403)
    assert (InvoiceStatement.objects.get(pk=edited.pk).send_asked_at is not None) == asked
