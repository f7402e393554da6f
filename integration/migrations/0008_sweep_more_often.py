"""The sweep comes four times a minute: lease and sweep together bring a stopped worker's statement back in a minute.

A schedule that somebody changed stays as it is.
"""

from django.db import migrations

SWEEP = "integration.tasks.sweep"


def change(schema_editor, apps, *, old, new):
    """From every and period to every and period, with the expiry of the old ones only."""
    database = schema_editor.connection.alias
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(database)
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database)
    (old_every, old_period, old_seconds), (every, period, seconds) = old, new
    untouched = tasks.filter(
        name="Sweep",
        task=SWEEP,
        interval__every=old_every,
        interval__period=old_period,
        expire_seconds=old_seconds,
    )
    if untouched.exists():
        interval = intervals.filter(every=every, period=period).first() or intervals.create(every=every, period=period)
        untouched.update(interval=interval, expire_seconds=seconds)


MINUTE, QUARTER = (1, "minutes", 60), (15, "seconds", 15)


def forwards(apps, schema_editor):
    """Every minute becomes every 15 seconds."""
    change(schema_editor, apps, old=MINUTE, new=QUARTER)


def backwards(apps, schema_editor):
    """And back."""
    change(schema_editor, apps, old=QUARTER, new=MINUTE)


class Migration(migrations.Migration):

    dependencies = [("integration", "0007_sweep_starts_runs")]

    operations = [migrations.RunPython(forwards, backwards)]
