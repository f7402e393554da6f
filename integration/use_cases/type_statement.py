"""A statement typed by hand gets its number: the bookkeeper does not invent ids."""

from datetime import date

from integration.decisions.sales_orders import statement_reference
from integration.enums import StatementSource
from integration.models import GoCompany, InvoiceStatement


def give_number(statement: InvoiceStatement, today: date) -> None:
    """Set source, id (`H-2026-0001`, counted per company and year) and reference. Not saved.

    Call it in the transaction that saves: the company's row is locked until then, so two people never get one number.
    """
    GoCompany.objects.select_for_update().get(pk=statement.company_id)
    prefix = f"H-{today.year}-"
    typed = InvoiceStatement.objects.filter(
        company_id=statement.company_id, source=StatementSource.HAND, source_id__startswith=prefix
    ).values_list("source_id", flat=True)
    numbers = [int(rest) for source_id in typed if (rest := source_id.removeprefix(prefix)).isdecimal()]
    statement.source = StatementSource.HAND
    statement.source_id = f"{prefix}{max(numbers, default=0) + 1:04d}"
    statement.reference = statement_reference(statement.source, statement.source_id)
