"""Push: what is sent, what is refused, what it costs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import OperationalError

from integration.decisions.sales_orders import sales_order_draft
from integration.enums import (
    AttemptOutcome,
    CompanyState,
    LineKind,
    OrderStateOnArrival,
    RunOutcome,
    StatementStatus,
)
from integration.models import GoCompany, InvoiceStatement, SyncAttempt, SyncRun
from integration.use_cases import push_statements
from integration.use_cases.settle_doubts import close_stale_claims
from integration.use_cases.sync_customers import customer_draft, draft_hash
from integration.use_cases.sync_products import read_products
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def outcomes(statement) -> list[str]:
    return list(SyncAttempt.objects.filter(statement=statement).order_by("pk").values_list("outcome", flat=True))


def test_push_makes_a_draft_that_says_what_the_statement_says(world):
    statement = world.statement(customer_reference="Kari Nordmann", purchase_order_reference="PO-7781")
    world.turn()
    now = world.fresh(statement)
    (order,) = world.books()["orders"]
    assert now.status == StatementStatus.DRAFT
    assert (now.go_order_id, now.go_order_number) == (order["id"], order["number"])
    assert order["reference"] == statement.reference
    assert Decimal(order["total"]) == now.go_total == now.total == Decimal("2240.00")
    assert order["lines"][0]["reference"] == f"{statement.reference}/1"
    assert now.attention == ""
    assert list(now.moves.order_by("pk").values_list("from_status", "to_status")) == [
        ("PROCESSING", "PUSHING"),
        ("PUSHING", "DRAFT"),
    ]
    assert outcomes(statement) == [AttemptOutcome.DONE]


def test_a_warm_push_costs_one_request_and_a_cycle_at_most_four_more(world):
    world.statement()
    world.turn()
    statements = [world.statement() for _ in range(20)]
    before = world.sandbox.requests()
    pushed = before["by_route"]["POST /SalesOrders/Complete"]
    world.turn()
    after = world.sandbox.requests()
    assert after["by_route"]["POST /SalesOrders/Complete"] - pushed == len(statements)
    pull = {"GET /SalesOrders", "GET /OutgoingInvoices", "GET /Customerledger/Statement"}
    others = {
        route: count - before["by_route"].get(route, 0)
        for route, count in after["by_route"].items()
        if route != "POST /SalesOrders/Complete" and route not in pull
    }
    assert sum(others.values()) <= 4
    assert sum(after["by_route"].get(route, 0) - before["by_route"].get(route, 0) for route in pull) <= 3
    assert after["throttled"] == 0


@pytest.mark.parametrize(
    ("choice", "status"),
    [(OrderStateOnArrival.DRAFT, StatementStatus.DRAFT), (OrderStateOnArrival.LOCKED, StatementStatus.CONFIRMED)],
)
def test_the_company_chooses_draft_or_locked(world, choice, status):
    GoCompany.objects.filter(pk=world.company.pk).update(order_state_on_arrival=choice)
    statement = world.statement()
    world.turn()
    assert world.fresh(statement).status == status
    world.until_quiet(1)
    assert world.fresh(statement).status == status


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"customer": None}, "NO_CUSTOMER", "The statement has no customer."),
        ({"currency": "XYZ"}, "CURRENCY", "The currency 'XYZ' is not one we know."),
        (
            {"stated_total": Decimal("2240.01")},
            "SUM_DIFFERS",
            "The source states 2\u202f240,01\xa0NOK, the lines sum to 2\u202f240,00.",
        ),
    ],
)
def test_bad_statements_stop_before_go_and_say_why(world, fields, code, words):
    statement = world.statement(**fields)
    world.turn()
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (StatementStatus.NEEDS_FIX, code)
    assert words in now.attention
    assert world.in_go() == {}
    assert outcomes(statement) == [AttemptOutcome.NOT_READY]


def test_a_product_unknown_to_go_names_the_line(world):
    unknown = factories.product(world.company, code="UFO")
    statement = world.statement(
        lines=[
            {"product": world.product, "quantity": 1, "unit_price": 10},
            {"product": unknown, "quantity": 1, "unit_price": 10},
        ]
    )
    world.turn()
    now = world.fresh(statement)
    assert now.status == StatementStatus.NEEDS_FIX
    assert now.attention.startswith("Line 2: PowerOffice Go has no product UFO.")
    assert world.in_go() == {}


def test_a_missing_product_is_created_when_the_company_allows_and_the_account_is_known(world):
    GoCompany.objects.filter(pk=world.company.pk).update(create_missing_products=True)
    new = factories.product(world.company, code="NY", name="Ny vare", sales_account=3000)
    statements = [world.statement(lines=[{"product": new, "quantity": 1, "unit_price": 100}]) for _ in range(2)]
    world.turn()
    assert [world.fresh(statement).status for statement in statements] == [StatementStatus.DRAFT] * 2
    assert [product["code"] for product in world.books()["products"]].count("NY") == 1


@pytest.mark.parametrize(
    ("account", "words"), [(None, "has no sales account"), (9999, "which PowerOffice Go does not have")]
)
def test_a_missing_product_without_a_known_account_is_not_created(world, account, words):
    GoCompany.objects.filter(pk=world.company.pk).update(create_missing_products=True)
    new = factories.product(world.company, code="NY", sales_account=account)
    statement = world.statement(lines=[{"product": new, "quantity": 1, "unit_price": 100}])
    world.turn()
    assert words in world.fresh(statement).attention
    assert "NY" not in [product["code"] for product in world.books()["products"]]


def test_another_total_in_go_is_marked_and_says_both_sums(world):
    statement = world.statement(
        lines=[{"product": world.product, "quantity": 2, "unit_price": 1000, "vat_rate": Decimal("0.25")}]
    )
    world.turn()
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (StatementStatus.DRAFT, "TOTAL_DIFFERS")
    assert "says 2\u202f240,00\xa0NOK, we say 2\u202f500,00\xa0NOK" in now.attention


def test_five_thousand_lines_and_every_script_arrive_whole(world):
    words = ["🏕️ telt", "שלום עולם", "bell\x07", "æøå ÆØÅ", "=cmd|' /C calc'!A0"]
    lines = [
        {"product": world.product, "quantity": 1, "unit_price": 1, "description": words[n % len(words)]}
        for n in range(5000)
    ]
    statement = world.statement(lines=lines)
    world.turn()
    (order,) = world.books()["orders"]
    assert world.fresh(statement).status == StatementStatus.DRAFT
    assert len(order["lines"]) == 5000
    assert [line["description"] for line in order["lines"][:5]] == [
        "🏕️ telt",
        "שלום עולם",
        "bell",
        "æøå ÆØÅ",
        "=cmd|' /C calc'!A0",
    ]


def test_ten_kilobytes_of_text_are_refused_by_name(world):
    statement = world.statement(
        lines=[{"product": world.product, "quantity": 1, "unit_price": 1, "description": "x" * 10_000}]
    )
    world.turn()
    assert "the text has 10000 characters" in world.fresh(statement).attention
    assert world.in_go() == {}


def test_text_lines_travel_too(world):
    statement = world.statement(
        lines=[
            {"kind": LineKind.TEXT, "description": "Booking 88123"},
            {"product": world.product, "quantity": 1, "unit_price": 100},
        ]
    )
    world.turn()
    (order,) = world.books()["orders"]
    assert world.fresh(statement).status == StatementStatus.DRAFT
    assert [line["line_type"] for line in order["lines"]] == ["Text", "Normal"]


def test_a_refused_key_pauses_the_company_once_and_harms_no_statement(world):
    statements = [world.statement() for _ in range(3)]
    world.sandbox.act("revoke_key", company=world.company)
    world.turn()
    world.company.refresh_from_db()
    assert world.company.state == CompanyState.PAUSED
    assert "key" in world.company.state_reason.lower()
    assert {world.fresh(statement).status for statement in statements} == {StatementStatus.PROCESSING}
    tokens = world.sandbox.requests()["by_route"]["POST /OAuth/Token"]
    world.turn()
    assert world.sandbox.requests()["by_route"]["POST /OAuth/Token"] == tokens
    world.sandbox.act("restore_key", company=world.company)
    world.until_quiet(3)
    assert {world.fresh(statement).status for statement in statements} == {StatementStatus.DRAFT}


def test_a_missing_privilege_pauses_the_company(world):
    world.statement()
    world.turn()
    statement = world.statement()
    world.sandbox.act("set_privileges", company=world.company, privileges=["Customer_Full", "Product_Full"])
    world.turn()
    world.company.refresh_from_db()
    assert world.company.state == CompanyState.PAUSED
    assert world.fresh(statement).status == StatementStatus.PROCESSING
    assert SyncRun.objects.latest("pk").outcome == RunOutcome.FAILED


def test_a_customer_deleted_in_go_is_forgotten_and_made_anew_after_release(world, go):
    world.statement()
    world.turn()
    world.customer.refresh_from_db()
    customer = factories.customer(world.company, number=None, name="Borte AS")
    made = go.create_customer(customer_draft(customer))
    customer.go_customer_id, customer.go_hash = made.id, draft_hash(customer_draft(customer))
    customer.save()
    go.delete_customer(made.id)
    second = world.statement(customer=customer)
    world.turn()
    now = world.fresh(second)
    assert now.status == StatementStatus.NEEDS_FIX
    assert "not found" in now.attention
    type(now).objects.filter(pk=now.pk).update(status=StatementStatus.PROCESSING)
    world.turn()
    assert world.fresh(second).status == StatementStatus.DRAFT


def test_an_order_of_somebody_else_under_our_reference_is_not_adopted(world):
    statement = world.statement()
    world.sandbox.act("create_order", company=world.company, customer_no=10000, product_code="KURS", quantity=1)
    (stranger,) = world.books()["orders"]
    world.sandbox.act(
        "edit_header", company=world.company, order_id=stranger["id"], ExternalImportReference=statement.reference
    )
    world.turn()
    world.until_quiet(2)
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (StatementStatus.NEEDS_FIX, "OTHER_ORDER")
    assert "the total there is" in now.attention
    assert "ours 2\u202f240,00" in now.attention


def test_our_own_fault_before_the_request_stops_the_statement_and_says_so(world, monkeypatch):
    statement = world.statement()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(push_statements, "sales_order_draft", broken)
    world.turn()
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (StatementStatus.NEEDS_FIX, "INTERNAL")
    assert outcomes(statement) == [AttemptOutcome.INTERNAL]


@pytest.mark.parametrize(
    ("where", "status"),
    [("sales_order_draft", StatementStatus.PROCESSING), ("_record", StatementStatus.IN_DOUBT)],
    ids=["before the request", "after it"],
)
def test_a_database_that_hiccups_makes_no_statement_stuck(world, monkeypatch, where, status):
    statement = world.statement()

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(push_statements, where, locked)
        world.turn()
    assert world.fresh(statement).status == status
    world.until_quiet(3)
    assert world.fresh(statement).status == StatementStatus.DRAFT
    assert world.in_go() == {statement.reference: 1}


def test_a_throttled_push_goes_back_with_a_next_time_and_the_others_go_on(world):
    statements = [world.statement() for _ in range(3)]
    world.sandbox.faults(kind="throttled_429", method="POST", path="/SalesOrders/Complete", count=1)
    world.turn()
    now = world.fresh(statements[0])
    assert (now.status, now.tries) == (StatementStatus.PROCESSING, 1)
    assert now.next_try_at is not None
    assert [world.fresh(statement).status for statement in statements[1:]] == [StatementStatus.DRAFT] * 2


def test_a_refused_release_of_a_deleted_draft_gets_a_new_reference_from_a_person(world):
    statement = world.statement()
    world.sandbox.faults(kind="drop_after_commit", method="POST", path="/SalesOrders/Complete", count=1)
    world.turn()
    (order,) = world.books()["orders"]
    world.sandbox.act("delete", company=world.company, order_ids=[order["id"]])
    world.until_quiet(6)
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (StatementStatus.NEEDS_FIX, push_statements.REFERENCE_TAKEN)
    assert world.in_go() == {}


# --- What hardly ever happens ------------------------------------------------------------------------------------


def in_full(statement) -> InvoiceStatement:
    return InvoiceStatement.objects.select_related("company", "customer__company", "credits").get(pk=statement.pk)


def refusable(world):
    """A statement that Go refuses for a reason of its own: somebody else's order has its number."""
    world.sandbox.switch(imported_order_no_unique=True)
    statement = world.statement()
    world.sandbox.act("create_order", company=world.company, customer_no=10000, product_code="KURS", quantity=1)
    (stranger,) = world.drafts()
    world.sandbox.act("edit_header", company=world.company, order_id=stranger["id"], ImportedOrderNo=statement.pk)
    return statement


