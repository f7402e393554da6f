"""What the demo begins with: two companies, their customers, products and statements. Nothing and nobody here is real.

Some customers and all products but two are in the sandbox's books already (by number, organisation number, e-mail or
code), the rest is new to it. Nothing pretends to be in PowerOffice Go: what gets there is pushed by a click.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from integration.decisions.sales_orders import statement_reference
from integration.enums import CompanyState, InvoiceDelivery, LineKind, PaymentMethodKind, ReceiverType, StatementSource
from integration.models import (
    Customer,
    GoCompany,
    InvoiceStatement,
    PaymentMethod,
    Product,
    StatementLine,
    Subscription,
)
from integration.models.go_company import fingerprint
from integration.use_cases.roll_subscriptions import roll_company


@dataclass(frozen=True)
class DemoCompany:
    """One company; `lines` and `customers` are gone through in turn to make `statements` ordinary statements."""

    name: str
    organisation_number: str
    client_key: str
    create_missing_products: bool
    source: StatementSource
    prefix: str
    statements: int
    products: Sequence[tuple[str, str, str, str, int | None]]
    customers: Sequence[Mapping[str, Any]]
    sales: Sequence[Sequence[tuple[str, str, str]]]
    subscriptions: Sequence[tuple[str, str, str, bool]] = ()
    """Product, holder, payer, and whether the payer's invoice receiver is the default."""


FJORDGLOTT: Final = DemoCompany(
    name="Fjordgløtt Camping AS",
    organisation_number="918273646",
    client_key="22222222-2222-4222-8222-222222222201",
    create_missing_products=True,
    source=StatementSource.QONDOR,
    prefix="B-",
    statements=20,
    products=(
        ("HYTTE", "Hytte, per natt", "1000", "0.12", 3002),
        ("TELT", "Teltplass, per natt", "250", "0.12", 3002),
        ("UTSTYR", "Leie av utstyr", "160", "0.25", 3000),
        ("KAFFE", "Kaffe", "34.78", "0.15", 3001),
        ("SYKKEL", "Sykkelleie, per dag", "240", "0.25", 3000),
        ("GAVEKORT", "Gavekort", "500", "0", None),
    ),
    customers=(
        {"number": 10000, "name": "Bakketun Barnehage SA", "organisation_number": "912401111"},
        {"name": "Havblikk Regnskap AS", "organisation_number": "912802221"},
        {"number": 10002, "name": "Solsiden Idrettslag"},
        {
            "first_name": "Kari",
            "last_name": "Nordmann",
            "email": "kari.nordmann@example.com",
            "zip_code": "5003",
            "city": "Bergen",
        },
        {
            "name": "Fossheim Hotell AS",
            "organisation_number": "934500008",
            "invoice_email": "faktura@fossheim.example",
            "delivery": InvoiceDelivery.EMAIL,
            "address_line1": "Fossveien 3",
            "zip_code": "2686",
            "city": "Lom",
            "payment_days": 30,
        },
        {
            "first_name": "Ingrid Sæther",
            "last_name": "Solberg",
            "email": "ingrid.solberg@example.com",
            "address_line1": "Åsveien 17 B",
            "zip_code": "7020",
            "city": "Trondheim",
        },
        {
            "first_name": "Bjørn",
            "last_name": "Østgård",
            "email": "bjorn.ostgard@example.com",
            "address_line1": "Storgata 44",
            "zip_code": "8006",
            "city": "Bodø",
        },
    ),
    sales=(
        (("HYTTE", "3", "Hytte 7, tre netter"), ("UTSTYR", "4", "Sengetøy")),
        (("TELT", "5", "Teltplass 12, fem netter"),),
        (("HYTTE", "14", "Hytte 2 og 3, leirskole en uke"), ("KAFFE", "40", "Kaffe til personalet")),
        (("TELT", "2", "Teltplass 4, helg"), ("UTSTYR", "1", "Kano, en dag"), ("KAFFE", "2", "Kaffe")),
        (("HYTTE", "1", "Hytte 9, en natt"), ("SYKKEL", "2", "To sykler, en dag")),
    ),
)

