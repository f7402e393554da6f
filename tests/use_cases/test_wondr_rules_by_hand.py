"""The rules of reference/wondr.md about what a person sets by hand, played through the sandbox's accountant."""

from decimal import Decimal

import pytest
from django.utils import timezone

from integration import remotes
from integration.enums import ByHandAction, HandPaymentMethod, VanishedDraftPolicy
from integration.enums import StatementStatus as S
from integration.models import AdminAction, GoCompany, HandPayment, InvoiceStatement, StatementMove
from integration.use_cases.credit_statement import why_no_credit
from integration.use_cases.pay_by_hand import Given, PaymentRefused, follow_go, lock_dates, mark_paid
from integration.use_cases.settle_failed import decide_failed, look, why_not
from tests import factories

A = ByHandAction
pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


@pytest.fixture
def kari(world):
    return factories.person(role="Finance", companies=[world.company])


def pull(world, times=1):
    for _ in range(times):
        world.clock.advance(10)
        world.turn()


def drafts(world, many=1):
    made = [world.statement() for _ in range(many)]
    world.turn()
    return [world.fresh(each) for each in made]


def these(*statements):
    return InvoiceStatement.objects.filter(pk__in=[each.pk for each in statements])


def today(world):
    return timezone.localdate(world.clock())


def paid_with(world, kari, *statements, invoice_number=None):
    given = Given(today(world), HandPaymentMethod.BANK, "Paid together", {}, invoice_number)
    return mark_paid(these(*statements), given, user=kari, now=world.clock(), today=today(world))


def test_r14_the_state_of_a_broken_link_is_set_by_hand_holds_and_is_logged(world, kari):
    [draft] = drafts(world)
    world.sandbox.act("delete", company=world.company, order_ids=[draft.go_order_id])
    pull(world, 2)
    broken = world.fresh(draft)
    assert (broken.status, broken.attention_code) == (S.LINK_BROKEN, "VANISHED")

    report = paid_with(world, kari, draft)

    assert (report.paid, report.waiting, report.held_back) == (1, 0, ())
    pull(world, 3)
    now = world.fresh(draft)
    assert (now.status, now.follows_go, now.attention, now.attention_code) == (S.PAID, False, "", "")
    assert now.go_says == "Gone from PowerOffice Go"
    move = StatementMove.objects.filter(statement=draft).latest("pk")
    assert (move.from_status, move.to_status, move.user) == (S.LINK_BROKEN, S.PAID, kari)
    logged = AdminAction.objects.get(action="mark_paid")
    assert (logged.user, logged.reason, logged.after["payment by hand"]) == (
        kari,
        "Paid together",
        "2\u202f240,00\xa0NOK",
    )

    follow_go(these(draft), user=kari, now=world.clock(), reason="It was another customer's money")

    again = world.fresh(draft)
    assert (again.status, again.follows_go) == (S.LINK_BROKEN, True)
    assert (again.attention, again.attention_code) == (broken.attention, "VANISHED")


def test_r15_orders_of_a_combined_invoice_are_marked_as_paid_together_with_its_number(world, kari):
    made = drafts(world, 3)
    ids = [draft.go_order_id for draft in made]
    world.sandbox.act(
        "combine",
        company=world.company,
        order_ids=ids,
        survivor="first",
        line_references="lost",
        header_references="lost",
    )
    [survivor] = world.drafts()
    world.sandbox.act("send", company=world.company, order_ids=[survivor["id"]])
    world.sandbox.act("pay", company=world.company, invoice_id=survivor["id"])
    pull(world, 2)
    [number] = [invoice["invoice_no"] for invoice in world.books()["invoices"]]
    broken = [draft for draft in made if world.fresh(draft).status == S.LINK_BROKEN]
    assert len(broken) == 2

    report = paid_with(world, kari, *made, invoice_number=number)

    assert (report.paid, report.held_back) == (2, (("paid already", 1),))
    pull(world, 2)
    assert [(world.fresh(each).status, world.fresh(each).follows_go) for each in broken] == [(S.PAID, False)] * 2
    assert (
        list(HandPayment.objects.values_list("invoice_number", "amount").order_by("pk"))
        == [(number, Decimal("2240.00"))] * 2
    )


def test_r15_what_go_says_stands_beside_and_following_again_takes_its_word_at_once(world, kari):
    [draft] = drafts(world)
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    paid_with(world, kari, draft)
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id, amount="1000.00")
    pull(world)
    now = world.fresh(draft)
    assert (now.status, now.follows_go) == (S.PAID, False)
    assert now.go_says == f"Invoice {now.outgoing_invoice.invoice_number}: 1\u202f240,00 of 2\u202f240,00\xa0NOK open"

    report = follow_go(these(draft), user=kari, now=world.clock(), reason="The bank took it back")

    assert report.done == 1
    assert (world.fresh(draft).status, world.fresh(draft).follows_go) == (S.PARTLY_PAID, True)
    assert HandPayment.objects.get().state == "UNDONE"
    world.sandbox.act("pay", company=world.company, invoice_id=draft.go_order_id)
    pull(world)
    assert world.fresh(draft).status == S.PAID


