"""Reference §18.2: lists, filters, format."""

import json
import re
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def test_row_16_empty_list_and_missing_single(go: Caller) -> None:
    answer = go.call("GET", "/SalesOrders")
    assert (answer.status_code, answer.content) == (204, b"")
    assert go.call("GET", "/Customers/999999").json() == {
        "title": "Object(s) not found",
        "status": 404,
        "detail": "Customer with id = 999999 not found.",
    }


@pytest.mark.parametrize(("query", "status"), [("PageSize=20000", 200), ("PageSize=20001", 400), ("PageNumber=0", 400)])
def test_row_17_page_size(go: Caller, query: str, status: int) -> None:
    assert go.call("GET", f"/Products?{query}").status_code == status


def test_row_17_page_size_may_be_cut(go: Caller) -> None:
    go.switch(page_size_excess="cap")
    assert go.call("GET", "/Products?PageSize=20001").status_code == 200


def test_row_18_pagination_header(go: Caller) -> None:
    first = go.call("GET", "/Products?PageSize=4&OrderBy=Code&Fields=Code")
    link = json.loads(first.headers["X-Pagination"])["nextPageLink"]
    second = go.session.get(link, headers=go.headers)
    codes = [row["Code"] for row in first.json() + second.json()]
    assert codes == ["BANE", "HYTTE", "KAFFE", "KURS", "MEDLEM", "TELT", "UTSTYR"]
    assert json.loads(second.headers["X-Pagination"]) == {"nextPageLink": None}
    assert go.call("GET", "/Products?PageNumber=2").status_code == 204


def test_row_19_fields(go: Caller) -> None:
    assert go.get("/Products", Fields="code,UnitPrice", codes="HYTTE") == [{"Code": "HYTTE", "UnitPrice": 1000}]
    go.switch(fields_unselected="null")
    [row] = go.get("/Products", Fields="Code", codes="HYTTE")
    assert (row["Code"], row["UnitPrice"]) == ("HYTTE", None)
    text = "Fields property in resourceParameter is not formatted correct."
    assert go.refused("GET", "/Products?Fields=Nonsense") == (400, text)


@pytest.mark.parametrize(
    ("order_by", "codes"),
    [
        ("UnitPrice desc", ["MEDLEM", "HYTTE", "KURS", "BANE", "TELT", "UTSTYR", "KAFFE"]),
        ("ProductType desc, Code asc", ["BANE", "HYTTE", "KURS", "MEDLEM", "TELT", "KAFFE", "UTSTYR"]),
    ],
)
def test_row_20_order_by(go: Caller, order_by: str, codes: list[str]) -> None:
    assert [row["Code"] for row in go.get("/Products", OrderBy=order_by, Fields="Code")] == codes
    assert go.call("GET", "/Products?OrderBy=Nonsense").status_code == 400


@pytest.mark.parametrize("query", ["$top=5", "fromDate=2026-01-01", "Nonsense=1"])
def test_row_21_unknown_query_parameter(go: Caller, query: str) -> None:
    assert go.call("GET", f"/SalesOrders?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"customerNos": "10001,10003"}, [10001, 10003]),
        ({"customerNos": "10001-10002, 10004"}, [10001, 10002, 10004]),
        ({"customerNos": "10003-"}, [10003, 10004]),
        ({"customerNos": ""}, [10000, 10001, 10002, 10003, 10004]),
    ],
)
def test_row_22_ranges(go: Caller, query: dict[str, str], numbers: list[int]) -> None:
    assert [row["Number"] for row in go.get("/Customers", **query)] == numbers


def test_row_22_bad_filters_and_minus_one(go: Caller) -> None:
    answer = go.call("GET", "/Customers?customerNos=abc")
    assert (answer.status_code, answer.json()["title"]) == (400, "Unable to cast object(s)")
    assert go.call("GET", "/ContactPersons?contactIds=1-5").status_code == 400
    with_department, without = go.order(DepartmentCode="20"), go.order()
    assert [row["Id"] for row in go.get("/SalesOrders", departmentCodes="-1")] == [without["Id"]]
    assert [row["Id"] for row in go.get("/SalesOrders", departmentCodes="20,30")] == [with_department["Id"]]


