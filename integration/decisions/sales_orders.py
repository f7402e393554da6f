"""From a statement to a sales order: what is sent, or every reason why not.

Plain values in, plain values out. Sources: reference/poweroffice-go.md §8.3-§8.5, §5 (lengths, commas).
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from integration.decisions.money import CURRENCIES, amount_text
from integration.enums import LineKind, StatementKind
from integration.terms import Accrual, SalesOrderDraft, SalesOrderLineDraft

MAX_LINES: Final = 5000
"""Go's limit is not stated; its own import asks for fewer than 10 000 lines a file (§17.4)."""

MAX_TEXT: Final = 2000
"""Longest line text we send. Go's limit is not stated; a longer text is shown to a person."""

MAX_REFERENCE_TEXT: Final = 200

TOLERANCE: Final = Decimal("0.05")
"""How far Go's total may differ from ours by rounding, in the order's currency, for up to ten lines (§8.4)."""


def statement_reference(source: str, source_id: str, version: int = 1) -> str:
    """Our `ExternalImportReference`: deterministic, unique per company, at most 43 characters, no comma.

    43 leaves room for `/<line number>` within the 50 that Go allows. Readable start, hash for certainty; a
    draft that was deliberately deleted is sent again under the next version.
    """
    digest = hashlib.sha256(f"{source}:{source_id}".encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", source_id).strip("-")[:20]
    suffix = "" if version == 1 else f".{version}"
    return f"FB-{readable}-{digest}{suffix}" if readable else f"FB-{digest}{suffix}"


def line_reference(reference: str, line_number: int) -> str:
    """A line's reference: unique within the order; it survives to the invoice line."""
    return f"{reference}/{line_number}"


def readable_text(text: str) -> str:
    """Text without control characters (line breaks and tabs become blanks); letters of all scripts stay."""
    return "".join(
        " " if sign in "\r\n\t" else sign
        for sign in text
        if sign in "\r\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"}
    ).strip()


@dataclass(frozen=True)
class Problem:
    """One reason why a statement cannot be pushed. `line_number` None: the statement as a whole."""

    code: str
    message: str
    line_number: int | None = None

    def __str__(self) -> str:
        return f"Line {self.line_number}: {self.message}" if self.line_number is not None else self.message


@dataclass(frozen=True)
class LineFacts:
    """A line as we know it. `product_in_go` is Go's id of the product, None when Go does not have it."""

    line_number: int
    kind: str
    description: str
    product_code: str = ""
    product_in_go: int | None = None
    product_problem: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal = Decimal(0)
    department: str = ""
    project: str = ""
    accrual_from: date | None = None
    accrual_to: date | None = None


@dataclass(frozen=True)
class StatementFacts:
    """A statement as we know it. `customer_in_go` is Go's id; `customer_problem` says why there is none.

    `credits`: which statement a credit note takes back, in words; `credit_left`: how much of it may be, incl. VAT.
    """

    reference: str
    kind: str
    currency: str
    statement_date: date
    total: Decimal
    has_customer: bool
    order_number: int | None = None
    customer_in_go: int | None = None
    customer_problem: Problem | None = None
    stated_total: Decimal | None = None
    delivery_date: date | None = None
    payment_days: int | None = None
    customer_reference: str = ""
    purchase_order_reference: str = ""
    contract_number: str = ""
    locked: bool = False
    credits: str = ""
    credit_left: Decimal | None = None
    related_invoice_number: int | None = None
    lines: tuple[LineFacts, ...] = field(default_factory=tuple)


def _long(text: str) -> str:
    return f"the text has {len(text)} characters, at most {MAX_TEXT} can be sent. Shorten it."


def _line_problems(line: LineFacts) -> list[Problem]:
    problems = []
    number = line.line_number
    if len(readable_text(line.description)) > MAX_TEXT:
        problems.append(Problem("TEXT_TOO_LONG", _long(line.description), number))
    if line.kind == LineKind.TEXT:
        if not readable_text(line.description):
            problems.append(Problem("LINE_EMPTY", "a text line without text. Write something or remove it.", number))
        return problems
    if line.product_in_go is None:
        problems.append(
            Problem(
                "PRODUCT_UNKNOWN",
                line.product_problem
                or f"PowerOffice Go has no product {line.product_code}. Make it there, or let Fakturabro create it.",
                number,
            )
        )
    if line.quantity is None or line.quantity == 0:
        problems.append(Problem("NO_QUANTITY", "the quantity is missing or zero.", number))
    if line.unit_price is None:
        problems.append(Problem("NO_PRICE", "the unit price is missing.", number))
    return problems


