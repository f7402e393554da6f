"""Rows written with SQL that is made once per process: what a push writes for each statement.

Django makes the same SQL anew each time, which takes several times as long as having it carried out: a push took almost
twice the processor with it. Everywhere else, ask Django.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def insert(record: M) -> M:
    """As `record.save()` of a new record without stamps of its own; its key is set."""
    model = type(record)
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        cursor.execute(
            _insert(model),
            [_for_database(field, getattr(record, field.attname)) for field in fields],
        )
        [record.pk] = cursor.fetchone()
    record._state.adding, record._state.db = False, connection.alias
    return record


def update(model: type[models.Model], where: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """As `filter(**where).update(**values)`, for names of fields and plain values only; None in `where`: is empty."""
    asked = {name: value for name, value in where.items() if value is not None}
    sql = _update(model, tuple(asked), tuple(where.keys() - asked.keys()), tuple(values))
    get = model._meta.get_field
    with connection.cursor() as cursor:
        cursor.execute(sql, [_for_database(get(name), value) for name, value in (*values.items(), *asked.items())])
        return int(cursor.rowcount)


def _for_database(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


@cache
def _insert(model: type[models.Model]) -> str:
    columns = [_column(model, field.name) for field in model._meta.concrete_fields if not field.primary_key]
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {_table(model)} ({', '.join(columns)}) VALUES ({places}) RETURNING {_column(model, 'id')}"  # noqa: S608 - our own words


@cache
def _update(model: type[models.Model], asked: tuple[str, ...], empty: tuple[str, ...], set_to: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_column(model, name)} = %s" for name in set_to)
    conditions = [f"{_column(model, name)} = %s" for name in asked]
    conditions += [f"{_column(model, name)} IS NULL" for name in empty]
    return f"UPDATE {_table(model)} SET {changes} WHERE {' AND '.join(conditions)}"  # noqa: S608 - our own words


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _column(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return connection.ops.quote_name(field.column)
