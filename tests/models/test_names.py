"""How a record is called: exactly one row is meant."""

import pytest

from integration.models import (
    AccessToken,
    CustomerInGo,
    LedgerEntry,
    PaceSlot,
    ProductInGo,
    SpreadsheetUpload,
    StatementMove,
    SubscriptionBill,
    SubscriptionTerm,
    SyncCursor,
)
from integration.models.go_company import GoCompany
from tests import factories


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (SyncCursor(company=GoCompany(name="Fjord AS"), resource="INVOICES"), "Fjord AS INVOICES"),
        (AccessToken(company=GoCompany(name="Fjord AS"), token="secret"), "Access token of Fjord AS"),
        (PaceSlot(key="fingerprint"), "fingerprint"),
        (CustomerInGo(number=10000, name="Bø AS"), "10000 Bø AS"),
        (ProductInGo(code="HYTTE", name="Hytte"), "HYTTE Hytte"),
        (LedgerEntry(voucher_type="CustomerPayment", voucher_number=7), "CustomerPayment 7"),
        (StatementMove(statement_id=3, from_status="SENT", to_status="PAID", at=factories.NOW), "3: SENT -> PAID"),
        (SubscriptionBill(payer_id=3, date=factories.TODAY), "bill 1 of customer 3 for 2026-02-02"),
        (SubscriptionTerm(subscription_id=3, date=factories.TODAY), "subscription 3 for 2026-02-02"),
        (SpreadsheetUpload(sheet="customers", key="5e0b"), "customers 5e0b"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_name_of_a_record(record, name):
    assert str(record) == name
