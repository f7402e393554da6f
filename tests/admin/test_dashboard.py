"""The first page."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integration.enums import AttemptOutcome, CompanyState, HandPaymentState, RunOutcome, StatementStatus
from integration.models import GoCompany
from tests import factories

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
S = StatementStatus


def dashboard(client: Client) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(INDEX).context["dashboard"]
    return shown


def test_counts_add_up_to_all(finance: Client, home: GoCompany) -> None:
    for many, status in enumerate(S, start=1):
        for _ in range(many % 3):
            factories.statement(home, status=status)
    factories.statement(status=S.UPCOMING)  # somebody else's
    shown = dashboard(finance)
    assert sum(int(row["count"]) for row in shown["statuses"]) == int(shown["all"]) == 16


def test_sums_are_per_currency_and_only_of_what_is_open(finance: Client, home: GoCompany) -> None:
    for currency in ("NOK", "EUR", "NOK"):
        factories.statement(home, status=S.SENT, currency=currency)
    factories.statement(home, status=S.PAID)
    assert [(row["count"], row["sums"]) for row in dashboard(finance)["statuses"]] == [
        ("3", ["250,00\xa0NOK", "125,00\xa0EUR"]),
        ("1", []),
    ]


def test_waiting_for_a_person_is_counted_linked_and_explained(finance: Client, home: GoCompany) -> None:
    for _ in range(9):
        factories.statement(home, status=S.NEEDS_FIX, attention="No product X")
    factories.statement(home, status=S.CANCELLED, go_says="Credited in full", statement_date=timezone.localdate())
    shown = dashboard(finance)
    assert [(tile["title"], tile["count"], tile["alarm"]) for tile in shown["tiles"]] == [
        ("Stuck", "9", True),
        ("Failed payments", "1", True),
        ("Link broken", "0", False),
        ("Second person", "0", False),
    ]
    assert finance.get(shown["tiles"][0]["link"]).context["cl"].result_count == 9
    assert [row["why"] for row in shown["waiting"]] == ["Credited in full"] + ["No product X"] * 7
    assert shown["waiting_more"] == 2


def test_payments_by_hand_that_wait_for_a_second_person_have_a_tile_with_their_list(
    finance: Client, home: GoCompany
) -> None:
    statements = [factories.statement(home, status=S.SENT) for _ in range(3)]
    for statement in statements[:2]:
        factories.hand_payment(statement)
    factories.hand_payment(statements[2], state=HandPaymentState.IN_FORCE, needs_approval=False)
    factories.hand_payment(factories.statement(status=S.SENT))  # somebody else's
    tile = dashboard(finance)["tiles"][-1]
    assert (tile["title"], tile["count"], tile["alarm"]) == ("Second person", "2", True)
    shown = finance.get(tile["link"]).context["cl"].queryset
    assert {payment.statement for payment in shown} == set(statements[:2])


def test_whoever_may_not_look_at_payments_by_hand_has_no_tile_of_them(
    as_role: Callable[..., Client], home: GoCompany
) -> None:
    Group.objects.get(name="Reader").permissions.remove(Permission.objects.get(codename="view_handpayment"))
    assert [tile["title"] for tile in dashboard(as_role("Reader"))["tiles"]] == [
        "Stuck",
        "Failed payments",
        "Link broken",
    ]


def test_companies_show_last_run_pause_and_progress(as_role: Callable[..., Client], home: GoCompany) -> None:
    now = timezone.now()
    paused = factories.go_company(
        name="Nordlys Padel AS", state=CompanyState.PAUSED, state_reason="The key is refused."
    )
    factories.go_company(name="Not mine AS")
    factories.run(
        home, started_at=now - timedelta(hours=3), ended_at=now - timedelta(hours=3), outcome=RunOutcome.FAILED
    )
    run = factories.run(home, started_at=now - timedelta(minutes=10), counts={"push done": 2})
    for _ in range(3):
        factories.attempt(
            statement=factories.statement(home), run=run, started_at=now, ended_at=now, outcome=AttemptOutcome.DONE
        )
    shown = dashboard(as_role("Finance", paused))["companies"]
    assert [(row["name"], row["paused"], row["reason"]) for row in shown] == [
        ("Fjordgløtt Camping AS", False, ""),
        ("Nordlys Padel AS", True, "The key is refused."),
    ]
    assert (shown[0]["run"]["outcome"], shown[0]["run"]["what"]) == ("Under way", "2 pushed")
    assert (shown[0]["progress"]["done"], shown[0]["progress"]["left"], shown[0]["progress"]["percent"]) == (
        "3",
        "3",
        "50",
    )
    assert (shown[1]["run"], shown[1]["progress"]) == (None, None)


def test_drafts_not_sent_by_age(finance: Client, home: GoCompany) -> None:
    now = timezone.now()
    for days in (0, 1, 3, 8, 29, 31, 400):
        factories.statement(
            home,
            status=S.DRAFT,
            pushed_at=now - timedelta(days=days),
            statement_date=timezone.localdate() - timedelta(days=days),
        )
    factories.statement(home, status=S.CONFIRMED, pushed_at=None, statement_date=timezone.localdate())
    factories.statement(home, status=S.SENT)
    assert [(title, count) for title, count, _ in dashboard(finance)["drafts"]] == [
        ("Up to 2 days", "2"),
        ("3 to 7 days", "1"),
        ("8 to 30 days", "2"),
        ("More than 30 days", "3"),
    ]


def test_dashboard_costs_the_same_for_one_company_and_for_three(
    as_role: Callable[..., Client], home: GoCompany
) -> None:
    def fill(company: GoCompany) -> GoCompany:
        factories.run(company)
        factories.statement(company, status=S.PROCESSING)
        factories.statement(company, status=S.NEEDS_FIX)
        factories.hand_payment(factories.statement(company, status=S.SENT, currency="EUR"))
        return company

    def queries(client: Client) -> int:
        client.get(INDEX)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(INDEX).status_code == 200
        return len(caught)

    fill(home)
    one = queries(as_role("Finance"))
    assert queries(as_role("Finance", fill(factories.go_company()), fill(factories.go_company()))) == one


def test_person_without_a_role_reads_what_to_do(as_role: Callable[..., Client], home: GoCompany) -> None:
    factories.statement(home)
    response = as_role().get(INDEX)
    assert "dashboard" not in response.context
    assert "You may not see statements. Ask an administrator for a role." in response.content.decode()


def test_empty_house_has_a_dashboard(finance: Client, home: GoCompany) -> None:
    shown = dashboard(finance)
    assert (shown["all"], shown["statuses"], shown["waiting"]) == ("0", [], [])
    assert shown["companies"][0]["run"] is None


def titles(client: Client, address: str = INDEX) -> list[str]:
    groups = client.get(address).context["sidebar_navigation"]
    return [item["title"] for group in groups for item in group["items"]]


def test_sidebar_offers_only_what_may_be_opened(as_role: Callable[..., Client], home: GoCompany) -> None:
    work = [
        "Dashboard",
        "Statements",
        "Stuck",
        "Failed payments",
        "Link broken",
        "Drafts not sent",
        "Outgoing invoices",
        "Invoice order rows",
        "Payments by hand",
        "Reports",
        "Customers",
        "Subscriptions",
        "Not invoiced",
        "Products",
        "Runs",
        "Attempts",
        "Actions by people",
    ]
    root = Client()
    root.force_login(factories.person(is_superuser=True))
    assert titles(as_role()) == ["Dashboard"]
    assert titles(as_role("Reader")) == [*work, "Go companies"]
    assert titles(root) == [*work, "Schedule", "Go companies", "People", "Roles", "Failed log-ins"]


@pytest.mark.parametrize(
    ("query", "active"),
    [
        ("", ["Statements"]),
        ("status__exact=NEEDS_FIX", ["Stuck"]),
        ("status__exact=DRAFT&status__exact=CONFIRMED", ["Drafts not sent"]),
        ("status__exact=PAID", ["Statements"]),
    ],
)
def test_sidebar_marks_the_open_list(finance: Client, query: str, active: list[str]) -> None:
    address = f"{reverse('admin:integration_invoicestatement_changelist')}?{query}"
    groups = finance.get(address).context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == active


def test_amounts_of_preset_lists_are_the_dashboards(finance: Client, home: GoCompany) -> None:
    factories.statement(home, status=S.DRAFT, lines=[{"unit_price": Decimal(80)}])
    shown = dashboard(finance)
    assert finance.get(shown["drafts_link"]).context["cl"].result_count == 1
    assert finance.get(shown["statuses"][0]["link"]).context["cl"].result_count == 1


def test_among_very_many_statements_the_figures_are_kept_for_a_while_and_say_when(
    finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "kept"}}
    monkeypatch.setattr("integration.admin.dashboard.MANY", -2)
    factories.statement(home, status=S.PAID)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = dashboard(finance)
        factories.statement(home, status=S.PAID)
        kept = dashboard(finance)
        clock.shift(timedelta(seconds=31))
        counted = dashboard(finance)
    assert (first["all"], kept["all"], counted["all"]) == ("1", "1", "2")
    assert first["counted_at"] == kept["counted_at"] != ""


def test_kept_figures_are_not_shown_to_people_of_other_companies(
    finance: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.admin.dashboard.MANY", -2)
    factories.statement(home, status=S.PAID)
    assert dashboard(finance)["all"] == "1"
    stranger = factories.person(role="Finance", companies=[factories.go_company()])
    client = Client()
    client.force_login(stranger)
    assert dashboard(client)["all"] == "0"
