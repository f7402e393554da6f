"""What runs by itself."""

from django_celery_beat.models import PeriodicTask


class ScheduledTask(PeriodicTask):  # type: ignore[misc] # no types
    """A row of the beat schedule, under our own name and in our own words."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = "scheduled task"
        verbose_name_plural = "scheduled tasks"
