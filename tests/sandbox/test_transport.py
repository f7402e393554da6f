"""Reference §18.1: transport and auth."""

import base64
import json

import pytest
import requests

from tests.sandbox.conftest import HOST, PADEL, SUBSCRIPTION, Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])
GATEWAY_429 = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 1 seconds."}


def test_row_1_token(go: Caller) -> None:
    answer = go.token()
    body = answer.json()
    assert (answer.status_code, sorted(body)) == (200, ["access_token", "expires_in", "token_type"])
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1200)
    claims = json.loads(base64.urlsafe_b64decode(body["access_token"].split(".")[1] + "=="))
    assert claims["goClientName"] == "Fjordgløtt Camping AS"
    assert go.call("POST", "/OAuth/Token").status_code == 404


def test_row_2_token_really_expires(go: Caller) -> None:
    go.switch(token_lifetime_seconds=60)
    assert go.token().json()["expires_in"] == 60
    go.sign_in()
    go.act("set_clock", offset_seconds=59)
    assert go.call("GET", "/Currencies").status_code == 200
    go.act("set_clock", offset_seconds=61)
    assert go.call("GET", "/Currencies").status_code == 401


@pytest.mark.parametrize(
    ("caller", "grant", "error"),
    [
        (Caller(), "password", "unsupported_grant_type"),
        (Caller(client_key="33333333-2222-4222-8222-222222222201"), "client_credentials", "invalid_client"),
        (Caller(client_key="not a key"), "client_credentials", "invalid_client"),
        (Caller(application_key="99999999-1111-4111-8111-111111111111"), "client_credentials", "invalid_client"),
    ],
)
def test_row_3_wrong_keys_and_grants(go: Caller, caller: Caller, grant: str, error: str) -> None:
    answer = caller.token(grant)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_row_3_revoked_key(go: Caller) -> None:
    go.act("revoke_key")
    assert go.token().json()["error"] == "invalid_client"
    assert go.call("GET", "/Currencies").status_code == 401
    go.act("restore_key")
    assert go.token().status_code == 200


@pytest.mark.parametrize(("key", "word"), [("", "missing"), ("wrong", "invalid")])
def test_row_4_subscription_key(go: Caller, key: str, word: str) -> None:
    go.headers["Ocp-Apim-Subscription-Key"] = key
    text = f"Access denied due to {word} subscription key. "
    text += "Make sure to include subscription key when making requests to an API."
    assert go.call("GET", "/Currencies").json() == {"statusCode": 401, "message": text}


@pytest.mark.parametrize(("body", "content"), [("empty", b""), ("problem", b'{"title"'), ("gateway", b'{"statusCo')])
def test_row_5_unknown_token(go: Caller, body: str, content: bytes) -> None:
    go.switch(unauthorized_body=body)
    go.headers["Authorization"] = "Bearer a.b.unknown"
    answer = go.call("GET", "/Currencies")
    assert (answer.status_code, answer.content[: len(content) or None]) == (401, content)


def test_row_5_all_tokens_expire(go: Caller) -> None:
    assert go.act("expire_tokens") == {"sentence": "1 tokens expired."}
    assert go.call("GET", "/Currencies").status_code == 401


def test_row_6_companies_are_apart(go: Caller) -> None:
    other = Caller(PADEL).sign_in()
    order = go.order(ExternalImportReference="same")
    assert other.get("/SalesOrders") is None
    assert other.refused("GET", f"/SalesOrders/{order['Id']}") == (
        404,
        f"SalesOrder with id = {order['Id']} not found.",
    )
    other.order(ExternalImportReference="same")
    assert [each["ClientName"] for each in (go.get("/ClientIntegrationInformation"),)] == ["Fjordgløtt Camping AS"]


def test_row_6_demo_and_production_do_not_mix(go: Caller) -> None:
    demo = go.token(path="/Demo/OAuth/Token").json()["access_token"]
    headers = {**SUBSCRIPTION, "Authorization": f"Bearer {demo}"}
    assert go.session.get(f"{HOST}/Demo/v2/Currencies", headers=headers).status_code == 200
    assert go.session.get(f"{HOST}/v2/Currencies", headers=headers).status_code == 401
    key = "44444444-2222-4222-8222-222222222201"
    go.control("POST", "companies", {"name": "Only demo", "client_key": key, "environment": "demo"})
    assert Caller(key).token().json()["error"] == "invalid_client"
    assert Caller(key).token(path="/demo/oauth/token").status_code == 200


