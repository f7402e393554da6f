"""The report *Invoice order rows*."""

import csv
import io
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from integration.admin import order_rows, paginator
from integration.admin.display import amount, number
from integration.admin.resources import OrderRowResource
from integration.enums import LineKind, StatementKind
from integration.enums import StatementStatus as S
from integration.models import GoCompany, StatementLine
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_statementline_changelist")
EXPORT = reverse("admin:integration_statementline_export")
Sums = list[dict[str, str]]


def listed(client: Client, **query: Any) -> tuple[list[StatementLine], Sums]:
    """The rows of the list and what it says they come to."""
    context: Any = client.get(LIST, query).context
    return list(context["cl"].queryset), context["sums"]["rows"]


def added_up(lines: list[StatementLine]) -> Sums:
    """What lines come to, one by one in plain Decimal."""
    by_currency: dict[str, list[Any]] = defaultdict(list)
    for line in lines:
        by_currency[line.statement.currency].append(line.amounts())
    return [
        {
            "many": number(len(by_currency[currency])),
            "net": amount(sum((each.net for each in by_currency[currency]), Decimal(0)), currency),
            "vat": amount(sum((each.vat for each in by_currency[currency]), Decimal(0)), currency),
            "total": amount(sum((each.total for each in by_currency[currency]), Decimal(0)), currency),
        }
        for currency in sorted(by_currency, key=lambda name: (name != "NOK", name))
    ]


def random_book(company: GoCompany, seed: int, many: int = 60) -> None:
    """Statements of all states, currencies and days, with prices that do not divide evenly."""
    dice = random.Random(seed)
    customers = [factories.customer(company) for _ in range(4)]
    products = [factories.product(company) for _ in range(3)]
    for _ in range(many):
        sign = dice.choice([1, 1, 1, -1])
        factories.statement(
            company,
            customer=dice.choice(customers),
            status=dice.choice(list(S)),
            currency=dice.choice(["NOK", "NOK", "NOK", "EUR", "JPY"]),
            kind=StatementKind.INVOICE if sign > 0 else StatementKind.CREDIT_NOTE,
            credit_reason="" if sign > 0 else "Kom ikke",
            statement_date=factories.TODAY - timedelta(days=dice.randrange(90)),
            lines=[
                {
                    "product": dice.choice(products),
                    "quantity": sign * Decimal(dice.randrange(1, 40_000)) / 10_000,
                    "unit_price": Decimal(dice.randrange(1, 9_999_999)) / 10_000,
                    "discount_percent": dice.choice([Decimal(0), Decimal("33.3333")]),
                    "vat_rate": dice.choice([Decimal(0), Decimal("0.12"), Decimal("0.25")]),
                }
                for _ in range(dice.randrange(1, 4))
            ]
            + [{"kind": LineKind.TEXT}] * dice.randrange(2),
        )


@pytest.mark.parametrize("seed", range(3))
def test_totals_are_the_sum_of_the_rows_listed(finance: Client, home: GoCompany, seed: int) -> None:
    random_book(home, seed)
    factories.statement(status=S.PAID)  # somebody else's
    ours = StatementLine.objects.filter(statement__company=home)
    customer, product = ours.exclude(product=None)[0].statement.customer_id, ours.exclude(product=None)[1].product_id
    queries: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        (
            {"statement__statement_date_from": "10.12.2025", "statement__statement_date_to": "15.01.2026"},
            {"statement__statement_date__range": (date(2025, 12, 10), date(2026, 1, 15))},
        ),
        ({"statement__status__exact": ["PAID", "SENT"]}, {"statement__status__in": ["PAID", "SENT"]}),
        ({"statement__customer__id__exact": customer}, {"statement__customer": customer}),
        ({"product__id__exact": product}, {"product": product}),
        ({"statement__kind__exact": "CREDIT_NOTE"}, {"statement__kind": "CREDIT_NOTE"}),
        ({"product__id__exact": product, "p": 2}, {"product": product}),
    ]
    for query, meant in queries:
        rows, sums = listed(finance, **query)
        wanted = list(ours.filter(**meant))
        assert sorted(row.pk for row in rows) == sorted(row.pk for row in wanted)
        assert sums == added_up(wanted)
        assert wanted != []


