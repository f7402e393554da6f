"""The embedded broker, used as Celery uses it: through kombu's connections and queues."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from threading import Event
from typing import Any

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

QUEUE = "bell"


def connection(folder: Path) -> Connection:
    return Connection("filesystem://", transport="config.broker:Transport", transport_options={"folder": str(folder)})


def send(folder: Path, sender: int, count: int) -> None:
    with connection(folder) as link, link.SimpleQueue(QUEUE) as queue:
        for number in range(count):
            queue.put([sender, number])


def take_all(folder: Path, last_call: Event | None = None) -> list[list[int]]:
    """Takes messages until the folder is empty after the last sender has finished."""
    taken: list[list[int]] = []
    with connection(folder) as link, link.SimpleQueue(QUEUE) as queue:
        while True:
            nothing_more_comes = last_call is None or last_call.is_set()
            try:
                message = queue.get(block=False)
            except Empty:
                if nothing_more_comes:
                    return taken
            else:
                message.ack()
                taken.append(message.payload)


def test_messages_of_many_senders_arrive_once(tmp_path):
    senders, count, takers = 4, 150, 3
    last_call = Event()
    with ThreadPoolExecutor(senders + takers) as pool:
        sending = [pool.submit(send, tmp_path, sender, count) for sender in range(senders)]
        taking = [pool.submit(take_all, tmp_path, last_call) for _ in range(takers)]
        try:
            for done in sending:
                done.result()
        finally:
            last_call.set()
        taken = [message for done in taking for message in done.result()]

    assert sorted(taken) == [[sender, number] for sender in range(senders) for number in range(count)]
    assert list((tmp_path / QUEUE).iterdir()) == []


def test_messages_arrive_in_the_order_they_were_sent(tmp_path):
    send(tmp_path, 1, 20)

    assert take_all(tmp_path) == [[1, number] for number in range(20)]


def test_message_half_written_is_not_seen(tmp_path, monkeypatch):
    def power_cut(*_):
        raise OSError("power cut")

    send(tmp_path, 1, 1)
    with monkeypatch.context() as just_before_it_is_published:
        just_before_it_is_published.setattr(Path, "rename", power_cut)  # nothing real stops a process at this line
        with pytest.raises(OSError, match="power cut"):
            send(tmp_path, 2, 1)

    assert take_all(tmp_path) == [[1, 0]]


def test_message_on_disk_is_json(tmp_path):
    send(tmp_path, 1, 1)

    (path,) = (tmp_path / QUEUE).glob("*.json")
    assert json.loads(path.read_text(encoding="utf-8"))["content-type"] == "application/json"


def test_message_not_acknowledged_returns_when_the_worker_stops(tmp_path):
    send(tmp_path, 1, 1)
    with connection(tmp_path) as link:
        channel: Any = link.channel()
        queue = SimpleQueue(channel, QUEUE)
        assert queue.get(block=False).payload == [1, 0]
        assert len(queue) == 0
        channel.close()

    assert take_all(tmp_path) == [[1, 0]]


def test_purge_throws_away_what_waits(tmp_path):
    send(tmp_path, 1, 3)
    with connection(tmp_path) as link, link.SimpleQueue(QUEUE) as queue:
        assert len(queue) == 3
        assert queue.clear() == 3
        with pytest.raises(Empty):
            queue.get(block=False)
