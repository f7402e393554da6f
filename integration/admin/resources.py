"""What a spreadsheet that goes out holds. Columns are those of the import, so that what went out can come in again."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from django.db.models import Model, QuerySet
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.resources import Resource
from tablib import Dataset

from integration.decisions.spreadsheet_cells import Cell
from integration.decisions.spreadsheet_files import write_csv, write_xlsx
from integration.decisions.spreadsheet_sheets import CUSTOMERS, PRODUCTS, STATEMENTS, Sheet
from integration.models import Customer, InvoiceStatement, OutgoingInvoice, Product, StatementLine
from integration.use_cases.import_plan import in_words

Getter = Callable[[Any], Cell]

MAX_EXPORT_ROWS: Final = 50_000
"""Most records in one export: about 200 MB of memory for as long as the file is made (libraries.md 4.4)."""


class CsvForExcel(Format):  # type: ignore[misc] # import-export has no types
    """CSV that Excel in Norway opens with a double click: semicolons, byte-order mark, decimal comma."""

    def get_title(self) -> str:
        return "CSV (semicolons)"

    def get_extension(self) -> str:
        return "csv"

    def get_content_type(self) -> str:
        return "text/csv; charset=utf-8"

    def can_export(self) -> bool:
        return True

    def export_data(self, dataset: Dataset, **_: Any) -> bytes:
        return write_csv([dataset.headers, *dataset])


class ExcelWorkbook(Format):  # type: ignore[misc] # import-export has no types
    """An Excel workbook with numbers as numbers and days as days."""

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def get_extension(self) -> str:
        return "xlsx"

    def get_content_type(self) -> str:
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def can_export(self) -> bool:
        return True

    def export_data(self, dataset: Dataset, **_: Any) -> bytes:
        return write_xlsx([(dataset.title or "Export", [dataset.headers, *dataset])])


class ColumnsResource(Resource):  # type: ignore[misc] # import-export has no types
    """An export of columns in words. Amounts and days stay amounts and days until the file is written."""

    name: ClassVar[str]
    columns: ClassVar[tuple[tuple[str, Getter], ...]]
    related: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def get_display_name(cls) -> str:
        return cls.name

    def get_user_visible_fields(self) -> list[Field]:
        return [Field(column_name=label) for label, _ in self.columns]

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        return [label for label, _ in self.columns]

    def export_resource(self, instance: Model, selected_fields: Any = None, **_: Any) -> list[Cell]:
        return [value(instance) for _, value in self.columns]

    def filter_export(self, queryset: QuerySet[Any], **_: Any) -> QuerySet[Any]:
        """The rows, in order of their key, with what the columns need."""
        return queryset.prefetch_related(None).select_related(*self.related).order_by("pk")

    def after_export(self, queryset: QuerySet[Any], dataset: Dataset, **_: Any) -> None:
        dataset.title = self.name[:31]


def field(key: str) -> Getter:
    """A record's own value: words where the import reads words."""

    def value(record: Any) -> Cell:
        stored = getattr(record, key)
        if isinstance(stored, bool) or key in {"vat_rate", "kind", "delivery", "source", "status", "type"}:
            return in_words(record, key, stored)
        return stored if stored is None or not isinstance(stored, int) else str(stored)

    return value


def sheet_columns(sheet: Sheet, others: dict[str, Getter], keys: Iterable[str]) -> tuple[tuple[str, Getter], ...]:
    """The sheet's columns with these keys; `others` says how those are read that are no field of the record."""
    return tuple((sheet.column(key).label, others.get(key) or field(key)) for key in keys)


class CustomerResource(ColumnsResource):
    """Customers."""

    name = "Customers"
    related = ("company",)
    columns = sheet_columns(
        CUSTOMERS,
        {
            "company": lambda customer: customer.company.name,
            "is_person": lambda customer: "person" if customer.is_person else "company",
        },
        [column.key for column in CUSTOMERS.columns],
    )


