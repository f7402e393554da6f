"""Statements with lines from a spreadsheet: one row per line, rows with the same id are one statement.

A statement is taken in as a whole or not at all. One that nothing has been sent of is brought up to date; one that is
on its way to Go or in it is never touched: the person reads what differs.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from integration.decisions.money import lines_text
from integration.decisions.sales_orders import LineFacts, StatementFacts, problems_of, statement_reference
from integration.decisions.spreadsheet_rows import (
    UNREADABLE,
    LineRow,
    ReadRow,
    ReadSheet,
    StatementRows,
    group_statements,
    readable,
)
from integration.decisions.spreadsheet_sheets import STATEMENTS
from integration.enums import LineKind, StatementSource
from integration.models import Customer, InvoiceStatement, Product, StatementLine
from integration.use_cases.import_customers import KnownCustomers
from integration.use_cases.import_plan import (
    SAVED_AT_ONCE,
    Change,
    Companies,
    Outcome,
    Planned,
    chunks,
    in_words,
    save_changed,
)
from integration.use_cases.import_products import known_products

HEADER: Final = (
    "kind",
    "statement_date",
    "delivery_date",
    "payment_date",
    "payment_days",
    "currency",
    "customer_reference",
    "purchase_order_reference",
    "contract_number",
    "stated_total",
    "credit_reason",
)
"""What a row says of the statement as it is kept; customer and credited statement are looked up."""

LINE: Final = (
    "description",
    "quantity",
    "unit_price",
    "discount_percent",
    "vat_rate",
    "department",
    "project",
    "accrual_from",
    "accrual_to",
)
"""What a row says of a line as it is kept; the product is looked up."""

_LABELS: Final = {column.key: column.label for column in STATEMENTS.columns}
_LINE_LABELS: Final = {key: _LABELS[key].lower().replace("vat", "VAT") for key in LINE}
_TOUCH_SUMS: Final = {column.label for column in STATEMENTS.columns if column.per_line} | {
    "",
    "Company",
    "Statement id",
    "Kind",
    "Currency",
    "Total",
}
"""A problem in one of these columns, and the sums say nothing; the others do not keep them from being checked."""

_LARGEST: Final = Decimal(10) ** 12
_CHANGES_TOLD: Final = 6
_ANY: Final = 1
"""Stands for an id in Go where only the statement itself is judged."""


@dataclass
class Known:
    """What rows may mean: customers, products, and the statements that are there already."""

    customers: KnownCustomers
    products: dict[tuple[int, str], Product]
    statements: dict[tuple[int, str, str], InvoiceStatement] = field(default_factory=dict)
    by_source_id: dict[tuple[int, str], list[InvoiceStatement]] = field(default_factory=lambda: defaultdict(list))


def plan_statements(read: ReadSheet, companies: Companies, *, lock: bool = False) -> list[Planned]:
    """What each statement of the file would do. `lock` holds those that are there until the transaction ends."""
    for row in read.rows:
        companies.place(row)
    groups = group_statements(read.rows, STATEMENTS)
    known = _look_up(groups, companies, lock=lock)
    return [_plan_statement(group, companies, known) for group in groups]


def _look_up(groups: Iterable[StatementRows], companies: Companies, *, lock: bool) -> Known:
    groups = list(groups)
    wanted = []
    for group in groups:
        header = readable(group.header)
        names = {
            "number": header.get("customer_number"),
            "source_id": header.get("customer_id"),
            "organisation_number": header.get("customer_organisation_number"),
        }
        wanted.append({key: value for key, value in names.items() if value is not None})
    codes = [code for g in groups for line in g.lines if isinstance(code := line.values.get("product_code"), str)]
    known = Known(KnownCustomers(companies.own, wanted, lock=False), known_products(companies.own, codes, lock=False))
    ids = {group.source_id for group in groups} | {
        said for group in groups if isinstance(said := group.header.get("credits"), str)
    }
    rows = InvoiceStatement.objects.filter(
        company_id__in=list(companies.own),
        source__in=StatementSource.values,
    ).order_by("company_id", "source", "source_id")  # asked and ordered as the index is: SQLite needs to be shown
    for portion in chunks(ids):
        found = rows.filter(source_id__in=portion)
        if lock:
            list(found.select_for_update())  # locked before it is read with its lines
        for statement in found.select_related("customer", "credits").prefetch_related("lines__product"):
            known.statements[statement.company_id, statement.source, statement.source_id] = statement
            known.by_source_id[statement.company_id, statement.source_id].append(statement)
    return known


def _plan_statement(group: StatementRows, companies: Companies, known: Known) -> Planned:
    planned = Planned(
        rows=tuple(sorted(row.number for row in group.rows)),
        name=group.source_id or "a statement",
        company=companies.name(group.company_id),
        outcome=Outcome.REFUSED,
    )
    if group.company_id is not None and group.source_id:
        planned.identity = (group.company_id, group.source, group.source_id)
        _plan_known(group, planned, group.company_id, known)
    planned.problems = tuple(group.problems)
    if planned.problems:
        planned.outcome = Outcome.REFUSED
        planned.changes = ()
    return planned


def _plan_known(group: StatementRows, planned: Planned, company_id: int, known: Known) -> None:
    """The part that needs the company's own records."""
    first = group.rows[0]
    notes: list[str] = []
    existing = known.statements.get((company_id, group.source, group.source_id))
    if existing is None and group.source != StatementSource.SPREADSHEET:
        label = StatementSource(group.source).label
        first.refuse(
            f"is not known from {label}: a file only makes statements of its own; leave Source empty",
            column="Statement id",
            read=group.source_id,
        )
    header = readable(group.header)
    customer = _customer(first, company_id, header, known.customers, notes)
    credited = _credited(first, company_id, header, known, existing.pk if existing else None)
    before = _said(existing, existing.lines.all()) if existing is not None else Said({}, {})
    statement = existing or InvoiceStatement(
        company_id=company_id,
        source=group.source,
        source_id=group.source_id,
        reference=statement_reference(group.source, group.source_id),
    )
    for key in HEADER:
        if key in header:
            setattr(statement, key, header[key])
    if customer is not None:
        statement.customer = customer
    if credited is not None:
        statement.credits = credited
    lines = _lines(group, company_id, statement, existing, known)
    if any(problem.column in _TOUCH_SUMS for problem in group.problems):
        return
    statement.recount(lines)
    planned.record = statement
    planned.lines = lines
    planned.summary = _summary(statement, lines)
    after = _said(statement, lines)
    if existing is not None and "stated_total" not in header and after.lines != before.lines:
        statement.stated_total = None  # it was said of the lines as they were
        after = _said(statement, lines)
    planned.changes = _differences(before, after)
    if existing is None:
        planned.outcome = Outcome.NEW
        others = [each for each in known.by_source_id[company_id, group.source_id] if each.source != group.source]
        notes += [f"Another statement with this id came from {each.get_source_display()}." for each in others]
    else:
        planned.outcome = Outcome.CHANGED if planned.changes else Outcome.SAME
    planned.notes = tuple(notes)
    if planned.changes:
        _judge(group, planned, statement, lines, existing)


