"""What Celery is told, on both brokers."""

import json
import os
import subprocess
import sys

import pytest
from celery import Celery
from django.db import transaction

from config.celery import Nudge, app

TELL = """
import json
from config.celery import app
link = app.connection_for_write()
print(json.dumps({
    "transport": f"{type(link.transport).__module__}.{type(link.transport).__name__}",
    "options": app.conf.broker_transport_options,
    "remote_control": app.conf.worker_enable_remote_control,
}))
"""


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "filesystem://",
            {"transport": "config.broker.Transport", "options": {"folder": "/somewhere"}, "remote_control": False},
        ),
        (
            "redis://localhost:6379/5",
            {"transport": "kombu.transport.redis.Transport", "options": {}, "remote_control": True},
        ),
    ],
)
def test_broker_follows_the_url(url, told):
    answer = subprocess.run(
        [sys.executable, "-c", TELL],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "BROKER_URL": url,
            "BROKER_DIR": "/somewhere",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(answer.stdout) == told


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
