"""The demo's beginning: made once, pushed without surprises, never made in production."""

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from integration import remotes
from integration.enums import ReviewAction, RunTrigger
from integration.management.demo_logins import DEMO_LOGINS
from integration.management.demo_material import COMPANIES
from integration.models import Customer, GoCompany, InvoiceStatement, Product, StatementLine
from integration.use_cases import review_statements, run_cycle
from integration.use_cases.invoice_receivers import NO_RECEIVER, REFUSAL


def demo_data() -> str:
    out = StringIO()
    call_command("demo_data", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_second_run_adds_nothing_and_keeps_what_people_did():
    said = demo_data()
    counts = {model: model.objects.count() for model in (User, Customer, GoCompany, InvoiceStatement, Product)}
    User.objects.filter(email=DEMO_LOGINS[1].email).update(first_name="Kari Anne")
    StatementLine.objects.all().delete()
    InvoiceStatement.objects.filter(source_id="B-2601").delete()

    assert demo_data() == said
    assert {model: model.objects.count() for model in counts} == {
        **counts,
        InvoiceStatement: counts[InvoiceStatement] - 1,
    }
    assert User.objects.get(email=DEMO_LOGINS[1].email).first_name == "Kari Anne"


@pytest.mark.django_db
def test_everybody_can_log_in_and_the_reader_sees_one_company():
    """By one form: the demo asks nobody for a second factor."""
    demo_data()
    seen = {}
    for login in DEMO_LOGINS:
        typed = {"username": login.email, "password": login.password, "next": "/admin/"}
        assert Client().post("/admin/login/", typed, follow=True).redirect_chain == [("/admin/", 302)]
        person = User.objects.get(email=login.email)
        seen[login.role] = (
            sorted(group.name for group in person.groups.all()),
            person.is_staff,
            GoCompany.objects.of(person).count(),
        )
    assert seen == {
        "Superuser": ([], True, 2),
        "Finance": (["Finance"], True, 2),
        "Support": (["Support"], True, 2),
        "Reader": (["Reader"], True, 1),
    }


@pytest.mark.django_db
def test_nothing_pretends_to_be_in_go_and_nothing_starts_by_itself():
    demo_data()
    assert set(InvoiceStatement.objects.values_list("status", "go_order_id")) == {("UPCOMING", "")}
    assert run_cycle.activate_due(timezone.now()) == 0
    assert run_cycle.activate_due(timezone.now() + timedelta(days=40)) == 6


def test_production_is_refused(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="never goes into production"):
        demo_data()


def test_a_click_brings_all_that_is_ready_to_go_once_and_to_the_ore(sandbox):
    sandbox.call("POST", "reset", {"seed_demo": True})
    sandbox.switch(rate_limit_per_second=0)
    demo_data()
    everything = InvoiceStatement.objects.all()
    person = User.objects.get(email=DEMO_LOGINS[0].email)
    report = review_statements.carry_out(ReviewAction.PUSH, everything, user=person, now=timezone.now())
    for company in GoCompany.objects.all():
        run_cycle.run_cycle(company.pk, client_for=remotes.go_client, clock=timezone.now, trigger=RunTrigger.PERSON)

    assert report.held_back == (("no customer", 2), (REFUSAL, 1))
    assert Counter(everything.values_list("company__name", "status", "attention_code")) == {
        ("Fjordgløtt Camping AS", "DRAFT", ""): 23,
        ("Fjordgløtt Camping AS", "NEEDS_FIX", "PRODUCT_UNKNOWN"): 1,
        ("Fjordgløtt Camping AS", "UPCOMING", ""): 1,
        ("Nordlys Padel AS", "DRAFT", ""): 18,
        ("Nordlys Padel AS", "NEEDS_FIX", "PRODUCT_UNKNOWN"): 1,
        ("Nordlys Padel AS", "UPCOMING", ""): 1,
        ("Nordlys Padel AS", "UPCOMING", NO_RECEIVER): 1,
    }
    for demo in COMPANIES:
        books = sandbox.books(GoCompany.objects.get(name=demo.name))
        assert [customer["name"] for customer in books["customers"]][5:] == NEW_CUSTOMERS[demo.name]
        assert {order["reference"]: order["total"] for order in books["orders"]} == {
            statement.reference: f"{statement.total:.2f}"
            for statement in everything.filter(company__name=demo.name, status="DRAFT")
        }


NEW_CUSTOMERS = {
    "Fjordgløtt Camping AS": ["Fossheim Hotell AS", "Ingrid Sæther Solberg", "Bjørn Østgård"],
    "Nordlys Padel AS": ["Tromsdalen Bedriftsidrettslag", "Aina Niemi"],
}
"""Those whom the sandbox does not know; the others are found by number, organisation number or e-mail."""
