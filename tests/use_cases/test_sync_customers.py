"""Customers: matched before created, created once, kept up to date by whoever owns the data."""

from datetime import timedelta

import pytest

from integration.enums import AttemptOutcome, DataOwner, Operation
from integration.enums import StatementStatus as S
from integration.models import Customer, CustomerInGo, GoCompany, InvoiceStatement, SyncAttempt
from integration.terms import CustomerDraft
from integration.use_cases.sync_customers import customer_draft, customer_reference, ensure_customer
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


GO = {"number": "Number", "organisation_number": "OrganizationNumber", "email": "EmailAddress"}


def in_go(world):
    return world.books()["customers"]


def pushed_with(world, customer):
    statement = world.statement(customer=customer)
    world.turn()
    customer.refresh_from_db()
    return world.fresh(statement)


def test_a_new_customer_is_created_once_and_gets_gos_number(world):
    known = len(in_go(world))
    new = factories.customer(world.company, number=None, name="Nye Kunde AS")
    world.statement(customer=new)
    assert pushed_with(world, new).status == S.DRAFT
    assert len(in_go(world)) == known + 1
    (made,) = [row for row in in_go(world) if row.get("ExternalImportReference") == customer_reference(new)]
    assert (new.go_customer_id, new.number) == (made["id"], made["Number"])


@pytest.mark.parametrize("sign", ["number", "organisation_number", "email"])
def test_a_customer_that_go_has_is_found_by(world, sign):
    there = next(row for row in in_go(world) if row.get(GO[sign]))
    facts = {"number": None, "organisation_number": "", "email": "", sign: there[GO[sign]]}
    ours = factories.customer(world.company, name=there["Name"], **facts)
    known = len(in_go(world))
    assert pushed_with(world, ours).status == S.DRAFT
    assert ours.go_customer_id == there["id"]
    assert len(in_go(world)) == known


def test_two_customers_in_go_with_our_email_go_to_a_person(world, go):
    for number in (15001, 15002):
        go.create_customer(CustomerDraft(f"R-{number}", f"Twin {number}", number=number, email="twin@example.no"))
    ours = factories.customer(world.company, number=None, organisation_number="", email="twin@example.no")
    now = pushed_with(world, ours)
    assert (now.status, now.attention_code) == (S.NEEDS_FIX, "CUSTOMER_AMBIGUOUS")
    assert "2 customers in PowerOffice Go have the same e-mail" in now.attention


@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit", "error_500_after_commit"])
def test_a_create_in_doubt_is_looked_up_before_it_is_made_again(world, kind):
    new = factories.customer(world.company, number=None, name="Tvil AS", organisation_number="", email="")
    world.sandbox.faults(kind=kind, method="POST", path="/Customers", count=1)
    statement = pushed_with(world, new)
    assert statement.status == S.PROCESSING
    world.until_quiet(4)
    assert world.fresh(statement).status == S.DRAFT
    assert [row["name"] for row in in_go(world)].count("Tvil AS") == 1


def test_a_refused_customer_says_what_go_said(world):
    ours = factories.customer(world.company, number=900, name="Utenfor AS", organisation_number="", email="")
    now = pushed_with(world, ours)
    assert now.status == S.NEEDS_FIX
    assert now.attention.startswith("PowerOffice Go refused customer 900 Utenfor AS: ")


@pytest.mark.parametrize(
    ("owner", "name"),
    [(DataOwner.HERE, "Nytt navn AS"), (DataOwner.SOURCE, "Nytt navn AS"), (DataOwner.GO, "Gammelt AS")],
)
def test_changed_data_is_sent_unless_go_owns_it(world, owner, name):
    GoCompany.objects.filter(pk=world.company.pk).update(customer_data_owner=owner)
    ours = factories.customer(world.company, number=None, name="Gammelt AS")
    pushed_with(world, ours)
    ours.name = "Nytt navn AS"
    ours.save()
    pushed_with(world, ours)
    assert [row["Name"] for row in in_go(world) if row["id"] == ours.go_customer_id] == [name]


def test_a_customer_of_go_belongs_to_one_of_ours(world):
    there = next(row for row in in_go(world) if row.get("OrganizationNumber"))
    first = factories.customer(
        world.company, number=there["Number"], name=there["Name"], organisation_number="", email=""
    )
    pushed_with(world, first)
    second = factories.customer(
        world.company,
        number=None,
        name="Second",
        organisation_number=there["OrganizationNumber"],
        email="",
    )
    now = pushed_with(world, second)
    assert now.status == S.NEEDS_FIX
    assert "belongs to" in now.attention


def test_reading_twice_changes_nothing(world):
    world.statement()
    world.turn()
    once = list(CustomerInGo.objects.order_by("pk").values())
    world.statement()
    world.clock.advance(timedelta(hours=1).total_seconds())
    world.turn()
    assert list(CustomerInGo.objects.order_by("pk").values()) == once
    assert Customer.objects.exclude(go_customer_id=None).count() == 1


