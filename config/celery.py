"""The background: one Celery application, set up by `CELERY_*` in `config/settings.py`.

A message is a doorbell and never the record: what is to be done stands in the tables, and the sweep, every 15 seconds,
finds whatever no bell was heard for.
"""

import os
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.signals import worker_ready
from django.db import transaction
from kombu.transport import TRANSPORT_ALIASES


class Nudge(DjangoTask):  # type: ignore[type-arg] # it is generic for type checkers only
    """A task whose bell may be broken: a broker that is away never undoes or fails what was just saved."""

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # the stub promises a result
        """Ring after the transaction. A failure is logged with its trace, and left to the sweep."""

        def ring() -> None:  # not a partial: Django wants the name of what failed
            self.delay(*args, **kwargs)

        transaction.on_commit(ring, robust=True)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"

app = Celery("fakturabro", task_cls=Nudge)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["accounts", "integration"])


@worker_ready.connect
def look_what_was_left(**_: Any) -> None:
    """A worker that starts may follow one that was killed: what that one left behind need not wait for the schedule."""
    app.send_task("integration.tasks.sweep")
