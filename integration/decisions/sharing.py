"""How the money of a combined invoice is shared out over its statements, to the øre.

Go knows one invoice; which of its statements a payment was for, nobody said. So a company chooses a rule, and it is
shown wherever it was used: the oldest due first, or all in proportion. Every part of the invoice is shared out
exactly, and the parts of every statement sum to its share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from integration.decisions.money import share_out
from integration.decisions.money_picture import ORDER, ZERO, Parts
from integration.enums import Part, SharingRule


@dataclass(frozen=True)
class Claim:
    """A statement on a combined invoice: its total in the invoice's currency (credits negative), and when it is due."""

    key: int
    amount: Decimal
    due: date


@dataclass(frozen=True)
class Shares:
    """Each statement's parts in NOK by its key, and those of what is on the invoice beside our statements."""

    by_key: dict[int, Parts]
    rest: Parts


def share_parts(parts: Parts, total: Decimal, claims: Sequence[Claim], rule: SharingRule) -> Shares:
    """Share out the parts of an invoice over its statements. `total` is the invoice's in its own currency.

    What the invoice has more than our statements have together belongs to none of them, and is served last. If it has
    less (somebody took lines away), each statement has so much less in proportion. A statement of the other sign (a
    credit among invoices) is netted with the others inside the invoice.
    """
    sign = -1 if total < 0 else 1
    ordered = sorted(claims, key=lambda claim: (claim.due, claim.key))
    shares = _shares(sign * parts.total, sign * total, [sign * claim.amount for claim in ordered])
    amounts = {part: sign * amount for part, amount in parts.amounts}
    inside = -sum((share for share in shares if share < 0), ZERO)
    amounts[Part.NETTED] = amounts.get(Part.NETTED, ZERO) + inside
    rows: list[dict[Part, Decimal]] = [{Part.NETTED: share} if share < 0 else {} for share in shares]
    left = [max(share, ZERO) for share in shares]
    for part in sorted(ORDER, key=lambda part: amounts.get(part, ZERO) >= 0):  # what is less than nothing makes room
        for place, amount in enumerate(_deal(amounts.get(part, ZERO), left, rule)):
            rows[place][part] = rows[place].get(part, ZERO) + amount
            left[place] -= amount
    found = [
        Parts(sign * share, tuple((part, sign * row[part]) for part in ORDER if row.get(part)))
        for share, row in zip(shares, rows, strict=True)
    ]
    return Shares({claim.key: found[place] for place, claim in enumerate(ordered)}, found[-1])


def _shares(posted: Decimal, total: Decimal, amounts: list[Decimal]) -> list[Decimal]:
    """What each claim has of the invoice in NOK, and last what none of them has. They sum to `posted`."""
    own = sum(amounts, ZERO)
    if own > total:
        below = sum((amount for amount in amounts if amount < 0), ZERO)
        debits = iter(share_out(total - below, [amount for amount in amounts if amount >= 0]))
        amounts = [amount if amount < 0 else next(debits) for amount in amounts]
        own = total
    every = [*amounts, total - own]
    return every if posted == total else share_out(posted, every)


def _deal(amount: Decimal, left: list[Decimal], rule: SharingRule) -> list[Decimal]:
    if amount < 0 or (rule == SharingRule.IN_PROPORTION and amount):
        return share_out(amount, left)
    dealt = []
    for room in left:
        dealt.append(min(amount, room))
        amount -= dealt[-1]
    return dealt


def share_beside(amount: Decimal, shares: Shares) -> dict[int, Decimal]:
    """What each statement has of an amount that stands beside the invoice (a fee, what was paid too much): always in
    proportion, to the øre; the invoice's rest has its share too."""
    keys = list(shares.by_key)
    weights = [abs(shares.by_key[key].total) for key in keys] + [abs(shares.rest.total)]
    return dict(zip(keys, share_out(amount, weights), strict=False))
