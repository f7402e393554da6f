"""Outgoing invoices and the customer ledger, read-only (reference §9 and §10.2, rows 53-57)."""

from typing import Any

from django.db.models import Q

from integration.sandbox import words
from integration.sandbox.books import Books
from integration.sandbox.errors import invalid, missing
from integration.sandbox.fields import DELIBERATELY_NONE, names, shown
from integration.sandbox.ledger import balances_on, entry_words, invoice_of
from integration.sandbox.lists import in_ranges, within
from integration.sandbox.models import Invoice, LedgerEntry
from integration.sandbox.orders import by_customer, by_dimension
from integration.sandbox.transport import Answer, Call, changed_since, endpoint
from integration.sandbox.wire import kroner

Row = dict[str, Any]
CARRIED = {
    name: field
    for name, field in words.ORDER.items()
    if name not in {"ContactDeliveryAddressId", "SalesOrderDate", "SalesOrderStatus", "PaymentTerm"}
    and not name.startswith("SalesPerson")
}
LINE_WORDS = {name: field for name, field in words.LINE.items() if name not in {"Accrual", "UseStandardSalesAccount"}}
AMOUNTS = ("NetAmount", "VatAmount", "TotalAmount", "NetPostedAmount", "TotalPostedAmount")
INVOICE_MEMBERS = frozenset(CARRIED) | frozenset(
    names(
        "Id VoucherNo VoucherType InvoiceNo VoucherDate DueDate PaymentTerm Cid NetAmount TotalAmount "
        "NetPostedAmount TotalPostedAmount Balance BalanceLastChangedDateTimeOffset MatchId SentDateTimeOffset "
        "InvoiceDeliveryType OrderNo OrderDate IsReversed CreatedDateTimeOffset LastChangedDateTimeOffset "
        "IsCreatedByCurrentIntegration DeliveryAddress1 DeliveryAddress2 DeliveryAddressCity "
        "DeliveryAddressCountryCode DeliveryAddressZipCode"
    )
)
LINE_MEMBERS = frozenset(LINE_WORDS) | frozenset(
    ("Id", "AccountId", "AccountNo", "IsAccrued", "VatCode", "VatId", "VatRate", *AMOUNTS)
)


def invoice_words(books: Books, invoice: Invoice) -> Row:
    """An invoice as an answer shows it; Balance is in NOK (reference §9)."""
    books.know(invoice.customer)
    entry, header = invoice.entry, invoice.header
    address = invoice.customer.data.get("MailAddress") or {}
    row: Row = {"Id": invoice.pk, **shown(books, CARRIED, header)}
    row["CurrencyExchangeRate"] = header.get("CurrencyExchangeRate") or 1
    return row | {
        "VoucherNo": entry.voucher_no,
        "VoucherType": entry.voucher_type,
        "InvoiceNo": invoice.invoice_no,
        "VoucherDate": entry.voucher_date,
        "DueDate": entry.due_date,
        "PaymentTerm": header.get("PaymentTerm"),
        "Cid": entry.cid or None,
        "NetAmount": kroner(invoice.net_ore),
        "TotalAmount": kroner(invoice.total_ore),
        "NetPostedAmount": kroner(invoice.net_posted_ore),
        "TotalPostedAmount": kroner(entry.amount_ore),
        "Balance": kroner(entry.balance_ore),
        "BalanceLastChangedDateTimeOffset": entry.changed_at,
        "MatchId": entry.match_id,
        "SentDateTimeOffset": invoice.sent_at,
        "InvoiceDeliveryType": invoice.delivery_type,
        "OrderNo": invoice.order_no,
        "OrderDate": header.get("OrderDate"),
        "IsReversed": invoice.is_reversed,
        "CreatedDateTimeOffset": invoice.draft_created_at,
        "LastChangedDateTimeOffset": invoice.changed_at,
        "IsCreatedByCurrentIntegration": bool(invoice.application_key)
        and invoice.application_key == books.application_key,
        "DeliveryAddress1": address.get("AddressLine1"),
        "DeliveryAddress2": address.get("AddressLine2"),
        "DeliveryAddressCity": address.get("City"),
        "DeliveryAddressCountryCode": address.get("CountryCode", "NO") if address else None,
        "DeliveryAddressZipCode": address.get("ZipCode"),
    }


