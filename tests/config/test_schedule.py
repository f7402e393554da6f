"""The rows that beat reads, as the migration leaves them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

migration = import_module("integration.migrations.0004_schedule")

NIGHTLY = ("Subscriptions roll forward", "integration.tasks.roll_subscriptions", None, None, 43_200, True)
INSTALLED = [
    NIGHTLY,
    ("Sweep", "integration.tasks.sweep", 15, "seconds", 15, True),
    ("Whole cycle of every company", "integration.tasks.start_cycles", 15, "minutes", 900, True),
]

pytestmark = pytest.mark.django_db


def rows() -> list[tuple[object, ...]]:
    return list(
        PeriodicTask.objects.order_by("name").values_list(
            "name", "task", "interval__every", "interval__period", "expire_seconds", "enabled"
        )
    )


def test_schedule_is_installed():
    assert rows() == INSTALLED


def test_schedule_installed_twice_is_the_same():
    migration.install(apps, connection.schema_editor())

    assert rows() == INSTALLED
    assert IntervalSchedule.objects.count() == 2


def test_schedule_keeps_what_a_person_changed():
    sweep = PeriodicTask.objects.get(name="Sweep")
    sweep.interval = IntervalSchedule.objects.create(every=5, period="minutes")
    sweep.enabled = False
    sweep.save()

    migration.install(apps, connection.schema_editor())

    assert rows() == [NIGHTLY, ("Sweep", "integration.tasks.sweep", 5, "minutes", 15, False), INSTALLED[2]]


def test_schedule_removed_leaves_the_rows_of_others():
    interval = IntervalSchedule.objects.get(every=15, period="minutes")
    PeriodicTask.objects.create(name="Ours", task="integration.tasks.sweep", interval=interval)

    migration.remove(apps, connection.schema_editor())

    assert rows() == [("Ours", "integration.tasks.sweep", 15, "minutes", None, True)]


def test_subscriptions_roll_forward_at_night_unless_a_person_says_otherwise():
    row = PeriodicTask.objects.get(name=NIGHTLY[0])
    at = row.crontab
    assert (at.minute, at.hour, str(at.timezone), row.enabled) == ("30", "2", "Europe/Oslo", True)

    PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)
    migration.install(apps, connection.schema_editor())
    assert [each for each in rows() if each[0] == NIGHTLY[0]] == [(*NIGHTLY[:-1], False)]
