"""PowerOffice Go's spelling, and nobody else knows it: our words to JSON, JSON to our words.

Only members that are read here are asked for (`Fields`); one that Go leaves out or sends as null reads as empty.
Readers raise ValueError, TypeError or LookupError for an answer that makes no sense; `clients/http.py` says what next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from integration.clients import json_text
from integration.clients.http import Answer
from integration.clients.poweroffice.values import (
    Row,
    amount,
    day,
    flag,
    number,
    stamp,
    stamp_text,
    sure_amount,
    sure_number,
    text,
    uuid,
)
from integration.decisions.person_names import first_and_last
from integration.terms import (
    Attachment,
    ClientInformation,
    ContactPersonDraft,
    CustomerBalance,
    CustomerDraft,
    Dimension,
    LedgerAccount,
    PaymentTerm,
    ProductDraft,
    ProductGroup,
    RemoteContactPerson,
    RemoteCustomer,
    RemoteInvoice,
    RemoteInvoiceLine,
    RemoteLedgerEntry,
    RemoteProduct,
    SalesOrder,
    SalesOrderDraft,
    SalesOrderLine,
    SalesOrderLineDraft,
    SentState,
    VatCode,
)

T = TypeVar("T")

CUSTOMER_DELIVERY = {"EMAIL": "PdfByEmail", "EHF": "EHF", "PRINT": "Print"}
"""Our words for the delivery types that may be set; DEFAULT is left out, so that Go decides (reference §12.2)."""

# What is asked for in lists: exactly what the readers below read.
CUSTOMER_FIELDS = (
    "Id,Number,Name,FirstName,LastName,OrganizationNumber,EmailAddress,InvoiceEmailAddress,ExternalImportReference,"
    "IsArchived,LastChangedDateTimeOffset"
)
CONTACT_PERSON_FIELDS = "Id,ContactId,FirstName,LastName,EmailAddress,ExternalCode"
PRODUCT_FIELDS = "Id,Code,Name,UnitPrice,StandardSalesAccountId,ProductGroupId,IsArchived,LastChangedDateTimeOffset"
PRODUCT_GROUP_FIELDS = "Id,Code,Name,StandardSalesAccountId"
ORDER_FIELDS = (
    "Id,SalesOrderNo,SalesOrderStatus,ExternalImportReference,CustomerNo,CustomerId,NetAmount,TotalAmount,LineCount,"
    "CurrencyCode,LastChangedDateTimeOffset,CreatedDateTimeOffset"
)
ATTACHMENT_FIELDS = "Id,FileName,FileSize"
INVOICE_FIELDS = (
    "Id,InvoiceNo,VoucherNo,VoucherType,VoucherDate,DueDate,Cid,CurrencyCode,NetAmount,TotalAmount,TotalPostedAmount,"
    "Balance,BalanceLastChangedDateTimeOffset,MatchId,SentDateTimeOffset,InvoiceDeliveryType,OrderNo,RelatedInvoiceNo,"
    "ExternalImportReference,CustomerNo,CustomerId,IsReversed"
)
INVOICE_LINE_FIELDS = (
    "Id,ExternalImportReference,Description,ProductId,Quantity,ProductUnitPrice,NetAmount,VatAmount,TotalAmount"
)
LEDGER_FIELDS = (
    "Id,Amount,Balance,CurrencyCode,MatchId,VoucherId,VoucherNo,VoucherType,VoucherDate,PostingDate,DueDate,InvoiceNo,"
    "Cid,ExternalImportReference,IsWriteOff,CustomerId,CustomerAccountNo,LastChangedDateTimeOffset"
)
BALANCE_FIELDS = "CustomerId,CustomerAccountNo,Balance"
VAT_CODE_FIELDS = "Id,Code,Name,Rate,IsActive"
ACCOUNT_FIELDS = "Id,AccountNo,Name,VatCode,VatCodeId,IsActive,IsDepartmentRequired,IsProjectRequired"
PAYMENT_TERM_FIELDS = "Id,Name,CreditDays,IsDefault"
DIMENSION_FIELDS = "Id,Code,Name,IsActive"

# --- Whole answers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. `next_query` None: no next page; `told` False: the header said nothing about it."""

    rows: list[T]
    next_query: dict[str, str] | None
    told: bool


def one(reader: Callable[[Row], T]) -> Callable[[Answer], T]:
    """Reads an answer that is one object."""

    def read(answer: Answer) -> T:
        row = json_text.loads(answer.content)
        if not isinstance(row, dict):
            raise TypeError("an object was expected")
        return reader(row)

    return read