@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit"])
def test_the_next_statement_of_a_customer_in_doubt_looks_before_it_creates(world, kind):
    """It waits until an absent customer is certainly absent; no changed-since list could have shown it yet."""
    new = factories.customer(world.company, number=None, name="Tvil AS", organisation_number="", email="")
    statements = [world.statement(customer=new) for _ in range(2)]
    world.sandbox.faults(kind=kind, method="POST", path="/Customers", count=1)
    world.turn()
    assert [world.fresh(row).status for row in statements] == [S.PROCESSING, S.PROCESSING]
    assert [row["name"] for row in in_go(world)].count("Tvil AS") == int(kind == "drop_after_commit")
    world.until_quiet(4)
    assert {world.fresh(row).status for row in statements} == {S.DRAFT}
    assert [row["name"] for row in in_go(world)].count("Tvil AS") == 1


def test_a_customer_that_somebody_made_a_moment_ago_is_taken_as_ours(world, go):
    ours = factories.customer(world.company, number=None, name="Dobbel AS", organisation_number="", email="")
    made = go.create_customer(customer_draft(ours))
    assert ensure_customer(ours, go, clock=world.clock) == made.id
    assert [row["name"] for row in in_go(world)].count("Dobbel AS") == 1


def test_a_throttled_create_is_not_taken_for_a_doubt(world):
    new = factories.customer(world.company, number=None, name="Senere AS", organisation_number="", email="")
    world.sandbox.faults("throttled_429", method="POST", path="/Customers", count=1)
    assert pushed_with(world, new).status == S.PROCESSING
    assert (new.go_customer_id, new.go_create_tried_at) == (None, None)
    attempt = SyncAttempt.objects.get(customer=new)
    assert (attempt.outcome, attempt.http_status) == (AttemptOutcome.LATER, 429)
    world.until_quiet(2)
    assert [row["name"] for row in in_go(world)].count("Senere AS") == 1


def test_gos_number_stays_away_when_another_customer_here_has_it(world):
    first = factories.customer(world.company, number=None, name="Første AS", organisation_number="", email="")
    pushed_with(world, first)
    assert first.number is not None
    factories.customer(world.company, number=first.number + 1)
    second = factories.customer(world.company, number=None, name="Andre AS", organisation_number="", email="")
    assert pushed_with(world, second).status == S.DRAFT
    (there,) = [row for row in in_go(world) if row["id"] == second.go_customer_id]
    assert (there["Number"], second.number) == (first.number + 1, None)


@pytest.fixture
def renamed(world):
    """A customer of Go whose name was changed here."""
    ours = factories.customer(world.company, number=None, name="Gammelt AS")
    pushed_with(world, ours)
    ours.name = "Nytt AS"
    ours.save()
    return ours


@pytest.mark.parametrize("kind", ["drop_after_commit", "error_500_before_commit", "throttled_429"])
def test_an_update_that_failed_is_done_again(world, renamed, kind):
    world.sandbox.faults(kind, method="PATCH", path="/Customers/*", count=1)
    statement = pushed_with(world, renamed)
    assert statement.status == S.PROCESSING
    assert SyncAttempt.objects.get(operation=Operation.UPDATE_CUSTOMER).outcome == AttemptOutcome.LATER
    world.until_quiet(3)
    assert world.fresh(statement).status == S.DRAFT
    assert [row["Name"] for row in in_go(world) if row["id"] == renamed.go_customer_id] == ["Nytt AS"]


def test_a_refused_update_stops_the_statement_in_gos_words(world, renamed):
    renamed.number = 900
    renamed.save()
    now = pushed_with(world, renamed)
    assert (now.status, now.attention_code) == (S.NEEDS_FIX, "CUSTOMER_NUMBER")
    assert now.attention.startswith("PowerOffice Go refused the changed data of customer 900 Nytt AS: ")
    assert SyncAttempt.objects.get(operation=Operation.UPDATE_CUSTOMER).outcome == AttemptOutcome.REFUSED


def test_a_customer_that_is_gone_is_forgotten_when_its_data_is_sent(world, go):
    gone = factories.customer(world.company, number=None, name="Borte AS")
    made = go.create_customer(customer_draft(gone))
    Customer.objects.filter(pk=gone.pk).update(go_customer_id=made.id, go_hash="older")
    go.delete_customer(made.id)
    now = pushed_with(world, gone)
    assert (now.status, gone.go_customer_id) == (S.NEEDS_FIX, None)
    InvoiceStatement.objects.filter(pk=now.pk).update(status=S.PROCESSING)
    world.turn()
    assert world.fresh(now).status == S.DRAFT
