"""The *Orders* panel on a customer's page."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integration.admin import orders
from integration.enums import CompanyState, HandPaymentState, LineKind, ReviewAction, SharingRule
from integration.enums import StatementStatus as S
from integration.models import Customer, GoCompany
from integration.use_cases.review_statements import why_not
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(home: GoCompany) -> Customer:
    return factories.customer(home)


def panel(client: Client, customer: Customer, **query: Any) -> dict[str, Any]:
    response = client.get(reverse("admin:integration_customer_change", args=[customer.pk]), query)
    shown: dict[str, Any] = response.context["orders"]
    return shown


def page_text(client: Client, customer: Customer) -> str:
    response = client.get(reverse("admin:integration_customer_change", args=[customer.pk]))
    section = response.content.decode().split('id="orders"')[1].split("</section>")[0]
    return re.sub(r"\s+", " ", section)


def test_every_order_is_told_with_what_became_of_it(finance: Client, home: GoCompany, customer: Customer) -> None:
    invoice = factories.outgoing_invoice(
        home, invoice_number=20_017, total=Decimal(125), balance=Decimal("25.00"), delivery="PdfByEmail", match_id=7
    )
    factories.ledger_entry(invoice, amount=Decimal(-100), match_id=7)
    factories.statement(
        home,
        customer=customer,
        source_id="M-1",
        status=S.PARTLY_PAID,
        outgoing_invoice=invoice,
        follows_go=False,
        lines=[{"description": ""}, {"description": "Medlemskap <2026>"}],
    )
    factories.statement(home, customer=customer, source_id="M-2", status=S.UPCOMING, held=True)
    [newest, oldest] = panel(finance, customer)["rows"]
    assert (newest["number"], newest["marks"], newest["invoice"], newest["payments"]) == ("M-2", "on hold", None, [])
    assert (oldest["number"], oldest["text"], oldest["marks"]) == ("M-1", "Medlemskap <2026>", "")
    assert (oldest["date"], oldest["amount"], oldest["shared"]) == ("02.02.2026", "250,00\xa0NOK", False)
    assert oldest["payments"] == [("Paid", "100,00\xa0NOK"), ("Open", "25,00\xa0NOK")]
    shown = page_text(finance, customer)
    for words in (
        "Partly paid",
        "20017",
        "due 16.02.2026",
        "PDF by e-mail",
        "Medlemskap &lt;2026&gt;",
        "by hand",
        "on hold",
    ):
        assert words in shown


def test_orders_are_paged_newest_first(finance: Client, home: GoCompany, customer: Customer) -> None:
    for days in range(27):
        factories.statement(
            home, customer=customer, source_id=f"D{days}", statement_date=factories.TODAY - timedelta(days=days)
        )
    factories.statement(home)  # of another customer
    first, second = (panel(finance, customer, orders=page) for page in (1, 2))
    assert [row["number"] for row in first["rows"]] == [f"D{days}" for days in range(25)]
    assert [row["number"] for row in second["rows"]] == ["D25", "D26"]
    shown = page_text(finance, customer)
    assert "Orders 1 to 25 of 27" in shown
    assert '<a class="fb-link" href="?orders=2#orders">Older orders →</a>' in shown


@pytest.mark.parametrize(
    ("rule", "first", "second"),
    [
        (SharingRule.OLDEST_FIRST, [("Paid", "125,00")], [("Paid", "25,00"), ("Open", "100,00")]),
        (SharingRule.IN_PROPORTION, [("Paid", "75,00"), ("Open", "50,00")], [("Paid", "75,00"), ("Open", "50,00")]),
    ],
)
def test_of_a_combined_invoice_each_order_tells_its_own_share(
    finance: Client,
    home: GoCompany,
    customer: Customer,
    rule: SharingRule,
    first: list[tuple[str, str]],
    second: list[tuple[str, str]],
) -> None:
    GoCompany.objects.filter(pk=home.pk).update(sharing=rule)
    combined = factories.outgoing_invoice(home, total=Decimal(250), balance=Decimal(100), match_id=7)
    factories.ledger_entry(combined, amount=Decimal(-150), match_id=7)
    for days in (1, 0):
        date = factories.TODAY - timedelta(days=days)
        factories.statement(
            home, customer=customer, status=S.PARTLY_PAID, outgoing_invoice=combined, statement_date=date
        )
    alone = factories.outgoing_invoice(home)
    factories.statement(
        home,
        customer=customer,
        status=S.SENT,
        outgoing_invoice=alone,
        statement_date=factories.TODAY - timedelta(days=2),
    )
    rows = panel(finance, customer)["rows"]
    assert [
        (row["shared"], [(part, value.split("\xa0NOK")[0]) for part, value in row["payments"]]) for row in rows
    ] == [
        (True, second),
        (True, first),
        (False, [("Open", "125,00")]),
    ]
    assert page_text(finance, customer).count("its share of a combined invoice") == 2
    paid = {row["number"]: row["buttons"][3]["why_not"] for row in rows}
    assert list(paid.values()) == ["", "nothing is open" if rule == SharingRule.OLDEST_FIRST else "", ""]


# --- The buttons ----------------------------------------------------------------------------------------------------


def button(client: Client, customer: Customer, title: str) -> dict[str, str]:
    [row] = panel(client, customer)["rows"]
    [found] = [each for each in row["buttons"] if each["title"] == title]
    return dict(found)


@pytest.mark.parametrize("status", S)
def test_buttons_are_open_where_the_act_is_allowed_and_say_why_where_not(
    finance: Client, home: GoCompany, customer: Customer, status: S
) -> None:
    statement = factories.statement(home, customer=customer, status=status)
    activate = button(finance, customer, "Activate")
    assert activate["why_not"] == why_not(ReviewAction.ACTIVATE, statement)
    assert (activate["why_not"] == "") == (status == S.UPCOMING)
    update = button(finance, customer, "Update status")
    assert (update["why_not"] == "") == bool(statement.go_order_id)
    shown = page_text(finance, customer)
    for each in (activate, update):
        told, led = f"{each['title']}: {each['why_not']}", f'href="{each["address"]}"'
        if each["why_not"]:
            assert f'title="{told}" aria-disabled="true"' in shown  # for the mouse
            assert f"<div>{told}</div>" in shown  # for everybody else
            assert led not in shown
        else:
            assert led in shown
    assert ("Why not?" in shown) == bool(activate["why_not"] or update["why_not"])


@pytest.mark.parametrize(
    ("status", "ways_on"),
    [
        (
            S.CANCELLED,
            {"Take another payment method": "", "Invoice again": "", "Credit here only": ""},
        ),
        (
            S.LINK_BROKEN,
            {
                "Take another payment method": "what became of its draft is not known: settle that first",
                "Invoice again": "",
            },
        ),
        *((status, {}) for status in S if status not in {S.CANCELLED, S.LINK_BROKEN}),
    ],
)
def test_a_failed_payment_has_its_ways_on_and_no_other_row_is_crowded_with_them(
    finance: Client, home: GoCompany, customer: Customer, status: S, ways_on: dict[str, str]
) -> None:
    factories.statement(home, customer=customer, status=status)
    [row] = panel(finance, customer)["rows"]
    found = {each["title"]: each for each in row["buttons"][4:]}
    assert {title: each["why_not"] for title, each in found.items()} == ways_on
    for title, why in ways_on.items():
        if not why:
            page = finance.get(found[title]["address"])
            assert (page.status_code, page.context["title"], page.context["ready"]) == (200, title, 1)


def test_a_failed_payment_that_waits_for_a_second_person_says_so(
    finance: Client, home: GoCompany, customer: Customer
) -> None:
    factories.hand_payment(factories.statement(home, customer=customer, status=S.CANCELLED))
    [row] = panel(finance, customer)["rows"]
    waits = "a payment by hand already waits for a second person"
    assert [each["why_not"] for each in row["buttons"][4:]] == [waits] * 3


def test_what_a_button_says_is_what_its_page_says(finance: Client, home: GoCompany, customer: Customer) -> None:
    factories.statement(home, customer=customer, status=S.UPCOMING)
    open_act, closed_act = button(finance, customer, "Activate"), button(finance, customer, "Update status")
    assert "Activate: <strong>1 statement</strong>" in finance.get(open_act["address"]).content.decode()
    assert closed_act["why_not"] == "it is not in PowerOffice Go"


def test_without_lines_or_an_active_company_nothing_is_activated(
    finance: Client, home: GoCompany, customer: Customer
) -> None:
    factories.statement(home, customer=customer, status=S.UPCOMING, lines=[{"kind": LineKind.TEXT}])
    assert button(finance, customer, "Activate")["why_not"] == "no product lines"
    customer.statements.get().lines.update(
        kind=LineKind.PRODUCT, quantity=1, unit_price=1, product=factories.product(home)
    )
    assert button(finance, customer, "Activate")["why_not"] == ""
    GoCompany.objects.filter(pk=home.pk).update(state=CompanyState.OFF)
    assert button(finance, customer, "Activate")["why_not"] == "Fjordgløtt Camping AS is not active"


def test_an_order_in_go_of_a_company_that_is_off_is_not_asked_about(
    finance: Client, home: GoCompany, customer: Customer
) -> None:
    factories.statement(home, customer=customer, status=S.SENT)
    GoCompany.objects.filter(pk=home.pk).update(state=CompanyState.OFF)
    assert button(finance, customer, "Update status")["why_not"] == "Fjordgløtt Camping AS is not active"


@pytest.mark.parametrize(
    ("role", "titles"),
    [
        ("Finance", ["Activate", "Update status", "Credit", "Mark as paid by hand"]),
        ("Support", ["Activate", "Update status"]),
        ("Reader", []),
    ],
)
def test_people_see_the_buttons_of_their_role(
    as_role: Callable[..., Client], home: GoCompany, customer: Customer, role: str, titles: list[str]
) -> None:
    factories.statement(home, customer=customer, status=S.UPCOMING)
    client = as_role(role)
    assert [each["title"] for each in panel(client, customer)["rows"][0]["buttons"]] == titles
    shown = page_text(client, customer)
    assert ">Open</a>" in shown
    assert ("Activate" in shown) == bool(titles)


def test_one_word_more_is_one_button_more(
    finance: Client, home: GoCompany, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "ACTS", (ReviewAction.WITHDRAW, "nobody has made this yet"))
    factories.statement(home, customer=customer, status=S.PAID)
    [row] = panel(finance, customer)["rows"]
    assert [each["title"] for each in row["buttons"]] == ["Withdraw"]
    assert row["buttons"][0]["why_not"] == "not possible while it is “Paid”"


def test_buttons_are_those_of_the_statements_page(finance: Client, home: GoCompany, customer: Customer) -> None:
    statement = factories.statement(
        home, customer=customer, status=S.SENT, outgoing_invoice=factories.outgoing_invoice(home)
    )
    page = finance.get(reverse("admin:integration_invoicestatement_change", args=[statement.pk])).context["buttons"]
    [row] = panel(finance, customer)["rows"]
    assert [each for each in row["buttons"] if each not in page] == []


def test_what_was_paid_by_hand_is_told(finance: Client, home: GoCompany, customer: Customer) -> None:
    statement = factories.statement(
        home, customer=customer, status=S.SENT, outgoing_invoice=factories.outgoing_invoice(home)
    )
    factories.hand_payment(statement, amount=Decimal(40), state=HandPaymentState.IN_FORCE, needs_approval=False)
    factories.hand_payment(statement, amount=Decimal(30))  # waits for a second person
    [row] = panel(finance, customer)["rows"]
    assert row["payments"] == [("Open", "125,00\xa0NOK"), ("By hand", "40,00\xa0NOK")]


def test_queries_do_not_grow_with_the_orders(finance: Client, home: GoCompany, customer: Customer) -> None:
    def order() -> None:
        invoice = factories.outgoing_invoice(home, match_id=factories.next_number())
        factories.ledger_entry(invoice, match_id=invoice.match_id)
        for status in (S.PAID, S.UPCOMING, S.SENT, S.CANCELLED, S.LINK_BROKEN):
            made = factories.statement(
                home, customer=customer, status=status, outgoing_invoice=invoice, follows_go=status == S.UPCOMING
            )
            factories.hand_payment(made)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            panel(finance, customer)
        return len(caught)

    order()
    panel(finance, customer)
    one = queries()
    for _ in range(5):
        order()
    assert queries() == one


def test_a_customer_without_orders_says_so(finance: Client, home: GoCompany, customer: Customer) -> None:
    assert "No statements yet." in page_text(finance, customer)
