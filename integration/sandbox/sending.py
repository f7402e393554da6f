"""Sending: a sales order becomes an invoice or a credit note (reference §8.8, §8.9, §8.13; rows 48-54, 56).

Sending through the API is asynchronous: `let_time_work` does what has fallen due, at the start of every call.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Q

from integration.sandbox.books import Books, locked_company
from integration.sandbox.ledger import match, match_by_reference, post_entry
from integration.sandbox.models import Invoice, LedgerEntry, OrderState, Record, SalesOrder, one_act
from integration.sandbox.pricing import inherited, inherited_line, price_order
from integration.sandbox.wire import kroner, ore

UNDELIVERABLE = "leveringsfeil"
STAGES: tuple[tuple[int, str, int], ...] = (
    (1, "", 0),
    (14, "OutgoingPaymentReminder", 3500),
    (28, "OutgoingNoticeOfDebtCollection", 3500),
    (42, "OutgoingPaymentDemand", 11_000),
)
"""Days after due, the voucher of that stage, and its fee in øre; fees are made up."""


def why_not_posted(books: Books, order: SalesOrder, voucher_date: dt.date) -> str:
    """What forbids posting, or an empty text: lock date, conversion date, missing dimensions (row 51, §14)."""
    company = books.company
    if company.lock_date and voucher_date <= company.lock_date:
        return f"The voucher date {voucher_date} is on or before the lock date {company.lock_date}."
    if voucher_date < company.conversion_date:
        return f"The voucher date {voucher_date} is before the conversion date {company.conversion_date}."
    if not any(line["LineType"] == "Normal" for line in order.lines):
        return "The sales order has no product lines."
    for line in order.lines:
        account = books.record("GeneralLedgerAccount", line.get("AccountId"))
        dimensions = inherited_line(books, order, line) if account else {}
        for name in ("Department", "Project"):
            if account and account.data.get(f"Is{name}Required") and not dimensions.get(f"{name}Id"):
                return f"Account {account.code} requires a {name.lower()}."
    return ""


def why_not_delivered(order: SalesOrder) -> str:
    """A customer named so cannot be reached (row 49)."""
    if UNDELIVERABLE in order.customer.title.lower():
        return "The receiver could not be reached by the chosen delivery type."
    return ""


def send_order(books: Books, order: SalesOrder, request: dict[str, Any]) -> Invoice:
    """Post an order as invoice or credit note; the id stays. `request` holds the members of `words.SEND`."""
    add_invoice_fee(books, order)
    header = inherited(books, order)
    voucher_date = dt.date.fromisoformat(request.get("VoucherDate") or books.today.isoformat())
    term = books.record("PaymentTerm", header.get("PaymentTermId"))
    days = int(term.data["CreditDays"]) if term else 14
    due_date = dt.date.fromisoformat(
        request.get("OverrideDueDate") or (voucher_date + dt.timedelta(days=days)).isoformat()
    )
    header |= {"PaymentTerm": days, "DeliveryDate": header.get("DeliveryDate") or voucher_date.isoformat()}
    header["OrderDate"] = header.get("SalesOrderDate") or voucher_date.isoformat()
    rate = Decimal(header.get("CurrencyExchangeRate") or 1)
    invoice_no = books.company.take("invoice_no")
    is_credit = order.total_ore < 0
    entry = post_entry(
        books,
        order.customer,
        ore(kroner(order.total_ore) * rate),
        "OutgoingCreditNote" if is_credit else "OutgoingInvoice",
        voucher_date,
        voucher_id=order.pk,
        currency_ore=order.total_ore,
        currency=header["CurrencyCode"],
        due_date=due_date,
        invoice_no=str(invoice_no),
        cid=kid(order.customer, invoice_no) if books.switches["kid"] and not is_credit else "",
        matching_reference=header.get("CustomMatchingReference") or "",
        reference=order.reference or "",
    )
    invoice = Invoice.objects.create(
        id=order.pk,
        company=books.company,
        customer=order.customer,
        entry=entry,
        invoice_no=invoice_no,
        order_no=order.number,
        reference=order.reference,
        header=header,
        lines=invoice_lines(books, order, rate),
        net_ore=order.net_ore,
        total_ore=order.total_ore,
        net_posted_ore=ore(kroner(order.net_ore) * rate),
        delivery_type=delivery_type(order.customer, request.get("DeliveryType", "Auto")),
        sent_at=books.now,
        application_key=books.application_key,
        draft_created_at=order.created_at,
        changed_at=books.now,
        next_stage_on=None if is_credit else due_date + dt.timedelta(days=STAGES[0][0]),
    )
    order.state, order.left_at, order.changed_at = OrderState.SENT, books.now, books.now
    order.save()
    lower_stock(books, order)
    related = header.get("RelatedInvoiceNo")
    match_by_reference(books, entry, str(related) if related and is_credit else "")
    return invoice


def add_invoice_fee(books: Books, order: SalesOrder) -> None:
    """The client's invoice fee, for customers who use it (row 52)."""
    fee = Decimal(books.switches["invoice_fee"])
    if not fee or order.total_ore <= 0 or order.customer.data.get("UseInvoiceFee") is False:
        return
    order.lines.append(
        {"LineType": "InvoiceFee", "Description": "Fakturagebyr", "Quantity": Decimal(1), "ProductUnitPrice": fee,
         "SortOrder": len(order.lines)}
    )  # fmt: skip
    price_order(books, order)


