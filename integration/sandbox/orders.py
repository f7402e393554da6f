"""Sales orders: creating, reading, editing, deleting, attachments, sending (reference §8, rows 39-51)."""

import datetime as dt
import json
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q, QuerySet

from integration.sandbox import words
from integration.sandbox.books import Books
from integration.sandbox.errors import GoError, invalid, missing, problem
from integration.sandbox.fields import accepted, names, patched, shown
from integration.sandbox.lists import in_ranges, within
from integration.sandbox.models import Attachment, Invoice, OrderState, SalesOrder
from integration.sandbox.pricing import from_group, inherited, inherited_line, price_order
from integration.sandbox.sending import why_not_posted
from integration.sandbox.transport import Answer, Call, changed_since, endpoint
from integration.sandbox.wire import kroner

Row = dict[str, Any]
UNSENT = (OrderState.OPEN, OrderState.SENDING)
GONE = (OrderState.DELETED, OrderState.COMBINED)
HEADER_NAMES = ("SalesOrder", "SalesOrderPatchDto")
LINE_NAMES = ("SalesOrder", "SalesOrderLinePatchDto")
ATTACHMENT_ENDINGS = names("pdf png jpg jpeg gif webp txt csv docx xlsx")
COMPUTED = ("NetAmount", "VatAmount", "TotalAmount", "VatCode", "VatId", "VatRate")

HEADER_MEMBERS = frozenset(words.ORDER) | frozenset(
    names(
        "Id CreatedDateTimeOffset LastChangedDateTimeOffset IsCreatedByCurrentIntegration LineCount NetAmount "
        "TotalAmount SalesOrderNo"
    )
)
LINE_MEMBERS = frozenset(words.LINE) | frozenset(("Id", "SalesOrderId", *COMPUTED))


def order_words(books: Books, order: SalesOrder, *, show_inherited: bool = False) -> Row:
    """The header as an answer shows it (row 44: inherited members are null unless asked for)."""
    books.know(order.customer)
    header = inherited(books, order) if show_inherited else order.header
    row: Row = {"Id": order.pk, **shown(books, words.ORDER, header)}
    return row | {
        "SalesOrderNo": order.number,
        "SalesOrderStatus": order.status,
        "LineCount": len(order.lines),
        "NetAmount": kroner(order.net_ore),
        "TotalAmount": kroner(order.total_ore),
        "IsCreatedByCurrentIntegration": bool(order.application_key) and order.application_key == books.application_key,
        "CreatedDateTimeOffset": order.created_at,
        "LastChangedDateTimeOffset": order.changed_at,
    }


def line_words(books: Books, order: SalesOrder, line: Row, *, show_inherited: bool = False) -> Row:
    """A line as an answer shows it, with the amounts worked out when it was written."""
    members = inherited_line(books, order, line) if show_inherited else line
    row = {"Id": line["Id"], "SalesOrderId": order.pk, **shown(books, words.LINE, members)}
    return row | {name: line.get(name) for name in COMPUTED}


def sorted_lines(order: SalesOrder) -> list[Row]:
    """The lines by SortOrder."""
    return sorted(order.lines, key=lambda line: line.get("SortOrder") or 0)


def complete_words(books: Books, order: SalesOrder, *, show_inherited: bool = False) -> Row:
    """Header and lines."""
    row = order_words(books, order, show_inherited=show_inherited)
    row["SalesOrderLines"] = [
        line_words(books, order, line, show_inherited=show_inherited) for line in sorted_lines(order)
    ]
    return row


def others_than(order: SalesOrder | None) -> QuerySet[SalesOrder]:
    """All orders but this one."""
    return SalesOrder.objects.exclude(pk=order.pk) if order else SalesOrder.objects.all()


def refuse_reference(books: Books, reference: str | None, order: SalesOrder | None) -> None:
    """A reference that an order already has is refused (row 41); which orders count, and how, are switches."""
    if not reference:
        return
    limit = books.switches["order_reference_max_length"]
    if limit and len(reference) > limit:
        raise invalid("SalesOrder", f"ExternalImportReference must be at most {limit} characters.")
    mode = books.switches["duplicate_reference"]
    if mode == "off":
        return
    others = others_than(order).filter(company=books.company, reference=reference)
    if mode == "drafts only":
        others = others.filter(state__in=UNSENT)
    elif books.switches["deleted_reference_freed"]:
        others = others.exclude(state__in=GONE)
    other = others.order_by("created_at").first()
    if other:
        text = f"ExternalImportReference is already in use. '{reference}' is used on Id = {other.pk}."
        raise invalid("SalesOrder", text, 409 if mode == "409" else 400)


