"""The first schedule: two rows that beat reads. From then on they belong to people (Sync > Schedule in the admin).

The list stands here and nowhere else, because a migration must do tomorrow what it does today.
"""

from django.db import migrations

SCHEDULE = [
    ("Whole cycle of every company", "integration.tasks.start_cycles", 15, "Push what waits, then pull what became of it."),
    ("Sweep", "integration.tasks.sweep", 1, "Pick up what was missed, and settle what a stopped worker left open."),
]
"""Name, task, minutes between two starts, description."""


def install(apps, schema_editor):
    """Add the rows that are not there; leave a row of that name as somebody made it."""
    database = schema_editor.connection.alias
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects.using(database)
    periodic_tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database)
    for name, task, minutes, description in SCHEDULE:
        # The interval table has no unique constraint: take the first of equal rows.
        interval = intervals.filter(every=minutes, period="minutes").first() or intervals.create(
            every=minutes, period="minutes"
        )
        periodic_tasks.get_or_create(
            name=name,
            defaults={
                "task": task,
                "interval": interval,
                "description": description,
                # A bell that nobody heard before the next one rings is of no use.
                "expire_seconds": minutes * 60,
            },
        )


def remove(apps, schema_editor):
    """Take the rows out again, whatever was changed in them. Intervals stay: other rows may use them."""
    database = schema_editor.connection.alias
    periodic_tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database)
    periodic_tasks.filter(name__in=[name for name, *_ in SCHEDULE]).delete()


class Migration(migrations.Migration):

    dependencies = [
        ("integration", "0002_roles"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(install, remove)]
