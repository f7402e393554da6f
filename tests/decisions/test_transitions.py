"""The one table of moves."""

from integration.decisions.transitions import BEFORE_PUSH, BEYOND_PUSH, DRAFTS, INVOICED, MOVES, UNDER_WAY, is_allowed
from integration.enums import StatementStatus as S


def test_every_status_has_a_row():
    assert set(MOVES) == set(S)


def test_ends_are_ends():
    assert {status for status, targets in MOVES.items() if not targets} == {S.CREDITED, S.SETTLED_OTHERWISE, S.VOID}


def test_nothing_reaches_go_but_through_a_claim_a_look_up_or_a_person_who_links_it():
    into_go = {status for status, targets in MOVES.items() if targets & DRAFTS and status in BEFORE_PUSH}
    assert into_go == {S.PUSHING, S.IN_DOUBT, S.NEEDS_FIX}


def test_nothing_in_go_is_pushed_again_without_a_person():
    back = {status for status in BEYOND_PUSH if MOVES[status] & UNDER_WAY}
    assert back == {S.LINK_BROKEN, S.CANCELLED}


def test_every_status_can_be_reached():
    reached, edge = {S.UPCOMING}, {S.UPCOMING}
    while edge:
        edge = {target for status in edge for target in MOVES[status]} - reached
        reached |= edge
    assert reached == set(S)


def test_payments_can_be_undone():
    assert is_allowed(S.PAID, S.SENT)
    assert is_allowed(S.PAID, S.PARTLY_PAID)
    assert is_allowed(S.PARTLY_PAID, S.SENT)


def test_an_invoice_never_becomes_a_draft_again():
    assert all(not (MOVES[status] & DRAFTS) for status in INVOICED)