def page_of(reader: Callable[[Row], T]) -> Callable[[Answer], Page[T]]:
    """Reads a page of a bare list; an empty one has no body (reference §5).

    Only the query of the next link is used, never its host.
    """

    def read(answer: Answer) -> Page[T]:
        if answer.status == 204:
            return Page([], None, told=True)
        rows = json_text.loads(answer.content)
        if not isinstance(rows, list):
            raise TypeError("a list was expected")
        told, link = _next_link(answer.headers.get("X-Pagination"))
        query = dict(parse_qsl(urlsplit(link).query)) if link else None
        return Page([reader(row) for row in rows], query, told)

    return read


def _next_link(header: str | None) -> tuple[bool, str]:
    """Whether the header says anything, and the link to the next page."""
    try:
        members = json_text.loads((header or "").encode())
    except ValueError:
        return False, ""
    if not isinstance(members, dict):
        return False, ""
    return True, text({str(name).lower(): value for name, value in members.items()}.get("nextpagelink"))


def nothing(answer: Answer) -> None:
    """Accepts an answer whose body says nothing to us, unless it is a web page: that is not from the API."""
    if answer.content.lstrip()[:1] == b"<":
        raise ValueError("a web page instead of an answer")


def file(answer: Answer) -> bytes:
    return answer.content


def object_or_nothing(answer: Answer) -> None:
    """For an echo that tells nothing new, but proves that the API answered."""
    one(lambda row: row)(answer)


# --- What Go tells ----------------------------------------------------------------------------------------------


def client_information(row: Row) -> ClientInformation:
    may_send = row.get("AllowSendInvoice")
    return ClientInformation(
        client_id=text(row.get("ClientId")),
        client_name=text(row["ClientName"]),
        subscriptions=_texts(row.get("ActiveClientSubscriptions")),
        privileges=_texts(row.get("ValidPrivileges")),
        missing_privileges=_texts(row.get("InvalidPrivileges")),
        may_send_invoices=None if may_send is None else flag(may_send),
    )


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return tuple(str(item) for item in value)


def customer(row: Row) -> RemoteCustomer:
    """A person without `Name` is called by first and last name."""
    person_name = f"{text(row.get('FirstName'))} {text(row.get('LastName'))}".strip()
    return RemoteCustomer(
        id=sure_number(row.get("Id")),
        number=number(row.get("Number")),
        name=text(row.get("Name")) or person_name,
        organisation_number="".join(text(row.get("OrganizationNumber")).split()),
        email=text(row.get("EmailAddress")),
        invoice_email=text(row.get("InvoiceEmailAddress")),
        reference=text(row.get("ExternalImportReference")),
        is_archived=flag(row.get("IsArchived")),
        last_changed_at=stamp(row.get("LastChangedDateTimeOffset")),
    )


def contact_person(row: Row) -> RemoteContactPerson:
    return RemoteContactPerson(
        id=sure_number(row.get("Id")),
        contact_id=sure_number(row.get("ContactId")),
        first_name=text(row.get("FirstName")),
        last_name=text(row.get("LastName")),
        email=text(row.get("EmailAddress")),
        reference=text(row.get("ExternalCode")),
    )


def product(row: Row) -> RemoteProduct:
    return RemoteProduct(
        id=sure_number(row.get("Id")),
        code=text(row.get("Code")),
        name=text(row.get("Name")),
        price=amount(row.get("UnitPrice")),
        sales_account_id=number(row.get("StandardSalesAccountId")),
        group_id=number(row.get("ProductGroupId")),
        is_archived=flag(row.get("IsArchived")),
        last_changed_at=stamp(row.get("LastChangedDateTimeOffset")),
    )


def product_group(row: Row) -> ProductGroup:
    return ProductGroup(
        id=sure_number(row.get("Id")),
        code=text(row.get("Code")),
        name=text(row.get("Name")),
        sales_account_id=number(row.get("StandardSalesAccountId")),
    )


def order(row: Row) -> SalesOrder:
    lines = row.get("SalesOrderLines") or []
    if not isinstance(lines, list):
        raise TypeError("SalesOrderLines is not a list")
    count = number(row.get("LineCount"))
    return SalesOrder(
        id=uuid(row.get("Id")),
        number=number(row.get("SalesOrderNo")),
        locked=text(row.get("SalesOrderStatus")).lower() == "confirmed",
        reference=text(row.get("ExternalImportReference")),
        customer_number=number(row.get("CustomerNo")),
        customer_id=number(row.get("CustomerId")),
        net=sure_amount(row, "NetAmount"),
        total=sure_amount(row, "TotalAmount"),
        line_count=len(lines) if count is None else count,
        currency=text(row.get("CurrencyCode")),
        last_changed_at=stamp(row.get("LastChangedDateTimeOffset")),
        created_at=stamp(row.get("CreatedDateTimeOffset")),
        order_date=day(row.get("SalesOrderDate")),
        customer_reference=text(row.get("CustomerReference")),
        purchase_order_reference=text(row.get("PurchaseOrderReference")),
        contract_number=text(row.get("ContractNo")),
        lines=tuple(order_line(line) for line in lines),
    )