def test_a_statement_with_an_open_attempt_is_left_alone_and_the_others_go(world):
    held, free = world.statement(), world.statement()
    factories.attempt(statement=held, started_at=world.clock(), lease_until=world.clock() + timedelta(hours=1))
    world.turn()
    assert [world.fresh(row).status for row in (held, free)] == [StatementStatus.PROCESSING, StatementStatus.DRAFT]
    assert world.in_go() == {free.reference: 1}
    assert outcomes(held) == [""]


def test_a_worker_that_sleeps_through_its_lease_sends_nothing(world, go):
    world.statement()
    world.turn()
    statement = world.statement()

    def slow_clock():
        world.clock.advance(settings.CLAIM_LEASE_SECONDS + 1)
        return world.clock()

    row, products = world.as_read(statement)
    assert push_statements.push_statement(row, products, go, clock=slow_clock) is None
    assert statement.reference not in world.in_go()
    world.until_quiet(3)
    assert world.fresh(statement).status == StatementStatus.DRAFT
    assert world.in_go()[statement.reference] == 1


def test_a_statement_that_somebody_saved_after_it_was_read_is_pushed_as_saved(world, go):
    world.statement()
    world.turn()
    statement = world.statement()
    row, products = world.as_read(statement)
    changed = world.fresh(statement)
    changed.customer_reference = "Kari"
    changed.save()
    assert push_statements.push_statement(row, products, go, clock=world.clock) is None
    assert world.fresh(statement).status == StatementStatus.PROCESSING
    assert statement.reference not in world.in_go()
    world.turn()
    assert [order["header"].get("CustomerReference") for order in world.drafts()] == [None, "Kari"]


