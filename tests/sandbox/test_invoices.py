"""Reference §18.5: invoices and the customer ledger."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def state(go: Caller, pk: str) -> tuple[Any, bool]:
    """Balance, and whether it is matched with anything."""
    invoice = go.get(f"/OutgoingInvoices/{pk}")
    return invoice["Balance"], invoice["MatchId"] is not None


def entries(go: Caller, **query: Any) -> list[dict[str, Any]]:
    found = go.get("/Customerledger/Statement", fromDate="2000-01-01", toDate="2100-01-01", **query) or []
    return list(found)


def test_row_53_invoice_keeps_the_id(go: Caller) -> None:
    lines = [{"ProductCode": "HYTTE", "Quantity": 2, "ExternalImportReference": "a/1"}]
    header = {
        "ImportedOrderNo": 417,
        "CustomMatchingReference": "m-1",
        "PurchaseOrderReference": "PO-1",
        "ContractNo": "C",
    }
    order = go.order(ExternalImportReference="a", CustomerReference="Kari", SalesOrderLines=lines, **header)
    go.act("send", order_ids=[order["Id"]])
    invoice = go.get(f"/OutgoingInvoices/{order['Id']}")
    carried = ("ExternalImportReference", "CustomerReference", *header)
    assert {name: invoice[name] for name in carried} == {name: order[name] for name in carried}
    assert (invoice["OrderNo"], invoice["InvoiceNo"], invoice["Cid"]) == (
        order["SalesOrderNo"],
        10000,
        "10000000100006",
    )
    assert invoice["CreatedDateTimeOffset"] == order["CreatedDateTimeOffset"]
    [line] = go.get(f"/OutgoingInvoices/{order['Id']}/Lines")
    assert (type(line["Id"]), line["ExternalImportReference"], line["AccountNo"]) == (int, "a/1", 3002)
    [entry] = entries(go)
    assert (entry["VoucherId"], entry["InvoiceNo"], entry["ExternalImportReference"]) == (order["Id"], "10000", "a")
    second = go.invoice()
    assert (second["InvoiceNo"], second["VoucherNo"]) == (10001, invoice["VoucherNo"] + 1)
    go.switch(kid=False)
    assert go.invoice()["Cid"] is None


def test_row_54_sent_by_a_user(go: Caller) -> None:
    assert go.invoice()["IsCreatedByCurrentIntegration"] is False
    assert go.get("/OutgoingInvoices", onlyCreatedByCurrentIntegration="true") is None


def test_row_55_balance_filter(go: Caller) -> None:
    first, second = go.invoice(), go.invoice()
    stamp = second["BalanceLastChangedDateTimeOffset"]
    query = {"balanceLastChangedDateTimeOffsetGreaterThan": stamp, "OrderBy": "BalanceLastChangedDateTimeOffset asc"}
    assert go.get("/OutgoingInvoices", **query) is None
    go.act("pay", invoice_id=first["Id"], amount="1000")
    [changed] = go.get("/OutgoingInvoices", **query)
    assert (changed["Id"], changed["Balance"], changed["TotalAmount"]) == (first["Id"], 1240, 2240)
    third = go.invoice()
    assert [row["Id"] for row in go.get("/OutgoingInvoices", **query)] == [first["Id"], third["Id"]]


PAYMENTS = [
    ([], (2240, False)),
    ([("pay", {"amount": "1000.50"})], (Decimal("1239.5"), True)),
    ([("pay", {})], (0, True)),
    ([("pay", {"amount": 1000}), ("pay", {})], (0, True)),
    ([("overpay", {"by": "100"})], (0, True)),
    ([("pay", {}), ("undo_payment", {})], (2240, False)),
    ([("pay", {}), ("undo_payment", {"mode": "reversed"})], (2240, False)),
    ([("pay", {"amount": "100"}), ("pay", {"amount": "200"}), ("undo_payment", {})], (2140, True)),
    ([("credit", {})], (0, True)),
    ([("credit", {"amount": "500"})], (1740, True)),
    ([("write_off", {})], (0, True)),
    ([("write_off", {"amount": "40"})], (2200, True)),
    ([("pay", {"amount": "240"}), ("reverse", {})], (0, True)),
]


@pytest.mark.parametrize(("acts", "wanted"), PAYMENTS)
def test_payment_states(go: Caller, acts: list[tuple[str, dict[str, Any]]], wanted: tuple[Any, bool]) -> None:
    pk = go.invoice()["Id"]
    for name, body in acts:
        go.act(name, invoice_id=pk, **body)
    assert state(go, pk) == wanted


def test_overpaid_rest_stays_on_the_payment(go: Caller) -> None:
    pk = go.invoice()["Id"]
    go.act("overpay", invoice_id=pk, by="100")
    assert [(each["VoucherType"], each["Amount"], each["Balance"]) for each in entries(go)] == [
        ("OutgoingInvoice", 2240, 0),
        ("IncomingOcrGiro", -2340, -100),
    ]
    [row] = go.get("/Customerledger/CustomerBalances", date="2100-01-01")
    assert (row["CustomerAccountNo"], row["Balance"]) == (10000, -100)


def test_unmatched_payment(go: Caller) -> None:
    pk = go.invoice()["Id"]
    go.act("unmatched_payment", customer_no=10000, amount="2240")
    assert state(go, pk) == (2240, False)
    [row] = go.get("/Customerledger/CustomerBalances", date="2100-01-01")
    assert row["Balance"] == 0


def test_credit_note_through_the_api(go: Caller) -> None:
    invoice = go.invoice()
    lines = [{"ProductCode": "HYTTE", "Quantity": -1}]
    note = go.invoice(RelatedInvoiceNo=invoice["InvoiceNo"], SalesOrderLines=lines)
    seen = [note[name] for name in ("VoucherType", "TotalAmount", "Balance", "RelatedInvoiceNo", "InvoiceNo")]
    assert seen == ["OutgoingCreditNote", -1120, 0, 10000, 10001]
    assert state(go, invoice["Id"]) == (1120, True)


def test_written_off_and_reversed_show(go: Caller) -> None:
    first, second = go.invoice()["Id"], go.invoice()["Id"]
    go.act("write_off", invoice_id=first)
    match = go.get(f"/OutgoingInvoices/{first}")["MatchId"]
    group = go.get("/Customerledger/EntriesByMatchId", matchId=match)
    assert [(each["VoucherType"], each["IsWriteOff"]) for each in group] == [
        ("OutgoingInvoice", False),
        ("ManualJournal", True),
    ]
    go.act("reverse", invoice_id=second)
    assert go.get(f"/OutgoingInvoices/{second}")["IsReversed"] is True


def test_row_56_due_date_and_reminders(go: Caller) -> None:
    invoice = go.invoice(PaymentTerm=14)
    changed = [invoice["LastChangedDateTimeOffset"]]
    for days in (14, 1, 13, 14, 14):
        go.act("advance_days", days=days)
        go.sign_in()
        changed.append(go.get(f"/OutgoingInvoices/{invoice['Id']}")["LastChangedDateTimeOffset"])
    assert [before != after for before, after in pairwise(changed)] == [
        False,
        True,
        True,
        True,
        True,
    ]
    assert [each["VoucherType"] for each in entries(go)] == [
        "OutgoingInvoice", "OutgoingPaymentReminder", "OutgoingNoticeOfDebtCollection", "OutgoingPaymentDemand",
    ]  # fmt: skip
    assert state(go, invoice["Id"]) == (2240, False)


def test_row_56_no_reminders_when_paid_or_unwanted(go: Caller) -> None:
    go.act("pay", invoice_id=go.invoice()["Id"])
    pk = go.get("/Customers", customerNos="10001")[0]["Id"]
    patch = [{"op": "replace", "path": "/SendPaymentReminders", "value": False}]
    go.call("PATCH", f"/Customers/{pk}", patch)
    go.invoice(CustomerNo=10001)
    go.act("advance_days", days=90)
    go.sign_in()
    assert [each["VoucherType"] for each in entries(go)] == ["OutgoingInvoice", "IncomingOcrGiro", "OutgoingInvoice"]


def test_row_57_balances_as_of_a_date(go: Caller) -> None:
    go.act("set_date", date="2027-03-01")
    go.sign_in()
    pk = go.invoice()["Id"]
    go.act("pay", invoice_id=pk, date="2027-03-10")
    for day, balances in (("2027-02-28", []), ("2027-03-05", [2240]), ("2027-03-10", [])):
        found = go.get("/Customerledger/OpenItems", date=day) or []
        assert [each["Balance"] for each in found] == balances
    march = go.get("/Customerledger/Statement", fromDate="2027-03-01", toDate="2027-03-09")
    assert [(each["Amount"], each["Balance"]) for each in march] == [(2240, 2240)]


@pytest.mark.parametrize(
    "path", ["Statement", "Statement?fromDate=2026-01-01", "OpenItems", "EntriesByMatchId", "CustomerBalances"]
)
def test_row_57_missing_date(go: Caller, path: str) -> None:
    assert go.call("GET", f"/Customerledger/{path}").status_code == 404
    go.switch(missing_ledger_date="400")
    assert go.call("GET", f"/Customerledger/{path}").status_code == 400


@pytest.mark.parametrize(
    ("reference", "balance"),
    [
        ({"invoice_no": "10000"}, 1240),
        ({"cid": "10000000100006"}, 1240),
        ({"matching_reference": "m-1"}, 1240),
        ({"cid": "1"}, 2240),
    ],
)
def test_row_58_matching(go: Caller, reference: dict[str, str], balance: int) -> None:
    pk = go.invoice(CustomMatchingReference="m-1")["Id"]
    go.act("payment", customer_no=10000, amount="1000", **reference)
    assert state(go, pk)[0] == balance


def test_filters(go: Caller) -> None:
    first, second = go.invoice(), go.invoice(CustomerNo=10001)
    go.act("pay", invoice_id=first["Id"])
    for query, wanted in (
        ({"customerNos": "10001"}, [second]),
        ({"invoiceNos": "10000"}, [first]),
        ({"invoiceIds": f"{first['Id']},{second['Id']}"}, [first, second]),
        ({"onlyUnpaidInvoices": "true"}, [second]),
        ({"voucherNos": f"{second['VoucherNo']}-"}, [second]),
        ({"orderNos": str(first["OrderNo"])}, [first]),
        ({"sentDateTimeOffsetGreaterThan": first["SentDateTimeOffset"]}, [second]),
        ({"fromDate": "2100-01-01"}, []),
        ({"toDate": "2100-01-01"}, [first, second]),
    ):
        found = go.get("/OutgoingInvoices", **query) or []
        assert [row["Id"] for row in found] == [row["Id"] for row in wanted], query
    kinds = [each["VoucherType"] for each in entries(go, voucherTypes="incomingOcrGiro")]
    assert kinds == ["IncomingOcrGiro"]
    assert [each["CustomerAccountNo"] for each in entries(go, customerNos="10001")] == [10001]
    assert go.call("GET", "/Customerledger/OpenItems?date=2100-01-01&voucherTypes=Nonsense").status_code == 400
    newest = max(each["LastChangedDateTimeOffset"] for each in entries(go))
    assert entries(go, lastChangedDateTimeOffsetGreaterThan=newest) == []


def test_foreign_currency_posts_in_kroner(go: Caller) -> None:
    invoice = go.invoice(CurrencyCode="EUR", CurrencyExchangeRate=11.5)
    names = ("TotalAmount", "TotalPostedAmount", "NetPostedAmount", "Balance")
    assert [invoice[name] for name in names] == [2240, 25760, 23000, 25760]
    assert [(each["Amount"], each["CurrencyAmount"], each["CurrencyCode"]) for each in entries(go)] == [
        (25760, 2240, "EUR")
    ]


def test_net_matches_an_invoice_with_a_credit_note_of_another(go: Caller) -> None:
    first, second = go.invoice()["Id"], go.invoice()["Id"]
    go.act("pay", invoice_id=first)
    [note] = go.act("credit", invoice_id=first)["invoice_ids"]
    assert state(go, note) == (-2240, False)
    go.act("net", invoice_id=second, credit_note_id=note)
    assert (state(go, second), state(go, note)) == ((0, True), (0, True))
    for one, other, why in (
        (second, note, "One of the two has nothing open."),
        (second, first, "invoice_id must be an invoice, and credit_note_id a credit note of the same customer."),
    ):
        assert go.refused_act("net", invoice_id=one, credit_note_id=other) == why


def test_pay_together_goes_from_invoice_to_invoice(go: Caller) -> None:
    first, second = go.invoice()["Id"], go.invoice()["Id"]
    said = go.act("pay_together", invoice_ids=[first, second], amount="3000")["sentence"]
    assert said.replace("\u00a0", " ") == "3 000,00 paid on invoices 10000, 10001; 3 000,00 of it was matched."
    assert (state(go, first), state(go, second)) == ((0, True), (1480, True))
    go.act("pay_together", invoice_ids=[first, second])
    assert state(go, second) == (0, True)
    assert go.refused_act("pay_together", invoice_ids=[first, second]).startswith("amount must be more than 0")
    assert go.refused_act("pay_together", invoice_ids=[first]).startswith("invoice_ids must name two or more")


def test_remind_is_a_voucher_of_its_own(go: Caller) -> None:
    pk = go.invoice()["Id"]
    go.act("remind", invoice_id=pk)
    go.act("remind", invoice_id=pk, kind="OutgoingWarrantOfExecution", fee="120")
    assert [(each["VoucherType"], each["Amount"], each["Balance"]) for each in entries(go)] == [
        ("OutgoingInvoice", 2240, 2240),
        ("OutgoingPaymentReminder", 35, 35),
        ("OutgoingWarrantOfExecution", 120, 120),
    ]
    assert go.refused_act("remind", invoice_id=pk, kind="Letter").startswith("kind is one of OutgoingPaymentReminder")
    go.act("pay", invoice_id=pk)
    assert go.refused_act("remind", invoice_id=pk) == "Invoice 10000 has no balance to remind of."
