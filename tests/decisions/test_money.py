"""Rounding, sums and sharing out."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.money import line_amounts, lines_among, round_money, share_out, statement_totals


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1.005", "NOK", "1.01"),
        ("-1.005", "NOK", "-1.01"),
        ("2.675", "EUR", "2.68"),
        ("10.5", "JPY", "11.00"),
        ("0.004", "NOK", "0.00"),
    ],
)
def test_round_money_is_half_up_to_the_currency(amount, currency, expected):
    assert str(round_money(D(amount), currency)) == expected


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "rate", "expected"),
    [
        ("2", "1000", "0", "0.12", ("2000.00", "240.00", "2240.00")),
        ("3", "33.335", "0", "0.25", ("100.01", "25.00", "125.01")),
        ("1", "100", "12.5", "0.25", ("87.50", "21.88", "109.38")),
        ("-1", "500", "0", "0.25", ("-500.00", "-125.00", "-625.00")),
        ("1", "100", "-10", "0", ("110.00", "0.00", "110.00")),
    ],
)
def test_line_amounts_round_per_line(quantity, price, discount, rate, expected):
    amounts = line_amounts(
        quantity=D(quantity), unit_price=D(price), discount_percent=D(discount), vat_rate=D(rate), currency="NOK"
    )
    assert (str(amounts.net), str(amounts.vat), str(amounts.total)) == expected


def test_text_line_amounts_are_zero():
    amounts = line_amounts(quantity=None, unit_price=None, discount_percent=D(0), vat_rate=D("0.25"), currency="NOK")
    assert amounts.total == 0


def test_statement_totals_are_the_sums_of_rounded_lines():
    line = line_amounts(quantity=D(1), unit_price=D("0.335"), discount_percent=D(0), vat_rate=D("0.25"), currency="NOK")
    totals = statement_totals([line] * 3, "NOK")
    assert (totals.net, totals.vat, totals.total) == (D("1.02"), D("0.27"), D("1.29"))


@given(
    st.decimals(min_value=-1_000_000, max_value=1_000_000, places=2),
    st.lists(st.decimals(min_value=0, max_value=10_000, places=2), min_size=1, max_size=20),
)
def test_share_out_sums_to_the_whole_to_the_ore(amount, weights):
    parts = share_out(amount, weights)
    assert sum(parts) == amount
    assert len(parts) == len(weights)


def test_share_out_gives_odd_ore_to_the_largest_remainder():
    assert share_out(D("100.00"), [D(1), D(1), D(1)]) == [D("33.34"), D("33.33"), D("33.33")]


def test_share_out_without_weights_gives_all_to_the_first():
    assert share_out(D("5.00"), [D(0), D(0)]) == [D("5.00"), D("0.00")]


def test_share_out_among_nobody_is_nothing():
    assert share_out(D("5.00"), []) == []


@pytest.mark.parametrize(
    ("count", "of", "words"),
    [(1, 1, "1 of its 1 line is"), (1, 3, "1 of its 3 lines is"), (2, 3, "2 of its 3 lines are")],
)
def test_lines_among(count: int, of: int, words: str) -> None:
    assert lines_among(count, of) == words