def order_line(row: Row) -> SalesOrderLine:
    return SalesOrderLine(
        id=uuid(row.get("Id")),
        reference=text(row.get("ExternalImportReference")),
        description=text(row.get("Description")),
        product_id=number(row.get("ProductId")),
        quantity=amount(row.get("Quantity")),
        unit_price=amount(row.get("ProductUnitPrice")),
        net=amount(row.get("NetAmount")) or Decimal(0),
        vat=amount(row.get("VatAmount")) or Decimal(0),
        total=amount(row.get("TotalAmount")) or Decimal(0),
        vat_rate=amount(row.get("VatRate")),
        discount_percent=amount(row.get("Allowance")) or Decimal(0),
    )


def attachment(row: Row) -> Attachment:
    return Attachment(
        id=sure_number(row.get("Id")),
        file_name=text(row.get("FileName")),
        file_size=number(row.get("FileSize")) or 0,
    )


def sent_state(row: Row) -> SentState:
    return SentState(
        order_id=uuid(row.get("Id")),
        being_processed=flag(row.get("IsInvoiceBeingProcessed")),
        sent_at=stamp(row.get("SentDateTimeOffset")),
        invoice_number=number(row.get("InvoiceNo")),
        due_date=day(row.get("DueDate")),
        delivery=text(row.get("InvoiceDeliveryType")),
        last_error=text(row.get("LastErrorMessage")),
    )


def invoice(row: Row) -> RemoteInvoice:
    """A missing balance is read as the whole amount: nothing is settled until Go says so."""
    total_posted = sure_amount(row, "TotalPostedAmount")
    balance = amount(row.get("Balance"))
    return RemoteInvoice(
        id=uuid(row.get("Id")),
        number=number(row.get("InvoiceNo")),
        is_credit_note=text(row.get("VoucherType")).lower() == "outgoingcreditnote",
        voucher_number=number(row.get("VoucherNo")),
        kid=text(row.get("Cid")),
        invoice_date=day(row.get("VoucherDate")),
        due_date=day(row.get("DueDate")),
        currency=text(row.get("CurrencyCode")),
        net=sure_amount(row, "NetAmount"),
        total=sure_amount(row, "TotalAmount"),
        total_posted=total_posted,
        balance=total_posted if balance is None else balance,
        balance_changed_at=stamp(row.get("BalanceLastChangedDateTimeOffset")),
        match_id=number(row.get("MatchId")),
        sent_at=stamp(row.get("SentDateTimeOffset")),
        delivery=text(row.get("InvoiceDeliveryType")),
        order_number=number(row.get("OrderNo")),
        related_invoice_number=number(row.get("RelatedInvoiceNo")),
        reference=text(row.get("ExternalImportReference")),
        customer_number=number(row.get("CustomerNo")),
        customer_id=number(row.get("CustomerId")),
        is_reversed=flag(row.get("IsReversed")),
    )


def invoice_line(row: Row) -> RemoteInvoiceLine:
    return RemoteInvoiceLine(
        id=sure_number(row.get("Id")),
        reference=text(row.get("ExternalImportReference")),
        description=text(row.get("Description")),
        product_id=number(row.get("ProductId")),
        quantity=amount(row.get("Quantity")),
        unit_price=amount(row.get("ProductUnitPrice")),
        net=sure_amount(row, "NetAmount"),
        vat=sure_amount(row, "VatAmount"),
        total=sure_amount(row, "TotalAmount"),
    )


def ledger_entry(row: Row) -> RemoteLedgerEntry:
    return RemoteLedgerEntry(
        id=sure_number(row.get("Id")),
        amount=sure_amount(row, "Amount"),
        balance=sure_amount(row, "Balance"),
        currency=text(row.get("CurrencyCode")),
        match_id=number(row.get("MatchId")),
        voucher_id=uuid(row.get("VoucherId")),
        voucher_number=number(row.get("VoucherNo")),
        voucher_type=text(row.get("VoucherType")),
        voucher_date=day(row.get("VoucherDate")),
        posting_date=day(row.get("PostingDate")),
        due_date=day(row.get("DueDate")),
        invoice_number=text(row.get("InvoiceNo")),
        kid=text(row.get("Cid")),
        reference=text(row.get("ExternalImportReference")),
        is_write_off=flag(row.get("IsWriteOff")),
        customer_id=number(row.get("CustomerId")),
        customer_number=number(row.get("CustomerAccountNo")),
        last_changed_at=stamp(row.get("LastChangedDateTimeOffset")),
    )