def check_header(books: Books, header: Row, order: SalesOrder | None) -> None:
    """What a header must obey."""
    if not header.get("CustomerId") or books.record("Customer", header["CustomerId"]) is None:
        raise invalid("SalesOrder", "CustomerId or CustomerNo is required.")
    refuse_reference(books, header.get("ExternalImportReference"), order)
    number = header.get("ImportedOrderNo")
    if number is not None and books.switches["imported_order_no_unique"]:
        others = others_than(order).filter(company=books.company, header__ImportedOrderNo=number)
        if others.exclude(state__in=GONE).exists():
            raise invalid("SalesOrder", f"ImportedOrderNo {number} is already in use.")


def completed_line(books: Books, line: Row, position: int) -> Row:
    """A new line with what is copied from its product (reference §8.4), or 400."""
    product = books.record("Product", line.get("ProductId"))
    line.setdefault("LineType", "Normal" if product else "Text")
    line.setdefault("SortOrder", position)
    line["Id"] = str(uuid4())
    if product is not None:
        line.setdefault("Description", product.title)
        for member, source in (("ProductUnitPrice", "UnitPrice"), ("ProductUnitCost", "UnitCost")):
            if line.get(member) is None and (value := from_group(books, product, source)) is not None:
                line[member] = value
        unit = from_group(books, product, "UnitOfMeasureCode")
        if unit:
            line.setdefault("UnitOfMeasureCode", unit)
    check_line(books, line)
    return line


def check_line(books: Books, line: Row) -> None:
    """A product line has a product and a quantity (row 43), a text line a text."""
    if line["LineType"] == "Normal":
        if not line.get("ProductId"):
            raise invalid("SalesOrder", "A line of type Normal needs ProductId or ProductCode.")
        if line.get("Quantity") is None:
            if books.switches["missing_quantity"] == "400":
                raise invalid("SalesOrder", "Quantity is required when a product is given.")
            line["Quantity"] = 1
    if line["LineType"] == "Text" and not line.get("Description"):
        raise invalid("SalesOrder", "A line needs a product and a quantity, or a description.")


def finish(books: Books, order: SalesOrder) -> None:
    """Check the order as a whole, work out its amounts and write it."""
    references = [line["ExternalImportReference"] for line in order.lines if line.get("ExternalImportReference")]
    twice = {reference for reference in references if references.count(reference) > 1} if references else set()
    if twice and books.switches["line_reference_duplicate"] == "400":
        raise invalid("SalesOrder", f"ExternalImportReference '{min(twice)}' is used on more than one line.")
    price_order(books, order)
    if order.header.get("RelatedInvoiceNo") is not None and order.total_ore >= 0 and order.lines:
        if books.switches["related_invoice_on_positive"] == "400":
            raise invalid("SalesOrder", "RelatedInvoiceNo can only be set on a credit note.")
        del order.header["RelatedInvoiceNo"]
    order.changed_at = books.now
    order.save(force_insert=order._state.adding)


def set_header(books: Books, order: SalesOrder, header: Row) -> None:
    """Take over a checked header; searched members are columns as well."""
    customer = books.record("Customer", header["CustomerId"])
    order.customer = customer  # type: ignore[assignment]  # check_header made sure it exists
    order.status = header.pop("SalesOrderStatus", None) or order.status
    order.reference = header.get("ExternalImportReference") or None
    order.header = header


def create_order(books: Books, header: Row, lines: list[Row]) -> SalesOrder:
    """A new draft of checked members; the company must be locked."""
    check_header(books, header, None)
    order = SalesOrder(
        company=books.company,
        number=books.company.take("order_no"),
        status=books.switches["default_order_status"],
        application_key=books.application_key,
        created_at=books.now,
    )
    set_header(books, order, header)
    order.lines = [completed_line(books, line, position) for position, line in enumerate(lines)]
    finish(books, order)
    return order


