"""Outgoing invoices: the money as a table that sums, and the lists a bookkeeper asks for."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integration.enums import InvoiceType, StatementStatus
from integration.models import GoCompany, LedgerEntry, OutgoingInvoice
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_outgoinginvoice_changelist")


def page_of(client: Client, invoice: OutgoingInvoice) -> Any:
    return client.get(reverse("admin:integration_outgoinginvoice_change", args=[invoice.pk]))


def listed(client: Client, query: str) -> list[int | None]:
    return sorted(row.invoice_number for row in client.get(f"{LIST}?{query}").context["cl"].result_list)


@pytest.fixture
def late(home: GoCompany) -> OutgoingInvoice:
    """1 000,00, 20 days late: 600,00 paid, 100,00 written off, a reminder, and a payment that nobody has placed."""
    invoice = factories.outgoing_invoice(
        home,
        invoice_number=10044,
        total=Decimal(1000),
        balance=Decimal(300),
        match_id=7,
        go_customer_id=12,
        due_date=timezone.localdate() - timedelta(days=20),
    )
    own = {"amount": Decimal(1000), "voucher_type": "OutgoingInvoice", "voucher_id": invoice.go_invoice_id}
    for fields in (
        {**own, "match_id": 7},
        {"amount": Decimal(-600), "voucher_type": "IncomingOcrGiro", "match_id": 7},
        {"amount": Decimal(-100), "voucher_type": "ManualJournal", "match_id": 7, "is_write_off": True},
        {"amount": Decimal(35), "voucher_type": "OutgoingPaymentReminder", "posting_date": timezone.localdate()},
        {"amount": Decimal(-50), "voucher_type": "BankJournal", "balance": Decimal(-50)},
    ):
        made = factories.ledger_entry(invoice, **{"go_customer_id": 12, "invoice_number": "", **fields})
        if made.match_id is None:
            LedgerEntry.objects.filter(pk=made.pk).update(outgoing_invoice=None)
    return invoice


def test_the_same_table_on_both_pages(finance: Client, home: GoCompany, late: OutgoingInvoice) -> None:
    response = page_of(finance, late)
    money = response.context["page"]["money"]
    assert money["parts"] == [("Paid", "600,00"), ("Written off", "100,00"), ("Open", "300,00")]
    assert money["sum"] == "1\u202f000,00\xa0NOK"
    assert money["late"] == "20 days late"
    assert [state.split(">")[1].split("<")[0] for state in money["states"]] == [
        "Partly paid",
        "Written off in part",
        "Reminded",
        "Overdue",
    ]
    assert [(fee["what"], fee["amount"]) for fee in money["fees"]] == [("Reminder", "35,00\xa0NOK")]
    (note,) = money["notes"]
    assert note.startswith("The customer has 50,00\xa0NOK in payments and credits that are not used up.")
    statement = factories.statement(home, status=StatementStatus.PARTLY_PAID, outgoing_invoice=late)
    sheet = finance.get(reverse("admin:integration_invoicestatement_change", args=[statement.pk])).context["sheet"]
    assert sheet["invoice"]["money"]["parts"] == money["parts"]


def test_a_payment_of_several_invoices_is_seen_on_each(finance: Client, home: GoCompany) -> None:
    rows = [
        factories.outgoing_invoice(home, total=Decimal(100), balance=Decimal(0), match_id=9, go_customer_id=12)
        for _ in range(2)
    ]
    for row in rows:
        factories.ledger_entry(
            row, amount=Decimal(100), voucher_type="OutgoingInvoice", voucher_id=row.go_invoice_id, match_id=9
        )
    factories.ledger_entry(rows[0], amount=Decimal(-200), voucher_number=77, match_id=9, invoice_number="")
    for row in rows:
        page = page_of(finance, row).context["page"]
        assert page["money"]["parts"] == [("Paid", "100,00")]
        assert 77 in [entry["voucher"] for entry in page["entries"]]


def test_what_belongs_to_the_customer_is_said(finance: Client, home: GoCompany) -> None:
    invoice = factories.outgoing_invoice(home, balance=Decimal(0), match_id=7, go_customer_id=12)
    factories.ledger_entry(invoice, amount=Decimal(-150), balance=Decimal(-25), match_id=7)
    factories.outgoing_invoice(
        home,
        type=InvoiceType.CREDIT_NOTE,
        total=Decimal(-40),
        related_invoice_number=invoice.invoice_number,
        go_customer_id=12,
    )
    assert page_of(finance, invoice).context["page"]["money"]["notes"] == [
        "25,00\xa0NOK was paid too much and belongs to the customer.",
        "40,00\xa0NOK of its credit notes is not settled with anything: it is the customer's.",
    ]
    assert listed(finance, "money=overpaid") == [invoice.invoice_number]


def test_settled_with_others_in_a_way_that_go_does_not_tell(finance: Client, home: GoCompany) -> None:
    invoice, other = (factories.outgoing_invoice(home, balance=Decimal(0), match_id=7) for _ in range(2))
    for amount, kind, of in (
        (125, "OutgoingInvoice", other.go_invoice_id),
        (-100, "BankJournal", ""),
        (-150, "OutgoingCreditNote", "x"),
    ):
        factories.ledger_entry(
            invoice, amount=Decimal(amount), voucher_type=kind, voucher_id=of, match_id=7, invoice_number=""
        )
    money = page_of(finance, invoice).context["page"]["money"]
    assert money["parts"] == [("Settled, Go does not say how", "125,00")]
    assert money["notes"] == [
        "It is settled together with other invoices, and PowerOffice Go does not say which entry went where."
    ]


def test_lists_by_days_late_and_by_what_became_of_the_money(
    finance: Client, home: GoCompany, late: OutgoingInvoice
) -> None:
    today = timezone.localdate()
    factories.outgoing_invoice(home, invoice_number=1, due_date=today - timedelta(days=40), balance=Decimal(0))
    factories.outgoing_invoice(home, invoice_number=2, due_date=today - timedelta(days=14))
    factories.outgoing_invoice(home, invoice_number=3, due_date=today - timedelta(days=61))
    factories.outgoing_invoice(home, invoice_number=4, due_date=today)
    factories.outgoing_invoice(home, invoice_number=5, due_date=today, is_reversed=True, balance=Decimal(0))
    wanted = {
        "due=overdue": [2, 3, 10044],
        "due=overdue14": [3, 10044],
        "due=overdue30": [3],
        "due=overdue60": [3],
        "due=week": [4],
        "money=open": [2, 3, 4, 10044],
        "money=overpaid": [],
        "money=reminded": [10044],
        "money=collection": [],
        "money=reversed": [5],
    }
    assert {query: listed(finance, query) for query in wanted} == wanted
    assert "20 days late" in finance.get(LIST).content.decode()
    assert "14 days late" in finance.get(LIST).content.decode()


def test_page_costs_as_many_queries_for_many_entries_as_for_one(
    finance: Client, home: GoCompany, late: OutgoingInvoice
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert page_of(finance, late).status_code == 200
        return len(caught)

    queries()
    few = queries()
    for _ in range(5):
        factories.ledger_entry(late, amount=Decimal(-10), match_id=7)
    assert queries() == few
