"""Combined drafts on the pages: what is proposed, saying yes, linking by number, and who may."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integration.enums import SharingRule, StatementStatus
from integration.models import GoCompany, InvoiceStatement, OutgoingInvoice
from tests import factories

pytestmark = pytest.mark.django_db

S = StatementStatus
LIST = reverse("admin:integration_invoicestatement_changelist") + "?status__exact=LINK_BROKEN"
ACCEPT = reverse("admin:integration_invoicestatement_accept")
TARGET = "0f8fad5b-d9cb-469f-a165-70867728950e"


def lost(company: GoCompany, **fields: Any) -> InvoiceStatement:
    """A statement whose line is in draft no. 12."""
    evidence = {"kind": "order", "id": TARGET, "number": 12, "lines": ["FB-1/1"], "of": 1, "by": "reference"}
    return factories.statement(
        company, **{"status": S.LINK_BROKEN, "proposal": evidence, "attention_code": "COMBINED", **fields}
    )


def page(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_change", args=[statement.pk])


def by_hand(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_link", args=[statement.pk])


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_list_of_broken_links_shows_proposals_with_their_evidence(finance: Client, home: GoCompany) -> None:
    rows = [lost(home), lost(home)]
    survivor = factories.statement(home, status=S.DRAFT, go_order_id=TARGET, source_id="SURVIVOR")
    lost(home, proposal=None, source_id="NOWHERE")
    response = finance.get(LIST)
    (found,) = response.context["proposals"]
    assert (found["place"], found["keys"], found["rule"]) == (
        "draft no. 12",
        [row.pk for row in rows],
        "the oldest due first",
    )
    assert [(row["found"], row["lines"]) for row in found["rows"]] == [("1 of 1 found by our mark", ["FB-1/1"])] * 2
    assert "SURVIVOR" in found["already"][0][0]
    text = response.content.decode()
    assert f'href="{page(survivor)}"' in text
    assert "Accept all 2" in text
    assert "proposals" not in finance.get(reverse("admin:integration_invoicestatement_changelist")).context


def test_one_click_accepts_all_and_another_finds_it_done(finance: Client, home: GoCompany) -> None:
    rows = [lost(home), lost(home)]
    data = {"go_id": TARGET, "statement": [row.pk for row in rows]}
    response = finance.post(ACCEPT, data)
    assert (response.status_code, response["Location"], said(response)) == (302, LIST, ["2 linked."])
    found = InvoiceStatement.objects.filter(combined_into=TARGET, status=S.DRAFT)
    assert {row.pk for row in found} == {row.pk for row in rows}
    assert said(finance.post(ACCEPT, data))[-1] == "0 linked, 2 held back: changed by somebody else meanwhile."


@pytest.mark.parametrize("role", ["Support", "Reader", ""])
def test_only_finance_links(as_role: Callable[..., Client], home: GoCompany, role: str) -> None:
    row, client = lost(home), as_role(role)
    assert client.post(ACCEPT, {"go_id": TARGET, "statement": [row.pk]}).status_code == 403
    assert client.post(by_hand(row), {"number": "1", "reason": "x"}).status_code == 403
    if role:
        assert ACCEPT not in client.get(LIST).content.decode()
        assert ACCEPT not in client.get(page(row)).content.decode()
    assert InvoiceStatement.objects.get(pk=row.pk).status == S.LINK_BROKEN


def test_what_belongs_to_another_company_is_not_linked(finance: Client) -> None:
    row = lost(factories.go_company())
    response = finance.post(ACCEPT, {"go_id": TARGET, "statement": [row.pk, "x"]})
    assert said(response) == ["0 linked."]
    assert finance.get(by_hand(row)).status_code == 404
    assert InvoiceStatement.objects.get(pk=row.pk).status == S.LINK_BROKEN
    assert finance.get(ACCEPT).status_code == 405


def test_page_of_a_broken_link_shows_its_proposal_and_the_other_way(finance: Client, home: GoCompany) -> None:
    row, alone = lost(home), lost(home, proposal=None)
    linking = finance.get(page(row)).context["linking"]
    assert (linking["proposal"]["only"], linking["by_hand"]) == (row.pk, by_hand(row))
    assert finance.get(page(alone)).context["linking"]["proposal"] is None
    assert by_hand(alone) in finance.get(page(alone)).content.decode()
    assert finance.get(page(factories.statement(home, status=S.DRAFT))).context["linking"] is None


def invoice_of(statement: InvoiceStatement, **fields: Any) -> OutgoingInvoice:
    customer = statement.customer
    assert customer is not None
    customer.go_customer_id = customer.pk + 1000
    customer.save()
    return factories.outgoing_invoice(statement.company, go_customer_id=customer.go_customer_id, **fields)


def test_link_by_number(finance: Client, home: GoCompany) -> None:
    row = lost(home, proposal=None, source_id="2026-7")
    made = invoice_of(row, invoice_number=10044)
    assert "the oldest due first" in finance.get(by_hand(row)).content.decode()
    response = finance.post(by_hand(row), {"number": " 10 044 ", "reason": "The letter"})
    assert (response["Location"], said(response)) == (page(row), ["2026-7 follows Invoice 10044 now."])
    now = InvoiceStatement.objects.get(pk=row.pk)
    assert (now.status, now.outgoing_invoice) == (S.SENT, made)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"number": "", "reason": "x"}, "Type the number of the invoice"),
        ({"number": "10044x", "reason": "x"}, "An invoice number has only digits."),
        ({"number": "-5", "reason": "x"}, "An invoice number has only digits."),
        ({"number": "0", "reason": "x"}, "An invoice number has only digits."),
        ({"number": "9" * 18, "reason": "x"}, "An invoice number has only digits."),
        ({"number": "10044", "reason": " "}, "Say how you know"),
        ({"number": "10044", "reason": "x"}, "Invoice 10044 is in EUR, and "),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(
    finance: Client, home: GoCompany, data: dict[str, str], words: str
) -> None:
    row = lost(home)
    invoice_of(row, invoice_number=10044, currency="EUR")
    response = finance.post(by_hand(row), data)
    assert response.status_code == 200
    assert any(error.startswith(words) for errors in response.context["form"].errors.values() for error in errors)
    assert InvoiceStatement.objects.get(pk=row.pk).status == S.LINK_BROKEN


def test_go_that_cannot_be_asked_is_said(finance: Client, home: GoCompany) -> None:
    GoCompany.objects.filter(pk=home.pk).update(client_key_fingerprint="", state="OFF")
    row = lost(home)
    response = finance.post(by_hand(row), {"number": "10044", "reason": "x"})
    assert "PowerOffice Go could not be asked." in response.content.decode()
    evidence = {**(row.proposal or {}), "kind": "invoice"}
    InvoiceStatement.objects.filter(pk=row.pk).update(proposal=evidence)
    assert said(finance.post(ACCEPT, {"go_id": TARGET, "statement": [row.pk]}))[0].startswith("Nothing was linked.")


def unlinking(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_unlink", args=[statement.pk])


def test_a_wrong_link_is_taken_back_on_its_page_with_a_reason(finance: Client, home: GoCompany) -> None:
    row = factories.statement(home, status=S.DRAFT, combined_into=TARGET, source_id="2026-7")
    own = factories.statement(home, status=S.DRAFT)
    (button,) = [each for each in finance.get(page(row)).context["buttons"] if each["title"] == "Unlink"]
    assert (button["address"], button["why_not"]) == (unlinking(row), "")
    assert "Unlink" not in [each["title"] for each in finance.get(page(own)).context["buttons"]]
    assert "Unlink: <strong>1 statement</strong>" in finance.get(unlinking(row)).content.decode()
    assert "Say why" in finance.post(unlinking(row), {"reason": " "}).content.decode()
    response = finance.post(unlinking(row), {"reason": "Another member"})
    assert (response["Location"], said(response)) == (
        page(row),
        ["2026-7 is not linked any more: decide what became of it."],
    )
    assert InvoiceStatement.objects.get(pk=row.pk).status == S.LINK_BROKEN
    response = finance.post(unlinking(row), {"reason": "Again"})
    assert said(response)[-1] == "2026-7: no person linked it with another draft or invoice."
    shown = finance.get(unlinking(row)).content.decode()
    assert "nothing can be done with this statement now" in " ".join(shown.split())


def test_only_finance_of_the_company_unlinks(as_role: Callable[..., Client], finance: Client, home: GoCompany) -> None:
    row = factories.statement(home, status=S.DRAFT, combined_into=TARGET)
    theirs = factories.statement(factories.go_company(), status=S.DRAFT, combined_into=TARGET)
    support = as_role("Support")
    assert support.post(unlinking(row), {"reason": "x"}).status_code == 403
    assert "Unlink" not in [each["title"] for each in support.get(page(row)).context["buttons"]]
    assert finance.post(unlinking(theirs), {"reason": "x"}).status_code == 404
    assert not InvoiceStatement.objects.filter(status=S.LINK_BROKEN).exists()


def test_shares_of_a_combined_invoice_stand_on_each_page(finance: Client, home: GoCompany) -> None:
    GoCompany.objects.filter(pk=home.pk).update(sharing=SharingRule.IN_PROPORTION)
    made = factories.outgoing_invoice(home, total=Decimal(300), balance=Decimal("299.99"), match_id=7)
    factories.ledger_entry(made, amount=Decimal("-0.01"), match_id=7)
    rows = [factories.statement(home, status=S.PARTLY_PAID, outgoing_invoice=made) for _ in range(2)]
    shown = finance.get(page(rows[0])).context["sheet"]["invoice"]["share"]
    assert shown["parts"] == [("Paid", "0,01"), ("Open", "124,99")]
    assert shown["sum"] == "125,00\xa0NOK"
    response = finance.get(reverse("admin:integration_outgoinginvoice_change", args=[made.pk]))
    found = response.context["page"]
    assert [row["share"]["open"] for row in found["statements"]] == ["124,99\xa0NOK", "125,00\xa0NOK"]
    text = " ".join(response.content.decode().split())
    assert "to the øre: in proportion to their amounts. 50,00 NOK of it is not ours" in text


def test_fees_and_what_was_paid_too_much_are_shared_too(finance: Client, home: GoCompany) -> None:
    made = factories.outgoing_invoice(home, total=Decimal(250), balance=Decimal(0), match_id=7, go_customer_id=12)
    factories.ledger_entry(made, amount=Decimal(-260), balance=Decimal(-10), match_id=7)
    factories.ledger_entry(made, amount=Decimal(35), voucher_type="OutgoingPaymentReminder", go_customer_id=12)
    row, _ = (factories.statement(home, status=S.PAID, outgoing_invoice=made) for _ in range(2))
    shown = finance.get(page(row)).context["sheet"]["invoice"]["share"]
    assert shown["beside"] == [("Reminder fees", "17,50\xa0NOK"), ("Paid too much", "5,00\xa0NOK")]


def test_proposals_cost_as_many_queries_for_many_as_for_one(finance: Client, home: GoCompany) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(LIST).status_code == 200
        return len(caught)

    lost(home)
    queries()
    one = queries()
    for number in range(4):
        other = {
            "kind": "order",
            "id": factories.next_uuid(),
            "number": number,
            "lines": ["x"],
            "of": 1,
            "by": "content",
        }
        lost(home, proposal=other)
    assert queries() == one
