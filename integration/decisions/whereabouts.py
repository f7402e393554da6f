"""Where did a draft go that is gone from Go? Its lines say so: by our references, else by what they say.

Source: reference/poweroffice-go.md §8.10: what survives when drafts are combined is not known. A reference of ours on a
line is proof. Without it, product, text, quantity and price are evidence, and every line of an order is spent once:
two drafts that say the same need two such lines. What could be in two places is proposed in neither. Nobody is linked
because of what is found here: a person looks at it and decides.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

BY_REFERENCE: Final = "reference"
BY_CONTENT: Final = "content"

Content = tuple[int, str, Decimal | None, Decimal | None]


@dataclass(frozen=True)
class FoundLine:
    """A line: our reference on it, text, Go's product id, quantity, unit price excl. VAT."""

    reference: str
    description: str
    product_id: int | None
    quantity: Decimal | None
    unit_price: Decimal | None


@dataclass(frozen=True)
class LostDraft:
    """A draft that is gone: its statement's key, lines as we sent them, Go's customer id, when Go last changed it.

    `seen`: that it was in Go is known; of one that may never have been there, lines that differ from ours are no trace.
    """

    key: int
    lines: tuple[FoundLine, ...]
    customer_id: int | None = None
    changed_at: datetime | None = None
    seen: bool = True


@dataclass(frozen=True)
class Place:
    """An order or invoice of the same customer, opened. `own` are the lines that it had before, as a draft of ours."""

    kind: str
    id: str
    number: int | None
    lines: tuple[FoundLine, ...]
    own: tuple[FoundLine, ...] = ()
    customer_id: int | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Found:
    """Where a draft seems to be: these of its lines (references or texts), of so many."""

    place: Place
    lines: tuple[str, ...]
    of: int
    by: str


def whereabouts(drafts: Sequence[LostDraft], places: Sequence[Place]) -> dict[int, Found]:
    """The place of each draft that can be told, by its key."""
    found: dict[int, Found] = {}
    for draft in drafts:
        best = max((_by_reference(draft, place) for place in places), key=lambda hit: len(hit.lines), default=None)
        if best is not None and best.lines:
            found[draft.key] = best
    rest = [draft for draft in drafts if draft.key not in found]
    for exact in (True, False):  # what is as we sent it is spent before what somebody edited is looked at
        pools = {place.id: _pool(place, found, drafts, exact=exact) for place in places}
        hits = {draft.key: _by_content(draft, places, pools, exact=exact) for draft in rest if draft.key not in found}
        for place in places:
            here = [draft for draft in rest if hits.get(draft.key) == [place]]
            needs = {draft.key: _contents(draft.lines, exact=exact) for draft in here}
            # More drafts want these lines than there are: nobody can say which of them are here.
            contested = sum(needs.values(), Counter[Content]()) - pools[place.id]
            for draft in here:
                if not needs[draft.key] & contested:
                    lines = _texts(draft.lines)
                    found[draft.key] = Found(place, lines, len(lines), BY_CONTENT)
    return found


def _by_reference(draft: LostDraft, place: Place) -> Found:
    ours = {line.reference for line in draft.lines if line.reference}
    shared = sorted(ours & {line.reference for line in place.lines})
    return Found(place, tuple(shared), len(ours), BY_REFERENCE)


def _by_content(
    draft: LostDraft, places: Sequence[Place], pools: dict[str, "Counter[Content]"], *, exact: bool
) -> list[Place]:
    """The places that have all of a draft's lines to spare."""
    need = _contents(draft.lines, exact=exact)
    if not need or not (exact or draft.seen):
        return []
    return [place for place in places if _possible(draft, place) and not need - pools[place.id]]


def _possible(draft: LostDraft, place: Place) -> bool:
    if draft.customer_id != place.customer_id:
        return False
    return draft.changed_at is None or place.changed_at is None or place.changed_at >= draft.changed_at


def _pool(place: Place, found: dict[int, Found], drafts: Sequence[LostDraft], *, exact: bool) -> "Counter[Content]":
    """What of a place's lines is nobody's yet: without a reference, not its own, not another lost draft's."""
    pool = _contents([line for line in place.lines if not line.reference], exact=exact)
    marked = {line.reference for line in place.lines}
    pool -= _contents([line for line in place.own if line.reference not in marked], exact=exact)
    for draft in drafts:
        hit = found.get(draft.key)
        if hit is not None and hit.place.id == place.id and hit.by == BY_CONTENT:
            pool -= _contents(draft.lines, exact=exact)
    return pool


def _contents(lines: Sequence[FoundLine], *, exact: bool) -> "Counter[Content]":
    """What product lines say; when not exact, whatever their quantity and price are, but never a credit for a sale."""
    return Counter(
        (line.product_id, " ".join(line.description.split()).casefold(), *_figures(line, exact=exact))
        for line in lines
        if line.product_id is not None
    )


def _figures(line: FoundLine, *, exact: bool) -> tuple[Decimal | None, Decimal | None]:
    if not exact:
        return Decimal(-1 if line.quantity is not None and line.quantity < 0 else 1), None
    return line.quantity, line.unit_price


def _texts(lines: Sequence[FoundLine]) -> tuple[str, ...]:
    return tuple(line.description for line in lines if line.product_id is not None)
