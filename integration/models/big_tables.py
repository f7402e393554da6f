"""Migrations of tables that people work on: indexes are built without locking out writers, waits are short."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import DEFAULT_DB_ALIAS, connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.signals import pre_migrate
from django.dispatch import receiver


@receiver(pre_migrate, dispatch_uid="wait_briefly_for_locks")
def wait_briefly_for_locks(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """A migration that cannot get its table soon gives up, before everybody queues behind it. It can be repeated."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")


class AddIndexAtWork(AddIndexConcurrently):
    """As AddIndex, and on PostgreSQL concurrently. The migration says `atomic = False`.

    An attempt that was broken off leaves an index there that is not valid: it goes first, so migrate can be repeated.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            drop_index(schema_editor, self.index.name)
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


def add_trigram_index(schema_editor: BaseDatabaseSchemaEditor, table: str, name: str) -> None:
    """Make `search` of a table findable by any part of a word: PostgreSQL with its extension pg_trgm, else nothing.

    libraries.md 4.3 rule 4: at a million statements 16 ms instead of 1.5 s. The expression is the one that Django's
    `icontains` asks for.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            return
    drop_index(schema_editor, name)
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    quoted = schema_editor.quote_name
    schema_editor.execute(
        f'CREATE INDEX CONCURRENTLY {quoted(name)} ON {quoted(table)} USING gin (UPPER("search") gin_trgm_ops)'
    )


def drop_index(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    """On PostgreSQL: take an index away without locking; one that is not there is no matter."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")
