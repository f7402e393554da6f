"""The verdict: what we believe beside what the sandbox's books say. Plain values in, names of the offenders out.

It does not ask the house's own decisions what a balance means: a mistake there must show here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from integration.decisions.transitions import UNDER_WAY
from integration.enums import StatementStatus


class Fate(StrEnum):
    """What should become of a statement."""

    IN_GO = "in Go"
    STUCK = "stuck, because it has a mistake"
    UPCOMING = "upcoming, because its day has not come"


class DocumentState(StrEnum):
    """Where a sales order or invoice is in Go's books."""

    DRAFT = "draft"
    LOCKED = "locked draft"
    DELETED = "deleted draft"
    COMBINED = "draft that was taken into another"
    UNPAID = "unpaid invoice"
    PARTLY_PAID = "partly paid invoice"
    PAID = "paid invoice"
    CREDITED = "invoice that was credited in Go"
    WRITTEN_OFF = "invoice that was written off"
    REVERSED = "invoice that was reversed"


RIGHT_STATUS: Final = {
    DocumentState.DRAFT: StatementStatus.DRAFT,
    DocumentState.LOCKED: StatementStatus.CONFIRMED,
    DocumentState.DELETED: StatementStatus.LINK_BROKEN,
    DocumentState.COMBINED: StatementStatus.LINK_BROKEN,
    DocumentState.UNPAID: StatementStatus.SENT,
    DocumentState.PARTLY_PAID: StatementStatus.PARTLY_PAID,
    DocumentState.PAID: StatementStatus.PAID,
    DocumentState.CREDITED: StatementStatus.CANCELLED,
    DocumentState.WRITTEN_OFF: StatementStatus.WRITTEN_OFF,
    DocumentState.REVERSED: StatementStatus.CANCELLED,
}

NOT_OURS: Final = (StatementStatus.NEEDS_FIX, "OTHER_ORDER")
TAKEN: Final = (StatementStatus.NEEDS_FIX, "REFERENCE_TAKEN")
ELSEWHERE: Final = (StatementStatus.NEEDS_FIX, "COMBINED_UNSEEN")
"""Status and attention code where the accountant changed, deleted or combined a draft while we did not know yet that it
was there: a person is told, which is right."""

GONE: Final = frozenset({DocumentState.DELETED, DocumentState.COMBINED})

SAYS_EDITED: Final = frozenset({"EDITED_IN_GO", "INVOICE_TOTAL_DIFFERS", "TOTAL_DIFFERS", "OTHER_ORDER"})
WRITES: Final = {
    "POST /SalesOrders/Complete": "CREATE_ORDER",
    "POST /Customers": "CREATE_CUSTOMER",
    "PATCH /Customers/{id}": "UPDATE_CUSTOMER",
    "POST /Products": "CREATE_PRODUCT",
}
"""Each request that changes something in Go, and the attempt that tells of it."""
TOLERANCE: Final = Decimal("0.05")


@dataclass(frozen=True)
class OurStatement:
    """A statement as we believe it to be. `company` is the client key, `open_amount` what is unpaid in NOK."""

    company: str
    name: str
    reference: str
    fate: Fate
    status: str
    total: Decimal
    order_number: int
    attention_code: str = ""
    go_order_id: str = ""
    invoice_number: int | None = None
    open_amount: Decimal | None = None


@dataclass(frozen=True)
class Document:
    """A sales order, or the invoice that it became, as Go's books have it.

    `edited`: by the accountant; `gathered`: the accountant put lines of other drafts into it.
    """

    company: str
    id: str
    state: DocumentState
    reference: str
    total: Decimal
    line_references: frozenset[str] = frozenset()
    order_number: int | None = None
    invoice_number: int | None = None
    open_amount: Decimal | None = None
    edited: bool = False
    gathered: bool = False


@dataclass(frozen=True)
class Verdict:
    """Offenders by offence, each with a sentence that names it."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong_state: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    amounts_differ: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether the promise was kept."""
        return not any(self.offences().values())

    def offences(self) -> dict[str, list[str]]:
        """The sentences by offence; `missed` are bounds of time and cost."""
        return dict(vars(self))


def judge(
    statements: Iterable[OurStatement],
    documents: Iterable[Document],
    customers: Iterable[tuple[str, str]] = (),
) -> Verdict:
    """Compare. `customers` are company and name of every customer in Go that we may have made, one for each."""
    verdict = Verdict()
    books = _Books(documents)
    for statement in statements:
        found = books.of(statement)
        if len(found) > 1:
            verdict.duplicated.append(f"{_who(statement)}: {', '.join(_what(document) for document in found)}")
        if statement.status in UNDER_WAY:
            verdict.unresolved.append(f"{_who(statement)}: still {statement.status}")
        elif statement.fate is not Fate.IN_GO:
            _judge_outside(verdict, statement, found)
        elif not found:
            verdict.lost.append(f"{_who(statement)}: {_believed(statement)}, nothing in the books")
        elif len(found) == 1:
            _judge_pair(verdict, statement, found[0])
    verdict.duplicated.extend(
        f"customer {name}: {count} times in the books"
        for (_, name), count in sorted(Counter(customers).items())
        if count > 1
    )
    return verdict


