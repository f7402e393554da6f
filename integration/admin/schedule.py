"""The beat schedule in our look. It turns for all companies at once, so only superusers come here.

django-celery-beat registers pages in the plain look, which speak of Celery. Which tasks there are is said by our
migrations; here one chooses how often, and whether at all.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import CrontabScheduleAdmin as PlainCrontabAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin

from accounts.admin import SuperusersOnly
from integration.admin.display import minute
from integration.models import ScheduledTask

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class ScheduledTaskForm(forms.ModelForm[ScheduledTask]):
    """When a task runs."""

    class Meta:
        labels: ClassVar[dict[str, str]] = {"enabled": "Runs", "interval": "How often", "crontab": "Or at fixed times"}
        help_texts: ClassVar[dict[str, str]] = {
            "name": "",
            "enabled": "Switched off, it never runs by itself.",
            "interval": "The usual choice.",
            "crontab": "Leave it empty when you say how often.",
        }


@admin.register(ScheduledTask)
class ScheduledTaskAdmin(SuperusersOnly, ModelAdmin):  # type: ignore[misc] # no types
    """What runs by itself, and when it last did."""

    form = ScheduledTaskForm
    list_display = ("name", "what", "enabled", "how_often", "last_run")
    list_select_related = ("interval", "crontab")
    ordering = ("name",)
    fields = ("name", "what", "enabled", "interval", "crontab", "last_run")
    readonly_fields = ("name", "what", "last_run")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="What it does")
    def what(self, task: ScheduledTask) -> str:
        return str(task.description)

    @admin.display(description="How often")
    def how_often(self, task: ScheduledTask) -> str:
        return str(task.scheduler)

    @admin.display(description="Last run")
    def last_run(self, task: ScheduledTask) -> str:
        return minute(task.last_run_at)


@admin.register(IntervalSchedule)
class IntervalAdmin(SuperusersOnly, ModelAdmin):  # type: ignore[misc] # no types
    """Every so often."""

    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabAdmin(SuperusersOnly, ModelAdmin, PlainCrontabAdmin):  # type: ignore[misc] # no types
    """At fixed times."""

    inlines: ClassVar[list[Any]] = []