def test_what_one_statement_of_a_portion_finds_out_the_next_ones_know(world):
    """The first finds its customer refused; the second has the same customer, and must not make him again."""
    world.sandbox.faults(kind="drop_after_commit", method="POST", path="/Customers", count=1)
    customer = factories.customer(world.company)
    statements = [world.statement(customer=customer) for _ in range(2)]
    world.turn()
    assert [world.fresh(statement).status for statement in statements] == [StatementStatus.PROCESSING] * 2
    world.until_quiet(3)
    assert world.in_go() == {statement.reference: 1 for statement in statements}
    assert world.sandbox.requests()["by_route"]["POST /Customers"] == 1


@pytest.mark.parametrize(("seconds", "status"), [(1, StatementStatus.DRAFT), (4, StatementStatus.NEEDS_FIX)])
def test_what_was_read_some_seconds_ago_is_read_again(world, monkeypatch, seconds, status):
    """While Go takes its time with the first, somebody gives the product of the second another code."""
    product = factories.product(world.company, code="BANE")
    first, second = world.statement(), world.statement(lines=[{"product": product, "quantity": 1, "unit_price": 1}])
    push = push_statements.push_statement

    def slowly(statement, *args, **kwargs):
        sent = push(statement, *args, **kwargs)
        if statement == first:
            world.clock.advance(seconds)
            type(product).objects.filter(pk=product.pk).update(code="UFO")
        return sent

    monkeypatch.setattr(push_statements, "push_statement", slowly)
    world.turn()
    assert [world.fresh(each).status for each in (first, second)] == [StatementStatus.DRAFT, status]