class ProductResource(ColumnsResource):
    """Products."""

    name = "Products"
    related = ("company",)
    columns = sheet_columns(
        PRODUCTS,
        {"company": lambda product: product.company.name},
        [column.key for column in PRODUCTS.columns],
    )


def _invoice_number(statement: InvoiceStatement) -> Cell:
    invoice = statement.outgoing_invoice
    return str(invoice.invoice_number or "") if invoice else ""


STATEMENT_VALUES: Final[dict[str, Getter]] = {
    "company": lambda statement: statement.company.name,
    "customer_number": lambda statement: str(statement.customer.number or "") if statement.customer else "",
    "customer_id": lambda statement: statement.customer.source_id if statement.customer else "",
    "customer_organisation_number": lambda statement: (
        statement.customer.organisation_number if statement.customer else ""
    ),
    "customer_name": lambda statement: statement.customer.name if statement.customer else "",
    "credits": lambda statement: statement.credits.source_id if statement.credits else "",
    "invoice_number": _invoice_number,
}


class StatementResource(ColumnsResource):
    """Statements, a row each."""

    name = "Statements, one row each"
    related = ("company", "customer", "credits", "outgoing_invoice")
    columns = (
        *sheet_columns(
            STATEMENTS,
            STATEMENT_VALUES,
            [column.key for column in STATEMENTS.columns if not column.per_line and column.key != "stated_total"],
        ),
        ("Net", field("net")),
        ("VAT", field("vat")),
        ("Total", field("total")),
        ("Reference", field("reference")),
        ("Order no. in Go", field("go_order_number")),
    )


LINE_VALUES: Final[dict[str, Getter]] = {
    "product_code": lambda line: line.product.code if line.product else "",
    "discount_percent": lambda line: f"{in_words(line, 'discount_percent', line.discount_percent)} %",
    "line_net": lambda line: line.amounts().net,
    "line_vat": lambda line: line.amounts().vat,
    "line_total": lambda line: line.amounts().total,
}


def _of_line(key: str, per_line: bool) -> Getter:
    """A column of the sheet, read from a line or from its statement."""
    if per_line:
        return LINE_VALUES.get(key) or field(key)
    value = STATEMENT_VALUES.get(key) or field(key)
    return lambda line: value(line.statement)


class StatementLineResource(ColumnsResource):
    """Statements with their lines, a row for each line, as the import takes them."""

    name = "Statements with lines"
    related = (
        "product",
        "statement__company",
        "statement__customer",
        "statement__credits",
        "statement__outgoing_invoice",
    )
    columns = tuple((column.label, _of_line(column.key, column.per_line)) for column in STATEMENTS.columns)

    def filter_export(self, queryset: QuerySet[Any], **_: Any) -> QuerySet[Any]:
        chosen = queryset.prefetch_related(None).order_by().values("pk")
        return (
            StatementLine.objects.filter(statement__in=chosen)
            .select_related(*self.related)
            .order_by("statement_id", "line_number")
        )


class OutgoingInvoiceResource(ColumnsResource):
    """Outgoing invoices as Go last showed them."""

    name = "Outgoing invoices"
    related = ("company",)
    columns = (
        ("Company", lambda invoice: invoice.company.name),
        ("Invoice number", field("invoice_number")),
        ("Type", field("type")),
        ("Date", field("invoice_date")),
        ("Due", field("due_date")),
        ("KID", field("kid")),
        ("Voucher number", field("voucher_number")),
        ("Currency", field("currency")),
        ("Net", field("net")),
        ("Total", field("total")),
        ("Open, NOK", field("balance")),
    )


RESOURCES: Final[dict[type[Model], list[type[ColumnsResource]]]] = {
    Customer: [CustomerResource],
    Product: [ProductResource],
    InvoiceStatement: [StatementLineResource, StatementResource],
    OutgoingInvoice: [OutgoingInvoiceResource],
}
