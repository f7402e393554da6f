"""Numbers of statements typed by hand."""

from datetime import date

import pytest

from integration.decisions.sales_orders import statement_reference
from integration.enums import StatementSource
from integration.models import GoCompany, InvoiceStatement
from integration.use_cases.type_statement import give_number
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = date(2026, 2, 2)


def number_of(company: GoCompany, today: date = TODAY) -> str:
    statement = InvoiceStatement(company=company, statement_date=today)
    give_number(statement, today)
    assert statement.reference == statement_reference("HAND", statement.source_id)
    assert statement.source == StatementSource.HAND
    return statement.source_id


def test_numbers_count_per_company_and_year() -> None:
    company, other = factories.go_company(), factories.go_company()
    assert number_of(company) == "H-2026-0001"
    for typed in ("H-2026-0001", "H-2026-10000", "H-2026-0099", "H-2026-mine"):
        factories.statement(company, source=StatementSource.HAND, source_id=typed)
    factories.statement(company, source=StatementSource.SPREADSHEET, source_id="H-2026-20000")
    assert number_of(company) == "H-2026-10001"
    assert number_of(company, date(2027, 1, 1)) == "H-2027-0001"
    assert number_of(other) == "H-2026-0001"
