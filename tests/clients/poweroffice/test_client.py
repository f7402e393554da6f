"""How lists are read, and what leaves us; against answers that the sandbox does not give."""

import json
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from responses import matchers

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.errors import InDoubt, NotFound, Refused, Unavailable
from integration.terms import CustomerDraft
from tests.clients.conftest import API, Desk, make_desk

SINCE = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SINCE_TEXT = "2026-01-02T03:04:05.678901Z"
CHANGED = "lastChangedDateTimeOffsetGreaterThan"
BALANCE_CHANGED = "balanceLastChangedDateTimeOffsetGreaterThan"
ORDER_ID = "5b0e0000-0000-4000-8000-000000000001"


def department(number: int) -> dict[str, object]:
    return {"Id": number, "Code": str(number), "Name": "D"}


def order(number: int, reference: str) -> dict[str, object]:
    return {
        "Id": f"5b0e0000-0000-4000-8000-{number:012}",
        "SalesOrderNo": number,
        "ExternalImportReference": reference,
        "NetAmount": 1000.1,
        "TotalAmount": 1250,
    }


def invoice(number: int, reference: str) -> dict[str, object]:
    return {**order(number, reference), "TotalPostedAmount": 1250, "Balance": 0}


def queries(remote) -> list[dict[str, str]]:
    """What was asked for, each call; without what every list asks for."""
    found = []
    for call in remote.calls:
        query = {name: values[0] for name, values in parse_qs(urlsplit(call.request.url).query).items()}
        found.append({name: value for name, value in query.items() if name not in {"Fields", "OrderBy", "PageSize"}})
    return found


# --- Pages ------------------------------------------------------------------------------------------------------


def test_pages_follow_the_header_but_never_its_host(remote):
    desk = make_desk(page_size=2)
    link = "https://elsewhere.test/other?pageNumber=2&Cursor=a%2Bb"
    remote.get(
        f"{API}/Departments",
        json=[department(1), department(2)],
        headers={"X-Pagination": json.dumps({"NextPageLink": link})},
    )
    remote.get(
        f"{API}/Departments",
        json=[department(3)],
        headers={"X-Pagination": '{"nextPageLink": null}'},
        match=[matchers.query_param_matcher({"pageNumber": "2", "Cursor": "a+b"})],
    )
    assert [row.id for row in desk.go.departments()] == [1, 2, 3]
    assert queries(remote) == [{"PageNumber": "1"}, {"pageNumber": "2", "Cursor": "a+b"}]


@pytest.mark.parametrize("header", [None, "", "nonsense", "[]"])
def test_without_header_full_pages_go_on(remote, header):
    desk = make_desk(page_size=2)
    headers = {} if header is None else {"X-Pagination": header}
    remote.get(f"{API}/Departments", json=[department(1), department(2)], headers=headers)
    remote.get(f"{API}/Departments", json=[department(3), department(4)], headers=headers)
    remote.get(f"{API}/Departments", status=204, headers=headers)
    assert [row.id for row in desk.go.departments()] == [1, 2, 3, 4]
    assert queries(remote) == [{"PageNumber": "1"}, {"PageNumber": "2"}, {"PageNumber": "3"}]


@pytest.mark.parametrize("header", ["{}", '{"nextPageLink": null}', '{"nextPageLink": ""}', '{"totalCount": 2}'])
def test_header_without_next_link_ends_the_list(remote, header):
    desk = make_desk(page_size=2)
    remote.get(f"{API}/Departments", json=[department(1), department(2)], headers={"X-Pagination": header})
    assert [row.id for row in desk.go.departments()] == [1, 2]


def test_half_page_without_header_ends_the_list(remote):
    desk = make_desk(page_size=2)
    remote.get(f"{API}/Departments", json=[department(1)])
    assert [row.id for row in desk.go.departments()] == [1]


def test_pages_that_lead_round_in_a_circle(desk, remote):
    remote.get(
        f"{API}/Departments", json=[department(1)], headers={"X-Pagination": '{"nextPageLink": "/x?PageNumber=2"}'}
    )
    with pytest.raises(Unavailable, match="lead round in a circle"):
        list(desk.go.departments())
    assert len(remote.calls) == 2