@endpoint("POST", "/SalesOrders/Complete", "SalesOrders")
def post_complete(call: Call) -> Answer:
    """Header and lines in one call: 201 and the whole order (row 39)."""
    body = call.body("SalesOrder")
    if not isinstance(body, dict):
        raise invalid("SalesOrder", "The request body must be an object.")
    given = {name.lower(): value for name, value in body.items()}.get("salesorderlines") or []
    if not isinstance(given, list):
        raise invalid("SalesOrder", "SalesOrderLines must be an array.")
    header = {name: value for name, value in body.items() if name.lower() != "salesorderlines"}
    header = accepted(call.books, words.ORDER, header, "SalesOrder")
    lines = [accepted(call.books, words.LINE, line, "SalesOrder") for line in given]
    return Answer(201, complete_words(call.books, create_order(call.books, header, lines)))


def readable(books: Books) -> QuerySet[SalesOrder]:
    """The unsent orders, as the replica sees them: the newest not yet, those just gone still there (rows 15, 46)."""
    state = Q(state__in=UNSENT)
    if books.replica_lags:
        state = (state | Q(left_at__gt=books.seen_from)) & Q(created_at__lte=books.seen_from)
    return SalesOrder.objects.select_related("customer").filter(state, company=books.company)


def read_order(call: Call, name: str = "id") -> SalesOrder:
    """The unsent order in the path, or 404."""
    order = readable(call.books).filter(pk=call.ids[name]).first()
    if order is None and call.books.switches["sent_order_get"] == "200":
        sent = SalesOrder.objects.select_related("customer").filter(company=call.books.company, state=OrderState.SENT)
        order = sent.filter(pk=call.ids[name]).first()
    if order is None:
        raise missing(f"SalesOrder with id = {call.ids[name]} not found.")
    return order


def any_order(books: Books, pk: UUID) -> SalesOrder:
    """An order that was not deleted, sent or not, or 404."""
    order = SalesOrder.objects.select_related("customer").filter(company=books.company, pk=pk).first()
    if order is None or order.state in GONE:
        raise missing(f"SalesOrder with id = {pk} not found.")
    return order


def editable(call: Call, name: str = "id", *, unlocking: bool = False) -> SalesOrder:
    """The draft in the path for a write: 404, or a conflict when it is sent, being sent, or locked (row 45)."""
    books = call.books
    order = any_order(books, call.ids[name])
    if order.state == OrderState.SENT:
        if books.switches["sent_order_write"] == "404":
            raise missing(f"SalesOrder with id = {order.pk} not found.")
        raise conflict(f"SalesOrder with id = {order.pk} has been sent and cannot be changed.")
    if order.state == OrderState.SENDING:
        raise conflict(f"SalesOrder with id = {order.pk} is being sent.")
    lock = books.switches["confirmed_lock"]
    if order.status == "Confirmed" and not unlocking and lock != "off":
        raise conflict(f"SalesOrder with id = {order.pk} is confirmed and cannot be changed.", int(lock))
    return order


def conflict(text: str, status: int = 409) -> GoError:
    """The object is in a state that forbids it."""
    return problem(status, "SalesOrder conflict" if status == 409 else "SalesOrder validation error(s)", text)


LOOK_UP = frozenset({"externalImportReferences", "importedOrderNos", "salesOrderNos"})


@endpoint(
    "GET",
    "/SalesOrders",
    "SalesOrders",
    parameters={
        "customerNos": "ranges",
        "departmentCodes": "texts",
        "includeSubProject": "bool",
        "lastChangedDateTimeOffsetGreaterThan": "moment",
        "onlyCreatedByCurrentIntegration": "bool",
        "orderStatus": "text",
        "projectCodes": "texts",
        "showInherited": "bool",
        "externalImportReferences": "texts",
        "importedOrderNos": "ranges",
        "salesOrderNos": "ranges",
    },
    later=LOOK_UP,
    members=HEADER_MEMBERS,
)
def list_orders(call: Call) -> list[Row]:
    """Only unsent orders, without lines (row 46)."""
    books, query = call.books, call.query
    orders = readable(books).filter(
        changed_since(query, "changed_at", "lastChangedDateTimeOffsetGreaterThan"), by_customer(books, query)
    )
    if query.get("onlyCreatedByCurrentIntegration"):
        orders = orders.filter(application_key=books.application_key)
    if "externalImportReferences" in query:
        orders = orders.filter(reference__in=query["externalImportReferences"])
    if "salesOrderNos" in query:
        orders = orders.filter(in_ranges("number", query["salesOrderNos"]))
    if "orderStatus" in query:
        if query["orderStatus"].title() not in words.ORDER_STATUSES:
            raise invalid("Request", f"The value '{query['orderStatus']}' is not valid for orderStatus.")
        orders = orders.filter(status=query["orderStatus"].title())
    inherit = bool(query.get("showInherited"))
    rows = [order_words(books, order, show_inherited=inherit) for order in orders.order_by("number")]
    return [row for row in rows if by_dimension(row, query)]


