"""What the accountant does in Go, and what time does by itself. Each act is one transaction and says what happened.

An act takes the open books (see `accountants_books`) and the members listed in `control.py`; it returns a dict whose
`sentence` a person reads. `ActRefused` says in one sentence why nothing was done.
"""

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from integration.sandbox import words
from integration.sandbox.books import Books, accountants_books
from integration.sandbox.errors import ActRefused, GoError
from integration.sandbox.fields import checked
from integration.sandbox.ledger import match, match_by_reference, post_entry, unmatch
from integration.sandbox.models import Company, Invoice, LedgerEntry, OrderState, Record, SalesOrder, Token, one_act
from integration.sandbox.orders import check_header, completed_line, create_order, finish, set_header
from integration.sandbox.sending import STAGES, let_time_work, send_order, settle, why_not_posted
from integration.sandbox.switches import OSLO, now, read_state
from integration.sandbox.wire import decimal_of, kroner, ore

Body = dict[str, Any]
Said = dict[str, Any]
Act = Callable[[Books, Body], Said]
ACTS: dict[str, Act] = {}


def act(function: Act) -> Act:
    """Make a function an act of the control surface, under its own name."""
    ACTS[function.__name__] = function
    return function


def company_named(name: Any) -> Company:
    """A company by client key or number."""
    text = str(name or "")
    try:
        company = Company.objects.filter(pk=int(text)).first() if text.isdecimal() else None
        company = company or Company.objects.filter(client_key=UUID(text)).first()
    except ValueError:
        company = None
    if company is None:
        raise ActRefused(f"There is no company {text!r}; give its client key or its number.")
    return company


def perform(name: str, body: Body) -> Said:
    """Do an act, all of it or nothing."""
    if name in WORLD_ACTS:
        with one_act():
            return WORLD_ACTS[name](body)
    if name not in ACTS:
        raise ActRefused(f"There is no act {name!r}. Acts: {', '.join(sorted({*ACTS, *WORLD_ACTS}))}.")
    company = company_named(body.get("company"))
    with one_act():
        books = accountants_books(company.pk)
        let_time_work(books)
        if given(body, "stamped_ago"):
            books.now -= dt.timedelta(seconds=float(number_in(body, "stamped_ago")))
        try:
            return ACTS[name](books, body)
        except GoError as error:
            raise ActRefused(str((error.body or {}).get("detail", "Go refuses this."))) from error


def given(body: Body, name: str) -> bool:
    """Whether the body holds something under this name."""
    return body.get(name) is not None and body[name] != ""


def amount_in(body: Body, name: str = "amount") -> int | None:
    """An amount of the body in øre, or None when it is absent."""
    if not given(body, name):
        return None
    return ore(number_in(body, name))


def number_in(body: Body, name: str) -> Decimal:
    """A number of the body."""
    try:
        value = body.get(name)
        return decimal_of(value.replace(",", ".").replace(" ", "") if isinstance(value, str) else value)
    except ValueError as error:
        raise ActRefused(f'{name} must be a number such as "123.45".') from error


def date_in(body: Body, name: str = "date") -> dt.date | None:
    """A date of the body, or None when it is absent."""
    if not given(body, name):
        return None
    try:
        return dt.date.fromisoformat(str(body[name]))
    except ValueError as error:
        raise ActRefused(f"{name} must be a date such as 2026-03-31.") from error


def uuid_in(body: Body, name: str) -> UUID:
    """An id of the body."""
    try:
        return UUID(str(body.get(name)))
    except ValueError as error:
        raise ActRefused(f"{name} must be the id of an order or invoice in Go.") from error


def money(amount_ore: int) -> str:
    """Kroner the Norwegian way: 1 234,50."""
    whole, cents = divmod(abs(amount_ore), 100)
    return f"{'-' if amount_ore < 0 else ''}{whole:,}".replace(",", "\u00a0") + f",{cents:02d}"


