"""Credits: by line and quantity, parts that add up, and never more than was invoiced."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.credits import CreditRefused, InvoicedLine, credit_lines
from integration.decisions.money import line_amounts

D = Decimal


def invoiced(quantity="3", price="100", discount="0", vat="0.25", number=1, **credited):
    return InvoicedLine(number, D(quantity), D(price), D(discount), D(vat), **credited)


def whole(line, currency="NOK"):
    return line_amounts(
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        vat_rate=line.vat_rate,
        currency=currency,
    )


def test_a_line_in_full_is_its_mirror_image():
    line = invoiced(discount="10")
    [credit] = credit_lines([line], {1: D(3)}, left_total=D("337.50"), currency="NOK")
    assert (credit.quantity, credit.unit_price, credit.discount_percent) == (D(-3), D(100), D(10))
    assert credit.amounts.total == -whole(line).total


def test_a_part_of_a_line():
    [credit] = credit_lines([invoiced(), invoiced(number=2)], {1: D(1)}, left_total=D(750), currency="NOK")
    assert (credit.line_number, credit.quantity, credit.amounts.total) == (1, D(-1), D("-125.00"))


def test_a_discount_line_goes_the_other_way():
    lines = [invoiced(), invoiced(quantity="-1", price="50", number=2)]
    made = credit_lines(lines, {1: D(3), 2: D(-1)}, left_total=D("312.50"), currency="NOK")
    assert [line.quantity for line in made] == [D(-3), D(1)]
    assert sum(line.amounts.total for line in made) == D("-312.50")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Nothing is to be credited"),
        ({1: D(0)}, "Nothing is to be credited"),
        ({7: D(1)}, "no product line 7"),
        ({1: D("3.5")}, "Line 1: at most 3 can"),
        ({1: D(-1)}, "Line 1: at most 3 can"),
        ({2: D(1)}, "Line 2 is credited already"),
        ({3: D(1)}, "Line 3: at most -1 can"),
        ({3: D(-1)}, "in the customer's disfavour"),
        ({1: D(3), 3: D("-0.1")}, "only 350,00\xa0NOK of the invoice is not credited yet"),
    ],
)
def test_what_cannot_be_credited_is_refused_in_words(wanted, words):
    lines = [
        invoiced(),
        invoiced(quantity="1", number=2, credited_quantity=D(1), credited_net=D(100), credited_total=D(125)),
        invoiced(quantity="-1", price="20", number=3),
    ]
    with pytest.raises(CreditRefused, match=words):
        credit_lines(lines, wanted, left_total=D(350), currency="NOK")


def figures(low, high, places):
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


@given(
    quantity=figures("0.25", "50", 2),
    price=figures("0.01", "5000", 4),
    discount=st.sampled_from(["0", "10", "33.3333"]),
    vat=st.sampled_from(["0", "0.12", "0.15", "0.25"]),
    shares=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    sign=st.sampled_from([1, -1]),
    currency=st.sampled_from(["NOK", "JPY"]),
)
def test_parts_add_up_to_the_line_and_never_exceed_it(quantity, price, discount, vat, shares, sign, currency):
    """However a line is cut: its parts never exceed it, and in sum miss it by the rounding of VAT at most."""
    line = InvoicedLine(1, sign * quantity, price, D(discount), D(vat))
    of_all = whole(line, currency)
    other = InvoicedLine(2, D(1), D(10_000_000), D(0), D(0))  # keeps the note positive beside a negative line
    credited = {"credited_quantity": D(0), "credited_net": D(0), "credited_total": D(0)}
    cuts = [(line.quantity * share / sum(shares)).quantize(D("0.01")) for share in shares[:-1]]
    step = D("0.01") if currency == "NOK" else D(1)
    for index in range(len(shares)):
        now = InvoicedLine(1, line.quantity, line.unit_price, line.discount_percent, line.vat_rate, **credited)
        part = cuts[index] if index < len(cuts) else now.left
        if part == 0:
            continue
        made = credit_lines([now, other], {1: part, 2: D(1)}, left_total=D(20_000_000), currency=currency)[0]
        credited["credited_quantity"] += part
        credited["credited_net"] -= made.amounts.net
        credited["credited_total"] -= made.amounts.total
    assert credited["credited_quantity"] == line.quantity
    assert 0 <= (of_all.net - credited["credited_net"]) * sign <= 2 * step
    assert 0 <= (of_all.total - credited["credited_total"]) * sign <= 2 * step
