"""Carries requests, and waits for an answer only so long: a claim is held for longer than any call can take.

By itself urllib3 counts a read time-out anew with each byte: an answer that trickles in would keep its call waiting for
hours, while others take the claim for that of a dead worker.
"""

import socket
from collections.abc import Mapping
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from types import MappingProxyType
from typing import Any, Final, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


class LineInTime(RawIOBase):
    """What comes in on a line, within the line's time-out altogether. Raises TimeoutError."""

    def __init__(self, line: socket.socket, incoming: RawIOBase) -> None:
        super().__init__()
        self._line = line
        self._incoming = incoming
        self._until = monotonic() + cast("float", line.gettimeout())

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("The answer came too slowly to wait for its end.")
        self._line.settimeout(left)
        return cast("int | None", self._incoming.readinto(room))

    def close(self) -> None:
        self._incoming.close()
        super().close()


class AnswerInTime(HTTPResponse):
    """An answer of which everything, from its first line on, comes within the time-out of its line."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(LineInTime(sock, self.fp.detach()))


class Line(HTTPConnection):
    response_class = AnswerInTime


class SafeLine(HTTPSConnection):
    response_class = AnswerInTime


LINES: Final[Mapping[str, type[HTTPConnection]]] = MappingProxyType({"http": Line, "https": SafeLine})


class Transport(HTTPAdapter):
    """Never sends twice: urllib3 would repeat a write by itself."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_maxsize=8)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = LINES[pool.scheme]
        return pool