def drafts_in(books: Books, body: Body, name: str = "order_ids") -> list[SalesOrder]:
    """The drafts an act is about, in the order they were named."""
    given = body.get(name, body.get("order_id"))
    ids = given if isinstance(given, list) else [given]
    found = [draft(books, uuid_in({name: each}, name)) for each in ids]
    if not found or len({order.pk for order in found}) != len(found):
        raise ActRefused(f"{name} must name one or more drafts, each once.")
    return found


def draft(books: Books, pk: UUID) -> SalesOrder:
    """One draft."""
    order = SalesOrder.objects.select_related("customer").filter(company=books.company, pk=pk).first()
    if order is None or order.state != OrderState.OPEN:
        state = f"is {order.state.lower()}" if order else "does not exist"
        raise ActRefused(f"Order {order.number if order else pk} {state}, so it is not a draft.")
    return order


def one_draft(books: Books, body: Body) -> SalesOrder:
    """The single draft of the body."""
    return draft(books, uuid_in(body, "order_id"))


def invoice_in(books: Books, body: Body) -> Invoice:
    """The invoice of the body."""
    pk = uuid_in(body, "invoice_id")
    invoice = Invoice.objects.select_related("entry", "customer").filter(company=books.company, pk=pk).first()
    if invoice is None:
        raise ActRefused(f"There is no invoice with id {pk}.")
    return invoice


def customer_in(books: Books, body: Body) -> Record:
    """The customer of the body, by number."""
    customer = books.by_code("Customer", str(body.get("customer_no")))
    if customer is None:
        raise ActRefused(f"There is no customer number {body.get('customer_no')}.")
    return customer


def numbers(orders: list[SalesOrder]) -> str:
    """`order 12` or `orders 12, 13`."""
    return f"order{'s' if len(orders) > 1 else ''} {', '.join(str(order.number) for order in orders)}"


@act
def send(books: Books, body: Body) -> Said:
    """The accountant presses Send; so the invoice is not "created by the integration" (row 54)."""
    day = date_in(body, "voucher_date") or books.today
    sent = []
    for order in drafts_in(books, body):
        trouble = why_not_posted(books, order, day)
        if trouble:
            raise ActRefused(f"Order {order.number} cannot be sent: {trouble}")
        sent.append(send_order(books, order, {"VoucherDate": day.isoformat()}))
    text = ", ".join(f"{invoice.invoice_no} ({money(invoice.total_ore)})" for invoice in sent)
    return {"sentence": f"Sent as invoice {text}.", "invoice_ids": [str(invoice.pk) for invoice in sent]}


@act
def confirm(books: Books, body: Body) -> Said:
    """Lock drafts."""
    return set_status(books, body, "Confirmed", "Locked")


@act
def unlock(books: Books, body: Body) -> Said:
    """Unlock drafts."""
    return set_status(books, body, "Draft", "Unlocked")


def set_status(books: Books, body: Body, status: str, word: str) -> Said:
    """Give drafts a status."""
    orders = drafts_in(books, body)
    for order in orders:
        order.status, order.changed_at = status, books.now
        order.save(update_fields=["status", "changed_at"])
    return {"sentence": f"{word} {numbers(orders)}.", "order_ids": [str(order.pk) for order in orders]}


@act
def delete(books: Books, body: Body) -> Said:
    """Delete drafts; a user in Go may delete locked ones."""
    orders = drafts_in(books, body)
    for order in orders:
        leave(books, order, OrderState.DELETED)
    return {"sentence": f"Deleted {numbers(orders)}.", "order_ids": [str(order.pk) for order in orders]}


def leave(books: Books, order: SalesOrder, state: OrderState, into: UUID | None = None) -> None:
    """A draft is no longer there."""
    order.state, order.left_at, order.combined_into = state, books.now, into
    order.save(update_fields=["state", "left_at", "combined_into"])


def line_in(order: SalesOrder, body: Body) -> Body:
    """The line of the body, else the first product line."""
    wanted = body.get("line_id")
    for line in order.lines:
        if line["Id"] == wanted or (not wanted and line["LineType"] == "Normal"):
            return dict(line)
    raise ActRefused(f"Order {order.number} has no such line.")