def line_words(books: Books, line: Row) -> Row:
    """A line of an invoice."""
    account = books.record("GeneralLedgerAccount", line.get("AccountId"))
    row: Row = {"Id": line["Id"], **shown(books, LINE_WORDS, line)}
    row |= {name: line.get(name, 0) for name in AMOUNTS}
    row["ProductUnitPrice"] = line.get("ProductUnitPrice") or 0
    return row | {
        "AccountId": line.get("AccountId"),
        "AccountNo": int(account.code or 0) if account else None,
        "IsAccrued": bool((line.get("Accrual") or {}).get("IsActive")),
        "VatCode": line.get("VatCode"),
        "VatId": line.get("VatId"),
        "VatRate": line.get("VatRate") or 0,
    }


@endpoint(
    "GET",
    "/OutgoingInvoices",
    "OutgoingInvoice",
    parameters={
        "balanceLastChangedDateTimeOffsetGreaterThan": "moment",
        "customerNos": "ranges",
        "customMatchingReferences": "texts",
        "departmentCodes": "texts",
        "fromDate": "date",
        "includeSubProject": "bool",
        "invoiceIds": "uuids",
        "invoiceNos": "ranges",
        "onlyCreatedByCurrentIntegration": "bool",
        "onlyUnpaidInvoices": "bool",
        "projectCodes": "texts",
        "sentDateTimeOffsetGreaterThan": "moment",
        "toDate": "date",
        "voucherNos": "ranges",
        "externalImportReferences": "texts",
        "importedOrderNos": "ranges",
        "orderNos": "ranges",
    },
    later=frozenset({"externalImportReferences", "importedOrderNos", "orderNos"}),
    members=INVOICE_MEMBERS,
)
def list_invoices(call: Call) -> list[Row]:
    """Invoices and credit notes; the balance filter gives new and changed ones (row 55)."""
    books, query = call.books, call.query
    condition = (
        changed_since(query, "entry__changed_at", "balanceLastChangedDateTimeOffsetGreaterThan")
        & changed_since(query, "sent_at", "sentDateTimeOffsetGreaterThan")
        & by_customer(books, query)
    )
    for name, column in (
        ("customMatchingReferences", "entry__matching_reference__in"),
        ("invoiceIds", "pk__in"),
        ("externalImportReferences", "reference__in"),
        ("fromDate", "entry__voucher_date__gte"),
        ("toDate", "entry__voucher_date__lte"),
    ):
        if name in query:
            condition &= Q(**{column: query[name]})
    for name, column in (
        ("invoiceNos", "invoice_no"),
        ("voucherNos", "entry__voucher_no"),
        ("orderNos", "order_no"),
    ):
        if name in query:
            condition &= in_ranges(column, query[name])
    if query.get("onlyCreatedByCurrentIntegration"):
        condition &= Q(application_key=books.application_key)
    if query.get("onlyUnpaidInvoices"):
        condition &= ~Q(entry__balance_ore=0)
    if books.replica_lags:
        condition &= Q(sent_at__lte=books.seen_from)
    invoices = Invoice.objects.select_related("entry", "customer").filter(condition, company=books.company)
    rows = [invoice_words(books, invoice) for invoice in invoices.order_by("invoice_no")]
    return [row for row in rows if by_dimension(row, query)]


def read_invoice(call: Call) -> Invoice:
    """The invoice in the path, or 404."""
    invoice = invoice_of(call.books, call.ids["id"])
    if invoice is None or call.books.too_new(invoice.sent_at):
        raise missing(f"OutgoingInvoice with id = {call.ids['id']} not found.")
    return invoice


