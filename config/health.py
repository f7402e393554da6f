"""For those who watch from outside: whether the process lives, and whether it could work now.

Neither asks for a log-in, names a machine or says why something fails: the log does.
"""

import logging
from collections.abc import Callable
from typing import Final

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app

logger = logging.getLogger(__name__)

BROKER_SECONDS: Final = 2
"""So long the broker may take to answer."""


def database() -> bool:
    """Whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def migrations() -> bool:
    """Whether the tables are those that this version works with."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def broker() -> bool:
    """Whether a message could be left with the broker."""
    with app.connection_for_write(connect_timeout=BROKER_SECONDS) as line:
        line.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
        return bool(line.default_channel)  # opening one asks the broker


NEEDED: Final[dict[str, Callable[[], bool]]] = {"database": database, "broker": broker, "migrations": migrations}


@never_cache
@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all."""
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """200 and `{"database": true, "broker": true, "migrations": true}`, or 503 with what is not."""
    found = {}
    for name, works in NEEDED.items():
        try:
            found[name] = works()
        except Exception:  # whatever a driver raises: the watcher is told, and the log has it whole
            logger.warning("Not ready: %s", name, exc_info=True)
            found[name] = False
    return JsonResponse(found, status=200 if all(found.values()) else 503)


urlpatterns = [path("healthz", alive, name="healthz"), path("readyz", ready, name="readyz")]