@act
def edit_line(books: Books, body: Body) -> Said:
    """Change quantity, price, allowance or text of a line."""
    order = one_draft(books, body)
    line = line_in(order, body)
    for name, member in (("quantity", "Quantity"), ("unit_price", "ProductUnitPrice"), ("allowance", "Allowance")):
        if given(body, name):
            line[member] = number_in(body, name)
    if body.get("description"):
        line["Description"] = str(body["description"])
    before = order.total_ore
    order.lines = [line if each["Id"] == line["Id"] else each for each in order.lines]
    finish(books, order)
    text = f"Changed a line of order {order.number}: total {money(before)} became {money(order.total_ore)}."
    return {"sentence": text, "order_ids": [str(order.pk)]}


@act
def add_line(books: Books, body: Body) -> Said:
    """One more line, with a product or a text."""
    order = one_draft(books, body)
    order.lines.append(completed_line(books, typed_line(books, body), len(order.lines)))
    finish(books, order)
    return {"sentence": f"Added a line to order {order.number}.", "order_ids": [str(order.pk)]}


def typed_line(books: Books, body: Body) -> Body:
    """A line as a user types it."""
    line: Body = {}
    if body.get("description"):
        line["Description"] = str(body["description"])
    if body.get("product_code"):
        product = books.by_code("Product", str(body["product_code"]))
        if product is None:
            raise ActRefused(f"There is no product {body['product_code']}.")
        line |= {"ProductId": product.pk, "Quantity": number_in({"quantity": 1, **body}, "quantity")}
        if given(body, "unit_price"):
            line["ProductUnitPrice"] = number_in(body, "unit_price")
    return line


@act
def delete_line(books: Books, body: Body) -> Said:
    """Take a line away."""
    order = one_draft(books, body)
    line = line_in(order, body)
    order.lines = [each for each in order.lines if each["Id"] != line["Id"]]
    finish(books, order)
    return {"sentence": f"Deleted a line of order {order.number}.", "order_ids": [str(order.pk)]}


@act
def edit_header(books: Books, body: Body) -> Said:
    """Change header members by Go's names."""
    order = one_draft(books, body)
    changes = {name: value for name, value in body.items() if name not in {"company", "order_id", "stamped_ago"}}
    unknown = [name for name in changes if name not in words.ORDER]
    if unknown or not changes:
        raise ActRefused(f"Header members are {', '.join(words.ORDER)}; not {', '.join(unknown) or 'nothing'}.")
    try:
        clean = {name: checked(words.ORDER[name], value) for name, value in changes.items()}
    except ValueError as error:
        raise ActRefused(f"A header member is wrong: {error}.") from error
    header = {name: value for name, value in {**order.header, **clean}.items() if value is not None}
    check_header(books, header, order)
    set_header(books, order, header)
    finish(books, order)
    return {"sentence": f"Changed {', '.join(changes)} of order {order.number}.", "order_ids": [str(order.pk)]}


@act
def make_order(books: Books, body: Body) -> Said:
    """A draft the accountant typed; it belongs to no integration."""
    customer = customer_in(books, body)
    order = create_order(books, {"CustomerId": customer.pk}, [typed_line(books, body)])
    return {"sentence": f"Made order {order.number} for {customer.title}.", "order_ids": [str(order.pk)]}


ACTS["create_order"] = ACTS.pop("make_order")


