"""Payments by hand: amounts, limits, the second person, and everybody who comes between."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from integration.enums import ByHandAction, HandPaymentMethod, HandPaymentState, SharingRule, StatementKind
from integration.enums import StatementStatus as S
from integration.models import AdminAction, GoCompany, HandPayment, InvoiceStatement, OutgoingInvoice
from integration.use_cases.moves import move
from integration.use_cases.pay_by_hand import (
    Given,
    PaymentRefused,
    decide,
    follow_go,
    mark_paid,
    open_amount,
    plan,
    why_not_decide,
    why_not_follow,
    why_not_pay,
)
from integration.use_cases.pull_statuses import refresh_statuses
from integration.use_cases.review_statements import NAMED
from tests import factories
from tests.factories import NOW, TODAY

pytestmark = pytest.mark.django_db
D = Decimal
A = ByHandAction


@pytest.fixture
def firm():
    return factories.go_company()


@pytest.fixture
def kari(firm):
    return factories.person(role="Finance", companies=[firm])


@pytest.fixture
def ola(firm):
    return factories.person(role="Finance", companies=[firm])


def sent(firm, status=S.SENT, *, total="1000.00", balance=None, currency="NOK", **fields):
    """A statement of 1 000 kroner with its invoice."""
    lines = [{"quantity": 1, "unit_price": D(total), "vat_rate": D(0)}]
    invoice = factories.outgoing_invoice(
        firm, net=D(total), total=D(total), balance=D(total if balance is None else balance), currency=currency
    )
    return factories.statement(firm, status=status, lines=lines, outgoing_invoice=invoice, currency=currency, **fields)


def all_of(firm):
    return InvoiceStatement.objects.filter(company=firm)


def pay(firm, user, amounts=None, **fields):
    given = {"paid_on": TODAY, "method": HandPaymentMethod.CASH, "reason": "Paid in the reception", **fields}
    return mark_paid(all_of(firm), Given(amounts=amounts or {}, **given), user=user, now=NOW, today=TODAY)


def limit(firm, kroner):
    GoCompany.objects.filter(pk=firm.pk).update(by_hand_limit=kroner)


def test_where_a_payment_by_hand_is_possible(firm):
    possible = {status for status in S if not why_not_pay(factories.statement(firm, status=status))}
    assert possible == {S.SENT, S.PARTLY_PAID, S.LINK_BROKEN}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (S.UPCOMING, "not in PowerOffice Go yet: withdraw it if it was paid in another way"),
        (S.IN_DOUBT, "being transferred: wait until it has arrived"),
        (S.DRAFT, "its draft could still be sent and paid twice: delete it in PowerOffice Go first"),
        (S.PAID, "paid already"),
        (S.CREDITED, "not possible while it is “Credited”"),
    ],
)
def test_where_it_is_not_the_reason_is_said(firm, status, words):
    assert why_not_pay(factories.statement(firm, status=status)) == words


def test_a_credit_note_is_not_paid_by_hand(firm):
    note = factories.statement(firm, status=S.SENT, kind=StatementKind.CREDIT_NOTE, credit_reason="Goodwill")
    assert why_not_pay(note) == "a credit note: it is settled in PowerOffice Go"


def test_all_that_is_open_makes_it_paid_and_less_partly_paid(firm, kari):
    whole, part, rest = sent(firm), sent(firm), sent(firm, S.PARTLY_PAID, balance="400.00")
    assert pay(firm, kari, {part.pk: D("0.01")}).paid == 3
    found = [(each.status, each.follows_go) for each in all_of(firm).order_by("pk")]
    assert found == [(S.PAID, False), (S.PARTLY_PAID, False), (S.PAID, False)]
    amounts = HandPayment.objects.order_by("pk").values_list("statement", "amount", "open_before", "state")
    assert list(amounts) == [
        (whole.pk, D(1000), D(1000), "IN_FORCE"),
        (part.pk, D("0.01"), D(1000), "IN_FORCE"),
        (rest.pk, D(400), D(400), "IN_FORCE"),
    ]


def test_a_second_payment_by_hand_pays_what_the_first_left(firm, kari):
    statement = sent(firm)
    pay(firm, kari, {statement.pk: D(300)})
    assert open_amount(all_of(firm).get()) == D(700)
    with pytest.raises(PaymentRefused, match="is more than what is open: 700,00"):
        pay(firm, kari, {statement.pk: D("700.01")})
    pay(firm, kari)
    assert all_of(firm).get().status == S.PAID


def test_a_partly_paid_statement_can_stay_so_by_hand(firm, kari):
    statement = sent(firm, S.PARTLY_PAID, balance="400.00")
    pay(firm, kari, {statement.pk: D(100)})
    now = all_of(firm).get()
    assert (now.status, now.follows_go, open_amount(now)) == (S.PARTLY_PAID, False, D(300))
    assert AdminAction.objects.get().after["status"] == S.PARTLY_PAID


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amounts": D(0)}, "The amount must be more than 0. Nothing was saved."),
        ({"amounts": D(-5)}, "The amount must be more than 0. Nothing was saved."),
        ({"amounts": D("1000.01")}, "is more than what is open"),
        ({"paid_on": TODAY + timedelta(days=1)}, "The day lies in the future"),
        ({"paid_on": date(26, 11, 21)}, "look at the year"),
        ({"reason": "  "}, "Say why"),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence_and_nothing_is_half_done(firm, kari, change, words):
    first, second = sent(firm), sent(firm)
    if "amounts" in change:
        change = {"amounts": {first.pk: D(1), second.pk: change["amounts"]}}
    with pytest.raises(PaymentRefused, match=words):
        pay(firm, kari, **change)
    assert {(each.status, each.follows_go) for each in all_of(firm)} == {(S.SENT, True)}
    assert HandPayment.objects.count() == AdminAction.objects.count() == 0


def combined(firm, *totals, paid="0.00", currency="NOK", rate=1):
    """Statements, the oldest first, that became one invoice of which something is paid in Go."""
    total = sum(D(each) for each in totals)
    invoice = factories.outgoing_invoice(
        firm,
        net=total,
        total=total,
        currency=currency,
        total_posted=total * rate,
        balance=total * rate - D(paid),
        match_id=7,
    )
    if D(paid):
        factories.ledger_entry(invoice, amount=-D(paid), match_id=7)
    return [
        factories.statement(
            firm,
            status=S.SENT,
            lines=[{"quantity": 1, "unit_price": D(each), "vat_rate": D(0)}],
            outgoing_invoice=invoice,
            currency=currency,
            statement_date=TODAY - timedelta(days=len(totals) - place),
        )
        for place, each in enumerate(totals)
    ]


@pytest.mark.parametrize(
    ("rule", "opens"),
    [(SharingRule.OLDEST_FIRST, ["0.00", "250.00"]), (SharingRule.IN_PROPORTION, ["125.00", "125.00"])],
)
def test_of_a_combined_invoice_each_statement_owes_its_own_share(firm, kari, rule, opens):
    GoCompany.objects.filter(pk=firm.pk).update(sharing=rule)
    statements = combined(firm, "250.00", "250.00", paid="250.00")
    opens = [D(each) for each in opens]
    assert [open_amount(InvoiceStatement.objects.get(pk=each.pk)) for each in statements] == opens
    ready = dict(plan(all_of(firm), why_not_pay).ready)
    assert {each.pk: left for each, left in ready.items()} == {
        each.pk: left for each, left in zip(statements, opens, strict=True) if left
    }
    assert pay(firm, kari).paid == len(ready)
    assert sorted(HandPayment.objects.values_list("statement", "amount")) == sorted(
        (each.pk, left) for each, left in ready.items()
    )


def test_more_than_the_own_share_is_refused_though_the_invoice_has_room(firm, kari):
    first, second = combined(firm, "100.00", "900.00", paid="50.00")
    with pytest.raises(PaymentRefused, match="is more than what is open: 50,00"):
        pay(firm, kari, {first.pk: D("50.01")})
    assert not HandPayment.objects.exists()
    assert pay(firm, kari, {first.pk: D("50.00"), second.pk: D("900.00")}).paid == 2


def test_a_payment_by_hand_of_one_share_leaves_the_other_as_it_was(firm, kari):
    first, second = combined(firm, "100.00", "900.00")
    mark_paid(
        InvoiceStatement.objects.filter(pk=first.pk),
        Given(paid_on=TODAY, method=HandPaymentMethod.CASH, reason="Cash", amounts={}),
        user=kari,
        now=NOW,
        today=TODAY,
    )
    assert [open_amount(InvoiceStatement.objects.get(pk=each.pk)) for each in (first, second)] == [D(0), D("900.00")]


def test_a_share_in_another_currency_is_told_in_that_currency(firm):
    first, second = combined(firm, "100.00", "300.00", paid="2000.00", currency="EUR", rate=10)
    assert [open_amount(each) for each in (first, second)] == [D("0.00"), D("200.00")]


def test_two_people_at_once_pay_it_once(firm, kari, ola):
    """Both looked at 1 000 open; the second finds it paid."""
    sent(firm)
    assert pay(firm, kari).paid == 1
    report = pay(firm, ola)
    assert (report.paid, report.held_back) == (0, (("paid already", 1),))
    assert HandPayment.objects.count() == 1


def test_a_payment_that_came_in_go_meanwhile_is_not_paid_again(firm, kari):
    statement = sent(firm)
    OutgoingInvoice.objects.update(balance=D(400))
    with pytest.raises(PaymentRefused, match="is more than what is open: 400,00"):
        pay(firm, kari, {statement.pk: D(1000)})


def test_a_pull_under_way_does_not_undo_what_a_person_set(firm, kari):
    """The pull read the statement before the person acted, and decides afterwards; the status is the same."""
    statement = sent(firm, S.PARTLY_PAID, balance="400.00")
    pay(firm, kari, {statement.pk: D(100)})
    assert not move(statement.pk, from_status=S.PARTLY_PAID, to_status=S.PAID, now=NOW, reason="Invoice 1: Paid")
    assert all_of(firm).get().status == S.PARTLY_PAID


def test_following_again_takes_the_word_of_the_invoice_as_last_seen(firm, kari):
    statement = sent(firm)
    pay(firm, kari)
    OutgoingInvoice.objects.update(balance=D(250))
    refresh_statuses(firm, [statement.outgoing_invoice.go_invoice_id], NOW)
    assert all_of(firm).get().status == S.PAID
    assert follow_go(all_of(firm), user=kari, now=NOW, reason="Typed on the wrong one").done == 1
    now = all_of(firm).get()
    assert (now.status, now.follows_go, open_amount(now)) == (S.PARTLY_PAID, True, D(250))
    payment = HandPayment.objects.get()
    assert (payment.state, payment.ended_by, payment.end_reason) == ("UNDONE", kari, "Typed on the wrong one")
    logged = AdminAction.objects.get(action="follow_go")
    assert (logged.before, logged.after) == (
        {"status": "PAID", "follows": "set by hand"},
        {"status": "PARTLY_PAID", "follows": "PowerOffice Go"},
    )


def test_following_again_without_invoice_leads_back_to_where_the_first_payment_began(firm, kari):
    statement = factories.statement(firm, status=S.LINK_BROKEN, attention="Gone.", attention_code="VANISHED")
    pay(firm, kari, {statement.pk: D(25)})
    pay(firm, kari)
    assert all_of(firm).get().status == S.PAID
    follow_go(all_of(firm), user=kari, now=NOW, reason="Wrong")
    now = all_of(firm).get()
    assert (now.status, now.attention, now.attention_code) == (
        S.LINK_BROKEN,
        "The draft is gone from PowerOffice Go.",
        "VANISHED",
    )
    assert set(HandPayment.objects.values_list("state", flat=True)) == {"UNDONE"}


def test_following_again_of_what_was_set_by_hand_without_a_payment(firm, kari):
    factories.statement(firm, status=S.SENT, follows_go=False)
    follow_go(all_of(firm), user=kari, now=NOW, reason="Wrong")
    assert (all_of(firm).get().status, all_of(firm).get().follows_go) == (S.SENT, True)


def test_following_again_needs_a_reason_and_something_to_undo(firm, kari):
    statement = sent(firm)
    assert why_not_follow(statement) == "it follows PowerOffice Go already"
    assert follow_go(all_of(firm), user=kari, now=NOW, reason="x").held_back == (
        ("it follows PowerOffice Go already", 1),
    )
    with pytest.raises(PaymentRefused, match="Say why"):
        follow_go(all_of(firm), user=kari, now=NOW, reason="")


# --- The limit ------------------------------------------------------------------------------------------------------


def test_above_the_limit_it_waits_and_changes_nothing(firm, kari):
    limit(firm, D(999))
    sent(firm)
    report = pay(firm, kari)
    assert (report.paid, report.waiting) == (0, 1)
    now = all_of(firm).get()
    assert (now.status, now.follows_go, now.moves.count()) == (S.SENT, True, 0)
    assert why_not_pay(now) == "a payment by hand already waits for a second person"
    assert AdminAction.objects.get().after["state"] == "Waits for a second person"


def test_the_limit_is_for_all_that_is_marked_in_one_go(firm, kari):
    limit(firm, D(1500))
    sent(firm), sent(firm)
    assert (pay(firm, kari).waiting, HandPayment.objects.filter(state="WAITING").count()) == (2, 2)


def test_a_payment_split_in_two_is_still_one(firm, kari):
    limit(firm, D(600))
    statement = sent(firm)
    assert pay(firm, kari, {statement.pk: D(500)}).paid == 1
    assert pay(firm, kari, {statement.pk: D(500)}).waiting == 1


def test_up_to_the_limit_and_without_one_nobody_is_asked(firm, kari):
    limit(firm, D(1000))
    sent(firm)
    assert pay(firm, kari).paid == 1
    other = factories.go_company()
    sent(other, total="9000000.00")
    assert pay(other, kari).paid == 1


def test_a_foreign_amount_nobody_can_tell_in_kroner_waits(firm, kari):
    limit(firm, D(1_000_000))
    factories.statement(firm, status=S.LINK_BROKEN, currency="EUR")
    sent(firm, currency="EUR")
    assert pay(firm, kari).waiting == 2


def test_a_second_person_approves_and_nobody_their_own(firm, kari, ola):
    limit(firm, D(0))
    sent(firm)
    pay(firm, kari)
    mine = decide(A.APPROVE, HandPayment.objects.all(), user=kari, now=NOW)
    assert mine.held_back == (("you asked for it yourself: a second person decides", 1),)
    assert all_of(firm).get().status == S.SENT
    assert decide(A.APPROVE, HandPayment.objects.all(), user=ola, now=NOW).done == 1
    now = all_of(firm).get()
    assert (now.status, now.follows_go, now.moves.get().user) == (S.PAID, False, ola)
    payment = HandPayment.objects.get()
    assert (payment.state, payment.asked_by, payment.approved_by) == ("IN_FORCE", kari, ola)
    again = decide(A.APPROVE, HandPayment.objects.all(), user=ola, now=NOW)
    assert again.held_back == (("in force: nothing waits", 1),)


def test_refused_says_why_and_leaves_the_statement_alone(firm, kari, ola):
    limit(firm, D(0))
    sent(firm)
    pay(firm, kari)
    with pytest.raises(PaymentRefused, match="Say why"):
        decide(A.REFUSE, HandPayment.objects.all(), user=ola, now=NOW)
    own = decide(A.REFUSE, HandPayment.objects.all(), user=kari, now=NOW, reason="x")
    assert own.held_back == (("you asked for it yourself: a second person decides", 1),)
    assert decide(A.REFUSE, HandPayment.objects.all(), user=ola, now=NOW, reason="No such money").done == 1
    payment = HandPayment.objects.get()
    assert (payment.state, payment.ended_by, payment.end_reason) == ("REFUSED", ola, "No such money")
    assert (all_of(firm).get().status, why_not_pay(all_of(firm).get())) == (S.SENT, "")


def test_whoever_asked_takes_it_back(firm, kari, ola):
    limit(firm, D(0))
    sent(firm)
    pay(firm, kari)
    other = decide(A.TAKE_BACK, HandPayment.objects.all(), user=ola, now=NOW, reason="x")
    assert other.held_back == (("only whoever asked takes it back: refuse it instead", 1),)
    assert decide(A.TAKE_BACK, HandPayment.objects.all(), user=kari, now=NOW, reason="Wrong one").done == 1
    assert HandPayment.objects.get().state == HandPaymentState.TAKEN_BACK


@pytest.mark.parametrize(
    ("balance", "status", "words"),
    [
        ("400.00", S.PARTLY_PAID, "1\u202f000,00\xa0NOK is more than what is open: 400,00\xa0NOK"),
        ("0.00", S.PAID, "paid already"),
    ],
)
def test_what_waits_is_never_approved_past_what_go_says_by_now_and_never_goes_by_itself(
    firm, kari, ola, balance, status, words
):
    limit(firm, D(0))
    sent(firm)
    pay(firm, kari)
    OutgoingInvoice.objects.update(balance=D(balance))
    InvoiceStatement.objects.update(status=status)
    report = decide(A.APPROVE, HandPayment.objects.all(), user=ola, now=NOW + timedelta(days=400))
    assert (report.done, report.held_back) == (0, ((words, 1),))
    payment = HandPayment.objects.get()
    assert (payment.state, why_not_decide(A.REFUSE, payment, ola)) == (HandPaymentState.WAITING, "")


def test_looking_costs_the_same_for_one_and_for_many(firm, django_assert_num_queries):
    sent(firm)
    with django_assert_num_queries(3):  # one of them for the shares
        plan(all_of(firm), why_not_pay)
    for _ in range(3):
        sent(firm)
    with django_assert_num_queries(3):  # one of them for the shares
        planned = plan(all_of(firm), why_not_pay)
    assert [left for _, left in planned.ready] == [D(1000)] * 4


def test_a_plan_names_at_most_ten_that_are_held_back(firm):
    for _ in range(12):
        factories.statement(firm, status=S.PAID)
    planned = plan(all_of(firm), why_not_pay)
    assert (planned.held_back, len(planned.named["paid already"])) == ((("paid already", 12),), NAMED)