def by_customer(books: Books, query: Row) -> Q:
    """The filter `customerNos`, on a table with a customer."""
    if "customerNos" not in query:
        return Q()
    wanted = query["customerNos"]
    if all(low == high for low, high in wanted):
        return Q(customer__code__in=[str(low) for low, _ in wanted])
    return Q(customer__in=[each.pk for each in books.load("Customer") if within(int(each.code or -1), wanted)])


def by_dimension(row: Row, query: Row) -> bool:
    """The filters by department, project and imported number; -1 is "without one" (row 22)."""
    departments, projects = query.get("departmentCodes"), query.get("projectCodes")
    if departments is not None and (row["DepartmentCode"] or "-1") not in departments:
        return False
    if projects is not None:
        code = row["ProjectCode"] or "-1"
        below = query.get("includeSubProject") and any(code.startswith(f"{each}.") for each in projects)
        if code not in projects and not below:
            return False
    return "importedOrderNos" not in query or within(row["ImportedOrderNo"], query["importedOrderNos"])


@endpoint("GET", "/SalesOrders/{id:uuid}", "SalesOrders", parameters={"showInherited": "bool"})
def get_order(call: Call) -> Answer:
    """The header of an unsent order."""
    inherit = bool(call.query.get("showInherited"))
    return Answer(200, order_words(call.books, read_order(call), show_inherited=inherit))


@endpoint("GET", "/SalesOrders/{id:uuid}/Complete", "SalesOrders", parameters={"showInherited": "bool"})
def get_complete(call: Call) -> Answer:
    """Header and lines of an unsent order."""
    inherit = bool(call.query.get("showInherited"))
    return Answer(200, complete_words(call.books, read_order(call), show_inherited=inherit))


@endpoint("PATCH", "/SalesOrders/{id:uuid}", "SalesOrders")
def patch_order(call: Call) -> Answer:
    """Change header members; a confirmed order only takes a new status (row 45)."""
    operations = call.body("SalesOrder")
    order = editable(call, unlocking=only_status(operations))
    stored = {**order.header, "SalesOrderStatus": order.status}
    header = patched(call.books, words.ORDER, stored, operations, HEADER_NAMES)
    change_header(call.books, order, header)
    return Answer(200, order_words(call.books, order))


def only_status(operations: Any) -> bool:
    """Whether a patch touches nothing but SalesOrderStatus."""
    return isinstance(operations, list) and all(
        isinstance(each, dict) and str(each.get("path", "")).strip("/").lower() == "salesorderstatus"
        for each in operations
    )


def change_header(books: Books, order: SalesOrder, header: Row) -> None:
    """Check and write a changed header."""
    check_header(books, header, order)
    set_header(books, order, header)
    finish(books, order)


@endpoint("DELETE", "/SalesOrders/{id:uuid}", "SalesOrders")
def delete_order(call: Call) -> Answer:
    """Delete a draft, header and lines."""
    order = editable(call)
    order.state, order.left_at = OrderState.DELETED, call.books.now
    order.save(update_fields=["state", "left_at"])
    return Answer(200)


@endpoint("GET", "/SalesOrders/{id:uuid}/Lines", "SalesOrders", members=LINE_MEMBERS)
def list_lines(call: Call) -> list[Row]:
    """The lines of an unsent order."""
    order = read_order(call)
    return [line_words(call.books, order, line) for line in sorted_lines(order)]


def line_of(order: SalesOrder, pk: UUID) -> Row:
    """A line of an order, or 404."""
    for line in order.lines:
        if line["Id"] == str(pk):
            return dict(line)
    raise missing(f"SalesOrderLine with id = {pk} not found.")