@act
def combine(books: Books, body: Body) -> Said:
    """Combine drafts of one customer; what survives is for the caller to choose (reference §8.10, unknown)."""
    orders = drafts_in(books, body)
    survivor_word = str(body.get("survivor") or "first")
    keeps_lines, keeps_header = choice(body, "line_references"), choice(body, "header_references")
    if len(orders) < 2 or len({order.customer_id for order in orders}) > 1:
        raise ActRefused("Combining takes two or more drafts of the same customer.")
    if survivor_word == "new":
        survivor = copy_of(books, orders[0])
        absorbed = orders
    else:
        survivor = (
            orders[0]
            if survivor_word == "first"
            else next((order for order in orders if str(order.pk) == survivor_word), orders[-1])
        )
        if survivor_word not in {"first", str(survivor.pk)}:
            raise ActRefused("survivor is first, new, or the id of one of the drafts.")
        absorbed = [order for order in orders if order.pk != survivor.pk]
    survivor.lines = gathered_lines([survivor, *absorbed] if survivor_word != "new" else orders, keeps=keeps_lines)
    if not keeps_header:
        for name in ("ExternalImportReference", "ImportedOrderNo", "CustomMatchingReference"):
            survivor.header.pop(name, None)
        survivor.reference = None
    for order in absorbed:
        leave(books, order, OrderState.COMBINED, survivor.pk)
    finish(books, survivor)
    text = f"Combined {numbers(orders)} into order {survivor.number}, total {money(survivor.total_ore)}."
    return {"sentence": text, "order_ids": [str(survivor.pk)], "absorbed": [str(order.pk) for order in absorbed]}


def choice(body: Body, name: str) -> bool:
    """kept or lost."""
    value = str(body.get(name) or "kept")
    if value not in {"kept", "lost"}:
        raise ActRefused(f"{name} is kept or lost.")
    return value == "kept"


def gathered_lines(orders: list[SalesOrder], *, keeps: bool) -> list[Body]:
    """All lines in a row; a reference that comes twice is kept once."""
    lines: list[Body] = []
    seen: set[str] = set()
    for order in orders:
        for line in sorted(order.lines, key=lambda each: each.get("SortOrder") or 0):
            moved = {**line, "SortOrder": len(lines)}
            reference = moved.get("ExternalImportReference")
            if reference and (not keeps or reference in seen):
                del moved["ExternalImportReference"]
            seen.add(reference or "")
            lines.append(moved)
    return lines


def copy_of(books: Books, order: SalesOrder) -> SalesOrder:
    """A new draft with the header of another; a user made it."""
    return SalesOrder(
        id=uuid4(),
        company=books.company,
        customer=order.customer,
        number=books.company.take("order_no"),
        status="Draft",
        reference=order.reference,
        header=dict(order.header),
        created_at=books.now,
    )


@act
def split(books: Books, body: Body) -> Said:
    """Move lines to a new draft without header references."""
    order = one_draft(books, body)
    wanted = body.get("line_ids") or []
    moving = [line for line in order.lines if line["Id"] in wanted]
    if not moving or len(moving) == len(order.lines):
        raise ActRefused("line_ids must name some, but not all, lines of the order.")
    other = copy_of(books, order)
    other.reference = None
    for name in ("ExternalImportReference", "ImportedOrderNo", "CustomMatchingReference"):
        other.header.pop(name, None)
    other.lines = moving
    order.lines = [line for line in order.lines if line["Id"] not in wanted]
    finish(books, other)
    finish(books, order)
    text = f"Moved {len(moving)} line{'' if len(moving) == 1 else 's'} of order {order.number} to order {other.number}."
    return {"sentence": text, "order_ids": [str(order.pk), str(other.pk)]}


@act
def pay(books: Books, body: Body) -> Said:
    """A payment on an invoice: the whole balance, or an amount (more than the balance overpays)."""
    invoice = invoice_in(books, body)
    return receive(books, invoice, amount_in(body) or max(invoice.entry.balance_ore, 0), body)


@act
def overpay(books: Books, body: Body) -> Said:
    """The balance and something more; the rest stays open on the payment's own entry."""
    invoice = invoice_in(books, body)
    return receive(books, invoice, invoice.entry.balance_ore + (amount_in(body, "by") or 0), body)


