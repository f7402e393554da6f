"""The page where an invoice is credited: who may, what it says, and that Go is asked before anything is made."""

import re
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
from integration.models import GoCompany, InvoiceStatement
from integration.tasks import run_company_cycle
from integration.use_cases import run_cycle as cycles
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def page_of(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_credit", args=[statement.pk])


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def turn(company: GoCompany) -> None:
    cycles.run_cycle(company.pk, client_for=remotes.go_client, clock=timezone.now, trigger=RunTrigger.PERSON)


@pytest.fixture
def home(company: GoCompany) -> GoCompany:
    return company


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(run_company_cycle, "delay_on_commit", lambda **sent: rung.append(sent))
    return rung


@pytest.fixture
def draft(company: GoCompany) -> InvoiceStatement:
    line = {"product": factories.product(company, code="HYTTE"), "vat_rate": Decimal("0.12")}
    statement = factories.statement(
        company,
        customer=factories.customer(company, number=None, name="Fjell og Fjord AS"),
        status=S.PROCESSING,
        lines=[{**line, "quantity": 2, "unit_price": 1000}, {**line, "quantity": 3, "unit_price": 100}],
    )
    turn(company)
    return InvoiceStatement.objects.get(pk=statement.pk)


@pytest.fixture
def sent(sandbox: Any, company: GoCompany, draft: InvoiceStatement) -> InvoiceStatement:
    sandbox.act("send", company=company, order_ids=[draft.go_order_id])
    turn(company)
    return InvoiceStatement.objects.get(pk=draft.pk)


def test_by_line_with_the_sum_before_it_is_confirmed(
    finance: Client, sent: InvoiceStatement, nudged: list[Any], company: GoCompany
) -> None:
    page = finance.get(page_of(sent))
    form = page.context["form"]
    assert [form[name].value() for name in ("line_1", "line_2")] == ["2", "3"]
    assert ("Can still be credited", "2\u202f576,00\xa0NOK") in page.context["figures"]

    data = {"line_1": "1", "line_2": "", "reason": "Left early"}
    look = finance.post(page_of(sent), {**data, "step": "look"})
    assert look.context["note"] == {"lines": 1, "total": "1\u202f120,00\xa0NOK", "seen": "1120.00"}
    assert InvoiceStatement.objects.count() == 1

    (seen,) = re.findall(r'name="seen" value="([^"]*)"', look.content.decode())
    response = finance.post(page_of(sent), {**data, "step": "confirm", "seen": seen})
    note = InvoiceStatement.objects.get(credits=sent)
    assert response.status_code == 302
    assert (note.total, note.status, note.credit_reason) == (Decimal("-1120.00"), S.PROCESSING, "Left early")
    assert "is on its way to PowerOffice Go" in said(response)
    assert nudged == [{"company_id": company.pk, "trigger": RunTrigger.PERSON.value}]
    sheet = finance.get(reverse("admin:integration_invoicestatement_change", args=[sent.pk])).context["sheet"]
    assert "Credited by" in dict(sheet["facts"])


def test_what_was_changed_since_it_was_summed_up_is_summed_up_again(
    finance: Client, sent: InvoiceStatement, nudged: list[Any]
) -> None:
    data = {"line_1": "2", "line_2": "3", "reason": "Left early", "step": "confirm", "seen": "1120.00"}
    page = finance.post(page_of(sent), data)
    assert page.context["note"]["seen"] == "2576.00"
    assert InvoiceStatement.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "Say why"),
        ({"line_1": "5"}, "Line 1: at most 2 can still be credited."),
        ({"line_1": "-1"}, "Line 1: at most 2 can still be credited."),
        ({"line_1": "", "line_2": ""}, "Nothing is to be credited"),
        ({"line_1": "two"}, "Enter a number"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    finance: Client, sent: InvoiceStatement, nudged: list[Any], changes: dict[str, str], words: str
) -> None:
    data = {"line_1": "1", "line_2": "", "reason": "Left early", "step": "confirm", "seen": "1120.00", **changes}
    assert words in finance.post(page_of(sent), data).content.decode()
    assert InvoiceStatement.objects.count() == 1


def test_r05_go_is_asked_right_before_and_what_it_says_counts(
    finance: Client, sent: InvoiceStatement, nudged: list[Any], sandbox: Any, company: GoCompany
) -> None:
    """Somebody credited it in Go a moment ago: we do not know yet, and do not credit it twice."""
    sandbox.act("credit", company=company, invoice_id=sent.go_order_id)
    data = {"line_1": "1", "line_2": "", "reason": "Left early", "step": "confirm", "seen": "1120.00"}
    finance.post(page_of(sent), data)
    assert InvoiceStatement.objects.count() == 1
    page = finance.get(page_of(sent))
    assert page.context["refusal"].startswith("It was cancelled in PowerOffice Go")


def test_nothing_is_credited_while_go_does_not_answer(
    finance: Client, sent: InvoiceStatement, nudged: list[Any], sandbox: Any
) -> None:
    sandbox.faults(kind="error_500_before_commit", method="GET", path="/SalesOrders", count=9)
    data = {"line_1": "1", "line_2": "", "reason": "Left early", "step": "confirm", "seen": "1120.00"}
    response = finance.post(page_of(sent), data)
    assert "Nothing was credited; try again later." in said(response)
    assert InvoiceStatement.objects.count() == 1


def test_r02_to_r04_for_a_draft_the_update_is_made_for_the_user(
    finance: Client, draft: InvoiceStatement, sandbox: Any, company: GoCompany
) -> None:
    page = finance.get(page_of(draft))
    assert page.context["refusal"].startswith("It is still a draft in PowerOffice Go: delete the draft there")
    assert page.context["can_ask"]
    finance.post(page_of(draft), {"step": "ask"})
    assert finance.get(page_of(draft)).context["refusal"].startswith("It is still a draft")
    sandbox.act("send", company=company, order_ids=[draft.go_order_id])
    finance.post(page_of(draft), {"step": "ask"})
    assert finance.get(page_of(draft)).context["form"] is not None


@pytest.mark.parametrize(("role", "code"), [("Finance", 200), ("Support", 403), ("Reader", 403), ("", 403)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_crediting_needs_its_own_permission(
    as_role: Callable[..., Client], sent: InvoiceStatement, nudged: list[Any], role: str, code: int, method: str
) -> None:
    data = {"line_1": "1", "line_2": "", "reason": "Left early", "step": "look"}
    assert getattr(as_role(role), method)(page_of(sent), data).status_code == code


def test_statements_of_another_company_are_not_found(finance: Client, nudged: list[Any]) -> None:
    stranger = factories.statement(status=S.SENT, go_order_id="theirs")
    assert finance.get(page_of(stranger)).status_code == 404
    assert finance.post(page_of(stranger), {"step": "confirm"}).status_code == 404


def test_a_long_statement_is_credited_in_one_piece(
    finance: Client, sent: InvoiceStatement, nudged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.admin.statement_credit.LINES_IN_FORM", 1)
    page = finance.get(page_of(sent))
    assert "too many lines to choose from" in page.content.decode()
    look = finance.post(page_of(sent), {"reason": "Left early", "step": "look"})
    finance.post(page_of(sent), {"reason": "Left early", "step": "confirm", "seen": look.context["note"]["seen"]})
    assert InvoiceStatement.objects.get(credits=sent).total == -sent.total
