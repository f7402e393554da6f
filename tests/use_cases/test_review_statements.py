"""What people do with statements."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integration.enums import CompanyState, ReviewAction
from integration.enums import StatementStatus as S
from integration.models import AdminAction, GoCompany, InvoiceStatement
from integration.use_cases import review_statements
from integration.use_cases.push_statements import REFERENCE_TAKEN
from integration.use_cases.review_statements import carry_out, plan, why_not
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def firm():
    return factories.go_company()


@pytest.fixture
def kari(firm):
    return factories.person(role="Finance", companies=[firm])


def statement(firm, status=S.UPCOMING, **fields):
    fields = {"customer": factories.customer(firm), **fields}
    lines = [{"product": factories.product(firm), "quantity": 1, "unit_price": 100, "vat_rate": Decimal("0.25")}]
    return factories.statement(firm, status=status, lines=fields.pop("lines", lines), **fields)


def all_of(firm):
    return InvoiceStatement.objects.filter(company=firm)


@pytest.mark.parametrize(
    ("action", "possible"),
    [
        (ReviewAction.PUSH, {S.UPCOMING, S.PROCESSING, S.NEEDS_FIX}),
        (ReviewAction.ACTIVATE, {S.UPCOMING}),
        (ReviewAction.HOLD, {S.UPCOMING, S.PROCESSING}),
        (ReviewAction.WITHDRAW, {S.UPCOMING, S.PROCESSING, S.NEEDS_FIX}),
        (ReviewAction.RELEASE, {S.NEEDS_FIX}),
    ],
)
def test_each_act_is_possible_in_just_these_states(firm, action, possible):
    assert {status for status in S if not why_not(action, statement(firm, status))} == possible


def test_plan_counts_sums_and_says_what_is_held_back(firm):
    statement(firm)
    statement(firm, currency="EUR")
    statement(firm, customer=None)
    statement(firm, lines=[])
    statement(firm, S.PAID)
    before = list(all_of(firm).values("pk", "status"))
    planned = plan(ReviewAction.PUSH, all_of(firm))
    assert len(planned.ready) == 2
    assert planned.sums == (("EUR", Decimal("125.00")), ("NOK", Decimal("125.00")))
    assert dict(planned.held_back) == {"no customer": 1, "no product lines": 1, "not possible while it is “Paid”": 1}
    assert list(all_of(firm).values("pk", "status")) == before


def test_push_queues_and_writes_who(firm, kari):
    ready, _ = statement(firm), statement(firm, S.PAID)
    report = carry_out(ReviewAction.PUSH, all_of(firm), user=kari, now=NOW)
    assert (report.done, report.held_back, report.companies) == (
        1,
        (("not possible while it is “Paid”", 1),),
        (firm.pk,),
    )
    ready.refresh_from_db()
    assert ready.status == S.PROCESSING
    action = AdminAction.objects.get()
    assert (action.user, action.statement, action.before, action.after) == (
        kari,
        ready,
        {"status": "UPCOMING"},
        {"status": "PROCESSING"},
    )
    assert ready.moves.get().user == kari


def test_hold_is_not_activated_by_its_date_but_by_a_person(firm, kari):
    held = statement(firm, S.PROCESSING)
    carry_out(ReviewAction.HOLD, all_of(firm), user=kari, now=NOW)
    held.refresh_from_db()
    assert (held.status, held.held) == (S.UPCOMING, True)
    assert why_not(ReviewAction.HOLD, held) == "already on hold"
    carry_out(ReviewAction.ACTIVATE, all_of(firm), user=kari, now=NOW)
    held.refresh_from_db()
    assert (held.status, held.held) == (S.PROCESSING, False)


def test_withdraw_keeps_the_reason(firm, kari):
    statement(firm)
    carry_out(ReviewAction.WITHDRAW, all_of(firm), user=kari, now=NOW, reason="Ordered twice")
    assert all_of(firm).get().status == S.VOID
    assert AdminAction.objects.get().reason == "Ordered twice"
    assert all_of(firm).get().moves.get().reason == "Ordered twice"


def test_release_of_a_taken_reference_gives_a_new_one(firm, kari):
    stuck = statement(firm, S.NEEDS_FIX, attention_code=REFERENCE_TAKEN, attention="…")
    carry_out(ReviewAction.RELEASE, all_of(firm), user=kari, now=NOW)
    now = all_of(firm).get()
    assert now.reference == f"{stuck.reference}.2"
    assert (now.status, now.reference_version, now.attention, now.attention_code) == (S.PROCESSING, 2, "", "")


def test_nothing_is_queued_for_a_company_that_is_not_active(firm, kari):
    statement(firm)
    GoCompany.objects.filter(pk=firm.pk).update(state=CompanyState.OFF)
    report = carry_out(ReviewAction.PUSH, all_of(firm), user=kari, now=NOW)
    assert report.held_back == ((f"{firm} is not active", 1),)


def test_planning_costs_the_same_for_one_and_for_many(firm, django_assert_num_queries):
    statement(firm)
    with django_assert_num_queries(1):
        plan(ReviewAction.PUSH, all_of(firm))
    for _ in range(3):
        statement(firm)
    with django_assert_num_queries(1):
        plan(ReviewAction.PUSH, all_of(firm))


def test_what_somebody_else_changed_meanwhile_is_held_back(firm, kari, monkeypatch):
    """Between our look and our act, a worker took the statement."""
    first = statement(firm, S.PROCESSING)

    def look_then_blink(action, row):
        refusal = why_not(action, row)
        all_of(firm).filter(pk=row.pk).update(status=S.PUSHING)
        return refusal

    monkeypatch.setattr(review_statements, "why_not", look_then_blink)
    report = carry_out(ReviewAction.WITHDRAW, all_of(firm), user=kari, now=NOW)
    assert (report.done, report.held_back) == (0, (("changed by somebody else meanwhile", 1),))
    first.refresh_from_db()
    assert (first.status, AdminAction.objects.count()) == (S.PUSHING, 0)
