"""What every telephone shares: one session per remote and process, the pace, time-outs, what a failed call means.

What next, by the moment of failure:

    before the request left us     connection refused, no address, connect time-out, TLS hand-shake   TemporaryError
    after a write left us          time-out, reset, dropped, 5xx, an answer that cannot be read       InDoubt
    after a read left us           the same                                                           Unavailable
    any other answer               the remote's own words, through `refusal`

Reads are tried three times; a write is sent once.
"""

import random
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.exceptions import (
    ConnectTimeout,
    InvalidHeader,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    ProxyError,
    ReadTimeout,
    RequestException,
)
from requests.structures import CaseInsensitiveDict
from requests.utils import check_header_validity
from urllib3.exceptions import ClosedPoolError, ConnectTimeoutError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import ProxyError as PoolProxyError
from urllib3.util import Timeout

from integration.clients.masking import Masking
from integration.errors import ConfigurationError, Evidence, InDoubt, RemoteError, Throttled, Unavailable

USER_AGENT = "Fakturabro/0.1"
URL_ROOM = 1900
"""Characters. Longer addresses are answered by a misleading 404 (reference §4.3), so lists are asked for in parts."""

IDLE_SECONDS = 1.5
"""A kept connection that rested longer is not used again. Servers hang up on resting connections without a word, and a
write into such a line would be in doubt for nothing; gunicorn hangs up after 2 s, gateways after a minute or more."""

READ_TRIES = 3
REQUEST_ID_HEADERS = ("apim-request-id", "x-request-id", "x-ms-request-id", "request-id")
MAX_PAUSE_SECONDS = 300.0

Json = dict[str, object]
Params = Mapping[str, str]
T = TypeVar("T")


class Pace(Protocol):
    """When the next request may leave. Shared by all who use the same subscription key."""

    def wait(self) -> None:
        """Return when it is our turn. Raise `Throttled` instead of a long wait; nothing was sent then."""

    def pause(self, seconds: float) -> None:
        """The remote said "too many": nobody sends for so long."""


class RenewableAuth(AuthBase, ABC):
    """Puts the keys on a request, and gets a new token when the old one is refused."""

    @abstractmethod
    def refused(self, answer: "Answer", request: requests.PreparedRequest) -> bool:
        """A 401 came back for this request. True: another try with a new token makes sense."""


@dataclass(frozen=True)
class Answer:
    """What came back, read to the end."""

    status: int
    headers: CaseInsensitiveDict[str]
    content: bytes
    what: str
    is_write: bool
    evidence: Evidence = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Body:
    """What is sent: bytes as they go on the wire, and how they are shown in the log book."""

    content: bytes
    content_type: str
    shown: str


