"""The demo set-up: two fictional companies with what every company in Go has. Nothing and nobody here is real."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils import timezone

from integration.sandbox.books import Books
from integration.sandbox.fields import names
from integration.sandbox.models import (
    Allocation,
    Attachment,
    Company,
    FaultPlan,
    Hit,
    Invoice,
    LedgerEntry,
    Record,
    SalesOrder,
    State,
    Token,
    one_act,
)
from integration.sandbox.switches import Switches, read_state

PRIVILEGES = names(
    "Customer_Full ContactPerson_Full ContactDeliveryAddress_Full ContactGroup_Full Product_Full "
    "SalesOrders_Full SalesOrderAttachment_Full OutgoingInvoice_Full CustomerLedger_Full CommonServices_Full "
    "GeneralLedgerAccount_Full Department_Full Project_Full Location_Full"
)
DEMO_COMPANIES = (
    ("Fjordgløtt Camping AS", "22222222-2222-4222-8222-222222222201", "918273641"),
    ("Nordlys Padel AS", "22222222-2222-4222-8222-222222222202", "927384650"),
)
VAT_CODES = (
    ("3", "Utgående mva, høy sats", "0.25"),
    ("31", "Utgående mva, middels sats", "0.15"),
    ("33", "Utgående mva, lav sats", "0.12"),
    ("5", "Innenlandsk omsetning med fritak", "0"),
    ("52", "Utførsel av varer og tjenester", "0"),
    ("6", "Omsetning utenfor mva-loven", "0"),
)
ACCOUNTS = (
    (1500, "Kundefordringer", "Asset", None),
    (1920, "Bankinnskudd", "Asset", None),
    (2700, "Utgående merverdiavgift", "Liability", None),
    (3000, "Salgsinntekt, høy mva-sats", "Income", "3"),
    (3001, "Salgsinntekt næringsmidler", "Income", "31"),
    (3002, "Salgsinntekt overnatting, lav mva-sats", "Income", "33"),
    (3100, "Salgsinntekt, avgiftsfri", "Income", "5"),
    (3200, "Salgsinntekt, utenfor avgiftsområdet", "Income", "6"),
    (7830, "Tap på fordringer", "Expense", None),
    (8060, "Valutagevinst", "Income", None),
    (8160, "Valutatap", "Expense", None),
)
PRODUCTS = (
    ("HYTTE", "Hytte, per natt", "1000", 3002, "Service", "DAY"),
    ("TELT", "Teltplass, per natt", "250", 3002, "Service", "DAY"),
    ("MEDLEM", "Medlemskap", "1200", 3200, "Service", "EA"),
    ("KURS", "Nybegynnerkurs", "800", 3200, "Service", "EA"),
    ("BANE", "Baneleie, per time", "320", 3000, "Service", "HUR"),
    ("KAFFE", "Kaffe", "34.78", 3001, "Product", "EA"),
    ("UTSTYR", "Leie av utstyr", "160", 3000, "Product", "EA"),
)
COMPANIES = (
    ("Bakketun Barnehage SA", "Bakketun", "Lillehammer", "2609"),
    ("Havblikk Regnskap AS", "Strandgata 4", "Tromsø", "9008"),
    ("Solsiden Idrettslag", "Idrettsveien 12", "Trondheim", "7014"),
)
PEOPLE = (("Kari", "Nordmann", "Bergen", "5003"), ("Ola", "Fjellvik", "Oslo", "0155"))
WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


def organisation_number(start: int) -> str:
    """The first number from `start` on whose ninth digit is right by modulus 11."""
    while True:
        check = -sum(int(digit) * weight for digit, weight in zip(str(start), WEIGHTS, strict=True)) % 11
        if check < 10:
            return f"{start}{check}"
        start += 1


def empty_books() -> None:
    """Forget everything: books, switches, faults, counters, clock."""
    first = (Attachment, Allocation, Invoice, LedgerEntry, SalesOrder, Token)
    for model in (*first, Record, Company, Hit, FaultPlan, State):
        model._default_manager.all().delete()


def seed_demo() -> list[Company]:
    """Make the two demo companies, unless there are companies already."""
    with one_act():
        read_state(lock=True)
        if Company.objects.exists():
            return []
        return [
            open_company(name, UUID(key), organisation_number(int(number[:8])), seed=True)
            for name, key, number in DEMO_COMPANIES
        ]


def open_company(
    name: str, client_key: UUID, number: str = "", *, environment: str = "both", seed: bool = True
) -> Company:
    """A new company; with `seed` its chart of accounts, terms, products and a few customers."""
    state = read_state()
    moment = timezone.now() + state.clock_offset
    company = Company.objects.create(
        name=name,
        client_key=client_key,
        client_id=uuid5(NAMESPACE_URL, f"sandbox/{client_key}"),
        organisation_number=number,
        environment=environment,
        privileges=list(PRIVILEGES),
        subscriptions=["Accounting", "TimeTracking"],
        changed_at=moment,
    )
    books = Books(company, Switches(state), moment)
    lay_registers(books)
    if seed:
        lay_products(books)
        lay_customers(books)
    return company


def entry(books: Books, kind: str, code: object, **data: Any) -> Record:
    """One entry, as if it had always been there; not saved."""
    return Record(
        company=books.company,
        kind=kind,
        code=None if code is None else str(code),
        data=data,
        created_at=books.now - dt.timedelta(days=1),
        changed_at=books.now - dt.timedelta(days=1),
    )


def lay(entries: Iterable[Record]) -> dict[str | None, int]:
    """Save entries; returns their ids by code."""
    return {record.code: record.pk for record in Record.objects.bulk_create(entries)}


def lay_registers(books: Books) -> None:
    """What a company cannot be without."""
    vat = lay(
        entry(
            books, "VatCode", code, Code=code, Name=name, Description=name, Rate=Decimal(rate), ValidFrom="2020-01-01"
        )
        for code, name, rate in VAT_CODES
    )
    accounts = lay(
        entry(
            books,
            "GeneralLedgerAccount",
            number,
            AccountNo=number,
            Name=name,
            GeneralLedgerAccountType=kind,
            IsActive=True,
            **({"VatCodeId": vat[code]} if code else {}),
        )
        for number, name, kind, code in ACCOUNTS
    )
    sales = {"StandardSalesAccountId": accounts["3000"], "OptionalSalesAccountId": accounts["3100"]}
    series = {
        "Id": str(uuid5(books.company.client_id, "Kunder")),
        "Name": "Kunder",
        "FromInclusive": 10_000,
        "ToInclusive": 19_999,
        "GeneralLedgerAccountId": accounts["1500"],
        "GeneralLedgerAccountNo": 1500,
        "IsClientTrust": False,
        "IsDefault": True,
        "SubLedgerNumberSeriesType": "Customer",
    }
    lay(
        [
            entry(books, "PaymentTerm", None, Name="Netto 10 dager", CreditDays=10, IsActive=True, IsDefault=False),
            entry(books, "PaymentTerm", None, Name="Netto 14 dager", CreditDays=14, IsActive=True, IsDefault=True),
            entry(books, "PaymentTerm", None, Name="Netto 30 dager", CreditDays=30, IsActive=True, IsDefault=False),
            entry(books, "DeliveryTerm", None, Name="DAP", IsDefault=True),
            entry(books, "BrandingTheme", "1", Code="1", Name="Standard", LanguageCode="nb", IsDefault=True),
            entry(books, "BrandingTheme", "2", Code="2", Name="English", LanguageCode="en", IsDefault=False),
            entry(books, "Department", "10", Code="10", Name="Drift", IsActive=True),
            entry(books, "Department", "20", Code="20", Name="Aktiviteter", IsActive=True),
            entry(books, "Project", "100", Code="100", Name="Sommersesong", ProjectStatus="Active"),
            entry(books, "Location", "1", Code="1", Name="Hovedanlegg", IsActive=True),
            entry(books, "ProductGroup", "1", Code="1", Name="Diverse", **sales),
            entry(books, "SubLedgerNumberSeries", "Kunder", **series),
        ]
    )


def lay_products(books: Books) -> None:
    """A few things to sell, with every VAT rate."""
    group = books.load("ProductGroup")[0]
    entries = []
    for code, name, price, account, kind, unit in PRODUCTS:
        number = books.by_code("GeneralLedgerAccount", str(account))
        data = {"Code": code, "Name": name, "UnitPrice": Decimal(price), "ProductType": kind, "UnitOfMeasureCode": unit}
        data |= {"ProductGroupId": group.pk, "StandardSalesAccountId": number.pk if number else None}
        if code == "UTSTYR":
            data |= {"IsStockItem": True, "StockOnHand": Decimal(500)}
        entries.append(entry(books, "Product", code, **data))
    lay(entries)


def lay_customers(books: Books) -> None:
    """A few made-up customers: three organisations, two people."""
    entries = []
    for number, (name, street, city, zip_code) in enumerate(COMPANIES, 10_000):
        company = {"Name": name, "OrganizationNumber": organisation_number(91_200_000 + 40_111 * (number - 9_999))}
        company["InvoiceEmailAddress"] = f"faktura{number}@example.com"
        entries.append(customer(books, number, f"post{number}@example.com", (street, city, zip_code), **company))
    for number, (first, last, city, zip_code) in enumerate(PEOPLE, 10_000 + len(COMPANIES)):
        person = {"IsPerson": True, "FirstName": first, "LastName": last}
        email = f"{first.lower()}.{last.lower()}@example.com"
        entries.append(customer(books, number, email, ("Parkveien 1", city, zip_code), **person))
    lay(entries)


def customer(books: Books, number: int, email: str, place: tuple[str, str, str], **names: Any) -> Record:
    """A made-up customer, who gets invoices by e-mail."""
    street, city, zip_code = place
    address = {"AddressLine1": street, "City": city, "ZipCode": zip_code, "CountryCode": "NO"}
    members = {"Number": number, "EmailAddress": email, "InvoiceDeliveryType": "PdfByEmail", "MailAddress": address}
    return entry(books, "Customer", number, **members, **names)
