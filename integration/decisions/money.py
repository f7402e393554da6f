"""All rounding of money. Source of the rule: reference/poweroffice-go.md §8.4 (per line, half up, header = sums)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

MINOR_DIGITS: Final = {"JPY": 0, "ISK": 0, "KRW": 0, "HUF": 2}
"""ISO 4217 currencies met in the trade whose smallest unit is not a hundredth."""

CURRENCIES: Final = frozenset(
    {
        "NOK",
        "SEK",
        "DKK",
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "ISK",
        "PLN",
        "CZK",
        "HUF",
        "JPY",
        "CAD",
        "AUD",
        "NZD",
        "SGD",
        "HKD",
        "CNY",
        "INR",
        "THB",
        "ZAR",
        "TRY",
        "AED",
        "RON",
        "BGN",
        "KRW",
    }
)
"""Currencies we know. Another one is shown to a person instead of being sent."""


NARROW_SPACE: Final = "\u202f"


@dataclass(frozen=True)
class LineAmounts:
    """Net excl. VAT, VAT, total incl. VAT, in one currency."""

    net: Decimal
    vat: Decimal
    total: Decimal


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Half up to the currency's smallest unit, with two decimals kept for storage."""
    step = Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))
    return amount.quantize(step, rounding=ROUND_HALF_UP).quantize(Decimal("0.01"))


def amount_text(value: Decimal, currency: str = "") -> str:
    """`1 234,50 NOK` with narrow blanks, the decimals of the currency (two when not named), zero without a sign."""
    digits = f"{value:z,.{MINOR_DIGITS.get(currency, 2)}f}".replace(",", NARROW_SPACE).replace(".", ",")
    return f"{digits}\xa0{currency}" if currency else digits


def count_text(value: int) -> str:
    """A count with narrow blanks: `12 345`."""
    return f"{value:,}".replace(",", NARROW_SPACE)


def lines_text(count: int) -> str:
    """`1 line`, `5 000 lines`."""
    return "1 line" if count == 1 else f"{count_text(count)} lines"


def lines_among(count: int, of: int) -> str:
    """`1 of its 1 line is`, `2 of its 3 lines are`."""
    return f"{count_text(count)} of its {lines_text(of)} {'is' if count == 1 else 'are'}"


def line_amounts(
    *,
    quantity: Decimal | None,
    unit_price: Decimal | None,
    discount_percent: Decimal,
    vat_rate: Decimal,
    currency: str,
) -> LineAmounts:
    """A line's amounts; a text line's are zero. `unit_price` excl. VAT, `vat_rate` a fraction."""
    if quantity is None or unit_price is None:
        return LineAmounts(Decimal("0.00"), Decimal("0.00"), Decimal("0.00"))
    net = round_money(quantity * unit_price * (1 - discount_percent / 100), currency)
    vat = round_money(net * vat_rate, currency)
    return LineAmounts(net, vat, net + vat)


def statement_totals(lines: Iterable[LineAmounts], currency: str) -> LineAmounts:
    """The header: sums of rounded lines."""
    kept = list(lines)
    net = round_money(sum((line.net for line in kept), Decimal(0)), currency)
    vat = round_money(sum((line.vat for line in kept), Decimal(0)), currency)
    return LineAmounts(net, vat, net + vat)


def share_out(amount: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split an amount of kroner in proportion, to the øre: the parts always sum to the whole.

    Odd øre go to the largest remainders, first come first. All weights zero: everything goes to the first.
    """
    whole = sum(weights, Decimal(0))
    if not weights:
        return []
    if whole == 0:
        return [amount] + [Decimal("0.00")] * (len(weights) - 1)
    ore = int((amount * 100).to_integral_value(rounding=ROUND_HALF_UP))
    exact = [Decimal(ore) * weight / whole for weight in weights]
    floors = [int(part.to_integral_value(rounding="ROUND_FLOOR")) for part in exact]
    rest = ore - sum(floors)
    order = sorted(range(len(weights)), key=lambda index: (floors[index] - exact[index], index))
    for index in order[:rest]:
        floors[index] += 1
    return [Decimal(part) / 100 for part in floors]
