"""The list of statements, a statement's page, and typing one by hand."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integration.admin import search
from integration.enums import LineKind, StatementKind, StatementSource, StatementStatus
from integration.models import AdminAction, GoCompany, InvoiceStatement
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:integration_invoicestatement_changelist")
ADD = reverse("admin:integration_invoicestatement_add")
S = StatementStatus


def page(statement: InvoiceStatement) -> str:
    return reverse("admin:integration_invoicestatement_change", args=[statement.pk])


def listed(client: Client, query: str = "") -> list[str]:
    return [row.source_id for row in client.get(f"{LIST}?{query}").context["cl"].result_list]


def form(company: GoCompany, *lines: dict[str, Any], initial: int = 0, **fields: Any) -> dict[str, Any]:
    """What the browser posts: the statement's fields, then its lines."""
    data = {
        "company": company.pk,
        "kind": "INVOICE",
        "statement_date": "02.02.2026",
        "currency": "NOK",
        "lines-TOTAL_FORMS": len(lines),
        "lines-INITIAL_FORMS": initial,
        **fields,
    }
    for place, line in enumerate(lines):
        data |= {f"lines-{place}-{name}": value for name, value in line.items()}
    return data


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


# --- The list ---------------------------------------------------------------------------------------------------


def test_three_rows_cost_as_many_queries_as_one(finance: Client, home: GoCompany) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(LIST).status_code == 200
        return len(caught)

    def make() -> None:
        made = factories.outgoing_invoice(home)
        factories.statement(home, status=S.SENT, outgoing_invoice=made, attention="Look")

    make()
    finance.get(LIST)
    one = queries()
    make()
    make()
    assert queries() == one


def test_lists_of_what_waits_for_a_person_say_since_when(finance: Client, home: GoCompany) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(f"{LIST}?{query}").status_code == 200
        return len(caught)

    for days in (0, 1, 12):
        then = timezone.now() - timedelta(days=days)
        failed = factories.statement(home, status=S.CANCELLED, source_id=f"F{days}")
        failed.moves.create(from_status="SENT", to_status="CANCELLED", at=then, reason="Credited in full there")
        failed.moves.create(from_status="SENT", to_status="PAID", at=then - timedelta(days=50), reason="Before")
    shown = finance.get(f"{LIST}?status__exact=CANCELLED").content.decode()
    waits = {words: shown.count(f">{words}</span>") for words in ("today", "1 day", "12 days")}
    assert waits == {"today": 1, "1 day": 1, "12 days": 1}
    assert ">12 days</span>" not in finance.get(LIST).content.decode()

    before = queries("status__exact=CANCELLED&status__exact=NEEDS_FIX")
    factories.statement(home, status=S.NEEDS_FIX).moves.create(
        from_status="PUSHING", to_status="NEEDS_FIX", at=timezone.now(), reason="No customer"
    )
    assert queries("status__exact=CANCELLED&status__exact=NEEDS_FIX") == before


def test_list_says_what_a_bookkeeper_wants_to_know(finance: Client, home: GoCompany) -> None:
    made = factories.outgoing_invoice(home, invoice_number=10044, due_date=timezone.localdate() - timedelta(days=1))
    factories.statement(
        home,
        status=S.SENT,
        source_id="KURS-1",
        customer=factories.customer(home, name="Øystese Bygg AS", number=10011),
        outgoing_invoice=made,
        go_says="Sent, unpaid",
        lines=[{"quantity": 10, "unit_price": Decimal("98765.43")}],
    )
    text = finance.get(LIST).content.decode()
    for words in (
        '<span class="fb-badge fb-open">Sent, unpaid</span>',
        "10011 Øystese Bygg AS",
        "02.02.2026",
        'title="Overdue"',
        '<span class="fb-amount">1\u202f234\u202f567,88 <small>NOK</small></span>',
        f'href="{reverse("admin:integration_outgoinginvoice_change", args=[made.pk])}">10044</a>',
    ):
        assert words in text


def test_list_shows_attention_as_a_warning_instead_of_what_go_says(finance: Client, home: GoCompany) -> None:
    factories.statement(home, status=S.DRAFT, go_says="Draft", attention="<b>Go counts 1 NOK less</b>")
    text = finance.get(LIST).content.decode()
    assert '<span class="fb-attention" title="&lt;b&gt;Go counts 1 NOK less&lt;/b&gt;">' in text


