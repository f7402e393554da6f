"""Tokens: shared, renewed by one, dropped on a 401; and what each refusal means."""

import base64

import pytest

from integration.clients.poweroffice.auth import RENEWAL_PATIENCE, KeyPair
from integration.errors import (
    ConfigurationError,
    Conflict,
    InDoubt,
    KeyRejected,
    NotFound,
    PrivilegeMissing,
    Refused,
    RemoteError,
    SubscriptionKeyRejected,
    Throttled,
    Unavailable,
)
from tests.clients.conftest import API, APPLICATION_KEY, CLIENT_KEY, SUBSCRIPTION_KEY, TOKEN_URL, Desk

DENIED = {
    "statusCode": 401,
    "message": "Access denied due to invalid subscription key. Make sure to provide a valid key.",
}
INFORMATION = {"ClientId": "1", "ClientName": "Camping AS", "ValidPrivileges": ["Customer"], "AllowSendInvoice": True}


def asked(remote) -> list[str]:
    return [f"{call.request.method} {call.request.path_url}" for call in remote.calls]


def failure(desk: Desk) -> RemoteError:
    try:
        desk.go.client_information()
    except RemoteError as error:
        return error
    pytest.fail("It went well.")


def test_token_is_asked_for_once_and_kept(desk, remote):
    desk.tokens.token = ""
    remote.post(TOKEN_URL, json={"access_token": "token-2", "token_type": "bearer", "expires_in": 600})
    remote.get(f"{API}/ClientIntegrationInformation", json=INFORMATION)
    desk.go.client_information()
    desk.go.client_information()
    assert asked(remote) == ["POST /OAuth/Token", *["GET /v2/ClientIntegrationInformation"] * 2]
    sent = remote.calls[0].request
    pair = base64.b64encode(f"{APPLICATION_KEY}:{CLIENT_KEY}".encode()).decode()
    assert (sent.body, sent.headers["Authorization"], sent.headers["Ocp-Apim-Subscription-Key"]) == (
        b"grant_type=client_credentials",
        f"Basic {pair}",
        SUBSCRIPTION_KEY,
    )
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert remote.calls[2].request.headers["Authorization"] == "Bearer token-2"
    assert desk.tokens.said == ["saved for 600"]
    assert desk.pace.turns == 3


def test_others_wait_for_the_one_who_renews(desk, remote):
    desk.tokens.token, desk.tokens.free = "", False

    def renewed_by_another(seconds):
        desk.slept.append(seconds)
        if len(desk.slept) == 3:
            desk.tokens.token = "token-of-another"

    desk.http._auth._sleep = renewed_by_another
    remote.get(f"{API}/ClientIntegrationInformation", json=INFORMATION)
    desk.go.client_information()
    assert asked(remote) == ["GET /v2/ClientIntegrationInformation"]
    assert (desk.slept, desk.tokens.said) == ([0.1, 0.1, 0.1], [])


def test_waiting_for_another_ends(desk, remote):
    desk.tokens.token, desk.tokens.free = "", False
    error = failure(desk)
    assert type(error) is Throttled
    assert error.retry_after == 5.0
    assert sum(desk.slept) == pytest.approx(RENEWAL_PATIENCE, abs=0.11)


def test_refused_token_is_dropped_and_tried_once_more(desk, remote):
    remote.get(f"{API}/ClientIntegrationInformation", status=401)
    remote.post(TOKEN_URL, json={"access_token": "token-2", "expires_in": "1200"})
    remote.get(f"{API}/ClientIntegrationInformation", json=INFORMATION)
    assert desk.go.client_information().client_name == "Camping AS"
    assert desk.tokens.said == ["dropped token-1", "saved for 1200"]
    assert [call.request.headers["Authorization"][:6] for call in remote.calls] == ["Bearer", "Basic ", "Bearer"]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title": "Unauthorized"}'])
def test_new_token_refused_too(desk, remote, body):
    remote.get(f"{API}/ClientIntegrationInformation", status=401, body=body)
    remote.post(TOKEN_URL, json={"access_token": "token-2", "expires_in": 1200})
    assert type(failure(desk)) is KeyRejected
    assert len(asked(remote)) == 3


def test_write_answered_with_401_is_sent_again_but_not_a_third_time(desk, remote):
    sent = []
    remote.delete(f"{API}/Customers/1", status=401)
    remote.post(TOKEN_URL, json={"access_token": "token-2", "expires_in": 1200})
    remote.delete(f"{API}/Customers/1", status=503)
    with pytest.raises(InDoubt):
        desk.http.write(
            "DELETE",
            "/Customers/1",
            lambda answer: None,
            what="Deleting",
            before_send=lambda: sent.append(len(asked(remote))),
        )
    assert asked(remote) == ["DELETE /v2/Customers/1", "POST /OAuth/Token", "DELETE /v2/Customers/1"]
    assert sent == [0, 2]