NORDLYS: Final = DemoCompany(
    name="Nordlys Padel AS",
    organisation_number="927384655",
    client_key="22222222-2222-4222-8222-222222222202",
    create_missing_products=False,
    source=StatementSource.SUBSCRIPTION,
    prefix="M-",
    statements=13,
    products=(
        ("MEDLEM", "Medlemskap", "1200", "0", 3200),
        ("KURS", "Nybegynnerkurs", "800", "0", 3200),
        ("BANE", "Baneleie, per time", "320", "0.25", 3000),
        ("RACKET", "Racket, til salgs", "1490", "0.25", 3000),
    ),
    customers=(
        {"number": 10001, "name": "Havblikk Regnskap AS", "organisation_number": "912802221"},
        {"number": 10003, "first_name": "Kari", "last_name": "Nordmann", "email": "kari.nordmann@example.com"},
        {
            "first_name": "Ola",
            "last_name": "Fjellvik",
            "email": "ola.fjellvik@example.com",
            "zip_code": "0155",
            "city": "Oslo",
        },
        {
            "name": "Tromsdalen Bedriftsidrettslag",
            "organisation_number": "934511115",
            "email": "post@tromsdalen.example",
            "address_line1": "Anton Jakobsens vei 8",
            "zip_code": "9020",
            "city": "Tromsdalen",
        },
        {
            "first_name": "Aina",
            "last_name": "Niemi",
            "email": "aina.niemi@example.com",
            "address_line1": "Sørkjosveien 5",
            "zip_code": "9152",
            "city": "Sørkjosen",
        },
    ),
    sales=(
        (("MEDLEM", "1", "Medlemskap, tolv måneder"),),
        (("BANE", "8", "Bane 2, torsdager kl. 18"),),
        (("KURS", "2", "Nybegynnerkurs, to plasser"), ("BANE", "1.5", "Prøvetime, bane 1")),
    ),
    subscriptions=(
        ("MEDLEM", "Kari Nordmann", "Kari Nordmann", True),
        ("MEDLEM", "Ola Fjellvik", "Ola Fjellvik", False),
        ("MEDLEM", "Aina Niemi", "Havblikk Regnskap AS", True),
        ("MEDLEM", "Nils Berg", "Havblikk Regnskap AS", True),
        ("MEDLEM", "Sara Holm", "Havblikk Regnskap AS", True),
    ),
)

COMPANIES: Final = (FJORDGLOTT, NORDLYS)


