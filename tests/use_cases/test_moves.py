"""A statement moves along the table, once, and the move is written beside it."""

import pytest

from integration.enums import StatementStatus as S
from integration.models import StatementMove
from integration.use_cases.moves import MoveNotAllowed, move
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("to_status", [S.PROCESSING, S.DRAFT, S.CREDITED, S.PUSHING])
def test_a_move_that_the_table_does_not_have_is_refused_and_changes_nothing(to_status):
    statement = factories.statement(status=S.SENT, outgoing_invoice=None)
    with pytest.raises(MoveNotAllowed, match=rf"^Statement {statement.pk}: VOID -> {to_status} is not in the table"):
        move(statement.pk, from_status=S.VOID, to_status=to_status, now=factories.NOW, reason="")
    statement.refresh_from_db()
    assert (statement.status, StatementMove.objects.count()) == (S.SENT, 0)


def test_of_two_who_move_the_same_statement_one_does():
    statement = factories.statement(status=S.PROCESSING)
    moved = [
        move(statement.pk, from_status=S.PROCESSING, to_status=S.PUSHING, now=factories.NOW, reason=who)
        for who in ("first", "second")
    ]
    assert moved == [True, False]
    assert [row.reason for row in StatementMove.objects.all()] == ["first"]
