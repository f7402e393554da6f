"""The embedded broker: Celery messages as files in one folder, for a machine with no Redis.

Kombu's own filesystem transport writes into a file that readers can already see: a worker that takes the empty file
dies (celery/kombu#1551), and its table of exchanges has the same hole. Here a message becomes visible by a rename,
complete or not at all, and belongs to the reader who manages to delete it. Each process binds the one queue by itself,
so no table is kept on disk. A worker killed between taking a message and acting on it loses the message: the broker is
a doorbell only.
"""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar, Final

from kombu.transport import virtual
from kombu.utils.json import dumps, loads

POLLING_SECONDS: Final = 0.1
"""How long an idle worker waits before it looks into the folder again."""


class Channel(virtual.Channel):
    """One folder per queue, one file per message. The file name begins with the time, so the oldest comes first."""

    def _queue_folder(self, queue: str) -> Path:
        client: Any = self.connection.client
        folder = Path(client.transport_options["folder"]) / queue
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _messages(self, queue: str) -> Iterator[Path]:
        yield from sorted(self._queue_folder(queue).glob("*.json"))

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        """Publish. The part file is never looked at; the rename is atomic."""
        name = f"{time.time_ns():020d}-{uuid.uuid4()}"
        folder = self._queue_folder(queue)
        part = folder / f"{name}.part"
        part.write_text(dumps(message), encoding="utf-8")
        part.rename(folder / f"{name}.json")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Take the oldest message. Of several readers, the one whose delete succeeds owns it. Raises `Empty`."""
        for path in self._messages(queue):
            try:
                text = path.read_text(encoding="utf-8")
                path.unlink()
            except FileNotFoundError:  # somebody else was faster
                continue
            return loads(text)
        raise Empty

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._messages(queue))

    def _purge(self, queue: str) -> int:
        """Throw all waiting messages away. How many there were."""
        waiting = list(self._messages(queue))
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)


class Transport(virtual.Transport):
    """Used when `BROKER_URL` is `filesystem://`; the option `folder` says where."""

    Channel = Channel
    implements = virtual.Transport.implements.extend(exchange_type=frozenset({"direct"}))
    polling_interval = POLLING_SECONDS
    driver_type = driver_name = "filesystem"
    default_connection_params: ClassVar[dict[str, Any]] = {}  # a folder has neither host nor port

    _bindings = virtual.BrokerState()

    def __init__(self, client: Any, **kwargs: Any) -> None:
        """Every connection of a process shares what the process has bound."""
        super().__init__(client, **kwargs)
        self.state = self._bindings