def receive(books: Books, invoice: Invoice, amount_ore: int, body: Body) -> Said:
    """Post and match a payment."""
    kind = str(body.get("kind") or "IncomingOcrGiro")
    if kind not in words.VOUCHER_TYPES:
        raise ActRefused(f"kind is one of {', '.join(words.VOUCHER_TYPES)}.")
    if amount_ore <= 0:
        raise ActRefused(
            f"Invoice {invoice.invoice_no} has nothing to pay: its balance is {money(invoice.entry.balance_ore)}."
        )
    date = date_in(body) or books.today
    account = "15060012345" if kind == "IncomingOcrGiro" else ""
    entry = settle(books, invoice, -amount_ore, kind, date, from_account=account, cid=invoice.entry.cid)
    invoice.entry.refresh_from_db()
    left = money(invoice.entry.balance_ore)
    text = f"{money(amount_ore)} paid on invoice {invoice.invoice_no}; {left} is left."
    return {"sentence": text, "entry_id": entry.pk, "invoice_ids": [str(invoice.pk)]}


@act
def unmatched_payment(books: Books, body: Body) -> Said:
    """A payment nobody can place: an open credit entry on the customer."""
    return payment(books, {**body, "invoice_no": None, "cid": None, "matching_reference": None})


@act
def payment(books: Books, body: Body) -> Said:
    """A payment that Go matches by itself, if its reference fits (row 58)."""
    customer = customer_in(books, body)
    amount = amount_in(body)
    if not amount or amount < 0:
        raise ActRefused("amount must be more than 0.")
    entry = post_entry(
        books,
        customer,
        -amount,
        str(body.get("kind") or "BankJournal"),
        date_in(body) or books.today,
        cid=str(body.get("cid") or ""),
        matching_reference=str(body.get("matching_reference") or ""),
    )
    matched = match_by_reference(books, entry, str(body.get("invoice_no") or ""))
    text = f"{money(amount)} received from {customer.title}; {money(matched)} of it was matched."
    return {"sentence": text, "entry_id": entry.pk}


@act
def undo_payment(books: Books, body: Body) -> Said:
    """Take a payment off its invoice; `reversed` also posts a reversal of the payment itself."""
    entry = payment_in(books, body)
    freed = unmatch(books, entry)
    if str(body.get("mode") or "unmatched") == "reversed":
        entry.refresh_from_db()
        reversal = post_entry(books, entry.customer, -entry.amount_ore, "ReversalVoucher", books.today)
        match(books, entry, reversal)
    return {"sentence": f"Undid the payment {entry.voucher_no}: {money(freed)} is open again.", "entry_id": entry.pk}


@act
def pay_together(books: Books, body: Body) -> Said:
    """One payment for several invoices of a customer, matched with each in turn: all they owe, or an amount."""
    ids = names_in(body, "invoice_ids")
    invoices = [invoice_in(books, {"invoice_id": each}) for each in ids]
    if len(set(ids)) < 2 or len({invoice.customer_id for invoice in invoices}) > 1:
        raise ActRefused("invoice_ids must name two or more invoices of the same customer.")
    amount = amount_in(body) or sum(max(invoice.entry.balance_ore, 0) for invoice in invoices)
    if amount <= 0:
        raise ActRefused("amount must be more than 0, and these invoices owe nothing.")
    entry = post_entry(books, invoices[0].customer, -amount, "BankJournal", date_in(body) or books.today)
    matched = sum(match(books, invoice.entry, entry) for invoice in invoices)
    numbers = ", ".join(str(invoice.invoice_no) for invoice in invoices)
    text = f"{money(amount)} paid on invoices {numbers}; {money(matched)} of it was matched."
    return {"sentence": text, "entry_id": entry.pk, "invoice_ids": ids}


@act
def net(books: Books, body: Body) -> Said:
    """Match an invoice by hand with an open credit note of the same customer, whatever that one names."""
    invoice, note = invoice_in(books, body), invoice_in(books, {"invoice_id": body.get("credit_note_id")})
    if invoice.customer_id != note.customer_id or invoice.total_ore <= 0 or note.total_ore >= 0:
        raise ActRefused("invoice_id must be an invoice, and credit_note_id a credit note of the same customer.")
    amount = match(books, invoice.entry, note.entry)
    if not amount:
        raise ActRefused("One of the two has nothing open.")
    text = f"Netted {money(amount)} of invoice {invoice.invoice_no} against credit note {note.invoice_no}."
    return {"sentence": text, "invoice_ids": [str(invoice.pk), str(note.pk)]}


