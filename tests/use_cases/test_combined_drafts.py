"""Drafts combined in Go: found by their lines, proposed, accepted by a person, and then followed as one invoice."""

import itertools
from collections import Counter
from decimal import Decimal as D
from typing import Any

import pytest

from integration import remotes
from integration.enums import ByHandAction, ReviewAction, SharingRule
from integration.enums import Part as P
from integration.enums import StatementStatus as S
from integration.models import AdminAction, CustomerInGo, GoCompany, InvoiceStatement, OutgoingInvoice
from integration.use_cases.check_draft import DraftRefused, look_at_draft, restore_draft, version_of
from integration.use_cases.link_statements import NotLinkable, accept, link_by_number, proposals, unlink
from integration.use_cases.money_of_invoices import money_of, shares_of
from integration.use_cases.review_statements import why_not
from integration.use_cases.settle_failed import decide_failed, look
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


@pytest.fixture
def kari(company):
    return factories.person(role="Finance", companies=[company])


def pull(world, times=2):
    for _ in range(times):
        world.clock.advance(10)
        push(world)


def push(world):
    """A whole cycle: on a slow machine it takes several turns."""
    turn = world.turn()
    while turn.goes_on:
        turn = world.turn(run_id=turn.run_id)


def drafts(world, count, **fields):
    """Statements of 2 240,00 that are drafts in Go."""
    made = [world.statement(**fields) for _ in range(count)]
    push(world)
    return [world.fresh(row) for row in made]


def combined(world, statements, *more, **outcome):
    """Combine in Go, and hear of it; returns the survivor's id."""
    ids = [*more, *(row.go_order_id for row in statements)]
    body = {"survivor": "first", "line_references": "kept", "header_references": "lost", **outcome}
    (survivor,) = world.sandbox.act("combine", world.company, order_ids=ids, **body)["order_ids"]
    pull(world)
    return survivor


def say_yes(world, statements, go_id, user):
    rows = InvoiceStatement.objects.filter(pk__in=[row.pk for row in statements])
    return accept(rows, go_id, user=user, now=world.clock(), client_for=remotes.go_client)


def by_number(world, statement, number, user):
    return link_by_number(
        world.fresh(statement), number, user=user, now=world.clock(), reason="The letter", client_for=remotes.go_client
    )


def broken(world, statements):
    return [row for row in map(world.fresh, statements) if row.status == S.LINK_BROKEN]


# --- All ways of combining ------------------------------------------------------------------------------------------

SURVIVORS = ("first", "last", "new", "user's own", "user's own last")
LINES = ("distinct", "same", "edited", "long")
WAYS = [
    (survivor, line_references, header_references, lines, (2, 3, 5)[place % 3])
    for place, (survivor, line_references, header_references, lines) in enumerate(
        itertools.product(SURVIVORS, ("kept", "lost"), ("kept", "lost"), LINES)
    )
]
AT_ONCE = 20
"""So many ways are played together, each with a customer of its own."""


def sold(world, way, number):
    """The lines of a way's `number`th statement: all the same, or each another quantity; `long` has several."""
    price = 100 if way[3] == "same" else 100 + number
    lines = 3 if way[3] == "long" else 1
    return [{"product": world.product, "quantity": 1 + line, "unit_price": price} for line in range(lines)]


def typed_by_a_user(world, customer):
    number = CustomerInGo.objects.get(go_customer_id=customer.go_customer_id).number
    body = {"customer_no": number, "product_code": "KURS", "quantity": 1}
    return world.sandbox.act("create_order", world.company, **body)["order_ids"][0]