# --- Cancelled in Go ------------------------------------------------------------------------------------------------


def lives(world, *statements):
    client = remotes.go_client(world.company)
    return look(world.company, client, [world.fresh(each) for each in statements], clock=world.clock)


def decided(world, kari, action, *statements):
    """As the page does it: ask Go, then act."""
    found = lives(world, *statements)
    return decide_failed(
        action, these(*statements), lives=found, user=kari, now=world.clock(), reason="The customer asked for it"
    )


def settled(world, kari, *statements):
    found = lives(world, *statements)
    given = Given(today(world), HandPaymentMethod.CARD, "Paid in the reception", {})
    return mark_paid(
        these(*statements),
        given,
        user=kari,
        now=world.clock(),
        today=today(world),
        action=A.SETTLE,
        why_not=lambda statement: why_not(A.SETTLE, statement) or found.get(statement.pk, ""),
    )


def sent(world, draft):
    world.sandbox.act("send", company=world.company, order_ids=[draft.go_order_id])
    pull(world)
    return world.fresh(draft)


def credited_in_go(world):
    """A statement whose invoice somebody credited in full in Go."""
    [draft] = drafts(world)
    invoice = sent(world, draft)
    world.sandbox.act("credit", company=world.company, invoice_id=invoice.go_order_id)
    pull(world, 2)
    failed = world.fresh(draft)
    assert failed.status == S.CANCELLED
    return failed


def deleted_in_go(world, policy):
    GoCompany.objects.filter(pk=world.company.pk).update(vanished_drafts=policy)
    [draft] = drafts(world)
    world.sandbox.act("delete", company=world.company, order_ids=[draft.go_order_id])
    pull(world, 2)
    return world.fresh(draft)


def test_r04_of_a_draft_that_lives_the_offer_is_to_delete_it_in_go_or_wait(world):
    [draft] = drafts(world)
    pull(world)
    assert why_no_credit(world.fresh(draft)) == (
        "It is still a draft in PowerOffice Go: delete the draft there, or wait until it is sent."
    )
    assert why_not(A.CREDIT_HERE, world.fresh(draft)) == (
        "its draft or invoice is in PowerOffice Go: cancel it there first"
    )


def test_r07_what_stands_in_go_is_cancelled_there_first(world):
    [draft] = drafts(world)
    for statement in (world.fresh(draft), sent(world, draft)):
        assert why_not(A.SETTLE, statement) == "it stands in PowerOffice Go: cancel it there first"
        assert why_not(A.INVOICE_AGAIN, statement) == "its draft or invoice is in PowerOffice Go: cancel it there first"


def test_r08_a_full_credit_in_go_makes_a_failed_payment_and_its_undoing_takes_it_back(world):
    failed = credited_in_go(world)
    assert failed.go_says.endswith("Credited in full in PowerOffice Go")
    world.sandbox.act("undo_payment", company=world.company, invoice_id=failed.go_order_id)
    pull(world, 2)
    assert world.fresh(failed).status == S.SENT


def test_r08_an_undone_credit_moves_nothing_once_a_person_has_acted(world, kari):
    failed = credited_in_go(world)
    assert settled(world, kari, failed).paid == 1
    world.sandbox.act("undo_payment", company=world.company, invoice_id=failed.go_order_id)
    pull(world, 2)
    assert world.fresh(failed).status == S.SETTLED_OTHERWISE
    assert world.fresh(failed).go_says.endswith("Sent, unpaid")


def test_r09_another_payment_method_settles_it_with_day_method_and_reason(world, kari):
    failed = credited_in_go(world)
    report = settled(world, kari, failed)
    assert (report.paid, report.held_back) == (1, ())
    assert world.fresh(failed).status == S.SETTLED_OTHERWISE
    payment = HandPayment.objects.get()
    assert (payment.amount, payment.method, payment.reason, payment.paid_on, payment.asked_by) == (
        failed.total,
        "CARD",
        "Paid in the reception",
        today(world),
        kari,
    )
    assert AdminAction.objects.get().action == "settle_otherwise"


@pytest.mark.parametrize("cancelled", ["credited", "deleted"])
def test_r09_invoice_again_makes_one_new_order_with_a_new_reference(world, kari, cancelled):
    failed = credited_in_go(world) if cancelled == "credited" else deleted_in_go(world, VanishedDraftPolicy.CANCELLED)
    report = decided(world, kari, A.INVOICE_AGAIN, failed)
    assert (report.done, report.held_back, report.companies) == (1, (), (world.company.pk,))
    queued = world.fresh(failed)
    assert (queued.status, queued.reference, queued.reference_version) == (S.PROCESSING, f"{failed.reference}.2", 2)
    forgotten = (queued.go_order_id, queued.go_order_number, queued.outgoing_invoice, queued.pushed_at)
    assert forgotten == ("", None, None, None)
    before = AdminAction.objects.get(action="invoice_again").before
    assert (before["order id in Go"], before["reference"]) == (failed.go_order_id, failed.reference)
    for _ in range(3):
        pull(world)
    now = world.fresh(failed)
    assert (now.status, now.go_order_id != failed.go_order_id) == (S.DRAFT, True)
    assert [order["reference"] for order in world.drafts()] == [now.reference]


