"""Acts on statements: who may, what the page says before, what it says after."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from integration import remotes
from integration.admin import statement_actions
from integration.admin.statement_actions import held_back_words
from integration.enums import StatementKind, StatementStatus
from integration.errors import Unavailable
from integration.models import AdminAction, GoCompany, InvoiceStatement, StatementMove
from integration.tasks import run_company_cycle
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_invoicestatement_changelist")
S = StatementStatus


def act_url(statement: InvoiceStatement, act: str) -> str:
    return reverse("admin:integration_invoicestatement_act", args=[statement.pk, act])


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def status_of(statement: InvoiceStatement) -> str:
    return InvoiceStatement.objects.values_list("status", flat=True).get(pk=statement.pk)


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The bells that rang. Mocked at the edge: what the workers do is tested where they live."""
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(run_company_cycle, "delay_on_commit", lambda **sent: rung.append(sent))
    return rung


MAY = {
    "Finance": {"push", "release", "pull", "activate", "hold", "withdraw"},
    "Support": {"push", "release", "pull", "activate"},
    "Reader": set(),
    "": set(),
}
STARTS = {
    "push": (S.UPCOMING, S.PROCESSING),
    "release": (S.NEEDS_FIX, S.PROCESSING),
    "activate": (S.UPCOMING, S.PROCESSING),
    "hold": (S.PROCESSING, S.UPCOMING),
    "withdraw": (S.UPCOMING, S.VOID),
}


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("act", STARTS)
def test_act_posted_directly_needs_its_own_permission(
    home: GoCompany, as_role: Callable[..., Client], nudged: list[Any], role: str, act: str
) -> None:
    before, after = STARTS[act]
    statement = factories.statement(home, status=before)
    data = {"confirmed": "1", "reason": "Ordered twice"}
    response = as_role(role).post(act_url(statement, act), data)
    if act in MAY[role]:
        assert (response.status_code, status_of(statement)) == (302, after)
    else:
        assert (response.status_code, status_of(statement)) == (403, before)
    assert AdminAction.objects.count() == StatementMove.objects.count() == (1 if act in MAY[role] else 0)


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("act", [*STARTS, "pull"])
def test_list_act_posted_directly_needs_its_own_permission(
    home: GoCompany, as_role: Callable[..., Client], nudged: list[Any], role: str, act: str
) -> None:
    before = STARTS.get(act, (S.PAID,))[0]
    statement = factories.statement(home, status=before)
    data = {"action": act, "_selected_action": [statement.pk], "index": "0"}
    response = as_role(role).post(LIST, data)
    offered = response.status_code == 200 and "confirm.html" in next(
        template.name or "" for template in response.templates
    )
    assert offered == (act in MAY[role])
    assert status_of(statement) == before


