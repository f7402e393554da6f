"""What there is to invoice in a rehearsal: companies, customers, products, statements, some of them with a mistake."""

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from integration.decisions.sales_orders import statement_reference
from integration.enums import CompanyState, LineKind, StatementSource
from integration.management.rehearsal.verdict import Fate
from integration.models import Customer, GoCompany, InvoiceStatement, Product, StatementLine

PRODUCTS: Final = (
    ("HYTTE", "Hytte, per natt", "0.12", 3002),
    ("KAFFE", "Kaffe", "0.15", 3001),
    ("BANE", "Baneleie, per time", "0.25", 3000),
    ("SYKKEL", "Sykkelleie, per dag", "0.25", 3000),
)
"""Code, name, VAT rate, sales account. The sandbox seeds all but the last, which has to be made in Go."""

MISTAKE_EVERY: Final = 17
UPCOMING_EVERY: Final = 41
STATEMENTS_PER_CUSTOMER: Final = 8
CHUNK: Final = 500


@dataclass
class Material:
    """What was made. `fates` by the statement's key."""

    companies: list[GoCompany] = field(default_factory=list)
    client_keys: tuple[str, ...] = ()
    fates: dict[int, Fate] = field(default_factory=dict)


def client_keys(count: int, chance: random.Random) -> tuple[str, ...]:
    """A key for each company."""
    return tuple(str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(count))


def make_material(
    keys: Sequence[str],
    statements: int,
    known: Mapping[str, Sequence[tuple[int, str]]],
    chance: random.Random,
    today: date,
) -> Material:
    """Rows through the real models, upcoming with today as payment date: the sweep activates them.

    `known`: by client key, number and name of customers that Go has already; the rest is new to it.
    """
    made = Material(client_keys=tuple(keys))
    for number, key in enumerate(keys, start=1):
        company = GoCompany(name=f"Rehearsal {number} AS", state=CompanyState.ACTIVE, create_missing_products=True)
        company.set_client_key(key)
        company.save()
        made.companies.append(company)
        share = statements // len(keys) + (number <= statements % len(keys))
        customers = _customers(company, share, known[key])
        products = [
            Product.objects.create(company=company, code=code, name=name, vat_rate=Decimal(rate), sales_account=account)
            for code, name, rate, account in PRODUCTS
        ]
        nowhere = Product.objects.create(company=company, code="REH-NOWHERE", name="Unknown to Go, without account")
        _statements(made, company, share, customers, products, nowhere, chance, today)
    return made


def _customers(company: GoCompany, statements: int, known: Sequence[tuple[int, str]]) -> list[Customer]:
    """About a third are in Go already and found there by number; persons and companies; some have no number yet."""
    count = max(3, statements // STATEMENTS_PER_CUSTOMER)
    customers = []
    for index in range(count):
        there = known[index // 3] if index % 3 == 0 and index // 3 < len(known) else None
        is_person = there is None and index % 2 == 0
        first_name, last_name = (f"Kunde {company.pk}-{index}", "Hansen") if is_person else ("", "")
        customers.append(
            Customer.objects.create(
                company=company,
                source=StatementSource.API,
                source_id=f"C{index}",
                number=there[0] if there else None,
                name=there[1] if there else f"Kunde {company.pk}-{index} {last_name or 'AS'}",
                is_person=is_person,
                first_name=first_name,
                last_name=last_name,
                email="" if there else f"kunde{index}@company{company.pk}.example",
                address_line1=f"Storgata {index + 1}",
                zip_code="0155",
                city="Oslo",
            )
        )
    return customers


def _statements(
    made: Material,
    company: GoCompany,
    count: int,
    customers: list[Customer],
    products: list[Product],
    nowhere: Product,
    chance: random.Random,
    today: date,
) -> None:
    statements, lines, fates = [], [], []
    for index in range(1, count + 1):
        statement = InvoiceStatement(
            company=company,
            source=StatementSource.API,
            source_id=f"R{company.pk}-{index:05d}",
            customer=chance.choice(customers),
            statement_date=today,
            payment_date=today,
            payment_days=chance.choice([None, 14, 30]),
            customer_reference=chance.choice(["", "Kari Nordmann"]),
        )
        fate, rows = Fate.IN_GO, _lines(statement, products, chance)
        if index % MISTAKE_EVERY == 0:
            fate = Fate.STUCK
            rows = _make_mistake(index // MISTAKE_EVERY, statement, rows, nowhere)
        elif index % UPCOMING_EVERY == 0:
            fate = Fate.UPCOMING
            statement.payment_date = today + timedelta(days=7)
        statement.reference = statement_reference(statement.source, statement.source_id)
        statement.recount(rows)
        if statement.stated_total is not None:
            statement.stated_total += statement.total
        statement.refresh_search()
        statements.append(statement)
        lines.extend(rows)
        fates.append(fate)
    InvoiceStatement.objects.bulk_create(statements, batch_size=CHUNK)
    StatementLine.objects.bulk_create(lines, batch_size=CHUNK)
    made.fates |= {statement.pk: fate for statement, fate in zip(statements, fates, strict=True)}


def _lines(statement: InvoiceStatement, products: list[Product], chance: random.Random) -> list[StatementLine]:
    rows = [
        StatementLine(
            statement=statement,
            line_number=number,
            product=(product := chance.choice(products)),
            description=product.name,
            quantity=Decimal(chance.randint(1, 400)) / 4,
            unit_price=Decimal(chance.randint(100, 99_999)) / 100,
            discount_percent=Decimal(chance.choice([0, 0, 0, 10, 33])),
            vat_rate=product.vat_rate,
        )
        for number in range(1, chance.randint(1, 4) + 1)
    ]
    if chance.random() < 0.3:
        rows.append(
            StatementLine(
                statement=statement, line_number=len(rows) + 1, kind=LineKind.TEXT, description="Takk for besøket 🏕"
            )
        )
    return rows


def _make_mistake(
    number: int, statement: InvoiceStatement, rows: list[StatementLine], nowhere: Product
) -> list[StatementLine]:
    """One of the mistakes that must stop a statement, in turn. Returns its lines."""
    kind = number % 5
    if kind == 0:
        statement.customer = None
    elif kind == 1:
        rows[0].product = nowhere
    elif kind == 2:
        statement.stated_total = Decimal(1)  # so much more than the lines sum to, once they are counted
    elif kind == 3:
        statement.currency = "XXX"
    else:
        for row in rows:
            row.unit_price = Decimal(0) if row.kind == LineKind.PRODUCT else None
    return rows
