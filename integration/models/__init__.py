"""The archive."""

from integration.models.admin_action import AdminAction
from integration.models.customer import ContactPerson, Customer, CustomerInGo, PaymentMethod
from integration.models.go_company import AccessToken, GoCompany, PaceSlot, SyncCursor
from integration.models.invoice_statement import InvoiceStatement, StatementLine, StatementMove
from integration.models.outgoing_invoice import LedgerEntry, OutgoingInvoice
from integration.models.product import Product, ProductInGo
from integration.models.spreadsheet_upload import SpreadsheetUpload
from integration.models.sync_attempt import SyncAttempt, SyncRun

__all__ = [
    "AccessToken",
    "AdminAction",
    "ContactPerson",
    "Customer",
    "CustomerInGo",
    "GoCompany",
    "InvoiceStatement",
    "LedgerEntry",
    "OutgoingInvoice",
    "PaceSlot",
    "PaymentMethod",
    "Product",
    "ProductInGo",
    "SpreadsheetUpload",
    "StatementLine",
    "StatementMove",
    "SyncAttempt",
    "SyncCursor",
    "SyncRun",
]
