"""A client with everything around it in memory: what it slept, how often its turn came, which tokens it held."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from integration.clients.http import HttpClient, SharedSession
from integration.clients.masking import Masking
from integration.clients.poweroffice.auth import KeyPair, TokenAuth
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.clients.poweroffice.refusals import refusal, token_refusal
from integration.clients.transport import Transport

API = "https://go.test/v2"
TOKEN_URL = "https://go.test/OAuth/Token"
APPLICATION_KEY = "app-key-aaaaaaaa"
CLIENT_KEY = "client-key-cccccccc"
SUBSCRIPTION_KEY = "subscription-ssssssss"


@dataclass
class FreePace:
    """Always our turn; remembers."""

    turns: int = 0
    pauses: list[float] = field(default_factory=list)

    def wait(self) -> None:
        self.turns += 1

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@dataclass
class Tokens:
    """A store for one worker."""

    token: str = "token-1"
    free: bool = True
    said: list[str] = field(default_factory=list)

    def read(self) -> str:
        return self.token

    def claim_renewal(self) -> bool:
        return self.free

    def save(self, token: str, expires_in: int) -> None:
        self.token = token
        self.said.append(f"saved for {expires_in}")

    def give_up(self) -> None:
        self.said.append("gave up")

    def drop(self, token: str) -> None:
        self.said.append(f"dropped {token}")
        self.token = ""


@dataclass
class Desk:
    """A client and what lies around it."""

    go: PowerOfficeClient
    http: HttpClient
    pace: FreePace
    tokens: Tokens
    slept: list[float]
    masking: Masking


_sessions: list[SharedSession] = []


@pytest.fixture(autouse=True)
def _hang_up():
    """Close the connections that a test has opened."""
    yield
    while _sessions:
        _sessions.pop().close()


def make_desk(*, page_size: int = 5000, base_url: str = API, session: SharedSession | None = None) -> Desk:
    pace, tokens = FreePace(), Tokens()
    slept: list[float] = []
    session = session or SharedSession(Transport())
    _sessions.append(session)
    masking = Masking([APPLICATION_KEY, CLIENT_KEY, SUBSCRIPTION_KEY])
    around: dict[str, Any] = {
        "name": "PowerOffice Go",
        "session": session,
        "pace": pace,
        "masking": masking,
        "connect_timeout": 0.5,
        "read_timeout": 0.5,
        "sleep": slept.append,
    }
    keys = KeyPair(application_key=APPLICATION_KEY, client_key=CLIENT_KEY, subscription_key=SUBSCRIPTION_KEY)
    token_http = HttpClient(base_url=TOKEN_URL, auth=keys, refusal=token_refusal, **around)
    auth = TokenAuth(
        store=tokens,
        token_http=token_http,
        subscription_key=SUBSCRIPTION_KEY,
        masking=masking,
        sleep=slept.append,
    )
    http = HttpClient(base_url=base_url, auth=auth, refusal=refusal, **around)
    return Desk(PowerOfficeClient(http=http, page_size=page_size), http, pace, tokens, slept, masking)


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def remote():
    """What the other side answers; an answer that nobody asked for fails the test."""
    with responses.RequestsMock() as mock:
        yield mock
