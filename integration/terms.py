"""The words everybody uses: plain values that travel between the rooms and to the telephones.

Amounts are kroner (or the currency named beside them) as `Decimal`; `net` is excl. VAT, `total` is incl. VAT.
`*_at` is an aware datetime in UTC, `*_date` a Norwegian calendar day. VAT rates are fractions: 0.25 is 25 %.
Order and invoice ids are uuids kept as lower-case strings; customer, product and ledger ids are integers.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

# --- What we send ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Accrual:
    """Spreads a line's revenue over a period."""

    from_date: date
    to_date: date


@dataclass(frozen=True)
class SalesOrderLineDraft:
    """A line to send. `product_id` is Go's; without it the line is text only. `unit_price` is excl. VAT."""

    description: str
    sort_order: int
    reference: str = ""
    product_id: int | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal = Decimal(0)
    department_code: str = ""
    project_code: str = ""
    accrual: Accrual | None = None


@dataclass(frozen=True)
class SalesOrderDraft:
    """A sales order to send. `customer_id` is Go's; `locked` asks for the API's `Confirmed`."""

    reference: str
    customer_id: int
    currency: str
    order_date: date
    lines: tuple[SalesOrderLineDraft, ...]
    locked: bool = False
    delivery_date: date | None = None
    payment_days: int | None = None
    customer_reference: str = ""
    purchase_order_reference: str = ""
    contract_number: str = ""
    department_code: str = ""
    project_code: str = ""
    order_number: int | None = None
    related_invoice_number: int | None = None


@dataclass(frozen=True)
class Address:
    """A postal address; empty when nothing is known."""

    line1: str = ""
    line2: str = ""
    zip_code: str = ""
    city: str = ""
    country: str = "NO"


@dataclass(frozen=True)
class CustomerDraft:
    """A customer to create or bring up to date. `number` None lets Go choose the next one."""

    reference: str
    name: str
    is_person: bool = False
    first_name: str = ""
    last_name: str = ""
    number: int | None = None
    organisation_number: str = ""
    email: str = ""
    invoice_email: str = ""
    phone: str = ""
    address: Address = field(default_factory=Address)
    delivery: str = "DEFAULT"
    payment_days: int | None = None
    send_reminders: bool = True
    transfer_to_debt_collection: bool = True


@dataclass(frozen=True)
class ContactPersonDraft:
    """A contact person of a company customer; `reference` is Go's external code."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    reference: str = ""
    is_default: bool = False


@dataclass(frozen=True)
class ProductDraft:
    """A product to create. `price` and `cost` excl. VAT; `sales_account_id` is Go's id of the ledger account."""

    code: str
    name: str
    unit: str = "EA"
    price: Decimal | None = None
    cost: Decimal | None = None
    gtin: str = ""
    group_code: str = ""
    sales_account_id: int | None = None


# --- What Go tells ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClientInformation:
    """Who the client key belongs to and what it may do."""

    client_id: str
    client_name: str
    subscriptions: tuple[str, ...]
    privileges: tuple[str, ...]
    missing_privileges: tuple[str, ...]
    may_send_invoices: bool | None


@dataclass(frozen=True)
class RemoteCustomer:
    """Go's customer as last seen."""

    id: int
    number: int | None
    name: str
    organisation_number: str = ""
    email: str = ""
    invoice_email: str = ""
    reference: str = ""
    is_archived: bool = False
    last_changed_at: datetime | None = None


@dataclass(frozen=True)
class RemoteContactPerson:
    """Go's contact person as last seen."""

    id: int
    contact_id: int
    first_name: str
    last_name: str
    email: str = ""
    reference: str = ""


@dataclass(frozen=True)
class RemoteProduct:
    """Go's product as last seen."""

    id: int
    code: str
    name: str
    price: Decimal | None = None
    sales_account_id: int | None = None
    group_id: int | None = None
    is_archived: bool = False
    last_changed_at: datetime | None = None


