"""What an invoice in Go means."""

from decimal import Decimal as D

import pytest

from integration.decisions.money_picture import EntryFacts, InvoiceFacts
from integration.decisions.payment_status import payment_status
from integration.enums import StatementStatus as S

PAYMENT = EntryFacts(D(-1000), "IncomingOcrGiro")


@pytest.mark.parametrize(
    ("balance", "entries", "status", "says"),
    [
        ("1000", [], S.SENT, "Sent, unpaid"),
        ("400", [EntryFacts(D(-600), "BankJournal")], S.PARTLY_PAID, "400,00 of 1\u202f000,00\xa0NOK open"),
        ("0", [PAYMENT], S.PAID, "Paid"),
        ("0", [], S.PAID, "Paid"),
        ("0", [EntryFacts(D(-1000), "OutgoingCreditNote")], S.CANCELLED, "Credited in full in PowerOffice Go"),
        (
            "0",
            [EntryFacts(D(-1000), "ManualJournal", is_write_off=True)],
            S.WRITTEN_OFF,
            "Written off in PowerOffice Go",
        ),
        (
            "0",
            [EntryFacts(D(-999), "BankJournal"), EntryFacts(D(-1), "ManualJournal", is_write_off=True)],
            S.PAID,
            "Paid, 1,00\xa0NOK of it written off",
        ),
        (
            "0",
            [EntryFacts(D(-700), "BankJournal"), EntryFacts(D(-300), "OutgoingCreditNote")],
            S.PAID,
            "Paid, 300,00\xa0NOK of it credited",
        ),
        ("-50", [EntryFacts(D(-1050), "BankJournal")], S.PAID, "Overpaid by 50,00\xa0NOK"),
    ],
)
def test_invoice(balance, entries, status, says):
    verdict = payment_status(InvoiceFacts(D(1000), D(balance)), entries)
    assert (verdict.status, verdict.says) == (status, says)


def test_reversed_invoice_failed():
    assert payment_status(InvoiceFacts(D(1000), D(0), is_reversed=True), []).status == S.CANCELLED


@pytest.mark.parametrize(("balance", "status"), [("-500", S.SENT), ("-200", S.PARTLY_PAID), ("0", S.PAID)])
def test_credit_note_is_settled_when_its_balance_is_gone(balance, status):
    note = InvoiceFacts(D(-500), D(balance), is_credit_note=True)
    assert payment_status(note, [EntryFacts(D(500), "OutgoingInvoice")]).status == status
