"""What a failed call means, by the moment of failure; proved on real sockets."""

import gzip
import random
import socket

import pytest
import requests
import responses

from integration.clients.http import (
    IDLE_SECONDS,
    READ_TRIES,
    URL_ROOM,
    Answer,
    SharedSession,
    never_left,
    retry_after,
    shown,
)
from integration.clients.transport import Transport
from integration.errors import ConfigurationError, InDoubt, RemoteError, Throttled, Unavailable
from tests.clients import switchboard
from tests.clients.conftest import API, CLIENT_KEY, SUBSCRIPTION_KEY, Desk, make_desk
from tests.clients.switchboard import Switchboard

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def content(answer: Answer) -> bytes:
    return answer.content


@pytest.fixture
def serve():
    """Start servers that are closed after the test."""
    boards: list[Switchboard] = []

    def start(*acts: switchboard.Act) -> Switchboard:
        boards.append(Switchboard(*acts))
        return boards[-1]

    yield start
    for board in boards:
        board.close()


def outcome(desk: Desk, method: str) -> RemoteError:
    try:
        if method == "GET":
            desk.http.get("/x", content, what="Reading x")
        else:
            desk.http.write(method, "/x", content, what="Making x")
    except RemoteError as error:
        return error
    pytest.fail("It went well.")


# --- Before the request left ------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_connection_did_nothing(method):
    error = outcome(make_desk(base_url=f"http://127.0.0.1:{closed_port()}"), method)
    assert type(error) is Unavailable
    assert error.message.endswith(
        "x: PowerOffice Go cannot be reached (no connection). Nothing was sent; it is tried again later."
    )
    assert (error.evidence.method, error.evidence.path, error.evidence.status) == (method, "/x", None)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_host_did_nothing(method, monkeypatch):
    def no_address(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)  # not asking a real name server keeps the test at home
    assert type(outcome(make_desk(base_url="http://go.invalid"), method)) is Unavailable


