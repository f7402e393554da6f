"""What a credit note may take back of an invoice: by line and quantity, never more in sum than was invoiced.

The last part of a line takes what is left of it to the øre, so that parts add up to the whole although each is rounded
by itself (reference/poweroffice-go.md §8.4). Source of the rest: reference/wondr.md R1-R6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from integration.decisions.money import MINOR_DIGITS, LineAmounts, amount_text, line_amounts

PRICE_STEP: Final = Decimal("0.0001")


@dataclass(frozen=True)
class InvoicedLine:
    """A product line as invoiced, and what earlier credit notes took of it (same sign as the line, so positive for a
    line that was sold). `unit_price` excl. VAT.
    """

    line_number: int
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    vat_rate: Decimal
    credited_quantity: Decimal = Decimal(0)
    credited_net: Decimal = Decimal(0)
    credited_total: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """The quantity that can still be credited; negative for a line with a negative quantity."""
        return self.quantity - self.credited_quantity


@dataclass(frozen=True)
class CreditLine:
    """A line of the credit note. `takes`: the quantity it takes of the invoiced line; `quantity` what the note says:
    the same with the other sign, unless the last part had to be told as one piece to be right to the øre.
    """

    line_number: int
    takes: Decimal
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    amounts: LineAmounts


class CreditRefused(Exception):
    """It would credit what cannot be credited. The message says what and what to do; nothing was changed."""


def credit_lines(
    lines: Sequence[InvoicedLine], wanted: Mapping[int, Decimal], *, left_total: Decimal, currency: str
) -> tuple[CreditLine, ...]:
    """The lines of a credit note of `wanted` quantities by line number; lines that are not named are left alone.

    `left_total`: what may still be credited of the invoice in all, incl. VAT. Raises CreditRefused.
    """
    by_number = {line.line_number: line for line in lines}
    made = []
    for number, quantity in wanted.items():
        if number not in by_number:
            raise CreditRefused(f"The statement has no product line {number}.")
        if quantity == 0:
            continue
        line = by_number[number]
        if line.left == 0:
            raise CreditRefused(f"Line {number} is credited already.")
        if not 0 < quantity / line.left <= 1:
            raise CreditRefused(f"Line {number}: at most {_figure(line.left)} can still be credited.")
        made.append(_credit(line, quantity, currency))
    if not made:
        raise CreditRefused("Nothing is to be credited: give at least one line a quantity.")
    total = -sum((line.amounts.total for line in made), Decimal(0))
    if total <= 0:
        raise CreditRefused(
            f"These lines sum to {amount_text(-total, currency)} in the customer's disfavour: a credit note gives. "
            "Choose other lines."
        )
    if total > left_total:
        raise CreditRefused(
            f"These lines sum to {amount_text(total, currency)}, but only {amount_text(left_total, currency)} of the "
            "invoice is not credited yet. Include its discount lines, or credit less."
        )
    return tuple(made)


def _credit(line: InvoicedLine, quantity: Decimal, currency: str) -> CreditLine:
    usual = _line(line, quantity, -quantity, line.unit_price, line.discount_percent, currency)
    whole = _line(line, quantity, line.quantity, line.unit_price, line.discount_percent, currency).amounts
    sign = 1 if whole.net > 0 else -1
    rest_net, rest_total = whole.net - line.credited_net, whole.total - line.credited_total
    fits = -usual.amounts.net * sign <= rest_net * sign and -usual.amounts.total * sign <= rest_total * sign
    takes_all = (usual.amounts.net, usual.amounts.total) == (-rest_net, -rest_total)
    if takes_all or (fits and quantity != line.left):
        return usual
    # VAT is rounded per part as well: of the net amounts that keep the total within the rest, the largest.
    step = Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))
    net = max(rest_net * sign, Decimal(0))
    while net > 0 and _vat_added(net, line.vat_rate, currency) > rest_total * sign:
        net -= step
    price = (net * sign / quantity).quantize(PRICE_STEP)
    exact = _line(line, quantity, -quantity, price, Decimal(0), currency)
    if exact.amounts.net == -net * sign:
        return exact
    return _line(line, quantity, Decimal(-sign), net, Decimal(0), currency)


def _vat_added(net: Decimal, vat_rate: Decimal, currency: str) -> Decimal:
    return line_amounts(
        quantity=Decimal(1), unit_price=net, discount_percent=Decimal(0), vat_rate=vat_rate, currency=currency
    ).total


def _line(
    line: InvoicedLine,
    takes: Decimal,
    quantity: Decimal,
    unit_price: Decimal,
    discount_percent: Decimal,
    currency: str,
) -> CreditLine:
    amounts = line_amounts(
        quantity=quantity,
        unit_price=unit_price,
        discount_percent=discount_percent,
        vat_rate=line.vat_rate,
        currency=currency,
    )
    return CreditLine(line.line_number, takes, quantity, unit_price, discount_percent, amounts)


def _figure(value: Decimal) -> str:
    return f"{value.normalize():f}".replace(".", ",")
