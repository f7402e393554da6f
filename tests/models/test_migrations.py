"""Migrations run on big tables that people work on, and can be taken back."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import AddIndex, Migration, RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from integration.models import InvoiceStatement
from integration.models.big_tables import AddIndexAtWork

OURS = {"integration", "accounts"}
MIGRATIONS: list[Migration] = [
    migration for (app, _), migration in MigrationLoader(None).disk_migrations.items() if app in OURS
]
OPERATIONS: list[tuple[Migration, Operation]] = [
    (migration, operation) for migration in MIGRATIONS for operation in migration.operations
]


def test_every_step_can_be_taken_back():
    assert [f"{migration}: {operation}" for migration, operation in OPERATIONS if not operation.reversible] == []


def test_an_index_of_a_table_that_is_there_locks_nobody_out():
    made = {
        (str(migration), getattr(operation, "name_lower", "")) for migration, operation in OPERATIONS
    }  # tables of the same migration are empty
    locking = [
        f"{migration}: {operation.describe()}"
        for migration, operation in OPERATIONS
        if isinstance(operation, AddIndex)
        and not isinstance(operation, AddIndexAtWork)
        and (str(migration), operation.model_name_lower) not in made
    ]
    assert locking == []


def test_data_and_tables_change_in_migrations_of_their_own():
    """PostgreSQL refuses to change a table that has open row changes of the same transaction."""
    mixed = [
        str(migration)
        for migration in MIGRATIONS
        if migration.atomic
        and any(isinstance(operation, RunPython) for operation in migration.operations)
        and any(not isinstance(operation, RunPython) for operation in migration.operations)
    ]
    assert mixed == []


@pytest.mark.django_db
def test_search_has_its_index_where_the_database_can():
    with connection.cursor() as cursor:
        indexes = connection.introspection.get_constraints(cursor, InvoiceStatement._meta.db_table)

    assert "statement_attention" in indexes
    assert ("statement_search" in indexes) == (connection.vendor == "postgresql")


@pytest.mark.django_db
def test_a_migration_does_not_wait_long_for_a_table_that_somebody_holds():
    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == ("5s",)
        else:
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (20_000,)
