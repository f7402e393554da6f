"""The log books keep themselves: the database refuses to change or delete what is written in them.

Triggers, since no constraint of Django can say it. They are laid after every `migrate` instead of in a migration:
SQLite forgets a table's triggers when a later migration rebuilds the table.
"""

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from integration.models.admin_action import AdminAction
from integration.models.invoice_statement import StatementMove
from integration.models.sync_attempt import SyncAttempt, SyncRun

ENDED = "OLD.ended_at IS NOT NULL"

LOG_BOOKS: dict[type[models.Model], str] = {AdminAction: "", StatementMove: "", SyncAttempt: ENDED, SyncRun: ENDED}
"""Each log book, and which of its rows are written to the end and refuse every change (empty: all)."""

REFUSE = """
CREATE OR REPLACE FUNCTION log_book_refuses() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


@receiver(post_migrate, dispatch_uid="log_books")
def keep_log_books(sender: AppConfig, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Lay the triggers where the tables are. PostgreSQL and SQLite; doing it twice changes nothing."""
    connection = connections[using]
    if sender.label != "integration":
        return
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(REFUSE)
        for model, which in LOG_BOOKS.items():
            if model._meta.db_table in tables:
                for statement in triggers(connection, model, which):
                    cursor.execute(statement)


def open_log_books(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers away: for a migration that must change old rows, and for tests that empty every table."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for model in LOG_BOOKS:
            table = model._meta.db_table
            place = f" ON {table}" if connection.vendor == "postgresql" else ""
            for act in ("update", "delete", "truncate"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{act}{place}")


def triggers(connection: BaseDatabaseWrapper, model: type[models.Model], which: str) -> list[str]:
    """The statements that lay the triggers of one log book. Refused work ends in an IntegrityError with the reason."""
    table, name = model._meta.db_table, model._meta.verbose_name
    refusals = [
        ("update", which, f"{name}: rows are never changed{' once they have ended' if which else ''}."),
        ("delete", "", f"{name}: rows are never deleted."),
    ]
    when = {act: f" WHEN ({condition})" if condition else "" for act, condition, _ in refusals}
    if connection.vendor == "postgresql":
        rows = [
            f"CREATE OR REPLACE TRIGGER {table}_{act} BEFORE {act} ON {table} "
            f"FOR EACH ROW{when[act]} EXECUTE FUNCTION log_book_refuses('{words}')"
            for act, _, words in refusals
        ]
        whole = (
            f"CREATE OR REPLACE TRIGGER {table}_truncate BEFORE truncate ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION log_book_refuses('{name}: rows are never deleted.')"
        )
        return [*rows, whole]
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_{act} BEFORE {act} ON {table} "
        f"FOR EACH ROW{when[act]} BEGIN SELECT RAISE(ABORT, '{words}'); END"
        for act, _, words in refusals
    ]
