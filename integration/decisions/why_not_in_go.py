"""Why is my invoice not in PowerOffice Go? In the order of reference/wondr.md R23: the key, the state, then support."""

from dataclasses import dataclass
from datetime import date, datetime

from integration.decisions.transitions import BEFORE_PUSH
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
    """What is known of a statement and its company. `payment_date` is a Norwegian day, `next_try_at` in UTC."""

    status: str
    reference: str
    company_state: str
    company_reason: str
    has_key: bool
    payment_date: date | None
    held: bool
    attention: str
    next_try_at: datetime | None


def why_not_in_go(facts: Facts) -> list[Answer]:
    """The lines for a statement that is not in Go; empty for one that is."""
    if facts.status not in BEFORE_PUSH:
        return []
    found = [_key(facts), _state(facts)]
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
    return Answer(True, "It is on its way." + (" It is tried again soon." if facts.next_try_at else ""))
