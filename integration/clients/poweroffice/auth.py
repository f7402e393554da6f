"""Keys and tokens of PowerOffice Go (reference §2)."""

import base64
import time
from collections.abc import Callable
from typing import Protocol

import requests
from requests.auth import AuthBase

from integration.clients.http import Answer, Body, HttpClient, RenewableAuth
from integration.clients.masking import Masking
from integration.clients.poweroffice import wire
from integration.clients.poweroffice.refusals import refusal
from integration.clients.poweroffice.values import Row, sure_number
from integration.errors import (
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


def _token(row: Row) -> tuple[str, int]:
    token, expires_in = str(row["access_token"]), sure_number(row.get("expires_in"))
    if not token.isascii() or not token.isprintable() or not token or expires_in <= 0:
        raise ValueError("it holds no usable access token")
    return token, expires_in
