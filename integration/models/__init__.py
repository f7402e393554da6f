"""The archive."""

from integration.models.admin_action import AdminAction
from integration.models.big_tables import AddIndexAtWork
from integration.models.customer import ContactPerson, Customer, CustomerInGo, PaymentMethod
from integration.models.go_company import AccessToken, GoCompany, PaceSlot, SyncCursor
from integration.models.hand_payment import HandPayment
from integration.models.invoice_statement import InvoiceStatement, StatementLine, StatementMove
from integration.models.log_books import LOG_BOOKS
from integration.models.outgoing_invoice import LedgerEntry, OutgoingInvoice
from integration.models.product import Product, ProductInGo
from integration.models.scheduled_task import ScheduledTask
from integration.models.spreadsheet_upload import SpreadsheetUpload, UploadBlock, UploadName, UploadPortion
from integration.models.subscription import Subscription, SubscriptionBill, SubscriptionTerm
from integration.models.sync_attempt import SyncAttempt, SyncRun

__all__ = [
    "LOG_BOOKS",
    "AccessToken",
    "AddIndexAtWork",
    "AdminAction",
    "ContactPerson",
    "Customer",
    "CustomerInGo",
    "GoCompany",
    "HandPayment",
    "InvoiceStatement",
    "LedgerEntry",
    "OutgoingInvoice",
    "PaceSlot",
    "PaymentMethod",
    "Product",
    "ProductInGo",
    "ScheduledTask",
    "SpreadsheetUpload",
    "StatementLine",
    "StatementMove",
    "Subscription",
    "SubscriptionBill",
    "SubscriptionTerm",
    "SyncAttempt",
    "SyncCursor",
    "SyncRun",
    "UploadBlock",
    "UploadName",
    "UploadPortion",
]
