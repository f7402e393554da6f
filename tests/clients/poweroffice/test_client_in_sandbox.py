"""Every call, against the sandbox, which plays Go as the reference describes it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from integration import remotes
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.errors import (
    Conflict,
    InDoubt,
    KeyRejected,
    NotFound,
    PermanentError,
    PrivilegeMissing,
    Refused,
    RemoteError,
    Throttled,
    Unavailable,
)
from integration.terms import (
    Address,
    ContactPersonDraft,
    CustomerBalance,
    CustomerDraft,
    ProductDraft,
    SalesOrderDraft,
    SalesOrderLineDraft,
)
from tests import factories

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOBODY = "00000000-0000-4000-8000-000000000000"
COMPLETE = "/SalesOrders/Complete"


def order_draft(go: PowerOfficeClient, reference: str = "st-1", **fields) -> SalesOrderDraft:
    """Two nights in a cabin, 2 x 1000 kroner, with a text line above."""
    customer = next(iter(go.customers(numbers=[10000])))
    product = next(iter(go.products(codes=["HYTTE"])))
    lines = (
        SalesOrderLineDraft(description="Booking 88123 – “æøå” 🏕", sort_order=0),
        SalesOrderLineDraft(
            description="Hytte 4, 2 netter",
            sort_order=1,
            reference=f"{reference}/1",
            product_id=product.id,
            quantity=Decimal(2),
            unit_price=Decimal("1000.00"),
        ),
    )
    return SalesOrderDraft(
        **{
            "reference": reference,
            "customer_id": customer.id,
            "currency": "NOK",
            "order_date": date(2026, 3, 2),
            "payment_days": 14,
            "lines": lines,
            **fields,
        }
    )


def failure(call, *args, **kwargs) -> RemoteError:
    try:
        call(*args, **kwargs)
    except RemoteError as error:
        return error
    pytest.fail("It went well.")


@pytest.fixture(params=["absent", "null"])
def unselected(request, sandbox) -> None:
    sandbox.switch(fields_unselected=request.param)


# --- Who we are -------------------------------------------------------------------------------------------------


def test_client_information(go, sandbox, company):
    sandbox.act("set_subscriptions", company, subscriptions=["TimeTracking"])
    known = go.client_information()
    assert (known.client_name, known.subscriptions, known.may_send_invoices) == (
        "Fjordgløtt Camping AS",
        ("TimeTracking",),
        False,
    )
    assert "SalesOrders_Full" in known.privileges + known.missing_privileges


def test_revoked_key(go, sandbox, company):
    sandbox.act("revoke_key", company)
    error = failure(go.client_information)
    assert type(error) is KeyRejected
    assert error.evidence.title == "invalid_client"


@pytest.mark.parametrize("body", ["empty", "problem", "gateway"])
def test_expired_tokens_are_renewed_without_a_word(go, sandbox, company, body):
    sandbox.switch(unauthorized_body=body)
    go.client_information()
    sandbox.act("expire_tokens", company)
    go.client_information()
    assert sandbox.requests()["by_route"] == {"POST /OAuth/Token": 2, "GET /ClientIntegrationInformation": 3}


@pytest.mark.parametrize("body", ["problem", "empty"])
def test_missing_privilege(go, sandbox, company, body):
    sandbox.switch(forbidden_body=body)
    sandbox.act("set_privileges", company, privileges=["Customer"])
    assert type(failure(lambda: list(go.products()))) is PrivilegeMissing


# --- Customers --------------------------------------------------------------------------------------------------


def test_customers(go, unselected):
    customers = {customer.number: customer for customer in go.customers()}
    assert list(customers) == [10000, 10001, 10002, 10003, 10004]
    known = customers[10000]
    assert (known.name, known.organisation_number, known.email, known.invoice_email, known.is_archived) == (
        "Bakketun Barnehage SA",
        "912401111",
        "post10000@example.com",
        "faktura10000@example.com",
        False,
    )
    assert go.customer(known.id) == known
    for found in (
        go.customers(numbers=[10000, 99999]),
        go.customers(organisation_numbers=["912401111"]),
        go.customers(emails=["post10000@example.com"]),
    ):
        assert list(found) == [known]
    assert known.last_changed_at is not None
    assert list(go.customers(changed_since=known.last_changed_at)) == []
    assert len(list(go.customers(changed_since=known.last_changed_at - timedelta(microseconds=1)))) == 5


def test_customer_is_made_changed_found_and_deleted(go):
    draft = CustomerDraft(
        reference="C-1",
        name="Fjell og Fjord AS",
        organisation_number="923609016",
        email="post@fjell.no",
        address=Address("Veien 1", "", "6800", "Førde"),
        delivery="EMAIL",
        payment_days=14,
    )
    made = go.create_customer(draft)
    assert (made.name, made.number, made.reference) == ("Fjell og Fjord AS", 10005, "C-1")
    assert list(go.customers(reference="C-1")) == [made]
    changed = go.update_customer(
        made.id,
        CustomerDraft(
            reference="C-1", name="Fjell AS", invoice_email="f@fjell.no", address=Address("", "", "0150", "Oslo")
        ),
    )
    assert (changed.name, changed.email, changed.invoice_email) == ("Fjell AS", "post@fjell.no", "f@fjell.no")
    again = failure(go.create_customer, draft)
    assert type(again) is Refused
    assert str(made.id) in again.message
    go.delete_customer(made.id)
    assert type(failure(go.customer, made.id)) is NotFound


def test_address_is_put_on_a_customer_that_had_none(go, sandbox, company):
    made = go.create_customer(CustomerDraft(reference="C-2", name="Uten adresse AS"))
    go.update_customer(
        made.id, CustomerDraft(reference="C-2", name="Uten adresse AS", address=Address("V 1", "", "0150", "Oslo"))
    )
    known = next(each for each in sandbox.books(company)["customers"] if each["id"] == made.id)
    assert {name: known["MailAddress"][name] for name in ("AddressLine1", "ZipCode", "City", "CountryCode")} == {
        "AddressLine1": "V 1",
        "ZipCode": "0150",
        "City": "Oslo",
        "CountryCode": "NO",
    }


def test_contact_persons(go):
    customer = next(iter(go.customers(numbers=[10000])))
    assert list(go.contact_persons(customer.id)) == []
    made = go.create_contact_person(
        customer.id, ContactPersonDraft("Kari", "Nordmann", "kari@example.no", reference="k")
    )
    assert (made.contact_id, made.first_name, made.last_name, made.email, made.reference) == (
        customer.id,
        "Kari",
        "Nordmann",
        "kari@example.no",
        "k",
    )
    changed = go.update_contact_person(customer.id, made.id, ContactPersonDraft("Kari", "Vik"))
    assert (changed.last_name, changed.email) == ("Vik", "kari@example.no")
    assert list(go.contact_persons(customer.id)) == [changed]
    go.delete_contact_person(customer.id, made.id)
    assert list(go.contact_persons(customer.id)) == []


# --- Products ---------------------------------------------------------------------------------------------------


def test_products(go, unselected):
    cabin = next(iter(go.products(codes=["HYTTE"])))
    assert (cabin.code, cabin.name, cabin.price) == ("HYTTE", "Hytte, per natt", Decimal(1000))
    account = next(account for account in go.accounts() if account.id == cabin.sales_account_id)
    draft = ProductDraft("NY-1", "Ny vare", price=Decimal("99.95"), sales_account_id=account.id)
    made = go.create_product(draft)
    assert (made.code, made.price, made.sales_account_id) == ("NY-1", Decimal("99.95"), account.id)
    changed = go.update_product(made.id, ProductDraft("NY-1", "Nyere vare", price=Decimal("0.10")))
    assert (changed.name, changed.price, changed.sales_account_id) == ("Nyere vare", Decimal("0.10"), account.id)
    assert list(go.products(codes=["NY-1", "HYTTE", "NO"])) == [cabin, changed]
    assert list(go.products(changed_since=changed.last_changed_at)) == []
    assert cabin.group_id in {group.id for group in go.product_groups()}


# --- Sales orders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locked", [False, True])
def test_order_is_made_with_its_lines(go, locked):
    draft = order_draft(go, locked=locked, purchase_order_reference="PO-1", order_number=417)
    made = go.create_order(draft)
    assert (made.locked, made.reference, made.customer_id, made.net, made.total, made.line_count, made.currency) == (
        locked,
        "st-1",
        draft.customer_id,
        Decimal(2000),
        Decimal(2240),
        2,
        "NOK",
    )
    assert [(line.reference, line.description, line.net, line.vat, line.total) for line in made.lines] == [
        ("", "Booking 88123 – “æøå” 🏕", 0, 0, 0),
        ("st-1/1", "Hytte 4, 2 netter", 2000, 240, 2240),
    ]
    assert made.lines[1].vat_rate == Decimal("0.12")
    assert go.order_with_lines(made.id) == made
    header = go.order(made.id)
    assert (header.id, header.number, header.total, header.lines) == (made.id, made.number, made.total, ())


def test_credit_note_draft(go):
    line = SalesOrderLineDraft("Kreditert", 0, "k/1", order_draft(go).lines[1].product_id, Decimal(-1), Decimal(1000))
    made = go.create_order(order_draft(go, "k", lines=(line,)))
    assert (made.net, made.total) == (Decimal(-1000), Decimal(-1120))


def test_orders(go, unselected):
    first, second = go.create_order(order_draft(go, "st-1")), go.create_order(order_draft(go, "st-2"))
    assert [order.id for order in go.orders(only_ours=True)] == [first.id, second.id]
    assert [order.total for order in go.orders(customer_numbers=[10000, 10001])] == [Decimal(2240)] * 2
    assert list(go.orders(customer_numbers=[10001])) == []
    assert list(go.orders(changed_since=second.last_changed_at)) == []


@pytest.mark.parametrize(("switch", "kind"), [("400", Refused), ("409", Conflict)])
def test_reference_that_is_taken(go, sandbox, switch, kind):
    sandbox.switch(duplicate_reference=switch)
    made = go.create_order(order_draft(go))
    error = failure(go.create_order, order_draft(go))
    assert type(error) is kind
    assert isinstance(error, PermanentError)
    assert [order.id for order in go.orders()] == [made.id]


@pytest.mark.parametrize("filters", ["present", "400"])
def test_find_orders_and_invoices(go, sandbox, company, filters):
    sandbox.switch(d26_filters=filters)
    draft, sent = go.create_order(order_draft(go, "draft")), go.create_order(order_draft(go, "sent"))
    sandbox.act("send", company, order_ids=[sent.id])
    sandbox.forget_requests()
    for _ in range(2):
        orders = go.find_orders(["draft", "sent", "never"], since=LONG_AGO)
        invoices = go.find_invoices(["draft", "sent", "never"], since=LONG_AGO)
        assert {reference: order.id for reference, order in orders.items()} == {"draft": draft.id}
        assert {reference: invoice.id for reference, invoice in invoices.items()} == {"sent": sent.id}
    assert sandbox.requests()["total"] == (4 if filters == "present" else 6)


def test_find_many_orders_in_few_requests(go, sandbox):
    references = [f"statement-with-a-long-name-{number:020}" for number in range(90)]
    made = go.create_order(order_draft(go, references[77]))
    sandbox.forget_requests()
    assert list(go.find_orders(references, since=LONG_AGO)) == [made.reference]
    assert sandbox.requests()["by_route"] == {"GET /SalesOrders": 3}


def test_unknown_product_is_not_found(go):
    line = SalesOrderLineDraft("Noe", 0, "x/1", 999_999, Decimal(1), Decimal(1))
    error = failure(go.create_order, order_draft(go, lines=(line,)))
    assert type(error) is NotFound
    assert error.message.startswith(
        "Creating sales order st-1: PowerOffice Go does not find what was named: SalesOrder"
    )


def test_order_is_changed_locked_unlocked_and_deleted(go):
    made = go.create_order(order_draft(go))
    changes = {"customer_reference": "Kari", "delivery_date": date(2026, 3, 5), "locked": True}
    assert go.update_order(made.id, changes).locked is True
    assert type(failure(go.delete_order, made.id)) is Conflict
    assert go.update_order(made.id, {"locked": False}).locked is False
    go.delete_order(made.id)
    assert type(failure(go.order, made.id)) is NotFound
    assert type(failure(go.order_with_lines, NOBODY)) is NotFound


def test_attachments(go):
    made = go.create_order(order_draft(go))
    assert list(go.attachments(made.id)) == []
    added = go.add_attachment(made.id, "Følgebrev æ.pdf", b"%PDF-1.4 \x00\xff", "application/pdf")
    assert (added.file_name, added.file_size) == ("Følgebrev æ.pdf", 11)
    assert "11 bytes" in go.last_evidence.request_excerpt
    assert list(go.attachments(made.id)) == [added]
    assert go.attachment_content(made.id, added.id) == b"%PDF-1.4 \x00\xff"
    go.delete_attachment(made.id, added.id)
    assert list(go.attachments(made.id)) == []


def test_sending(go, sandbox, company):
    made = go.create_order(order_draft(go))
    assert go.sent_state(made.id) is None or go.sent_state(made.id).sent_at is None
    refused = failure(go.send_order, made.id)
    assert type(refused) is PrivilegeMissing
    sandbox.act("set_send_grant", company, allow=True)
    go.send_order(made.id, email="a@b.no", voucher_date=date(2026, 3, 2), due_date=date(2026, 3, 20))
    state = go.sent_state(made.id)
    assert state is not None
    assert (state.order_id, state.being_processed, state.due_date, state.last_error) == (
        made.id,
        False,
        date(2026, 3, 20),
        "",
    )
    invoice = go.invoice(made.id)
    assert (invoice.number, invoice.invoice_date, invoice.due_date) == (
        state.invoice_number,
        date(2026, 3, 2),
        date(2026, 3, 20),
    )
    assert type(failure(go.send_order, made.id)) in {Refused, NotFound}


# --- Invoices and ledger ----------------------------------------------------------------------------------------


def test_invoices_and_payments(go, sandbox, company, unselected):
    made = go.create_order(order_draft(go))
    sandbox.act("send", company, order_ids=[made.id])
    sent = next(iter(go.invoices()))
    assert (
        sent.id,
        sent.reference,
        sent.order_number,
        sent.total,
        sent.total_posted,
        sent.balance,
        sent.is_credit_note,
    ) == (
        made.id,
        "st-1",
        made.number,
        Decimal(2240),
        Decimal(2240),
        Decimal(2240),
        False,
    )
    assert sent.balance_changed_at is not None
    assert [(line.reference, line.total) for line in go.invoice_lines(sent.id)] == [
        ("", Decimal(0)),
        ("st-1/1", Decimal(2240)),
    ]
    assert list(go.invoices(balance_changed_since=sent.balance_changed_at)) == []

    sandbox.act("pay", company, invoice_id=sent.id, amount="1000.10")
    partly = next(iter(go.invoices(balance_changed_since=sent.balance_changed_at)))
    assert partly.balance == Decimal("1239.90")
    assert partly == go.invoice(sent.id)
    assert list(go.invoices(ids=[sent.id, NOBODY], only_unpaid=True)) == [partly]
    assert list(go.invoices(customer_numbers=[10001])) == []
    assert [row.id for row in go.invoices(from_date=date(2020, 1, 1))] == [sent.id]
    assert partly.match_id is not None
    matched = list(go.ledger_by_match(partly.match_id))
    assert sorted((entry.amount, entry.is_write_off) for entry in matched) == [
        (Decimal("-1000.10"), False),
        (Decimal(2240), False),
    ]
    long = {"from_date": date(2020, 1, 1), "to_date": date(2099, 1, 1)}
    everything = list(go.ledger(**long))
    assert sorted(entry.id for entry in everything) == sorted(entry.id for entry in matched)
    newest = max(entry.last_changed_at for entry in everything if entry.last_changed_at)
    assert list(go.ledger(**long, changed_since=newest)) == []
    tomorrow = timezone.now().date() + timedelta(days=1)
    assert [entry.invoice_number for entry in go.open_items(tomorrow)] == [str(sent.number)]
    assert list(go.customer_balances(tomorrow)) == [CustomerBalance(sent.customer_id, 10000, Decimal("1239.90"))]


def test_unknown_invoice(go):
    assert type(failure(go.invoice, NOBODY)) is NotFound


# --- Registers --------------------------------------------------------------------------------------------------


def test_registers(go, unselected):
    rates = {code.code: code.rate for code in go.vat_codes()}
    assert (rates["3"], rates["33"]) == (Decimal("0.25"), Decimal("0.12"))
    accounts = {account.number: account for account in go.accounts()}
    assert accounts[3000].vat_code == "3"
    assert list(go.accounts([3000])) == [accounts[3000]]
    assert 14 in {term.days for term in go.payment_terms()}
    assert all(department.code for department in go.departments())
    assert all(project.id for project in go.projects())


def test_one_row_per_page_reads_the_same(go):
    lists = [go.customers, go.products, go.accounts, go.vat_codes, go.orders]
    for reference in ("st-1", "st-2", "st-3"):
        go.create_order(order_draft(go, reference))
    whole = [list(read()) for read in lists]
    go._page_size = 1
    assert [list(read()) for read in lists] == whole


# --- Faults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        ("drop_before_commit", InDoubt, 0),
        ("drop_after_commit", InDoubt, 1),
        ("error_500_before_commit", InDoubt, 0),
        ("error_500_after_commit", InDoubt, 1),
        ("unavailable_503_before_commit", InDoubt, 0),
        ("unavailable_503_after_commit", InDoubt, 1),
        ("malformed_json_after_commit", InDoubt, 1),
        ("html_after_commit", InDoubt, 1),
        ("empty_after_commit", InDoubt, 1),
        ("throttled_429", Throttled, 0),
    ],
)
def test_faults_of_a_write(go, sandbox, company, kind, error, made):
    draft = order_draft(go)
    sandbox.forget_requests()
    sandbox.faults(kind, method="POST", path=COMPLETE)
    raised = failure(go.create_order, draft)
    assert type(raised) is error
    assert raised.evidence.path == COMPLETE
    assert len(sandbox.books(company)["orders"]) == made
    assert sandbox.requests()["by_route"] == {"POST /SalesOrders/Complete": 1}


def test_slow_write_is_in_doubt(go, sandbox, company):
    draft = order_draft(go)
    sandbox.faults("slow", method="POST", path=COMPLETE, seconds=30)
    assert type(failure(go.create_order, draft)) is InDoubt
    assert len(sandbox.books(company)["orders"]) == 1


def test_write_answered_with_401_is_made_once(go, sandbox, company):
    draft = order_draft(go)
    sandbox.faults("unauthorized_401", method="POST", path=COMPLETE)
    go.create_order(draft)
    assert len(sandbox.books(company)["orders"]) == 1


@pytest.mark.parametrize(
    "kind", ["drop_before_commit", "error_500_before_commit", "unavailable_503_after_commit", "html_after_commit"]
)
def test_faults_of_a_read_are_overcome_twice(go, sandbox, kind):
    sandbox.faults(kind, method="GET", path="/Products", count=2)
    assert len(list(go.products())) == 7
    sandbox.faults(kind, method="GET", path="/Products", count=3)
    assert type(failure(lambda: list(go.products()))) is Unavailable


def test_fault_of_the_token_does_not_put_a_write_in_doubt(go, sandbox, company):
    draft = order_draft(go)
    sandbox.act("expire_tokens", company)
    for kind in ("drop_after_commit", "error_500_after_commit", "html_after_commit"):
        sandbox.faults(kind, method="POST", path="/OAuth/Token")
        assert type(failure(go.create_order, draft)) is Unavailable
    assert sandbox.books(company)["orders"] == []
    go.create_order(draft)


def test_before_send_can_stop_a_write(go, sandbox, company):
    class Stopped(Exception):
        pass

    def stop():
        raise Stopped

    draft = order_draft(go)
    sandbox.forget_requests()
    with pytest.raises(Stopped):
        go.create_order(draft, before_send=stop)
    assert sandbox.requests()["total"] == 0


def test_each_company_has_its_own_books_and_token(go, sandbox):
    other = factories.go_company(client_key=sandbox.open_company(name="Nordlys Padel AS"))
    go.create_order(order_draft(go))
    go_other = remotes.go_client(other)
    assert go_other.client_information().client_name == "Nordlys Padel AS"
    assert list(go_other.orders()) == []
    assert len(list(go.orders())) == 1