def _judge(
    group: StatementRows,
    planned: Planned,
    statement: InvoiceStatement,
    lines: list[StatementLine],
    existing: InvoiceStatement | None,
) -> None:
    """Whether the statement may be saved like this; problems go to the row they belong to."""
    first = group.rows[0]
    if existing is not None and not existing.is_editable:
        told = "; ".join(str(change) for change in planned.changes[:_CHANGES_TOLD])
        more = len(planned.changes) - _CHANGES_TOLD
        first.refuse(
            f"is already “{existing.get_status_display()}” and stays as it is. The file differs: {told}"
            + (f"; and {more} more" if more > 0 else "")
            + ". Credit it, or give the new version an id of its own",
            column="Statement id",
            read=group.source_id,
        )
        return
    if abs(statement.total) >= _LARGEST or any(abs(line.amounts().total) >= _LARGEST for line in lines):
        first.refuse("sums to more than can be kept: check quantities and prices", column="Total")
        return
    row_of = {line.line_number: line.row for line in group.lines}
    for problem in problems_of(_facts(statement, lines)):
        row = row_of.get(problem.line_number, first) if problem.line_number is not None else first
        row.refuse(problem.message.rstrip("."), column="Line" if problem.line_number is not None else "Statement")


def _customer(
    row: ReadRow, company_id: int, header: dict[str, Any], known: KnownCustomers, notes: list[str]
) -> Customer | None:
    """The customer that number, id and organisation number agree on."""
    found: dict[int, Customer] = {}
    for key, label in (
        ("customer_number", "Customer number"),
        ("customer_id", "Customer id"),
        ("customer_organisation_number", "Organisation number"),
    ):
        said = header.get(key)
        if said is None:
            continue
        if key == "customer_number":
            number = known.by_number.get((company_id, said))
            fitting = [number] if number else []
        elif key == "customer_id":
            fitting = known.by_source_id.get((company_id, said), [])
        else:
            fitting = known.by_organisation.get((company_id, said), [])
        if not fitting:
            row.refuse(
                "fits no customer of this company: correct it, or import the customer first",
                column=label,
                read=str(said),
            )
            return None
        found = {each.pk: each for each in fitting if not found or each.pk in found}
        if not found:
            row.refuse("is another customer than the one named beside it", column=label, read=str(said))
            return None
        if len(found) > 1 and key == "customer_organisation_number":
            row.refuse(f"fits {len(found)} customers: add the customer number", column=label, read=str(said))
            return None
    if len(found) != 1:
        if found:
            row.refuse(
                f"fits {len(found)} customers: add the customer number",
                column="Customer id",
                read=header.get("customer_id"),
            )
        return None
    customer = next(iter(found.values()))
    name = header.get("customer_name", customer.name)
    if " ".join(name.casefold().split()) != " ".join(customer.name.casefold().split()):
        notes.append(f"The file says “{name}”, customer {customer.number or ''} is “{customer.name}”.")
    if not customer.is_active:
        notes.append(f"Customer {customer} is not active.")
    return customer


