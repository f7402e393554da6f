"""The verdict bites: every doctored row or book is named under the right offence, and nothing else is."""

from dataclasses import asdict, replace
from decimal import Decimal

import pytest

from integration.management.rehearsal.verdict import (
    Document,
    DocumentState,
    Fate,
    OurStatement,
    Verdict,
    chain_break,
    judge,
    untold_writes,
)

OURS = OurStatement(
    company="key 1",
    name="R1",
    reference="FB-R1-0123",
    fate=Fate.IN_GO,
    status="DRAFT",
    total=Decimal("125.00"),
    order_number=7,
    go_order_id="order 1",
)
THEIRS = Document(
    company="key 1",
    id="order 1",
    state=DocumentState.DRAFT,
    reference="FB-R1-0123",
    total=Decimal("125.00"),
    line_references=frozenset({"FB-R1-0123/1", "FB-R1-0123/2"}),
    order_number=7,
)
SENT = replace(THEIRS, state=DocumentState.UNPAID, invoice_number=10_000, open_amount=Decimal("125.00"))
PAID = replace(SENT, state=DocumentState.PAID, open_amount=Decimal("0.00"))
INVOICED = replace(OURS, status="SENT", invoice_number=10_000, open_amount=Decimal("125.00"))

RIGHT = {
    "draft": (OURS, THEIRS),
    "locked": (replace(OURS, status="CONFIRMED"), replace(THEIRS, state=DocumentState.LOCKED)),
    "sent": (INVOICED, SENT),
    "paid": (replace(INVOICED, status="PAID", open_amount=Decimal("0.00")), PAID),
    "deleted": (replace(OURS, status="LINK_BROKEN"), replace(THEIRS, state=DocumentState.DELETED)),
    "deleted while in doubt": (
        replace(OURS, status="NEEDS_FIX", attention_code="REFERENCE_TAKEN", go_order_id=""),
        replace(THEIRS, state=DocumentState.DELETED),
    ),
    "edited": (
        replace(OURS, attention_code="EDITED_IN_GO"),
        replace(THEIRS, total=Decimal("999.00"), edited=True),
    ),
    "edited while in doubt": (
        replace(OURS, status="NEEDS_FIX", attention_code="OTHER_ORDER", go_order_id=""),
        replace(THEIRS, total=Decimal("999.00"), edited=True),
    ),
    "rounded by Go": (OURS, replace(THEIRS, total=Decimal("125.05"))),
    "stuck": (replace(OURS, fate=Fate.STUCK, status="NEEDS_FIX", go_order_id=""), None),
    "upcoming": (replace(OURS, fate=Fate.UPCOMING, status="UPCOMING", go_order_id=""), None),
}

OTHER = replace(THEIRS, id="order 2", reference="", line_references=frozenset(), order_number=None)
WRONG = {
    "never arrived": ("lost", OURS, []),
    "in another company's books": ("lost", OURS, [replace(THEIRS, company="key 2")]),
    "stuck without reason": ("lost", replace(OURS, status="NEEDS_FIX", go_order_id=""), []),
    "twice by reference": ("duplicated", OURS, [THEIRS, replace(OTHER, reference=OURS.reference)]),
    "twice by line reference": (
        "duplicated",
        OURS,
        [THEIRS, replace(OTHER, line_references=frozenset({"FB-R1-0123/2"}))],
    ),
    "twice by order number": ("duplicated", OURS, [THEIRS, replace(OTHER, order_number=7)]),
    "sent again after it was deleted": (
        "duplicated",
        OURS,
        [THEIRS, replace(OTHER, state=DocumentState.DELETED, reference=OURS.reference)],
    ),
    "sent, but we say draft": ("wrong_state", OURS, [SENT]),
    "paid, but we say sent": ("wrong_state", INVOICED, [PAID]),
    "deleted, but we say draft": ("wrong_state", OURS, [replace(THEIRS, state=DocumentState.DELETED)]),
    "linked to something else": ("wrong_state", replace(OURS, go_order_id="order 3"), [THEIRS]),
    "a mistake that got through": ("wrong_state", replace(OURS, fate=Fate.STUCK, status="NEEDS_FIX"), [THEIRS]),
    "a mistake not noticed": ("wrong_state", replace(OURS, fate=Fate.STUCK, status="DRAFT"), []),
    "pushed before its day": ("wrong_state", replace(OURS, fate=Fate.UPCOMING, status="UPCOMING"), [THEIRS]),
    "processing": ("unresolved", replace(OURS, status="PROCESSING", go_order_id=""), []),
    "pushing": ("unresolved", replace(OURS, status="PUSHING", go_order_id=""), []),
    "in doubt": ("unresolved", replace(OURS, status="IN_DOUBT", go_order_id=""), [THEIRS]),
    "six øre off": ("amounts_differ", OURS, [replace(THEIRS, total=Decimal("125.06"))]),
    "edited, and nobody says so": ("amounts_differ", OURS, [replace(THEIRS, total=Decimal(999), edited=True)]),
    "another open amount": ("amounts_differ", INVOICED, [replace(SENT, open_amount=Decimal("25.00"))]),
    "another invoice number": ("amounts_differ", INVOICED, [replace(SENT, invoice_number=10_001)]),
}


