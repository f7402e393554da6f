"""Marking as paid by hand, following again, and the second person: who may, what the pages say before and after."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integration.admin import by_hand_actions
from integration.enums import StatementStatus as S
from integration.models import AdminAction, GoCompany, HandPayment, InvoiceStatement
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_invoicestatement_changelist")
PAYMENTS = reverse("admin:integration_handpayment_changelist")


def url(statement: InvoiceStatement, act: str) -> str:
    return reverse("admin:integration_invoicestatement_by_hand", args=[statement.pk, act])


def decide_url(payment: HandPayment, act: str) -> str:
    return reverse("admin:integration_handpayment_decide", args=[payment.pk, act])


def page_of(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_change", args=[statement.pk])


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def sent(company: GoCompany, **fields: Any) -> InvoiceStatement:
    """125 kroner, unpaid."""
    return factories.statement(
        company, **{"status": S.SENT, "outgoing_invoice": factories.outgoing_invoice(company), **fields}
    )


def posted(*statements: InvoiceStatement, **fields: Any) -> dict[str, Any]:
    data = {"confirmed": str(len(statements)), "paid_on": f"{timezone.localdate():%d.%m.%Y}", "method": "CASH"}
    amounts = {f"amount_{statement.pk}": "125,00" for statement in statements}
    return {**data, "reason": "Paid in the reception", "invoice_number": "", **amounts, **fields}


@pytest.fixture(autouse=True)
def locked(monkeypatch: pytest.MonkeyPatch) -> dict[int, date]:
    """Up to which day books are locked. Mocked at the edge: the asking is tried in tests/use_cases with the sandbox."""
    known: dict[int, date] = {}
    monkeypatch.setattr(by_hand_actions, "lock_dates", lambda companies, client_for: (known, []))
    return known


def test_a_day_in_a_locked_period_is_refused_on_the_page(
    home: GoCompany, finance: Client, locked: dict[int, date]
) -> None:
    statement = sent(home)
    locked[home.pk] = timezone.localdate()
    page = finance.post(url(statement, "mark_paid"), posted(statement)).content.decode()
    assert "are locked in PowerOffice Go until" in page
    assert state_of(statement) == (S.SENT, True)


def test_where_go_cannot_tell_its_lock_date_a_person_is_told(
    home: GoCompany, finance: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_hand_actions, "lock_dates", lambda companies, client_for: ({}, list(companies)))
    statement = sent(home)
    response = finance.post(url(statement, "mark_paid"), posted(statement))
    assert any("could not be asked up to which day" in words for words in said(response))
    assert state_of(statement) == (S.PAID, False)


def state_of(statement: InvoiceStatement) -> tuple[str, bool]:
    return InvoiceStatement.objects.values_list("status", "follows_go").get(pk=statement.pk)


@pytest.mark.parametrize(("role", "code"), [("Finance", 302), ("Support", 403), ("Reader", 403), ("", 403)])
def test_only_finance_marks_and_follows(home: GoCompany, as_role: Callable[..., Client], role: str, code: int) -> None:
    statement, by_hand = sent(home), sent(home, status=S.PAID, follows_go=False)
    client = as_role(role)
    assert client.post(url(statement, "mark_paid"), posted(statement)).status_code == code
    assert client.post(url(by_hand, "follow_go"), {"confirmed": "1", "reason": "Wrong"}).status_code == code
    done = code == 302
    assert (state_of(statement), state_of(by_hand)) == (
        (S.PAID, False) if done else (S.SENT, True),
        (S.SENT, True) if done else (S.PAID, False),
    )
    assert AdminAction.objects.count() == (2 if done else 0)


@pytest.mark.parametrize("act", ["mark_paid", "follow_go"])
def test_statements_of_another_company_are_not_found(finance: Client, act: str) -> None:
    stranger = sent(factories.go_company())
    assert finance.get(url(stranger, act)).status_code == 404
    assert finance.post(url(stranger, act), posted(stranger)).status_code == 404
    finance.post(LIST, {"action": act, "_selected_action": [stranger.pk], "index": "0", **posted(stranger)})
    assert state_of(stranger) == (S.SENT, True)


def test_unknown_acts_are_not_found(finance: Client, home: GoCompany) -> None:
    payment = factories.hand_payment(sent(home))
    assert finance.get(url(payment.statement, "approve_payment")).status_code == 404
    assert finance.get(decide_url(payment, "mark_paid")).status_code == 404


def test_several_at_once_each_with_its_amount(finance: Client, home: GoCompany) -> None:
    rows = [sent(home), sent(home), sent(home, status=S.DRAFT)]
    data = {"action": "mark_paid", "_selected_action": [row.pk for row in rows], "index": "0"}
    page = finance.post(LIST, data)
    assert (page.context["ready"], page.context["held_back_count"]) == (2, 1)
    assert [(row.source_id, left) for row, left, _ in page.context["rows"]] == [
        (row.source_id, "125,00\xa0NOK") for row in rows[:2]
    ]
    assert page.context["form"]["paid_on"].value() == timezone.localdate()
    assert [box.value() for _, _, box in page.context["rows"]] == ["125,00"] * 2
    fields = posted(*rows[:2], **{f"amount_{rows[1].pk}": "25,50", "invoice_number": "20177"})
    response = finance.post(LIST, {**data, **fields, "confirmed": "3"})
    told = (
        "2 marked as paid by hand, 1 held back: its draft could still be sent and paid twice: "
        "delete it in PowerOffice Go first."
    )
    assert said(response) == [told]
    assert [state_of(row) for row in rows] == [(S.PAID, False), (S.PARTLY_PAID, False), (S.DRAFT, True)]
    assert list(HandPayment.objects.order_by("pk").values_list("amount", "invoice_number")) == [
        (Decimal("125.00"), 20177),
        (Decimal("25.50"), 20177),
    ]


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("amount", "0", "The amount must be more than 0."),
        ("amount", "-5", "The amount must be more than 0."),
        ("amount", "125,01", "125,01\xa0NOK is more than what is open: 125,00\xa0NOK."),
        ("amount", "", "This field is required."),
        ("amount", "mye", "Enter a number."),
        ("paid_on", "31.12.2099", "The day lies in the future: mark it as paid when the money has come."),
        ("paid_on", "", "This field is required."),
        ("method", "", "This field is required."),
        ("method", "SHELLS", "Select a valid choice. SHELLS is not one of the available choices."),
        ("reason", " ", "Say why: whoever looks at this statement next year wants to know."),
        ("invoice_number", "0", "Ensure this value is greater than or equal to 1."),
        ("invoice_number", "abc", "Enter a whole number."),
    ],
)
def test_what_is_wrong_is_said_beside_its_box_and_nothing_is_done(
    finance: Client, home: GoCompany, field: str, value: str, error: str
) -> None:
    statement = sent(home)
    name = f"amount_{statement.pk}" if field == "amount" else field
    response = finance.post(url(statement, "mark_paid"), posted(statement, **{name: value}))
    assert response.status_code == 200
    assert response.context["form"].errors == {name: [error]}
    assert error in response.content.decode().replace("&nbsp;", "\xa0")
    assert state_of(statement) == (S.SENT, True)


def test_a_form_that_is_too_late_says_what_changed(
    finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payment came in Go between our look and our act."""
    statement = sent(home)
    real = InvoiceStatement.objects.get(pk=statement.pk)

    def meanwhile(form: Any) -> Any:
        invoice = real.outgoing_invoice
        assert invoice is not None
        type(invoice).objects.filter(pk=invoice.pk).update(balance=Decimal("25.00"))
        return original(form)

    original = by_hand_actions.PaymentForm.given
    monkeypatch.setattr(by_hand_actions.PaymentForm, "given", meanwhile)
    response = finance.post(url(statement, "mark_paid"), posted(statement))
    words = f"{statement.source_id}: 125,00\xa0NOK is more than what is open: 25,00\xa0NOK. Nothing was saved."
    assert response.context["form"].non_field_errors() == [words]
    assert state_of(statement) == (S.SENT, True)