def test_an_answer_that_comes_while_another_worker_sends_is_told_in_the_trail(world, go, caplog):
    statement = world.statement()
    mine = push_statements.claim(world.fresh(statement), now=world.clock(), run=None)
    read_products(world.company, go, began=world.clock())
    row, products = world.as_read(statement)
    facts = push_statements.prepare(row, products, go, clock=world.clock, hold=lambda: None)
    made = go.create_order(sales_order_draft(facts))
    world.clock.advance(settings.CLAIM_LEASE_SECONDS + 10)
    close_stale_claims(world.clock())
    InvoiceStatement.objects.filter(pk=statement.pk).update(status=StatementStatus.PROCESSING)
    theirs = push_statements.claim(world.fresh(statement), now=world.clock(), run=None)
    assert mine is not None
    assert theirs is not None
    with caplog.at_level("CRITICAL"):
        push_statements._record(in_full(statement), mine, made, go.last_evidence, now=world.clock())
    assert world.fresh(statement).status == StatementStatus.PUSHING
    theirs.refresh_from_db()
    assert theirs.ended_at is None
    told = SyncAttempt.objects.get(error_code="LATE_ANSWER")
    assert (told.outcome, f"second order beside {made.number}." in told.message) == (AttemptOutcome.INTERNAL, True)


