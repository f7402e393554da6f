"""Loaded by the workers and beats of a rehearsal: one message in ten is delivered twice."""

import random
from typing import Any, Final

from celery import current_app
from celery.signals import after_task_publish
from django.conf import settings

SHARE: Final = 0.1
AGAIN: Final = "delivered_again"


@after_task_publish.connect
def deliver_twice(sender: str, headers: dict[str, Any], body: tuple[Any, ...], **_: Any) -> None:
    """The same task with the same id once more. Each message leaves a mark, 1 or 2, for the result."""
    if headers.get(AGAIN):
        return
    again = random.random() < SHARE  # noqa: S311 - a game of dice, nothing secret
    with settings.BROKER_DIR.with_name("messages").open("a") as told:
        told.write("2" if again else "1")
    if again:
        args, kwargs, _embed = body
        current_app.send_task(sender, args, kwargs, task_id=headers["id"], headers={AGAIN: True})