@act
def remind(books: Books, body: Body) -> Said:
    """Send a reminder or a later stage now; its fee is a voucher of its own on the customer (reference §10.1)."""
    invoice = invoice_in(books, body)
    fees = {voucher: fee for _days, voucher, fee in STAGES if voucher} | {"OutgoingWarrantOfExecution": 0}
    kind = str(body.get("kind") or "OutgoingPaymentReminder")
    if kind not in fees:
        raise ActRefused(f"kind is one of {', '.join(fees)}.")
    if invoice.entry.balance_ore <= 0:
        raise ActRefused(f"Invoice {invoice.invoice_no} has no balance to remind of.")
    amount = amount_in(body, "fee")
    fee = fees[kind] if amount is None else amount
    invoice.changed_at = books.now
    invoice.save(update_fields=["changed_at"])
    entry = post_entry(books, invoice.customer, fee, kind, books.today, due_date=books.today + dt.timedelta(days=14))
    return {"sentence": f"{kind} with a fee of {money(fee)} for invoice {invoice.invoice_no}.", "entry_id": entry.pk}


def payment_in(books: Books, body: Body) -> LedgerEntry:
    """The payment of the body, else the latest credit entry matched with the invoice."""
    entries = LedgerEntry.objects.select_related("customer").filter(company=books.company, amount_ore__lt=0)
    if body.get("entry_id"):
        entry = entries.filter(pk=int(number_in(body, "entry_id"))).first()
    else:
        invoice = invoice_in(books, body)
        entry = entries.filter(offsets__debit=invoice.entry).order_by("-pk").first()
    if entry is None:
        raise ActRefused("There is no such payment to undo.")
    return entry


@act
def credit(books: Books, body: Body) -> Said:
    """A credit note for all or a part (amount with VAT), made in Go and matched with the invoice."""
    invoice = invoice_in(books, body)
    part = amount_in(body)
    share = Decimal(1) if part is None else Decimal(part) / Decimal(invoice.total_ore or 1)
    if not 0 < share <= 1 or invoice.total_ore <= 0:
        raise ActRefused(f"A credit is more than 0 and at most the invoice's total {money(invoice.total_ore)}.")
    order = SalesOrder(
        id=uuid4(),
        company=books.company,
        customer=invoice.customer,
        number=books.company.take("order_no"),
        status="Draft",
        created_at=books.now,
        header={
            name: value
            for name, value in invoice.header.items()
            if name in words.ORDER and name not in {"ExternalImportReference", "ImportedOrderNo", "PaymentTerm"}
        },
        lines=[credited_line(line, share) for line in invoice.lines if line["LineType"] in {"Normal", "InvoiceFee"}],
    )
    matched = body.get("matched") not in {False, "false"}
    order.header.pop("CustomMatchingReference", None)
    order.header.pop("RelatedInvoiceNo", None)
    if matched:
        order.header["RelatedInvoiceNo"] = invoice.invoice_no
    finish(books, order)
    if part is not None and order.total_ore != -part:
        order.lines[0]["TotalAmount"] -= kroner(order.total_ore + part)
        order.lines[0]["VatAmount"] -= kroner(order.total_ore + part)
        order.total_ore = -part
    note = send_order(books, order, {})
    invoice.entry.refresh_from_db()
    text = f"Credit note {note.invoice_no} of {money(note.total_ore)} for invoice {invoice.invoice_no}; "
    return {"sentence": f"{text}{money(invoice.entry.balance_ore)} is left.", "invoice_ids": [str(note.pk)]}