def make_company(demo: DemoCompany, today: date) -> GoCompany:
    """The company with all that belongs to it; if its client key is known already, nothing is made or changed."""
    known = GoCompany.objects.filter(client_key_fingerprint=fingerprint(demo.client_key)).first()
    if known is not None:
        return known
    company = GoCompany(
        name=demo.name,
        organisation_number=demo.organisation_number,
        state=CompanyState.ACTIVE,
        create_missing_products=demo.create_missing_products,
    )
    company.set_client_key(demo.client_key)
    company.save()
    products = {
        code: Product.objects.create(
            company=company,
            code=code,
            name=name,
            price=Decimal(price),
            vat_rate=Decimal(vat_rate),
            sales_account=account,
        )
        for code, name, price, vat_rate, account in demo.products
    }
    customers = [_customer(company, demo.source, index, fields) for index, fields in enumerate(demo.customers, start=1)]
    for index in range(demo.statements):
        _statement(
            company,
            demo,
            index + 1,
            customer=customers[index % len(customers)],
            sold=demo.sales[index % len(demo.sales)],
            products=products,
            statement_date=today - timedelta(days=index // 4),
        )
    _oddities(company, demo, customers, products, today)
    _subscriptions(company, demo, customers, products, today)
    return company


def _customer(company: GoCompany, source: StatementSource, index: int, fields: Mapping[str, Any]) -> Customer:
    """Whoever has a last name is a person."""
    is_person = "last_name" in fields
    name = f"{fields['first_name']} {fields['last_name']}" if is_person else fields["name"]
    return Customer.objects.create(
        **{
            **fields,
            "company": company,
            "source": source,
            "source_id": str(index),
            "name": name,
            "is_person": is_person,
        }
    )


def _statement(
    company: GoCompany,
    demo: DemoCompany,
    number: int,
    *,
    customer: Customer | None,
    sold: Sequence[tuple[str, str, str]],
    products: Mapping[str, Product],
    statement_date: date,
    text: str = "",
    **fields: Any,
) -> None:
    """One upcoming statement; without a payment date it waits for *Push drafts*."""
    statement = InvoiceStatement(
        company=company,
        source=demo.source,
        source_id=f"{demo.prefix}{2600 + number}",
        customer=customer,
        statement_date=statement_date,
        **fields,
    )
    statement.reference = statement_reference(statement.source, statement.source_id)
    lines = [
        StatementLine(
            statement=statement,
            line_number=line_number,
            product=products[code],
            description=description,
            quantity=Decimal(quantity),
            unit_price=products[code].price,
            vat_rate=products[code].vat_rate,
        )
        for line_number, (code, quantity, description) in enumerate(sold, start=1)
    ]
    if text:
        lines.append(
            StatementLine(statement=statement, line_number=len(lines) + 1, kind=LineKind.TEXT, description=text)
        )
    statement.recount(lines)
    statement.refresh_search()
    statement.save()
    StatementLine.objects.bulk_create(lines)


def _oddities(
    company: GoCompany,
    demo: DemoCompany,
    customers: Sequence[Customer],
    products: Mapping[str, Product],
    today: date,
) -> None:
    """What a tour shows besides the ordinary: dates to come, one on hold, and mistakes that somebody must mend."""
    first = demo.statements + 1
    ordinary = demo.sales[0]
    unknown = [(demo.products[-1][0], "1", demo.products[-1][1])]
    odd: list[dict[str, Any]] = [
        {"payment_date": today + timedelta(days=7), "text": "Forskudd, faktureres en uke før ankomst."},
        {"payment_date": today + timedelta(days=30)},
        {"held": True, "payment_date": today + timedelta(days=2), "customer_reference": "Avventer godkjenning"},
    ]
    for number, fields in enumerate(odd, start=first):
        _statement(
            company,
            demo,
            number,
            customer=customers[number % len(customers)],
            sold=ordinary,
            products=products,
            statement_date=today,
            **fields,
        )
    number = first + len(odd)
    _statement(company, demo, number, customer=None, sold=ordinary, products=products, statement_date=today)
    _statement(company, demo, number + 1, customer=customers[0], sold=unknown, products=products, statement_date=today)


def _subscriptions(
    company: GoCompany,
    demo: DemoCompany,
    customers: Sequence[Customer],
    products: Mapping[str, Product],
    today: date,
) -> None:
    """All are paid a week from today, and rolled forward as in the night. A new holder becomes a customer."""
    known = {customer.name: customer for customer in customers}
    first = today + timedelta(days=7)
    for code, holder, payer, is_default in demo.subscriptions:
        if holder not in known:
            first_name, last_name = holder.split()
            fields = {"first_name": first_name, "last_name": last_name, "zip_code": "0155", "city": "Oslo"}
            known[holder] = _customer(company, demo.source, len(known) + 1, fields)
        customer = known[payer]
        kind = ReceiverType.PERSON if customer.is_person else ReceiverType.COMPANY
        PaymentMethod.objects.get_or_create(
            customer=customer,
            kind=PaymentMethodKind.INVOICE,
            defaults={"receiver_type": kind, "invoice_reference": customer.name, "is_default": is_default},
        )
        Subscription.objects.create(
            company=company,
            holder=known[holder],
            payer=customer,
            product=products[code],
            first_date=first,
            payment_day=first.day,
            binding_until=today + timedelta(days=365),
            notice_months=1,
        )
    roll_company(company.pk, clock=timezone.now)
