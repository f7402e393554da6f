"""The verdict: what we believe beside what the sandbox's books say. Plain values in, names of the offenders out.

It does not ask the house's own decisions what a balance means: a mistake there must show here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
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
    UNPAID = "unpaid invoice"
    PARTLY_PAID = "partly paid invoice"
    PAID = "paid invoice"


RIGHT_STATUS: Final = {
    DocumentState.DRAFT: StatementStatus.DRAFT,
    DocumentState.LOCKED: StatementStatus.CONFIRMED,
    DocumentState.DELETED: StatementStatus.LINK_BROKEN,
    DocumentState.UNPAID: StatementStatus.SENT,
    DocumentState.PARTLY_PAID: StatementStatus.PARTLY_PAID,
    DocumentState.PAID: StatementStatus.PAID,
}

NOT_OURS: Final = (StatementStatus.NEEDS_FIX, "OTHER_ORDER")
TAKEN: Final = (StatementStatus.NEEDS_FIX, "REFERENCE_TAKEN")
"""Status and attention code where the accountant changed or deleted a draft while we did not know yet that it was
there: a person is told, which is right."""

SAYS_EDITED: Final = frozenset({"EDITED_IN_GO", "INVOICE_TOTAL_DIFFERS", "TOTAL_DIFFERS", "OTHER_ORDER"})
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
    """A sales order, or the invoice that it became, as Go's books have it. `edited`: by the accountant."""

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


@dataclass(frozen=True)
class Verdict:
    """Offenders by offence, each with a sentence that names it."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong_state: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    amounts_differ: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.duplicated or self.wrong_state or self.unresolved or self.amounts_differ)


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


class _Books:
    """Finds what was made of a statement by every trace it can leave, so that a second order cannot hide."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_trace: dict[tuple[str, str, object], list[Document]] = defaultdict(list)
        for document in documents:
            traces: set[tuple[str, object]] = {("id", document.id), ("number", document.order_number)}
            traces |= {("reference", document.reference)}
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
        return list(found.values())


def _judge_outside(verdict: Verdict, statement: OurStatement, found: list[Document]) -> None:
    right = StatementStatus.NEEDS_FIX if statement.fate is Fate.STUCK else StatementStatus.UPCOMING
    if found:
        verdict.wrong_state.append(f"{_who(statement)}: should be {statement.fate}, but Go has {_what(found[0])}")
    elif statement.status != right:
        verdict.wrong_state.append(f"{_who(statement)}: {_believed(statement)}, should be {statement.fate}")


def _judge_pair(verdict: Verdict, statement: OurStatement, document: Document) -> None:
    told = (statement.status, statement.attention_code)
    if (document.edited and told == NOT_OURS) or (document.state is DocumentState.DELETED and told == TAKEN):
        return
    if statement.status != RIGHT_STATUS[document.state]:
        verdict.wrong_state.append(f"{_who(statement)}: {_believed(statement)}, the books have {_what(document)}")
        return
    if statement.go_order_id != document.id:
        verdict.wrong_state.append(
            f"{_who(statement)}: linked to {statement.go_order_id}, the books have {document.id}"
        )
    if document.state is DocumentState.DELETED:
        return
    differs = abs(statement.total - document.total) > TOLERANCE
    if differs and not (document.edited and statement.attention_code in SAYS_EDITED):
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
