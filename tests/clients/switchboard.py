"""The other end of the line, by hand: a real socket that answers as a broken server would."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable

Act = Callable[[socket.socket], None]


def listen(line: socket.socket) -> None:
    """Take in one whole request."""
    taken = b""
    while b"\r\n\r\n" not in taken:
        part = line.recv(65536)
        if not part:
            return
        taken += part
    head, _, rest = taken.partition(b"\r\n\r\n")
    lengths = [
        int(field.split(b":")[1]) for field in head.split(b"\r\n") if field.lower().startswith(b"content-length")
    ]
    while lengths and len(rest) < lengths[0]:
        rest += line.recv(65536)


def says(*parts: bytes) -> Act:
    """Takes a request, says this, and hangs up."""

    def act(line: socket.socket) -> None:
        listen(line)
        for part in parts:
            line.sendall(part)

    return act


def then(*acts: Act) -> Act:
    """One after the other, on the same connection."""

    def act(line: socket.socket) -> None:
        for each in acts:
            each(line)

    return act


def trickles(at_once: bytes, slowly: bytes) -> Act:
    """Takes a request, says the first part, and of the second a byte twenty times a second, until nobody listens."""

    def act(line: socket.socket) -> None:
        listen(line)
        line.sendall(at_once)
        for place in range(len(slowly)):
            hung_up, _, _ = select.select([line], [], [], 0.05)
            if hung_up:
                return
            line.sendall(slowly[place : place + 1])

    return act


def silent(line: socket.socket) -> None:
    """Takes what comes and says nothing until the other side gives up."""
    while line.recv(65536):
        pass


def hangs_up(line: socket.socket) -> None:
    listen(line)


def resets(line: socket.socket) -> None:
    """Takes the request and breaks the connection."""
    listen(line)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def gone_at_once(line: socket.socket) -> None:
    """Hangs up before anything was said."""


class Switchboard:
    """A listening socket; each act serves one connection, the last one all that follow."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.connections = 0
        self.hung_up = threading.Semaphore(0)
        """Released each time that a connection is closed on this side."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            act = self.acts[min(self.connections, len(self.acts) - 1)]
            self.connections += 1
            with line, contextlib.suppress(OSError):
                act(line)
            self.hung_up.release()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