def test_r10_credit_here_makes_no_credit_note_in_go(world, kari):
    failed = credited_in_go(world)
    before = world.books()
    assert decided(world, kari, A.CREDIT_HERE, failed).done == 1
    pull(world, 3)
    assert world.fresh(failed).status == S.CREDITED
    assert world.books()["invoices"] == before["invoices"]
    assert world.books()["orders"] == before["orders"]


def test_r11_what_lives_in_go_although_we_thought_it_gone_is_refused(world, kari):
    """We took the draft for cancelled; Go has it all the same."""
    [draft] = drafts(world)
    InvoiceStatement.objects.filter(pk=draft.pk).update(status=S.CANCELLED)
    words = f"draft no. {draft.go_order_number} is in PowerOffice Go: delete it there first"
    assert settled(world, kari, draft).held_back == ((words, 1),)
    for action in (A.INVOICE_AGAIN, A.CREDIT_HERE):
        assert decided(world, kari, action, draft).held_back == ((words, 1),)
    assert world.fresh(draft).status == S.CANCELLED
    assert HandPayment.objects.count() == 0


def test_r11_a_credit_undone_a_moment_ago_is_followed_before_anybody_decides(world, kari):
    failed = credited_in_go(world)
    world.sandbox.act("undo_payment", company=world.company, invoice_id=failed.go_order_id)
    world.clock.advance(10)
    report = settled(world, kari, failed)
    assert report.held_back == (("it stands in PowerOffice Go: cancel it there first", 1),)
    assert world.fresh(failed).status == S.SENT


def test_r16_a_vanished_draft_asks_and_a_person_may_treat_it_as_cancelled(world, kari):
    broken = deleted_in_go(world, VanishedDraftPolicy.ASK)
    assert (broken.status, why_not(A.SETTLE, broken)) == (
        S.LINK_BROKEN,
        "what became of its draft is not known: settle that first",
    )
    assert decided(world, kari, A.CANCEL, broken).done == 1
    pull(world, 2)
    failed = world.fresh(broken)
    assert (failed.status, failed.attention) == (
        S.CANCELLED,
        "Treated as cancelled by a person: The customer asked for it",
    )


def test_r16_the_company_may_choose_that_a_vanished_draft_is_cancelled(world):
    assert deleted_in_go(world, VanishedDraftPolicy.CANCELLED).status == S.CANCELLED


def test_r16_a_broken_link_is_sent_again_only_when_nothing_of_it_is_in_go(world, kari):
    broken = deleted_in_go(world, VanishedDraftPolicy.ASK)
    assert decided(world, kari, A.INVOICE_AGAIN, broken).done == 1
    pull(world, 2)
    assert world.in_go() == {f"{broken.reference}.2": 1}


@pytest.mark.parametrize("action", [A.INVOICE_AGAIN, A.CANCEL])
def test_r16_a_combined_draft_is_never_sent_again(world, kari, action):
    made = drafts(world, 2)
    world.sandbox.act(
        "combine",
        company=world.company,
        order_ids=[draft.go_order_id for draft in made],
        survivor="first",
        line_references="kept",
        header_references="lost",
    )
    pull(world, 2)
    [broken] = [world.fresh(draft) for draft in made if world.fresh(draft).status == S.LINK_BROKEN]
    report = decided(world, kari, action, broken)
    assert report.done == 0
    assert "it was combined" in report.held_back[0][0]
    assert world.fresh(broken).status == S.LINK_BROKEN


def test_two_people_decide_once(world, kari):
    failed = credited_in_go(world)
    assert settled(world, kari, failed).paid == 1
    report = decided(world, kari, A.CREDIT_HERE, failed)
    assert report.held_back == (("not possible while it is “Settled otherwise”", 1),)
    assert settled(world, kari, failed).held_back == (("not possible while it is “Settled otherwise”", 1),)
    assert HandPayment.objects.count() == 1


def test_a_day_in_a_period_that_is_locked_in_go_is_refused(world, kari, go):
    statement = world.statement()
    world.turn()
    world.sandbox.act("send", company=world.company, order_ids=[world.fresh(statement).go_order_id])
    pull(world, 1)
    world.sandbox.act("set_lock_date", company=world.company, date=f"{today(world)}")
    locked, unknown = lock_dates([world.company], lambda company: go)
    assert (locked, unknown) == ({world.company.pk: today(world)}, [])
    given = Given(today(world), HandPaymentMethod.BANK, "Paid", {})
    with pytest.raises(PaymentRefused, match="are locked in PowerOffice Go until"):
        mark_paid(these(statement), given, user=kari, now=world.clock(), today=today(world), locked=locked)
    assert world.fresh(statement).status == S.SENT


def test_a_lock_date_that_go_does_not_tell_is_unknown(world, go):
    world.sandbox.faults(kind="error_500_before_commit", method="GET", path="/LockDateSettings", count=9)
    assert lock_dates([world.company], lambda company: go) == ({}, [world.company])
