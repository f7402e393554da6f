"""What of a draft in Go is not as we made it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from integration.decisions.draft_differences import OurDraft, OurLine, differences
from integration.terms import SalesOrder, SalesOrderLine

D = Decimal
OURS = OurDraft(
    customer_id=7,
    customer="10007 Fjell og Fjord AS",
    currency="NOK",
    order_date=date(2026, 11, 2),
    customer_reference="Kari",
    purchase_order_reference="",
    contract_number="",
    total=D("1120.00"),
    lines=[OurLine("FB-1/1", "Line 1", "Hytte", 3, D("2.0000"), D("500.0000"), D("0"))],
)
LINE = SalesOrderLine("l1", "FB-1/1", "Hytte", 3, D(2), D(500), D(1000), D(120), D("1120.00"))
THEIRS = SalesOrder(
    id="o1",
    number=41,
    locked=False,
    reference="FB-1",
    customer_number=10007,
    customer_id=7,
    net=D(1000),
    total=D("1120.00"),
    line_count=1,
    currency="NOK",
    last_changed_at=None,
    order_date=date(2026, 11, 2),
    customer_reference="Kari",
    lines=(LINE,),
)


def told(theirs):
    found = differences(OURS, theirs, customers={8: "10008 Vidda AS"}, products={3: "HYTTE Hytte"})
    return [(each.where, each.ours, each.theirs) for each in found]


def test_figures_are_compared_by_value():
    assert told(THEIRS) == []


@pytest.mark.parametrize(
    ("theirs", "where", "ours", "there"),
    [
        ({"customer_id": 8}, "Customer", "10007 Fjell og Fjord AS", "10008 Vidda AS"),
        ({"customer_id": 9, "customer_number": 44}, "Customer", "10007 Fjell og Fjord AS", "customer no. 44"),
        ({"currency": "EUR"}, "Currency", "NOK", "EUR"),
        ({"order_date": date(2026, 11, 3)}, "Date", "02.11.2026", "03.11.2026"),
        ({"customer_reference": ""}, "Your reference", "Kari", "–"),
        ({"purchase_order_reference": "PO 1"}, "Purchase order", "–", "PO 1"),
        ({"contract_number": "K-2"}, "Contract", "–", "K-2"),
        (
            {"lines": (replace(LINE, product_id=4),)},
            "Line 1: product",
            "HYTTE Hytte",
            "a product not known here, 4 in PowerOffice Go",
        ),
        ({"lines": (replace(LINE, quantity=D("2.5")),)}, "Line 1: quantity", "2", "2,5"),
        ({"lines": (replace(LINE, unit_price=D(450)),)}, "Line 1: price excl. VAT", "500,00", "450,00"),
        ({"lines": (replace(LINE, discount_percent=D(10)),)}, "Line 1: discount %", "0", "10"),
        ({"lines": ()}, "Line 1", "Hytte: 2 × 500,00", "taken out"),
        ({"total": D("1100.00")}, "Total incl. VAT", "1\u202f120,00\xa0NOK", "1\u202f100,00\xa0NOK"),
    ],
)
def test_each_field(theirs, where, ours, there):
    assert told(replace(THEIRS, **theirs)) == [(where, ours, there)]


def test_lines_that_were_added_with_and_without_a_reference():
    added = (LINE, replace(LINE, reference="X/9", description="Kaffe"), replace(LINE, reference="", quantity=None))
    assert [row[0] for row in told(replace(THEIRS, lines=added))] == ["New line", "New line"]