def test_pull_posted_directly_needs_its_own_permission(
    home: GoCompany, as_role: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[GoCompany] = []
    monkeypatch.setattr(remotes, "go_client", lambda company, *, person: None)

    def pull(*, company: GoCompany, **_: object) -> dict[str, int]:
        asked.append(company)
        return {}

    monkeypatch.setattr(statement_actions, "pull_statuses", pull)
    statement = factories.statement(home, status=S.DRAFT)
    codes = {role: as_role(role).post(act_url(statement, "pull"), {"confirmed": "1"}).status_code for role in MAY}
    assert codes == {"Finance": 302, "Support": 302, "Reader": 403, "": 403}
    assert asked == [home, home]


@pytest.mark.parametrize("act", [*STARTS, "pull"])
def test_act_on_statement_of_another_company_is_not_found(finance: Client, nudged: list[Any], act: str) -> None:
    stranger = factories.statement(status=S.UPCOMING)
    for response in (
        finance.get(act_url(stranger, act)),
        finance.post(act_url(stranger, act), {"confirmed": "1", "reason": "x"}),
    ):
        assert response.status_code == 404
    finance.post(LIST, {"action": act, "_selected_action": [stranger.pk], "confirmed": "1", "reason": "x"})
    assert status_of(stranger) == S.UPCOMING
    assert nudged == []


def test_unknown_act_is_not_found(finance: Client, home: GoCompany) -> None:
    assert finance.get(act_url(factories.statement(home), "delete")).status_code == 404


def test_confirmation_says_count_sum_per_currency_and_what_is_held_back(finance: Client, home: GoCompany) -> None:
    customer = factories.customer(home, name="Ålesund Båtutleie AS", number=700)
    rows = [
        factories.statement(home, status=S.UPCOMING, customer=customer, source_id="A1"),
        factories.statement(home, status=S.UPCOMING, customer=customer, source_id="A2"),
        factories.statement(home, status=S.UPCOMING, customer=customer, source_id="A3", currency="EUR"),
        factories.statement(home, status=S.UPCOMING, customer=None),
        factories.statement(home, status=S.PAID),
        factories.statement(home, status=S.PAID),
    ]
    response = finance.post(LIST, {"action": "push", "_selected_action": [row.pk for row in rows], "index": "0"})
    context = response.context
    assert (context["ready"], context["count"], context["held_back_count"]) == (3, 6, 3)
    assert context["sums"] == ["125,00\xa0EUR", "250,00\xa0NOK"]
    assert context["held_back"] == [
        ("not possible while it is “Paid”", "2", f"{rows[4].source_id}, {rows[5].source_id}"),
        ("no customer", "1", rows[3].source_id),
    ]
    assert context["named"] == [
        ("A1", "700 Ålesund Båtutleie AS", "125,00\xa0NOK"),
        ("A2", "700 Ålesund Båtutleie AS", "125,00\xa0NOK"),
        ("A3", "700 Ålesund Båtutleie AS", "125,00\xa0EUR"),
    ]
    assert {status_of(row) for row in rows} == {S.UPCOMING, S.PAID}


def test_confirmed_push_reports_in_numbers_and_wakes_each_company_once(
    as_role: Callable[..., Client], home: GoCompany, nudged: list[Any]
) -> None:
    other = factories.go_company()
    rows = [
        *(factories.statement(home, status=S.UPCOMING) for _ in range(2)),
        factories.statement(other, status=S.UPCOMING),
        *(factories.statement(home, status=S.UPCOMING, customer=None) for _ in range(2)),
    ]
    data = {"action": "push", "_selected_action": [row.pk for row in rows], "index": "0", "confirmed": "5"}
    response = as_role("Finance", other).post(LIST, data)
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert said(response) == ["3 queued, 2 held back: no customer."]
    assert sorted(status_of(row) for row in rows) == [S.PROCESSING] * 3 + [S.UPCOMING] * 2
    assert nudged == [
        {"company_id": home.pk, "trigger": "PERSON"},
        {"company_id": other.pk, "trigger": "PERSON"},
    ]


def test_hold_and_withdraw_wake_nobody(finance: Client, home: GoCompany, nudged: list[Any]) -> None:
    statement = factories.statement(home, status=S.PROCESSING)
    finance.post(act_url(statement, "hold"), {"confirmed": "1"})
    finance.post(act_url(statement, "withdraw"), {"confirmed": "1", "reason": "Ordered twice"})
    assert status_of(statement) == S.VOID
    assert nudged == []


def test_withdraw_without_reason_asks_again(finance: Client, home: GoCompany) -> None:
    statement = factories.statement(home, status=S.UPCOMING)
    response = finance.post(act_url(statement, "withdraw"), {"confirmed": "1", "reason": " "})
    assert response.status_code == 200
    assert response.context["form"].errors == {
        "reason": ["Say why: whoever looks at this statement next year wants to know."]
    }
    assert status_of(statement) == S.UPCOMING


def test_withdraw_keeps_the_reason(finance: Client, home: GoCompany) -> None:
    statement = factories.statement(home, status=S.UPCOMING)
    response = finance.post(act_url(statement, "withdraw"), {"confirmed": "1", "reason": "Ordered twice"})
    assert response["Location"] == reverse("admin:integration_invoicestatement_change", args=[statement.pk])
    assert said(response) == ["1 withdrawn."]
    assert AdminAction.objects.values_list("action", "reason").get() == ("withdraw", "Ordered twice")


def test_act_on_all_pages_covers_the_filter_and_nothing_else(
    finance: Client, home: GoCompany, nudged: list[Any]
) -> None:
    rows = [factories.statement(home, status=S.NEEDS_FIX) for _ in range(3)]
    paid = factories.statement(home, status=S.UPCOMING)
    address = f"{LIST}?status__exact=NEEDS_FIX"
    data = {"action": "release", "_selected_action": [rows[0].pk], "select_across": "1", "index": "0"}
    page = finance.post(address, data)
    assert (page.context["count"], page.context["selected"]) == (3, [str(rows[0].pk)])
    response = finance.post(address, {**data, "confirmed": "3"})
    assert said(response) == ["3 queued."]
    assert {status_of(row) for row in rows} == {S.PROCESSING}
    assert status_of(paid) == S.UPCOMING


def test_act_on_all_pages_asks_again_when_the_list_grew(finance: Client, home: GoCompany, nudged: list[Any]) -> None:
    rows = [factories.statement(home, status=S.NEEDS_FIX) for _ in range(3)]
    data = {"action": "release", "_selected_action": [rows[0].pk], "select_across": "1", "index": "0", "confirmed": "2"}
    response = finance.post(f"{LIST}?status__exact=NEEDS_FIX", data)
    assert (response.status_code, response.context["count"]) == (200, 3)
    assert said(response) == ["The list changed since you looked. Please check the numbers again."]
    assert {status_of(row) for row in rows} == {S.NEEDS_FIX}


def test_pull_names_companies_and_tells_what_go_said(
    as_role: Callable[..., Client], home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = factories.go_company(name="Nordlys Padel AS")
    new = factories.go_company(name="Øy Data AS", client_key="")
    rows = [factories.statement(company, status=S.DRAFT) for company in (home, home, silent, new)]
    person_waits: list[bool] = []

    def pull(*, company: GoCompany, client: Any, clock: Any) -> dict[str, int]:
        if company == silent:
            raise Unavailable("PowerOffice Go does not answer.")
        return {"paid": 2, "drafts changed": 1}

    monkeypatch.setattr(remotes, "go_client", lambda company, *, person: person_waits.append(person))
    monkeypatch.setattr(statement_actions, "pull_statuses", pull)
    client = as_role("Finance", silent, new)
    data = {"action": "pull", "_selected_action": [row.pk for row in rows], "index": "0"}
    page = client.post(LIST, data)
    assert page.context["companies"] == [("Fjordgløtt Camping AS", "2"), ("Nordlys Padel AS", "1")]
    assert (page.context["ready"], page.context["held_back"]) == (3, [("Øy Data AS is not active", "1", "")])
    response = client.post(LIST, {**data, "confirmed": "4"})
    assert said(response) == [
        "Fjordgløtt Camping AS: PowerOffice Go was asked. 1 drafts changed, 2 paid.",
        "Nordlys Padel AS: PowerOffice Go does not answer.",
        "Øy Data AS: Øy Data AS is not active. Nothing was asked.",
    ]
    assert person_waits == [True, True]


def test_page_offers_acts_with_the_reason_why_not(finance: Client, home: GoCompany) -> None:
    statement = factories.statement(home, status=S.UPCOMING, customer=None)
    response = finance.get(reverse("admin:integration_invoicestatement_change", args=[statement.pk]))
    assert {button["title"]: button["why_not"] for button in response.context["buttons"]} == {
        "Push drafts": "no customer",
        "Update status": "",
        "Activate": "no customer",
        "Hold": "",
        "Withdraw": "",
        "Send from Go": "not possible while it is “Upcoming”",
        "Credit": "It is not in PowerOffice Go yet: withdraw it, or change its lines.",
        "Mark as paid by hand": "not in PowerOffice Go yet: withdraw it if it was paid in another way",
    }
    shown = response.content.decode()
    acts, folded = re.split("Not possible now", re.split('class="fb-acts"', shown)[1].split("</details>")[0])
    assert re.findall(r">([^<>]+)</a>", acts) == ["Update status", "Hold", "Withdraw"]
    assert re.findall(r"<div>([^:]+):", folded) == [
        "Push drafts",
        "Activate",
        "Send from Go",
        "Mark as paid by hand",
        "Credit",
    ]


def test_stuck_page_offers_push_again(as_role: Callable[..., Client], home: GoCompany) -> None:
    statement = factories.statement(home, status=S.NEEDS_FIX)
    address = reverse("admin:integration_invoicestatement_change", args=[statement.pk])
    titles = [button["title"] for button in as_role("Support").get(address).context["buttons"]]
    assert titles == ["Push again", "Update status", "Activate"]
    assert as_role("Reader").get(address).context["buttons"] == []


@pytest.mark.parametrize(
    ("held_back", "words"),
    [
        ((), ""),
        ((("no customer", 2),), "2 held back: no customer"),
        ((("no customer", 2), ("paid", 1500)), "1\u202f502 held back: no customer (2), paid (1\u202f500)"),
    ],
)
def test_held_back_words(held_back: tuple[tuple[str, int], ...], words: str) -> None:
    assert held_back_words(held_back) == words


def test_confirmation_names_at_most_ten(finance: Client, home: GoCompany) -> None:
    customer = factories.customer(home)
    lines = [{"product": factories.product(home), "unit_price": Decimal(10)}]
    rows = [factories.statement(home, status=S.UPCOMING, customer=customer, lines=lines) for _ in range(12)]
    data = {"action": "push", "_selected_action": [row.pk for row in rows], "index": "0"}
    context = finance.post(LIST, data).context
    assert (context["ready"], len(context["named"])) == (12, 10)


def test_credit_note_is_pushed_like_an_invoice(finance: Client, home: GoCompany, nudged: list[Any]) -> None:
    note = factories.statement(
        home,
        status=S.UPCOMING,
        kind=StatementKind.CREDIT_NOTE,
        credit_reason="Goodwill",
        lines=[{"quantity": Decimal(-1)}],
    )
    assert said(finance.post(act_url(note, "push"), {"confirmed": "1"})) == ["1 queued."]
