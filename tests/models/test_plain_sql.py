from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from integration.enums import AttemptOutcome, Operation, StatementStatus
from integration.models import SyncAttempt
from integration.models.plain_sql import insert, update
from tests import factories

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def attempt(statement, **fields) -> SyncAttempt:
    return SyncAttempt(
        company=statement.company,
        statement=statement,
        operation=Operation.CREATE_ORDER,
        started_at=NOW,
        lease_until=NOW + timedelta(seconds=40),
        **fields,
    )


def columns(record) -> dict[str, object]:
    """What stands in the database, but for the key."""
    [values] = type(record).objects.filter(pk=record.pk).values()
    return {name: value for name, value in values.items() if name != "id"}


def test_an_inserted_row_is_a_saved_one():
    statement = factories.statement()
    ended = {"ended_at": NOW, "outcome": AttemptOutcome.DONE, "http_status": 201, "message": "Så ære være ’ % ;"}
    saved = attempt(statement, **ended)
    saved.save()
    made = insert(attempt(statement, **ended))
    assert made.pk > saved.pk
    assert columns(made) == columns(saved)
    made.message = "changed"
    with pytest.raises(IntegrityError):  # a log book; and it is UPDATEd, so it knew that it is there
        made.save()


def test_an_update_changes_what_fits_and_counts_it():
    changed, other = factories.statement(), factories.statement()
    before = columns(other)
    values = {"status": StatementStatus.PUSHING, "doubt_since": NOW, "go_total": None, "tries": 3}
    where = {"id": changed.pk, "status": changed.status, "updated_at": changed.updated_at, "doubt_since": None}
    expected = columns(changed) | values
    assert update(type(changed), where, values) == 1
    assert columns(changed) == expected
    assert columns(other) == before
    assert update(type(changed), where, values) == 0


@pytest.mark.parametrize("name", ["status", "updated_at", "doubt_since"])
def test_an_update_asks_for_every_condition(name):
    statement = factories.statement()
    before = columns(statement)
    fits = {"id": statement.pk, "status": statement.status, "updated_at": statement.updated_at, "doubt_since": None}
    differs = {
        "status": StatementStatus.VOID,
        "updated_at": statement.updated_at + timedelta(seconds=1),
        "doubt_since": NOW,
    }
    assert update(type(statement), {**fits, name: differs[name]}, {"tries": 9}) == 0
    assert columns(statement) == before