def test_every_list_is_sorted_and_large(desk, remote):
    remote.get(f"{API}/SalesOrders", status=204)
    list(desk.go.orders())
    query = parse_qs(urlsplit(remote.calls[0].request.url).query)
    assert (query["OrderBy"], query["PageSize"]) == (["SalesOrderNo asc"], ["5000"])


def test_empty_list(desk, remote):
    remote.get(f"{API}/Departments", status=204)
    assert list(desk.go.departments()) == []


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"Id": 1}', b"[1]", b'[{"Id": null}]', b'[{"Id": "x"}]', b'[{"Id": 1']
)
def test_list_that_makes_no_sense_is_tried_three_times(desk, remote, body):
    remote.get(f"{API}/Departments", body=body)
    with pytest.raises(Unavailable, match="Reading departments: PowerOffice Go did not answer properly"):
        list(desk.go.departments())
    assert len(remote.calls) == 3


# --- Filters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "path", "query"),
    [
        (lambda go: go.customers(changed_since=SINCE), "Customers", {CHANGED: SINCE_TEXT}),
        (lambda go: go.customers(reference="C,1 æ"), "Customers", {"externalImportReference": "C,1 æ"}),
        (lambda go: go.customers(numbers=[2, 1, 2]), "Customers", {"customerNos": "2,1"}),
        (
            lambda go: go.customers(organisation_numbers=["912401111"]),
            "Customers",
            {"organizationNumbers": "912401111"},
        ),
        (lambda go: go.customers(emails=["a+b@c.no"]), "Customers", {"emailAddresses": "a+b@c.no"}),
        (lambda go: go.products(codes=["A&B"], changed_since=SINCE), "Products", {"codes": "A&B", CHANGED: SINCE_TEXT}),
        (
            lambda go: go.orders(only_ours=True),
            "SalesOrders",
            {"onlyCreatedByCurrentIntegration": "true", "showInherited": "true"},
        ),
        (lambda go: go.orders(customer_numbers=[7]), "SalesOrders", {"customerNos": "7", "showInherited": "true"}),
        (lambda go: go.invoices(), "OutgoingInvoices", {}),
        (lambda go: go.invoices(balance_changed_since=SINCE), "OutgoingInvoices", {BALANCE_CHANGED: SINCE_TEXT}),
        (
            lambda go: go.invoices(ids=["a"], from_date=date(2026, 1, 2), only_unpaid=True),
            "OutgoingInvoices",
            {"invoiceIds": "a", "fromDate": "2026-01-02", "onlyUnpaidInvoices": "true"},
        ),
        (
            lambda go: go.ledger(from_date=date(2026, 1, 1), to_date=date(2026, 1, 31), changed_since=SINCE),
            "Customerledger/Statement",
            {"fromDate": "2026-01-01", "toDate": "2026-01-31", CHANGED: SINCE_TEXT},
        ),
        (lambda go: go.ledger_by_match(5), "Customerledger/EntriesByMatchId", {"matchId": "5"}),
        (lambda go: go.open_items(date(2026, 1, 1)), "Customerledger/OpenItems", {"date": "2026-01-01"}),
        (lambda go: go.customer_balances(date(2026, 1, 1)), "Customerledger/CustomerBalances", {"date": "2026-01-01"}),
        (lambda go: go.contact_persons(3), "ContactPersons", {"contactIds": "3"}),
        (lambda go: go.accounts([3000, 3100]), "GeneralLedgerAccounts", {"accountNos": "3000,3100"}),
        (lambda go: go.accounts(), "GeneralLedgerAccounts", {}),
    ],
)
def test_filters(desk, remote, read, path, query):
    remote.get(f"{API}/{path}", status=204)
    assert list(read(desk.go)) == []
    assert queries(remote) == [{**query, "PageNumber": "1"}]


def test_plus_is_encoded(desk, remote):
    remote.get(f"{API}/Customers", status=204)
    list(desk.go.customers(emails=["a+b@c.no"]))
    assert "emailAddresses=a%2Bb%40c.no" in remote.calls[0].request.url