@endpoint("POST", "/SalesOrders/{id:uuid}/Lines", "SalesOrders")
def post_line(call: Call) -> Answer:
    """One more line."""
    order = editable(call)
    line = accepted(call.books, words.LINE, call.body("SalesOrder"), "SalesOrder")
    position = max((each.get("SortOrder") or 0 for each in order.lines), default=-1) + 1
    order.lines.append(completed_line(call.books, line, position))
    finish(call.books, order)
    return Answer(201, line_words(call.books, order, line))


@endpoint("GET", "/SalesOrders/{id:uuid}/Lines/{lineId:uuid}", "SalesOrders")
def get_line(call: Call) -> Answer:
    """One line."""
    order = read_order(call)
    return Answer(200, line_words(call.books, order, line_of(order, call.ids["lineId"])))


@endpoint("PATCH", "/SalesOrders/{id:uuid}/Lines/{lineId:uuid}", "SalesOrders")
def patch_line(call: Call) -> Answer:
    """Change a line."""
    order = editable(call)
    line = line_of(order, call.ids["lineId"])
    line = change_line(call.books, order, patched(call.books, words.LINE, line, call.body("SalesOrder"), LINE_NAMES))
    return Answer(200, line_words(call.books, order, line))


def change_line(books: Books, order: SalesOrder, line: Row) -> Row:
    """Put a changed line in the place of the old one."""
    line.setdefault("LineType", "Normal" if line.get("ProductId") else "Text")
    check_line(books, line)
    order.lines = [line if each["Id"] == line["Id"] else each for each in order.lines]
    finish(books, order)
    return line


@endpoint("DELETE", "/SalesOrders/{id:uuid}/Lines/{lineId:uuid}", "SalesOrders")
def delete_line(call: Call) -> Answer:
    """Take a line away."""
    order = editable(call)
    line = line_of(order, call.ids["lineId"])
    order.lines = [each for each in order.lines if each["Id"] != line["Id"]]
    finish(call.books, order)
    return Answer(200)


@endpoint("POST", "/SalesOrders/{id:uuid}/createAndSendInvoice", "SalesOrders")
def create_and_send(call: Call) -> Answer:
    """Queue the order for sending: 202, the request as an echo, and where to look (row 48)."""
    books = call.books
    if not books.company.allow_send:
        text = "The integration does not have the required privileges to send invoices."
        raise problem(400, "Missing privilege", text)
    request = accepted(books, words.SEND, call.body("SalesOrder"), "SalesOrder")
    order = any_order(books, call.ids["id"])
    echo = {**shown(books, words.SEND, request), "Id": order.pk}
    answer = Answer(202, echo, {"Location": f"{call.base_url}/SalesOrders/sentState?id={order.pk}"})
    if order.state != OrderState.OPEN:
        if books.switches["second_send"] == "202":
            return answer
        raise invalid("SalesOrder", f"SalesOrder with id = {order.pk} is already being sent or has been sent.")
    day = dt.date.fromisoformat(request.get("VoucherDate") or books.today.isoformat())
    trouble = why_not_posted(books, order, day)
    if trouble and books.switches["lock_date_failure"] == "400":
        raise invalid("SalesOrder", trouble)
    delay = float(books.switches["send_delay_seconds"])
    order.state, order.last_error, order.send_request = OrderState.SENDING, "", request
    order.send_due_at, order.send_key = books.now + dt.timedelta(seconds=delay), books.application_key
    order.save(update_fields=["state", "last_error", "send_request", "send_due_at", "send_key"])
    return answer


@endpoint("GET", "/SalesOrders/sentState", "SalesOrders", parameters={"id": "uuid"})
def sent_state(call: Call) -> Answer:
    """What became of sending (row 49); 204 for an order nobody sent."""
    books = call.books
    orders = SalesOrder.objects.filter(company=books.company).exclude(state__in=GONE)
    if "id" in call.query:
        orders = orders.filter(pk=call.query["id"])
        if not orders:
            raise missing(f"SalesOrder with id = {call.query['id']} not found.")
    elif books.switches["sent_state_without_id"] == "404":
        raise missing("SalesOrder with id =  not found.")
    orders = orders.filter(Q(send_due_at__isnull=False) | Q(state=OrderState.SENT))
    invoices = Invoice.objects.select_related("entry").in_bulk([order.pk for order in orders])
    rows = [sent_words(order, invoices.get(order.pk)) for order in orders.order_by("number")]
    return Answer(200, rows) if rows else Answer(204)