def test_subscription_key_refused_on_a_call(desk, remote):
    remote.get(f"{API}/ClientIntegrationInformation", status=401, json=DENIED)
    error = failure(desk)
    assert type(error) is SubscriptionKeyRejected
    assert error.message == (
        "Testing the connection: PowerOffice Go does not accept this installation's subscription key. "
        "Whoever runs it must correct GO_SUBSCRIPTION_KEY."
    )
    assert (len(asked(remote)), desk.tokens.said) == (1, [])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_client", "error_description": "Client integration not found."}, KeyRejected),
        (400, {"error": "invalid_grant"}, KeyRejected),
        (400, {"error": "unauthorized_client"}, KeyRejected),
        (401, {"error": "invalid_client"}, KeyRejected),
        (401, None, KeyRejected),
        (403, {"title": "Forbidden"}, KeyRejected),
        (401, DENIED, SubscriptionKeyRejected),
        (400, {"error": "unsupported_grant_type"}, ConfigurationError),
        (400, {"error": "invalid_request"}, ConfigurationError),
        (404, {"statusCode": 404, "message": "Resource not found"}, ConfigurationError),
        (302, None, ConfigurationError),
        (429, {"statusCode": "429", "message": "Rate limit is exceeded. Try again in 1 seconds."}, Throttled),
        (500, {"title": "Oops"}, Unavailable),
        (503, None, Unavailable),
        (200, {"access_token": "two\nlines", "expires_in": 1200}, Unavailable),
        (200, {"access_token": "", "expires_in": 1200}, Unavailable),
        (200, {"access_token": "token", "expires_in": 0}, Unavailable),
        (200, {"access_token": "token"}, Unavailable),
        (200, {"expires_in": 1200}, Unavailable),
        (200, ["token"], Unavailable),
        (200, None, Unavailable),
    ],
)
def test_token_refusals_never_put_a_write_in_doubt(desk, remote, status, body, kind):
    desk.tokens.token = ""
    remote.post(TOKEN_URL, status=status, **({} if body is None else {"json": body}))
    with pytest.raises(RemoteError) as caught:
        desk.go.delete_customer(1)
    assert type(caught.value) is kind
    assert asked(remote) == ["POST /OAuth/Token"]
    assert desk.tokens.said == ["gave up"]
    assert caught.value.evidence.status == status


NO_RIGHT = "PowerOffice Go says that the integration lacks the right to do this"
ADVICE = (
    "Test the connection of the Go company: it lists the missing privileges. "
    "PowerOffice grants privileges, and the company must subscribe to the module they belong to."
)
NO_GRANT = "The integration does not have the required privileges to send invoices."
PROBLEM = {"title": "Customer validation error(s)", "detail": "Department with code = 'X' not found."}
PROBLEM_TEXT = "Customer validation error(s): Department with code = 'X' not found"


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (404, PROBLEM, NotFound, f"PowerOffice Go does not find what was named: {PROBLEM_TEXT}."),
        (404, {"DETAIL": "Gone.", "Status": 404}, NotFound, "PowerOffice Go does not find what was named: Gone."),
        (
            404,
            {"statusCode": 404, "message": "Resource not found"},
            ConfigurationError,
            (
                "there is no such address at PowerOffice Go. Whoever runs this installation must check GO_API_URL; "
                "if it is right, this is a fault in Fakturabro."
            ),
        ),
        (404, "<html>", ConfigurationError, None),
        (404, "", ConfigurationError, None),
        (400, PROBLEM, Refused, f"PowerOffice Go refuses: {PROBLEM_TEXT}."),
        (
            400,
            {
                "title": "One or more validation errors occurred.",
                "errors": {"$.A": ["is bad", "and worse"], "B": "odd"},
            },
            Refused,
            "PowerOffice Go refuses: One or more validation errors occurred: $.A: is bad and worse; B: odd.",
        ),
        (400, "no JSON", Refused, "PowerOffice Go refuses: error 400."),
        (400, "[1]", Refused, "PowerOffice Go refuses: error 400."),
        (422, {"message": "Odd."}, Refused, "PowerOffice Go refuses: Odd."),
        (415, "", Refused, None),
        (
            409,
            {"title": "Customer conflict", "detail": "Customer with id = 1 is in use."},
            Conflict,
            "PowerOffice Go cannot do it in the present state: Customer conflict: Customer with id = 1 is in use.",
        ),
        (409, "", Conflict, "PowerOffice Go cannot do it in the present state: no reason given."),
        (
            400,
            {"Title": "Missing privilege", "detail": NO_GRANT},
            PrivilegeMissing,
            f"{NO_RIGHT} (Missing privilege: {NO_GRANT[:-1]}). {ADVICE}",
        ),
        (403, "", PrivilegeMissing, f"{NO_RIGHT}. {ADVICE}"),
        (403, {"title": "Forbidden"}, PrivilegeMissing, None),
    ],
)
def test_refusals(desk, remote, status, body, kind, says):
    given = {"body": body} if isinstance(body, str) else {"json": body, "content_type": "application/problem+json"}
    remote.delete(f"{API}/Customers/1", status=status, headers={"X-Request-Id": "r-9"}, **given)
    with pytest.raises(RemoteError) as caught:
        desk.go.delete_customer(1)
    assert type(caught.value) is kind
    if says is not None:
        assert caught.value.message == f"Deleting customer 1: {says}"
    evidence = caught.value.evidence
    assert (evidence.method, evidence.path, evidence.status, evidence.request_id) == (
        "DELETE",
        "/Customers/1",
        status,
        "r-9",
    )
    assert len(asked(remote)) == 1


def test_evidence_holds_what_go_said(desk, remote):
    remote.delete(f"{API}/Customers/1", status=404, json=PROBLEM)
    with pytest.raises(NotFound) as caught:
        desk.go.delete_customer(1)
    assert (caught.value.evidence.title, caught.value.evidence.detail) == tuple(PROBLEM.values())


def test_keys_do_not_show():
    keys = KeyPair(application_key=APPLICATION_KEY, client_key=CLIENT_KEY, subscription_key=SUBSCRIPTION_KEY)
    assert repr(keys) == "KeyPair(••••)"
