"""What the lines of many statements come to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from integration.decisions.money import LineAmounts, line_amounts


@dataclass(frozen=True)
class Alike:
    """`many` lines that say the same. Each rounds to the same amounts, so they are rounded once and multiplied."""

    many: int
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal
    vat_rate: Decimal
    currency: str


@dataclass(frozen=True)
class Sum:
    """What lines of one currency come to."""

    many: int
    net: Decimal
    vat: Decimal
    total: Decimal


NOTHING_YET: Final = Sum(0, Decimal("0.00"), Decimal("0.00"), Decimal("0.00"))


def sums_by_currency(groups: Iterable[Alike]) -> dict[str, Sum]:
    """The sum of the lines' amounts as each line shows them, kroner first, then the other currencies by name."""
    found: dict[str, Sum] = defaultdict(lambda: NOTHING_YET)
    for group in groups:
        one: LineAmounts = line_amounts(
            quantity=group.quantity,
            unit_price=group.unit_price,
            discount_percent=group.discount_percent,
            vat_rate=group.vat_rate,
            currency=group.currency,
        )
        so_far = found[group.currency]
        found[group.currency] = Sum(
            so_far.many + group.many,
            so_far.net + group.many * one.net,
            so_far.vat + group.many * one.vat,
            so_far.total + group.many * one.total,
        )
    return dict(sorted(found.items(), key=lambda pair: (pair[0] != "NOK", pair[0])))
