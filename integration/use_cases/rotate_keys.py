"""Key rotation: secrets in the database are closed again with the newest key, so that an old one can go."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Cast

from vault.fields import SecretField, field_keys, open_token

BATCH = 200


@dataclass
class KeyReport:
    """One kind of secret: how many each key opens (newest first), how many none opens, how many were closed again."""

    secret: str
    opened_by: list[int]
    unreadable: int = 0
    closed_again: int = 0


def secret_fields() -> list[SecretField]:
    """Every field of every record that holds secrets."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, SecretField)
    ]


def rotate_keys(*, change: bool) -> list[KeyReport]:
    """Count which keys are in use and, with `change`, close with the newest key what older ones closed.

    Works in batches, each committed by itself: it can be stopped anywhere and run again. A secret that somebody
    changes meanwhile is left alone; it was closed with the newest key. What no key opens is counted and left alone.
    """
    keys = field_keys()
    reports = []
    for field in secret_fields():
        report = KeyReport(secret=f"{field.model.__name__}.{field.name}", opened_by=[0] * len(keys))
        for batch in _batches(field):
            with transaction.atomic():
                for pk, token in batch:
                    place = _opened_by(token, keys)
                    if place is None:
                        report.unreadable += 1
                    elif place and change and _close_again(field, pk, token):
                        report.opened_by[0] += 1
                        report.closed_again += 1
                    else:
                        report.opened_by[place] += 1
        reports.append(report)
    return reports


def _rows(field: SecretField) -> "models.QuerySet[models.Model]":
    """Records with the token as it is in the database."""
    return field.model._base_manager.annotate(token_at_rest=Cast(field.name, models.TextField()))


def _batches(field: SecretField) -> Iterator[list[tuple[int, str]]]:
    rows = _rows(field).exclude(token_at_rest="").filter(token_at_rest__isnull=False).order_by("pk")
    last = None
    while batch := list(
        (rows if last is None else rows.filter(pk__gt=last)).values_list("pk", "token_at_rest")[:BATCH]
    ):
        yield batch
        last = batch[-1][0]


def _opened_by(token: str, keys: list[Fernet]) -> int | None:
    """Which key opens it; None when none does."""
    for place, key in enumerate(keys):
        try:
            key.decrypt(token.encode())
        except InvalidToken:
            continue
        return place
    return None


def _close_again(field: SecretField, pk: int, token: str) -> bool:
    """Close one secret with the newest key, unless it was changed meanwhile."""
    return bool(_rows(field).filter(pk=pk, token_at_rest=token).update(**{field.name: open_token(token)}))