def test_too_many_at_once_are_turned_away(finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand_actions, "MOST", 1)
    rows = [sent(home), sent(home)]
    data = {"action": "mark_paid", "_selected_action": [row.pk for row in rows], "index": "0"}
    response = finance.post(LIST, {**data, **posted(*rows)})
    assert said(response) == ["At most 1 statements in one go: each has its own amount to look at."]
    assert {state_of(row) for row in rows} == {(S.SENT, True)}


def test_marked_as_by_hand_wherever_it_shows(finance: Client, home: GoCompany) -> None:
    statement = sent(home)
    finance.post(url(statement, "mark_paid"), posted(statement))
    mark = 'Paid</span> <small class="fb-muted">by hand</small>'
    for address in (
        LIST,
        page_of(statement),
        reverse("admin:integration_customer_change", args=[statement.customer_id]),
        reverse("admin:integration_outgoinginvoice_change", args=[statement.outgoing_invoice_id]),
        reverse("admin:integration_handpayment_change", args=[HandPayment.objects.get().pk]),
    ):
        assert mark in finance.get(address).content.decode(), address
    page = finance.get(page_of(statement))
    assert [(row["amount"], row["why"]) for row in page.context["sheet"]["by_hand"]] == [
        ("125,00\xa0NOK", "Paid in the reception")
    ]
    assert ("Status", "Set by hand: PowerOffice Go no longer changes it") in page.context["sheet"]["go_facts"]


def test_the_page_offers_following_again_for_what_was_set_by_hand_only(finance: Client, home: GoCompany) -> None:
    statement = sent(home)

    def offered() -> dict[str, str]:
        buttons = finance.get(page_of(statement)).context["buttons"]
        return {each["title"]: each["why_not"] for each in buttons if each["act"] in {"mark_paid", "follow_go"}}

    assert offered() == {"Mark as paid by hand": ""}
    finance.post(url(statement, "mark_paid"), posted(statement))
    assert offered() == {"Mark as paid by hand": "paid already", "Follow PowerOffice again": ""}
    response = finance.post(url(statement, "follow_go"), {"confirmed": "1", "reason": "Wrong"})
    assert said(response)[-1] == "1 follows PowerOffice Go again."
    assert state_of(statement) == (S.SENT, True)