@endpoint("GET", "/OutgoingInvoices/{id:uuid}", "OutgoingInvoice")
def get_invoice(call: Call) -> Answer:
    """One invoice."""
    return Answer(200, invoice_words(call.books, read_invoice(call)))


@endpoint("GET", "/OutgoingInvoices/{id:uuid}/Lines", "OutgoingInvoice", members=LINE_MEMBERS)
def list_invoice_lines(call: Call) -> list[Row]:
    """Its lines, with ids of their own (row 53)."""
    return [line_words(call.books, line) for line in read_invoice(call).lines]


ENTRY_MEMBERS = frozenset(
    names(
        "Id Amount Balance Cid CreatedDateTimeOffset CreatedFromImportJournalId CurrencyAmount CurrencyCode "
        "CustomMatchingReference CustomerAccountNo CustomerExternalNo CustomerId CustomerName DepartmentCode "
        "DepartmentId ProjectCode ProjectId LocationCode LocationId Dim1Code Dim1Id Dim2Code Dim2Id Dim3Code "
        "Dim3Id DueDate ExternalImportReference InvoiceNo IsCreatedByCurrentIntegration IsWriteOff "
        "LastChangedDateTimeOffset MatchId PaidFromBankAccount PostingDate VoucherDate VoucherId VoucherNo "
        "VoucherType"
    )
)
ENTRY_FILTERS = {
    "contactGroupIds": "ids",
    "createdDateTimeOffsetGreaterThan": "moment",
    "customerNos": "ranges",
    "customMatchingReferences": "texts",
    "departmentCodes": "texts",
    "externalNos": "ranges",
    "includeSubProject": "bool",
    "invoiceNos": "ranges",
    "lastChangedDateTimeOffsetGreaterThan": "moment",
    "onlyBalancesLessThanAmount": "bool",
    "onlyCreatedByCurrentIntegration": "bool",
    "projectCodes": "texts",
    "subLedgerNumberSeriesIds": "uuids",
    "voucherTypes": "texts",
}


def need(call: Call, *names: str) -> None:
    """A missing date is 404, so it was observed (row 57)."""
    absent = [name for name in names if name not in call.query]
    if absent and call.books.switches["missing_ledger_date"] == "404":
        raise missing(f"{absent[0]} is required.")
    if absent:
        raise invalid("Request", f"{absent[0]} is required.")


def entries(call: Call, condition: Q) -> list[LedgerEntry]:
    """Entries by the filters that Statement and OpenItems share."""
    books, query = call.books, call.query
    condition &= changed_since(query, "created_at", "createdDateTimeOffsetGreaterThan")
    condition &= changed_since(query, "changed_at", "lastChangedDateTimeOffsetGreaterThan")
    condition &= by_customer(books, query)
    if "customMatchingReferences" in query:
        condition &= Q(matching_reference__in=query["customMatchingReferences"])
    if "voucherTypes" in query:
        spelled = {name.lower(): name for name in words.VOUCHER_TYPES}
        unknown = [name for name in query["voucherTypes"] if name.lower() not in spelled]
        if unknown:
            raise invalid("Request", f"The value '{unknown[0]}' is not valid for voucherTypes.")
        condition &= Q(voucher_type__in=[spelled[name.lower()] for name in query["voucherTypes"]])
    if query.get("onlyCreatedByCurrentIntegration"):
        condition &= Q(application_key=books.application_key)
    if books.replica_lags:
        condition &= Q(created_at__lte=books.seen_from)
    rows = LedgerEntry.objects.select_related("customer").filter(condition, company=books.company).order_by("pk")
    return [entry for entry in rows if by_customer_more(entry, query)]


