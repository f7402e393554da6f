"""Lines that are alike, rounded once."""

from collections import Counter, defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.line_sums import Alike, Sum, sums_by_currency
from integration.decisions.money import LineAmounts, line_amounts

D = Decimal
LINES = st.lists(
    st.tuples(
        st.none() | st.decimals(-50, 50, places=4),
        st.none() | st.decimals(-10_000, 10_000, places=4),
        st.sampled_from([D(0), D("12.5"), D("33.3333"), D(100)]),
        st.sampled_from([D(0), D("0.12"), D("0.1111"), D("0.25")]),
        st.sampled_from(["NOK", "EUR", "JPY"]),
    ),
    max_size=40,
)


def test_each_line_is_rounded_by_itself_before_it_is_added():
    """3 x 0,005 kroner: three lines of one øre, not two øre for all."""
    alike = Alike(3, D(1), D("0.005"), D(0), D("0.25"), "NOK")
    assert sums_by_currency([alike]) == {"NOK": Sum(3, D("0.03"), D("0.00"), D("0.03"))}


def test_kroner_come_first_and_a_text_line_counts_as_nothing():
    groups = [Alike(1, D(1), D(10), D(0), D(0), currency) for currency in ("SEK", "EUR", "NOK")]
    groups.append(Alike(2, None, None, D(0), D(0), "NOK"))
    found = sums_by_currency(groups)
    assert [(currency, each.many, each.total) for currency, each in found.items()] == [
        ("NOK", 3, D(10)),
        ("EUR", 1, D(10)),
        ("SEK", 1, D(10)),
    ]


@given(LINES)
def test_the_sum_is_that_of_the_lines_one_by_one(lines: list[tuple[D | None, D | None, D, D, str]]):
    one_by_one: dict[str, list[LineAmounts]] = defaultdict(list)
    for quantity, price, discount, rate, currency in lines:
        one_by_one[currency].append(
            line_amounts(
                quantity=quantity, unit_price=price, discount_percent=discount, vat_rate=rate, currency=currency
            )
        )
    groups = [Alike(many, *said) for said, many in Counter(lines).items()]
    assert sums_by_currency(groups) == {
        currency: Sum(
            len(amounts),
            sum((each.net for each in amounts), D(0)),
            sum((each.vat for each in amounts), D(0)),
            sum((each.total for each in amounts), D(0)),
        )
        for currency, amounts in one_by_one.items()
    }
