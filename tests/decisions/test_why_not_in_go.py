"""R23: why is my invoice not in PowerOffice Go?"""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from integration.decisions.why_not_in_go import Facts, why_not_in_go
from integration.enums import CompanyState
from integration.enums import StatementStatus as S

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
WELL = Facts(
    *(S.PROCESSING, "FB-1", CompanyState.ACTIVE, "", True, None, False, "", None),
    customer="10001 Fjell AS",
    customer_in_go=True,
    products=2,
    last_cycle_at=NOON,
)


def test_r23_the_key_first_then_the_state_then_support():
    facts = replace(WELL, status=S.UPCOMING, company_state=CompanyState.PAUSED, company_reason="The key is refused.")
    key, state, customer, products, support = why_not_in_go(facts)
    assert customer.ok
    assert products.ok
    assert (key.ok, key.words) == (False, "Transfers are paused: The key is refused.")
    assert (state.ok, state.to_do) == (False, "Press Activate to transfer it now.")
    assert (support.ok, "FB-1" in support.words) == (False, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"has_key": False}, "no client key"),
        ({"company_state": CompanyState.PAUSED}, "refuses the key or a right"),
        ({"company_state": CompanyState.OFF}, "The company is off: nothing is transferred."),
        ({"company_state": CompanyState.SETUP}, "being set up"),
        ({"status": S.UPCOMING, "payment_date": date(2026, 12, 1)}, "waits until 01.12.2026"),
        ({"status": S.UPCOMING}, "until somebody activates it"),
        ({"status": S.UPCOMING, "held": True}, "on hold"),
        ({"status": S.NEEDS_FIX, "attention": "No customer."}, "It is stuck. No customer."),
        ({"status": S.VOID}, "withdrawn"),
        ({"customer": ""}, "It has no customer."),
        ({"products": 0}, "no product lines"),
        ({"not_in_go": ("BANE", "HALL")}, "Not in PowerOffice Go: BANE, HALL."),
        ({"last_cycle_at": None}, "No run of the company has begun yet."),
    ],
)
def test_what_is_in_the_way_is_named(changes, words):
    answers = why_not_in_go(replace(WELL, **changes))
    assert [words in answer.words for answer in answers if not answer.ok][:1] == [True]


@pytest.mark.parametrize("status", [S.PROCESSING, S.PUSHING, S.IN_DOUBT])
def test_on_its_way_all_is_well_and_its_place_in_the_queue_is_told(status):
    answers = why_not_in_go(replace(WELL, status=status, next_try_at=NOON, before=12, ready_at=NOON))
    assert [answer.ok for answer in answers] == [True] * 6
    assert answers[4].words == (
        "12 that were made before it wait too. It should be there at about 12:00. "
        "It is tried again at 02.11.2026 12:00:00. The last run began 02.11.2026 12:00."
    )


def test_a_customer_that_go_does_not_know_yet_is_no_obstacle():
    answers = why_not_in_go(replace(WELL, customer_in_go=False))
    assert [answer.words for answer in answers if "10001" in answer.words] == [
        "Customer 10001 Fjell AS is not in PowerOffice Go yet: it is made or found on the way."
    ]
    assert all(answer.ok for answer in answers)


@pytest.mark.parametrize("status", [S.DRAFT, S.SENT, S.PAID, S.CANCELLED, S.LINK_BROKEN])
def test_of_what_is_in_go_nothing_is_asked(status):
    assert why_not_in_go(replace(WELL, status=status)) == []