def test_row_23_stamps_and_exclusive_filters(go: Caller) -> None:
    order = go.order()
    stamp = order["LastChangedDateTimeOffset"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00", stamp)
    earlier = stamp.replace("T", " ").replace(stamp[:4], "2000")
    assert go.get("/SalesOrders", lastChangedDateTimeOffsetGreaterThan=stamp) is None
    assert len(go.get("/SalesOrders", lastChangedDateTimeOffsetGreaterThan=earlier)) == 1
    changed = go.call(
        "PATCH",
        f"/SalesOrders/{order['Id']}",
        [{"op": "replace", "path": "/DeliveryDate", "value": "2026-03-05T23:00:00+02:00"}],
    )
    assert changed.json()["DeliveryDate"] == "2026-03-05"


def test_row_24_long_url(go: Caller) -> None:
    query = ",".join(["af29ab6c-0000-4000-8000-000000000000"] * 60)
    assert go.refused("GET", f"/OutgoingInvoices?invoiceIds={query}") == (404, "Resource not found")


@pytest.mark.parametrize(
    "query",
    [
        "/SalesOrders?externalImportReferences=a",
        "/SalesOrders?importedOrderNos=1",
        "/SalesOrders?salesOrderNos=1",
        "/OutgoingInvoices?externalImportReferences=a",
        "/OutgoingInvoices?importedOrderNos=1",
        "/OutgoingInvoices?orderNos=1",
    ],
)
def test_row_25_later_filters(go: Caller, query: str) -> None:
    assert go.call("GET", query).status_code == 204
    go.switch(d26_filters="400")
    assert go.call("GET", query).status_code == 400


def test_row_25_look_up(go: Caller) -> None:
    a, b = go.order(ExternalImportReference="a", ImportedOrderNo=7), go.order(ExternalImportReference="b")
    for query, wanted in (
        ({"externalImportReferences": "a,b"}, [a["Id"], b["Id"]]),
        ({"externalImportReferences": "b"}, [b["Id"]]),
        ({"importedOrderNos": "7"}, [a["Id"]]),
        ({"salesOrderNos": str(b["SalesOrderNo"])}, [b["Id"]]),
    ):
        assert [row["Id"] for row in go.get("/SalesOrders", **query)] == wanted
    go.act("send", order_ids=[a["Id"]])
    assert [row["Id"] for row in go.get("/OutgoingInvoices", externalImportReferences="a,b")] == [a["Id"]]


def test_row_26_enums_are_texts(go: Caller) -> None:
    status, text = go.refused("POST", "/SalesOrders/Complete", {"CustomerNo": 10000, "SalesOrderStatus": 1})
    assert (status, "enums must not be integers" in text) == (400, True)


@pytest.mark.parametrize(("mode", "status"), [("ignored", 201), ("400", 400)])
def test_row_27_unknown_members(go: Caller, mode: str, status: int) -> None:
    go.switch(unknown_members=mode)
    body: dict[str, Any] = {"CustomerNo": 10000, "Nonsense": 1, "SalesOrderLines": []}
    assert go.call("POST", "/SalesOrders/Complete", body).status_code == status


def test_amounts_are_exact_json_numbers(go: Caller) -> None:
    answer = go.call(
        "POST",
        "/SalesOrders/Complete",
        {"CustomerNo": 10000, "SalesOrderLines": [{"ProductCode": "KAFFE", "Quantity": 3}]},
    )
    assert '"NetAmount":104.34,"VatAmount":15.65,"TotalAmount":119.99' in answer.text
    assert '"NetAmount":104.34,"TotalAmount":119.99' in answer.text