def customer_balance(row: Row) -> CustomerBalance:
    return CustomerBalance(
        customer_id=number(row.get("CustomerId")),
        customer_number=number(row.get("CustomerAccountNo")),
        balance=sure_amount(row, "Balance"),
    )


def vat_code(row: Row) -> VatCode:
    return VatCode(
        id=sure_number(row.get("Id")),
        code=text(row.get("Code")),
        name=text(row.get("Name")),
        rate=sure_amount(row, "Rate"),
        is_active=flag(row.get("IsActive"), default=True),
    )


def account(row: Row) -> LedgerAccount:
    return LedgerAccount(
        id=sure_number(row.get("Id")),
        number=sure_number(row.get("AccountNo")),
        name=text(row.get("Name")),
        vat_code=text(row.get("VatCode")),
        vat_code_id=number(row.get("VatCodeId")),
        is_active=flag(row.get("IsActive"), default=True),
        department_required=flag(row.get("IsDepartmentRequired")),
        project_required=flag(row.get("IsProjectRequired")),
    )


def lock_date(row: Row) -> date | None:
    return day(row.get("LockDate"))


def payment_term(row: Row) -> PaymentTerm:
    return PaymentTerm(
        id=sure_number(row.get("Id")),
        name=text(row.get("Name")),
        days=sure_number(row.get("CreditDays")),
        is_default=flag(row.get("IsDefault")),
    )


def dimension(row: Row) -> Dimension:
    return Dimension(
        id=sure_number(row.get("Id")),
        code=text(row.get("Code")),
        name=text(row.get("Name")),
        is_active=flag(row.get("IsActive"), default=True),
    )


# --- What we send -----------------------------------------------------------------------------------------------


def said(members: Mapping[str, object]) -> dict[str, object]:
    """Without what was left empty: Go then inherits or keeps its own."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def filters(**values: datetime | date | bool | str | None) -> dict[str, str]:
    """A query: moments in UTC, days as days, `true`; what is not set is left out."""
    query = {}
    for name, value in values.items():
        if isinstance(value, datetime):
            query[name] = stamp_text(value)
        elif isinstance(value, date):
            query[name] = value.isoformat()
        elif value:
            query[name] = "true" if value is True else value
    return query


def order_body(draft: SalesOrderDraft) -> dict[str, object]:
    """`POST /SalesOrders/Complete`. The status is always said, because the default is not known (reference §8.1)."""
    return {
        **said(
            {
                "CustomerId": draft.customer_id,
                "SalesOrderStatus": "Confirmed" if draft.locked else "Draft",
                "SalesOrderDate": draft.order_date.isoformat(),
                "DeliveryDate": draft.delivery_date.isoformat() if draft.delivery_date else None,
                "PaymentTerm": draft.payment_days,
                "CurrencyCode": draft.currency,
                "DepartmentCode": draft.department_code,
                "ProjectCode": draft.project_code,
                "CustomerReference": draft.customer_reference,
                "PurchaseOrderReference": draft.purchase_order_reference,
                "ContractNo": draft.contract_number,
                "ExternalImportReference": draft.reference,
                "ImportedOrderNo": draft.order_number,
                "RelatedInvoiceNo": draft.related_invoice_number,
            }
        ),
        "SalesOrderLines": [_order_line_body(line) for line in draft.lines],
    }


def _order_line_body(line: SalesOrderLineDraft) -> dict[str, object]:
    """A product line says its discount even when it is zero: left out, Go would take the customer's own."""
    members: dict[str, object] = {
        "LineType": "Text" if line.product_id is None else "Normal",
        "SortOrder": line.sort_order,
        "Description": line.description,
        "ExternalImportReference": line.reference,
    }
    if line.product_id is not None:
        members |= {
            "ProductId": line.product_id,
            "Quantity": line.quantity,
            "ProductUnitPrice": line.unit_price,
            "Allowance": line.discount_percent,
            "DepartmentCode": line.department_code,
            "ProjectCode": line.project_code,
        }
    if line.accrual:
        members["Accrual"] = {
            "FromDate": line.accrual.from_date.isoformat(),
            "ToDate": line.accrual.to_date.isoformat(),
            "IsActive": True,
        }
    return said(members)