def credited_line(line: Body, share: Decimal) -> Body:
    """A line the other way round; a part of it by its quantity."""
    kept = {name: value for name, value in line.items() if name in words.LINE and name != "ExternalImportReference"}
    quantity = Decimal(line.get("Quantity") or 0)
    return {**kept, "Id": str(uuid4()), "Quantity": -quantity if share == 1 else round(-quantity * share, 8)}


@act
def write_off(books: Books, body: Body) -> Said:
    """Write the balance, or a part of it, off as a loss: matched, but not a payment (reference §10.1)."""
    invoice = invoice_in(books, body)
    balance = invoice.entry.balance_ore
    given_amount = amount_in(body)
    amount = balance if given_amount is None else given_amount
    if not 0 < amount <= balance:
        raise ActRefused(f"Invoice {invoice.invoice_no} has {money(balance)} to write off.")
    settle(books, invoice, -amount, "ManualJournal", books.today, is_write_off=True)
    return {"sentence": f"Wrote off {money(amount)} of invoice {invoice.invoice_no}.", "invoice_ids": [str(invoice.pk)]}


@act
def reverse(books: Books, body: Body) -> Said:
    """Reverse a posted invoice by a reversal voucher; what was paid on it becomes open again."""
    invoice = invoice_in(books, body)
    if invoice.is_reversed:
        raise ActRefused(f"Invoice {invoice.invoice_no} is reversed already.")
    unmatch(books, invoice.entry)
    settle(books, invoice, -invoice.entry.amount_ore, "ReversalVoucher", books.today)
    invoice.is_reversed, invoice.changed_at, invoice.next_stage_on = True, books.now, None
    invoice.save(update_fields=["is_reversed", "changed_at", "next_stage_on"])
    return {"sentence": f"Reversed invoice {invoice.invoice_no}.", "invoice_ids": [str(invoice.pk)]}


@act
def revoke_key(books: Books, _body: Body) -> Said:
    """The extension is removed in Go: no new tokens, and the old ones are refused."""
    books.company.revoked = True
    books.company.save(update_fields=["revoked"])
    return {"sentence": f"Revoked the key of {books.company.name}."}


@act
def restore_key(books: Books, _body: Body) -> Said:
    """The extension is there again, with the same key."""
    books.company.revoked = False
    books.company.save(update_fields=["revoked"])
    return {"sentence": f"Restored the key of {books.company.name}."}


