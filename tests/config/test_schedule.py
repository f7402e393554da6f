"""The rows that beat reads, as the migration leaves them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

migration = import_module("integration.migrations.0003_schedule")
oftener = import_module("integration.migrations.0008_sweep_more_often")

INSTALLED = [
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
    assert IntervalSchedule.objects.count() == 3


def test_schedule_keeps_what_a_person_changed():
    sweep = PeriodicTask.objects.get(name="Sweep")
    sweep.interval = IntervalSchedule.objects.create(every=5, period="minutes")
    sweep.enabled = False
    sweep.save()

    migration.install(apps, connection.schema_editor())

    assert rows() == [("Sweep", "integration.tasks.sweep", 5, "minutes", 15, False), INSTALLED[1]]


def test_schedule_removed_leaves_the_rows_of_others():
    interval = IntervalSchedule.objects.get(every=1)
    PeriodicTask.objects.create(name="Ours", task="integration.tasks.sweep", interval=interval)

    migration.remove(apps, connection.schema_editor())

    assert rows() == [("Ours", "integration.tasks.sweep", 1, "minutes", None, True)]


def test_sweep_comes_oftener_unless_a_person_changed_it():
    oftener.backwards(apps, connection.schema_editor())
    assert rows() == [("Sweep", "integration.tasks.sweep", 1, "minutes", 60, True), INSTALLED[1]]

    PeriodicTask.objects.filter(name="Sweep").update(expire_seconds=50)
    oftener.forwards(apps, connection.schema_editor())
    assert rows() == [("Sweep", "integration.tasks.sweep", 1, "minutes", 50, True), INSTALLED[1]]

    PeriodicTask.objects.filter(name="Sweep").update(expire_seconds=60)
    oftener.forwards(apps, connection.schema_editor())
    assert rows() == INSTALLED