def test_company_is_named_to_those_who_see_several(as_role: Callable[..., Client], home: GoCompany) -> None:
    factories.statement(home)
    alone, both = as_role("Reader"), as_role("Reader", factories.go_company())
    assert ["customer_name" in client.get(LIST).context["cl"].list_display for client in (alone, both)] == [True, False]
    assert "customer_and_company" in both.get(LIST).context["cl"].list_display


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c", "d"]),
        ("status__exact=NEEDS_FIX", ["b"]),
        ("status__exact=NEEDS_FIX&status__exact=UPCOMING", ["a", "b"]),
        ("attention=yes", ["b"]),
        ("attention=no", ["a", "c", "d"]),
        ("source__exact=SPREADSHEET", ["c"]),
        ("kind__exact=CREDIT_NOTE", ["d"]),
        ("q=ØYSTESE", ["a"]),
        ("q=20044", ["c"]),
    ],
)
def test_filters_and_search(finance: Client, home: GoCompany, query: str, found: list[str]) -> None:
    factories.statement(home, source_id="a", status=S.UPCOMING, customer=factories.customer(home, name="Øystese AS"))
    factories.statement(home, source_id="b", status=S.NEEDS_FIX, attention="No product")
    made = factories.outgoing_invoice(home, invoice_number=20044)
    factories.statement(home, source_id="c", status=S.PAID, source=StatementSource.SPREADSHEET, outgoing_invoice=made)
    factories.statement(
        home, source_id="d", status=S.PROCESSING, kind=StatementKind.CREDIT_NOTE, credit_reason="Goodwill"
    )
    assert sorted(listed(finance, query)) == found


@pytest.mark.parametrize(
    ("due", "found"),
    [("overdue", ["-1"]), ("week", ["0", "6"]), ("later", ["7"]), ("x", ["-1", "0", "6", "7", "paid"])],
)
def test_due_filter(finance: Client, home: GoCompany, due: str, found: list[str]) -> None:
    today = timezone.localdate()
    for days in (-1, 0, 6, 7):
        made = factories.outgoing_invoice(home, due_date=today + timedelta(days=days))
        factories.statement(home, source_id=str(days), status=S.SENT, outgoing_invoice=made)
    settled = factories.outgoing_invoice(home, due_date=today - timedelta(days=9), balance=Decimal(0))
    factories.statement(home, source_id="paid", status=S.PAID, outgoing_invoice=settled)
    assert sorted(listed(finance, f"due={due}")) == found


# --- The page ---------------------------------------------------------------------------------------------------


def test_page_says_lines_totals_and_where_it_is_in_go(finance: Client, home: GoCompany, settings: Any) -> None:
    settings.GO_WEB_URL = "https://go.example.no"
    made = factories.outgoing_invoice(home, invoice_number=10044, total=Decimal("237.00"), net=Decimal(200))
    factories.ledger_entry(made, amount=Decimal("-100.00"), voucher_number=77, voucher_type="IncomingOcrGiro")
    product = factories.product(home, code="PLASS")
    statement = factories.statement(
        home,
        status=S.PARTLY_PAID,
        outgoing_invoice=made,
        go_order_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        lines=[
            {"product": product, "description": "Camping", "quantity": 8000, "unit_price": Decimal("0.0125")},
            {"product": product, "vat_rate": Decimal("0.12"), "discount_percent": Decimal(10)},
            {"kind": LineKind.TEXT, "description": "Takk <b>for</b> oppholdet"},
        ],
    )
    response = finance.get(page(statement))
    sheet = response.context["sheet"]
    assert sheet["totals"] == [
        ("Net excl. VAT", "190,00\xa0NOK"),
        ("VAT 12\xa0%", "10,80\xa0NOK"),
        ("VAT 25\xa0%", "25,00\xa0NOK"),
        ("Total incl. VAT", "225,80\xa0NOK"),
    ]
    assert [(row["number"], row["product"], row["discount"], row["net"]) for row in sheet["lines"]["rows"]] == [
        (1, "PLASS", "", "100,00\xa0NOK"),
        (2, "PLASS", "10\xa0%", "90,00\xa0NOK"),
        (3, "", "", "0,00\xa0NOK"),
    ]
    assert [row["unit_price"] for row in sheet["lines"]["rows"]] == ["0,0125", "100,00", ""]
    assert sheet["invoice"]["title"] == "Invoice 10044"
    assert sheet["invoice"]["entries"] == [
        {"date": "02.02.2026", "what": "Incoming OCR giro", "voucher": 77, "amount": "-100,00\xa0NOK"}
    ]
    assert sheet["go_order_url"].startswith("https://go.example.no/")
    assert sheet["go_order_url"].endswith("0f8fad5b-d9cb-469f-a165-70867728950e")
    assert "Takk &lt;b&gt;for&lt;/b&gt; oppholdet" in response.content.decode()