def names_in(body: Body, name: str) -> list[str]:
    """A list of names."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ActRefused(f"{name} must be a list of names.")
    return value


@act
def set_privileges(books: Books, body: Body) -> Said:
    """What the vendor granted the integration."""
    books.company.privileges = names_in(body, "privileges")
    books.company.save(update_fields=["privileges"])
    return {"sentence": f"{books.company.name} grants {', '.join(books.company.privileges) or 'nothing'}."}


@act
def set_subscriptions(books: Books, body: Body) -> Said:
    """The modules the company subscribes to."""
    books.company.subscriptions = names_in(body, "subscriptions")
    books.company.save(update_fields=["subscriptions"])
    return {"sentence": f"{books.company.name} subscribes to {', '.join(books.company.subscriptions) or 'nothing'}."}


@act
def set_send_grant(books: Books, body: Body) -> Said:
    """The extra grant for sending through the API."""
    books.company.allow_send = body.get("allow") in {True, "true"}
    books.company.save(update_fields=["allow_send"])
    word = "may" if books.company.allow_send else "may not"
    return {"sentence": f"The integration {word} send invoices of {books.company.name}."}


@act
def set_lock_date(books: Books, body: Body) -> Said:
    """Nothing can be posted on or before this date."""
    books.company.lock_date = date_in(body)
    books.company.save(update_fields=["lock_date"])
    return {"sentence": f"The lock date of {books.company.name} is {books.company.lock_date or 'not set'}."}


def share_in(body: Body, name: str) -> Decimal:
    """A share between 0 and 1."""
    share = number_in({name: 0, **body}, name)
    if not 0 <= share <= 1:
        raise ActRefused(f"{name} lies between 0 and 1.")
    return share


@act
def random_acts(books: Books, body: Body) -> Said:
    """A restless accountant: some of the drafts and unpaid invoices of this moment, the same for the same seed."""
    dice = random.Random(int(number_in({"seed": 0, **body}, "seed")))  # noqa: S311 - a game of dice, nothing secret
    shares = [(name, share_in(body, f"{name}_share")) for name in ("combine", "delete", "edit", "send")]
    pay_share = share_in(body, "pay_share")
    done = dict.fromkeys(("combined", "deleted", "edited", "sent", "paid"), 0)
    unpaid = Invoice.objects.filter(company=books.company, entry__balance_ore__gt=0).order_by("invoice_no")
    for invoice in unpaid:
        if dice.random() < pay_share:
            half = dice.random() < 0.3
            pay(
                books,
                {"invoice_id": invoice.pk, "amount": str(kroner(-(-invoice.entry.balance_ore // 2))) if half else None},
            )
            done["paid"] += 1
    drafts = SalesOrder.objects.filter(company=books.company, state=OrderState.OPEN)
    rest = list(drafts.order_by("number").values_list("pk", "customer_id"))
    waiting: dict[int, UUID] = {}
    for pk, customer in rest:
        throw, bound, fate = Decimal(dice.random()), Decimal(0), ""
        for name, share in shares:
            bound += share
            fate = fate or (name if throw < bound else "")
        if fate == "combine":
            partner = waiting.pop(customer, None)
            if partner is None:
                waiting[customer] = pk
                continue
            outcome = {
                "survivor": dice.choice(("first", "new")),
                "line_references": "kept",
                "header_references": "kept",
            }
            combine(books, {"order_ids": [partner, pk], **outcome})
            done["combined"] += 1
        elif fate == "delete":
            delete(books, {"order_ids": [pk]})
            done["deleted"] += 1
        elif fate == "edit":
            edit_line(books, {"order_id": pk, "quantity": dice.randint(1, 9)})
            done["edited"] += 1
        elif fate == "send":
            send(books, {"order_ids": [pk]})
            done["sent"] += 1
    return {"sentence": ", ".join(f"{number} {word}" for word, number in done.items()) + ".", **done}


ACTS["random"] = ACTS.pop("random_acts")


def move_clock(offset: dt.timedelta) -> Said:
    """Move the clock of the whole sandbox, and let time work in every company."""
    state = read_state(lock=True)
    state.clock_offset = offset
    state.save(update_fields=["clock_offset"])
    for company in Company.objects.all():
        let_time_work(accountants_books(company.pk))
    moment = now()
    return {"sentence": f"It is {moment.astimezone(OSLO):%Y-%m-%d %H:%M} in Go now.", "now": moment.isoformat()}


def set_clock(body: Body) -> Said:
    """Move the clock by seconds from real time."""
    return move_clock(dt.timedelta(seconds=int(number_in(body, "offset_seconds"))))


def advance_days(body: Body) -> Said:
    """Move the date on."""
    return move_clock(read_state().clock_offset + dt.timedelta(days=int(number_in({"days": 1, **body}, "days"))))


def set_date(body: Body) -> Said:
    """Make it a certain day, at the present time of day."""
    date = date_in(body)
    if date is None:
        raise ActRefused("date is required.")
    present = now().astimezone(OSLO)
    then = dt.datetime.combine(date, present.time(), OSLO)  # summer or winter, the same hour
    return move_clock(read_state().clock_offset + (then.astimezone(dt.UTC) - present.astimezone(dt.UTC)))


def expire_tokens(body: Body) -> Said:
    """Every token of a company, or of all, is worthless now."""
    tokens = Token.objects.all()
    if body.get("company"):
        tokens = tokens.filter(company=company_named(body["company"]))
    return {"sentence": f"{tokens.delete()[0]} tokens expired."}


WORLD_ACTS: dict[str, Callable[[Body], Said]] = {
    "set_clock": set_clock,
    "advance_days": advance_days,
    "set_date": set_date,
    "expire_tokens": expire_tokens,
}
