"""The calls of PowerOffice Go, API v2. Typed words in, typed words out; raises only what `integration/errors.py` holds.

Pages of the developer portal: developer.poweroffice.net -> Endpoints; what is known of each is in the API reference.
Lists are read page by page and are **not in the order of time**: they are sorted by a key that does not move, so that a
change made while we read hides no row. A watermark may be moved only after the last row. A row can come twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from urllib3.filepost import encode_multipart_formdata

from integration.clients import json_text
from integration.clients.http import Body, HttpClient
from integration.clients.poweroffice import wire
from integration.clients.poweroffice.values import Row
from integration.errors import Evidence, NotFound, Refused, Unavailable
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
    SentState,
    VatCode,
)

T = TypeVar("T")
PAGE_SIZE = 5000
ORDERS_BY_REFERENCE, INVOICES_BY_REFERENCE = "orders by reference", "invoices by reference"
SHOW_INHERITED = {"showInherited": "true"}
"""Also what an order inherits from customer and settings, for example its currency."""


class PowerOfficeClient:
    """One Go company's books. Made by `remotes.go_client` for one use, by one thread."""

    def __init__(self, *, http: HttpClient, page_size: int = PAGE_SIZE) -> None:
        self._http = http
        self._page_size = page_size

    def __repr__(self) -> str:
        return f"PowerOfficeClient({self._http!r})"

    @property
    def last_evidence(self) -> Evidence:
        """What was said in the latest exchange, masked: for the log book, also when all went well."""
        return self._http.last_evidence

    # --- Who we are: ClientIntegrationInformation -----------------------------------------------------------------

    def client_information(self) -> ClientInformation:
        """Asked once: a probe of a server that is down does not knock three times."""
        return self._http.get(
            "/ClientIntegrationInformation",
            wire.one(wire.client_information),
            what="Testing the connection",
            most_tries=1,
        )

    # --- Customers, ContactPersons --------------------------------------------------------------------------------

    def customers(
        self,
        *,
        changed_since: datetime | None = None,
        reference: str = "",
        numbers: Sequence[int] = (),
        organisation_numbers: Sequence[str] = (),
        emails: Sequence[str] = (),
    ) -> Iterator[RemoteCustomer]:
        """Customers that fit all that is given. `changed_since` is exclusive. Of the sequences, give at most one."""
        params = wire.filters(lastChangedDateTimeOffsetGreaterThan=changed_since, externalImportReference=reference)
        name, values = _the_one(
            customerNos=[str(number) for number in numbers],
            organizationNumbers=organisation_numbers,
            emailAddresses=emails,
        )
        return self._list(
            "/Customers",
            wire.customer,
            what="Reading customers",
            fields=wire.CUSTOMER_FIELDS,
            params=params,
            name=name,
            values=values,
        )

    def customer(self, customer_id: int) -> RemoteCustomer:
        return self._http.get(
            f"/Customers/{customer_id}", wire.one(wire.customer), what=f"Reading customer {customer_id}"
        )

    def create_customer(self, draft: CustomerDraft) -> RemoteCustomer:
        return self._write(
            "POST",
            "/Customers",
            wire.customer,
            what=f"Creating customer {draft.name}",
            members=wire.customer_body(draft),
        )

    def update_customer(self, customer_id: int, draft: CustomerDraft) -> RemoteCustomer:
        """Change what the draft says; what it leaves empty stays as it is, and so does the payment term."""
        return self._patch(
            f"/Customers/{customer_id}",
            wire.customer,
            what=f"Updating customer {draft.name}",
            members=wire.customer_members(draft),
        )

    def delete_customer(self, customer_id: int) -> None:
        """Raises `Conflict` for a customer with transactions."""
        self._http.write("DELETE", f"/Customers/{customer_id}", wire.nothing, what=f"Deleting customer {customer_id}")

    def contact_persons(self, customer_id: int) -> Iterator[RemoteContactPerson]:
        return self._list(
            "/ContactPersons",
            wire.contact_person,
            what=f"Reading contact persons of customer {customer_id}",
            fields=wire.CONTACT_PERSON_FIELDS,
            params={"contactIds": str(customer_id)},
        )

    def create_contact_person(self, customer_id: int, draft: ContactPersonDraft) -> RemoteContactPerson:
        return self._write(
            "POST",
            f"/ContactPersons/{customer_id}",
            wire.contact_person,
            what=f"Creating contact person {draft.first_name} {draft.last_name}",
            members=wire.contact_person_members(draft),
        )

    def update_contact_person(
        self, customer_id: int, contact_person_id: int, draft: ContactPersonDraft
    ) -> RemoteContactPerson:
        return self._patch(
            f"/ContactPersons/{customer_id}/{contact_person_id}",
            wire.contact_person,
            what=f"Updating contact person {draft.first_name} {draft.last_name}",
            members=wire.contact_person_members(draft),
        )

    def delete_contact_person(self, customer_id: int, contact_person_id: int) -> None:
        self._http.write(
            "DELETE",
            f"/ContactPersons/{customer_id}/{contact_person_id}",
            wire.nothing,
            what=f"Deleting contact person {contact_person_id}",
        )

    # --- Products, ProductGroups ----------------------------------------------------------------------------------

    def products(self, *, changed_since: datetime | None = None, codes: Sequence[str] = ()) -> Iterator[RemoteProduct]:
        """`changed_since` is exclusive. A code with a comma cannot be asked for."""
        return self._list(
            "/Products",
            wire.product,
            what="Reading products",
            fields=wire.PRODUCT_FIELDS,
            params=wire.filters(lastChangedDateTimeOffsetGreaterThan=changed_since),
            name="codes" if codes else "",
            values=codes,
        )

    def create_product(self, draft: ProductDraft) -> RemoteProduct:
        """Documented to answer 200, seen to answer 201."""
        return self._write(
            "POST",
            "/Products",
            wire.product,
            what=f"Creating product {draft.code}",
            members=wire.product_body(draft),
        )

    def update_product(self, product_id: int, draft: ProductDraft) -> RemoteProduct:
        """Change what the draft says, but not its group: that can be named by code only when a product is made."""
        return self._patch(
            f"/Products/{product_id}",
            wire.product,
            what=f"Updating product {draft.code}",
            members=wire.product_members(draft),
        )

    def product_groups(self) -> Iterator[ProductGroup]:
        return self._list(
            "/ProductGroups", wire.product_group, what="Reading product groups", fields=wire.PRODUCT_GROUP_FIELDS
        )

    # --- SalesOrders ----------------------------------------------------------------------------------------------

    def create_order(self, draft: SalesOrderDraft, *, before_send: Callable[[], None] | None = None) -> SalesOrder:
        """Create the order with its lines, in one request that is sent once.

        `before_send` is called right before each time the request leaves, after token and pace, and may raise to stop
        it: then nothing was sent. (It leaves a second time only if the first was answered with 401: nothing done.)
        Raises `InDoubt` when the outcome is unknown, `Refused` or `Conflict` also for a reference that is taken.
        """
        return self._write(
            "POST",
            "/SalesOrders/Complete",
            wire.order,
            what=f"Creating sales order {draft.reference}",
            members=wire.order_body(draft),
            before_send=before_send,
        )

    def orders(
        self,
        *,
        only_ours: bool = False,
        customer_numbers: Sequence[int] = (),
        changed_since: datetime | None = None,
    ) -> Iterator[SalesOrder]:
        """All unsent orders that fit, without lines. `changed_since` is exclusive."""
        return self._orders(
            wire.filters(onlyCreatedByCurrentIntegration=only_ours, lastChangedDateTimeOffsetGreaterThan=changed_since),
            name="customerNos" if customer_numbers else "",
            values=[str(number) for number in customer_numbers],
        )

    def find_orders(self, references: Sequence[str], *, since: datetime) -> dict[str, SalesOrder]:
        """The unsent orders with these references; those not found are not in the answer.

        Where Go refuses to look up by reference, all our orders changed after `since` are read instead.
        """
        if not references:
            return {}
        if ORDERS_BY_REFERENCE not in self._http.refused:
            try:
                return _by_reference(self._orders({}, name="externalImportReferences", values=references), references)
            except Refused as error:
                if error.evidence.status != 400:
                    raise
        found = _by_reference(self.orders(only_ours=True, changed_since=since), references)
        self._http.refused.add(ORDERS_BY_REFERENCE)
        return found

    def order(self, order_id: str) -> SalesOrder:
        """The order without its lines. Raises `NotFound` also for one that has been sent."""
        return self._http.get(
            f"/SalesOrders/{_id(order_id)}",
            wire.one(wire.order),
            what=f"Reading sales order {order_id}",
            params=SHOW_INHERITED,
        )

    def order_with_lines(self, order_id: str) -> SalesOrder:
        return self._http.get(
            f"/SalesOrders/{_id(order_id)}/Complete",
            wire.one(wire.order),
            what=f"Reading sales order {order_id}",
            params=SHOW_INHERITED,
        )

    def update_order(self, order_id: str, changes: Mapping[str, object]) -> SalesOrder:
        """Change members of the header by the words of `wire.ORDER_CHANGES`, as in `{"locked": False}`. None clears."""
        return self._patch(
            f"/SalesOrders/{_id(order_id)}",
            wire.order,
            what=f"Changing sales order {order_id}",
            members=wire.order_changes(changes),
        )

    def delete_order(self, order_id: str) -> None:
        """Raises `Conflict` for a locked order."""
        self._http.write(
            "DELETE", f"/SalesOrders/{_id(order_id)}", wire.nothing, what=f"Deleting sales order {order_id}"
        )

    def attachments(self, order_id: str) -> Iterator[Attachment]:
        return self._list(
            f"/SalesOrders/{_id(order_id)}/attachments",
            wire.attachment,
            what=f"Reading attachments of sales order {order_id}",
            fields=wire.ATTACHMENT_FIELDS,
        )

    def add_attachment(self, order_id: str, file_name: str, content: bytes, content_type: str) -> Attachment:
        """Uploading twice makes two attachments: look at the list first when the outcome is unknown."""
        encoded, encoded_type = encode_multipart_formdata({"file": (file_name, content, content_type)})
        return self._http.write(
            "POST",
            f"/SalesOrders/{_id(order_id)}/attachments",
            wire.one(wire.attachment),
            what=f"Attaching {file_name} to sales order {order_id}",
            body=Body(encoded, encoded_type, shown=f"{file_name}, {len(content)} bytes, {content_type}"),
        )

    def attachment_content(self, order_id: str, attachment_id: int) -> bytes:
        return self._http.get(
            f"/SalesOrders/{_id(order_id)}/attachments/{attachment_id}",
            wire.file,
            what=f"Reading attachment {attachment_id} of sales order {order_id}",
        )

    def delete_attachment(self, order_id: str, attachment_id: int) -> None:
        self._http.write(
            "DELETE",
            f"/SalesOrders/{_id(order_id)}/attachments/{attachment_id}",
            wire.nothing,
            what=f"Deleting attachment {attachment_id} of sales order {order_id}",
        )

    def send_order(
        self,
        order_id: str,
        *,
        email: str = "",
        voucher_date: date | None = None,
        due_date: date | None = None,
        delivery: str = "Auto",
    ) -> None:
        """Ask Go to send the invoice; it does so later. In doubt, ask `sent_state` before sending again."""
        self._http.write(
            "POST",
            f"/SalesOrders/{_id(order_id)}/createAndSendInvoice",
            wire.object_or_nothing,
            what=f"Sending the invoice of sales order {order_id}",
            body=_json(
                wire.send_body(delivery=delivery, email=email, voucher_date=voucher_date, due_date=due_date),
            ),
        )

    def sent_state(self, order_id: str) -> SentState | None:
        """What became of sending; None when Go knows of no sending."""
        states = self._http.get(
            "/SalesOrders/sentState",
            wire.page_of(wire.sent_state),
            what=f"Asking whether sales order {order_id} was sent",
            params={"id": order_id},
        ).rows
        return next((state for state in states if state.order_id == str(UUID(order_id))), None)

    # --- OutgoingInvoices -----------------------------------------------------------------------------------------

    def invoices(
        self,
        *,
        balance_changed_since: datetime | None = None,
        ids: Sequence[str] = (),
        customer_numbers: Sequence[int] = (),
        numbers: Sequence[int] = (),
        from_date: date | None = None,
        only_unpaid: bool = False,
    ) -> Iterator[RemoteInvoice]:
        """Sent invoices and credit notes that fit all that is given. `balance_changed_since` is exclusive.

        A newly sent invoice counts as a changed balance. `from_date` is the invoice date, inclusive. Of `ids`,
        `customer_numbers` and `numbers` (of invoices), give at most one.
        """
        name, values = _the_one(
            invoiceIds=ids,
            customerNos=[str(number) for number in customer_numbers],
            invoiceNos=[str(number) for number in numbers],
        )
        return self._invoices(
            wire.filters(
                balanceLastChangedDateTimeOffsetGreaterThan=balance_changed_since,
                fromDate=from_date,
                onlyUnpaidInvoices=only_unpaid,
            ),
            name=name,
            values=values,
        )

    def find_invoices(self, references: Sequence[str], *, since: datetime) -> dict[str, RemoteInvoice]:
        """The sent invoices with these references; those not found are not in the answer.

        Where Go refuses to look up by reference, all invoices whose balance changed after `since` are read instead:
        not only ours, because an invoice that a person sent does not count as ours (reference §9).
        """
        if not references:
            return {}
        if INVOICES_BY_REFERENCE not in self._http.refused:
            try:
                return _by_reference(self._invoices({}, name="externalImportReferences", values=references), references)
            except Refused as error:
                if error.evidence.status != 400:
                    raise
        found = _by_reference(self.invoices(balance_changed_since=since), references)
        self._http.refused.add(INVOICES_BY_REFERENCE)
        return found

    def invoice(self, invoice_id: str) -> RemoteInvoice:
        return self._http.get(
            f"/OutgoingInvoices/{_id(invoice_id)}", wire.one(wire.invoice), what=f"Reading invoice {invoice_id}"
        )

    def invoice_lines(self, invoice_id: str) -> list[RemoteInvoiceLine]:
        return list(
            self._list(
                f"/OutgoingInvoices/{_id(invoice_id)}/Lines",
                wire.invoice_line,
                what=f"Reading the lines of invoice {invoice_id}",
                fields=wire.INVOICE_LINE_FIELDS,
            )
        )

    # --- Customerledger -------------------------------------------------------------------------------------------

    def ledger(
        self, *, from_date: date, to_date: date, changed_since: datetime | None = None
    ) -> Iterator[RemoteLedgerEntry]:
        """Entries posted from and to these days, both included; balances as at `to_date`."""
        return self._ledger(
            "Statement",
            wire.filters(fromDate=from_date, toDate=to_date, lastChangedDateTimeOffsetGreaterThan=changed_since),
        )

    def ledger_by_match(self, match_id: int) -> Iterator[RemoteLedgerEntry]:
        """The entries that are matched with each other."""
        return self._ledger("EntriesByMatchId", {"matchId": str(match_id)})

    def open_items(self, on: date) -> Iterator[RemoteLedgerEntry]:
        return self._ledger("OpenItems", wire.filters(date=on))

    def customer_balances(self, on: date) -> Iterator[CustomerBalance]:
        """Per customer, in NOK; customers without entries are left out."""
        return self._list(
            "/Customerledger/CustomerBalances",
            wire.customer_balance,
            what="Reading customer balances",
            fields=wire.BALANCE_FIELDS,
            params=wire.filters(date=on),
            order_by="CustomerId asc",
        )

    # --- Registers ------------------------------------------------------------------------------------------------

    def vat_codes(self) -> Iterator[VatCode]:
        return self._list("/VatCodes", wire.vat_code, what="Reading VAT codes", fields=wire.VAT_CODE_FIELDS)

    def accounts(self, numbers: Sequence[int] = ()) -> Iterator[LedgerAccount]:
        return self._list(
            "/GeneralLedgerAccounts",
            wire.account,
            what="Reading ledger accounts",
            fields=wire.ACCOUNT_FIELDS,
            name="accountNos" if numbers else "",
            values=[str(number) for number in numbers],
        )

    def lock_date(self) -> date | None:
        """Nothing is posted on this day or before. None: Go does not say. Needs a right of its own."""
        return self._http.get("/LockDateSettings", wire.one(wire.lock_date), what="Reading the lock date")

    def payment_terms(self) -> Iterator[PaymentTerm]:
        return self._list(
            "/PaymentTerms", wire.payment_term, what="Reading payment terms", fields=wire.PAYMENT_TERM_FIELDS
        )

    def departments(self) -> Iterator[Dimension]:
        return self._list("/Departments", wire.dimension, what="Reading departments", fields=wire.DIMENSION_FIELDS)

    def projects(self) -> Iterator[Dimension]:
        return self._list("/Projects", wire.dimension, what="Reading projects", fields=wire.DIMENSION_FIELDS)

    # --- How it is done -------------------------------------------------------------------------------------------

    def _orders(self, params: Mapping[str, str], *, name: str, values: Sequence[str]) -> Iterator[SalesOrder]:
        return self._list(
            "/SalesOrders",
            wire.order,
            what="Reading sales orders",
            fields=wire.ORDER_FIELDS,
            params={**params, **SHOW_INHERITED},
            order_by="SalesOrderNo asc",
            name=name,
            values=values,
        )

    def _invoices(self, params: Mapping[str, str], *, name: str, values: Sequence[str]) -> Iterator[RemoteInvoice]:
        return self._list(
            "/OutgoingInvoices",
            wire.invoice,
            what="Reading outgoing invoices",
            fields=wire.INVOICE_FIELDS,
            params=params,
            order_by="VoucherNo asc",
            name=name,
            values=values,
        )

    def _ledger(self, report: str, params: Mapping[str, str]) -> Iterator[RemoteLedgerEntry]:
        return self._list(
            f"/Customerledger/{report}",
            wire.ledger_entry,
            what="Reading the customer ledger",
            fields=wire.LEDGER_FIELDS,
            params=params,
        )

    def _list(
        self,
        path: str,
        reader: Callable[[Row], T],
        *,
        what: str,
        fields: str,
        params: Mapping[str, str] | None = None,
        order_by: str = "Id asc",
        name: str = "",
        values: Sequence[str] = (),
    ) -> Iterator[T]:
        """Every row of a list. The `values` of a filter `name` go into as few requests as addresses allow."""
        base = {**(params or {}), "Fields": fields, "OrderBy": order_by, "PageSize": str(self._page_size)}
        if not name:
            yield from self._pages(path, reader, what, base)
            return
        for part in self._http.in_parts(path, {**base, "PageNumber": "1"}, name, list(dict.fromkeys(values))):
            yield from self._filtered(path, reader, what, base, name, part)

    def _filtered(
        self,
        path: str,
        reader: Callable[[Row], T],
        what: str,
        params: Mapping[str, str],
        name: str,
        values: Sequence[str],
    ) -> Iterator[T]:
        """Some lists answer 404 when one value of a filter is unknown (reference §4.2): halve until it stands alone."""
        try:
            yield from self._pages(path, reader, what, {**params, name: ",".join(values)})
        except NotFound:
            if len(values) > 1:
                middle = len(values) // 2
                yield from self._filtered(path, reader, what, params, name, values[:middle])
                yield from self._filtered(path, reader, what, params, name, values[middle:])

    def _pages(self, path: str, reader: Callable[[Row], T], what: str, params: Mapping[str, str]) -> Iterator[T]:
        """Follows the header's next link, or goes on while pages are full where the header is missing."""
        query = {**params, "PageNumber": "1"}
        asked: list[Mapping[str, str]] = []
        while True:
            asked.append(query)
            page = self._http.get(path, wire.page_of(reader), what=what, params=query)
            yield from page.rows
            if page.next_query:
                query = page.next_query
            elif not page.told and len(page.rows) >= self._page_size:
                query = {**params, "PageNumber": str(len(asked) + 1)}
            else:
                return
            if query in asked:
                raise Unavailable(f"{what}: the pages of PowerOffice Go lead round in a circle.", self.last_evidence)

    def _write(
        self,
        method: str,
        path: str,
        reader: Callable[[Row], T],
        *,
        what: str,
        members: Mapping[str, object],
        before_send: Callable[[], None] | None = None,
    ) -> T:
        return self._http.write(method, path, wire.one(reader), what=what, body=_json(members), before_send=before_send)

    def _patch(self, path: str, reader: Callable[[Row], T], *, what: str, members: Mapping[str, object]) -> T:
        body = _json(wire.patch(members), content_type="application/json-patch+json")
        return self._http.write("PATCH", path, wire.one(reader), what=what, body=body)


def _json(value: object, *, content_type: str = "application/json") -> Body:
    """JSON to send. Half a surrogate pair, which UTF-8 cannot carry, becomes a question mark."""
    text = json_text.dumps(value)
    return Body(text.encode("utf-8", "replace"), content_type, shown=text)


def _id(value: str) -> str:
    return quote(value, safe="")


def _the_one(**filters: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The one filter that holds values, or none. Raises ValueError for two: their parts cannot be crossed."""
    given = [(name, values) for name, values in filters.items() if values]
    if len(given) > 1:
        raise ValueError(f"Give one of {' and '.join(name for name, _ in given)}.")
    return given[0] if given else ("", ())


Found = TypeVar("Found", SalesOrder, RemoteInvoice)


def _by_reference(rows: Iterator[Found], references: Sequence[str]) -> dict[str, Found]:
    """Rows by the reference we asked for; Go may not tell upper from lower case."""
    wanted = {reference.casefold(): reference for reference in references}
    found: dict[str, Found] = {}
    for row in rows:
        reference = wanted.get(row.reference.casefold())
        if reference is not None:
            found.setdefault(reference, row)
    return found
