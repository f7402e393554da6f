"""Reference §18.4: sales orders."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import HOST, Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])
NIGHTS = {"ProductCode": "HYTTE", "Quantity": 2}


def patch(**members: Any) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": f"/{name}", "value": value} for name, value in members.items()]


def test_row_39_complete(go: Caller) -> None:
    lines = [
        {"LineType": "Text", "Description": "Booking 88123"},
        {
            "ProductCode": "HYTTE",
            "Quantity": 2,
            "ProductUnitPrice": 999.99,
            "Allowance": 10,
            "ExternalImportReference": "a/1",
        },
    ]
    order = go.order(PaymentTerm=14, DepartmentCode="20", ExternalImportReference="a", SalesOrderLines=lines)
    second = go.order()
    assert second["SalesOrderNo"] == order["SalesOrderNo"] + 1
    seen = {
        name: order[name]
        for name in ("CustomerNo", "LineCount", "NetAmount", "TotalAmount", "PaymentTerm", "DepartmentCode")
    }
    assert seen == {
        "CustomerNo": 10000,
        "LineCount": 2,
        "NetAmount": Decimal("1799.98"),
        "TotalAmount": Decimal("2015.98"),
        "PaymentTerm": 14,
        "DepartmentCode": "20",
    }
    text, nights = order["SalesOrderLines"]
    assert (text["LineType"], text["TotalAmount"], text["SortOrder"]) == ("Text", 0, 0)
    assert (nights["VatAmount"], nights["VatCode"], nights["Description"]) == (216, "33", "Hytte, per natt")
    assert order["IsCreatedByCurrentIntegration"] is True
    assert go.get(f"/SalesOrders/{order['Id']}/Complete") == order
    assert go.get(f"/SalesOrders/{order['Id']}/Lines") == order["SalesOrderLines"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"CustomerNo": 19999}, "Customer with number = '19999' not found."),
        ({"CustomerId": 999999}, "Customer with id = '999999' not found."),
        ({"DepartmentCode": "X"}, "Department with code = 'X' not found."),
        ({"SalesOrderLines": [{"ProductCode": "P-77", "Quantity": 1}]}, "Product with code = 'P-77' not found."),
        ({"PaymentTerm": 99}, "Payment term with CreditDays = '99' not found."),
    ],
)
def test_row_40_unknown_codes(go: Caller, body: dict[str, Any], text: str) -> None:
    answer = go.call("POST", "/SalesOrders/Complete", {"CustomerNo": 10000, **body})
    assert answer.json() == {"title": "SalesOrder validation error(s)", "status": 404, "detail": text}
    assert go.books()["orders"] == []


def test_id_wins_over_code(go: Caller) -> None:
    second = go.get("/Customers", customerNos="10001")[0]["Id"]
    assert go.order(CustomerNo=10000, CustomerId=second)["CustomerNo"] == 10001


@pytest.mark.parametrize(
    ("mode", "freed", "fate", "status"),
    [
        ("400", False, "draft", 400),
        ("400", False, "sent", 400),
        ("400", False, "deleted", 400),
        ("400", True, "deleted", 201),
        ("400", True, "sent", 400),
        ("409", False, "draft", 409),
        ("drafts only", False, "draft", 400),
        ("drafts only", False, "sent", 201),
        ("off", False, "draft", 201),
    ],
)
def test_row_41_duplicate_reference(go: Caller, mode: str, freed: bool, fate: str, status: int) -> None:
    go.switch(duplicate_reference=mode, deleted_reference_freed=freed)
    first = go.order(ExternalImportReference="st-1")
    if fate == "sent":
        go.act("send", order_ids=[first["Id"]])
    if fate == "deleted":
        assert go.call("DELETE", f"/SalesOrders/{first['Id']}").status_code == 200
    body = {"CustomerNo": 10000, "ExternalImportReference": "st-1", "SalesOrderLines": [NIGHTS]}
    answer = go.call("POST", "/SalesOrders/Complete", body)
    assert answer.status_code == status
    if status != 201:
        assert (
            answer.json()["detail"]
            == f"ExternalImportReference is already in use. 'st-1' is used on Id = {first['Id']}."
        )


def test_row_41_length_and_patch(go: Caller) -> None:
    assert (
        go.refused("POST", "/SalesOrders/Complete", {"CustomerNo": 10000, "ExternalImportReference": "x" * 51})[0]
        == 400
    )
    go.order(ExternalImportReference="taken")
    path = f"/SalesOrders/{go.order()['Id']}"
    assert go.refused("PATCH", path, patch(ExternalImportReference="taken"))[0] == 400
    assert go.call("PATCH", path, patch(ExternalImportReference="free")).json()["ExternalImportReference"] == "free"


@pytest.mark.parametrize(("mode", "status"), [("400", 400), ("ignored", 201)])
def test_row_42_line_reference_twice(go: Caller, mode: str, status: int) -> None:
    go.switch(line_reference_duplicate=mode)
    lines = [{**NIGHTS, "ExternalImportReference": "same"}] * 2
    body = {"CustomerNo": 10000, "SalesOrderLines": lines}
    assert go.call("POST", "/SalesOrders/Complete", body).status_code == status


@pytest.mark.parametrize(
    ("switches", "body", "status"),
    [
        ({}, {"SalesOrderLines": [{"ProductCode": "HYTTE"}]}, 400),
        ({"missing_quantity": "one"}, {"SalesOrderLines": [{"ProductCode": "HYTTE"}]}, 201),
        ({}, {"SalesOrderLines": [{"LineType": "Normal", "Quantity": 1}]}, 400),
        ({}, {"SalesOrderLines": [{}]}, 400),
        ({}, {"SalesOrderLines": [NIGHTS], "RelatedInvoiceNo": 10000}, 400),
        ({"related_invoice_on_positive": "ignored"}, {"SalesOrderLines": [NIGHTS], "RelatedInvoiceNo": 10000}, 201),
        ({}, {"SalesOrderLines": [{**NIGHTS, "Quantity": -1}], "RelatedInvoiceNo": 10000}, 201),
    ],
)
def test_row_43_lines_and_credit_drafts(go: Caller, switches: Any, body: Any, status: int) -> None:
    go.switch(**switches)
    assert go.call("POST", "/SalesOrders/Complete", {"CustomerNo": 10000, **body}).status_code == status


def test_row_44_inheritance(go: Caller) -> None:
    pk = go.order(DepartmentCode="10")["Id"]
    plain = go.get(f"/SalesOrders/{pk}/Complete")
    full = go.get(f"/SalesOrders/{pk}/Complete", showInherited="true")
    names = ("CurrencyCode", "PaymentTerm", "BrandingThemeCode", "DeliveryTerm")
    assert [plain[name] for name in names] == [None] * 4
    assert [full[name] for name in names] == ["NOK", 14, "1", "DAP"]
    assert [each["SalesOrderLines"][0]["DepartmentCode"] for each in (plain, full)] == [None, "10"]


def test_row_45_default_status(go: Caller) -> None:
    assert go.order()["SalesOrderStatus"] == "Draft"
    go.switch(default_order_status="Confirmed")
    assert go.order()["SalesOrderStatus"] == "Confirmed"


@pytest.mark.parametrize("code", ["409", "400", "off"])
def test_row_45_confirmed_locks(go: Caller, code: str) -> None:
    go.switch(confirmed_lock=code)
    order = go.order(SalesOrderStatus="Confirmed")
    path, line = f"/SalesOrders/{order['Id']}", order["SalesOrderLines"][0]["Id"]
    calls = [
        ("PATCH", path, patch(CustomerReference="X")),
        ("POST", f"{path}/Lines", NIGHTS),
        ("PATCH", f"{path}/Lines/{line}", patch(Quantity=3)),
        ("DELETE", f"{path}/Lines/{line}", None),
    ]
    wanted = [int(code)] * 4 if code != "off" else [200, 201, 200, 200]
    assert [go.call(*each).status_code for each in calls] == wanted
    assert go.call("PATCH", path, patch(SalesOrderStatus="Draft")).status_code == 200
    assert go.call("DELETE", path).status_code == 200


def test_row_46_only_unsent(go: Caller) -> None:
    kept, sent = go.order(), go.order()
    go.act("send", order_ids=[sent["Id"]])
    assert [row["Id"] for row in go.get("/SalesOrders")] == [kept["Id"]]
    path = f"/SalesOrders/{sent['Id']}"
    assert [go.call(*each).status_code for each in (("GET", path), ("DELETE", path))] == [404, 404]
    go.switch(sent_order_get="200", sent_order_write="409")
    assert [go.call(*each).status_code for each in (("GET", path), ("DELETE", path))] == [200, 409]


def test_lines_one_by_one(go: Caller) -> None:
    order = go.order()
    path = f"/SalesOrders/{order['Id']}/Lines"
    line = go.call("POST", path, {"ProductCode": "KURS", "Quantity": 1}).json()
    assert (
        go.call("PATCH", f"{path}/{line['Id']}", patch(Quantity=2, ProductUnitPrice=100)).json()["TotalAmount"] == 200
    )
    assert go.get(f"/SalesOrders/{order['Id']}")["TotalAmount"] == 2440
    assert go.call("DELETE", f"{path}/{line['Id']}").status_code == 200
    assert go.call("GET", f"{path}/{line['Id']}").status_code == 404
    assert go.get(f"/SalesOrders/{order['Id']}")["LineCount"] == 1
    text = "SalesOrderLinePatchDto: The target location specified by path segment 'ProductCode' was not found."
    assert go.refused("PATCH", f"{path}/{order['SalesOrderLines'][0]['Id']}", patch(ProductCode="KURS")) == (400, text)


def test_list_filters(go: Caller) -> None:
    mine, other = go.order(), go.order(CustomerNo=10001, SalesOrderStatus="Confirmed")
    typed = go.act("create_order", customer_no=10000, product_code="KURS", quantity=1)["order_ids"][0]
    for query, wanted in (
        ({}, [mine["Id"], other["Id"], typed]),
        ({"customerNos": "10000"}, [mine["Id"], typed]),
        ({"customerNos": "10001-"}, [other["Id"]]),
        ({"orderStatus": "Confirmed"}, [other["Id"]]),
        ({"onlyCreatedByCurrentIntegration": "true"}, [mine["Id"], other["Id"]]),
    ):
        assert [row["Id"] for row in go.get("/SalesOrders", **query)] == wanted


@pytest.mark.parametrize(("name", "size", "status"), [("a.pdf", 10, 201), ("a.exe", 10, 400), ("a.pdf", 101, 400)])
def test_row_47_attachments(go: Caller, name: str, size: int, status: int) -> None:
    go.switch(attachment_max_bytes=100)
    url = f"{HOST}/v2/SalesOrders/{go.order()['Id']}/attachments"
    answer = go.session.post(
        url, files={"file": (name, b"\x00\xff" * (size // 2) + b"x" * (size % 2))}, headers=go.headers
    )
    assert answer.status_code == status
    if status == 201:
        [row] = go.session.get(url, headers=go.headers).json()
        assert (row["FileName"], row["FileSize"]) == (name, size)
        one = f"{url}/{row['Id']}"
        assert go.session.get(one, headers=go.headers).content == b"\x00\xff" * 5
        assert go.session.delete(one, headers=go.headers).status_code == 200
        assert go.session.get(url, headers=go.headers).status_code == 204


def test_row_47_field_must_be_named_file(go: Caller) -> None:
    url = f"{HOST}/v2/SalesOrders/{go.order()['Id']}/attachments"
    assert go.session.post(url, files={"wrong": ("a.pdf", b"x")}, headers=go.headers).status_code == 400


def send(go: Caller, order: Any, **body: Any) -> Any:
    return go.call("POST", f"/SalesOrders/{order['Id']}/createAndSendInvoice", body)


def test_rows_48_and_49_sending_through_the_api(go: Caller) -> None:
    go.act("set_send_grant", allow=True)
    go.switch(send_delay_seconds=5)
    order = go.order()
    assert go.call("GET", f"/SalesOrders/sentState?id={order['Id']}").status_code == 204
    answer = send(go, order, DeliveryType="PdfByEmail", EmailAddress="a@example.com", OverrideDueDate="2030-01-01")
    assert (answer.status_code, answer.headers["Location"]) == (
        202,
        f"{HOST}/v2/SalesOrders/sentState?id={order['Id']}",
    )
    assert answer.json() == {
        "Id": order["Id"], "DeliveryType": "PdfByEmail", "EmailAddress": "a@example.com",
        "OverrideDueDate": "2030-01-01", "VoucherDate": None,
    }  # fmt: skip
    [state] = go.get("/SalesOrders/sentState", id=order["Id"])
    assert (state["IsInvoiceBeingProcessed"], state["InvoiceNo"]) == (True, None)
    go.act("set_clock", offset_seconds=6)
    [state] = go.get("/SalesOrders/sentState", id=order["Id"])
    assert (state["IsInvoiceBeingProcessed"], state["InvoiceNo"], state["DueDate"]) == (False, 10000, "2030-01-01")
    assert go.get("/SalesOrders/sentState") == [state]
    assert go.get(f"/OutgoingInvoices/{order['Id']}")["IsCreatedByCurrentIntegration"] is True


@pytest.mark.parametrize(("keeps", "drafts", "invoices"), [(True, 1, 0), (False, 0, 1)])
def test_row_49_failed_delivery(go: Caller, keeps: bool, drafts: int, invoices: int) -> None:
    go.act("set_send_grant", allow=True)
    go.switch(failed_send_keeps_draft=keeps)
    number = go.call("POST", "/Customers", {"Name": "Leveringsfeil AS"}).json()["Number"]
    order = go.order(CustomerNo=number)
    send(go, order)
    [state] = go.get("/SalesOrders/sentState", id=order["Id"])
    assert state["LastErrorMessage"] == "The receiver could not be reached by the chosen delivery type."
    books = go.books()
    assert ([each["state"] for each in books["orders"]].count("open"), len(books["invoices"])) == (drafts, invoices)


@pytest.mark.parametrize(("mode", "status"), [("400", 400), ("202", 202)])
def test_row_50_second_send(go: Caller, mode: str, status: int) -> None:
    go.act("set_send_grant", allow=True)
    go.switch(second_send=mode, send_delay_seconds=5)
    order = go.order()
    assert [send(go, order).status_code, send(go, order).status_code] == [202, status]
    go.act("set_clock", offset_seconds=6)
    assert send(go, order).status_code == status
    assert len(go.books()["invoices"]) == 1


@pytest.mark.parametrize(("mode", "status"), [("last_error", 202), ("400", 400)])
def test_row_51_lock_date(go: Caller, mode: str, status: int) -> None:
    go.act("set_send_grant", allow=True)
    go.act("set_lock_date", date="2026-01-31")
    go.switch(lock_date_failure=mode)
    order = go.order()
    assert send(go, order, VoucherDate="2026-01-31").status_code == status
    assert go.call("GET", f"/SalesOrders/{order['Id']}").status_code == 200
    if mode == "last_error":
        [state] = go.get("/SalesOrders/sentState", id=order["Id"])
        assert state["LastErrorMessage"] == "The voucher date 2026-01-31 is on or before the lock date 2026-01-31."
    assert send(go, order, VoucherDate="2026-02-01").status_code == 202


def test_row_52_invoice_fee(go: Caller) -> None:
    go.switch(invoice_fee=50)
    invoice = go.invoice()
    assert invoice["TotalAmount"] == Decimal("2302.5")
    assert [line["LineType"] for line in go.get(f"/OutgoingInvoices/{invoice['Id']}/Lines")] == ["Normal", "InvoiceFee"]


def test_vat_rounding_per_order(go: Caller) -> None:
    lines = [{"ProductCode": "KAFFE", "Quantity": 1, "ProductUnitPrice": "0.1"}] * 2
    exact = [{**line, "ProductUnitPrice": 0.1} for line in lines]
    assert go.order(SalesOrderLines=exact)["TotalAmount"] == Decimal("0.24")
    go.switch(vat_rounding="order")
    assert go.order(SalesOrderLines=exact)["TotalAmount"] == Decimal("0.23")
    assert go.refused("POST", "/SalesOrders/Complete", {"CustomerNo": 10000, "SalesOrderLines": lines})[0] == 400
