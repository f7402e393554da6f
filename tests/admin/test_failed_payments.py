"""Failed payments and broken links: who may, what the pages say, and what Go is asked first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integration import remotes
from integration.admin import by_hand_actions, failed_actions
from integration.enums import CompanyState
from integration.enums import StatementStatus as S
from integration.errors import Unavailable
from integration.models import GoCompany, HandPayment, InvoiceStatement
from integration.tasks import run_company_cycle
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_invoicestatement_changelist")
AFTER = {
    "settle_otherwise": (S.CANCELLED, S.SETTLED_OTHERWISE),
    "invoice_again": (S.CANCELLED, S.PROCESSING),
    "credit_here": (S.CANCELLED, S.CREDITED),
    "treat_as_cancelled": (S.LINK_BROKEN, S.CANCELLED),
}


def url(statement: InvoiceStatement, act: str) -> str:
    return reverse("admin:integration_invoicestatement_settle", args=[statement.pk, act])


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def status_of(statement: InvoiceStatement) -> str:
    return InvoiceStatement.objects.values_list("status", flat=True).get(pk=statement.pk)


def posted(**fields: Any) -> dict[str, Any]:
    today = f"{timezone.localdate():%d.%m.%Y}"
    return {"confirmed": "1", "paid_on": today, "method": "CASH", "reason": "Paid in the reception", **fields}


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """What Go says lives there. Mocked at the edge: the asking is tried in tests/use_cases with the sandbox."""
    found: dict[int, str] = {}
    monkeypatch.setattr(remotes, "go_client", lambda company, *, person: None)
    monkeypatch.setattr(failed_actions, "look", lambda company, client, statements, *, clock: found)
    monkeypatch.setattr(by_hand_actions, "lock_dates", lambda companies, client_for: ({}, []))
    return found


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(run_company_cycle, "delay_on_commit", lambda **sent: rung.append(sent))
    return rung


@pytest.mark.parametrize(("role", "code"), [("Finance", 302), ("Support", 403), ("Reader", 403), ("", 403)])
@pytest.mark.parametrize("act", AFTER)
def test_only_finance_decides(
    home: GoCompany, as_role: Callable[..., Client], lives: Any, nudged: list[Any], role: str, code: int, act: str
) -> None:
    before, after = AFTER[act]
    statement = factories.statement(home, status=before)
    assert as_role(role).post(url(statement, act), posted()).status_code == code
    assert status_of(statement) == (after if code == 302 else before)
    assert nudged == ([{"company_id": home.pk, "trigger": "PERSON"}] if code == 302 and act == "invoice_again" else [])


@pytest.mark.parametrize("act", AFTER)
def test_statements_of_another_company_and_unknown_acts_are_not_found(
    finance: Client, home: GoCompany, lives: Any, act: str
) -> None:
    stranger = factories.statement(status=AFTER[act][0])
    assert finance.get(url(stranger, act)).status_code == 404
    finance.post(LIST, {"action": act, "_selected_action": [stranger.pk], "index": "0", **posted()})
    assert status_of(stranger) == AFTER[act][0]
    assert finance.get(url(factories.statement(home), "mark_paid")).status_code == 404


@pytest.mark.parametrize("act", AFTER)
def test_what_lives_in_go_is_held_back_with_the_reason_and_the_rest_is_done(
    finance: Client, home: GoCompany, lives: dict[int, str], nudged: list[Any], act: str
) -> None:
    before, after = AFTER[act]
    one, other = factories.statement(home, status=before), factories.statement(home, status=before)
    lives[other.pk] = "draft no. 7 is in PowerOffice Go: delete it there first"
    data = {"action": act, "_selected_action": [one.pk, other.pk], "index": "0"}
    page = finance.post(LIST, data)
    assert (page.context["ready"], [row[0] for row in page.context["named"]]) == (2, [one.source_id, other.source_id])
    response = finance.post(LIST, {**data, **posted(confirmed="2")})
    [words] = said(response)
    assert words.startswith("1 ")
    assert words.endswith("1 held back: draft no. 7 is in PowerOffice Go: delete it there first.")
    assert (status_of(one), status_of(other)) == (after, before)


def test_without_a_reason_the_page_asks_again(finance: Client, home: GoCompany, lives: Any) -> None:
    failed = factories.statement(home, status=S.CANCELLED)
    for act in ("settle_otherwise", "credit_here"):
        response = finance.post(url(failed, act), posted(reason=" "))
        assert response.context["form"].errors == {
            "reason": ["Say why: whoever looks at this statement next year wants to know."]
        }
    assert status_of(failed) == S.CANCELLED


def test_the_page_says_beforehand_that_no_credit_note_is_made(finance: Client, home: GoCompany) -> None:
    page = finance.get(url(factories.statement(home, status=S.CANCELLED), "credit_here"))
    assert "Credited here only: no credit note is made in PowerOffice Go" in page.content.decode()


def test_a_broken_link_warns_before_it_is_sent_again(finance: Client, home: GoCompany) -> None:
    broken, failed = factories.statement(home, status=S.LINK_BROKEN), factories.statement(home, status=S.CANCELLED)
    assert finance.get(url(broken, "invoice_again")).context["danger"] == failed_actions.DANGER
    assert finance.get(url(failed, "invoice_again")).context["danger"] == ""


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (S.CANCELLED, {"Take another payment method": True, "Invoice again": True, "Credit here only": True}),
        (S.LINK_BROKEN, {"Invoice again": True, "Treat as cancelled": True}),
        (S.SENT, {}),
        (S.DRAFT, {}),
    ],
)
def test_only_what_is_legal_next_can_be_pressed(
    finance: Client, home: GoCompany, status: S, offered: dict[str, bool]
) -> None:
    statement = factories.statement(home, status=status)
    address = reverse("admin:integration_invoicestatement_change", args=[statement.pk])
    acts = {str(act.value) for act in failed_actions.ACTS}
    buttons = [each for each in finance.get(address).context["buttons"] if each["act"] in acts]
    assert {each["title"]: True for each in buttons if not each["why_not"]} == offered
    if status in {S.SENT, S.DRAFT}:
        assert [each["why_not"] for each in buttons] == ["it stands in PowerOffice Go: cancel it there first"]


def test_when_go_cannot_be_asked_nothing_is_done(
    as_role: Callable[..., Client], home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = factories.go_company(state=CompanyState.OFF)

    def silent(*_: Any, **__: Any) -> None:
        raise Unavailable("PowerOffice Go does not answer.")

    monkeypatch.setattr(remotes, "go_client", lambda company, *, person: None)
    monkeypatch.setattr(failed_actions, "look", silent)
    rows = [factories.statement(company, status=S.CANCELLED) for company in (home, off)]
    data = {"action": "credit_here", "_selected_action": [row.pk for row in rows], "index": "0"}
    response = as_role("Finance", off).post(LIST, {**data, **posted(confirmed="2")})
    assert said(response) == [
        f"{home}: PowerOffice Go does not answer.",
        f"0 credited here, 2 held back: PowerOffice Go could not be asked (1), {off} is not active (1).",
    ]
    assert {status_of(row) for row in rows} == {S.CANCELLED}


def test_another_payment_method_above_the_limit_waits_and_blocks_the_other_ways(
    finance: Client, as_role: Callable[..., Client], home: GoCompany, lives: Any
) -> None:
    GoCompany.objects.filter(pk=home.pk).update(by_hand_limit=100)
    failed = factories.statement(home, status=S.CANCELLED)
    response = finance.post(url(failed, "settle_otherwise"), posted())
    assert said(response) == ["0 settled otherwise, 1 waiting for a second person."]
    assert status_of(failed) == S.CANCELLED
    page = finance.get(url(failed, "credit_here"))
    assert page.context["held_back"] == [("a payment by hand already waits for a second person", "1", failed.source_id)]
    address = reverse("admin:integration_handpayment_decide", args=[HandPayment.objects.get().pk, "approve_payment"])
    assert said(as_role("Finance").post(address, {"confirmed": "1", "reason": ""})) == ["1 approved."]
    assert status_of(failed) == S.SETTLED_OTHERWISE


def test_too_many_at_once_are_turned_away(finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_actions, "MOST", 1)
    rows = [factories.statement(home, status=S.CANCELLED) for _ in range(2)]
    data = {"action": "credit_here", "_selected_action": [row.pk for row in rows], "index": "0"}
    assert said(finance.post(LIST, {**data, **posted()})) == [
        "At most 1 statements in one go: PowerOffice Go is asked about each."
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"customer": None}, "no customer"),
        ({"lines": []}, "no product lines"),
        ({"kind": "CREDIT_NOTE", "credit_reason": "x"}, "a credit note: credit the invoice again instead"),
    ],
)
def test_what_cannot_be_invoiced_again(finance: Client, home: GoCompany, fields: Any, words: str) -> None:
    failed = factories.statement(home, status=S.CANCELLED, **fields)
    assert [row[0] for row in finance.get(url(failed, "invoice_again")).context["held_back"]] == [words]
