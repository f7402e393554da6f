"""Rows for tests: small, complete, deterministic. Whatever a test is about, it passes in itself.

Numbers in names and ids count up within a test run, so two calls never collide.
"""

import hashlib
import itertools
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group

from accounts.models import User
from integration.decisions.sales_orders import statement_reference
from integration.decisions.subscriptions import month_of
from integration.decisions.transitions import BEYOND_PUSH
from integration.enums import (
    CompanyState,
    HandPaymentMethod,
    HandPaymentState,
    InvoiceType,
    LineKind,
    Operation,
    PaymentMethodKind,
    RunTrigger,
    StatementSource,
    StatementStatus,
    UploadState,
)
from integration.models import (
    ContactPerson,
    Customer,
    GoCompany,
    HandPayment,
    InvoiceStatement,
    LedgerEntry,
    OutgoingInvoice,
    PaymentMethod,
    Product,
    SpreadsheetUpload,
    StatementLine,
    Subscription,
    SubscriptionBill,
    SubscriptionTerm,
    SyncAttempt,
    SyncRun,
)

NOW = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 2, 2)
PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


def next_number() -> int:
    """1, 2, 3, …"""
    return next(_numbers)


def next_uuid() -> str:
    """A uuid that only depends on how many came before it."""
    return str(uuid.UUID(hashlib.sha256(f"fakturabro {next_number()}".encode()).hexdigest()[:32], version=4))


