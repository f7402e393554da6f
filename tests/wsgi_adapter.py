"""Calls a WSGI application in process, mounted on a `requests.Session` as if it were a host: no port, no thread."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.util import Timeout


class WSGIAdapter(BaseAdapter):
    """`session.mount("http://sandbox.test", WSGIAdapter(application))`.

    An exception named `ConnectionDropped` from the application becomes `requests.ConnectionError`. A slow answer does
    not sleep: when its seconds exceed the read timeout of the request, `requests.ReadTimeout` is raised instead.
    """

    def __init__(self, application: Any) -> None:
        super().__init__()
        self.application = application
        self.requests: list[requests.PreparedRequest] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        self.requests.append(request)
        slept: list[float] = []
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started.update(status=status, headers=headers)

        environ = {**environ_of(request), "sandbox.sleep": slept.append}
        try:
            chunks: Iterable[bytes] = self.application(environ, start_response)
            body = b"".join(chunks)
        except Exception as error:
            if type(error).__name__ == "ConnectionDropped":
                raise requests.ConnectionError("Connection reset by peer", request=request) from error
            raise
        if isinstance(timeout, Timeout):
            timeout = timeout.read_timeout
        read_timeout = timeout[1] if isinstance(timeout, tuple) else timeout
        if read_timeout is not None and sum(slept) > read_timeout:
            raise requests.ReadTimeout(f"Read timed out. (read timeout={read_timeout})", request=request)
        return response_of(request, started, body)

    def close(self) -> None:
        """Nothing is held open."""


def environ_of(request: requests.PreparedRequest) -> dict[str, Any]:
    """The WSGI environment of a prepared request."""
    url = urlsplit(str(request.url))
    body = request.body or b""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path).encode().decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": BytesIO(raw),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": url.netloc,
        "CONTENT_LENGTH": str(len(raw)),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value if isinstance(value, str) else value.decode("latin-1")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = text
    return environ


def response_of(request: requests.PreparedRequest, started: dict[str, Any], body: bytes) -> requests.Response:
    """The answer as `requests` gives it."""
    code, _, reason = started["status"].partition(" ")
    response = requests.Response()
    response.status_code = int(code)
    response.reason = reason
    response.headers = CaseInsensitiveDict(started["headers"])
    response.raw = BytesIO(body)
    response._content = body
    response.url = str(request.url)
    response.request = request
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    return response
