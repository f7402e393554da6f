"""How much may be marked as paid by hand, and when a second person must look."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.by_hand import amount_problem, date_problem, in_kroner, needs_second_person, open_in_go

D = Decimal
TODAY = date(2026, 11, 21)
KRONER = st.decimals(D("-100000"), D("100000"), places=2)


@pytest.mark.parametrize(
    ("total", "currency", "invoice_total", "posted", "balance", "left"),
    [
        ("1000", "NOK", "1000", "1000", "1000", "1000"),
        ("1000", "NOK", "1000", "1000", "400", "400"),
        ("1000", "NOK", "1000", "1000", "-50", "0.00"),
        ("1000", "NOK", "3000", "3000", "2500", "1000"),
        ("100", "EUR", "100", "1150", "1150", "100.00"),
        ("100", "EUR", "100", "1150", "575", "50.00"),
        ("100", "EUR", "100", "0", "0", "0.00"),
    ],
)
def test_what_go_says_is_open(total, currency, invoice_total, posted, balance, left):
    found = open_in_go(
        total=D(total), currency=currency, invoice_total=D(invoice_total), posted=D(posted), balance=D(balance)
    )
    assert found == D(left)


@given(total=st.decimals(D("0.01"), D("100000"), places=2), invoice=KRONER, posted=KRONER, balance=KRONER)
def test_open_is_between_nothing_and_the_total(total, invoice, posted, balance):
    for currency in ("NOK", "EUR", "JPY"):
        left = open_in_go(total=total, currency=currency, invoice_total=invoice, posted=posted, balance=balance)
        assert 0 <= left <= total


@pytest.mark.parametrize(
    ("amount", "problem"),
    [
        ("0.01", ""),
        ("1000.00", ""),
        ("0", "The amount must be more than 0."),
        ("-1", "The amount must be more than 0."),
        ("1000.01", "1\u202f000,01\xa0NOK is more than what is open: 1\u202f000,00\xa0NOK."),
    ],
)
def test_amount_problem(amount, problem):
    assert amount_problem(D(amount), D(1000), "NOK") == problem


def test_a_currency_without_hundredths_takes_none():
    assert amount_problem(D("10.50"), D(1000), "JPY") == "10.50 has more decimals than JPY has."


@pytest.mark.parametrize(
    ("paid_on", "problem"),
    [
        (TODAY, ""),
        (date(2000, 1, 1), ""),
        (date(2026, 11, 22), "The day lies in the future: mark it as paid when the money has come."),
        (date(1999, 12, 31), "That is long ago: look at the year."),
    ],
)
def test_date_problem(paid_on, problem):
    assert date_problem(paid_on, TODAY) == problem


@pytest.mark.parametrize(
    ("amount", "currency", "invoice_total", "posted", "kroner"),
    [
        ("100", "NOK", None, None, "100"),
        ("100", "EUR", "200", "2300", "1150"),
        ("100", "EUR", None, None, None),
        ("100", "EUR", "0", "0", None),
    ],
)
def test_in_kroner_at_the_rate_of_the_posting_or_nobody_knows(amount, currency, invoice_total, posted, kroner):
    found = in_kroner(
        D(amount),
        currency,
        invoice_total=None if invoice_total is None else D(invoice_total),
        posted=None if posted is None else D(posted),
    )
    assert found == (None if kroner is None else D(kroner))


@pytest.mark.parametrize(
    ("kroner", "limit", "needed"),
    [
        ("1000", None, False),
        (None, None, False),
        ("1000", "1000", False),
        ("1000.01", "1000", True),
        ("0.01", "0", True),
        (None, "1000", True),
    ],
)
def test_needs_second_person(kroner, limit, needed):
    given_kroner = None if kroner is None else D(kroner)
    assert needs_second_person(given_kroner, None if limit is None else D(limit)) == needed