def test_rows_of_a_statement_add_up_to_its_total(finance: Client, home: GoCompany) -> None:
    random_book(home, seed=9)
    for statement in home.statements.filter(currency="NOK")[:10]:
        _, sums = listed(finance, q=statement.source_id.lower(), statement__id__exact=statement.pk)
        assert [(each["net"], each["vat"], each["total"]) for each in sums] == [
            (amount(statement.net, "NOK"), amount(statement.vat, "NOK"), amount(statement.total, "NOK"))
        ]


def test_the_statement_that_came_last_first_and_its_lines_in_order(finance: Client, home: GoCompany) -> None:
    for days in (5, 0, 3):
        factories.statement(home, statement_date=factories.TODAY - timedelta(days=days), lines=[{}] * 2)
    rows, _ = listed(finance)
    assert [((factories.TODAY - row.statement.statement_date).days, row.line_number) for row in rows] == [
        (3, 1),
        (3, 2),
        (0, 1),
        (0, 2),
        (5, 1),
        (5, 2),
    ]


def test_a_row_says_what_was_sold_to_whom_and_what_became_of_it(
    as_role: Callable[..., Client], home: GoCompany
) -> None:
    product = factories.product(home, code="BANE")
    factories.statement(
        home,
        source_id="M-1",
        status=S.PAID,
        customer=factories.customer(home, number=17, name="Kari Nordmann"),
        outgoing_invoice=factories.outgoing_invoice(home, invoice_number=20_017),
        lines=[{"product": product, "description": "Bane <4>", "quantity": Decimal("1.5"), "unit_price": 1000}],
    )
    factories.statement(home, customer=None, lines=[{"kind": LineKind.TEXT}])
    shown = as_role("Reader", factories.go_company()).get(LIST).content.decode()
    for words in ("M-1", "02.02.2026, line 1", "17 Kari Nordmann", "Fjordgløtt Camping AS", "BANE", "Bane &lt;4&gt;"):
        assert words in shown
    for words in (
        "1,5",
        "1\u202f500,00",
        "375,00",
        "1\u202f875,00 <small>NOK",
        "20017",
        "Paid",
        "No customer",
        "Text 1",
    ):
        assert words in shown
    assert "export" not in shown


def test_a_date_that_is_none_finds_nothing_and_says_so(finance: Client, home: GoCompany) -> None:
    factories.statement(home)
    response = finance.get(LIST, {"statement__statement_date_from": "32.13.2026"})
    assert list(response.context["cl"].queryset) == []
    assert "Enter a valid date." in response.content.decode()
    assert "Nothing to add up." in response.content.decode()