# --- The second person ----------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(home: GoCompany, as_role: Callable[..., Client]) -> HandPayment:
    """Asked for by somebody else."""
    GoCompany.objects.filter(pk=home.pk).update(by_hand_limit=Decimal(100))
    statement = sent(home)
    client = as_role("Finance")
    page = client.get(url(statement, "mark_paid"))
    assert page.context["limits"] == [
        "Fjordgløtt Camping AS: above 100,00\xa0NOK in one go, a second person must approve."
    ]
    response = client.post(url(statement, "mark_paid"), posted(statement))
    assert said(response) == ["1 waits for a second person."]
    return HandPayment.objects.get()


def test_the_list_shows_what_waits_and_several_are_approved_at_once(finance: Client, waiting: HandPayment) -> None:
    assert finance.get(PAYMENTS).context["cl"].result_count == 1
    data = {"action": "approve", "_selected_action": [waiting.pk], "index": "0"}
    page = finance.post(PAYMENTS, data)
    assert (page.context["ready"], page.context["named"][0][2]) == (1, "125,00\xa0NOK")
    assert "<strong>1 payment</strong>" in page.content.decode()
    response = finance.post(PAYMENTS, {**data, "confirmed": "1", "reason": ""})
    assert said(response) == ["1 approved."]
    assert state_of(waiting.statement) == (S.PAID, False)


@pytest.mark.parametrize(("act", "state"), [("refuse", "REFUSED"), ("take_back", "TAKEN_BACK")])
def test_refusing_and_taking_back_need_a_reason(finance: Client, waiting: HandPayment, act: str, state: str) -> None:
    client = finance
    if act == "take_back":
        client = Client()
        client.force_login(waiting.asked_by)
    address = decide_url(waiting, f"{act}_payment")
    response = client.post(address, {"confirmed": "1", "reason": ""})
    assert response.context["form"].errors["reason"] == [
        "Say why: whoever looks at this statement next year wants to know."
    ]
    data = {"action": act, "_selected_action": [waiting.pk], "index": "0", "confirmed": "1", "reason": "No such money"}
    response = client.post(PAYMENTS, data)
    assert said(response)[-1] in {"1 refused.", "1 taken back."}
    waiting.refresh_from_db()
    assert (waiting.state, waiting.end_reason) == (state, "No such money")
    page = client.get(reverse("admin:integration_handpayment_change", args=[waiting.pk]))
    assert ("Why it ended", "No such money") in page.context["page"]["people"]


def test_nobody_approves_their_own_and_the_page_says_so(waiting: HandPayment) -> None:
    asker = Client()
    asker.force_login(waiting.asked_by)
    page = asker.get(reverse("admin:integration_handpayment_change", args=[waiting.pk]))
    assert {each["title"]: each["why_not"] for each in page.context["buttons"]} == {
        "Approve": "you asked for it yourself: a second person decides",
        "Refuse": "you asked for it yourself: a second person decides",
        "Take back": "",
    }
    look = asker.get(decide_url(waiting, "approve_payment"))
    assert look.context["held_back"] == [
        ("you asked for it yourself: a second person decides", "1", waiting.statement.source_id)
    ]
    response = asker.post(decide_url(waiting, "approve_payment"), {"confirmed": "1", "reason": ""})
    assert said(response) == ["0 approved, 1 held back: you asked for it yourself: a second person decides."]
    assert state_of(waiting.statement) == (S.SENT, True)


@pytest.mark.parametrize("role", ["Support", "Reader"])
def test_others_read_payments_by_hand_and_decide_nothing(
    as_role: Callable[..., Client], waiting: HandPayment, role: str
) -> None:
    client = as_role(role)
    page = client.get(reverse("admin:integration_handpayment_change", args=[waiting.pk]))
    assert page.context["buttons"] == []
    assert client.post(decide_url(waiting, "approve_payment"), {"confirmed": "1"}).status_code == 403
    client.post(PAYMENTS, {"action": "approve", "_selected_action": [waiting.pk], "index": "0", "confirmed": "1"})
    assert state_of(waiting.statement) == (S.SENT, True)


def test_payments_of_another_company_are_not_found(finance: Client) -> None:
    stranger = factories.hand_payment(sent(factories.go_company()))
    assert finance.get(decide_url(stranger, "approve_payment")).status_code == 404
    finance.post(PAYMENTS, {"action": "approve", "_selected_action": [stranger.pk], "index": "0", "confirmed": "1"})
    assert HandPayment.objects.get().state == "WAITING"


def test_the_list_costs_the_same_for_one_and_for_many(finance: Client, home: GoCompany) -> None:
    factories.hand_payment(sent(home))
    finance.get(PAYMENTS)
    with CaptureQueriesContext(connection) as one:
        finance.get(PAYMENTS)
    for _ in range(5):
        factories.hand_payment(sent(home))
    with CaptureQueriesContext(connection) as many:
        finance.get(PAYMENTS)
    assert len(many) == len(one)
