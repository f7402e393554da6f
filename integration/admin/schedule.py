"""The beat schedule in our look. It turns for all companies at once, so only superusers come here.

django-celery-beat registers pages in the plain look. Two of its five kinds of schedule are of use to us
(an interval, a crontab); solar and clocked times are left out.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django_celery_beat.admin import CrontabScheduleAdmin as PlainCrontabAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as PlainTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin import SuperusersOnly
from integration.admin.display import minute

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc] # neither has types
    """Names of tasks to choose from."""


class TaskForm(PeriodicTaskForm):  # type: ignore[misc] # no types
    """A task by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["regtask"].widget = TaskSelect()
        self.fields["task"].widget = UnfoldAdminTextInputWidget()


@admin.register(PeriodicTask)
class TaskAdmin(SuperusersOnly, ModelAdmin, PlainTaskAdmin):  # type: ignore[misc] # no types
    """What runs by itself, and when it last did."""

    form = TaskForm
    list_display = ("name", "enabled", "scheduler", "last_run", "total_run_count")
    list_filter = (("enabled", BooleanRadioFilter),)
    list_filter_submit = True
    date_hierarchy = None
    change_list_template = None
    change_form_template = None  # theirs runs a script that stands in the page, which our pages forbid
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        ("Schedule", {"fields": ("interval", "crontab", "last_run_at")}),
        ("Arguments", {"fields": ("args", "kwargs"), "classes": ("collapse",)}),
    )
    readonly_fields = ("last_run_at",)

    @admin.display(description="Last run")
    def last_run(self, task: PeriodicTask) -> str:
        return minute(task.last_run_at)


@admin.register(IntervalSchedule)
class IntervalAdmin(SuperusersOnly, ModelAdmin):  # type: ignore[misc] # no types
    """Every so often."""

    list_display = ("__str__", "every", "period")


@admin.register(CrontabSchedule)
class CrontabAdmin(SuperusersOnly, ModelAdmin, PlainCrontabAdmin):  # type: ignore[misc] # no types
    """At fixed times."""

    inlines: ClassVar[list[Any]] = []