def test_of_many_mistakes_fifty_are_told(world):
    unknown = factories.product(world.company, code="UFO")
    world.statement(lines=[{"product": unknown, "quantity": 1, "unit_price": 1}] * 60)
    world.turn()
    told = InvoiceStatement.objects.get().attention.splitlines()
    assert (len(told), told[-1]) == (51, "… and 10 more.")


def test_what_go_refuses_for_another_reason_stops_with_gos_words(world):
    statement = refusable(world)
    world.turn()
    now = world.fresh(statement)
    assert (now.status, outcomes(statement)) == (StatementStatus.NEEDS_FIX, [AttemptOutcome.REFUSED])
    assert now.attention.startswith("PowerOffice Go refused it: ")
    assert "already in use" in now.attention
    assert world.in_go() == {}


def test_a_refusal_that_cannot_be_looked_up_is_a_doubt(world):
    statement = refusable(world)
    world.sandbox.faults("error_500_before_commit", method="GET", path="/SalesOrders", count=3)
    world.turn()
    assert (world.fresh(statement).status, world.in_go()) == (StatementStatus.IN_DOUBT, {})


def test_a_refusal_for_another_reason_of_what_go_has_already_is_a_doubt(world):
    """Go names the first reason it finds; that it has our reference too, only a look-up shows."""
    world.sandbox.switch(duplicate_reference="off")
    statement = refusable(world)
    (stranger,) = world.drafts()
    world.sandbox.act(
        "edit_header", company=world.company, order_id=stranger["id"], ExternalImportReference=statement.reference
    )
    world.turn()
    now = world.fresh(statement)
    assert (now.status, now.attention_code) == (StatementStatus.IN_DOUBT, push_statements.REFERENCE_TAKEN)


def test_a_customer_gone_from_go_stops_the_statement_also_when_nobody_can_look(world, go):
    gone = factories.customer(world.company, number=None, name="Borte AS")
    made = go.create_customer(customer_draft(gone))
    type(gone).objects.filter(pk=gone.pk).update(go_customer_id=made.id, go_hash=draft_hash(customer_draft(gone)))
    go.delete_customer(made.id)
    statement = world.statement(customer=gone)
    world.sandbox.faults("error_500_before_commit", method="GET", path=f"/Customers/{made.id}", count=3)
    world.turn()
    gone.refresh_from_db()
    assert (world.fresh(statement).status, gone.go_customer_id) == (StatementStatus.NEEDS_FIX, made.id)


def test_our_own_fault_after_the_request_left_is_a_doubt_and_is_found(world, monkeypatch, caplog):
    statement = world.statement()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as once, caplog.at_level("CRITICAL"):
        once.setattr(push_statements, "_record", broken)
        world.turn()
    assert world.fresh(statement).status == StatementStatus.IN_DOUBT
    world.until_quiet(2)
    assert (world.fresh(statement).status, world.in_go()) == (StatementStatus.DRAFT, {statement.reference: 1})