def _credited(
    row: ReadRow, company_id: int, header: dict[str, Any], known: Known, own_pk: int | None
) -> InvoiceStatement | None:
    said = header.get("credits")
    if said is None:
        return None
    found = [each for each in known.by_source_id.get((company_id, said), []) if each.pk != own_pk]
    if len(found) == 1:
        return found[0]
    row.refuse(
        "fits no statement of this company: import the credited one first, or give a credit reason instead"
        if not found
        else f"fits {len(found)} statements from different sources: give a credit reason instead",
        column="Credits statement",
        read=said,
    )
    return None


def _lines(
    group: StatementRows,
    company_id: int,
    statement: InvoiceStatement,
    existing: InvoiceStatement | None,
    known: Known,
) -> list[StatementLine]:
    """The lines as they would be kept. What a row leaves empty comes from the same line as it is, or the product."""
    there = {line.line_number: line for line in existing.lines.all()} if existing is not None else {}
    lines = []
    for read in group.lines:
        code = read.values.get("product_code")
        product = known.products.get((company_id, code)) if isinstance(code, str) else None
        if isinstance(code, str) and product is None:
            read.row.refuse(
                "is no product of this company: correct it, or import the product first",
                column="Product code",
                read=code,
            )
        old = there.get(read.line_number)
        if old is not None and (old.kind != read.kind or old.product_id != (product.pk if product else None)):
            old = None
        lines.append(_line(read, statement, product, old))
    return sorted(lines, key=lambda line: line.line_number)


def _line(
    read: LineRow, statement: InvoiceStatement, product: Product | None, old: StatementLine | None
) -> StatementLine:
    line = StatementLine(statement=statement, line_number=read.line_number, kind=read.kind, product=product)
    if product is not None:
        line.description, line.unit_price, line.vat_rate = product.name, product.price, product.vat_rate
    for key in LINE:
        if old is not None:
            setattr(line, key, getattr(old, key))
        value = read.values.get(key)
        if value is not None and value is not UNREADABLE:
            setattr(line, key, value)
    if product is not None and line.unit_price is None and "unit_price" not in read.values:
        read.row.refuse(f"is missing, and product {product.code} has no price", column="Unit price excl. VAT")
    return line