def play(world, ways):
    """Combine in each of these ways; returns what became of each draft that is gone: right, open, or wrong."""
    made = {}
    for way in ways:
        customer = factories.customer(world.company, number=None)
        made[way] = [world.statement(customer=customer, lines=sold(world, way, number)) for number in range(way[4])]
    push(world)
    truth: dict[int, tuple[Any, str]] = {}
    for way, statements in made.items():
        survivor, line_references, header_references, lines, _ = way
        statements[:] = [world.fresh(row) for row in statements]
        ids = [row.go_order_id for row in statements]
        if survivor.startswith("user's own"):
            ids.insert(0, typed_by_a_user(world, statements[0].customer))
        if survivor.endswith("last"):
            ids.append(ids.pop(0)) if "own" in survivor else None
        chosen = "new" if survivor == "new" else ids[-1] if survivor.endswith("last") else "first"
        (target,) = world.sandbox.act(
            "combine",
            world.company,
            order_ids=ids,
            survivor=chosen,
            line_references=line_references,
            header_references=header_references,
        )["order_ids"]
        if lines == "edited":
            order = next(row for row in world.drafts() if row["id"] == target)
            last = order["lines"][-1]["id"]
            world.sandbox.act("edit_line", world.company, order_id=target, line_id=last, quantity="7")
        truth |= {row.pk: (way, target) for row in statements if row.go_order_id != target}
    pull(world)
    return Counter(
        (outcome(world, key, target), way if outcome(world, key, target) != "right" else "")
        for key, (way, target) in truth.items()
    )


def outcome(world, key, target):
    row = InvoiceStatement.objects.get(pk=key)
    if row.status == S.DRAFT:  # found by its own reference on the header: no person is needed
        return "right" if row.go_order_id == target else "linked wrongly"
    assert row.status == S.LINK_BROKEN
    if row.proposal is None:
        return "not proposed"
    return "right" if row.proposal["id"] == target else "proposed wrongly"


@pytest.mark.once
def test_of_all_ways_of_combining_nearly_all_are_proposed_right_and_none_is_linked_wrongly(world):
    found: Counter[Any] = Counter()
    for start in range(0, len(WAYS), AT_ONCE):
        found += play(world, WAYS[start : start + AT_ONCE])
    all_of_them = sum(found.values())
    right = sum(many for (what, _), many in found.items() if what == "right")
    told = f"{right} of {all_of_them} right in {len(WAYS)} ways; the others: " + "; ".join(
        f"{many} {what}: {way}" for (what, way), many in found.items() if what != "right"
    )
    assert right >= 0.95 * all_of_them, told
    assert not [what for what, _ in found if what.endswith("wrongly")], told


@pytest.mark.parametrize("line_references", ["kept", "lost"])
def test_twenty_drafts_become_one(world, kari, line_references):
    statements = drafts(world, 20)
    target = combined(world, statements, survivor="new", line_references=line_references)
    (found,) = proposals(InvoiceStatement.objects.all())
    assert (found.go_id, len(found.statements)) == (target, 20)
    assert say_yes(world, statements, target, kari).done == 20
    pull(world)
    assert {world.fresh(row).attention for row in statements} == {""}
    assert {world.fresh(row).status for row in statements} == {S.DRAFT}


def test_a_deleted_draft_that_says_the_same_is_not_mistaken_for_a_combined_one(world):
    """Three drafts alike; two become one without any mark, the third is deleted: which of them is where?"""
    one, two, three = drafts(world, 3)
    world.sandbox.act("delete", world.company, order_ids=[three.go_order_id])
    combined(world, [one, two], line_references="lost", survivor="new")
    found = [world.fresh(row).proposal for row in (one, two, three)]
    assert found == [None, None, None]


def test_a_strangers_older_order_with_the_same_lines_is_no_evidence(world):
    """It was there before the draft; the lines cannot have come from it."""
    (first,) = drafts(world, 1)
    stranger = typed_by_a_user(world, first.customer)
    world.sandbox.act("add_line", world.company, order_id=stranger, product_code="HYTTE", quantity=2, unit_price=1000)
    world.clock.advance(10)
    (lost,) = drafts(world, 1)
    world.sandbox.act("delete", world.company, order_ids=[lost.go_order_id])
    pull(world)
    assert (world.fresh(lost).status, world.fresh(lost).proposal) == (S.LINK_BROKEN, None)


# --- Saying yes ----------------------------------------------------------------------------------------------------