@pytest.mark.parametrize(
    "act",
    [switchboard.silent, switchboard.gone_at_once, lambda line: line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
    ids=["silent", "hung up", "no TLS"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_failed_hand_shake_did_nothing(serve, act, method):
    board = serve(act)
    assert type(outcome(make_desk(base_url=f"https://127.0.0.1:{board.port}"), method)) is Unavailable


@pytest.mark.parametrize(
    ("raised", "left"),
    [
        (requests.exceptions.ConnectTimeout(), False),
        (requests.exceptions.ProxyError(), False),
        (requests.exceptions.ConnectionError(), True),
        (requests.exceptions.SSLError(), True),
        (requests.exceptions.ReadTimeout(), True),
        (requests.exceptions.ChunkedEncodingError(), True),
        (requests.exceptions.ContentDecodingError(), True),
        (requests.exceptions.InvalidHeader(), True),  # how requests calls an answer with two content lengths
        (requests.exceptions.RequestException(), True),
    ],
)
def test_unsure_means_it_left(desk, remote, raised, left):
    assert never_left(raised) is not left
    remote.post(f"{API}/x", body=raised)
    assert type(outcome(desk, "POST")) is (InDoubt if left else Unavailable)


def test_failure_of_an_earlier_call_is_not_taken_for_this_one(serve):
    """Python links exceptions raised while another is handled; that link is no evidence."""
    lost = make_desk(base_url=f"http://127.0.0.1:{serve(switchboard.resets).port}")
    try:
        make_desk(base_url=f"http://127.0.0.1:{closed_port()}").http.write("POST", "/x", content, what="Making x")
    except Unavailable:
        assert type(outcome(lost, "POST")) is InDoubt
    else:
        pytest.fail("It went well.")


@pytest.mark.parametrize("address", ["no address", "http://", "ftp://127.0.0.1", "http://[::1"])
def test_address_that_cannot_be_used_is_for_the_installer(address):
    error = outcome(make_desk(base_url=address), "POST")
    assert type(error) is ConfigurationError
    assert "in the settings cannot be used" in error.message


@pytest.mark.parametrize("token", ["two\nlines", "kr€ne"])
def test_header_that_cannot_be_sent_is_for_the_installer(desk, token):
    desk.tokens.token = token
    assert type(outcome(desk, "POST")) is ConfigurationError


# --- After it left ----------------------------------------------------------------------------------------------

BROKEN = {
    "silent": (switchboard.silent, "no answer in time"),
    "hung up": (switchboard.hangs_up, "the connection broke"),
    "reset": (switchboard.resets, "the connection broke"),
    "no HTTP": (switchboard.says(b"SSH-2.0-OpenSSH\r\n"), "the connection broke"),
    "half an answer": (switchboard.says(OK + b'Content-Length: 20\r\n\r\n{"Id"'), "the answer broke off"),
    "half a chunk": (switchboard.says(OK + b"Transfer-Encoding: chunked\r\n\r\n20\r\n{"), "the answer broke off"),
    "not gzip": (
        switchboard.says(OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
        "the answer is garbled",
    ),
    "body never comes": (
        switchboard.then(switchboard.says(OK + b"Content-Length: 2\r\n\r\n"), switchboard.silent),
        "no answer in time",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_write_that_left_is_in_doubt_and_sent_once(serve, name):
    act, words = BROKEN[name]
    board = serve(act)
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    error = outcome(desk, "POST")
    assert type(error) is InDoubt
    assert error.message == (
        f"Making x: we do not know whether PowerOffice Go did it, because {words}. "
        "It is looked up before anything is sent again."
    )
    assert (board.connections, desk.slept) == (1, [])


@pytest.mark.parametrize("name", BROKEN)
def test_read_is_tried_three_times(serve, name):
    board = serve(BROKEN[name][0])
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    assert type(outcome(desk, "GET")) is Unavailable
    assert (board.connections, desk.pace.turns, len(desk.slept)) == (3, 3, 2)


def test_read_succeeds_at_the_third_try(serve):
    board = serve(switchboard.resets, switchboard.hangs_up, switchboard.says(OK + b"Content-Length: 2\r\n\r\n{}"))
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    assert desk.http.get("/x", content, what="Reading x") == b"{}"
    assert 0.2 <= desk.slept[0] <= 0.5
    assert 0.4 <= desk.slept[1] <= 1.0


LONG = b"x" * 400
"""Would take twenty seconds to trickle in; the clients here wait for one."""

ZIPPED = gzip.compress(random.Random(1).randbytes(400))
TRICKLES = {
    "its head": (OK, b"X-Long: " + LONG + b"\r\nContent-Length: 0\r\n\r\n"),
    "its body": (OK + b"Content-Length: 400\r\n\r\n", LONG),
    "a body without end": (OK + b"Connection: close\r\n\r\n", LONG),
    "a chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n190\r\n", LONG + b"\r\n0\r\n\r\n"),
    "many chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 70 + b"0\r\n\r\n"),
    "what is unpacked": (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(ZIPPED), ZIPPED),
}


@pytest.mark.parametrize("name", TRICKLES)
def test_answer_that_trickles_in_is_given_up(serve, name):
    """A claim rests on it: no call lasts longer than its two time-outs, though something comes all the while."""
    board = serve(switchboard.trickles(*TRICKLES[name]))
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    written, read = outcome(desk, "POST"), outcome(desk, "GET")
    assert (type(written), type(read)) == (InDoubt, Unavailable)
    assert written.message.startswith(
        "Making x: we do not know whether PowerOffice Go did it, because no answer in time."
    )
    assert board.connections == 1 + READ_TRIES


def test_packed_answer_is_unpacked(serve):
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(ZIPPED)
    board = serve(switchboard.says(head, ZIPPED[:100], ZIPPED[100:]))
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    assert desk.http.get("/x", content, what="Reading x") == gzip.decompress(ZIPPED)


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 599])
def test_server_error(desk, remote, status):
    remote.post(f"{API}/x", status=status, body="<html>Bad gateway</html>", content_type="text/html")
    error = outcome(desk, "POST")
    assert type(error) is InDoubt
    assert (error.evidence.status, error.evidence.answer_excerpt) == (status, "<html>Bad gateway</html>")
    for _ in range(3):
        remote.get(f"{API}/x", status=status)
    assert type(outcome(desk, "GET")) is Unavailable


def test_answer_that_cannot_be_read(desk, remote):
    def refuse(answer):
        raise KeyError("Id")

    remote.post(f"{API}/x", json={"id": 1}, status=201)
    with pytest.raises(InDoubt, match=r"because the answer cannot be read \('Id'\)"):
        desk.http.write("POST", "/x", refuse, what="Making x")
    for _ in range(3):
        remote.get(f"{API}/x", json={})
    with pytest.raises(Unavailable, match="did not answer properly: the answer cannot be read"):
        desk.http.get("/x", refuse, what="Reading x")


def test_redirect_is_not_followed(desk, remote):
    remote.get(f"{API}/x", status=302, headers={"Location": "https://elsewhere.test/x"})
    assert type(outcome(desk, "GET")) is ConfigurationError
    remote.post(f"{API}/x", status=307, headers={"Location": "https://elsewhere.test/x"})
    assert type(outcome(desk, "POST")) is InDoubt


def test_too_many_requests_slows_everybody_down(desk, remote):
    for method in ("GET", "POST"):
        remote.add(method, f"{API}/x", status=429, headers={"Retry-After": "7"}, json={"statusCode": "429"})
        error = outcome(desk, method)
        assert isinstance(error, Throttled)
        assert error.retry_after is not None
        assert 7 < error.retry_after < 7.5
        assert desk.pace.pauses[-1] == error.retry_after
    assert len(desk.pace.pauses) == READ_TRIES + 1  # a read is asked again when its turn comes, a write is not


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1),
        ({"Retry-After": "3"}, 3),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "-4"}, 1),
        ({"Retry-After": "nan"}, 1),
        ({"Retry-After": "inf"}, 1),
        ({"Retry-After": "86400"}, 300),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1),
    ],
)
def test_retry_after(headers, seconds):
    assert seconds < retry_after(headers) <= seconds + 0.25