def test_search_finds_the_rows_of_the_statements(
    finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Ålesund Båt AS", "Bodø Fisk AS"):
        factories.statement(home, customer=factories.customer(home, name=name), lines=[{}, {}])
    for cap in (paginator.CAP, 0):  # few statements by key, very many by a query in the query
        monkeypatch.setattr(order_rows, "CAP", cap)
        rows, _ = listed(finance, q="ålesund")
        assert [row.statement.customer.name for row in rows if row.statement.customer] == ["Ålesund Båt AS"] * 2
    assert len(listed(finance, q=" ")[0]) == 4


def test_very_many_rows_are_not_added_up_while_somebody_waits(
    finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_rows, "ADDED_UP", 2)
    factories.statement(home, lines=[{}] * 2)
    assert len(listed(finance)[1]) == 1
    factories.statement(home)
    response = finance.get(LIST)
    assert response.context["sums"] == {"too_many": "2"}
    assert "More than 2 rows: not added up here. Choose a shorter period" in response.content.decode()


def test_queries_do_not_grow_with_the_rows(finance: Client, home: GoCompany) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(LIST).status_code == 200
        return len(caught)

    factories.statement(home, outgoing_invoice=factories.outgoing_invoice(home))
    finance.get(LIST)
    one = queries()
    for _ in range(4):
        factories.statement(home, outgoing_invoice=factories.outgoing_invoice(home), lines=[{}] * 3)
    assert queries() == one


def test_a_name_of_others_is_not_shown_as_chosen(finance: Client, home: GoCompany) -> None:
    theirs = factories.statement(lines=[{}])
    product: Any = theirs.lines.get().product
    queries: list[dict[str, Any]] = [
        {"statement__customer__id__exact": theirs.customer_id},
        {"product__id__exact": product.pk},
    ]
    for query in queries:
        shown = finance.get(LIST, query).content.decode()
        assert str(theirs.customer) not in shown
        assert product.name not in shown
    ours = factories.customer(home)
    assert str(ours) in finance.get(LIST, {"statement__customer__id__exact": ours.pk}).content.decode()


# --- The export -----------------------------------------------------------------------------------------------------


def download(client: Client, kind: str, query: str = "") -> bytes:
    response: Any = client.post(EXPORT + query, {"format": kind, "resource": "0"})
    assert response.headers["Content-Disposition"].startswith('attachment; filename="invoice-order-rows-20')
    return b"".join(response.streaming_content)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_filtered_rows_go_out_with_formulas_defused(finance: Client, home: GoCompany) -> None:
    factories.statement(home, status=S.UPCOMING)
    factories.statement()  # somebody else's
    factories.statement(
        home,
        source_id="M-1",
        status=S.SENT,
        customer=factories.customer(home, number=17, name="=cmd|' /C calc'!A0"),
        outgoing_invoice=factories.outgoing_invoice(home, invoice_number=20_017),
        lines=[
            {"product": factories.product(home, code="-1"), "description": "@SUM(1)", "unit_price": Decimal("0.125")},
            {"kind": LineKind.TEXT, "description": "tekst"},
        ],
    )
    rows = rows_of(download(finance, "0", "?statement__status__exact=SENT"))
    assert [row["Line"] for row in rows] == ["1", "2"]
    assert {key: rows[0][key] for key in rows[0] if key not in {"Reference", "Product"}} == {
        "Company": "Fjordgløtt Camping AS",
        "Customer number": "17",
        "Customer": "'=cmd|' /C calc'!A0",
        "Statement": "M-1",
        "Kind": "Invoice",
        "Status": "Sent, unpaid",
        "Date": "02.02.2026",
        "Line": "1",
        "Product code": "'-1",
        "Description": "'@SUM(1)",
        "Quantity": "1,00",
        "Unit price excl. VAT": "0,1250",
        "Discount %": "0,00",
        "VAT rate": "25 %",
        "Net": "0,13",
        "VAT": "0,03",
        "Incl. VAT": "0,16",
        "Currency": "NOK",
        "Invoice number": "20017",
        "Invoice date": "02.02.2026",
        "Due": "16.02.2026",
    }
    book: Any = load_workbook(io.BytesIO(download(finance, "1", "?statement__status__exact=SENT")))
    sheet = list(book["Invoice order rows"].iter_rows(values_only=True))
    assert [row[sheet[0].index("Incl. VAT")] for row in sheet[1:]] == [0.16, 0]


def test_a_download_sums_to_what_the_page_says(finance: Client, home: GoCompany) -> None:
    random_book(home, seed=4)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows_of(download(finance, "0")):
        totals[row["Currency"]] += Decimal(row["Incl. VAT"].replace(",", "."))
    assert [each["total"] for each in listed(finance)[1]] == [
        amount(totals[currency], currency) for currency in ("NOK", "EUR", "JPY")
    ]


def test_rows_go_out_in_one_query_while_they_are_read(home: GoCompany, django_assert_num_queries: Any) -> None:
    factories.statement(home, lines=[{}] * 5)
    factories.statement(home, outgoing_invoice=factories.outgoing_invoice(home), lines=[{}] * 5)
    rows = OrderRowResource().rows(StatementLine.objects.all())
    with django_assert_num_queries(0):
        next(rows)  # the headings
    with django_assert_num_queries(1):
        assert sum(1 for _ in rows) == 10


@pytest.mark.parametrize(("role", "may"), [("Finance", True), ("Support", False), ("Reader", False)])
def test_everybody_reads_and_finance_exports(as_role: Callable[..., Client], role: str, may: bool) -> None:
    client = as_role(role)
    assert client.get(LIST).status_code == 200
    assert client.get(EXPORT).status_code == (200 if may else 403)
    assert as_role().get(LIST).status_code == 403