def _header_problems(facts: StatementFacts) -> list[Problem]:
    problems: list[Problem] = []
    if not facts.has_customer:
        problems.append(Problem("NO_CUSTOMER", "The statement has no customer. Choose one and push again."))
    elif facts.customer_in_go is None:
        problems.append(facts.customer_problem or Problem("CUSTOMER", "The customer is not in PowerOffice Go."))
    if facts.currency not in CURRENCIES:
        problems.append(Problem("CURRENCY", f"The currency {facts.currency!r} is not one we know. Correct it."))
    for name, text in (
        ("your reference", facts.customer_reference),
        ("purchase order", facts.purchase_order_reference),
        ("contract", facts.contract_number),
    ):
        if len(text) > MAX_REFERENCE_TEXT:
            problems.append(Problem("TEXT_TOO_LONG", f"The {name} has more than {MAX_REFERENCE_TEXT} characters."))
    return problems


def _sum_problems(facts: StatementFacts) -> list[Problem]:
    problems: list[Problem] = []
    if not facts.lines:
        problems.append(Problem("NO_LINES", "The statement has no lines. Add at least one."))
    elif not any(line.kind == LineKind.PRODUCT for line in facts.lines):
        problems.append(Problem("NO_LINES", "The statement has only text lines. Add a product line."))
    if len(facts.lines) > MAX_LINES:
        problems.append(
            Problem(
                "TOO_MANY_LINES", f"{len(facts.lines)} lines; at most {MAX_LINES} can be sent. Split the statement."
            )
        )
    if facts.lines and facts.total == 0:
        problems.append(Problem("ZERO_TOTAL", "The total is zero: there is nothing to invoice. Check the lines."))
    if facts.kind == StatementKind.INVOICE and facts.total < 0:
        problems.append(Problem("NEGATIVE", "An invoice with a negative total. Make it a credit note, or correct it."))
    if facts.kind == StatementKind.CREDIT_NOTE and facts.total > 0:
        problems.append(Problem("POSITIVE", "A credit note with a positive total. Use negative quantities."))
    if facts.credit_left is not None and facts.related_invoice_number is None:
        problems.append(
            Problem(
                "CREDITS_NO_INVOICE",
                f"It credits {facts.credits}, which has no invoice number in PowerOffice Go yet. Push again when it "
                "has one.",
            )
        )
    elif facts.credit_left is not None and -facts.total > facts.credit_left:
        problems.append(
            Problem(
                "CREDITS_TOO_MUCH",
                f"It credits {amount_text(-facts.total, facts.currency)} of {facts.credits}, but only "
                f"{amount_text(facts.credit_left)} of that is not credited yet. Credit less, or withdraw it.",
            )
        )
    if facts.stated_total is not None and facts.stated_total != facts.total:
        problems.append(
            Problem(
                "SUM_DIFFERS",
                f"The source states {amount_text(facts.stated_total, facts.currency)}, the lines sum to "
                f"{amount_text(facts.total)}. "
                "Correct one of them.",
            )
        )
    return problems


def problems_of(facts: StatementFacts) -> list[Problem]:
    """Everything that is in the way of pushing this statement, in one pass; empty when nothing is."""
    problems = _header_problems(facts) + _sum_problems(facts)
    for line in facts.lines:
        problems.extend(_line_problems(line))
    return problems


def sales_order_draft(facts: StatementFacts) -> SalesOrderDraft | list[Problem]:
    """The order to send, or every reason why it cannot be."""
    problems = problems_of(facts)
    if problems or facts.customer_in_go is None:
        return problems
    return SalesOrderDraft(
        reference=facts.reference,
        customer_id=facts.customer_in_go,
        currency=facts.currency,
        order_date=facts.statement_date,
        locked=facts.locked,
        delivery_date=facts.delivery_date,
        payment_days=facts.payment_days,
        customer_reference=readable_text(facts.customer_reference),
        purchase_order_reference=readable_text(facts.purchase_order_reference),
        contract_number=readable_text(facts.contract_number),
        order_number=facts.order_number,
        related_invoice_number=facts.related_invoice_number,
        lines=tuple(
            SalesOrderLineDraft(
                description=readable_text(line.description),
                sort_order=index,
                reference=line_reference(facts.reference, line.line_number),
                product_id=line.product_in_go if line.kind == LineKind.PRODUCT else None,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
                department_code=line.department,
                project_code=line.project,
                accrual=Accrual(line.accrual_from, line.accrual_to) if line.accrual_from and line.accrual_to else None,
            )
            for index, line in enumerate(sorted(facts.lines, key=lambda line: line.line_number))
        ),
    )


def totals_differ(ours: Decimal, theirs: Decimal, line_count: int) -> bool:
    """Whether Go's total is another amount than ours, beyond what rounding line by line can explain."""
    return abs(ours - theirs) > TOLERANCE * max(1, -(-line_count // 10))


def same_order(ours: StatementFacts, *, their_customer_id: int | None, their_total: Decimal, line_count: int) -> str:
    """Whether an order found under our reference is the one we meant: empty, or what differs, in words."""
    differences = []
    if their_customer_id is not None and their_customer_id != ours.customer_in_go:
        differences.append(f"the customer there has id {their_customer_id}, ours {ours.customer_in_go}")
    if totals_differ(ours.total, their_total, line_count):
        differences.append(
            f"the total there is {amount_text(their_total, ours.currency)}, ours {amount_text(ours.total)}"
        )
    return " and ".join(differences)
