"""The rules of reference/wondr.md about what a person sets by hand, played through the sandbox's accountant."""

from decimal import Decimal

import pytest
from django.utils import timezone

from integration.enums import HandPaymentMethod
from integration.enums import StatementStatus as S
from integration.models import AdminAction, HandPayment, InvoiceStatement, StatementMove
from integration.use_cases.pay_by_hand import Given, follow_go, mark_paid
from tests import factories

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
