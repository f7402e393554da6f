"""Customers and products from a file to the database, through the pages."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from integration.enums import InvoiceDelivery, StatementSource
from integration.models import AdminAction, Customer, Product, SpreadsheetUpload
from tests import factories
from tests.spreadsheets.conftest import Bookkeeper, bookkeeper_of, csv_file, xlsx_file

pytestmark = pytest.mark.django_db

FILE = csv_file(
    "Kundenr;Navn;Type;Orgnr;E-post;Adresse;Postnr;Poststed;Land;Fakturalevering;Betalingsfrist;Purring",
    "20001;Bølgen & Bø AS;Bedrift;988 077 917;post@bolgen.no;Sjøgata 4;8006;Bodø;Norge;EHF;30;ja",
    "20002;Kari Åsnes;Privat;;kari@example.no;Vei 1;155;Oslo;;E-post;;nei",
    encoding="cp1252",
)


def test_customers_come_in_and_the_same_file_twice_makes_nothing_twice(bookkeeper: Bookkeeper):
    seen = bookkeeper.preview("customers", FILE)
    assert Customer.objects.count() == 0
    assert bookkeeper.confirm("customers", seen) == ["fil.csv: 2 new, 0 changed, 0 same, 0 refused."]
    bolgen, kari = Customer.objects.order_by("number")
    assert (
        bolgen.company,
        bolgen.number,
        bolgen.name,
        bolgen.is_person,
        bolgen.organisation_number,
        bolgen.email,
        bolgen.address_line1,
        bolgen.zip_code,
        bolgen.city,
        bolgen.country,
        bolgen.delivery,
        bolgen.payment_days,
        bolgen.send_reminders,
        bolgen.source,
    ) == (
        bookkeeper.company,
        20001,
        "Bølgen & Bø AS",
        False,
        "988077917",
        "post@bolgen.no",
        "Sjøgata 4",
        "8006",
        "Bodø",
        "NO",
        InvoiceDelivery.EHF,
        30,
        True,
        StatementSource.SPREADSHEET,
    )
    assert (kari.is_person, kari.zip_code, kari.delivery, kari.send_reminders) == (True, "0155", "EMAIL", False)
    assert "bølgen" in bolgen.search
    again = bookkeeper.preview("customers", FILE)
    assert (again["confirm"], again["counts"][2]) == (None, ("same", "2"))
    assert Customer.objects.count() == 2


def test_who_imported_what_stands_in_the_log_book(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("customers", FILE)
    bookkeeper.bring_in("customers", csv_file("Kundenr;Navn", "20001;Bølgen AS"))
    entry = AdminAction.objects.latest("pk")
    assert (entry.user, entry.company, entry.action, entry.record, entry.before, entry.after, entry.reason) == (
        bookkeeper.user,
        bookkeeper.company,
        "import",
        "customer 20001 Bølgen AS",
        {"Name": "Bølgen & Bø AS"},
        {"Name": "Bølgen AS"},
        "From the file fil.csv",
    )


def test_an_empty_cell_leaves_what_is_there(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("customers", FILE)
    assert bookkeeper.counts("customers", csv_file("Kundenr;Navn;E-post", "20001;Bølgen & Bø AS;")) == (
        "0 new 0 changed 1 same 0 refused"
    )


def test_customers_without_number_are_known_by_name_and_email(bookkeeper: Bookkeeper):
    people = csv_file("Fornavn;Etternavn;E-post", "Kari;Bø;kari@example.no", "Kari;Bø;andre@example.no", "Ola;Bø;")
    assert bookkeeper.bring_in("customers", people) == ["fil.csv: 3 new, 0 changed, 0 same, 0 refused."]
    assert bookkeeper.counts("customers", people) == "0 new 0 changed 3 same 0 refused"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("10;;;Nytt navn;", None),
        (";M-1;;Nytt navn;", None),
        (";;988077917;Nytt navn;", None),
        ("10;M-1;988077917;Nytt navn;", None),
        (
            "10;M-2;;Nytt navn;",
            ("Customer id", "M-2", "belongs to customer 20 To AS, not to number 10"),
        ),
        (
            "30;M-1;;Nytt navn;",
            ("Customer id", "M-1", "belongs to customer 10 En AS, not to number 30"),
        ),
    ],
)
def test_who_is_meant(bookkeeper: Bookkeeper, row: str, problem: tuple[str, str, str] | None):
    one = factories.customer(
        bookkeeper.company, number=10, source_id="M-1", organisation_number="988077917", name="En AS"
    )
    factories.customer(bookkeeper.company, number=20, source_id="M-2", name="To AS")
    file = csv_file("Kundenr;Kundeid;Orgnr;Navn;E-post", row)
    if problem is None:
        assert bookkeeper.bring_in("customers", file) == ["fil.csv: 0 new, 1 changed, 0 same, 0 refused."]
        one.refresh_from_db()
        assert one.name == "Nytt navn"
    else:
        assert bookkeeper.problems("customers", file) == [("2", *problem)]


def test_an_organisation_with_two_customers_needs_the_number(bookkeeper: Bookkeeper):
    for number in (1, 2):
        factories.customer(bookkeeper.company, number=number, organisation_number="988077917")
    assert bookkeeper.problems("customers", csv_file("Orgnr;Navn", "988077917;A")) == [
        ("2", "Organisation number", "988077917", "fits 2 customers: add the customer number")
    ]


def test_problems_of_customers(bookkeeper: Bookkeeper):
    file = csv_file(
        "Kundenr;Navn;Type;Orgnr;E-post;Telefon",
        "1;A;;;;",
        "1;B;;;;",
        "2;;;;;",
        "3;C;Privat;988077917;;",
        "4;D;;;d@x..no;" + "1" * 31,
        f"5;{'x' * 10_240};;;;",
    )
    assert bookkeeper.problems("customers", file) == [
        ("3", "Name", "", "is the customer of row 2 again: keep one of the two rows"),
        ("4", "Name", "", "is missing"),
        (
            "5",
            "Organisation number",
            "988077917",
            "belongs to a company, but the row says it is a private person: correct one of them",
        ),
        ("6", "Phone", "1" * 31, "has 31 characters, at most 30 fit: shorten it"),
        ("7", "Name", "x" * 60 + "…", "has 10240 characters, at most 200 fit: shorten it"),
    ]


def test_the_form_of_an_email_is_asked_of_the_record_too(bookkeeper: Bookkeeper):
    assert bookkeeper.problems("customers", csv_file("Navn;E-post", "A;d@x..no")) == [
        ("2", "E-mail", "d@x..no", "Enter a valid email address")
    ]


def test_an_id_does_not_change_while_go_is_asked(bookkeeper: Bookkeeper):
    factories.customer(bookkeeper.company, number=1, source_id="gammel", name="A", go_create_tried_at=factories.NOW)
    assert bookkeeper.problems("customers", csv_file("Kundenr;Kundeid;Navn", "1;ny;A")) == [
        (
            "2",
            "Customer id",
            "ny",
            "cannot change while PowerOffice Go is asked whether customer 1 A is there: import it again later",
        )
    ]


# --- The wall -----------------------------------------------------------------------------------------------------


def test_another_companys_customer_is_neither_found_nor_touched(bookkeeper: Bookkeeper):
    theirs = factories.customer(number=10, name="Deres AS", source_id="M-1", organisation_number="988077917")
    file = csv_file("Kundenr;Kundeid;Orgnr;Navn", "10;M-1;988077917;Vårt AS")
    assert bookkeeper.bring_in("customers", file) == ["fil.csv: 1 new, 0 changed, 0 same, 0 refused."]
    theirs.refresh_from_db()
    assert theirs.name == "Deres AS"
    assert Customer.objects.get(company=bookkeeper.company).name == "Vårt AS"


def test_another_company_cannot_be_chosen(bookkeeper: Bookkeeper):
    other = factories.go_company()
    response: Any = bookkeeper.upload("customers", FILE, company=other)
    assert list(response.context["form"].errors) == ["company"]
    assert SpreadsheetUpload.objects.count() == 0


@pytest.mark.parametrize("name", ["Fjord og Fjell AS", "fjord  og fjell as", "999 999 999"])
def test_a_column_names_the_company(bookkeeper: Bookkeeper, name: str):
    file = csv_file("Selskap;Kundenr;Navn", f"{name};1;A")
    assert bookkeeper.counts("customers", file, company="") == "1 new 0 changed 0 same 0 refused"
    assert bookkeeper.counts("customers", file) == "1 new 0 changed 0 same 0 refused"


def test_problems_of_companies(bookkeeper: Bookkeeper):
    other = factories.go_company(name="Fremmed AS")
    second = factories.go_company(name="Tvilling AS")
    third = factories.go_company(name="Tvilling AS")
    for company in (second, third):
        company.members.add(bookkeeper.user)
    file = csv_file("Selskap;Kundenr;Navn", ";1;A", f"{other.name};2;B", "Tvilling AS;3;C", f"{'x' * 300};4;D")
    assert bookkeeper.problems("customers", file, company="") == [
        ("2", "Company", "", "is missing: choose the company on the page, or name it in the row"),
        ("3", "Company", "Fremmed AS", "is not one of your companies: check the name"),
        ("4", "Company", "Tvilling AS", "is the name of several companies: use the organisation number"),
        ("5", "Company", "x" * 60 + "…", "has 300 characters, at most 200 fit: shorten it"),
    ]
    assert bookkeeper.problems("customers", csv_file("Selskap;Kundenr;Navn", "Tvilling AS;3;C")) == [
        ("2", "Company", "Tvilling AS", "is not Fjord og Fjell AS, the company chosen on the page")
    ]


# --- Products -----------------------------------------------------------------------------------------------------

PRODUCTS = xlsx_file(
    ["Produkter"],
    [],
    ["Varenr", "Varenavn", "Enhet", "Pris eks. mva", "Kostpris", "Mva-sats", "Salgskonto"],
    ["HYTTE", "Hytte, per døgn", "dag", 1250.5, 400, 0.12, 3100],
    [1001, "Frakt", "stk", 99.9, None, 25, 3000],
)


def test_products_come_in_and_the_same_file_twice_makes_nothing_twice(bookkeeper: Bookkeeper):
    assert bookkeeper.bring_in("products", PRODUCTS) == ["fil.xlsx: 2 new, 0 changed, 0 same, 0 refused."]
    assert list(
        Product.objects.order_by("pk").values_list("code", "name", "unit", "price", "cost", "vat_rate", "sales_account")
    ) == [
        ("HYTTE", "Hytte, per døgn", "DAY", Decimal("1250.5"), Decimal(400), Decimal("0.12"), 3100),
        ("1001", "Frakt", "EA", Decimal("99.9"), None, Decimal("0.25"), 3000),
    ]
    assert bookkeeper.counts("products", PRODUCTS) == "0 new 0 changed 2 same 0 refused"


def test_a_changed_product_is_shown_and_saved(bookkeeper: Bookkeeper):
    bookkeeper.bring_in("products", PRODUCTS)
    seen = bookkeeper.preview("products", csv_file("Varenr;Pris", "HYTTE;1 300,00", "1001;99,90"))
    assert [(row["name"], row["changes"]) for row in seen["records"]] == [
        ("HYTTE Hytte, per døgn", ["Price excl. VAT: 1\xa0250,50 → 1\xa0300,00"])
    ]
    bookkeeper.confirm("products", seen)
    assert Product.objects.get(code="HYTTE").price == Decimal(1300)


def test_problems_of_products(bookkeeper: Bookkeeper):
    file = csv_file(
        "Varenr;Navn;Pris;Mva;EAN;Konto", "A;Vare;1;25;;", "A;Vare;1;25;;", "B;;;;;", ";Vare;;;;", "C;Vare;x;1;123;12"
    )
    assert bookkeeper.problems("products", file) == [
        ("3", "Product code", "A", "stands in row 2 too: keep one of the two rows"),
        ("4", "Name", "", "is missing: a new product needs a name"),
        ("5", "Product code", "", "is missing"),
        ("6", "Price excl. VAT", "x", "is not an amount: write it like 1 234,50"),
        ("6", "VAT rate", "1", "can be read in two ways: write 1 % or 100 %"),
        ("6", "GTIN", "123", "is not a GTIN (EAN): check the digits"),
        ("6", "Sales account", "12", "is not a whole number between 1000 and 99999999"),
    ]


def test_another_companys_product_is_not_touched(bookkeeper: Bookkeeper):
    theirs = factories.product(code="HYTTE", name="Deres")
    assert bookkeeper.counts("products", PRODUCTS) == "2 new 0 changed 0 same 0 refused"
    bookkeeper.bring_in("products", PRODUCTS)
    theirs.refresh_from_db()
    assert theirs.name == "Deres"


# --- Who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Support", "Reader"])
@pytest.mark.parametrize("sheet", ["customers", "products", "statements"])
def test_only_finance_imports_and_exports(role: str, sheet: str):
    somebody = bookkeeper_of([factories.go_company()], role)
    answers = [
        somebody.client.get(somebody.address(sheet, "import/")).status_code,
        somebody.upload(sheet, FILE).status_code,
        somebody.client.post(somebody.address(sheet, "process_import/")).status_code,
        somebody.client.get(somebody.address(sheet, "import/template.csv")).status_code,
        somebody.client.get(somebody.address(sheet, "export/")).status_code,
    ]
    assert answers == [403] * 5
    assert somebody.client.get(somebody.address(sheet)).status_code == 200


@pytest.mark.parametrize("missing", ["add_customer", "change_customer", "import_customer"])
def test_an_import_needs_every_one_of_its_permissions(missing: str):
    company = factories.go_company()
    somebody = bookkeeper_of([company], role="Reader")
    needed = {"add_customer", "change_customer", "import_customer"}
    address = somebody.address("customers", "import/")
    somebody.user.user_permissions.set(Permission.objects.filter(codename__in=needed - {missing}))
    assert somebody.client.get(address).status_code == 403
    somebody.user.user_permissions.set(Permission.objects.filter(codename__in=needed))
    assert somebody.client.get(address).status_code == 200


def test_a_customer_in_doubt_may_change_in_all_but_its_id(bookkeeper: Bookkeeper):
    factories.customer(bookkeeper.company, number=1, source_id="id-1", name="A", go_create_tried_at=factories.NOW)
    file = csv_file("Kundenr;Kundeid;Navn", "1;id-1;B")
    assert bookkeeper.bring_in("customers", file) == ["fil.csv: 0 new, 1 changed, 0 same, 0 refused."]


def test_whether_a_customer_is_a_person_is_told_in_the_words_of_its_column(bookkeeper: Bookkeeper):
    factories.customer(bookkeeper.company, number=1, name="Kari", is_person=True)
    seen = bookkeeper.preview("customers", csv_file("Kundenr;Navn;Privatperson", "1;Kari;nei", "2;Ola;ja"))
    assert [record["changes"] for record in seen["records"]] == [
        ["Person or company: person → company"],
        ["Customer number: 2 · Name: Ola · Person or company: person"],
    ]


def test_a_private_person_has_no_organisation_number(bookkeeper: Bookkeeper):
    factories.customer(bookkeeper.company, number=1, name="Kari", is_person=True)
    assert bookkeeper.problems("customers", csv_file("Kundenr;Navn;Orgnr", "1;Kari;988077917")) == [
        ("2", "Organisation number", "", "belongs to a company, but the customer is a private person")
    ]
