"""Subscriptions roll forward every night at half past two, Norwegian time. From then on the row belongs to people."""

from django.db import migrations

NAME = "Subscriptions roll forward"
TASK = "integration.tasks.roll_subscriptions"
AT = {"minute": "30", "hour": "2", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "Europe/Oslo"}


def install(apps, schema_editor):
    """Add the row if it is not there; leave one of that name as somebody made it."""
    database = schema_editor.connection.alias
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects.using(database)
    # The table has no unique constraint: take the first of equal rows.
    crontab = crontabs.filter(**AT).first() or crontabs.create(**AT)
    apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database).get_or_create(
        name=NAME,
        defaults={
            "task": TASK,
            "crontab": crontab,
            "description": "Make the upcoming statements of subscriptions, and bring those that are there up to date.",
            "expire_seconds": 12 * 60 * 60,
        },
    )


def remove(apps, schema_editor):
    """Take the row out again. The time stays: other rows may use it."""
    database = schema_editor.connection.alias
    apps.get_model("django_celery_beat", "PeriodicTask").objects.using(database).filter(name=NAME).delete()


class Migration(migrations.Migration):

    dependencies = [
        ("integration", "0015_money_indexes"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(install, remove)]