def chain_break(statement: str, first: str, moves: Sequence[tuple[str, str]], status: str) -> str:
    """What the moves of a statement do not tell, or nothing: they lead from its first status to the one it has."""
    at = first
    for from_status, to_status in moves:
        if from_status != at:
            return f"{statement}: nobody tells how it came from {at} to {from_status}"
        at = to_status
    return "" if at == status else f"{statement}: nobody tells how it came from {at} to {status}"


def untold_writes(by_answer: Mapping[str, Mapping[str, int]], attempts: Mapping[str, int]) -> list[str]:
    """Routes with more requests at the sandbox than we have attempts. An attempt sends once more after a 401 only."""
    told = []
    for route, operation in WRITES.items():
        sent = sum(count for status, count in by_answer.get(route, {}).items() if status != "401")
        if sent > attempts.get(operation, 0):
            told.append(f"{route}: {sent} requests, but {attempts.get(operation, 0)} attempts {operation}")
    strange = [
        route
        for route in by_answer
        if not route.startswith(("GET ", "HEAD ")) and route not in {*WRITES, "POST /OAuth/Token"}
    ]
    return told + [f"{route}: no attempt is ever written for it" for route in strange]


class _Books:
    """Finds what was made of a statement by every trace it can leave, so that a second order cannot hide."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_trace: dict[tuple[str, str, object], list[Document]] = defaultdict(list)
        for document in documents:
            traces: set[tuple[str, object]] = {("id", document.id), ("number", document.order_number)}
            traces |= {("reference", document.reference)}
            if not document.gathered:
                traces |= {("reference", line.rpartition("/")[0]) for line in document.line_references}
            for kind, trace in traces:
                if trace not in {None, ""}:
                    self._by_trace[document.company, kind, trace].append(document)

    def of(self, statement: OurStatement) -> list[Document]:
        """Every document that carries one of the statement's traces, once each."""
        traces: tuple[tuple[str, object], ...] = (
            ("reference", statement.reference),
            ("id", statement.go_order_id),
            ("number", statement.order_number),
        )
        found = {
            document.id: document
            for kind, trace in traces
            for document in self._by_trace.get((statement.company, kind, trace), [])
        }
        if any(document.gathered and document.state not in GONE for document in found.values()):
            # Made anew by the accountant, with our reference: what it was made of does not count.
            return [document for document in found.values() if document.state is not DocumentState.COMBINED]
        return list(found.values())


def _judge_outside(verdict: Verdict, statement: OurStatement, found: list[Document]) -> None:
    right = StatementStatus.NEEDS_FIX if statement.fate is Fate.STUCK else StatementStatus.UPCOMING
    if found:
        verdict.wrong_state.append(f"{_who(statement)}: should be {statement.fate}, but Go has {_what(found[0])}")
    elif statement.status != right:
        verdict.wrong_state.append(f"{_who(statement)}: {_believed(statement)}, should be {statement.fate}")


def _judge_pair(verdict: Verdict, statement: OurStatement, document: Document) -> None:
    told = (statement.status, statement.attention_code)
    changed = document.edited or document.gathered
    if (changed and told == NOT_OURS) or (document.state in GONE and told in {TAKEN, ELSEWHERE}):
        return
    if document.gathered and statement.status == StatementStatus.LINK_BROKEN:
        return  # a draft made anew is not one of ours, so a person is asked whether it is the same
    if statement.status != RIGHT_STATUS[document.state]:
        verdict.wrong_state.append(f"{_who(statement)}: {_believed(statement)}, the books have {_what(document)}")
        return
    if statement.go_order_id != document.id:
        verdict.wrong_state.append(
            f"{_who(statement)}: linked to {statement.go_order_id}, the books have {document.id}"
        )
    if document.state in GONE:
        return
    differs = abs(statement.total - document.total) > TOLERANCE
    if differs and not (changed and statement.attention_code in SAYS_EDITED):
        verdict.amounts_differ.append(f"{_who(statement)}: {statement.total} here, {document.total} in the books")
    if statement.invoice_number != document.invoice_number or statement.open_amount != document.open_amount:
        verdict.amounts_differ.append(
            f"{_who(statement)}: invoice {statement.invoice_number} with {statement.open_amount} open here, "
            f"invoice {document.invoice_number} with {document.open_amount} open in the books"
        )


def _who(statement: OurStatement) -> str:
    return f"{statement.name} ({statement.reference})"


def _believed(statement: OurStatement) -> str:
    return f"{statement.status} {statement.attention_code}".strip()


def _what(document: Document) -> str:
    number = f" {document.invoice_number}" if document.invoice_number is not None else ""
    return f"{document.state}{number} {document.id}"
