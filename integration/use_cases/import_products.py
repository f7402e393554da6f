"""Products from a spreadsheet, found by their code."""

from collections.abc import Iterable

from integration.decisions.spreadsheet_rows import ReadRow, ReadSheet, mend_product, readable
from integration.decisions.spreadsheet_sheets import PRODUCTS
from integration.enums import StatementSource
from integration.models import Product
from integration.use_cases.import_plan import (
    Companies,
    Outcome,
    Planned,
    chunks,
    refuse_invalid,
    set_values,
)


def known_products(
    company_ids: Iterable[int], codes: Iterable[str], *, lock: bool = False
) -> dict[tuple[int, str], Product]:
    """The products with these codes, by company and code."""
    rows = Product.objects.filter(company_id__in=list(company_ids)).order_by("company_id", "code")  # as the index is
    found: dict[tuple[int, str], Product] = {}
    for portion in chunks(set(codes)):
        wanted = rows.filter(code__in=portion)
        for product in wanted.select_for_update() if lock else wanted:
            found[product.company_id, product.code] = product
    return found


def plan_products(read: ReadSheet, companies: Companies, *, lock: bool = False) -> list[Planned]:
    """What each row would do. `lock` holds the products until the transaction ends."""
    for row in read.rows:
        mend_product(row)
        companies.place(row)
    codes = [code for row in read.rows if isinstance(code := row.values.get("code"), str)]
    known = known_products(companies.own, codes, lock=lock)
    taken: dict[tuple[int, str], int] = {}
    return [_plan_row(row, companies, known, taken) for row in read.rows]


def _plan_row(
    row: ReadRow, companies: Companies, known: dict[tuple[int, str], Product], taken: dict[tuple[int, str], int]
) -> Planned:
    values = readable(row.values)
    company_id = values.pop("company")
    code = values.get("code", "")
    product = known.get((company_id, code)) if company_id is not None else None
    if company_id is not None and code:
        if (company_id, code) in taken:
            row.refuse(
                f"stands in row {taken[company_id, code]} too: keep one of the two rows",
                column="Product code",
                read=code,
            )
        taken.setdefault((company_id, code), row.number)
        if product is None and "name" not in row.values:
            row.refuse("is missing: a new product needs a name", column="Name")
    planned = Planned(
        rows=(row.number,),
        name=str(product) if product else f"{code} {values.get('name', '')}".strip() or "a product",
        company=companies.name(company_id),
        identity=(company_id, code) if company_id is not None and code else None,
    )
    if not row.problems:
        planned.record = product or Product(company_id=company_id, source=StatementSource.SPREADSHEET)
        planned.changes = set_values(planned.record, values, PRODUCTS)
        planned.fields = tuple(values)
        refuse_invalid(planned.record, row, PRODUCTS)
        if product is None:
            planned.outcome = Outcome.NEW
        else:
            planned.outcome = Outcome.CHANGED if planned.changes else Outcome.SAME
    planned.problems = tuple(row.problems)
    if row.problems:
        planned.outcome = Outcome.REFUSED
        planned.changes = ()
    return planned