def sent_words(order: SalesOrder, invoice: Invoice | None) -> Row:
    """One order's state of sending."""
    return {
        "Id": order.pk,
        "IsInvoiceBeingProcessed": order.state == OrderState.SENDING,
        "SentDateTimeOffset": invoice.sent_at if invoice else None,
        "InvoiceNo": invoice.invoice_no if invoice else None,
        "DueDate": invoice.entry.due_date if invoice else None,
        "InvoiceDeliveryType": invoice.delivery_type if invoice else None,
        "LastErrorMessage": order.last_error or None,
    }


ATTACHMENT_MEMBERS = frozenset(
    names("CreatedDateTimeOffset FileName FileSize Id LastChangedDateTimeOffset SalesOrderId")
)
ATTACHMENTS = "/SalesOrders/{salesOrderId:uuid}/attachments"


def attachment_words(attachment: Attachment) -> Row:
    """The metadata of a file."""
    return {
        "Id": attachment.pk,
        "FileName": attachment.file_name,
        "FileSize": attachment.size,
        "SalesOrderId": attachment.order_id,
        "CreatedDateTimeOffset": attachment.created_at,
        "LastChangedDateTimeOffset": attachment.created_at,
    }


@endpoint("GET", ATTACHMENTS, "SalesOrderAttachment", members=ATTACHMENT_MEMBERS)
def list_attachments(call: Call) -> list[Row]:
    """The files of an order; they stay reachable after it is sent (reference §8.11)."""
    order = any_order(call.books, call.ids["salesOrderId"])
    return [attachment_words(each) for each in Attachment.objects.filter(order=order).defer("content").order_by("pk")]


@endpoint("POST", ATTACHMENTS, "SalesOrderAttachment")
def post_attachment(call: Call) -> Answer:
    """Upload a file in the form field `file` (row 47); a repeated upload makes a second attachment."""
    order = editable(call, "salesOrderId", unlocking=True)
    name, content = uploaded_file(call.request.headers.get("Content-Type", ""), call.request.body)
    switches = call.books.switches
    if len(content) > switches["attachment_max_bytes"]:
        raise invalid("SalesOrderAttachment", f"The file is larger than {switches['attachment_max_bytes']} bytes.")
    if switches["attachment_types"] == "common" and name.lower().rpartition(".")[2] not in ATTACHMENT_ENDINGS:
        raise invalid("SalesOrderAttachment", f"The file type must be one of {', '.join(ATTACHMENT_ENDINGS)}.")
    attachment = Attachment.objects.create(
        order=order, file_name=name[:400], content=content, size=len(content), created_at=call.books.now
    )
    return Answer(201, attachment_words(attachment))


def uploaded_file(content_type: str, body: bytes) -> tuple[str, bytes]:
    """Name and bytes of the part named `file` of a multipart body, or 400."""
    message: Message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode("latin-1", "replace").replace(b"\n", b"") + b"\r\n\r\n" + body
    )
    parts = message.get_payload() if message.is_multipart() else []
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, Message) and part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            name = part.get_filename()
            if name and isinstance(content, bytes):
                return str(name).replace("\x00", ""), content
    raise invalid("SalesOrderAttachment", "The multipart form field 'file' with a file name is required.")


def attachment_of(call: Call) -> Attachment:
    """The file in the path, or 404."""
    order = any_order(call.books, call.ids["salesOrderId"])
    attachment = Attachment.objects.filter(order=order, pk=call.ids["id"]).first()
    if attachment is None:
        raise missing(f"SalesOrderAttachment with id = {call.ids['id']} not found.")
    return attachment


@endpoint("GET", ATTACHMENTS + "/{id:int}", "SalesOrderAttachment")
def get_attachment(call: Call) -> Answer:
    """The bytes."""
    attachment = attachment_of(call)
    header = {"Content-Disposition": f"attachment; filename={json.dumps(attachment.file_name)}"}
    return Answer(200, bytes(attachment.content), header)


@endpoint("DELETE", ATTACHMENTS + "/{id:int}", "SalesOrderAttachment")
def delete_attachment(call: Call) -> Answer:
    """Take a file away."""
    attachment_of(call).delete()
    return Answer(200)
