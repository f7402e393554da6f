"""Which customer in Go is this one?

In the order of design §4: stored id, reference, organisation number, customer number, e-mail.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from integration.terms import RemoteCustomer


@dataclass(frozen=True)
class CustomerFacts:
    """What we know of a customer."""

    reference: str
    name: str
    number: int | None = None
    organisation_number: str = ""
    email: str = ""
    go_customer_id: int | None = None


@dataclass(frozen=True)
class Match:
    """`found` and by what; or `problem`, for a person; or neither: Go does not have the customer."""

    found: RemoteCustomer | None = None
    by: str = ""
    problem: str = ""


def _same(left: str, right: str) -> bool:
    return bool(left) and left.strip().casefold() == right.strip().casefold()


def _names_agree(left: str, right: str) -> bool:
    """Whether two names could be the same customer's: one word of three letters or more in common."""
    words = [set(re.findall(r"\w{3,}", name.casefold())) for name in (left, right)]
    return not all(words) or bool(words[0] & words[1])


def _same_name(left: str, right: str) -> bool:
    """Whether one name holds all words of the other: an e-mail is often shared in a family or by an accountant."""
    ours, theirs = (set(re.findall(r"\w{2,}", name.casefold())) for name in (left, right))
    return ours <= theirs or theirs <= ours


def match_customer(facts: CustomerFacts, candidates: Iterable[RemoteCustomer]) -> Match:
    """Look through Go's customers (those that could match are enough). Two that fit equally well: a person decides."""
    alive = [customer for customer in candidates if not customer.is_archived]
    rules: Sequence[tuple[str, Callable[[RemoteCustomer], bool]]] = (
        ("id", lambda there: there.id == facts.go_customer_id),
        ("reference", lambda there: _same(there.reference, facts.reference)),
        (
            "organisation number",
            lambda there: _same(there.organisation_number.replace(" ", ""), facts.organisation_number),
        ),
        ("customer number", lambda there: facts.number is not None and there.number == facts.number),
        ("e-mail", lambda there: _same(facts.email, there.email) or _same(facts.email, there.invoice_email)),
    )
    for by, fits in rules:
        found = [customer for customer in alive if fits(customer)]
        if len(found) > 1:
            numbers = ", ".join(str(customer.number or customer.id) for customer in found)
            return Match(
                problem=f"{len(found)} customers in PowerOffice Go have the same {by} as {facts.name}: {numbers}. "
                "Give our customer the right customer number, or merge them in Go."
            )
        if found:
            return _checked(facts, found[0], by)
    return Match()


def _checked(facts: CustomerFacts, found: RemoteCustomer, by: str) -> Match:
    """A match by a weak sign that a stronger one contradicts goes to a person."""
    ours, theirs = facts.organisation_number, found.organisation_number.replace(" ", "")
    if by in {"customer number", "e-mail"} and ours and theirs and ours != theirs:
        return Match(
            problem=f"Customer {found.number} in PowerOffice Go has the {by} of {facts.name}, but organisation number "
            f"{theirs} instead of {ours}. Correct one of them."
        )
    if by == "customer number" and not (ours and theirs) and not _names_agree(facts.name, found.name):
        return Match(
            problem=f"Customer {found.number} in PowerOffice Go is called {found.name}, here {facts.name}. "
            "If they are the same, give both the same name or organisation number; if not, give ours another number."
        )
    if by == "e-mail" and not _same_name(facts.name, found.name):
        return Match(
            problem=f"Customer {found.number} in PowerOffice Go has the e-mail of {facts.name}, but is called "
            f"{found.name}. If they are the same, give both the same name; if not, give ours a customer number."
        )
    if by == "e-mail" and facts.number is not None and found.number not in {None, facts.number}:
        return Match(
            problem=f"Customer {found.number} in PowerOffice Go has the e-mail of {facts.name}, who has number "
            f"{facts.number} here. Correct the number, or the e-mail."
        )
    return Match(found=found, by=by)