class SharedSession(requests.Session):
    """The one session of a process and a remote: keeps connections, never cookies, follows no redirects."""

    def __init__(self, adapter: BaseAdapter, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.headers["User-Agent"] = USER_AGENT
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # no company's cookie on another's request
        self.refused: set[str] = set()
        """What the remote turned out not to offer, so that it is not asked again as long as this process lives."""
        self._options: dict[tuple[str, str], dict[str, Any]] = {}
        self._clock = clock
        self._rested_since = clock()

    def exchange(
        self, request: requests.PreparedRequest, *, connect_timeout: float, read_timeout: float
    ) -> tuple[requests.Response, bytes]:
        """Send and read to the end, all of it within the two time-outs together. Raises what requests raises."""
        timeout: Any = Timeout(total=connect_timeout + read_timeout, connect=connect_timeout, read=read_timeout)
        if self._clock() - self._rested_since > IDLE_SECONDS:
            self.close()
        try:
            with self.send(request, timeout=timeout, allow_redirects=False, **self._options_for(request)) as response:
                return response, b"".join(response.iter_content(65536))
        except RequestException:
            self.close()  # a line on which an answer was garbled may be hung up any moment: nothing is sent into it
            raise
        finally:
            self._rested_since = self._clock()

    def _options_for(self, request: requests.PreparedRequest) -> dict[str, Any]:
        """Proxies and certificates that the environment names for this host; asked once, since it does not change."""
        address = urlsplit(request.url or "")
        host = (address.scheme, address.netloc)
        if host not in self._options:
            self._options[host] = dict(self.merge_environment_settings(address.geturl(), {}, True, None, None))
        return self._options[host]


class HttpClient:
    """Sends typed calls to one remote for one caller. Made anew for each use; the session behind it is shared.

    `name` is what a bookkeeper calls the remote. `refusal` turns an answer other than 2xx, 429 and 5xx into an error.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        session: SharedSession,
        auth: AuthBase,
        pace: Pace,
        refusal: Callable[[Answer], RemoteError],
        masking: Masking,
        connect_timeout: float = 5.0,
        read_timeout: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.last_evidence = Evidence()
        self._session = session
        self._auth = auth
        self._pace = pace
        self._refusal = refusal
        self._masking = masking
        self._timeouts = {"connect_timeout": connect_timeout, "read_timeout": read_timeout}
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"HttpClient({self.name}, {self.base_url})"

    @property
    def refused(self) -> set[str]:
        """What the remote turned out not to offer, in words of the caller."""
        return self._session.refused

    def get(
        self,
        path: str,
        read: Callable[[Answer], T],
        *,
        what: str,
        params: Params | None = None,
        most_tries: int = READ_TRIES,
    ) -> T:
        """Read something; tried three times when the remote does not answer properly, or asks to slow down."""
        tries = 1
        while True:
            try:
                return self._once("GET", path, read, what=what, params=params)
            except (Unavailable, Throttled) as error:
                own_pace = isinstance(error, Throttled) and error.evidence.status is None
                if tries >= most_tries or own_pace:
                    raise
            self._sleep(tries * random.uniform(0.2, 0.5))  # noqa: S311 - spreads retries, guards nothing
            tries += 1

    def write(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        what: str,
        body: Body | None = None,
        before_send: Callable[[], None] | None = None,
    ) -> T:
        """Change something; sent once.

        `before_send` is called right before the request leaves and may raise to stop it: then nothing was sent.
        A 401 proves that nothing was done, so only that is answered by a second sending with a new token.
        """
        return self._once(method, path, read, what=what, body=body, before_send=before_send, is_write=True)

    def ask_once(self, method: str, path: str, read: Callable[[Answer], T], *, what: str, body: Body) -> T:
        """Send something that changes nothing (a token request), once."""
        return self._once(method, path, read, what=what, body=body)

    def url(self, path: str, params: Params | None = None) -> str:
        """The address of a path. Only relative paths are let through, so keys cannot wander to another host."""
        if path and (not path.startswith("/") or path.startswith("//") or "\\" in path):
            raise ValueError(f"Not a relative path: {path!r}")
        query = urlencode(dict(params or {}), quote_via=quote, safe=",:")
        return f"{self.base_url}{path}?{query}" if query else f"{self.base_url}{path}"

    def in_parts(self, path: str, params: Params, name: str, values: Sequence[str]) -> Iterator[Sequence[str]]:
        """Cut a filter's values so that each address stays short enough; the order is kept."""
        room = URL_ROOM - len(self.url(path, {**params, name: ""}))
        part: list[str] = []
        used = 0
        for value in values:
            length = len(quote(value, safe=",:")) + 1
            if part and used + length > room:
                yield part
                part, used = [], 0
            part.append(value)
            used += length
        if part:
            yield part

    def _once(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        what: str,
        params: Params | None = None,
        body: Body | None = None,
        before_send: Callable[[], None] | None = None,
        is_write: bool = False,
    ) -> T:
        call = _Call(
            what=what,
            is_write=is_write,
            evidence=Evidence(
                method=method,
                path=path,
                request_excerpt=self._masking.excerpt(
                    body.shown if body else urlencode(dict(params or {}), safe=",: ")
                ),
            ),
            before_send=before_send,
        )
        request = self._prepare(method, path, params, body)
        answer = self._exchange(call, request)
        if answer.status == 401 and isinstance(self._auth, RenewableAuth) and self._auth.refused(answer, request):
            answer = self._exchange(call, self._prepare(method, path, params, body))
        self.last_evidence = answer.evidence
        if not answer.ok:
            raise self._error(answer)
        try:
            return read(answer)
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            raise self._lost(answer, f"the answer cannot be read ({error})", answer.evidence) from error

    def _prepare(self, method: str, path: str, params: Params | None, body: Body | None) -> requests.PreparedRequest:
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = body.content_type
        url = self.url(path, params)
        try:
            request = self._session.prepare_request(
                requests.Request(method, url, data=body.content if body else None, headers=headers, auth=self._auth)
            )
            for name, value in request.headers.items():
                check_header_validity((name, value))  # a key with a line break in it fails here, not half sent
                str(value).encode("latin-1")
        except (InvalidHeader, InvalidURL, InvalidSchema, MissingSchema, UnicodeEncodeError) as error:
            raise self._unusable_address(error) from error
        return request

    def _exchange(self, call: "_Call", request: requests.PreparedRequest) -> Answer:
        self._pace.wait()
        if call.before_send:
            call.before_send()
        try:
            response, content = self._session.exchange(request, **self._timeouts)
        except (InvalidURL, InvalidSchema) as error:
            raise self._unusable_address(error) from error
        except RequestException as error:
            how = self._masking(_in_words(error))
            evidence = call.seen(
                answer_excerpt="No answer. " + self._masking.excerpt(f"{type(error).__name__}: {error}")
            )
            self.last_evidence = evidence
            if never_left(error):
                raise Unavailable(
                    f"{call.what}: {self.name} cannot be reached ({how}). Nothing was sent; it is tried again later.",
                    evidence,
                ) from error
            raise self._lost(call, how, evidence) from error
        return Answer(
            status=response.status_code,
            headers=response.headers,
            content=content,
            what=call.what,
            is_write=call.is_write,
            evidence=call.seen(
                status=response.status_code,
                request_id=next(
                    (response.headers[name] for name in REQUEST_ID_HEADERS if name in response.headers), ""
                ),
                answer_excerpt=self._masking.excerpt(shown(response.headers.get("Content-Type", ""), content)),
            ),
        )

    def _error(self, answer: Answer) -> RemoteError:
        if answer.status == 429:
            seconds = retry_after(answer.headers)
            self._pace.pause(seconds)
            return Throttled(
                f"{answer.what}: {self.name} asks us to slow down. Nothing was done; it is tried again by itself.",
                answer.evidence,
                retry_after=seconds,
            )
        if answer.status >= 500 or answer.status == 408:
            return self._lost(answer, f"it answered with error {answer.status}", answer.evidence)
        if answer.status < 400:
            if answer.is_write:
                return self._lost(answer, f"it answered with a redirect ({answer.status})", answer.evidence)
            return ConfigurationError(
                f"{answer.what}: the address of {self.name} answers with a redirect. "
                "Whoever runs this installation must correct the address in its settings.",
                answer.evidence,
            )
        return self._refusal(answer)

    def _lost(self, about: "Answer | _Call", how: str, evidence: Evidence) -> RemoteError:
        """The request left, and no usable answer came."""
        if about.is_write:
            return InDoubt(
                f"{about.what}: we do not know whether {self.name} did it, because {how}. "
                "It is looked up before anything is sent again.",
                evidence,
            )
        return Unavailable(
            f"{about.what}: {self.name} did not answer properly: {how}. It is tried again later.", evidence
        )

    def _unusable_address(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            f"The address or a key of {self.name} in the settings cannot be used ({type(error).__name__}). "
            "Whoever runs this installation must correct it."
        )


@dataclass(frozen=True)
class _Call:
    """A call under way."""

    what: str
    is_write: bool
    evidence: Evidence
    before_send: Callable[[], None] | None

    def seen(
        self, *, status: int | None = None, request_id: str = "", detail: str = "", answer_excerpt: str = ""
    ) -> Evidence:
        return Evidence(
            method=self.evidence.method,
            path=self.evidence.path,
            request_excerpt=self.evidence.request_excerpt,
            status=status,
            request_id=request_id[:100],
            detail=detail,
            answer_excerpt=answer_excerpt,
        )


def never_left(error: RequestException) -> bool:
    """Whether a failed request certainly failed before any of it was sent. When unsure: no."""
    if isinstance(error, (ConnectTimeout, ProxyError)):
        return True
    return any(
        isinstance(cause, (ConnectTimeoutError, NewConnectionError, PoolProxyError, ClosedPoolError))
        or any(frame.f_code.co_name == "do_handshake" for frame, _ in traceback.walk_tb(cause.__traceback__))
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What requests and urllib3 wrapped. Not `__context__`: that may be another call's failure."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [*current.args, getattr(current, "reason", None), current.__cause__]
        waiting.extend(cause for cause in inner if isinstance(cause, BaseException))


def _in_words(error: RequestException) -> str:
    """A failed connection, for people."""
    if any(isinstance(cause, ReadTimeoutError) for cause in _causes(error)):
        return "no answer in time"
    for kind, words in (
        (ConnectTimeout, "no connection in time"),
        (ReadTimeout, "no answer in time"),
        (requests.exceptions.SSLError, "no safe connection"),
        (ProxyError, "the proxy refuses"),
        (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
        (requests.exceptions.ContentDecodingError, "the answer is garbled"),
        (InvalidHeader, "the answer is garbled"),
    ):
        if isinstance(error, kind):
            return words
    return "no connection" if never_left(error) else "the connection broke"


def shown(content_type: str, content: bytes) -> str:
    """An answer as text for the log book; other things by their size."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content or kind.startswith("text/") or "json" in kind or "xml" in kind or not kind:
        return content[:65536].decode("utf-8", "replace")
    return f"[{len(content)} bytes, {kind}]"


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait after a 429: what the header says, else one second and a bit."""
    try:
        told = float(headers.get("Retry-After", ""))
    except ValueError:
        told = 0.0
    if not 0 < told < float("inf"):
        told = 1.0
    return min(told, MAX_PAUSE_SECONDS) + random.uniform(0.05, 0.25)  # noqa: S311 - spreads retries, guards nothing
