"""Reference §18.3: customers, products and the other registers."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def customer(go: Caller, **members: Any) -> Any:
    answer = go.call("POST", "/Customers", {"Name": "Ny kunde AS", **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_row_28_number_series(go: Caller) -> None:
    assert customer(go)["Number"] == 10005
    assert customer(go, Number=15000)["Number"] == 15000
    assert customer(go)["Number"] == 15001
    text = "Number 20000 is not within any customer number series."
    assert go.refused("POST", "/Customers", {"Name": "X", "Number": 20000}) == (400, text)
    pk = go.get("/Customers", customerNos="10000")[0]["Id"]
    text = f"Number is already in use. '10000' is used on Id = {pk}."
    assert go.refused("POST", "/Customers", {"Name": "X", "Number": 10000}) == (400, text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "The Name field is required."),
        ({"IsPerson": True, "Name": "X"}, "The FirstName field is required."),
        ({"IsPerson": True, "FirstName": "Kari"}, "The LastName field is required."),
    ],
)
def test_row_29_required_names(go: Caller, body: dict[str, Any], text: str) -> None:
    assert go.refused("POST", "/Customers", body) == (400, text)


@pytest.mark.parametrize(("member", "value"), [("ExternalImportReference", "qf-1"), ("ExternalNumber", 77)])
def test_row_30_unique_references(go: Caller, member: str, value: Any) -> None:
    first = customer(go, **{member: value})
    text = f"{member} is already in use. '{value}' is used on (contact) Id = {first['Id']}."
    assert go.refused("POST", "/Customers", {"Name": "X", member: value}) == (400, text)
    found = {"ExternalImportReference": "externalImportReference", "ExternalNumber": "externalNos"}[member]
    assert [row["Id"] for row in go.get("/Customers", **{found: value})] == [first["Id"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"InvoiceDeliveryType": "PdfByEmail"}, 400),
        ({"InvoiceDeliveryType": "PdfByEmail", "EmailAddress": "a@example.com"}, 201),
        ({"InvoiceDeliveryType": "EHF"}, 400),
        ({"InvoiceDeliveryType": "EHF", "OrganizationNumber": "912401111"}, 201),
        ({"InvoiceDeliveryType": "AvtaleGiro"}, 400),
        ({"InvoiceDeliveryType": "Efaktura"}, 400),
        ({"InvoiceDeliveryType": "Factoring"}, 400),
        ({"InvoiceDeliveryType": "Print"}, 201),
    ],
)
def test_row_31_delivery_types(go: Caller, body: dict[str, Any], status: int) -> None:
    assert go.call("POST", "/Customers", {"Name": "X", **body}).status_code == status


def test_row_32_national_id(go: Caller) -> None:
    body = {"IsPerson": True, "FirstName": "Kari", "LastName": "Nordmann", "NationalIdNumber": "01010112345"}
    assert customer(go, **body)["NationalIdNumber"] == "hidden"


def test_row_33_delete_in_use(go: Caller) -> None:
    order = go.order()
    text = f"Customer with id = {order['CustomerId']} is in use and cannot be deleted."
    assert go.refused("DELETE", f"/Customers/{order['CustomerId']}") == (409, text)
    product = go.get("/Products", codes="HYTTE")[0]["Id"]
    assert go.call("DELETE", f"/Products/{product}").status_code == 409
    free = customer(go)["Id"]
    assert go.call("DELETE", f"/Customers/{free}").status_code == 200
    assert go.call("GET", f"/Customers/{free}").status_code == 404


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (
            {"path": "/departmentCode", "value": "20"},
            "The target location specified by path segment 'departmentCode' was not found.",
        ),
        ({"path": "/Id", "value": 1}, "The target location specified by path segment 'Id' was not found."),
        ({"path": "/IsPerson", "value": "maybe"}, "The value 'maybe' is invalid for target location."),
        (
            {"path": "/MailAddress/Planet", "value": "Mars"},
            "The target location specified by path segment 'Planet' was not found.",
        ),
    ],
)
def test_row_34_patch_refusals(go: Caller, operation: dict[str, Any], text: str) -> None:
    pk = go.get("/Customers")[0]["Id"]
    assert go.refused("PATCH", f"/Customers/{pk}", [{"op": "replace", **operation}]) == (
        400,
        f"CustomerPatchDto: {text}",
    )


def test_row_34_patch_operations(go: Caller) -> None:
    pk = go.get("/Customers")[0]["Id"]
    operations = [
        {"op": "test", "path": "/Name", "value": "Bakketun Barnehage SA"},
        {"op": "replace", "path": "/name", "value": "Bakketun"},
        {"op": "copy", "from": "/Name", "path": "/LegalName"},
        {"op": "move", "from": "/InvoiceEmailAddress", "path": "/PaymentReminderEmailAddress"},
        {"op": "replace", "path": "/MailAddress/City", "value": "Hamar"},
        {"op": "add", "path": "/PhoneNumber", "value": "+47 99 99 99 99"},
        {"op": "remove", "path": "/PhoneNumber"},
        {"op": "replace", "path": "/SendPaymentReminders", "value": False},
    ]
    row = go.call("PATCH", f"/Customers/{pk}", operations).json()
    seen = [row[name] for name in ("Name", "LegalName", "InvoiceEmailAddress", "PaymentReminderEmailAddress")]
    assert seen == ["Bakketun", "Bakketun", None, "faktura10000@example.com"]
    assert (row["MailAddress"]["City"], row["PhoneNumber"], row["SendPaymentReminders"]) == ("Hamar", None, False)
    assert go.refused("PATCH", f"/Customers/{pk}", [{"op": "test", "path": "/Name", "value": "X"}])[0] == 400


@pytest.mark.parametrize(
    ("code", "vat_free", "standard", "rate"),
    [
        ("UTSTYR", False, None, "0.25"),
        ("KAFFE", False, None, "0.15"),
        ("HYTTE", False, None, "0.12"),
        ("MEDLEM", False, None, "0"),
        ("UTSTYR", True, None, "0"),
        ("UTSTYR", True, True, "0.25"),
        ("UTSTYR", False, False, "0"),
    ],
)
def test_row_35_vat_comes_from_the_account(
    go: Caller, code: str, vat_free: bool, standard: bool | None, rate: str
) -> None:
    number = customer(go, IsVatFree=vat_free)["Number"]
    line = {"ProductCode": code, "Quantity": 1, "UseStandardSalesAccount": standard}
    [made] = go.order(CustomerNo=number, SalesOrderLines=[line])["SalesOrderLines"]
    assert made["VatRate"] == Decimal(rate)


def test_row_36_stock(go: Caller) -> None:
    [product] = go.get("/Products", codes="UTSTYR")
    assert (product["StockOnHand"], product["StockAvailable"]) == (500, 500)
    order = go.order(SalesOrderStatus="Confirmed", SalesOrderLines=[{"ProductCode": "UTSTYR", "Quantity": 3}])
    assert [go.get("/Products", codes="UTSTYR")[0][name] for name in ("StockOnHand", "StockAvailable")] == [500, 497]
    go.act("send", order_ids=[order["Id"]])
    [after] = go.get("/Products", codes="UTSTYR")
    assert (after["StockOnHand"], after["StockAvailable"]) == (497, 497)
    assert after["LastChangedDateTimeOffset"] == product["LastChangedDateTimeOffset"]
    assert after["StockOnHandLastChangedDatetimeOffset"] is not None
    other = go.get("/Products", codes="KURS")[0]["Id"]
    patch = [{"op": "replace", "path": "/StockOnHand", "value": 5}]
    assert go.refused("PATCH", f"/Products/{other}", patch)[0] == 400


def test_rows_37_and_38_statuses_and_defaults(go: Caller) -> None:
    product = go.call("POST", "/Products", {"Name": "Is", "UnitPrice": 10})
    assert (product.status_code, product.json()["ProductGroupCode"]) == (201, "1")
    term = go.call("POST", "/PaymentTerms", {"Name": "Netto 5", "CreditDays": 5})
    assert go.call("DELETE", f"/PaymentTerms/{term.json()['Id']}").status_code == 201
    assert go.call("POST", "/Departments", {"Name": "Ny"}).json()["IsActive"] is False


def test_contact_persons(go: Caller) -> None:
    contact = go.get("/Customers")[0]["Id"]
    path = f"/ContactPersons/{contact}"
    person = go.call("POST", path, {"FirstName": "Per", "LastName": "Hansen", "ExternalCode": "p-1"}).json()
    assert person["ContactId"] == contact
    assert go.refused("POST", path, {"FirstName": "A", "LastName": "B", "EmailAddress": "nonsense"})[0] == 400
    assert [row["Id"] for row in go.get("/ContactPersons", contactIds=contact)] == [person["Id"]]
    assert [row["Id"] for row in go.get(path)] == [person["Id"]]
    patch = [{"op": "replace", "path": "/Title", "value": "Leder"}]
    assert go.call("PATCH", f"{path}/{person['Id']}", patch).json()["Title"] == "Leder"
    assert go.get(f"{path}/{person['Id']}")["FirstName"] == "Per"
    assert go.call("DELETE", f"{path}/{person['Id']}").status_code == 200
    assert go.call("GET", f"{path}/{person['Id']}").status_code == 404


def test_settings_and_small_registers(go: Caller) -> None:
    assert {row["Code"]: row["Rate"] for row in go.get("/VatCodes")} == {
        "3": Decimal("0.25"), "31": Decimal("0.15"), "33": Decimal("0.12"), "5": 0, "52": 0, "6": 0,
    }  # fmt: skip
    assert [row["CreditDays"] for row in go.get("/PaymentTerms")] == [10, 14, 30]
    assert [row["FromInclusive"] for row in go.get("/SubLedgerNumberSeries", subLedgerNumberSeriesType="Customer")] == [
        10000
    ]
    assert go.get("/SubLedgerNumberSeries", subLedgerNumberSeriesType="customer") is None
    go.act("set_lock_date", date="2026-01-31")
    assert go.get("/LockDateSettings") == {"LockDate": "2026-01-31"}
    assert [row["AccountNo"] for row in go.get("/GeneralLedgerAccounts", accountNos="3000-3099")] == [3000, 3001, 3002]
    assert go.get("/FinancialSettings")["ConversionDate"] == "2020-01-01"
    assert go.get("/OrganizationSettings")["Name"] == "Fjordgløtt Camping AS"
    assert [row["Code"] for row in go.get("/Currencies", currencyCode="NOK")] == ["NOK"]
    series = go.get("/SubLedgerNumberSeries")[0]["Id"]
    assert go.get(f"/SubLedgerNumberSeries/{series}")["ToInclusive"] == 19999
