"""The log books: written once. The database refuses every way to change them, Django's and a hand's."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from integration.enums import AttemptOutcome, RunOutcome, StatementStatus
from integration.models import LOG_BOOKS, AdminAction, StatementMove, SyncAttempt, SyncRun
from integration.models.log_books import open_log_books
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


def an_ended_run() -> SyncRun:
    return f.run(ended_at=f.NOW, outcome=RunOutcome.DONE, message="as it was")


MAKERS = [a_move, an_action, an_ended_attempt, an_ended_run]
TEXT: dict[type[Model], str] = {
    StatementMove: "reason",
    AdminAction: "reason",
    SyncAttempt: "message",
    SyncRun: "message",
}


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


def raw(sql: str, record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(table=record._meta.db_table, text=TEXT[type(record)]), [record.pk])


FORBIDDEN = {
    "save": lambda record: changed(record).save(),
    "save some fields": lambda record: changed(record).save(update_fields=[TEXT[type(record)]]),
    "save over": lambda record: written_over(record).save(),
    "update": lambda record: type(record).objects.update(**{TEXT[type(record)]: "changed"}),
    "bulk_update": lambda record: type(record).objects.bulk_update([changed(record)], [TEXT[type(record)]]),
    "update_or_create": lambda record: type(record).objects.update_or_create(
        pk=record.pk, defaults={TEXT[type(record)]: "changed"}
    ),
    "upsert": upsert,
    "delete": lambda record: record.delete(),
    "delete many": lambda record: type(record).objects.all().delete(),
    "update by hand": lambda record: raw("UPDATE {table} SET {text} = 'changed' WHERE id = %s", record),
    "delete by hand": lambda record: raw("DELETE FROM {table} WHERE id = %s", record),
}


@pytest.mark.parametrize("act", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.parametrize("make", MAKERS)
def test_nothing_of_the_log_book_changes(make, act):
    record = make()
    before = list(type(record).objects.values())

    with (
        pytest.raises(IntegrityError, match=r"rows are never (changed( once they have ended)?|deleted)\."),
        transaction.atomic(),
    ):
        act(record)

    assert list(type(record).objects.values()) == before


def test_every_log_book_is_tried():
    assert {type(make()) for make in MAKERS} == set(LOG_BOOKS)


def test_relations_do_not_open_a_back_door():
    action = an_action()
    statement = action.statement
    assert statement is not None

    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        statement.admin_actions.clear()
    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        statement.admin_actions.remove(action, bulk=False)

    action.refresh_from_db()
    assert action.statement == statement


@pytest.mark.parametrize("make", MAKERS)
def test_rows_are_added_one_by_one_and_many_at_once(make):
    record = make()
    twin = written_over(record)
    twin.pk = None

    type(record).objects.bulk_create([twin])

    assert type(record).objects.count() == 2


@pytest.mark.parametrize(("make", "done"), [(f.attempt, AttemptOutcome.LATER), (f.run, RunOutcome.PARTLY)])
def test_an_open_row_is_closed_once(make, done):
    record = make()
    record.message = "under way"
    record.save()
    record.ended_at, record.outcome, record.message = f.NOW, done, "closed"
    record.save()

    record.message = "closed again"
    with pytest.raises(IntegrityError, match="rows are never changed once they have ended"), transaction.atomic():
        record.save()

    record.refresh_from_db()
    assert record.message == "closed"


@pytest.mark.parametrize("make", [f.attempt, f.run])
def test_an_open_row_is_not_deleted(make):
    record = make()

    with pytest.raises(IntegrityError, match="rows are never deleted"), transaction.atomic():
        record.delete()

    assert type(record).objects.filter(pk=record.pk).exists()


def test_migrate_lays_the_triggers_again():
    """As after a migration that rebuilt the table, when SQLite has forgotten them."""
    move = a_move()
    open_log_books()
    StatementMove.objects.update(reason="changed")

    call_command("migrate", verbosity=0)

    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        StatementMove.objects.filter(pk=move.pk).update(reason="changed again")
