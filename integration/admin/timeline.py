"""A statement's life in one order of time: what people did, how its status moved, each try with PowerOffice Go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.safestring import SafeString

from integration.admin.display import badge, duration, minute, moment, page_of
from integration.enums import AttemptOutcome, Operation, StatementStatus
from integration.models import AdminAction, InvoiceStatement, StatementMove, SyncAttempt

NEWEST: Final = 100
"""Of each kind; what is older is in the lists of attempts and actions."""


@dataclass(frozen=True)
class Event:
    """`rank` orders what happened at the same moment: a person acts, the status moves, the attempt opens."""

    at: datetime
    rank: int
    key: int
    kind: str
    title: str
    who: str
    words: str = ""
    marks: tuple[SafeString, ...] = ()
    details: tuple[str, ...] = ()
    address: str = ""

    @property
    def when(self) -> str:
        """Norwegian time, to the second."""
        return moment(self.at)


def timeline(statement: InvoiceStatement) -> list[Event]:
    """Newest first. Three queries, whatever happened."""
    events = [*_actions(statement), *_moves(statement), *_attempts(statement)]
    return sorted(events, key=lambda event: (event.at, event.rank, event.key), reverse=True)


def _actions(statement: InvoiceStatement) -> Iterator[Event]:
    actions = AdminAction.objects.filter(statement=statement).select_related("user").order_by("-at", "-pk")
    for action in actions[:NEWEST]:
        yield Event(
            at=action.at,
            rank=0,
            key=action.pk,
            kind="person",
            title=action.title,
            who=str(action.user),
            words=action.reason,
            details=tuple(changed(action)),
            address=page_of(action),
        )


def changed(action: AdminAction) -> Iterator[str]:
    """Each changed field as `field: before → after`."""
    for name in dict.fromkeys([*action.before, *action.after]):
        before, after = action.before.get(name), action.after.get(name)
        words = str(name).replace("_", " ")
        yield f"{words}: {_plain(after)}" if before is None else f"{words}: {_plain(before)} → {_plain(after)}"


def _plain(value: object) -> str:
    if value in StatementStatus.values:
        return str(StatementStatus(value).label)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items() if part not in (None, ""))
    return "nothing" if value in (None, "", []) else str(value)


def _moves(statement: InvoiceStatement) -> Iterator[Event]:
    moves = StatementMove.objects.filter(statement=statement).select_related("user").order_by("-at", "-pk")
    for move in moves[:NEWEST]:
        yield Event(
            at=move.at,
            rank=1,
            key=move.pk,
            kind="move",
            title="Status",
            who=str(move.user or "Fakturabro"),
            words=move.reason,
            marks=(badge(StatementStatus(move.from_status)), badge(StatementStatus(move.to_status))),
        )


def _attempts(statement: InvoiceStatement) -> Iterator[Event]:
    for attempt in SyncAttempt.objects.filter(statement=statement).order_by("-started_at", "-pk")[:NEWEST]:
        details = [f"took {duration(attempt.started_at, attempt.ended_at)}" if attempt.ended_at else "under way"]
        if attempt.http_status:
            details.append(f"HTTP {attempt.http_status}")
        if attempt.next_try_at:
            details.append(f"next try {minute(attempt.next_try_at)}")
        yield Event(
            at=attempt.started_at,
            rank=2,
            key=attempt.pk,
            kind="attempt",
            title=Operation(attempt.operation).label,
            who="PowerOffice Go",
            words=attempt.message,
            marks=(badge(AttemptOutcome(attempt.outcome)),) if attempt.outcome else (),
            details=tuple(details),
            address=page_of(attempt),
        )