def test_two_sequences_at_once_are_our_fault(desk):
    with pytest.raises(ValueError, match="Give one of customerNos and emailAddresses"):
        desk.go.customers(numbers=[1], emails=["a@b.no"])


def test_naive_moment_is_our_fault(desk):
    with pytest.raises(ValueError, match="aware"):
        desk.go.customers(changed_since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_unknown_value_in_a_filter_does_not_hide_the_others(desk, remote):
    def answer(request):
        codes = parse_qs(urlsplit(request.url).query)["codes"][0].split(",")
        if "NO" in codes:
            return 404, {}, json.dumps({"title": "Not found", "detail": "Could not find product(s) with code = NO"})
        return 200, {}, json.dumps([{"Id": len(code), "Code": code, "Name": code} for code in codes])

    remote.add_callback("GET", f"{API}/Products", answer)
    assert [row.code for row in desk.go.products(codes=["A", "BB", "NO", "CCC", "DDDD"])] == ["A", "BB", "CCC", "DDDD"]


def test_gateway_404_is_no_absence(desk, remote):
    remote.get(f"{API}/Products", status=404, json={"statusCode": 404, "message": "Resource not found"})
    with pytest.raises(Exception, match="no such address"):
        list(desk.go.products(codes=["A"]))


# --- Looking up by reference ------------------------------------------------------------------------------------


def test_find_orders_in_parts(desk, remote):
    references = [f"st-{number:040}" for number in range(100)]

    def answer(request):
        asked = parse_qs(urlsplit(request.url).query)["externalImportReferences"][0].split(",")
        assert len(request.url) < 2000
        return 200, {}, json.dumps([order(int(reference[3:]), reference.upper()) for reference in asked])

    remote.add_callback("GET", f"{API}/SalesOrders", answer)
    found = desk.go.find_orders(references, since=SINCE)
    assert list(found) == references
    assert [found[reference].number for reference in references] == list(range(100))
    assert len(remote.calls) <= 4


@pytest.mark.parametrize(
    ("find", "path", "row", "fallback"),
    [
        (
            "find_orders",
            "SalesOrders",
            order,
            {
                "onlyCreatedByCurrentIntegration": "true",
                CHANGED: SINCE_TEXT,
                "showInherited": "true",
                "PageNumber": "1",
            },
        ),
        ("find_invoices", "OutgoingInvoices", invoice, {BALANCE_CHANGED: SINCE_TEXT, "PageNumber": "1"}),
    ],
)
def test_find_where_the_filter_is_refused(desk, remote, find, path, row, fallback):
    def answer(request):
        if "externalImportReferences" in request.url:
            return 400, {}, json.dumps({"title": "Invalid resourceParameter"})
        return 200, {}, json.dumps([row(1, "a"), row(2, "other"), row(3, "")])

    remote.add_callback("GET", f"{API}/{path}", answer)
    for go in (desk.go, PowerOfficeClient(http=desk.http)):  # each turn makes a client of its own
        found = getattr(go, find)(["a", "b"], since=SINCE)
        assert {reference: each.number for reference, each in found.items()} == {
            "a": 1 if find == "find_orders" else None
        }
    asked = queries(remote)
    assert asked[1:] == [fallback, fallback]
    assert asked[0]["externalImportReferences"] == "a,b"


@pytest.mark.parametrize(("find", "path"), [("find_orders", "SalesOrders"), ("find_invoices", "OutgoingInvoices")])
def test_find_remembers_the_refusal_only_when_the_other_way_works(desk, remote, find, path):
    remote.get(f"{API}/{path}", status=400, json={"title": "Invalid resourceParameter"})
    with pytest.raises(Refused):
        getattr(desk.go, find)(["a"], since=SINCE)
    with pytest.raises(Refused):
        getattr(desk.go, find)(["a"], since=SINCE)
    assert ["externalImportReferences" in query for query in queries(remote)] == [True, False, True, False]


@pytest.mark.parametrize(("find", "path"), [("find_orders", "SalesOrders"), ("find_invoices", "OutgoingInvoices")])
@pytest.mark.parametrize(("status", "body"), [(415, b""), (503, b"")])
def test_find_does_not_take_another_failure_for_a_missing_filter(desk, remote, find, path, status, body):
    remote.get(f"{API}/{path}", status=status, body=body)
    with pytest.raises((Refused, Unavailable)):
        getattr(desk.go, find)(["a"], since=SINCE)
    assert all("externalImportReferences" in query for query in queries(remote))


def test_find_nothing_asks_nothing(desk, remote):
    assert desk.go.find_orders([], since=SINCE) == {}
    assert desk.go.find_invoices([], since=SINCE) == {}


def test_find_absent(desk, remote):
    remote.get(f"{API}/SalesOrders", status=204)
    assert desk.go.find_orders(["a"], since=SINCE) == {}


# --- Writes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"<html>OK</html>", b"[]", b"null", b'{"Id": "no uuid"}', b"{}", b'{"Id": 1', b"\xff"]
)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_write_with_an_answer_that_makes_no_sense_is_in_doubt(desk, remote, status, body):
    remote.patch(f"{API}/SalesOrders/{ORDER_ID}", status=status, body=body)
    with pytest.raises(InDoubt):
        desk.go.update_order(ORDER_ID, {"locked": True})
    assert len(remote.calls) == 1