def test_page_names_what_it_credits_and_what_credits_it(finance: Client, home: GoCompany) -> None:
    invoice = factories.statement(home, source_id="INV", status=S.PAID)
    note = factories.statement(home, source_id="NOTE", kind=StatementKind.CREDIT_NOTE, credits=invoice, status=S.DRAFT)
    shown = {
        statement.source_id: dict(finance.get(page(statement)).context["sheet"]["facts"])
        for statement in (invoice, note)
    }
    assert f'href="{page(note)}"' in shown["INV"]["Credited by"]
    assert f'href="{page(invoice)}"' in shown["NOTE"]["Credits"]


def test_page_costs_as_many_queries_for_many_lines_as_for_one(finance: Client, home: GoCompany) -> None:
    def queries(statement: InvoiceStatement) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(page(statement)).status_code == 200
        return len(caught)

    product = factories.product(home)
    one = factories.statement(home, status=S.PAID, lines=[{"product": product}])
    many = factories.statement(home, status=S.PAID, lines=[{"product": product}] * 30)
    for _ in range(5):
        factories.attempt(statement=many, ended_at=factories.NOW, outcome="DONE")
    queries(one)
    assert queries(many) == queries(one)


def test_5000_lines_are_shown_page_by_page_and_not_as_a_form(finance: Client, home: GoCompany) -> None:
    product = factories.product(home)
    statement = factories.statement(home, status=S.UPCOMING, lines=[{"product": product}] * 5000)
    response = finance.get(page(statement))
    lines = response.context["sheet"]["lines"]
    assert (response.context["inline_admin_formsets"], len(lines["rows"]), lines["page"].paginator.count) == (
        [],
        100,
        5000,
    )
    assert finance.get(f"{page(statement)}?lines=50").context["sheet"]["lines"]["rows"][-1]["number"] == 5000


def test_long_statement_keeps_its_lines_when_its_head_is_saved(finance: Client, home: GoCompany) -> None:
    product = factories.product(home)
    statement = factories.statement(home, status=S.UPCOMING, lines=[{"product": product}] * 101)
    response = finance.post(page(statement), form(home, customer_reference="Kari", customer=statement.customer_id))
    assert response.status_code == 302
    saved = InvoiceStatement.objects.get(pk=statement.pk)
    assert (saved.customer_reference, saved.lines.count(), saved.total) == ("Kari", 101, Decimal("12625.00"))


# --- Typing by hand ---------------------------------------------------------------------------------------------


def test_typed_statement_gets_number_reference_and_totals(finance: Client, home: GoCompany) -> None:
    product = factories.product(home, name="Hytte", price=Decimal("1250.5"), vat_rate=Decimal("0.12"))
    customer = factories.customer(home)
    lines = (
        {"product": product.pk, "quantity": "2"},
        {"product": product.pk, "quantity": "1,5", "unit_price": "1 000,00", "vat_rate": "25", "description": "Båt"},
        {"description": "Takk!"},
    )
    response = finance.post(ADD, form(home, *lines, customer=customer.pk))
    typed = InvoiceStatement.objects.get()
    year = timezone.localdate().year
    assert response["Location"] == page(typed)
    assert (typed.source, typed.source_id, typed.status) == ("HAND", f"H-{year}-0001", "UPCOMING")
    assert typed.reference.startswith(f"FB-H-{year}-0001-")
    assert (typed.net, typed.vat, typed.total) == (Decimal("4001.00"), Decimal("675.12"), Decimal("4676.12"))
    assert typed.search.split()[0] == f"h-{year}-0001"
    assert list(
        typed.lines.order_by("line_number").values_list(
            "line_number", "kind", "description", "quantity", "unit_price", "vat_rate"
        )
    ) == [
        (1, "PRODUCT", "Hytte", Decimal(2), Decimal("1250.5"), Decimal("0.12")),
        (2, "PRODUCT", "Båt", Decimal("1.5"), Decimal(1000), Decimal("0.25")),
        (3, "TEXT", "Takk!", None, None, Decimal(0)),
    ]
    assert AdminAction.objects.values_list("action", "statement").get() == ("add", typed.pk)


def test_second_typed_statement_gets_the_next_number(finance: Client, home: GoCompany) -> None:
    year = timezone.localdate().year
    factories.statement(home, source=StatementSource.HAND, source_id=f"H-{year}-0009")
    factories.statement(source=StatementSource.HAND, source_id=f"H-{year}-0100")
    finance.post(ADD, form(home))
    assert InvoiceStatement.objects.filter(company=home).latest("pk").source_id == f"H-{year}-0010"


