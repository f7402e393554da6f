"""From a statement to a sales order, or every reason why not."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.decisions.sales_orders import (
    MAX_LINES,
    LineFacts,
    Problem,
    StatementFacts,
    line_reference,
    problems_of,
    readable_text,
    sales_order_draft,
    same_order,
    statement_reference,
    totals_differ,
)
from integration.enums import LineKind, StatementKind
from integration.terms import SalesOrderDraft

LINE = LineFacts(1, LineKind.PRODUCT, "Hytte 4", "HYTTE", 7, quantity=D(2), unit_price=D(1000))
STATEMENT = StatementFacts(
    reference="FB-88123-abc",
    kind=StatementKind.INVOICE,
    currency="NOK",
    statement_date=date(2026, 3, 2),
    total=D("2240.00"),
    has_customer=True,
    customer_in_go=42,
    lines=(LINE,),
)


@given(st.text(max_size=200), st.text(max_size=200), st.integers(min_value=1, max_value=99))
def test_reference_fits_go_whatever_the_source_says(source, source_id, version):
    reference = statement_reference(source, source_id, version)
    assert len(line_reference(reference, 5000)) <= 50
    assert "," not in reference
    assert reference == statement_reference(source, source_id, version)
    assert reference.isascii()


def test_reference_differs_by_source_id_and_version():
    references = {
        statement_reference("QONDOR", "88123"),
        statement_reference("API", "88123"),
        statement_reference("QONDOR", "88124"),
        statement_reference("QONDOR", "88123", 2),
        statement_reference("QONDOR", "8812-3"),
    }
    assert len(references) == 5


def test_order_carries_what_the_statement_says():
    order = sales_order_draft(replace(STATEMENT, locked=True, payment_days=14, order_number=9))
    assert isinstance(order, SalesOrderDraft)
    assert (order.reference, order.customer_id, order.locked, order.payment_days) == ("FB-88123-abc", 42, True, 14)
    (line,) = order.lines
    assert (line.reference, line.product_id, line.quantity, line.unit_price) == ("FB-88123-abc/1", 7, D(2), D(1000))


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"has_customer": False, "customer_in_go": None}, ["NO_CUSTOMER"]),
        ({"customer_in_go": None, "customer_problem": Problem("CUSTOMER_AMBIGUOUS", "Two")}, ["CUSTOMER_AMBIGUOUS"]),
        ({"currency": "XXX"}, ["CURRENCY"]),
        ({"lines": ()}, ["NO_LINES"]),
        ({"lines": (LineFacts(1, LineKind.TEXT, "Only words"),)}, ["NO_LINES"]),
        ({"total": D(0)}, ["ZERO_TOTAL"]),
        ({"total": D(-10)}, ["NEGATIVE"]),
        ({"kind": StatementKind.CREDIT_NOTE}, ["POSITIVE"]),
        ({"stated_total": D("2240.01")}, ["SUM_DIFFERS"]),
        ({"stated_total": D("2240.00")}, []),
        ({"customer_reference": "x" * 201}, ["TEXT_TOO_LONG"]),
        ({"lines": (replace(LINE, product_in_go=None),)}, ["PRODUCT_UNKNOWN"]),
        ({"lines": (replace(LINE, quantity=None, unit_price=None),)}, ["NO_QUANTITY", "NO_PRICE"]),
        ({"lines": (LINE, LineFacts(2, LineKind.TEXT, " \x07 "))}, ["LINE_EMPTY"]),
        ({"lines": (replace(LINE, description="x" * 10_000),)}, ["TEXT_TOO_LONG"]),
        ({"lines": tuple(replace(LINE, line_number=n) for n in range(MAX_LINES + 1))}, ["TOO_MANY_LINES"]),
    ],
)
def test_problems_name_every_reason(change, codes):
    assert [problem.code for problem in problems_of(replace(STATEMENT, **change))] == codes


def test_problems_come_all_at_once_and_name_the_line():
    bad = replace(
        STATEMENT, has_customer=False, currency="kr", lines=(LINE, replace(LINE, line_number=2, product_in_go=None))
    )
    problems = sales_order_draft(bad)
    assert isinstance(problems, list)
    assert [str(problem) for problem in problems] == [
        "The statement has no customer. Choose one and push again.",
        "The currency 'kr' is not one we know. Correct it.",
        "Line 2: PowerOffice Go has no product HYTTE. Make it there, or let Fakturabro create it.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hytte 4\r\n2 netter\t!", "Hytte 4  2 netter !"),
        ("bell\x07 null\x00", "bell null"),
        ("🏕 שלום", "🏕 שלום"),
        ("lone \ud800 surrogate", "lone  surrogate"),
    ],
)
def test_readable_text_drops_only_what_nobody_can_read(text, expected):
    assert readable_text(text) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "lines", "expected"),
    [
        ("100.00", "100.05", 1, False),
        ("100.00", "100.06", 1, True),
        ("100.00", "100.10", 11, False),
        ("100.00", "99.94", 1, True),
    ],
)
def test_totals_differ_beyond_rounding(ours, theirs, lines, expected):
    assert totals_differ(D(ours), D(theirs), lines) is expected


def test_same_order_says_what_differs():
    assert same_order(STATEMENT, their_customer_id=42, their_total=D("2240.00"), line_count=1) == ""
    assert same_order(STATEMENT, their_customer_id=None, their_total=D("2240.00"), line_count=1) == ""
    assert same_order(STATEMENT, their_customer_id=43, their_total=D("1.00"), line_count=1) == (
        "the customer there has id 43, ours 42 and the total there is 1,00\xa0NOK, ours 2\u202f240,00"
    )
