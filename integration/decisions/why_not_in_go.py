"""Why is my invoice not in PowerOffice Go? In the order of reference/wondr.md R23: the key, the state, what it needs in
Go, its place in the queue, then support.
"""

from dataclasses import dataclass
from datetime import date, datetime

from integration.decisions.transitions import BEFORE_PUSH, UNDER_WAY
from integration.enums import CompanyState
from integration.enums import StatementStatus as S


@dataclass(frozen=True)
class Answer:
    """One line: all is well there, or what to do."""

    ok: bool
    words: str
    to_do: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known of a statement and its company. `payment_date` is a Norwegian day, moments are in Norwegian time.

    `customer` is empty where there is none; `not_in_go` are codes of products that Go does not have, `products` how
    many there are; `before` are those of the company that wait and were made earlier.
    """

    status: str
    reference: str
    company_state: str
    company_reason: str
    has_key: bool
    payment_date: date | None
    held: bool
    attention: str
    next_try_at: datetime | None
    customer: str = ""
    customer_in_go: bool = False
    products: int = 0
    not_in_go: tuple[str, ...] = ()
    before: int = 0
    ready_at: datetime | None = None
    last_cycle_at: datetime | None = None


def why_not_in_go(facts: Facts) -> list[Answer]:
    """The lines for a statement that is not in Go; empty for one that is."""
    if facts.status not in BEFORE_PUSH:
        return []
    found = [_key(facts), _state(facts)]
    if facts.status != S.VOID:
        found += [_customer(facts), _products(facts)]
    if facts.status in UNDER_WAY:
        found.append(_queue(facts))
    support = f"If it still is not there in a quarter of an hour, tell support its reference {facts.reference}."
    return [*found, Answer(ok=all(answer.ok for answer in found), words=support)]


def _key(facts: Facts) -> Answer:
    if not facts.has_key:
        return Answer(False, "The company has no client key.", "Enter it on the Go company.")
    if facts.company_state == CompanyState.PAUSED:
        reason = facts.company_reason or "PowerOffice Go refuses the key or a right."
        return Answer(False, f"Transfers are paused: {reason}", "Test the connection of the Go company.")
    if facts.company_state != CompanyState.ACTIVE:
        state = CompanyState(facts.company_state).label.lower()
        return Answer(False, f"The company is {state}: nothing is transferred.", "Make the Go company active.")
    return Answer(True, "The client key works and the company is active.")


def _state(facts: Facts) -> Answer:
    if facts.status == S.UPCOMING:
        if facts.held:
            return Answer(False, "It is on hold.", "Press Activate to transfer it now.")
        when = f"until {facts.payment_date:%d.%m.%Y}" if facts.payment_date else "until somebody activates it"
        return Answer(False, f"It is upcoming: it waits {when}.", "Press Activate to transfer it now.")
    if facts.status == S.NEEDS_FIX:
        return Answer(False, f"It is stuck. {facts.attention}".strip(), "Mend that and push it again.")
    if facts.status == S.VOID:
        return Answer(False, "It was withdrawn, and is never transferred.")
    if facts.status == S.IN_DOUBT:
        return Answer(True, "It was sent without an answer; whether it arrived is being looked up.")
    return Answer(True, "It is on its way.")


def _customer(facts: Facts) -> Answer:
    if not facts.customer:
        return Answer(False, "It has no customer.", "Choose one on the statement.")
    if facts.customer_in_go:
        return Answer(True, f"Customer {facts.customer} is in PowerOffice Go.")
    return Answer(True, f"Customer {facts.customer} is not in PowerOffice Go yet: it is made or found on the way.")


def _products(facts: Facts) -> Answer:
    if not facts.products:
        return Answer(False, "It has no product lines.", "Add at least one.")
    if facts.not_in_go:
        names = ", ".join(facts.not_in_go[:5]) + (" and more" if len(facts.not_in_go) > 5 else "")
        return Answer(
            False, f"Not in PowerOffice Go: {names}.", "Make them there, or give them a sales account under Products."
        )
    return Answer(True, "All its products are in PowerOffice Go, or are made on the way.")


def _queue(facts: Facts) -> Answer:
    words = f"{facts.before} that were made before it wait too." if facts.before else "No older one waits."
    if facts.ready_at is not None:
        words += f" It should be there at about {facts.ready_at:%H:%M}."
    if facts.next_try_at is not None:
        words += f" It is tried again at {facts.next_try_at:%d.%m.%Y %H:%M:%S}."
    if facts.last_cycle_at is None:
        to_do = "Press Push drafts, or see Sync, Schedule."
        return Answer(False, f"{words} No run of the company has begun yet.", to_do)
    return Answer(True, f"{words} The last run began {facts.last_cycle_at:%d.%m.%Y %H:%M}.")