def customer_body(draft: CustomerDraft) -> dict[str, object]:
    """`POST /Customers`. Go wants a person's name in two parts; a register may know only the whole of it."""
    names: dict[str, object] = {}
    if draft.is_person and not (draft.first_name or draft.last_name):
        first, last = first_and_last(draft.name)
        names = {"FirstName": first, "LastName": last}
    return {**customer_members(draft), **said({"PaymentTerm": draft.payment_days, **names})}


def customer_members(draft: CustomerDraft) -> dict[str, object]:
    """What may be both set and changed. The payment term is not: days can be sent on POST only (reference §8.6).

    An address is sent only with the postcode and city that Go demands of one.
    """
    address = draft.address
    return said(
        {
            "IsPerson": draft.is_person,
            "Name": "" if draft.is_person else draft.name,
            "FirstName": draft.first_name if draft.is_person else "",
            "LastName": draft.last_name if draft.is_person else "",
            "OrganizationNumber": "" if draft.is_person else draft.organisation_number,
            "Number": draft.number,
            "ExternalImportReference": draft.reference,
            "EmailAddress": draft.email,
            "InvoiceEmailAddress": draft.invoice_email,
            "PhoneNumber": draft.phone,
            "MailAddress": said(
                {
                    "AddressLine1": address.line1,
                    "AddressLine2": address.line2,
                    "ZipCode": address.zip_code,
                    "City": address.city,
                    "CountryCode": address.country,
                }
            )
            if address.zip_code and address.city
            else None,
            "InvoiceDeliveryType": CUSTOMER_DELIVERY.get(draft.delivery),
            "SendPaymentReminders": draft.send_reminders,
            "TransferToDebtCollectionAgency": draft.transfer_to_debt_collection,
        }
    )


def contact_person_members(draft: ContactPersonDraft) -> dict[str, object]:
    return said(
        {
            "FirstName": draft.first_name,
            "LastName": draft.last_name,
            "EmailAddress": draft.email,
            "PhoneNumber": draft.phone,
            "ExternalCode": draft.reference,
            "IsDefault": draft.is_default,
        }
    )


def product_body(draft: ProductDraft) -> dict[str, object]:
    """`POST /Products`. A group can be named by its code here and only here."""
    return {**product_members(draft), **said({"ProductGroupCode": draft.group_code})}


def product_members(draft: ProductDraft) -> dict[str, object]:
    return said(
        {
            "Code": draft.code,
            "Name": draft.name,
            "UnitOfMeasureCode": draft.unit,
            "UnitPrice": draft.price,
            "UnitCost": draft.cost,
            "Gtin": draft.gtin,
            "StandardSalesAccountId": draft.sales_account_id,
        }
    )


ORDER_CHANGES = {
    "contract_number": "ContractNo",
    "currency": "CurrencyCode",
    "customer_id": "CustomerId",
    "customer_reference": "CustomerReference",
    "delivery_date": "DeliveryDate",
    "department_id": "DepartmentId",
    "locked": "SalesOrderStatus",
    "order_date": "SalesOrderDate",
    "order_number": "ImportedOrderNo",
    "payment_term_id": "PaymentTermId",
    "project_id": "ProjectId",
    "purchase_order_reference": "PurchaseOrderReference",
    "reference": "ExternalImportReference",
    "related_invoice_number": "RelatedInvoiceNo",
}
"""Our words for the header members that a sales order's patch may change (reference §8.6)."""


def order_changes(changes: Mapping[str, object]) -> dict[str, object]:
    """Raises ValueError for a word that cannot be changed. None clears."""
    unknown = sorted(set(changes) - set(ORDER_CHANGES))
    if unknown:
        raise ValueError(f"A sales order has no {', '.join(unknown)} that can be changed.")
    members: dict[str, object] = {}
    for word, value in changes.items():
        if word == "locked":
            members[ORDER_CHANGES[word]] = "Confirmed" if value else "Draft"
        else:
            members[ORDER_CHANGES[word]] = value.isoformat() if isinstance(value, date) else value
    return members


def patch(members: Mapping[str, object]) -> list[dict[str, object]]:
    """JSON Patch that replaces whole members. PascalCase paths: camelCase was seen to be ignored (reference §5)."""
    return [{"op": "replace", "path": f"/{name}", "value": value} for name, value in members.items()]


def send_body(*, delivery: str, email: str, voucher_date: date | None, due_date: date | None) -> dict[str, object]:
    return said(
        {
            "DeliveryType": delivery,
            "EmailAddress": email,
            "VoucherDate": voucher_date.isoformat() if voucher_date else None,
            "OverrideDueDate": due_date.isoformat() if due_date else None,
        }
    )