@dataclass(frozen=True)
class ProductGroup:
    """Go's product group."""

    id: int
    code: str
    name: str
    sales_account_id: int | None = None


@dataclass(frozen=True)
class SalesOrderLine:
    """A line of a sales order in Go."""

    id: str
    reference: str
    description: str
    product_id: int | None
    quantity: Decimal | None
    unit_price: Decimal | None
    net: Decimal
    vat: Decimal
    total: Decimal
    vat_rate: Decimal | None = None
    discount_percent: Decimal = Decimal(0)


@dataclass(frozen=True)
class SalesOrder:
    """Go's unsent invoice. `lines` is filled only by the calls that read lines; totals in the order's currency."""

    id: str
    number: int | None
    locked: bool
    reference: str
    customer_number: int | None
    customer_id: int | None
    net: Decimal
    total: Decimal
    line_count: int
    currency: str
    last_changed_at: datetime | None
    created_at: datetime | None = None
    order_date: date | None = None
    customer_reference: str = ""
    purchase_order_reference: str = ""
    contract_number: str = ""
    lines: tuple[SalesOrderLine, ...] = ()


@dataclass(frozen=True)
class SentState:
    """What became of sending an order."""

    order_id: str
    being_processed: bool
    sent_at: datetime | None
    invoice_number: int | None
    due_date: date | None
    delivery: str
    last_error: str


@dataclass(frozen=True)
class Attachment:
    """A file on a sales order."""

    id: int
    file_name: str
    file_size: int


@dataclass(frozen=True)
class RemoteInvoice:
    """Go's outgoing invoice or credit note as last seen; it has the id of the sales order it came from.

    `net`, `total` in `currency`; `total_posted`, `balance` in NOK (credit notes negative).
    """

    id: str
    number: int | None
    is_credit_note: bool
    voucher_number: int | None
    kid: str
    invoice_date: date | None
    due_date: date | None
    currency: str
    net: Decimal
    total: Decimal
    total_posted: Decimal
    balance: Decimal
    balance_changed_at: datetime | None
    match_id: int | None
    sent_at: datetime | None
    delivery: str
    order_number: int | None
    related_invoice_number: int | None
    reference: str
    customer_number: int | None
    customer_id: int | None
    is_reversed: bool


@dataclass(frozen=True)
class RemoteInvoiceLine:
    """A line of an outgoing invoice."""

    id: int
    reference: str
    description: str
    product_id: int | None
    quantity: Decimal | None
    unit_price: Decimal | None
    net: Decimal
    vat: Decimal
    total: Decimal


@dataclass(frozen=True)
class RemoteLedgerEntry:
    """An entry of the customer ledger, NOK; payments and credit notes are negative."""

    id: int
    amount: Decimal
    balance: Decimal
    currency: str
    match_id: int | None
    voucher_id: str
    voucher_number: int | None
    voucher_type: str
    voucher_date: date | None
    posting_date: date | None
    due_date: date | None
    invoice_number: str
    kid: str
    reference: str
    is_write_off: bool
    customer_id: int | None
    customer_number: int | None
    last_changed_at: datetime | None


@dataclass(frozen=True)
class CustomerBalance:
    """What a customer owes on a date, NOK."""

    customer_id: int | None
    customer_number: int | None
    balance: Decimal


@dataclass(frozen=True)
class VatCode:
    """A VAT code and its rate as a fraction."""

    id: int
    code: str
    name: str
    rate: Decimal
    is_active: bool = True


@dataclass(frozen=True)
class LedgerAccount:
    """An account of the general ledger and the VAT code it carries."""

    id: int
    number: int
    name: str
    vat_code: str = ""
    vat_code_id: int | None = None
    is_active: bool = True
    department_required: bool = False
    project_required: bool = False


@dataclass(frozen=True)
class PaymentTerm:
    """A payment term in days."""

    id: int
    name: str
    days: int
    is_default: bool = False


@dataclass(frozen=True)
class Dimension:
    """A department or a project."""

    id: int
    code: str
    name: str
    is_active: bool = True