def by_customer_more(entry: LedgerEntry, query: Row) -> bool:
    """The filters that look at the customer or at the number in text."""
    data = entry.customer.data
    if "contactGroupIds" in query and not set(data.get("ContactGroupIds") or []) & set(query["contactGroupIds"]):
        return False
    if "externalNos" in query and not within(data.get("ExternalNumber"), query["externalNos"]):
        return False
    if "invoiceNos" in query and not within(int(entry.invoice_no) if entry.invoice_no else None, query["invoiceNos"]):
        return False
    without = str(DELIBERATELY_NONE)
    return without in query.get("departmentCodes", [without]) and without in query.get("projectCodes", [without])


def with_balances(call: Call, found: list[LedgerEntry], day: Any) -> list[tuple[LedgerEntry, int]]:
    """Entries with their balance as it was on a day, in øre."""
    offset = balances_on(call.books.company, day)
    return [(entry, entry.amount_ore + offset.get(entry.pk, 0)) for entry in found]


def entry_rows(call: Call, pairs: list[tuple[LedgerEntry, int]]) -> list[Row]:
    """The answer of Statement and OpenItems."""
    if call.query.get("onlyBalancesLessThanAmount"):
        pairs = [(entry, balance) for entry, balance in pairs if abs(balance) < abs(entry.amount_ore)]
    return [entry_words(call.books, entry, balance) for entry, balance in pairs]


@endpoint(
    "GET",
    "/Customerledger/Statement",
    "CustomerLedger",
    parameters={"fromDate": "date", "toDate": "date", **ENTRY_FILTERS},
    members=ENTRY_MEMBERS,
)
def statement(call: Call) -> list[Row]:
    """All entries posted in an interval; Balance as at its end."""
    need(call, "fromDate", "toDate")
    condition = Q(voucher_date__gte=call.query["fromDate"], voucher_date__lte=call.query["toDate"])
    return entry_rows(call, with_balances(call, entries(call, condition), call.query["toDate"]))


@endpoint(
    "GET",
    "/Customerledger/OpenItems",
    "CustomerLedger",
    parameters={"date": "date", **ENTRY_FILTERS},
    members=ENTRY_MEMBERS,
)
def open_items(call: Call) -> list[Row]:
    """The entries that were open on a day."""
    need(call, "date")
    pairs = with_balances(call, entries(call, Q(voucher_date__lte=call.query["date"])), call.query["date"])
    return entry_rows(call, [(entry, balance) for entry, balance in pairs if balance])


@endpoint(
    "GET",
    "/Customerledger/EntriesByMatchId",
    "CustomerLedger",
    parameters={"matchId": "int"},
    members=ENTRY_MEMBERS,
)
def entries_by_match(call: Call) -> list[Row]:
    """A matched group."""
    need(call, "matchId")
    group = LedgerEntry.objects.select_related("customer").filter(
        company=call.books.company, match_id=call.query["matchId"]
    )
    return [entry_words(call.books, entry) for entry in group.order_by("pk")]


@endpoint(
    "GET",
    "/Customerledger/CustomerBalances",
    "CustomerLedger",
    parameters={
        "date": "date",
        "contactGroupIds": "ids",
        "includeOnlyOpenItems": "bool",
        "subLedgerNumberSeriesIds": "uuids",
    },
    members=frozenset(names("Balance CustomerAccountNo CustomerExternalNo CustomerId CustomerName")),
)
def customer_balances(call: Call) -> list[Row]:
    """What each customer owed on a day; customers without entries are left out."""
    need(call, "date")
    sums: dict[int, Row] = {}
    for entry, balance in with_balances(
        call, entries(call, Q(voucher_date__lte=call.query["date"])), call.query["date"]
    ):
        customer = entry.customer
        row = sums.setdefault(
            customer.pk,
            {
                "Balance": 0,
                "CustomerAccountNo": int(customer.code or 0),
                "CustomerExternalNo": customer.data.get("ExternalNumber"),
                "CustomerId": customer.pk,
                "CustomerName": customer.title,
            },
        )
        row["Balance"] += balance
    rows = list(sums.values())
    if call.query.get("includeOnlyOpenItems"):
        rows = [row for row in rows if row["Balance"]]
    return [{**row, "Balance": kroner(row["Balance"])} for row in rows]