def person(*, role: str = "", companies: Iterable[GoCompany] = (), **fields: Any) -> User:
    """A member of staff; `role` is Finance, Support or Reader. `is_superuser=True` makes one who may do everything."""
    fields = {"email": f"person{next_number()}@example.no", "is_staff": True, **fields}
    user = User.objects.create_user(password=PASSWORD, **fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    for company in companies:
        company.members.add(user)
    return user


def upload(**fields: Any) -> SpreadsheetUpload:
    """A large spreadsheet that nobody has begun to read."""
    given = {"sheet": "customers", "state": UploadState.READING, "uploaded_at": NOW, "began_at": NOW, **fields}
    return SpreadsheetUpload.objects.create(**{"user": given.pop("user", None) or person(), **given})


def go_company(*, client_key: str | None = None, **fields: Any) -> GoCompany:
    """An active company with a client key of its own; `client_key=""` makes one without, being set up."""
    number = next_number()
    key = next_uuid() if client_key is None else client_key
    company = GoCompany(
        **{
            "name": f"Company {number} AS",
            "state": CompanyState.ACTIVE if key else CompanyState.SETUP,
            **fields,
        }
    )
    company.set_client_key(key)
    company.save()
    return company


def customer(company: GoCompany | None = None, **fields: Any) -> Customer:
    """A company customer with an address."""
    number = next_number()
    return Customer.objects.create(
        company=company or go_company(),
        **{
            "number": 10_000 + number,
            "name": f"Customer {number} AS",
            "email": f"post@customer{number}.example.no",
            "address_line1": f"Storgata {number}",
            "zip_code": "0155",
            "city": "Oslo",
            **fields,
        },
    )


def contact_person(of: Customer, **fields: Any) -> ContactPerson:
    """Somebody to ask at a customer."""
    return ContactPerson.objects.create(
        customer=of, **{"first_name": "Kari", "last_name": f"Nordmann {next_number()}", **fields}
    )


def invoice_receiver(of: Customer, **fields: Any) -> PaymentMethod:
    """A default invoice receiver."""
    return PaymentMethod.objects.create(
        customer=of, **{"kind": PaymentMethodKind.INVOICE, "is_default": True, "invoice_reference": of.name, **fields}
    )


def product(company: GoCompany | None = None, **fields: Any) -> Product:
    """A product at 100.00 excl. VAT and 25 % VAT."""
    number = next_number()
    return Product.objects.create(
        company=company or go_company(),
        **{
            "code": f"P{number}",
            "name": f"Product {number}",
            "price": Decimal("100.0000"),
            "sales_account": 3000,
            **fields,
        },
    )


def statement(
    company: GoCompany | None = None,
    *,
    lines: Iterable[Mapping[str, Any]] | None = None,
    **fields: Any,
) -> InvoiceStatement:
    """A statement that waits to be pushed, with totals counted from its lines.

    Without `lines` it has one: 1 x 100.00 excl. VAT, 25 % VAT. A line is a mapping of fields; a product line
    without `product` gets one of its own. A status beyond the push gets an order id.
    """
    number = next_number()
    company = company or go_company()
    fields = {
        "source_id": f"S{number}",
        "statement_date": TODAY,
        "status": StatementStatus.PROCESSING,
        **fields,
    }
    if "customer" not in fields:
        fields["customer"] = customer(company)
    if fields["status"] in BEYOND_PUSH:
        fields.setdefault("go_order_id", next_uuid())
        fields.setdefault("go_order_number", 50_000 + number)
        fields.setdefault("pushed_at", NOW)
    made = InvoiceStatement(company=company, **fields)
    if "reference" not in fields:
        made.reference = statement_reference(made.source, made.source_id, made.reference_version)
    rows = [_line(made, index, given) for index, given in enumerate([{}] if lines is None else lines, start=1)]
    made.recount(rows)
    made.refresh_search()
    made.save()
    StatementLine.objects.bulk_create(rows)
    return made


def _line(of: InvoiceStatement, index: int, given: Mapping[str, Any]) -> StatementLine:
    if given.get("kind") == LineKind.TEXT:
        return StatementLine(statement=of, **{"line_number": index, "description": f"Text {index}", **given})
    fields = {
        "line_number": index,
        "quantity": Decimal(1),
        "unit_price": Decimal(100),
        "vat_rate": Decimal("0.25"),
        **given,
    }
    if "product" not in fields:
        fields["product"] = product(of.company)
    fields.setdefault("description", fields["product"].name if fields["product"] else "")
    return StatementLine(statement=of, **fields)


def subscription(company: GoCompany | None = None, **fields: Any) -> Subscription:
    """A subscription from today on, paid monthly on the 1st by its holder, who has a default invoice receiver."""
    company = company or go_company()
    if "holder" not in fields:
        fields["holder"] = customer(company)
        if "payer" not in fields:
            invoice_receiver(fields["holder"])
    return Subscription.objects.create(
        company=company,
        **{
            "payer": fields["holder"],
            "product": fields.pop("product", None) or product(company),
            "first_date": TODAY,
            **fields,
        },
    )


def subscription_bill(company: GoCompany | None = None, **fields: Any) -> SubscriptionBill:
    """The bill of one payer for the first of next month, with its upcoming statement."""
    payer = fields.pop("payer", None) or customer(company)
    made = statement(
        payer.company, customer=payer, status=StatementStatus.UPCOMING, source=StatementSource.SUBSCRIPTION
    )
    return SubscriptionBill.objects.create(
        **{"statement": made, "payer": payer, "date": date(2026, 3, 1), "digest": "", "saved_at": NOW, **fields}
    )


def subscription_term(of: Subscription | None = None, **fields: Any) -> SubscriptionTerm:
    """The payment of next month."""
    of = of or subscription()
    fields = {"date": date(2026, 3, 1), "months": 1, **fields}
    return SubscriptionTerm.objects.create(
        subscription=of,
        **{
            "bill": fields.pop("bill", None) or subscription_bill(of.company, date=fields["date"]),
            "month": month_of(fields["date"]),
            **fields,
        },
    )


def outgoing_invoice(company: GoCompany | None = None, **fields: Any) -> OutgoingInvoice:
    """Go's invoice of 125.00 incl. VAT, unpaid, sent today, due in 14 days."""
    number = next_number()
    fields = {"net": Decimal("100.00"), "total": Decimal("125.00"), **fields}
    return OutgoingInvoice.objects.create(
        company=company or go_company(),
        **{
            "go_invoice_id": next_uuid(),
            "type": InvoiceType.INVOICE,
            "invoice_number": 20_000 + number,
            "voucher_number": 30_000 + number,
            "kid": f"{number:08d}",
            "invoice_date": TODAY,
            "due_date": TODAY + timedelta(days=14),
            "currency": "NOK",
            "total_posted": fields["total"],
            "balance": fields["total"],
            "sent_at": NOW,
            **fields,
        },
    )


def ledger_entry(of: OutgoingInvoice, **fields: Any) -> LedgerEntry:
    """A payment of the whole invoice."""
    number = next_number()
    return LedgerEntry.objects.create(
        company=of.company,
        outgoing_invoice=of,
        **{
            "go_entry_id": 40_000 + number,
            "voucher_type": "CustomerPayment",
            "voucher_number": number,
            "voucher_date": TODAY,
            "posting_date": TODAY,
            "amount": -of.total_posted,
            "balance": Decimal("0.00"),
            "invoice_number": str(of.invoice_number or ""),
            **fields,
        },
    )


def hand_payment(of: InvoiceStatement, **fields: Any) -> HandPayment:
    """A payment by hand of the whole statement that waits for a second person."""
    given = {
        "amount": of.total,
        "open_before": of.total,
        "paid_on": TODAY,
        "method": HandPaymentMethod.BANK,
        "reason": "Seen on the bank statement",
        "status_before": of.status,
        "state": HandPaymentState.WAITING,
        "needs_approval": True,
        "asked_at": NOW,
        **fields,
    }
    return HandPayment.objects.create(statement=of, **{"asked_by": given.pop("asked_by", None) or person(), **given})


def run(company: GoCompany | None = None, **fields: Any) -> SyncRun:
    """A cycle under way, started by the schedule."""
    return SyncRun.objects.create(
        company=company or go_company(), **{"trigger": RunTrigger.SCHEDULE, "started_at": NOW, **fields}
    )


def attempt(company: GoCompany | None = None, **fields: Any) -> SyncAttempt:
    """An open attempt to create a sales order, one minute of lease."""
    if company is None:
        of = fields.get("statement") or fields.get("customer") or fields.get("product")
        company = of.company if of else go_company()
    return SyncAttempt.objects.create(
        company=company,
        **{
            "operation": Operation.CREATE_ORDER,
            "started_at": NOW,
            "lease_until": NOW + timedelta(minutes=1),
            **fields,
        },
    )
