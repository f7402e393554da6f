"""The log books: written once. Every way that Django offers to change or delete a row is tried."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from integration.enums import AttemptOutcome, StatementStatus
from integration.models import AdminAction, StatementMove, SyncAttempt
from integration.models.base import AppendOnlyError
from tests import factories as f

pytestmark = pytest.mark.django_db


def a_move() -> StatementMove:
    return StatementMove.objects.create(
        statement=f.statement(),
        from_status=StatementStatus.UPCOMING,
        to_status=StatementStatus.PROCESSING,
        at=f.NOW,
        reason="Its day has come.",
    )


def an_action() -> AdminAction:
    statement = f.statement()
    return AdminAction.objects.create(
        company=statement.company,
        user=f.person(),
        at=f.NOW,
        action="withdraw",
        statement=statement,
        record="statement",
        reason="Typed twice.",
    )


def an_ended_attempt() -> SyncAttempt:
    return f.attempt(statement=f.statement(), ended_at=f.NOW, outcome=AttemptOutcome.DONE, message="as it was")


TEXT: dict[type[Model], str] = {StatementMove: "reason", AdminAction: "reason", SyncAttempt: "message"}


def changed(record: Any) -> Any:
    setattr(record, TEXT[type(record)], "changed")
    return record


def written_over(record: Any) -> Any:
    """A new object with the key of the old row."""
    names = [field.attname for field in record._meta.concrete_fields]
    return changed(type(record)(**{name: getattr(record, name) for name in names}))


def upsert(record: Any) -> None:
    name = TEXT[type(record)]
    type(record).objects.bulk_create(
        [written_over(record)], update_conflicts=True, update_fields=[name], unique_fields=["id"]
    )


FORBIDDEN = {
    "save": lambda record: changed(record).save(),
    "save some fields": lambda record: changed(record).save(update_fields=[TEXT[type(record)]]),
    "save over": lambda record: written_over(record).save(),
    "bulk_update": lambda record: type(record).objects.bulk_update([changed(record)], [TEXT[type(record)]]),
    "update_or_create": lambda record: type(record).objects.update_or_create(
        pk=record.pk, defaults={TEXT[type(record)]: "changed"}
    ),
    "upsert": upsert,
    "delete": lambda record: record.delete(),
    "delete many": lambda record: type(record).objects.all().delete(),
    "delete through the statement": lambda record: type(record).objects.filter(statement=record.statement).delete(),
}


@pytest.mark.parametrize("act", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.parametrize("make", [a_move, an_action, an_ended_attempt])
def test_nothing_of_the_log_book_changes(make, act):
    record = make()
    before = list(type(record).objects.values())

    refused = False
    try:
        with transaction.atomic():
            act(record)
    except (AppendOnlyError, IntegrityError):
        refused = True

    assert list(type(record).objects.values()) == before
    # A bulk change of attempts reaches the open ones and leaves the others without a word.
    assert refused or (make is an_ended_attempt and act is FORBIDDEN["bulk_update"])


@pytest.mark.parametrize("make", [a_move, an_action])
def test_update_of_many_is_refused(make):
    record = make()

    with pytest.raises(AppendOnlyError, match=r"rows are never changed\.$"):
        type(record).objects.update(reason="changed")


def test_relations_do_not_open_a_back_door():
    action = an_action()
    statement = action.statement
    assert statement is not None

    with pytest.raises(AppendOnlyError), transaction.atomic():
        statement.admin_actions.clear()
    with pytest.raises(AppendOnlyError), transaction.atomic():
        statement.admin_actions.remove(action, bulk=False)

    action.refresh_from_db()
    assert action.statement == statement


@pytest.mark.parametrize("make", [a_move, an_action])
def test_rows_are_added_one_by_one_and_many_at_once(make):
    record = make()
    twin = written_over(record)
    twin.pk = None

    type(record).objects.bulk_create([twin])

    assert type(record).objects.count() == 2


def test_an_open_attempt_is_closed_once():
    open_one = f.attempt()
    ended = an_ended_attempt()

    first = SyncAttempt.objects.update(ended_at=f.NOW, outcome=AttemptOutcome.LATER, message="closed")
    second = SyncAttempt.objects.update(message="closed again")

    assert (first, second) == (1, 0)
    open_one.refresh_from_db()
    ended.refresh_from_db()
    assert (open_one.message, open_one.outcome) == ("closed", AttemptOutcome.LATER)
    assert (ended.message, ended.outcome) == ("as it was", AttemptOutcome.DONE)


def test_an_open_attempt_can_be_saved():
    attempt = f.attempt()
    attempt.message = "under way"

    attempt.save()

    attempt.refresh_from_db()
    assert attempt.message == "under way"
