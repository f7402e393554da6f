"""What Celery is told, on both brokers."""

import os
import runpy
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
from uuid import uuid4

import pytest
from celery import Celery
from django.db import transaction
from kombu.simple import SimpleQueue

from config.celery import Nudge, app

SETTINGS = Path(__file__).resolve().parents[2] / "config" / "settings.py"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("filesystem://", ("config.broker.Transport", {"folder": "/somewhere"}, False, "solo")),
        ("redis://localhost:6379/5", ("kombu.transport.redis.Transport", {}, True, "prefork")),
    ],
)
def test_broker_follows_the_url(url, told):
    with patch.dict(os.environ, {"BROKER_URL": url, "BROKER_DIR": "/somewhere"}):
        settings = runpy.run_path(str(SETTINGS))
    other = Celery("other", set_as_current=False)
    other.config_from_object(SimpleNamespace(**settings), namespace="CELERY")
    transport = type(other.connection_for_write().transport)

    assert (
        f"{transport.__module__}.{transport.__name__}",
        other.conf.broker_transport_options,
        other.conf.worker_enable_remote_control,
        other.conf.worker_pool,
    ) == told


def test_message_goes_through_the_broker_of_this_run(tmp_path):
    """`.ci/run` runs this on Redis too."""
    with app.connection_for_write(transport_options={"folder": str(tmp_path)}) as link:
        queue = SimpleQueue(link.channel(), f"test-{uuid4()}")
        queue.put({"company_id": 7})
        message = queue.get(timeout=10)
        message.ack()
        queue.queue.delete()

    assert message.payload == {"company_id": 7}
    assert message.content_type == "application/json"


def test_settings_that_the_measurements_depend_on():
    told = {
        name: app.conf[name]
        for name in (
            "accept_content",
            "task_serializer",
            "task_ignore_result",
            "task_acks_late",
            "worker_prefetch_multiplier",
            "broker_connection_retry_on_startup",
            "timezone",
            "enable_utc",
            "beat_scheduler",
        )
    }

    assert told == {
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "broker_connection_retry_on_startup": True,
        "timezone": "Europe/Oslo",
        "enable_utc": True,
        "beat_scheduler": "django_celery_beat.schedulers:DatabaseScheduler",
    }


@pytest.fixture
def ring(tmp_path):
    """A task whose message cannot be delivered: where the folder should be, there is a file."""
    (tmp_path / "broker").write_text("")
    broken = Celery("broken", task_cls=Nudge, broker="filesystem://", set_as_current=False)
    broken.conf.broker_transport_options = {"folder": str(tmp_path / "broker")}

    @broken.task(name="ring")
    def ring():
        return None

    return ring


@pytest.mark.django_db
def test_broken_bell_does_not_undo_what_was_saved(ring, django_capture_on_commit_callbacks, caplog):
    with pytest.raises(NotADirectoryError):
        ring.delay()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        ring.delay_on_commit()

    assert [record.exc_info[0] for record in caplog.records] == [NotADirectoryError]
