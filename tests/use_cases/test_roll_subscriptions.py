"""Subscriptions become upcoming statements: once each, ahead of time, and as the subscriptions say today."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from integration import tasks
from integration.enums import CompanyState, ReviewAction, StatementSource, SubscriptionState
from integration.enums import StatementStatus as S
from integration.models import (
    GoCompany,
    InvoiceStatement,
    StatementLine,
    StatementMove,
    Subscription,
    SubscriptionBill,
    SubscriptionTerm,
)
from integration.use_cases import roll_subscriptions as rolling
from integration.use_cases.invoice_receivers import will_not
from integration.use_cases.moves import move
from integration.use_cases.review_statements import carry_out
from tests import factories as f
from tests.use_cases.conftest import PowerCut, power_cut_at_write

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 1, 10, 2, 30, tzinfo=UTC)
TODAY = date(2027, 1, 10)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, 30, tzinfo=UTC)


@pytest.fixture
def home() -> GoCompany:
    return f.go_company(subscription_days_ahead=45)


@pytest.fixture
def product(home: GoCompany) -> Any:
    return f.product(home, name="Medlemskap", price=D("400.00"))


def subscribe(company: GoCompany, name: str = "", **fields: Any) -> Subscription:
    if name:
        fields["holder"] = f.customer(company, name=name)
        fields.setdefault("payer", fields["holder"])
    fields = {"first_date": TODAY, **fields}
    return f.subscription(company, **fields)


def roll(company: GoCompany, now: datetime = NOW) -> dict[str, int]:
    counts, left = rolling.roll_company(company.pk, clock=lambda: now)
    assert left is None
    return {what: many for what, many in counts.items() if many}


def statements(**fields: Any) -> list[InvoiceStatement]:
    return list(
        InvoiceStatement.objects.filter(source=StatementSource.SUBSCRIPTION, **fields).order_by("payment_date", "pk")
    )


def said() -> list[tuple[Any, ...]]:
    """Every living statement of subscriptions: payer, date, status, total, and its lines."""
    return sorted(
        (
            row.customer.name if row.customer else "",
            str(row.payment_date),
            row.status,
            row.total,
            tuple(row.lines.order_by("line_number").values_list("description", "unit_price")),
        )
        for row in statements()
        if row.status != S.VOID
    )


WRITTEN: tuple[type[models.Model], ...] = (
    InvoiceStatement,
    StatementLine,
    StatementMove,
    Subscription,
    SubscriptionBill,
    SubscriptionTerm,
)


def everything() -> list[list[dict[str, Any]]]:
    return [list(model._base_manager.order_by("pk").values()) for model in WRITTEN]


# --- Making -------------------------------------------------------------------------------------------------------


def test_made_so_many_days_ahead_as_the_company_says(home, product):
    subscribe(home, payment_day=31, product=product)

    assert roll(home) == {"made": 1}
    assert [row.payment_date for row in statements()] == [date(2027, 1, 31)]

    GoCompany.objects.update(subscription_days_ahead=49)
    assert roll(home) == {"made": 1}
    assert [row.payment_date for row in statements()] == [date(2027, 1, 31), date(2027, 2, 28)]


def test_done_twice_nothing_changes(home, product):
    for day in (1, 15, 31):
        subscribe(home, payment_day=day, product=product)
    roll(home)
    before = everything()

    assert roll(home) == {}
    assert roll(home, NOW + timedelta(hours=3)) == {}
    assert everything() == before


def test_one_statement_for_each_payer_and_date_with_a_row_for_each_person(home, product):
    payer = f.customer(home, name="Bedrift AS")
    f.invoice_receiver(payer, invoice_reference="HR")
    subscribe(home, "Ola", payer=payer, product=product, price=D("99.99"), quantity=D(3), discount_percent=D(10))
    subscribe(home, "Kari", payer=payer, product=product, description="Treningskort", payment_days=30)
    subscribe(home, "Per", payer=payer, product=product, payment_day=2, payment_days=5)
    GoCompany.objects.update(subscription_days_ahead=23)

    assert roll(home) == {"made": 2}

    first, second = statements()
    assert [(line.line_number, line.description, line.quantity, line.unit_price) for line in first.lines.all()] == [
        (1, "Treningskort, Kari, 01.02.2027 to 28.02.2027", D(1), D(400)),
        (2, "Medlemskap, Ola, 01.02.2027 to 28.02.2027", D(3), D("99.99")),
    ]
    assert (first.net, first.vat, first.total) == (D("669.97"), D("167.49"), D("837.46"))
    assert (first.payment_days, first.customer_reference, first.attention) == (30, "HR", "")
    assert (first.source_id, first.status, first.statement_date) == (
        f"S{payer.pk}-2027-02-01",
        S.UPCOMING,
        date(2027, 2, 1),
    )
    assert str(payer.number) in first.search
    assert [line.description for line in second.lines.all()] == ["Medlemskap, Per, 02.02.2027 to 01.03.2027"]
    assert second.payment_days == 5


def test_a_night_that_was_missed_is_made_up_for(home):
    subscribe(home, payment_day=1, first_date=date(2027, 1, 20))
    GoCompany.objects.update(subscription_days_ahead=1)

    roll(home, at(date(2027, 3, 10)))

    assert [row.payment_date for row in statements()] == [date(2027, 2, 1), date(2027, 3, 1)]


def test_a_company_that_is_off_rolls_nothing(home):
    subscribe(home)
    GoCompany.objects.update(state=CompanyState.OFF)

    assert (roll(home), rolling.companies_to_roll(), statements()) == ({}, [], [])


def test_the_first_of_each_month_for_two_years_comes_once(home, product):
    subscription = subscribe(home, payment_day=31, product=product)
    day = TODAY
    while day < date(2029, 1, 10):
        roll(home, at(day))
        for row in statements(status=S.UPCOMING, payment_date__lte=day):
            move(row.pk, from_status=S.UPCOMING, to_status=S.PROCESSING, now=at(day), reason="")
        day += timedelta(days=11)

    made = [term.date for term in SubscriptionTerm.objects.filter(subscription=subscription).order_by("date")]
    assert len(made) == 25
    assert date(2028, 2, 29) in made
    assert made[:3] == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]


# --- Changing -----------------------------------------------------------------------------------------------------


def change(subscription: Subscription, **values: Any) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(**values)


def test_a_new_price_is_in_what_is_upcoming_only(home, product):
    subscription = subscribe(home, "Ola", payment_day=31, product=product)
    GoCompany.objects.update(subscription_days_ahead=60)
    roll(home)
    gone, stays = statements()
    move(gone.pk, from_status=S.UPCOMING, to_status=S.PROCESSING, now=NOW, reason="")
    before = said()[0]

    change(subscription, price=D(450))

    assert roll(home) == {"changed": 1}
    assert said()[0] == before
    assert said()[1][3] == D("562.50")
    assert InvoiceStatement.objects.get(pk=stays.pk).reference == stays.reference
    assert roll(home) == {}


def test_a_new_price_of_the_product_too(home, product):
    subscribe(home, "Ola", product=product)
    roll(home)

    type(product).objects.update(price=D(500), name="Fellesmedlemskap")

    assert roll(home) == {"changed": 1}
    [(_, _, _, total, lines)] = said()
    assert (total, lines[0][0][:16]) == (D("625.00"), "Fellesmedlemskap")


def test_a_new_payer_gets_what_is_upcoming_and_not_what_is_under_way(home, product):
    old, new = f.customer(home, name="Old"), f.customer(home, name="New")
    moves = subscribe(home, "Ola", payer=old, product=product, payment_day=31)
    subscribe(home, "Kari", payer=old, product=product, payment_day=28)
    GoCompany.objects.update(subscription_days_ahead=60)
    roll(home)
    move(statements()[1].pk, from_status=S.UPCOMING, to_status=S.PROCESSING, now=NOW, reason="")

    change(moves, payer=new)

    assert roll(home) == {"changed": 1, "made": 1}
    assert [
        (name, day, status, [text.split(", ")[1] for text, _ in lines]) for name, day, status, _, lines in said()
    ] == [
        ("New", "2027-02-28", S.UPCOMING, ["Ola"]),
        ("Old", "2027-01-28", S.UPCOMING, ["Kari"]),
        ("Old", "2027-01-31", S.PROCESSING, ["Ola"]),
        ("Old", "2027-02-28", S.UPCOMING, ["Kari"]),
    ]
    assert roll(home) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"state": SubscriptionState.PAUSED},
        {"ends_on": date(2027, 1, 31)},
        {"ends_on": date(2027, 1, 15)},
        {"resumed_on": date(2027, 3, 1)},
        {"first_date": date(2027, 3, 1)},
    ],
    ids=str,
)
def test_paused_and_ended_ones_are_withdrawn_with_the_reason_and_come_again(home, values):
    subscription = subscribe(home, payment_day=31, first_date=date(2027, 1, 10))
    GoCompany.objects.update(subscription_days_ahead=30)
    roll(home)

    change(subscription, **values)
    assert roll(home) == {"withdrawn": 1}
    [gone] = statements()
    assert gone.status == S.VOID
    assert StatementMove.objects.get(statement=gone).reason.startswith("Its subscriptions have ended, are paused")

    change(subscription, state="ACTIVE", ends_on=None, resumed_on=None, first_date=date(2027, 1, 10))
    assert roll(home) == {"made": 1}
    assert [(row.status, row.source_id[-2:]) for row in statements()] == [(S.VOID, "31"), (S.UPCOMING, "-2")]


def test_a_new_payment_day_moves_what_is_upcoming(home, product):
    subscription = subscribe(home, "Ola", product=product)
    roll(home)

    change(subscription, payment_day=20)

    assert roll(home) == {"made": 2, "withdrawn": 1}
    assert [day for _, day, *_ in said()] == ["2027-01-20", "2027-02-20"]


def test_what_a_person_edited_stays_and_says_that_the_subscription_changed(home, product):
    subscription = subscribe(home, "Ola", product=product)
    f.invoice_receiver(subscription.payer)
    roll(home)
    [edited] = statements()
    edited.lines.update(unit_price=D(1))
    edited.recount()
    edited.save()
    assert roll(home) == {}
    assert statements()[0].attention == ""

    change(subscription, price=D(450))

    assert roll(home) == {"left as it is": 1}
    assert (statements()[0].total, statements()[0].attention) == (D("1.25"), rolling.CHANGED_WORDS)
    before = everything()
    assert roll(home) == {"left as it is": 1}
    assert everything() == before

    change(subscription, price=None)
    assert roll(home) == {}
    assert (statements()[0].attention, statements()[0].attention_code) == ("", "")


@pytest.mark.parametrize(
    "values", [{"state": "PAUSED"}, {"ends_on": date(2027, 2, 1)}, {"interval": 3}, {"payment_day": 9}], ids=str
)
def test_what_a_person_holds_stays_and_says_what_changed(home, product, values):
    subscription = subscribe(home, "Ola", product=product)
    f.invoice_receiver(subscription.payer)
    roll(home)
    carry_out(ReviewAction.HOLD, InvoiceStatement.objects.all(), user=f.person(), now=NOW)

    change(subscription, **values)

    assert roll(home)["left as it is"] == 1
    assert (statements()[0].status, statements()[0].held) == (S.UPCOMING, True)
    assert statements()[0].attention == rolling.CHANGED_WORDS


def test_what_is_on_hold_stays_however_it_came_there(home):
    subscription = subscribe(home)
    roll(home)
    InvoiceStatement.objects.update(held=True)

    change(subscription, price=D(5))

    assert roll(home) == {"left as it is": 1}
    assert statements()[0].total == D("125.00")


def test_a_new_subscription_beside_an_edited_statement_gets_one_of_its_own(home, product):
    payer = f.customer(home, name="Bedrift AS")
    subscribe(home, "Ola", payer=payer, product=product)
    roll(home)
    InvoiceStatement.objects.get().save()

    subscribe(home, "Kari", payer=payer, product=product)

    assert roll(home) == {"made": 1}
    assert [row.source_id[-2:] for row in statements()] == ["01", "-2"]
    assert roll(home) == {}


def test_what_a_person_withdrew_does_not_come_back(home):
    subscription = subscribe(home)
    roll(home)
    carry_out(ReviewAction.WITHDRAW, InvoiceStatement.objects.all(), user=f.person(), now=NOW, reason="A gift")

    change(subscription, price=D(5))

    assert roll(home) == {}
    assert [row.status for row in statements()] == [S.VOID]
    roll(home, NOW + timedelta(days=30))
    assert [row.payment_date for row in statements()] == [date(2027, 2, 1), date(2027, 3, 1)]


def test_what_should_have_gone_already_is_left_alone(home):
    subscription = subscribe(home)
    roll(home)

    change(subscription, price=D(5), state=SubscriptionState.PAUSED)

    assert roll(home, at(date(2027, 2, 1))) == {}
    assert [(row.status, row.total) for row in statements()] == [(S.UPCOMING, D("125.00"))]


def test_a_receiver_that_comes_and_goes_is_told(home):
    subscription = subscribe(home)
    method = subscription.payer.payment_methods.get()
    roll(home)
    notes = [statements()[0].attention]
    for default in (False, True):
        method.is_default = default
        method.save()
        roll(home)
        notes.append(statements()[0].attention)

    assert notes == [
        "",
        will_not(subscription.payer, date(2027, 2, 1)),
        "",
    ]
    assert statements()[0].attention_code == ""


# --- Many, killed, and by two ------------------------------------------------------------------------------------


def test_killed_at_any_write_it_goes_on_without_doubles(home, product, monkeypatch):
    monkeypatch.setattr(rolling, "PAYERS", 2)
    payer = f.customer(home, name="Bedrift AS")
    many = [subscribe(home, f"Person {number}", product=product, payment_day=number) for number in range(1, 6)]
    subscribe(home, "Ola", payer=payer, product=product)
    roll(home)
    change(many[0], payer=payer)
    change(many[1], price=D(1))
    change(many[2], state="PAUSED")
    change(many[3], payment_day=20)
    kills = 0
    for number in range(1, 200):
        try:
            with power_cut_at_write(number) as went:
                rolling.roll_company(home.pk, clock=lambda: NOW)
        except PowerCut:
            kills += 1
        if not went():
            break

    assert kills > 5
    assert roll(home) == {}
    terms = Counter(SubscriptionTerm.objects.values_list("subscription__holder__name", "date"))
    assert set(terms.values()) == {1}
    living = [(name, day, text.split(", ")[1]) for name, day, _, _, lines in said() for text, _ in lines]
    assert sorted(living) == [
        ("Bedrift AS", "2027-02-01", "Ola"),
        ("Bedrift AS", "2027-02-01", "Person 1"),
        ("Person 2", "2027-02-02", "Person 2"),
        ("Person 4", "2027-01-20", "Person 4"),
        ("Person 4", "2027-02-20", "Person 4"),
        ("Person 5", "2027-02-05", "Person 5"),
    ]


def test_portion_by_portion_it_goes_on_after_the_last_payer(home, monkeypatch):
    monkeypatch.setattr(rolling, "PAYERS", 2)
    payers = [subscribe(home).payer_id for _ in range(5)]
    after, steps = 0, []
    while True:
        counts, left = rolling.roll_company(home.pk, clock=lambda: NOW, after=after, keep_going=lambda: False)
        if left is None:
            break
        steps.append((counts["made"], left))
        after = left

    assert steps == [(2, payers[1]), (2, payers[3]), (1, payers[4])]


def test_many_cost_as_many_queries_as_few():
    def asked(count: int) -> list[int]:
        company = f.go_company(subscription_days_ahead=45)
        sold = f.product(company)
        many = [subscribe(company, product=sold) for _ in range(count)]
        counts = []
        for price in (None, None, 5):
            for each in many:
                change(each, price=price)
            with CaptureQueriesContext(connection) as queries:
                roll(company)
            counts.append(len(queries))
        return counts

    assert asked(20) == asked(2)


def test_the_task_rolls_every_company_to_the_end(home, monkeypatch):
    monkeypatch.setattr(rolling, "PAYERS", 1)
    rung: list[dict[str, int]] = []
    monkeypatch.setattr(tasks.roll_company_subscriptions, "delay", lambda **told: rung.append(told))
    paid = {
        subscribe(company, first_date=f.TODAY).payer
        for company in (home, home, f.go_company(subscription_days_ahead=45))
    }

    tasks.roll_subscriptions()
    for told in rung:
        tasks.roll_company_subscriptions(**told)

    assert {row.customer for row in statements()} == paid
    assert len(rung) == 5


def test_the_command_says_what_it_did(home):
    subscribe(home, first_date=date(2020, 1, 1))
    out = StringIO()

    call_command("roll_subscriptions", stdout=out)
    call_command("roll_subscriptions", company=home.pk, stdout=out)

    first, second = out.getvalue().splitlines()
    assert (first.startswith(f"{home}: "), first.endswith(" made.")) == (True, True)
    assert second == f"{home}: nothing to do."
    with pytest.raises(CommandError, match="Nothing was done"):
        call_command("roll_subscriptions", company=0)