def test_change_counts_again_and_numbers_new_lines_after_the_last(finance: Client, home: GoCompany) -> None:
    product = factories.product(home)
    statement = factories.statement(home, status=S.NEEDS_FIX, lines=[{"product": product}, {"product": product}])
    first, second = statement.lines.order_by("line_number")
    lines = (
        {"id": first.pk, "statement": statement.pk, "DELETE": "on", "product": product.pk, "quantity": "1"},
        {
            "id": second.pk,
            "statement": statement.pk,
            "product": product.pk,
            "quantity": "3",
            "unit_price": "100",
            "vat_rate": "25",
        },
        {"product": product.pk, "quantity": "1"},
    )
    response = finance.post(page(statement), form(home, *lines, initial=2, customer=statement.customer_id))
    assert response.status_code == 302
    saved = InvoiceStatement.objects.get(pk=statement.pk)
    assert list(saved.lines.order_by("line_number").values_list("line_number", "quantity")) == [
        (2, Decimal(3)),
        (3, Decimal(1)),
    ]
    assert (saved.total, saved.status) == (Decimal("500.00"), S.NEEDS_FIX)


@pytest.mark.parametrize(
    ("line", "errors"),
    [
        ({"quantity": "1"}, {"product": ["Choose a product, or leave quantity and price empty for a line of text."]}),
        ({"product": "P", "quantity": ""}, {"quantity": ["How many?"]}),
        ({"product": "P", "quantity": "two"}, {"quantity": ["Enter a number."]}),
        (
            {"product": "P", "quantity": "1", "vat_rate": "250"},
            {"vat_rate": ["Between 0 and 100."]},
        ),
    ],
)
def test_line_that_does_not_fit_is_explained(
    finance: Client, home: GoCompany, line: dict[str, str], errors: dict[str, list[str]]
) -> None:
    product = factories.product(home)
    line = {name: str(product.pk) if value == "P" else value for name, value in line.items()}
    response = finance.post(ADD, form(home, line))
    assert response.status_code == 200
    assert response.context["inline_admin_formsets"][0].formset.errors == [errors]
    assert InvoiceStatement.objects.count() == 0


@pytest.mark.parametrize("field", ["customer", "product"])
def test_records_of_another_own_company_do_not_fit(as_role: Callable[..., Client], home: GoCompany, field: str) -> None:
    other = factories.go_company()
    client = as_role("Finance", other)
    line = {"product": factories.product(other if field == "product" else home).pk, "quantity": "1"}
    customer = factories.customer(other if field == "customer" else home)
    response = client.post(ADD, form(home, line, customer=customer.pk))
    assert response.status_code == 200
    assert InvoiceStatement.objects.count() == 0


@pytest.mark.parametrize("status", sorted(set(S) - {S.UPCOMING, S.PROCESSING, S.NEEDS_FIX}))
def test_statement_that_left_is_read_only(finance: Client, home: GoCompany, status: str) -> None:
    statement = factories.statement(home, status=status)
    shown = finance.get(page(statement))
    assert (shown.context["editable"], shown.context["inline_admin_formsets"]) == (False, [])
    response = finance.post(page(statement), form(home, customer_reference="too late"))
    assert response["Location"] == page(statement)
    assert said(response) == [
        f"Nothing was saved: {statement} is now “{S(status).label}”, on its way to PowerOffice Go or beyond."
    ]
    assert InvoiceStatement.objects.values_list("customer_reference", flat=True).get(pk=statement.pk) == ""


def test_reader_sees_and_changes_nothing(as_role: Callable[..., Client], home: GoCompany) -> None:
    statement = factories.statement(home, status=S.UPCOMING)
    reader = as_role("Reader")
    assert reader.get(page(statement)).context["editable"] is False
    assert reader.post(page(statement), form(home)).status_code == 403
    assert reader.get(ADD).status_code == 403


def test_nobody_deletes_a_statement(as_role: Callable[..., Client], home: GoCompany) -> None:
    statement = factories.statement(home, status=S.UPCOMING)
    address = reverse("admin:integration_invoicestatement_delete", args=[statement.pk])
    assert as_role("Finance").post(address, {"post": "yes"}).status_code == 403


def test_customer_that_is_typed_is_found_by_autocomplete(finance: Client, home: GoCompany) -> None:
    factories.customer(home, name="Øystese Bygg AS", number=10011)
    factories.customer(name="Øystese Mur AS")
    query = {"app_label": "integration", "model_name": "invoicestatement", "field_name": "customer", "term": "øystese"}
    response = finance.get(reverse("admin:autocomplete"), query)
    assert [found["text"] for found in response.json()["results"]] == ["10011 Øystese Bygg AS"]


def test_search_with_very_many_hits_still_finds_only_own(
    finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "CAP", 2)
    for number in ("camp-1", "camp-2"):
        factories.statement(home, source_id=number)
    assert sorted(listed(finance, "q=camp")) == ["camp-1", "camp-2"]
    for number in ("camp-3", "camp-4"):
        factories.statement(source_id=number)
    assert sorted(listed(finance, "q=CAMP")) == ["camp-1", "camp-2"]
    assert len(listed(finance, "q=%20")) == 2
