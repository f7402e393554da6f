"""Keys and tokens of PowerOffice Go (reference §2), and what its refusals mean for us (reference §4)."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import requests
from requests.auth import AuthBase

from integration.clients.http import Answer, Body, HttpClient, RenewableAuth
from integration.clients.masking import Masking
from integration.clients.poweroffice import wire
from integration.errors import (
    ConfigurationError,
    Conflict,
    Evidence,
    KeyRejected,
    NotFound,
    PrivilegeMissing,
    Refused,
    RemoteError,
    SubscriptionKeyRejected,
    Throttled,
)

SUBSCRIPTION_HEADER = "Ocp-Apim-Subscription-Key"
RENEWAL_PATIENCE = 10.0
"""Seconds to wait for another worker's renewal."""


class TokenStore(Protocol):
    """Where the token of one client key lies, for all workers."""

    def read(self) -> str:
        """A token that is good for a while yet, or ""."""

    def claim_renewal(self) -> bool:
        """True for the one worker who is to renew now; the claim runs out by itself if that worker dies."""

    def save(self, token: str, expires_in: int) -> None:
        """Keep the new token for `expires_in` seconds and give the claim back."""

    def give_up(self) -> None:
        """Give the claim back without a token."""

    def drop(self, token: str) -> None:
        """Forget this token, and only this one: somebody may have renewed it already."""


class KeyPair(AuthBase):
    """The token call's keys: application key and client key, and the subscription key."""

    def __init__(self, *, application_key: str, client_key: str, subscription_key: str) -> None:
        pair = f"{application_key}:{client_key}".encode()
        self._authorization = f"Basic {base64.b64encode(pair).decode()}"
        self._subscription_key = subscription_key

    def __repr__(self) -> str:
        return "KeyPair(••••)"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._authorization
        request.headers[SUBSCRIPTION_HEADER] = self._subscription_key
        return request


class TokenAuth(RenewableAuth):
    """Puts the shared token and the subscription key on every call; asks for a token when there is none."""

    def __init__(
        self,
        *,
        store: TokenStore,
        token_http: HttpClient,
        subscription_key: str,
        masking: Masking,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._token_http = token_http
        self._subscription_key = subscription_key
        self._masking = masking
        self._sleep = sleep

    def __repr__(self) -> str:
        return "TokenAuth(••••)"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._token()
        self._masking.add(token)
        request.headers["Authorization"] = f"Bearer {token}"
        request.headers[SUBSCRIPTION_HEADER] = self._subscription_key
        return request

    def refused(self, answer: Answer, request: requests.PreparedRequest) -> bool:
        if isinstance(refusal(answer), SubscriptionKeyRejected):
            return False
        self._store.drop(str(request.headers["Authorization"]).removeprefix("Bearer "))
        return True

    def _token(self) -> str:
        """The shared token. One worker asks for a new one, the others wait for it."""
        waited = 0.0
        while True:
            token = self._store.read()
            if token:
                return token
            if self._store.claim_renewal():
                return self._renew()
            if waited >= RENEWAL_PATIENCE:
                raise Throttled(
                    "Another worker is just getting a new access token from PowerOffice Go, and it takes long. "
                    "Nothing was sent; it is tried again by itself.",
                    retry_after=5.0,
                )
            self._sleep(0.1)
            waited += 0.1

    def _renew(self) -> str:
        try:
            token, expires_in = self._token_http.ask_once(
                "POST",
                "",
                wire.one(_token),
                what="Getting an access token",
                body=Body(
                    content=b"grant_type=client_credentials",
                    content_type="application/x-www-form-urlencoded; charset=utf-8",
                    shown="grant_type=client_credentials",
                ),
            )
        except BaseException:
            self._store.give_up()
            raise
        self._store.save(token, expires_in)
        return token


def _token(row: wire.Row) -> tuple[str, int]:
    token, expires_in = str(row["access_token"]), wire.sure_number(row.get("expires_in"))
    if not token.isascii() or not token.isprintable() or not token or expires_in <= 0:
        raise ValueError("it holds no usable access token")
    return token, expires_in


def refusal(answer: Answer) -> RemoteError:
    """An answer of Go that is a plain no. `title` tells the application from the gateway (reference §4.3)."""
    words = wire.words(answer.content)
    evidence = replace(answer.evidence, title=words.title[:300], detail=(words.detail or words.message)[:2000])
    what, says = answer.what, str(words)
    if answer.status == 401:
        if "subscription key" in words.message.lower():
            return SubscriptionKeyRejected(
                f"{what}: PowerOffice Go does not accept this installation's subscription key. "
                "Whoever runs it must correct GO_SUBSCRIPTION_KEY.",
                evidence,
            )
        return _key_rejected(what, evidence)
    if answer.status == 403 or (answer.status == 400 and words.title.strip().lower() == "missing privilege"):
        return PrivilegeMissing(
            f"{what}: PowerOffice Go says that the integration lacks the right to do this"
            + (f" ({says}). " if says else ". ")
            + "Test the connection of the Go company: it lists the missing privileges. PowerOffice grants privileges, "
            "and the company must subscribe to the module they belong to.",
            evidence,
        )
    if answer.status == 404:
        if not words.from_application:
            return ConfigurationError(
                f"{what}: there is no such address at PowerOffice Go. "
                "Whoever runs this installation must check GO_API_URL; if it is right, this is a fault in Fakturabro.",
                evidence,
            )
        return NotFound(f"{what}: PowerOffice Go does not find what was named: {says}.", evidence)
    if answer.status == 409:
        return Conflict(
            f"{what}: PowerOffice Go cannot do it in the present state: {says or 'no reason given'}.", evidence
        )
    return Refused(f"{what}: PowerOffice Go refuses: {says or f'error {answer.status}'}.", evidence)


def token_refusal(answer: Answer) -> RemoteError:
    """A no from the token endpoint (RFC 6749): wrong keys, or our own fault."""
    words = wire.words(answer.content)
    error = refusal(answer)
    if isinstance(error, SubscriptionKeyRejected):
        return error
    evidence = replace(error.evidence, title=words.error or error.evidence.title, detail=str(words))
    if answer.status in {401, 403} or words.error in {"invalid_client", "invalid_grant", "unauthorized_client"}:
        return _key_rejected(answer.what, evidence)
    return ConfigurationError(
        f"{answer.what}: PowerOffice Go refuses ({str(words) or f'error {answer.status}'}). "
        "Whoever runs this installation must check GO_TOKEN_URL and GO_APPLICATION_KEY.",
        evidence,
    )


def _key_rejected(what: str, evidence: Evidence) -> KeyRejected:
    return KeyRejected(
        f"{what}: PowerOffice Go does not accept the company's client key. "
        "Somebody may have removed the extension there. "
        "Make a new key in Go under Settings, Extensions, and enter it on the Go company.",
        evidence,
    )
