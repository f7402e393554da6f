"""What a spreadsheet that goes out holds. Columns are those of the import, so that what went out can come in again."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from django.db.models import Model, QuerySet
from django.http import FileResponse, StreamingHttpResponse
from import_export.fields import Field
from import_export.formats.base_formats import Format
from import_export.resources import Resource

from integration.decisions.spreadsheet_cells import Cell
from integration.decisions.spreadsheet_files import csv_lines, write_xlsx
from integration.decisions.spreadsheet_sheets import CUSTOMERS, PRODUCTS, STATEMENTS, Sheet
from integration.models import Customer, InvoiceStatement, OutgoingInvoice, Product, StatementLine
from integration.use_cases.import_plan import in_words

Getter = Callable[[Any], Cell]

MAX_EXPORT_ROWS: Final = 200_000
"""Most records in one export. Memory does not grow with them; an Excel file of so many takes about a minute to make."""

ROWS_AT_ONCE: Final = 1000
"""Records that are fetched from the database in one go."""


class CsvForExcel(Format):  # type: ignore[misc] # import-export has no types
    """CSV that Excel in Norway opens with a double click: semicolons, byte-order mark, decimal comma."""

    def get_title(self) -> str:
        return "CSV (semicolons)"

    def get_extension(self) -> str:
        return "csv"

    def can_export(self) -> bool:
        return True

    def response(self, rows: Iterable[Sequence[Cell]], *, title: str, file_name: str) -> StreamingHttpResponse:
        """The download: sent while the rows are read."""
        return StreamingHttpResponse(
            csv_lines(rows), content_type=CSV_TYPE, headers={"Content-Disposition": attachment(file_name)}
        )


class ExcelWorkbook(Format):  # type: ignore[misc] # import-export has no types
    """An Excel workbook with numbers as numbers and days as days."""

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def get_extension(self) -> str:
        return "xlsx"

    def can_export(self) -> bool:
        return True

    def response(self, rows: Iterable[Sequence[Cell]], *, title: str, file_name: str) -> StreamingHttpResponse:
        """The download: made on disk first, because a workbook can only be sent when it is whole."""
        return workbook_response([(title[:31], rows)], file_name=file_name)


CSV_TYPE: Final = "text/csv; charset=utf-8"


def attachment(file_name: str) -> str:
    """The header that makes a page a download. `file_name` is ours: letters, digits, dashes and a point."""
    return f'attachment; filename="{file_name}"'


def workbook_response(sheets: Iterable[tuple[str, Iterable[Sequence[Cell]]]], *, file_name: str) -> FileResponse:
    """A workbook as a download; the file is gone when it is sent. Raises ValueError when Excel has too few rows."""
    out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        write_xlsx(out, sheets)
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return FileResponse(
        out,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": attachment(file_name)},
    )


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

    def records(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The records, in order of their key, with what the columns need."""
        return queryset.prefetch_related(None).select_related(*self.related).order_by("pk")

    def rows(self, queryset: QuerySet[Any]) -> Iterator[list[Cell]]:
        """The headings, then a row for each record, while they are fetched."""
        yield [label for label, _ in self.columns]
        for record in self.records(queryset).iterator(chunk_size=ROWS_AT_ONCE):
            yield [value(record) for _, value in self.columns]


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
        ("Set by hand", lambda statement: "" if statement.follows_go else "by hand"),
        ("Go says", field("go_says")),
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

    def records(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = queryset.prefetch_related(None).order_by().values("pk")
        return (
            StatementLine.objects.filter(statement__in=chosen)
            .select_related(*self.related)
            .order_by("statement_id", "line_number")
        )


def _of_statement(key: str) -> Getter:
    """A column of a row that its statement knows."""
    value = STATEMENT_VALUES.get(key) or field(key)
    return lambda line: value(line.statement)


def _of_invoice(key: str) -> Getter:
    """A column of a row that the invoice knows which it became."""
    value = field(key)
    return lambda line: value(line.statement.outgoing_invoice) if line.statement.outgoing_invoice else None


class OrderRowResource(ColumnsResource):
    """The report *Invoice order rows*: what each line comes to, and what became of it."""

    name = "Invoice order rows"
    related = ("product", "statement__company", "statement__customer", "statement__outgoing_invoice")
    columns = (
        ("Company", _of_statement("company")),
        ("Customer number", _of_statement("customer_number")),
        ("Customer", _of_statement("customer_name")),
        ("Statement", _of_statement("source_id")),
        ("Kind", _of_statement("kind")),
        ("Status", _of_statement("status")),
        ("Date", _of_statement("statement_date")),
        ("Line", field("line_number")),
        ("Product code", lambda line: line.product.code if line.product else ""),
        ("Product", lambda line: line.product.name if line.product else ""),
        ("Description", field("description")),
        ("Quantity", field("quantity")),
        ("Unit price excl. VAT", field("unit_price")),
        ("Discount %", field("discount_percent")),
        ("VAT rate", field("vat_rate")),
        ("Net", lambda line: line.amounts().net),
        ("VAT", lambda line: line.amounts().vat),
        ("Incl. VAT", lambda line: line.amounts().total),
        ("Currency", _of_statement("currency")),
        ("Invoice number", _of_statement("invoice_number")),
        ("Invoice date", _of_invoice("invoice_date")),
        ("Due", _of_invoice("due_date")),
        ("Reference", _of_statement("reference")),
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
    StatementLine: [OrderRowResource],
    OutgoingInvoice: [OutgoingInvoiceResource],
}
