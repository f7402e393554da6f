"""A statement's life in one order of time."""

import re
from datetime import timedelta

import pytest

from integration.admin.timeline import changed, timeline
from integration.enums import AttemptOutcome, Operation, StatementStatus
from integration.models import AdminAction, GoCompany, InvoiceStatement, StatementMove
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
WHO = re.compile(r"person\d+@example\.no")
S = StatementStatus


def act(statement: InvoiceStatement, action: str, minutes: int, **fields: object) -> AdminAction:
    return AdminAction.objects.create(
        **{
            "company": statement.company,
            "statement": statement,
            "user": factories.person(first_name="Kari"),
            "at": NOW + timedelta(minutes=minutes),
            "action": action,
            "record": str(statement),
            **fields,
        }
    )


def move(statement: InvoiceStatement, minutes: int, before: S, after: S, reason: str) -> None:
    StatementMove.objects.create(
        statement=statement,
        from_status=before,
        to_status=after,
        at=NOW + timedelta(minutes=minutes),
        reason=reason,
    )


def test_timeline_mixes_people_moves_and_attempts_newest_first(home: GoCompany) -> None:
    statement = factories.statement(home, status=S.DRAFT)
    other = factories.statement(home)
    act(other, "push", 1)
    factories.attempt(
        statement=statement,
        started_at=NOW + timedelta(minutes=2),
        ended_at=NOW + timedelta(minutes=2, seconds=75),
        outcome=AttemptOutcome.LATER,
        message="PowerOffice Go is busy.",
        http_status=429,
        next_try_at=NOW + timedelta(minutes=5),
    )
    factories.attempt(statement=statement, operation=Operation.LOOK_UP_ORDER, started_at=NOW + timedelta(minutes=9))
    move(statement, 1, S.UPCOMING, S.PROCESSING, "Push drafts")
    move(statement, 2, S.PROCESSING, S.PUSHING, "Taken from the queue")
    act(statement, "push", 1, before={"status": "UPCOMING"}, after={"status": "PROCESSING"}, reason="Agreed with Ola")
    told = [
        (event.when, event.kind, event.title, WHO.sub("Kari", event.who), event.words, event.details)
        for event in timeline(statement)
    ]
    assert told == [
        ("02.02.2026 10:09:00", "attempt", "Look up sales order", "PowerOffice Go", "", ("under way",)),
        (
            "02.02.2026 10:02:00",
            "attempt",
            "Create sales order",
            "PowerOffice Go",
            "PowerOffice Go is busy.",
            ("took 1\xa0min 15\xa0s", "HTTP 429", "next try 02.02.2026 10:05"),
        ),
        ("02.02.2026 10:02:00", "move", "Status", "Fakturabro", "Taken from the queue", ()),
        ("02.02.2026 10:01:00", "move", "Status", "Fakturabro", "Push drafts", ()),
        (
            "02.02.2026 10:01:00",
            "person",
            "Push drafts",
            "Kari",
            "Agreed with Ola",
            ("status: Upcoming → Processing",),
        ),
    ]


def test_timeline_costs_three_queries(home: GoCompany, django_assert_num_queries: object) -> None:
    statement = factories.statement(home)
    for minute in range(4):
        move(statement, minute, S.UPCOMING, S.PROCESSING, "x")
        act(statement, f"act{minute}", minute)
        factories.attempt(statement=statement, ended_at=NOW, outcome=AttemptOutcome.DONE)
    with django_assert_num_queries(3):  # type: ignore[operator]
        assert len(timeline(statement)) == 12


def test_change_tells_each_field(home: GoCompany) -> None:
    action = act(
        factories.statement(home),
        "change",
        0,
        before={"customer_reference": "", "total": "100.00"},
        after={"customer_reference": "Kari", "total": None, "line line 2": {"quantity": "3", "project": ""}},
    )
    assert (action.title, str(action)) == ("Change", f"Change {action.record}")
    assert list(changed(action)) == [
        "customer reference: nothing → Kari",
        "total: 100.00 → nothing",
        "line line 2: quantity 3",
    ]
