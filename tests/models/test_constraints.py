"""The promises of the database. Each is broken here, past all Python checks, and must hold; then its neighbours are
tried, which must not be refused."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F

from accounts.models import User
from integration.decisions.transitions import BEYOND_PUSH
from integration.enums import (
    AttemptOutcome,
    CompanyState,
    HandPaymentState,
    Interval,
    InvoiceDelivery,
    InvoiceType,
    LineKind,
    PaymentMethodKind,
    ReceiverType,
    Resource,
    StatementKind,
    StatementSource,
    StatementStatus,
)
from integration.models import (
    AccessToken,
    ContactPerson,
    CustomerInGo,
    GoCompany,
    InvoiceStatement,
    LedgerEntry,
    PaymentMethod,
    ProductInGo,
    SpreadsheetUpload,
    StatementLine,
    SyncAttempt,
    SyncCursor,
    UploadBlock,
    UploadName,
    UploadPortion,
)
from tests import factories as f

pytestmark = pytest.mark.django_db

Act = Callable[[], Any]
Pair = Callable[[], tuple[models.Model, models.Model]]


def put(make: Callable[[], models.Model], **values: Any) -> Act:
    """Write values straight into one new row."""

    def act() -> None:
        record = make()
        type(record)._base_manager.filter(pk=record.pk).update(**values)

    return act


def same(make: Pair, *names: str) -> Act:
    """Give the second of two rows the same values as the first."""

    def act() -> None:
        first, second = make()
        values = {name: getattr(first, name) for name in names}
        type(second)._base_manager.filter(pk=second.pk).update(**values)

    return act


def two(make: Callable[..., models.Model], **fields: Any) -> Pair:
    """Two rows in one company."""

    def pair() -> tuple[models.Model, models.Model]:
        company = f.go_company()
        return make(company, **fields), make(company, **fields)

    return pair


def apart(make: Callable[..., models.Model], **fields: Any) -> Pair:
    """Two rows in two companies."""
    return lambda: (make(f.go_company(), **fields), make(f.go_company(), **fields))


def payment(**fields: Any) -> models.Model:
    """A payment by hand of 125.00."""
    return f.hand_payment(f.statement(status=StatementStatus.PAID), **fields)


def in_force() -> models.Model:
    return payment(state=HandPaymentState.IN_FORCE, needs_approval=False)


def undone() -> models.Model:
    ended = {"ended_by": f.person(), "ended_at": f.NOW, "end_reason": "The bank took it back"}
    return payment(state=HandPaymentState.UNDONE, needs_approval=False, **ended)


def two_payments(**fields: Any) -> Pair:
    return lambda: (payment(**fields), payment(**fields))


def two_of_a_customer(model: type[models.Model], **fields: Any) -> Pair:
    def pair() -> tuple[models.Model, models.Model]:
        customer = f.customer()
        return (
            model._base_manager.create(customer=customer, **fields),
            model._base_manager.create(customer=customer, **fields),
        )

    return pair


def two_lines() -> tuple[models.Model, models.Model]:
    first, second = f.statement(lines=[{}, {}]).lines.order_by("line_number")
    return first, second


def with_the_same_go_id(make: Pair, name: str) -> Act:
    """Two records linked to one record in Go: first the one, then the other."""

    def act() -> None:
        for record in make():
            type(record)._base_manager.filter(pk=record.pk).update(**{name: 7})

    return act


def line(**fields: Any) -> StatementLine:
    return f.statement(lines=[fields]).lines.get()


def cursor(company: GoCompany | None = None, resource: str = Resource.LEDGER) -> SyncCursor:
    return SyncCursor.objects.create(company=company or f.go_company(), resource=resource, watermark=f.NOW)


def two_cursors() -> tuple[models.Model, models.Model]:
    company = f.go_company()
    return cursor(company), cursor(company, Resource.INVOICES)


def entry(company: GoCompany) -> LedgerEntry:
    return f.ledger_entry(f.outgoing_invoice(company))


def customer_in_go(company: GoCompany) -> CustomerInGo:
    return CustomerInGo.objects.create(company=company, go_customer_id=f.next_number())


def product_in_go(company: GoCompany) -> ProductInGo:
    return ProductInGo.objects.create(company=company, go_product_id=f.next_number())


def two_attempts(**fields: Any) -> Act:
    def act() -> None:
        statement = f.statement()
        f.attempt(statement=statement)
        f.attempt(statement=statement, **fields)

    return act


def credit_note() -> InvoiceStatement:
    return f.statement(kind=StatementKind.CREDIT_NOTE, credit_reason="The invoice is older than this system.")


def block(upload: SpreadsheetUpload | None = None, number: int = 0) -> UploadBlock:
    return UploadBlock.objects.create(upload=upload or f.upload(), number=number, content=b"x")


def portion(upload: SpreadsheetUpload | None = None, row: int = 2) -> UploadPortion:
    return UploadPortion.objects.create(upload=upload or f.upload(), first_row=row, last_row=row, rows=1, table=b"")


def row_name(upload: SpreadsheetUpload, name: int) -> UploadName:
    return UploadName.objects.create(upload=upload, name=name, row=2)


def two_of_an_upload(make: Callable[..., models.Model]) -> Pair:
    """Two rows of one upload."""

    def pair() -> tuple[models.Model, models.Model]:
        upload = f.upload()
        return make(upload, 1), make(upload, 2)

    return pair


def two_bills() -> tuple[models.Model, models.Model]:
    payer = f.customer()
    return f.subscription_bill(payer=payer), f.subscription_bill(payer=payer, number=2)


def two_terms() -> tuple[models.Model, models.Model]:
    subscription = f.subscription()
    return f.subscription_term(subscription), f.subscription_term(subscription, date=date(2026, 4, 1))


def receiver(**fields: Any) -> PaymentMethod:
    return f.invoice_receiver(f.customer(), **fields)


CONTACT = {"first_name": "Kari", "last_name": "Nordmann"}

BROKEN: dict[str, list[Act]] = {
    "user_email_once": [
        lambda: User.objects.bulk_create([User(email="kari@example.no"), User(email="KARI@example.no")])
    ],
    "go_company_client_key_once": [same(lambda: (f.go_company(), f.go_company()), "client_key_fingerprint")],
    "go_company_state_known": [put(f.go_company, state="ASLEEP"), put(f.go_company, state="")],
    "go_company_organisation_number_shape": [
        put(f.go_company, organisation_number=number) for number in ("12345678", "12345678A", "NO1234567", "12345678\n")
    ],
    "go_company_by_hand_limit": [put(f.go_company, by_hand_limit=Decimal("-0.01"))],
    "hand_payment_one_waits": [same(two_payments(state="WAITING"), "statement_id")],
    "hand_payment_state_known": [put(undone, state="MAYBE"), put(undone, state="")],
    "hand_payment_method_known": [put(in_force, method="SHELLS"), put(in_force, method="")],
    "hand_payment_amount": [
        put(in_force, amount=Decimal(0)),
        put(in_force, amount=Decimal("-1.00")),
        put(in_force, amount=Decimal("125.01")),
    ],
    "hand_payment_says_why": [put(in_force, reason="")],
    "hand_payment_invoice_number": [put(in_force, invoice_number=0), put(in_force, invoice_number=-7)],
    "hand_payment_second_person": [
        put(in_force, approved_by=F("asked_by"), approved_at=f.NOW),
        put(in_force, approved_at=f.NOW),
        lambda: f.hand_payment(f.statement(status=StatementStatus.PAID), approved_by=f.person()),
    ],
    "hand_payment_approved_where_needed": [put(in_force, needs_approval=True), put(undone, needs_approval=True)],
    "hand_payment_refused_by_another": [put(undone, state="REFUSED", ended_by=F("asked_by"))],
    "hand_payment_end_says_who_and_why": [
        put(undone, ended_by=None),
        put(undone, ended_at=None),
        put(undone, end_reason=""),
        put(undone, state="IN_FORCE"),
        put(in_force, state="UNDONE"),
        put(in_force, end_reason="Because"),
    ],
    "go_company_active_has_key": [
        put(f.go_company, client_key_fingerprint=""),
        put(lambda: f.go_company(client_key=""), state=CompanyState.ACTIVE),
    ],
    "sync_cursor_once": [same(two_cursors, "resource")],
    "sync_cursor_resource_known": [put(cursor, resource="STOCK")],
    "customer_number_once": [same(two(f.customer), "number")],
    "customer_source_id_once": [same(two(f.customer), "source", "source_id")],
    "customer_go_id_once": [with_the_same_go_id(two(f.customer), "go_customer_id")],
    "customer_organisation_number_shape": [
        put(f.customer, organisation_number=number) for number in ("1", "12345678A", "12345 678", " 23456789")
    ],
    "customer_person_has_no_organisation_number": [put(f.customer, is_person=True, organisation_number="914778271")],
    "spreadsheet_upload_state_known": [put(f.upload, state="LOST"), put(f.upload, state="")],
    "upload_block_once": [same(two_of_an_upload(block), "number")],
    "upload_portion_once": [same(two_of_an_upload(portion), "first_row")],
    "upload_portion_state_known": [put(portion, state="LOST")],
    "upload_name_once": [same(two_of_an_upload(row_name), "name")],
    "contact_person_go_id_once": [
        with_the_same_go_id(two_of_a_customer(ContactPerson, **CONTACT), "go_contact_person_id"),
    ],
    "contact_person_one_default": [two_of_a_customer(ContactPerson, is_default=True, **CONTACT)],
    "payment_method_one_default": [two_of_a_customer(PaymentMethod, kind=PaymentMethodKind.CARD, is_default=True)],
    "payment_method_kind_known": [
        lambda: PaymentMethod.objects.bulk_create([PaymentMethod(customer=f.customer(), kind="BARTER")])
    ],
    "payment_method_receiver_type_known": [put(receiver, receiver_type="DOG")],
    "payment_method_only_receivers_say_how": [
        put(receiver, kind=PaymentMethodKind.CARD),
        put(lambda: receiver(kind=PaymentMethodKind.CARD, invoice_reference=""), receiver_type=ReceiverType.COMPANY),
        put(lambda: receiver(kind=PaymentMethodKind.CARD, invoice_reference=""), delivery=InvoiceDelivery.PRINT),
    ],
    "customer_in_go_once": [same(two(customer_in_go), "go_customer_id")],
    "outgoing_invoice_go_id_once": [same(two(f.outgoing_invoice), "go_invoice_id")],
    "outgoing_invoice_number_once": [same(two(f.outgoing_invoice), "invoice_number")],
    "outgoing_invoice_type_known": [put(f.outgoing_invoice, type="RECEIPT")],
    "ledger_entry_go_id_once": [same(two(entry), "go_entry_id")],
    "product_code_once": [same(two(f.product), "code")],
    "product_go_id_once": [with_the_same_go_id(two(f.product), "go_product_id")],
    "product_code_no_comma": [put(f.product, code="A,B")],
    "product_vat_rate_is_fraction": [put(f.product, vat_rate=Decimal(rate)) for rate in ("-0.01", "1.0001")],
    "product_in_go_once": [same(two(product_in_go), "go_product_id")],
    "statement_source_once": [same(two(f.statement), "source", "source_id")],
    "statement_reference_once": [same(two(f.statement), "reference")],
    "statement_go_order_once": [same(two(f.statement, status=StatementStatus.DRAFT), "go_order_id")],
    "statement_combined_into_another": [
        put(lambda: f.statement(status=StatementStatus.DRAFT), combined_into=F("go_order_id"))
    ],
    "statement_status_known": [put(f.statement, status="LOST"), put(f.statement, status="")],
    "statement_in_go_has_order_id": [put(f.statement, status=status) for status in sorted(BEYOND_PUSH)]
    + [put(lambda: f.statement(status=StatementStatus.SENT), go_order_id="")],
    "statement_credit_note_says_what": [
        put(f.statement, kind=StatementKind.CREDIT_NOTE),
        put(credit_note, credit_reason=""),
    ],
    "statement_currency_three_letters": [
        put(f.statement, currency=currency) for currency in ("nok", "NO", "KR.", "", "N0K")
    ],
    "statement_totals_agree": [
        put(f.statement, total=F("total") + Decimal("0.01")),
        put(f.statement, vat=F("vat") - Decimal("0.01")),
        put(f.statement, net=F("net") * -1),
    ],
    "statement_reference": [put(f.statement, reference=""), put(f.statement, reference="FB-1,2")],
    "subscription_price_not_negative": [put(f.subscription, price=Decimal("-0.01"))],
    "subscription_quantity_positive": [put(f.subscription, quantity=Decimal(number)) for number in ("0", "-1")],
    "subscription_discount_is_percent": [
        put(f.subscription, discount_percent=Decimal(number)) for number in ("-0.01", "100.01")
    ],
    "subscription_interval_known": [put(f.subscription, interval=months) for months in (0, 2, 24)],
    "subscription_payment_day_in_month": [put(f.subscription, payment_day=day) for day in (0, 32)],
    "subscription_ends_after_it_starts": [put(f.subscription, ends_on=f.TODAY - timedelta(days=1))],
    "subscription_state_known": [put(f.subscription, state="LOST"), put(f.subscription, state="")],
    "subscription_bill_once": [same(two_bills, "number")],
    "subscription_term_once": [same(two_terms, "date", "month")],
    "subscription_term_month_of_date": [
        put(f.subscription_term, date=date(2026, 4, 1)),
        put(f.subscription_term, month=0),
    ],
    "subscription_term_months_known": [put(f.subscription_term, months=2)],
    "line_number_once": [same(two_lines, "line_number")],
    "line_product_or_text": [
        put(line, product=None),
        put(line, quantity=None),
        put(line, kind=LineKind.TEXT),
        put(lambda: line(kind=LineKind.TEXT), quantity=Decimal(1)),
        put(lambda: line(kind=LineKind.TEXT), unit_price=Decimal(1)),
        put(line, kind="SONG"),
    ],
    "line_vat_rate_is_fraction": [put(line, vat_rate=Decimal(rate)) for rate in ("-0.0001", "1.0001")],
    "statement_sending_was_asked_for": [
        put(f.statement, send_begun_at=f.NOW, send_look_at=f.NOW),
        put(f.statement, send_asked_at=f.NOW, send_begun_at=f.NOW),
        put(f.statement, send_asked_at=f.NOW, send_look_at=f.NOW),
    ],
    "line_accrual_period": [
        put(line, accrual_from=date(2026, 1, 31), accrual_to=date(2026, 1, 1)),
        put(line, accrual_from=date(2026, 1, 1)),
        put(line, accrual_to=date(2026, 1, 1)),
    ],
    "line_credits_so_much": [
        put(line, credited_quantity=Decimal(1)),
        lambda: line(credits_line=line()),
        lambda: line(
            kind=LineKind.TEXT,
            product=None,
            quantity=None,
            unit_price=None,
            credits_line=line(),
            credited_quantity=Decimal(1),
        ),
    ],
    "attempt_one_open_per_statement": [two_attempts()],
    "attempt_ended_has_outcome": [
        put(f.attempt, outcome=AttemptOutcome.DONE),
        put(f.attempt, ended_at=f.NOW),
    ],
}
"""Constraint -> ways to break it, and only it."""

KEPT: dict[str, Act] = {
    "companies without key": lambda: (f.go_company(client_key=""), f.go_company(client_key="")),
    "every state of a company": lambda: [f.go_company(state=state) for state in CompanyState],
    "an organisation number": put(f.go_company, organisation_number="914778271"),
    "a paused company without key": lambda: f.go_company(client_key="", state=CompanyState.PAUSED),
    "cursors of two companies": lambda: (cursor(), cursor()),
    "every resource": lambda: [cursor(resource=resource) for resource in Resource],
    "customers without number": two(f.customer, number=None),
    "a customer number in two companies": apart(f.customer, number=1),
    "a source id in two companies": apart(f.customer, source_id="A"),
    "a source id in two sources": lambda: [
        f.customer(company, source=source, source_id="A") for company in [f.go_company()] for source in StatementSource
    ],
    "a Go id in two companies": with_the_same_go_id(apart(f.customer), "go_customer_id"),
    "customers that Go does not have": two(f.customer, go_customer_id=None),
    "a private person": lambda: f.customer(is_person=True, organisation_number=""),
    "contact persons, none the default": two_of_a_customer(ContactPerson, **CONTACT),
    "payment methods, none the default": two_of_a_customer(PaymentMethod, kind=PaymentMethodKind.CARD),
    "every payment method": lambda: [
        PaymentMethod.objects.create(customer=f.customer(), kind=kind, is_default=True) for kind in PaymentMethodKind
    ],
    "an invoice receiver that says how": lambda: [receiver(delivery=how) for how in InvoiceDelivery],
    "every interval of a subscription": lambda: [f.subscription(interval=interval) for interval in Interval],
    "a subscription for nothing": put(f.subscription, price=Decimal(0), discount_percent=Decimal(100)),
    "a subscription that ends on its first day": put(f.subscription, ends_on=f.TODAY),
    "payments of two months, and bills of one day": lambda: (two_terms(), two_bills()),
    "invoices without number yet": two(f.outgoing_invoice, invoice_number=None),
    "an invoice number in two companies": apart(f.outgoing_invoice, invoice_number=1, go_invoice_id="A"),
    "every type of invoice": lambda: [f.outgoing_invoice(type=kind) for kind in InvoiceType],
    "a product code in two companies": apart(f.product, code="A"),
    "VAT rates from 0 to 100 %": lambda: [f.product(vat_rate=Decimal(rate)) for rate in ("0", "0.1111", "1")],
    "a statement's source id in two companies": apart(f.statement, source_id="A"),
    "statements without order": two(f.statement),
    "every status": lambda: [f.statement(status=status) for status in StatementStatus],
    "a credit note that says why": credit_note,
    "a credit note that says what": lambda: f.statement(kind=StatementKind.CREDIT_NOTE, credits=f.statement()),
    "totals that only decimals get right": lambda: [
        f.statement(lines=[{"unit_price": Decimal(price), "vat_rate": Decimal("0.25")}])
        for price in ("0.10", "0.30", "33.33", "999999999.99", "-999999999.99", "0")
    ],
    "the same line number in two statements": lambda: (line(), line()),
    "a text line": lambda: line(kind=LineKind.TEXT),
    "an accrual period of one day": put(line, accrual_from=date(2026, 1, 1), accrual_to=date(2026, 1, 1)),
    "a payment by hand that a second person approved": lambda: payment(
        state=HandPaymentState.IN_FORCE, approved_by=f.person(), approved_at=f.NOW
    ),
    "two payments by hand that count": lambda: [
        f.hand_payment(paid, state=HandPaymentState.IN_FORCE, needs_approval=False, amount=Decimal("0.01"))
        for paid in [f.statement(status=StatementStatus.PAID)] * 2
    ],
    "a limit of nothing": put(f.go_company, by_hand_limit=Decimal(0)),
    "one attempt after another": two_attempts(ended_at=f.NOW, outcome=AttemptOutcome.LATER),
    "open attempts without statement": two(f.attempt),
}
"""What is close to a broken promise and yet right."""


def refusing(error: IntegrityError, constraint: models.BaseConstraint, model: type[models.Model]) -> None:
    """Check that it was this constraint. SQLite names check constraints, but for unique ones only the columns."""
    if connection.vendor == "postgresql":
        assert error.__cause__.diag.constraint_name == constraint.name  # type: ignore[union-attr] # psycopg's error
        return
    if isinstance(constraint, models.CheckConstraint):
        expected = f"CHECK constraint failed: {constraint.name}"
    elif isinstance(constraint, models.UniqueConstraint) and constraint.fields:
        table = model._meta.db_table
        columns = [
            f"{table}.{cast('models.Field[Any, Any]', model._meta.get_field(name)).column}"
            for name in constraint.fields
        ]
        expected = f"UNIQUE constraint failed: {', '.join(columns)}"
    else:
        expected = f"UNIQUE constraint failed: index '{constraint.name}'"
    assert str(error) == expected


CONSTRAINTS: dict[str, tuple[models.BaseConstraint, type[models.Model]]] = {
    constraint.name: (constraint, model)
    for label in ("accounts", "integration")
    for model in apps.get_app_config(label).get_models()
    for constraint in model._meta.constraints
}


def test_each_promise_is_tried():
    assert set(BROKEN) == set(CONSTRAINTS)


def test_each_promise_has_a_sentence_for_people():
    silent = [
        name
        for name, (constraint, _) in CONSTRAINTS.items()
        if constraint.violation_error_message == constraint.default_violation_error_message
    ]

    assert silent == []


@pytest.mark.parametrize(
    ("name", "act"),
    [pytest.param(name, act, id=f"{name}-{place}") for name in BROKEN for place, act in enumerate(BROKEN[name])],
)
def test_broken_promise_is_refused_by_the_database(name, act):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        act()

    refusing(caught.value, *CONSTRAINTS[name])


@pytest.mark.parametrize("act", KEPT.values(), ids=KEPT)
def test_what_is_right_is_not_refused(act):
    act()


def test_one_token_per_company():
    """A one-to-one field keeps this promise; it has no name of its own."""
    company = f.go_company()
    AccessToken.objects.create(company=company)

    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.create(company=company)


@pytest.mark.parametrize(
    ("make", "parent"),
    [
        (f.customer, lambda record: record.company),
        (f.product, lambda record: record.company),
        (f.statement, lambda record: record.company),
        (f.statement, lambda record: record.customer),
        (line, lambda record: record.product),
        (f.outgoing_invoice, lambda record: record.company),
        (lambda: f.statement(outgoing_invoice=f.outgoing_invoice()), lambda record: record.outgoing_invoice),
        (lambda: f.ledger_entry(f.outgoing_invoice()), lambda record: record.outgoing_invoice),
        (lambda: f.attempt(statement=f.statement()), lambda record: record.statement),
        (lambda: f.attempt(customer=f.customer()), lambda record: record.customer),
        (lambda: f.attempt(run=f.run()), lambda record: record.run),
        (f.run, lambda record: record.company),
        (f.subscription, lambda record: record.company),
        (f.subscription, lambda record: record.payer),
        (f.subscription, lambda record: record.product),
        (f.subscription_term, lambda record: record.subscription),
        (f.subscription_term, lambda record: record.bill),
        (f.subscription_bill, lambda record: record.statement),
        (payment, lambda record: record.statement),
        (payment, lambda record: record.asked_by),
    ],
)
def test_nothing_with_money_is_swept_away_with_its_parent(make, parent):
    record = make()

    with pytest.raises(models.ProtectedError):
        parent(record).delete()

    assert type(record)._base_manager.filter(pk=record.pk).exists()


def test_an_attempt_of_another_time_does_not_block():
    statement = f.statement()
    f.attempt(statement=statement, ended_at=f.NOW, outcome=AttemptOutcome.IN_DOUBT)

    f.attempt(statement=statement, started_at=f.NOW + timedelta(minutes=5))

    assert SyncAttempt.objects.filter(statement=statement).count() == 2