def invoice_lines(books: Books, order: SalesOrder, rate: Decimal) -> list[dict[str, Any]]:
    """The lines made anew: int64 ids, references kept (row 53)."""
    lines = []
    for line in sorted(order.lines, key=lambda each: each.get("SortOrder") or 0):
        words = inherited_line(books, order, line)
        words["Id"] = books.company.pk * 10_000_000 + books.company.take("line_id")
        words["NetPostedAmount"] = kroner(ore(Decimal(line["NetAmount"]) * rate))
        words["TotalPostedAmount"] = kroner(ore(Decimal(line["TotalAmount"]) * rate))
        lines.append(words)
    return lines


def delivery_type(customer: Record, wanted: str) -> str:
    """How it went out: `Auto` takes the customer's way, else PDF by e-mail (reference §8.8)."""
    if wanted == "PdfPrintForDownload":
        return "Print"
    return str(customer.data.get("InvoiceDeliveryType") or "PdfByEmail") if wanted == "Auto" else wanted


def kid(customer: Record, invoice_no: int) -> str:
    """A payment id: customer number, invoice number and a modulus-10 digit; the real format is unknown (row 53)."""
    digits = f"{customer.code}{invoice_no:08d}"
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number // 10 + number % 10
    return f"{digits}{-total % 10}"


def lower_stock(books: Books, order: SalesOrder) -> None:
    """Invoicing takes from the stock (row 36, inferred)."""
    for line in order.lines:
        product = books.record("Product", line.get("ProductId"))
        if product and product.data.get("IsStockItem") and product.data.get("StockOnHand") is not None:
            product.data["StockOnHand"] -= Decimal(line.get("Quantity") or 0)
            product.stock_changed_at = books.now
            product.save(update_fields=["data", "stock_changed_at"])


def let_time_work(books: Books) -> None:
    """Do what has fallen due in these books: invoices to be sent, due dates, reminders. Cheap when there is nothing."""
    due = Q(company=books.company, state=OrderState.SENDING, send_due_at__lte=books.now)
    late = Q(company=books.company, next_stage_on__lte=books.today)
    if not SalesOrder.objects.filter(due).exists() and not Invoice.objects.filter(late).exists():
        return
    with one_act():
        books.company = locked_company(books.company.pk)
        for order in SalesOrder.objects.select_related("customer").filter(due).order_by("send_due_at", "number"):
            finish_sending(books, order)
        for invoice in Invoice.objects.select_related("entry", "customer").filter(late).order_by("invoice_no"):
            pass_stages(books, invoice)


def finish_sending(books: Books, order: SalesOrder) -> None:
    """The queue has reached this order: invoice it, or say why not (rows 49 and 51)."""
    sender = Books(books.company, books.switches, books.now, order.send_key)
    voucher_date = dt.date.fromisoformat(order.send_request.get("VoucherDate") or books.today.isoformat())
    trouble = why_not_posted(sender, order, voucher_date)
    failed = trouble or why_not_delivered(order)
    order.last_error = failed
    if trouble or (failed and books.switches["failed_send_keeps_draft"]):
        order.state = OrderState.OPEN
        order.save(update_fields=["state", "last_error"])
        return
    send_order(sender, order, order.send_request)


def pass_stages(books: Books, invoice: Invoice) -> None:
    """Due date and reminder stages move LastChanged, and some charge a fee (row 56, reference §10.4)."""
    due = invoice.entry.due_date or books.today
    while invoice.next_stage_on is not None and invoice.next_stage_on <= books.today:
        _days, voucher, fee = STAGES[invoice.stage]
        day = invoice.next_stage_on
        data = invoice.customer.data
        if invoice.entry.balance_ore > 0 and not (voucher and data.get("SendPaymentReminders") is False):
            invoice.changed_at = books.now
            if voucher and not data.get("DoNotAddLatePaymentFees"):
                post_entry(books, invoice.customer, fee, voucher, day, due_date=day + dt.timedelta(days=14))
        invoice.stage += 1
        following = STAGES[invoice.stage][0] if invoice.stage < len(STAGES) else None
        invoice.next_stage_on = due + dt.timedelta(days=following) if following else None
    invoice.save(update_fields=["changed_at", "stage", "next_stage_on"])


def settle(
    books: Books, invoice: Invoice, amount_ore: int, voucher_type: str, date: dt.date, **more: Any
) -> LedgerEntry:
    """Post an entry against an invoice and match the two; `amount_ore` is signed as the entry is."""
    entry = post_entry(books, invoice.customer, amount_ore, voucher_type, date, **more)
    match(books, invoice.entry, entry)
    entry.refresh_from_db()
    return entry