# --- Around the request -----------------------------------------------------------------------------------------


def test_before_send_comes_after_token_and_turn_and_may_stop(desk, remote):
    seen = []

    def stop():
        seen.append((desk.pace.turns, desk.tokens.token))
        raise KeyboardInterrupt

    desk.tokens.token = ""
    remote.post("https://go.test/OAuth/Token", json={"access_token": "token-2", "expires_in": 1200})
    with pytest.raises(KeyboardInterrupt):
        desk.http.write("POST", "/x", content, what="Making x", before_send=stop)
    assert seen == [(2, "token-2")]
    assert [call.request.path_url for call in remote.calls] == ["/OAuth/Token"]


def test_headers(desk, remote):
    remote.get(f"{API}/x", json={})
    desk.http.get("/x", content, what="Reading x")
    sent = remote.calls[0].request.headers
    assert {
        name: sent.get(name) for name in ("User-Agent", "Accept", "Authorization", "Ocp-Apim-Subscription-Key")
    } == {
        "User-Agent": "Fakturabro/0.1",
        "Accept": "application/json",
        "Authorization": "Bearer token-1",
        "Ocp-Apim-Subscription-Key": SUBSCRIPTION_KEY,
    }


def test_cookies_are_not_kept(desk, remote):
    remote.get(f"{API}/x", json={}, headers={"Set-Cookie": "ARRAffinity=1; Path=/"})
    for _ in range(2):
        desk.http.get("/x", content, what="Reading x")
    assert "Cookie" not in remote.calls[1].request.headers


@pytest.mark.parametrize("path", ["x", "//elsewhere.test/x", "https://elsewhere.test/x", "/\\elsewhere.test", "?a=1"])
def test_only_relative_paths(desk, path):
    with pytest.raises(ValueError, match="Not a relative path"):
        desk.http.url(path)


def test_url_encodes_what_must_be_encoded(desk):
    url = desk.http.url("/x", {"OrderBy": "Id asc", "since": "2026-01-01T00:00:00+01:00", "codes": "a,b&c æ"})
    assert url == f"{API}/x?OrderBy=Id%20asc&since=2026-01-01T00:00:00%2B01:00&codes=a,b%26c%20%C3%A6"
    assert desk.http.url("") == API


