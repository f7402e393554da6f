"""Clients that other people wrote: every shape of request that is seen in the wild is answered as Go answers it."""

import json
from typing import Any

import pytest

from tests.sandbox.conftest import HOST, SUBSCRIPTION, Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])

ORDER = {"CustomerNo": 10000, "SalesOrderLines": [{"ProductCode": "HYTTE", "Quantity": 2}]}


def camel(value: Any) -> Any:
    """The same members, spelled `customerNo` instead of `CustomerNo`."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: camel(inner) for name, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/*+json", "text/json"]
)
@pytest.mark.parametrize("body", [ORDER, camel(ORDER)], ids=["PascalCase", "camelCase"])
def test_an_order_in_any_spelling(go: Caller, kind: str, body: dict[str, Any]) -> None:
    answer = go.call("POST", "/SalesOrders/Complete", data=json.dumps(body), **sent_as(go, kind))

    assert (answer.status_code, answer.json()["NetAmount"]) == (201, 2000)


@pytest.mark.parametrize("kind", ["application/json-patch+json", "application/json", "application/*+json"])
def test_a_patch_under_any_name(go: Caller, kind: str) -> None:
    pk = go.order()["Id"]
    patch = json.dumps([{"op": "replace", "path": "/customerReference", "value": "Kari"}])

    answer = go.call("PATCH", f"/SalesOrders/{pk}", data=patch, **sent_as(go, kind))

    assert (answer.status_code, go.get(f"/SalesOrders/{pk}")["CustomerReference"]) == (200, "Kari")


@pytest.mark.parametrize("path", ["/OAuth/Token", "/oauth/token", "/OAUTH/TOKEN"])
def test_a_token_at_any_spelling(go: Caller, path: str) -> None:
    answer = go.token(path=path)

    assert (answer.status_code, answer.json()["token_type"]) == (200, "bearer")


def test_the_demo_addresses(go: Caller) -> None:
    token = go.token(path="/Demo/OAuth/Token").json()["access_token"]

    answer = go.session.get(
        f"{HOST}/demo/v2/ClientIntegrationInformation", headers={**SUBSCRIPTION, "Authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, answer.json()["ClientName"]) == (200, "Fjordgløtt Camping AS")


@pytest.mark.parametrize("path", ["/CustomerLedger", "/Customerledger", "/customerledger"])
def test_a_path_in_any_case(go: Caller, path: str) -> None:
    go.invoice()

    [row] = go.get(f"{path}/Statement", fromDate="2000-01-01", toDate="2099-12-31")

    assert row["Amount"] == 2240


@pytest.mark.parametrize("spelling", ["{}", "resourceParameter[{}]", "resourceParameters[{}]", "ResourceParameter.{}"])
def test_page_parameters_in_any_spelling(go: Caller, spelling: str) -> None:
    codes = [row["Code"] for row in go.get("/Products")]
    query = {spelling.format("PageSize"): 1, spelling.format("PageNumber"): 2}

    answer = go.call("GET", "/Products", params=query)
    link = json.loads(answer.headers["X-Pagination"])["nextPageLink"]
    following = go.session.get(link, headers=go.headers)

    assert [row["Code"] for row in answer.json() + following.json()] == codes[1:3]


def test_following_the_next_page_link_reads_everything_once(go: Caller) -> None:
    everything = [row["Id"] for row in go.get("/Products")]
    answer = go.call("GET", "/Products", params={"PageSize": 2})
    read = [row["Id"] for row in answer.json()]
    while link := json.loads(answer.headers["X-Pagination"])["nextPageLink"]:
        answer = go.session.get(link, headers=go.headers)
        read += [row["Id"] for row in answer.json()]

    assert read == everything


def test_a_form_content_type_on_a_read_does_no_harm(go: Caller) -> None:
    answer = go.call("GET", "/Customers", **sent_as(go, "application/x-www-form-urlencoded"))

    assert answer.status_code == 200


def test_stamps_with_seven_digits_are_understood(go: Caller) -> None:
    pk = go.order()["Id"]

    [row] = go.get("/SalesOrders", lastChangedDateTimeOffsetGreaterThan="2020-01-01T00:00:00.1234567+01:00")

    assert row["Id"] == pk


@pytest.mark.parametrize("query", ["$top=5", "$filter=Name eq 'x'"])
def test_odata_is_refused(go: Caller, query: str) -> None:
    assert go.call("GET", f"/Customers?{query}").status_code == 400


def sent_as(go: Caller, kind: str) -> dict[str, Any]:
    """Arguments of `call` that add a content type (the caller's own headers stay)."""
    go.session.headers["Content-Type"] = kind
    return {}