def test_update_order_speaks_json_patch(desk, remote):
    remote.patch(f"{API}/SalesOrders/{ORDER_ID}", json=order(1, "a"))
    desk.go.update_order(ORDER_ID, {"locked": False, "delivery_date": date(2026, 3, 5), "contract_number": None})
    sent = remote.calls[0].request
    assert sent.headers["Content-Type"] == "application/json-patch+json"
    assert json.loads(sent.body) == [
        {"op": "replace", "path": "/SalesOrderStatus", "value": "Draft"},
        {"op": "replace", "path": "/DeliveryDate", "value": "2026-03-05"},
        {"op": "replace", "path": "/ContractNo", "value": None},
    ]


def test_update_order_refuses_what_cannot_be_changed(desk):
    with pytest.raises(ValueError, match="no lines, total that can be changed"):
        desk.go.update_order(ORDER_ID, {"total": 1, "lines": [], "locked": True})


def test_half_a_surrogate_pair_is_sent_as_question_mark(desk, remote):
    remote.post(f"{API}/Customers", status=201, json={"Id": 1})
    desk.go.create_customer(CustomerDraft(reference="c", name="A\ud83d"))
    assert json.loads(remote.calls[0].request.body)["Name"] == "A?"


@pytest.mark.parametrize("status", [200, 201, 204])
def test_delete_takes_any_answer_of_the_api(desk, remote, status):
    remote.delete(f"{API}/Customers/1", status=status)
    desk.go.delete_customer(1)


def test_delete_answered_by_a_web_page_is_in_doubt(desk, remote):
    remote.delete(f"{API}/Customers/1", body=b"\r\n<!DOCTYPE html>")
    with pytest.raises(InDoubt, match="a web page instead of an answer"):
        desk.go.delete_customer(1)


def test_ids_cannot_leave_their_place_in_the_path(desk, remote):
    remote.get(f"{API}/OutgoingInvoices/..%2FCustomers%3Fx", status=404, json={"title": "Gone"})
    with pytest.raises(NotFound):
        desk.go.invoice("../Customers?x")


@pytest.mark.parametrize(
    ("status", "rows"), [(204, None), (200, []), (200, [{"Id": "5b0e0000-0000-4000-8000-000000000009"}])]
)
def test_sent_state_of_an_order_that_was_not_sent(desk, remote, status, rows):
    remote.get(f"{API}/SalesOrders/sentState", status=status, **({} if rows is None else {"json": rows}))
    assert desk.go.sent_state(ORDER_ID.upper()) is None


def test_client_shows_no_secret(desk: Desk):
    assert repr(desk.go) == "PowerOfficeClient(HttpClient(PowerOffice Go, https://go.test/v2))"