def test_filters_are_cut_to_fit_the_address(desk):
    values = [f"reference-{number:040}" for number in range(100)] + ["x" * 3000, "last"]
    parts = list(desk.http.in_parts("/x", {"Fields": "A" * 300}, "references", values))
    assert [value for part in parts for value in part] == values
    assert [len(part) for part in parts] == [30, 30, 30, 10, 1, 1]
    for part in parts[:4]:
        assert len(desk.http.url("/x", {"Fields": "A" * 300, "references": ",".join(part)})) <= URL_ROOM
    assert list(desk.http.in_parts("/x", {}, "references", [])) == []


def test_evidence_is_kept_and_masked(desk, remote):
    remote.post(
        f"{API}/x",
        status=201,
        json={"echo": f"Bearer token-1 {CLIENT_KEY} {SUBSCRIPTION_KEY}"},
        headers={"apim-request-id": "r-1"},
    )
    desk.http.write("POST", "/x", content, what="Making x")
    evidence = desk.go.last_evidence
    assert (evidence.status, evidence.request_id) == (201, "r-1")
    assert evidence.answer_excerpt == '{"echo": "Bearer •••• •••• ••••"}'


def test_query_is_shown_as_what_was_asked(desk, remote):
    remote.get(f"{API}/x", json={})
    desk.http.get("/x", content, what="Reading x", params={"subscription-key": "k", "a": "1,2"})
    assert (desk.go.last_evidence.path, desk.go.last_evidence.request_excerpt) == ("/x", "subscription-key=••••&a=1,2")


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json; charset=utf-8", b'{"A": "\xc3\xa6"}', '{"A": "æ"}'),
        ("application/problem+json", b"{}", "{}"),
        ("text/html", b"<p>\xff", "<p>�"),
        ("", b"x", "x"),
        ("application/pdf", b"%PDF", "[4 bytes, application/pdf]"),
        ("application/pdf", b"", ""),
    ],
)
def test_shown(content_type, body, text):
    assert shown(content_type, body) == text


def test_nobody_shows_a_key(desk, remote):
    remote.post(f"{API}/x", body=requests.exceptions.ConnectionError(f"to {CLIENT_KEY} with Bearer token-1"))
    error = outcome(desk, "POST")
    told = f"{error!r} {error.evidence!r} {desk.http!r} {desk.go!r} {desk.http._auth!r} {desk.http._masking!r}"
    assert [secret for secret in (CLIENT_KEY, SUBSCRIPTION_KEY, "token-1") if secret in told] == []


# --- The shared session -----------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


KEPT = OK + b"Content-Length: 2\r\n\r\n{}"


def test_connection_is_kept(serve):
    board = serve(switchboard.then(switchboard.says(KEPT), switchboard.says(KEPT)))
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    for method in ("GET", "POST"):
        desk.http._once(method, "/x", content, what="Making x")
    assert board.connections == 1


def test_connection_that_rested_is_not_used_for_a_write(serve):
    """The server hung up without a word that reached us; a write into the old line would be in doubt."""
    clock = Clock()
    board = serve(switchboard.then(switchboard.says(KEPT), switchboard.silent), switchboard.says(KEPT))
    session = SharedSession(Transport(), clock=clock)
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}", session=session)
    desk.http.get("/x", content, what="Reading x")
    clock.now += IDLE_SECONDS + 0.1
    desk.http.write("POST", "/x", content, what="Making x")
    assert board.connections == 2


def test_connection_that_the_server_closed_is_not_used(serve):
    board = serve(switchboard.says(KEPT))
    desk = make_desk(base_url=f"http://127.0.0.1:{board.port}")
    desk.http.get("/x", content, what="Reading x")
    board.hung_up.acquire()
    desk.http.write("POST", "/x", content, what="Making x")
    assert board.connections == 2


def test_nothing_is_sent_without_a_turn(desk):
    def not_now():
        raise Throttled("later", retry_after=4)

    desk.pace.wait = not_now
    with responses.RequestsMock(), pytest.raises(Throttled):
        desk.http.write("POST", "/x", content, what="Making x")


def test_a_read_whose_turn_is_far_away_is_not_asked_again(desk, monkeypatch):
    def far_away():
        desk.pace.turns += 1
        raise Throttled("Many requests wait.")

    monkeypatch.setattr(desk.pace, "wait", far_away)
    assert type(outcome(desk, "GET")) is Throttled
    assert (desk.pace.turns, desk.slept) == (1, [])
