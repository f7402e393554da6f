"""A combined invoice's money, shared out over its statements to the øre."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.money_picture import make_parts
from integration.decisions.sharing import Claim, share_beside, share_parts
from integration.enums import Part as P
from integration.enums import SharingRule as R

DAY = date(2026, 3, 1)


def claim(key, amount, days=0):
    return Claim(key, D(amount), DAY + timedelta(days=days))


def shared(total, amounts, claims, rule, posted=None):
    parts = make_parts(D(posted or total), {part: D(amount) for part, amount in amounts.items()})
    shares = share_parts(parts, D(total), claims, rule)
    return {key: dict(row.shown) for key, row in shares.by_key.items()}, dict(shares.rest.shown)


@pytest.mark.parametrize(
    ("rule", "first", "second"),
    [
        (R.OLDEST_FIRST, {P.PAID: 1000}, {P.PAID: 200, P.OPEN: 800}),
        (R.IN_PROPORTION, {P.PAID: 600, P.OPEN: 400}, {P.PAID: 600, P.OPEN: 400}),
    ],
)
def test_a_payment_goes_to_the_oldest_or_to_all(rule, first, second):
    claims = [claim(2, 1000, days=1), claim(1, 1000)]
    assert shared(2000, {P.PAID: 1200, P.OPEN: 800}, claims, rule) == ({1: first, 2: second}, {})


def test_odd_ore_go_to_somebody_and_no_ore_is_lost():
    claims = [claim(1, "33.33"), claim(2, "33.33"), claim(3, "33.34")]
    by_key, rest = shared(100, {P.PAID: 50, P.CREDITED: D("0.01"), P.OPEN: D("49.99")}, claims, R.IN_PROPORTION)
    assert sum(row.get(P.PAID, 0) for row in by_key.values()) == 50
    assert sum(row.get(P.CREDITED, 0) for row in by_key.values()) == D("0.01")
    assert rest == {}


def test_what_is_not_ours_on_the_invoice_is_served_last():
    by_key, rest = shared(1500, {P.PAID: 1200, P.OPEN: 300}, [claim(1, 1000)], R.OLDEST_FIRST)
    assert (by_key, rest) == ({1: {P.PAID: 1000}}, {P.PAID: 200, P.OPEN: 300})


def test_lines_taken_away_in_go_make_every_share_smaller():
    by_key, rest = shared(900, {P.OPEN: 900}, [claim(1, 1000), claim(2, 500)], R.OLDEST_FIRST)
    assert (by_key, rest) == ({1: {P.OPEN: 600}, 2: {P.OPEN: 300}}, {})


def test_a_credit_among_invoices_is_netted_inside():
    by_key, rest = shared(800, {P.PAID: 800}, [claim(1, 1000), claim(2, -200)], R.IN_PROPORTION)
    assert (by_key, rest) == ({1: {P.PAID: 800, P.NETTED: 200}, 2: {P.NETTED: -200}}, {})


def test_another_currency_is_shared_in_kroner():
    by_key, _ = shared(100, {P.OPEN: 1150}, [claim(1, 40), claim(2, 60)], R.OLDEST_FIRST, posted=1150)
    assert by_key == {1: {P.OPEN: 460}, 2: {P.OPEN: 690}}


def test_fees_are_shared_in_proportion_whatever_the_rule():
    parts = make_parts(D(1500), {P.OPEN: D(1500)})
    shares = share_parts(parts, D(1500), [claim(1, 500), claim(2, 500)], R.OLDEST_FIRST)
    assert share_beside(D("35.00"), shares) == {1: D("11.67"), 2: D("11.67")}


ore = st.integers(-2_000_00, 2_000_00).map(lambda value: D(value) / 100)
some_claims = st.lists(st.tuples(ore, st.integers(0, 3)), min_size=1, max_size=6)
some_parts = st.dictionaries(st.sampled_from([part for part in P if part != P.OPEN]), ore, max_size=4)


@given(some_claims, some_parts, ore, st.sampled_from(R), st.one_of(st.none(), ore))
def test_shares_and_parts_sum_exactly_both_ways(claims, amounts, total, rule, posted):
    """Whatever Go says, and however the statements and the invoice differ."""
    whole = total if posted is None else posted
    parts = make_parts(whole, {**amounts, P.OPEN: whole - sum(amounts.values())})
    shares = share_parts(parts, total, [claim(key, *row) for key, row in enumerate(claims)], rule)
    rows = [*shares.by_key.values(), shares.rest]
    assert len(shares.by_key) == len(claims)
    assert sum(row.total for row in rows) == whole
    for row in rows:
        assert sum(amount for _, amount in row.amounts) == row.total
    for part in P:
        assert sum(row[part] for row in rows) == parts[part]


money = st.integers(0, 1_000_00).map(lambda value: D(value) / 100)


@given(st.lists(st.tuples(money, st.integers(0, 3)), min_size=1, max_size=6), money, st.sampled_from(R))
def test_of_ordinary_invoices_no_share_is_less_than_nothing_or_more_than_the_statement(claims, paid, rule):
    total = sum(amount for amount, _ in claims)
    paid = min(paid, total)
    made = [claim(key, *row) for key, row in enumerate(claims)]
    shares = share_parts(make_parts(total, {P.PAID: paid, P.OPEN: total - paid}), total, made, rule)
    for each in made:
        row = shares.by_key[each.key]
        assert row.total == each.amount
        assert 0 <= row[P.PAID] <= each.amount
    if rule == R.OLDEST_FIRST:
        rows = [shares.by_key[each.key] for each in sorted(made, key=lambda each: (each.due, each.key))]
        untouched = [row[P.OPEN] > 0 for row in rows if row.total]
        assert untouched == sorted(untouched)