@pytest.mark.parametrize(("ours", "theirs"), RIGHT.values(), ids=RIGHT)
def test_what_agrees_is_clean(ours, theirs):
    verdict = judge([ours], [theirs] if theirs else [])
    assert verdict == Verdict()
    assert verdict.clean


@pytest.mark.parametrize(("offence", "ours", "theirs"), WRONG.values(), ids=WRONG)
def test_what_does_not_agree_is_named(offence, ours, theirs):
    verdict = judge([ours], theirs)
    named = {name: len(sentences) for name, sentences in asdict(verdict).items() if sentences}
    assert named == {offence: 1}
    assert getattr(verdict, offence)[0].startswith("R1 (FB-R1-0123): ")
    assert not verdict.clean


def test_a_customer_made_twice_is_named_but_not_one_per_company():
    verdict = judge(
        [OURS], [THEIRS], [("key 1", "Berg AS"), ("key 2", "Berg AS"), ("key 1", "Dal AS"), ("key 1", "Dal AS")]
    )
    assert verdict == Verdict(duplicated=["customer Dal AS: 2 times in the books"])


def test_a_doubled_statement_does_not_hide_that_it_is_unresolved():
    verdict = judge([replace(OURS, status="IN_DOUBT")], [THEIRS, replace(OTHER, order_number=7)])
    assert (len(verdict.duplicated), len(verdict.unresolved)) == (1, 1)


COMBINED = replace(THEIRS, state=DocumentState.COMBINED)
GATHERED = replace(THEIRS, id="order 9", total=Decimal("400.00"), gathered=True)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (replace(OURS, status="LINK_BROKEN"), [COMBINED]),
        (replace(OURS, status="NEEDS_FIX", attention_code="COMBINED_UNSEEN"), [COMBINED]),
        (replace(OURS, go_order_id="order 9", attention_code="EDITED_IN_GO"), [COMBINED, GATHERED]),
        (replace(OURS, status="LINK_BROKEN"), [COMBINED, GATHERED]),
        (replace(OURS, attention_code="EDITED_IN_GO"), [replace(GATHERED, id="order 1")]),
        (replace(OURS, status="LINK_BROKEN"), [COMBINED, replace(GATHERED, reference="", order_number=None)]),
    ],
)
def test_combined_drafts_are_with_a_person_or_followed(ours, theirs):
    assert judge([ours], theirs) == Verdict()


def test_a_combined_draft_sent_again_is_doubled():
    verdict = judge([replace(OURS, go_order_id="order 2")], [COMBINED, replace(THEIRS, id="order 2")])
    assert len(verdict.duplicated) == 1


def test_moves_must_follow_each_other_to_the_status_it_has():
    moves = [("UPCOMING", "PROCESSING"), ("PROCESSING", "PUSHING")]
    assert chain_break("R1", "UPCOMING", moves, "PUSHING") == ""
    assert chain_break("R1", "UPCOMING", [], "UPCOMING") == ""
    assert chain_break("R1", "UPCOMING", moves, "DRAFT") == "R1: nobody tells how it came from PUSHING to DRAFT"
    assert chain_break("R1", "UPCOMING", moves[1:], "PUSHING") == (
        "R1: nobody tells how it came from UPCOMING to PROCESSING"
    )


def test_every_request_that_writes_needs_an_attempt():
    seen = {
        "POST /SalesOrders/Complete": {"201": 7, "dropped": 2, "401": 5},
        "POST /OAuth/Token": {"200": 3},
        "GET /SalesOrders": {"200": 9},
    }
    assert untold_writes(seen, {"CREATE_ORDER": 9}) == []
    assert untold_writes(seen, {"CREATE_ORDER": 8}) == [
        "POST /SalesOrders/Complete: 9 requests, but 8 attempts CREATE_ORDER"
    ]
    assert untold_writes({"DELETE /Customers/{id}": {"204": 1}}, {}) == [
        "DELETE /Customers/{id}: no attempt is ever written for it"
    ]