@dataclass(frozen=True)
class Said:
    """Everything a statement says, in words."""

    header: dict[str, str]
    lines: dict[int, dict[str, str]]


def _said(statement: InvoiceStatement, lines: Iterable[StatementLine]) -> Said:
    header = {"Customer": _customer_words(statement.customer), "Credits statement": str(statement.credits or "")}
    for key in HEADER:
        header[_LABELS[key]] = in_words(statement, key, getattr(statement, key))
    said = {}
    for line in lines:
        words = {"product": line.product.code if line.product else "text"}
        for key in LINE:
            words[_LINE_LABELS[key]] = in_words(line, key, getattr(line, key))
        said[line.line_number] = words
    return Said(header, said)


def _differences(before: Said, after: Said) -> tuple[Change, ...]:
    """What changes; a line that comes or goes is told in one piece."""
    changes = [
        Change(what, before.header.get(what, ""), value)
        for what, value in after.header.items()
        if before.header.get(what, "") != value
    ]
    for line_number in sorted(before.lines.keys() | after.lines.keys()):
        old, new = before.lines.get(line_number), after.lines.get(line_number)
        where = f"Line {line_number}"
        if old is None or new is None:
            changes.append(Change(where, _line_words(old), _line_words(new)))
        else:
            changes += [
                Change(f"{where}, {what}", old[what], value) for what, value in new.items() if old[what] != value
            ]
    return tuple(changes)


def _line_words(said: dict[str, str] | None) -> str:
    """A line in one piece: `HYTTE, Hytte 4, quantity 2, VAT 12 %`. What is nought is left out."""
    if not said:
        return ""
    plain = {"product", _LINE_LABELS["description"]}
    told = {what: value for what, value in said.items() if value and (what in plain or value not in {"0", "0 %"})}
    return ", ".join(value if what in plain else f"{what} {value}" for what, value in told.items())


def _summary(statement: InvoiceStatement, lines: list[StatementLine]) -> str:
    day = in_words(statement, "statement_date", statement.statement_date)
    total = in_words(statement, "total", statement.total)
    return f"{statement.customer or 'no customer'}, {day}, {lines_text(len(lines))}, {total} {statement.currency}"


def _customer_words(customer: Customer | None) -> str:
    """Which customer, without doubt: two may share a name."""
    if customer is None:
        return ""
    return str(customer) if customer.number else f"{customer} ({customer.organisation_number or customer.source_id})"


def _facts(statement: InvoiceStatement, lines: list[StatementLine]) -> StatementFacts:
    """The statement for `problems_of`, as if Go knew customer and products: that is asked when it is pushed."""
    return StatementFacts(
        reference=statement.reference,
        kind=statement.kind,
        currency=statement.currency,
        statement_date=statement.statement_date,
        total=statement.total,
        has_customer=True,
        customer_in_go=_ANY,
        stated_total=statement.stated_total,
        customer_reference=statement.customer_reference,
        purchase_order_reference=statement.purchase_order_reference,
        contract_number=statement.contract_number,
        lines=tuple(
            LineFacts(
                line_number=line.line_number,
                kind=line.kind,
                description=line.description,
                product_in_go=_ANY if line.kind == LineKind.PRODUCT else None,
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in lines
        ),
    )


def save_statements(planned: Iterable[Planned]) -> None:
    """Make the new statements and bring the changed ones up to date, lines replaced as a whole. In a transaction."""
    planned = list(planned)
    for each in planned:
        each.record.refresh_search()
    made = [each for each in planned if each.outcome == Outcome.NEW]
    changed = [each for each in planned if each.outcome == Outcome.CHANGED]
    InvoiceStatement.objects.bulk_create([each.record for each in made], batch_size=SAVED_AT_ONCE)
    save_changed(
        InvoiceStatement,
        [each.record for each in changed],
        (*HEADER, "customer", "credits", "net", "vat", "total", "search"),
    )
    for portion in chunks(each.record.pk for each in changed):
        StatementLine.objects.filter(statement_id__in=portion).delete()
    lines = [line for each in planned for line in each.lines]
    for line in lines:
        line.statement_id = line.statement.pk
    StatementLine.objects.bulk_create(lines, batch_size=SAVED_AT_ONCE)
