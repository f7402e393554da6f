"""The one table of status moves (design §3). Nothing else decides where a statement may go."""

from typing import Final

from integration.enums import StatementStatus as S

MOVES: Final[dict[S, frozenset[S]]] = {
    S.UPCOMING: frozenset({S.PROCESSING, S.VOID}),
    S.PROCESSING: frozenset({S.PUSHING, S.UPCOMING, S.VOID}),
    S.PUSHING: frozenset({S.DRAFT, S.CONFIRMED, S.IN_DOUBT, S.NEEDS_FIX, S.PROCESSING}),
    S.IN_DOUBT: frozenset({S.DRAFT, S.CONFIRMED, S.SENT, S.PARTLY_PAID, S.PAID, S.PROCESSING, S.NEEDS_FIX}),
    S.NEEDS_FIX: frozenset({S.PROCESSING, S.IN_DOUBT, S.VOID, S.DRAFT, S.SENT}),
    S.DRAFT: frozenset(
        {S.CONFIRMED, S.SENT, S.PARTLY_PAID, S.PAID, S.NEEDS_FIX, S.LINK_BROKEN, S.CANCELLED, S.CREDITED, S.WRITTEN_OFF}
    ),
    S.CONFIRMED: frozenset(
        {S.DRAFT, S.SENT, S.PARTLY_PAID, S.PAID, S.NEEDS_FIX, S.LINK_BROKEN, S.CANCELLED, S.CREDITED, S.WRITTEN_OFF}
    ),
    S.SENT: frozenset({S.PARTLY_PAID, S.PAID, S.NEEDS_FIX, S.LINK_BROKEN, S.CANCELLED, S.CREDITED, S.WRITTEN_OFF}),
    S.PARTLY_PAID: frozenset({S.SENT, S.PAID, S.NEEDS_FIX, S.LINK_BROKEN, S.CANCELLED, S.CREDITED, S.WRITTEN_OFF}),
    S.PAID: frozenset({S.SENT, S.PARTLY_PAID, S.NEEDS_FIX, S.LINK_BROKEN, S.CANCELLED, S.CREDITED, S.WRITTEN_OFF}),
    S.LINK_BROKEN: frozenset(
        {S.DRAFT, S.CONFIRMED, S.SENT, S.PARTLY_PAID, S.PAID, S.CANCELLED, S.CREDITED, S.WRITTEN_OFF, S.PROCESSING}
    ),
    S.CANCELLED: frozenset({S.SENT, S.PARTLY_PAID, S.PAID, S.SETTLED_OTHERWISE, S.PROCESSING, S.CREDITED}),
    S.WRITTEN_OFF: frozenset({S.SENT, S.PARTLY_PAID, S.PAID, S.CANCELLED}),
    S.CREDITED: frozenset(),
    S.SETTLED_OTHERWISE: frozenset(),
    S.VOID: frozenset(),
}
"""From -> to. A balance may move in either direction: an undone payment, write-off or credit leads back.
A payment by hand of a statement whose draft is gone leads back to *Link broken* when it is undone, and so does a
person who takes a wrong link back. A stuck one that Go had combined before we saw its draft is linked as it is, and
is stuck again when that link is taken back."""

BEFORE_PUSH: Final = frozenset({S.UPCOMING, S.PROCESSING, S.PUSHING, S.IN_DOUBT, S.NEEDS_FIX, S.VOID})
"""Where no order in Go is known."""

BEYOND_PUSH: Final = frozenset(S) - BEFORE_PUSH
"""Where Go's order id is known, its own or that of the one it was combined into: the database insists on it."""

DRAFTS: Final = frozenset({S.DRAFT, S.CONFIRMED})
"""In Go, not sent."""

INVOICED: Final = frozenset({S.SENT, S.PARTLY_PAID, S.PAID, S.WRITTEN_OFF, S.CANCELLED})
"""States that a pull may still change because an invoice stands behind them."""

WAITS_FOR_A_PERSON: Final = frozenset({S.NEEDS_FIX, S.LINK_BROKEN, S.CANCELLED})
"""Nothing happens until somebody decides."""

UNDER_WAY: Final = frozenset({S.PROCESSING, S.PUSHING, S.IN_DOUBT})
"""The machines are at it."""


def is_allowed(from_status: str, to_status: str) -> bool:
    """Whether the table has this move."""
    return S(to_status) in MOVES[S(from_status)]
