"""The first schedule: the rows that beat reads. From then on they belong to people (Sync > Schedule in the admin).

The list stands here and nowhere else, because a migration must do tomorrow what it does today.
"""

from django.db import migrations

EVERY = [
    (
        ("Whole cycle of every company", "integration.tasks.start_cycles"),
        {"every": 15, "period": "minutes"},
        "Push what waits, then pull what became of it.",
        15 * 60,
    ),
    (
        # Lease and sweep together bring a stopped worker's statement back in a minute.
        ("Sweep", "integration.tasks.sweep"),
        {"every": 15, "period": "seconds"},
        "Pick up what was missed, and settle what a stopped worker left open.",
        15,
    ),
]
"""Name and task, time between two starts, description, seconds until it expires: a bell that nobody heard before the
next one rings is of no use."""

NIGHTLY = [
    (
        ("Subscriptions roll forward", "integration.tasks.roll_subscriptions"),
        {"minute": "30", "hour": "2", "timezone": "Europe/Oslo"},
        "Make the upcoming statements of subscriptions, and bring those that are there up to date.",
        12 * 60 * 60,
    ),
]
"""The same, with the time of day."""


def install(apps, schema_editor):
    """Add the rows that are not there; leave a row of that name as somebody made it."""
    database = schema_editor.connection.alias
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database)
    for model, field, rows in (("IntervalSchedule", "interval", EVERY), ("CrontabSchedule", "crontab", NIGHTLY)):
        times = apps.get_model("django_celery_beat", model).objects.using(database)
        for (name, task), time, description, seconds in rows:
            defaults = {"task": task, "description": description, "expire_seconds": seconds}
            # The tables of times have no unique constraint: take the first of equal rows.
            defaults[field] = times.filter(**time).first() or times.create(**time)
            tasks.get_or_create(name=name, defaults=defaults)


def remove(apps, schema_editor):
    """Take the rows out again, whatever was changed in them. Times stay: other rows may use them."""
    database = schema_editor.connection.alias
    names = [name for (name, _), *_ in EVERY + NIGHTLY]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database).filter(name__in=names).delete()


class Migration(migrations.Migration):
    replaces = [
        ("integration", "0003_schedule"),
        ("integration", "0008_sweep_more_often"),
        ("integration", "0016_roll_subscriptions_nightly"),
    ]
    dependencies = [
        ("integration", "0003_roles"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(install, remove)]
