"""The log books: cycles, every single try, and what people did. Read-only."""

from collections.abc import Iterable
from typing import ClassVar, Final

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integration.admin.base import CompanyFilter, ReadOnlyModelAdmin
from integration.admin.display import NOTHING, badge, duration, excerpt, link, list_of, minute, moment, number
from integration.admin.timeline import changed
from integration.enums import AttemptOutcome, RunOutcome
from integration.models import AdminAction, SyncAttempt, SyncRun


def outcome_badge(record: SyncRun | SyncAttempt) -> str:
    """How it ended, or that it has not."""
    if not record.outcome:
        return "Under way"
    return badge(RunOutcome(record.outcome) if isinstance(record, SyncRun) else AttemptOutcome(record.outcome))


COUNTED: Final[dict[str, str]] = {
    "push done": "pushed",
    "push found": "there already",
    "push later": "to be tried later",
    "push in_doubt": "in doubt",
    "push refused": "refused by PowerOffice Go",
    "push not_ready": "stuck: not ready",
    "push setup": "stopped: keys or rights refused",
    "push internal": "stopped by our own fault",
    "doubts found": "in doubt and found",
    "doubts absent": "in doubt and not found: pushed again",
    "doubts waiting": "still in doubt",
    "doubts stuck": "in doubt and now stuck",
}
"""What a run counted -> in the bookkeeper's words. What a pull counts is in words already."""


def counts_words(run: SyncRun) -> str:
    """`12 pushed, 2 paid`."""
    return (
        ", ".join(f"{number(many)} {COUNTED.get(what, what)}" for what, many in sorted(run.counts.items())) or NOTHING
    )


def clipped(text: str) -> str:
    """A long text cut short for a list, whole when pointed at."""
    return format_html('<span title="{}">{}</span>', text, Truncator(text).chars(80)) if text else NOTHING


def listed(lines: Iterable[str]) -> str:
    """Lines below each other."""
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines)) or NOTHING


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyModelAdmin[SyncRun]):
    """Cycles, newest first."""

    list_display = ("started", "company", "outcome_shown", "trigger", "took", "what", "message")
    list_prefetch: ClassVar[tuple[str, ...]] = ("company",)
    list_filter = (CompanyFilter, ("outcome", ChoicesDropdownFilter), ("trigger", ChoicesDropdownFilter))
    list_filter_submit = True
    compressed_fields = False
    ordering = ("-started_at", "-pk")
    fields = ("company", "trigger", "started", "took", "outcome_shown", "what", "message", "attempts")

    @admin.display(description="Started")
    def started(self, run: SyncRun) -> str:
        return moment(run.started_at)

    @admin.display(description="Outcome")
    def outcome_shown(self, run: SyncRun) -> str:
        return outcome_badge(run)

    @admin.display(description="Took")
    def took(self, run: SyncRun) -> str:
        return duration(run.started_at, run.ended_at)

    @admin.display(description="What happened")
    def what(self, run: SyncRun) -> str:
        return counts_words(run)

    @admin.display(description="Attempts")
    def attempts(self, run: SyncRun) -> str:
        address = list_of(SyncAttempt, f"run__id__exact={run.pk}")
        return format_html('<a class="fb-link" href="{}">Show them</a>', address)


@admin.register(SyncAttempt)
class SyncAttemptAdmin(ReadOnlyModelAdmin[SyncAttempt]):
    """Every single try with a remote system, newest first."""

    list_display = ("started", "company", "operation", "about", "outcome_shown", "http", "took", "said")
    list_prefetch: ClassVar[tuple[str, ...]] = ("company", "statement", "customer", "product", "run")
    list_filter = (CompanyFilter, ("operation", ChoicesDropdownFilter), ("outcome", ChoicesDropdownFilter))
    list_filter_submit = True
    compressed_fields = False
    search_fields = ("=request_id", "=statement__reference", "=statement__source_id")
    search_help_text = "Statement, reference or request id"
    ordering = ("-started_at", "-pk")
    fields = (
        ("company", "operation", "about"),
        ("started", "took", "outcome_shown"),
        ("http", "request_id", "error_code"),
        "message",
        ("next_try", "of_run"),
        "sent",
        "answered",
    )

    @admin.display(description="Started")
    def started(self, attempt: SyncAttempt) -> str:
        return moment(attempt.started_at)

    @admin.display(description="About")
    def about(self, attempt: SyncAttempt) -> str:
        if attempt.statement:
            return link(attempt.statement, attempt.statement.source_id)
        return link(attempt.customer or attempt.product)

    @admin.display(description="Outcome")
    def outcome_shown(self, attempt: SyncAttempt) -> str:
        return outcome_badge(attempt)

    @admin.display(description="HTTP")
    def http(self, attempt: SyncAttempt) -> str:
        return str(attempt.http_status or NOTHING)

    @admin.display(description="Took")
    def took(self, attempt: SyncAttempt) -> str:
        return duration(attempt.started_at, attempt.ended_at)

    @admin.display(description="Message")
    def said(self, attempt: SyncAttempt) -> str:
        return clipped(attempt.message)

    @admin.display(description="Next try")
    def next_try(self, attempt: SyncAttempt) -> str:
        return minute(attempt.next_try_at)

    @admin.display(description="Run")
    def of_run(self, attempt: SyncAttempt) -> str:
        return link(attempt.run)

    @admin.display(description="What was sent")
    def sent(self, attempt: SyncAttempt) -> str:
        return excerpt(attempt.request_excerpt)

    @admin.display(description="What was answered")
    def answered(self, attempt: SyncAttempt) -> str:
        return excerpt(attempt.answer_excerpt)


@admin.register(AdminAction)
class AdminActionAdmin(ReadOnlyModelAdmin[AdminAction]):
    """What people did, newest first."""

    list_display = ("when", "user", "what", "record", "company", "why")
    list_prefetch: ClassVar[tuple[str, ...]] = ("company", "user", "statement")
    list_filter = (CompanyFilter,)
    list_filter_submit = True
    compressed_fields = False
    search_fields = ("=statement__reference", "=statement__source_id")
    search_help_text = "Statement or reference"
    ordering = ("-at", "-pk")
    fields = (("when", "user", "company"), ("what", "record", "about"), "changes", "reason")

    @admin.display(description="When")
    def when(self, action: AdminAction) -> str:
        return moment(action.at)

    @admin.display(description="Did")
    def what(self, action: AdminAction) -> str:
        return action.title

    @admin.display(description="Why")
    def why(self, action: AdminAction) -> str:
        return clipped(action.reason)

    @admin.display(description="Statement")
    def about(self, action: AdminAction) -> str:
        return link(action.statement)

    @admin.display(description="What changed")
    def changes(self, action: AdminAction) -> str:
        return listed(changed(action))