def test_row_7_letters_of_any_case(go: Caller) -> None:
    paths = ["/products", "/PRODUCTS?pagesize=1", "/customerLEDGER/openitems?DATE=2026-01-01"]
    assert [go.call("GET", path).status_code for path in paths] == [200, 200, 204]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/Nothing"), ("POST", "/SalesOrders"), ("PUT", "/Products"), ("POST", "/OutgoingInvoices")],
)
def test_row_8_unknown_path(go: Caller, method: str, path: str) -> None:
    assert go.call(method, path).json() == {"statusCode": 404, "message": "Resource not found"}


def test_rows_9_and_10_rate_limit_across_companies(go: Caller) -> None:
    other = Caller(PADEL).sign_in()
    go.control("DELETE", "requests")
    go.switch(rate_limit_per_second=4)
    answers = [caller.call("GET", "/Currencies") for caller in (go, other, go, other, go)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert (answers[-1].json(), answers[-1].headers["Retry-After"]) == (GATEWAY_429, "1")
    assert other.token().json() == {**GATEWAY_429, "statusCode": "429"}
    go.switch(retry_after=False)
    assert "Retry-After" not in go.call("GET", "/Currencies").headers
    counts = go.control("GET", "requests")
    assert (counts["total"], counts["throttled"], counts["most_in_one_second"]) == (7, 3, 7)


def test_row_9_the_window_can_be_shorter_for_a_rehearsal_in_a_hurry(go: Caller) -> None:
    go.control("DELETE", "requests")
    go.switch(rate_limit_per_second=1, rate_window_seconds="0.001")
    assert {go.call("GET", "/Currencies").status_code for _ in range(5)} == {200}
    go.switch(rate_window_seconds="600")
    refused = go.call("GET", "/Currencies")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "600")
    counts = go.control("GET", "requests")
    assert counts["most_in_one_window"] == 6
    assert counts["by_answer"] == {"GET /Currencies": {"200": 5, "429": 1}}


def test_row_9_token_calls_may_be_free(go: Caller) -> None:
    go.control("DELETE", "requests")
    go.switch(rate_limit_per_second=1, token_calls_count=False)
    assert [go.token().status_code, go.token().status_code] == [200, 200]
    assert [go.call("GET", "/Currencies").status_code for _ in range(2)] == [200, 429]


def test_row_11_ceiling_on_complete(go: Caller) -> None:
    go.switch(complete_per_second=1)
    go.order()
    body = {"CustomerNo": 10000}
    assert go.call("POST", "/SalesOrders/Complete", body).status_code == 503
    assert len(go.books()["orders"]) == 1


def test_row_12_privileges_and_subscriptions(go: Caller) -> None:
    go.act("set_privileges", privileges=["SalesOrders", "Product_Full"])
    assert go.call("GET", "/SalesOrders").status_code == 204
    status, text = go.refused("POST", "/SalesOrders/Complete", {})
    assert (status, text) == (403, "The integration does not have any of the privileges SalesOrders_Full.")
    assert go.call("GET", "/Customers").status_code == 403
    go.act("set_subscriptions", subscriptions=["TimeTracking"])
    information = go.get("/ClientIntegrationInformation")
    assert (information["ValidPrivileges"], information["InvalidPrivileges"]) == ([], ["SalesOrders", "Product_Full"])
    go.switch(forbidden_body="empty")
    answer = go.call("GET", "/SalesOrders")
    assert (answer.status_code, answer.content) == (403, b"")


def test_row_13_send_grant(go: Caller) -> None:
    order = go.order()
    text = "The integration does not have the required privileges to send invoices."
    answer = go.call("POST", f"/SalesOrders/{order['Id']}/createAndSendInvoice", {})
    assert answer.json() == {"title": "Missing privilege", "status": 400, "detail": text}
    assert go.get("/ClientIntegrationInformation")["AllowSendInvoice"] is False


FAULTS = {
    "drop_before_commit": ("dropped", 0),
    "drop_after_commit": ("dropped", 1),
    "error_500_before_commit": (500, 0),
    "error_500_after_commit": (500, 1),
    "unavailable_503_before_commit": (503, 0),
    "unavailable_503_after_commit": (503, 1),
    "throttled_429": (429, 0),
    "unauthorized_401": (401, 0),
    "forbidden_403": (403, 0),
    "malformed_json_after_commit": ("not JSON", 1),
    "html_after_commit": ("not JSON", 1),
    "empty_after_commit": ("not JSON", 1),
}