def test_accepted_they_follow_the_draft_until_it_is_an_invoice_and_then_the_invoice(world, kari):
    first, second, third = drafts(world, 3)
    target = combined(world, [first, second, third])
    assert world.fresh(first).attention_code == "EDITED_IN_GO"
    report = say_yes(world, [second, third], target, kari)
    assert (report.done, report.held_back) == (2, ())
    pull(world, 3)
    rows = [world.fresh(row) for row in (first, second, third)]
    assert [(row.status, row.attention, row.followed_id) for row in rows] == [(S.DRAFT, "", target)] * 3
    assert rows[1].go_says == f"Draft no. {rows[0].go_order_number}, combined: 3 of our drafts in one"
    world.sandbox.act("send", world.company, order_ids=[target])
    pull(world, 1)
    invoice = OutgoingInvoice.objects.get(go_invoice_id=target)
    rows = [world.fresh(row) for row in (first, second, third)]
    assert [(row.status, row.attention, row.outgoing_invoice) for row in rows] == [(S.SENT, "", invoice)] * 3
    assert str(invoice.invoice_number) in rows[2].search
    world.sandbox.act("pay", world.company, invoice_id=target, amount="3000.01")
    pull(world, 1)
    assert [world.fresh(row).status for row in rows] == [S.PAID, S.PARTLY_PAID, S.SENT]
    assert world.fresh(second).go_says == (
        f"Invoice {invoice.invoice_number}, its share: 1\u202f479,99 of 2\u202f240,00\xa0NOK open"
    )
    world.sandbox.act("undo_payment", world.company, invoice_id=target)
    pull(world, 1)
    assert [world.fresh(row).status for row in rows] == [S.SENT] * 3


