"""The only place where a statement's status changes: by conditional UPDATE, with who and why written beside it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from integration.decisions.transitions import is_allowed
from integration.enums import StatementStatus
from integration.models import InvoiceStatement, StatementMove
from integration.models.plain_sql import insert, update


class MoveNotAllowed(Exception):
    """The table of moves does not have this one: our own fault, nothing was changed."""


def move(
    statement_id: int,
    *,
    from_status: str,
    to_status: StatementStatus,
    now: datetime,
    reason: str,
    user: User | None = None,
    last_saved: datetime | None = None,
    **fields: Any,
) -> bool:
    """Move one statement, setting `fields` with it. False: somebody else was faster, nothing was changed.

    With `last_saved` (its `updated_at` when it was read) also False when anybody has saved it since. What a person set
    by hand only a person moves: without `user` also False when the statement does not follow Go.
    Raises MoveNotAllowed when `decisions.transitions` has no such move.
    """
    if not is_allowed(from_status, to_status):
        raise MoveNotAllowed(f"Statement {statement_id}: {from_status} -> {to_status} is not in the table of moves.")
    with transaction.atomic(savepoint=False):  # both or nothing, also inside a caller's transaction
        only_if: dict[str, Any] = {} if last_saved is None else {"updated_at": last_saved}
        if user is None:
            only_if["follows_go"] = True
        changed = update(
            InvoiceStatement,
            {"id": statement_id, "status": from_status, **only_if},
            {"status": to_status, "updated_at": now, **fields},
        )
        if changed:
            insert(
                StatementMove(
                    statement_id=statement_id,
                    from_status=from_status,
                    to_status=to_status,
                    at=now,
                    user=user,
                    reason=reason,
                )
            )
    return bool(changed)