@pytest.mark.parametrize(("kind", "outcome"), FAULTS.items())
def test_row_14_faults(go: Caller, kind: str, outcome: tuple[object, int]) -> None:
    go.control("POST", "faults", {"kind": kind, "method": "POST", "path": "/SalesOrders/*", "skip": 1, "count": 1})
    body = {"CustomerNo": 10000, "SalesOrderLines": []}
    assert go.call("POST", "/SalesOrders/Complete", body).status_code == 201
    seen: object
    try:
        answer = go.call("POST", "/SalesOrders/Complete", body)
        seen = answer.status_code
        if seen == 201:
            answer.json()
    except requests.JSONDecodeError:
        seen = "not JSON"
    except requests.ConnectionError:
        seen = "dropped"
    assert (seen, len(go.books()["orders"]) - 1) == outcome
    assert go.call("POST", "/SalesOrders/Complete", body).status_code == 201
    [plan] = go.control("GET", "faults")
    assert (plan["left"], plan["skip"], plan["hits"]) == (0, 0, 1)


@pytest.mark.parametrize("commit", ["before", "late"])
def test_row_14_slow_answer(go: Caller, commit: str) -> None:
    go.control("POST", "faults", {"kind": "slow", "path": "/SalesOrders/Complete", "seconds": 3, "commit": commit})
    with pytest.raises(requests.ReadTimeout):
        go.call("POST", "/SalesOrders/Complete", {"CustomerNo": 10000}, timeout=(1, 2))
    assert len(go.books()["orders"]) == 1


def test_row_14_a_burst_refuses_everything_for_a_while(go: Caller) -> None:
    burst = {"kind": "throttled_429", "path": "/Products", "method": "GET", "count": 1, "burst_seconds": "600"}
    go.control("POST", "faults", {**burst, "retry_after": False})
    answers = [go.call("GET", "/Products") for _ in range(3)]
    assert [(answer.status_code, "Retry-After" in answer.headers) for answer in answers] == [(429, False)] * 3
    assert go.call("GET", "/Currencies").status_code == 200
    assert go.control("GET", "faults")[0]["hits"] == 3


def test_a_payment_can_show_late(go: Caller) -> None:
    """Its stamps are older than the moment it can be seen first (row 55)."""
    order = go.order()
    (invoice_id,) = go.act("send", order_ids=[order["Id"]])["invoice_ids"]
    before = go.get("/OutgoingInvoices")[0]["BalanceLastChangedDateTimeOffset"]
    go.act("pay", invoice_id=invoice_id, stamped_ago="30")
    row = go.get("/OutgoingInvoices")[0]
    assert row["Balance"] == 0
    assert row["BalanceLastChangedDateTimeOffset"] < before


def test_row_14_random_faults_repeat(go: Caller) -> None:
    def row() -> list[int]:
        go.control("DELETE", "faults")
        plan = {"random": True, "rate": "0.5", "seed": 7, "kinds": ["error_500_before_commit", "throttled_429"]}
        go.control("POST", "faults", plan)
        return [go.call("POST", "/SalesOrders/Complete", {"CustomerNo": 10000}).status_code for _ in range(12)]

    first = row()
    assert first == row()
    assert sorted(set(first)) == [201, 429, 500]
    assert [go.call("GET", "/Currencies").status_code for _ in range(5)] == [200] * 5


def test_row_14_slow_token_and_faults_on_tokens(go: Caller) -> None:
    go.control("POST", "faults", {"kind": "error_500_before_commit", "path": "/OAuth/Token"})
    assert [go.token().status_code, go.token().status_code] == [500, 200]


def test_row_15_replica_delay(go: Caller) -> None:
    go.switch(replica_delay_seconds="2")
    old = go.order(ExternalImportReference="a")
    assert go.get("/SalesOrders", externalImportReferences="a") is None
    go.act("set_clock", offset_seconds=3)
    assert len(go.get("/SalesOrders", externalImportReferences="a")) == 1
    go.act("send", order_ids=[old["Id"]])
    assert (len(go.get("/SalesOrders")), go.get("/OutgoingInvoices")) == (1, None)
    go.act("set_clock", offset_seconds=6)
    assert (go.get("/SalesOrders"), len(go.get("/OutgoingInvoices"))) == (None, 1)