def test_who_said_so_is_written_down(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    written = AdminAction.objects.get(statement=second)
    assert (written.user, written.action, written.after["in_go"]) == (kari, "link", target)
    move = second.moves.order_by("-pk")[0]
    assert (move.from_status, move.to_status, move.user) == (S.LINK_BROKEN, S.DRAFT, kari)


# --- Taking it back -------------------------------------------------------------------------------------------------


def take_back(world, statement, user):
    unlink(statement, user=user, now=world.clock(), reason="It was another member's")


def test_a_wrong_link_with_a_draft_is_taken_back_and_stays_so(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    said = world.fresh(second).attention
    say_yes(world, [second], target, kari)
    take_back(world, world.fresh(second), kari)
    words = f"It is not in another draft, says {kari}: It was another member's"
    for _ in range(2):
        now = world.fresh(second)
        assert (now.status, now.combined_into, now.outgoing_invoice) == (S.LINK_BROKEN, "", None)
        assert (now.attention, now.attention_code, now.go_says) == (f"{said} {words}", "VANISHED", "")
        pull(world)
    written = AdminAction.objects.get(statement=second, action="unlink")
    assert (written.user, written.before["in_go"], written.reason) == (kari, target, "It was another member's")
    last = second.moves.order_by("-pk")[0]
    assert (last.from_status, last.to_status, last.user, last.reason) == (S.DRAFT, S.LINK_BROKEN, kari, words)
    assert world.fresh(first).status == S.DRAFT


def test_a_wrong_link_with_an_invoice_is_taken_back_and_the_others_share_without_it(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    world.sandbox.act("send", world.company, order_ids=[target])
    world.sandbox.act("pay", world.company, invoice_id=target, amount="2240.00")
    pull(world)
    assert [world.fresh(row).status for row in (first, second)] == [S.PAID, S.SENT]
    take_back(world, world.fresh(second), kari)
    assert world.fresh(first).status == S.PARTLY_PAID  # the whole invoice is its own at once
    pull(world)
    now = world.fresh(second)
    assert (now.status, now.outgoing_invoice, now.followed_id) == (S.LINK_BROKEN, None, second.go_order_id)
    number = OutgoingInvoice.objects.get(go_invoice_id=target).invoice_number
    assert f"It is not in Invoice {number}, says {kari}" in now.attention
    assert str(number) not in now.search
    assert by_number(world, second, number, kari).invoice_number == number


def test_only_what_a_person_linked_and_nobody_built_on_is_taken_back(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    with pytest.raises(NotLinkable, match="no person linked it"):
        take_back(world, world.fresh(first), kari)
    rows = InvoiceStatement.objects.filter(pk=second.pk)
    waits = factories.hand_payment(second)
    with pytest.raises(NotLinkable, match="already waits for a second person"):
        take_back(world, world.fresh(second), kari)
    waits.delete()
    note = factories.statement(world.company, kind="CREDIT_NOTE", credits=second, status=S.PROCESSING)
    with pytest.raises(NotLinkable, match="credited from here"):
        take_back(world, world.fresh(second), kari)
    InvoiceStatement.objects.filter(pk=note.pk).update(status=S.VOID)
    rows.update(follows_go=False)
    with pytest.raises(NotLinkable, match="press Follow PowerOffice again first"):
        take_back(world, world.fresh(second), kari)
    rows.update(follows_go=True, status=S.CANCELLED)
    with pytest.raises(NotLinkable, match="not possible while it is"):
        take_back(world, world.fresh(second), kari)
    assert world.fresh(second).combined_into == target
    rows.update(status=S.DRAFT)
    seen_by_both = world.fresh(second)
    take_back(world, seen_by_both, kari)
    with pytest.raises(NotLinkable, match="no person linked it"):
        take_back(world, seen_by_both, kari)
    assert AdminAction.objects.filter(action="unlink").count() == 1


def test_one_that_is_in_another_draft_is_neither_sent_nor_compared_and_nothing_is_restored_over_it(world, kari, go):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    linked, survivor = world.fresh(second), world.fresh(first)
    assert why_not(ReviewAction.SEND, linked) == "it is in another draft now: send that one"
    with pytest.raises(DraftRefused, match="It is in another draft now"):
        look_at_draft(linked, go)
    seen = version_of(look_at_draft(survivor, go).order)
    with pytest.raises(DraftRefused, match="Other statements are in this draft too"):
        restore_draft(survivor, go, seen=seen, user=kari, reason="Ours again", clock=world.clock)
    (order,) = world.drafts()
    assert (order["id"], len(order["lines"])) == (target, 2)


def test_invoicing_again_looks_at_what_it_follows_and_forgets_it(world, kari, go):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    rows = InvoiceStatement.objects.filter(pk=second.pk)
    rows.update(status=S.CANCELLED)
    assert (
        "is in PowerOffice Go: delete it there first"
        in look(world.company, go, [world.fresh(second)], clock=world.clock)[second.pk]
    )
    world.sandbox.act("send", world.company, order_ids=[target])
    world.sandbox.act("credit", world.company, invoice_id=target)
    lives = look(world.company, go, [world.fresh(second)], clock=world.clock)
    assert (lives, world.fresh(second).status) == ({}, S.CANCELLED)
    again = ByHandAction.INVOICE_AGAIN
    report = decide_failed(again, rows, lives=lives, user=kari, now=world.clock(), reason="Agreed")
    assert report.done == 1
    assert (world.fresh(second).combined_into, world.fresh(second).outgoing_invoice) == ("", None)
    push(world)
    assert [order["reference"] for order in world.drafts()] == [world.fresh(second).reference]


def test_in_proportion_each_has_its_part_of_a_payment(world, kari):
    GoCompany.objects.filter(pk=world.company.pk).update(sharing=SharingRule.IN_PROPORTION)
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    world.sandbox.act("send", world.company, order_ids=[target])
    world.sandbox.act("pay", world.company, invoice_id=target, amount="0.01")
    world.sandbox.act("pay", world.company, invoice_id=target, amount="1000")
    pull(world, 1)
    assert [world.fresh(row).status for row in (first, second)] == [S.PARTLY_PAID, S.PARTLY_PAID]
    invoice = OutgoingInvoice.objects.get(go_invoice_id=target)
    company = GoCompany.objects.get(pk=world.company.pk)
    (money,) = money_of(company, [invoice])
    shares = shares_of(company, money, list(invoice.statements.order_by("pk")))
    assert shares is not None
    assert [shares.by_key[row.pk][P.PAID] for row in (first, second)] == [D("500.01"), D("500.00")]


def test_in_a_users_own_draft_what_is_not_ours_is_paid_last(world, kari):
    (only,) = drafts(world, 1)
    own = typed_by_a_user(world, only.customer)
    target = combined(world, [only], own)
    assert target == own
    say_yes(world, [only], target, kari)
    pull(world, 3)
    now = world.fresh(only)
    assert (now.status, now.attention) == (S.DRAFT, "")
    assert now.go_says.startswith(f"Draft no. {now.go_order_number}, combined, alone of ours, total ")
    world.sandbox.act("send", world.company, order_ids=[own])
    world.sandbox.act("pay", world.company, invoice_id=own, amount="2240")
    pull(world, 1)
    assert world.fresh(only).status == S.PAID
    assert world.fresh(only).outgoing_invoice.balance > 0


def test_accepted_after_it_was_sent_they_follow_the_invoice_at_once(world, kari):
    first, second = drafts(world, 2)
    ids = [first.go_order_id, second.go_order_id]
    world.sandbox.act("combine", world.company, order_ids=ids, header_references="lost")
    world.sandbox.act("send", world.company, order_ids=ids[:1])
    world.sandbox.act("pay", world.company, invoice_id=ids[0])
    pull(world)
    assert world.fresh(first).attention_code == "INVOICE_TOTAL_DIFFERS"
    assert world.fresh(second).proposal["kind"] == "invoice"
    say_yes(world, [second], ids[0], kari)
    rows = [world.fresh(row) for row in (first, second)]
    assert [(row.status, row.attention) for row in rows] == [(S.PAID, "")] * 2


def test_an_invoice_that_we_never_heard_of_is_asked_for(world, kari):
    first, second = drafts(world, 2)
    ids = [first.go_order_id, second.go_order_id]
    world.sandbox.act("combine", world.company, order_ids=ids, survivor="new", header_references="lost")
    (living,) = world.drafts()
    world.sandbox.act("send", world.company, order_ids=[living["id"]])
    pull(world)
    InvoiceStatement.objects.update(outgoing_invoice=None)
    OutgoingInvoice.objects.all().delete()
    assert say_yes(world, [first, second], living["id"], kari).done == 2
    assert {world.fresh(row).outgoing_invoice.go_invoice_id for row in (first, second)} == {living["id"]}


def test_two_people_say_yes_at_once(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    assert say_yes(world, [second], target, kari).done == 1
    report = say_yes(world, [second], target, kari)
    assert (report.done, report.held_back) == (0, (("changed by somebody else meanwhile", 1),))
    assert AdminAction.objects.filter(statement=second).count() == 1


def test_somebody_is_faster_between_the_look_and_the_deed(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])

    class Late:
        """Reads the rows; then somebody saves one of them."""

        def select_related(self, *_):
            return self

        def order_by(self, *_):
            rows = list(InvoiceStatement.objects.filter(pk=second.pk).select_related("company"))
            InvoiceStatement.objects.filter(pk=second.pk).update(updated_at=world.clock())
            return rows

    late: Any = Late()
    report = accept(late, target, user=kari, now=world.clock(), client_for=remotes.go_client)
    assert (report.done, world.fresh(second).status) == (0, S.LINK_BROKEN)


def test_only_what_is_proposed_is_accepted(world, kari):
    first, second = drafts(world, 2)
    combined(world, [first, second])
    assert say_yes(world, [second], factories.next_uuid(), kari).done == 0
    assert world.fresh(second).status == S.LINK_BROKEN


def test_a_combined_draft_that_somebody_edits_says_so_on_all_and_one_that_is_deleted_breaks_all(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    world.sandbox.act("edit_line", world.company, order_id=target, quantity="9")
    pull(world, 1)
    assert {world.fresh(row).attention_code for row in (first, second)} == {"EDITED_IN_GO"}
    assert "the 2 drafts that we made had together 2 lines and 4\u202f480,00" in world.fresh(second).attention
    world.sandbox.act("delete", world.company, order_ids=[target])
    pull(world)
    assert [world.fresh(row).status for row in (first, second)] == [S.LINK_BROKEN] * 2


def test_a_combined_draft_that_is_combined_again_is_proposed_again(world, kari):
    first, second, third = drafts(world, 3)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    pull(world)
    again = combined(world, [third, first], survivor="first")
    assert again == third.go_order_id
    (found,) = proposals(InvoiceStatement.objects.all())
    assert (found.go_id, {row.pk for row in found.statements}) == (again, {first.pk, second.pk})
    say_yes(world, [first, second], again, kari)
    pull(world)
    assert {(world.fresh(row).status, world.fresh(row).followed_id) for row in (first, second, third)} == {
        (S.DRAFT, again)
    }


def test_a_combined_invoice_credited_in_full_fails_all_and_one_written_off_is_written_off_for_all(world, kari):
    first, second = drafts(world, 2)
    target = combined(world, [first, second])
    say_yes(world, [second], target, kari)
    world.sandbox.act("send", world.company, order_ids=[target])
    world.sandbox.act("write_off", world.company, invoice_id=target)
    pull(world, 1)
    assert {world.fresh(row).status for row in (first, second)} == {S.WRITTEN_OFF}
    world.sandbox.act("undo_payment", world.company, invoice_id=target)
    world.sandbox.act("credit", world.company, invoice_id=target)
    pull(world, 1)
    assert {world.fresh(row).status for row in (first, second)} == {S.CANCELLED}


# --- By hand -------------------------------------------------------------------------------------------------------


@pytest.fixture
def lost(world):
    """Two statements in one invoice of Go without a trace: retyped by a user. Returns the statements and the number."""
    first, second = drafts(world, 2)
    world.sandbox.act("delete", world.company, order_ids=[first.go_order_id, second.go_order_id])
    retyped = typed_by_a_user(world, first.customer)
    world.sandbox.act("add_line", world.company, order_id=retyped, product_code="KURS", quantity=3, unit_price=1200)
    world.sandbox.act("send", world.company, order_ids=[retyped])
    pull(world)
    assert [row.proposal for row in broken(world, [first, second])] == [None, None]
    return first, second, world.books()["invoices"][0]["invoice_no"]


def test_r15_paid_together_by_the_number_of_the_combined_invoice(world, kari, lost):
    first, second, number = lost
    for row in (first, second):
        invoice = by_number(world, row, number, kari)
    world.sandbox.act("pay", world.company, invoice_id=invoice.go_invoice_id)
    pull(world, 1)
    assert [world.fresh(row).status for row in (first, second)] == [S.PAID, S.PAID]
    assert AdminAction.objects.filter(action="link", reason="The letter").count() == 2


def test_an_invoice_that_is_not_known_here_is_looked_up_by_its_number_in_go(world, kari, lost):
    first, _, number = lost
    OutgoingInvoice.objects.all().delete()
    assert by_number(world, first, number, kari).invoice_number == number


def test_r14_and_r15_what_cannot_be_is_refused_with_a_sentence(world, kari, lost):
    first, second, number = lost

    def refusal(statement, number):
        before = InvoiceStatement.objects.filter(pk=statement.pk).values().get()
        with pytest.raises(NotLinkable) as refused:
            by_number(world, statement, number, kari)
        assert InvoiceStatement.objects.filter(pk=statement.pk).values().get() == before
        return str(refused.value)

    assert refusal(first, 99) == "There is no invoice 99 in the books of Fjordgløtt Camping AS in PowerOffice Go."
    elsewhere = factories.outgoing_invoice(invoice_number=424242)
    assert refusal(first, 424242).startswith("There is no invoice 424242 in the books of Fjordgløtt Camping AS")
    assert elsewhere.company_id != world.company.pk
    go_id = world.fresh(first).customer.go_customer_id
    for fields, words in (
        ({"go_customer_id": go_id + 1, "customer_number": 77}, "belongs to another customer (number 77), not to"),
        ({"go_customer_id": go_id, "currency": "EUR"}, "is in EUR, and"),
        ({"go_customer_id": go_id, "type": "CREDIT_NOTE"}, "is a credit note, and"),
        ({"go_customer_id": go_id, "is_reversed": True}, "is reversed in PowerOffice Go."),
    ):
        made = factories.outgoing_invoice(world.company, **fields)
        assert words in refusal(first, made.invoice_number)
    InvoiceStatement.objects.filter(pk=first.pk).update(kind="CREDIT_NOTE", credit_reason="x")
    assert "is an invoice, and" in refusal(first, number)
    InvoiceStatement.objects.filter(pk=first.pk).update(kind="INVOICE", customer=None)
    assert "has no customer that is known" in refusal(first, number)
    InvoiceStatement.objects.filter(pk=second.pk).update(status=S.DRAFT)
    assert "its link is not broken" in refusal(second, number)


def test_a_refused_link_leaves_the_books_as_they_were(world, kari, lost):
    first, _, number = lost
    stale = world.fresh(first)
    InvoiceStatement.objects.filter(pk=first.pk).update(updated_at=world.clock())
    with pytest.raises(NotLinkable, match="changed by somebody else meanwhile"):
        link_by_number(stale, number, user=kari, now=world.clock(), reason="x", client_for=remotes.go_client)
    assert world.fresh(first).status == S.LINK_BROKEN
    assert not AdminAction.objects.exists()
