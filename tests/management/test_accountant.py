"""The accountant's shares are exact, and the faults are drawn equally."""

import random
from collections import Counter

from integration.management.rehearsal.accountant import OTHERS, PLAIN_FAULTS, Act, duties, fault_plans
from integration.sandbox import faults

DRAFTS = [(f"R{number}", number // 8) for number in range(1000)]


def test_shares_are_exact_and_the_same_for_the_same_seed():
    made = duties(DRAFTS, random.Random(7))
    acts = Counter(duty.act for duty in made.values())
    sent = {Act.PAY: 15, Act.PART: 10, **dict.fromkeys(OTHERS, 2), Act.SEND: 9}
    assert acts == {**sent, Act.DELETE: 10, Act.EDIT: 5, Act.READDRESS: 5, Act.LOCK: 10, Act.COMBINE: 10}
    assert made == duties(DRAFTS, random.Random(7))


def test_combined_are_two_drafts_of_one_customer_with_no_other_duty_in_every_way():
    made = duties(DRAFTS, random.Random(7))
    customer = dict(DRAFTS)
    combined = {reference: duty for reference, duty in made.items() if duty.act is Act.COMBINE}
    assert all(customer[reference] == customer[duty.into] for reference, duty in combined.items())
    assert not {duty.into for duty in combined.values()} & made.keys()
    assert len({tuple(duty.options.values()) for duty in combined.values()}) == 8


def test_every_fault_is_drawn_equally_and_reads_a_third_as_often():
    plans = [
        faults.plan_from({"random": True, "seed": 3 + number, **plan})
        for number, plan in enumerate(fault_plans(0.3, slow_seconds=40, burst_seconds=0))
    ]

    def draws(method: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for _ in range(20_000):
            hit = next(
                (
                    (kind, plan.options["retry_after"])
                    for plan in plans
                    if (kind := faults.drawn(plan, method, f"{method} /x"))
                ),
                None,
            )
            found[str(hit and (hit[0] if hit[1] is None else hit))] += 1
        return found

    writes, reads = draws("POST"), draws("GET")
    assert len(writes) - 1 == len(PLAIN_FAULTS) + 3
    assert all(520 < count < 680 for name, count in writes.items() if name != "None")
    assert 1_880 < reads.total() - reads["None"] < 2_120
