"""The control surface below `/_control/`: everything the pages can do, as JSON, without keys. Not part of the real Go.

Serve the sandbox
    In a process of its own (one process, many threads; books survive a restart):
        DJANGO_SETTINGS_MODULE=config.settings_sandbox python manage.py migrate
        DJANGO_SETTINGS_MODULE=config.settings_sandbox gunicorn --threads 8 integration.sandbox.wsgi:application
    In a test process: `tests/wsgi_adapter.py` mounts `integration.sandbox.wsgi.application` on a `requests.Session`.

Demo set-up (made when the process starts with empty books, or by `reset {"seed_demo": true}`)
    application key 11111111-1111-4111-8111-111111111111, subscription key sandbox-subscription-key
    Fjordgløtt Camping AS  client key 22222222-2222-4222-8222-222222222201
    Nordlys Padel AS       client key 22222222-2222-4222-8222-222222222202

Words: `company` is a client key or the number in `GET /_control/companies`. Order and invoice ids are Go's uuids.
Every act in a company takes `stamped_ago`, seconds: its stamps are so old, as if it had become visible late.
Amounts in requests are strings "123.45" or numbers, read as Decimal; amounts in answers are strings. Dates are
YYYY-MM-DD. Anything wrong is 400 {"error": "<one clear sentence>"}; nothing is done then.

| call | body | answer |
|---|---|---|
| POST /_control/reset | {"seed_demo": false}? | empties books, switches, faults, counters and clock |
| GET /_control/companies | | [{id, name, client_key, organisation_number, environment, revoked, ...}] |
| POST /_control/companies | {name, client_key, organisation_number?, environment?, seed?: true} | 201, the company |
| GET, PUT /_control/switches | {name: value, ...} | all switches, flat; `switches.py` explains each |
| GET, DELETE /_control/requests | | {total, throttled, most_in_one_second, most_in_one_window, by_route, by_status,
  by_answer: {route: {status: count}}}; DELETE starts again |
| GET, POST, DELETE /_control/faults | see below | the plans, and what is left of each; DELETE takes ?id= or all |
| GET /_control/books?company= | | {company, customers, products, orders (deleted too), invoices, ledger} |
| GET /_control/clock | | {now, today, offset_seconds} |
| POST /_control/acts/<act> | {company, ...} | {"sentence": what happened, ...ids} |

A company's environment is both, production or demo; `seed` lays products and customers beside its registers. Requests
are counted by route: `POST /OAuth/Token`, `GET /SalesOrders/{id}`; a dropped one has the status "dropped".

A fault plan is exact or random.
    exact:  {"kind": KIND, "method": "POST" or "*", "path": "/SalesOrders/Complete", "count": 1, "skip": 0}
            the next `count` matching requests after `skip` others; path may hold `*`; the token is `/OAuth/Token`
    random: {"random": true, "rate": 0.05, "read_rate": 0, "seed": 7, "kinds": [KIND, ...]}
            `rate` for writes, `read_rate` for GET and token; the same seed gives the same row of faults
    KIND: drop_before_commit, drop_after_commit, error_500_before_commit, error_500_after_commit,
          unavailable_503_before_commit, unavailable_503_after_commit, throttled_429 ("retry_after": true/false;
          "burst_seconds": 0, how long every further request is refused too),
          slow ("seconds": 3, "commit": "before" or "late"), malformed_json_after_commit, html_after_commit,
          empty_after_commit, unauthorized_401, forbidden_403 (whatever the privileges say)

| act | members beside company |
|---|---|
| send | order_ids, voucher_date? | the accountant presses Send (so IsCreatedByCurrentIntegration becomes false) |
| confirm, unlock, delete | order_ids | lock, unlock, delete drafts; the accountant may delete locked ones |
| edit_line | order_id, line_id? (else the first product line), quantity?, unit_price?, allowance?, description? |
| add_line | order_id, product_code?, quantity?, unit_price?, description? |
| delete_line | order_id, line_id? |
| edit_header | order_id, and members by Go's names: CustomerReference, ExternalImportReference, DeliveryDate, ... |
| create_order | customer_no, product_code, quantity?, unit_price? | a draft the accountant typed |
| combine | order_ids, survivor: "first"/"new"/order id, line_references: kept/lost, header_references: kept/lost |
| split | order_id, line_ids | the lines move to a new draft |
| pay | invoice_id, amount? (null: the whole balance), kind?: a VoucherType (IncomingOcrGiro), date? |
| overpay | invoice_id, by: amount above the balance |
| unmatched_payment | customer_no, amount, date? | a payment without reference |
| payment | customer_no, amount, invoice_no? or cid? or matching_reference? | matched as Go does it (row 58) |
| undo_payment | entry_id, or invoice_id (its latest payment); mode: "unmatched" or "reversed" |
| credit | invoice_id, amount? (with VAT; null: all), matched?: true |
| pay_together | invoice_ids, amount? (null: all they owe), date? | one payment, matched with each in turn |
| net | invoice_id, credit_note_id | matched by hand, whatever the credit note names |
| remind | invoice_id, kind?: a VoucherType (OutgoingPaymentReminder), fee? | a voucher of its own on the customer |
| write_off | invoice_id, amount? (null: the balance) |
| reverse | invoice_id |
| set_date, advance_days | date / days | for all companies: due dates, reminders, collection follow |
| set_clock | offset_seconds | for all companies: moves `now` |
| revoke_key, restore_key | | the client key is refused (and its tokens) |
| set_privileges | privileges: [..] | what the vendor granted the integration |
| set_subscriptions | subscriptions: [..] | what the company subscribes to |
| set_send_grant | allow: true/false |
| set_lock_date | date or null |
| expire_tokens | | of the company; of all without company |
| random | seed, send_share, delete_share, edit_share, combine_share, pay_share | each 0..1, of what there is now |
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from integration.sandbox import faults
from integration.sandbox.acts import company_named, perform
from integration.sandbox.books import Books
from integration.sandbox.errors import ActRefused
from integration.sandbox.ledger import entry_words
from integration.sandbox.models import (
    Company,
    FaultPlan,
    Hit,
    Invoice,
    LedgerEntry,
    OrderState,
    Record,
    SalesOrder,
    one_act,
)
from integration.sandbox.seed import empty_books, open_company, seed_demo
from integration.sandbox.switches import OSLO, Switches, now, read_state, read_switches, set_switches
from integration.sandbox.wire import dumps, kroner, loads

Body = dict[str, Any]
SECOND = 1000


def control(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a control call; anything wrong is 400 with one clear sentence."""
    try:
        body = loads(request.body) if request.body else {}
        status, answer = dispatch(request, path.strip("/"), body)
    except ActRefused as error:
        status, answer = 400, {"error": str(error)}
    except ValueError as error:
        status, answer = 400, {"error": f"The body is not JSON: {error}."}
    return HttpResponse(dumps(answer), "application/json; charset=utf-8", status)


def dispatch(request: HttpRequest, path: str, body: Any) -> tuple[int, Any]:
    """Find what does it."""
    if not isinstance(body, dict):
        raise ActRefused("The body must be a JSON object.")
    if path.startswith("acts/") and request.method == "POST":
        return 200, perform(path.removeprefix("acts/"), body)
    handler = CALLS.get(f"{request.method} {path}")
    if handler is None:
        raise ActRefused(f"There is no {request.method} /_control/{path}. Calls: {', '.join(CALLS)}, POST acts/<act>.")
    status = 201 if f"{request.method} {path}" == "POST companies" else 200
    return status, handler(request, body)


def reset(_request: HttpRequest, body: Body) -> Any:
    """Begin anew."""
    with one_act():
        empty_books()
        read_state()
        companies = seed_demo() if body.get("seed_demo") else []
    return {"sentence": "The books are empty." if not companies else "The demo companies are as new."}


def companies(_request: HttpRequest, _body: Body) -> Any:
    """All companies."""
    return [company_words(company) for company in Company.objects.order_by("pk")]


def company_words(company: Company) -> Body:
    """A company as the control surface shows it."""
    return {
        "id": company.pk,
        "name": company.name,
        "client_key": company.client_key,
        "organisation_number": company.organisation_number,
        "environment": company.environment,
        "revoked": company.revoked,
        "allow_send": company.allow_send,
        "lock_date": company.lock_date,
        "privileges": company.privileges,
        "subscriptions": company.subscriptions,
    }


def new_company(_request: HttpRequest, body: Body) -> Any:
    """One more company."""
    try:
        key = UUID(str(body.get("client_key")))
    except ValueError as error:
        raise ActRefused("client_key must be a uuid.") from error
    name, environment = str(body.get("name") or ""), str(body.get("environment") or "both")
    if not name or environment not in {"both", "production", "demo"}:
        raise ActRefused("name is required, and environment is both, production or demo.")
    with one_act():
        if Company.objects.filter(client_key=key).exists():
            raise ActRefused(f"There is a company with client key {key} already.")
        number = str(body.get("organisation_number") or "")
        company = open_company(name, key, number, environment=environment, seed=bool(body.get("seed", True)))
    return company_words(company)


def all_switches(_request: HttpRequest, body: Body) -> Any:
    """The switches, after changing those in the body."""
    if body:
        try:
            set_switches(body)
        except ValueError as error:
            raise ActRefused(str(error)) from error
    return read_switches().all()


def requests(_request: HttpRequest, _body: Body) -> Any:
    """What came in since the counters were last reset."""
    hits = list(Hit.objects.order_by("at_ms").values_list("at_ms", "route", "status", "throttled"))
    window = round(read_switches()["rate_window_seconds"] * 1000)
    times = [at_ms for at_ms, *_ in hits]
    by_answer: dict[str, Counter[str]] = defaultdict(Counter)
    for _, route, status, _ in hits:
        by_answer[route][str(status or "dropped")] += 1
    return {
        "total": len(hits),
        "throttled": sum(throttled for *_, throttled in hits),
        "most_in_one_second": most_within(SECOND, times),
        "most_in_one_window": most_within(window, times),
        "by_route": dict(Counter(route for _, route, _, _ in hits).most_common()),
        "by_status": dict(sorted(Counter(str(status or "dropped") for _, _, status, _ in hits).items())),
        "by_answer": {route: dict(counts) for route, counts in sorted(by_answer.items())},
    }


def most_within(span: int, times: list[int]) -> int:
    """The most requests in any window of `span` milliseconds; `times` are milliseconds in order."""
    most = first = 0
    for last, at_ms in enumerate(times):
        while times[first] <= at_ms - span:
            first += 1
        most = max(most, last - first + 1)
    return most


def forget_requests(_request: HttpRequest, _body: Body) -> Any:
    """Start counting again."""
    Hit.objects.all().delete()
    return {"sentence": "The counters start again."}


def all_faults(_request: HttpRequest, _body: Body) -> Any:
    """The fault plans."""
    return [faults.plan_words(plan) for plan in FaultPlan.objects.order_by("pk")]


def add_fault(_request: HttpRequest, body: Body) -> Any:
    """One more fault plan."""
    plan = faults.plan_from(body)
    plan.save()
    return faults.plan_words(plan)


def remove_faults(request: HttpRequest, _body: Body) -> Any:
    """Take one plan away, or all."""
    plans = FaultPlan.objects.all()
    wanted = request.GET.get("id", "")
    if wanted:
        plans = plans.filter(pk=int(wanted) if wanted.isdecimal() else 0)
    return {"sentence": f"{plans.delete()[0]} fault plans taken away."}


def clock(_request: HttpRequest, _body: Body) -> Any:
    """What time it is in Go."""
    moment = now()
    offset = int(read_state().clock_offset.total_seconds())
    return {"now": moment.isoformat(), "today": moment.astimezone(OSLO).date(), "offset_seconds": offset}


def whole_books(request: HttpRequest, _body: Body) -> Any:
    """The truth about one company, for verdicts; four queries whatever its size."""
    company = company_named(request.GET.get("company"))
    records = {record.pk: record for record in Record.objects.filter(company=company, kind__in=["Customer", "Product"])}
    by_kind = {
        kind: [
            {"id": each.pk, "code": each.code, "name": each.title, **texts(each.data)}
            for each in records.values()
            if each.kind == kind
        ]
        for kind in ("Customer", "Product")
    }
    orders = SalesOrder.objects.filter(company=company).order_by("number")
    invoices = Invoice.objects.select_related("entry").filter(company=company).order_by("invoice_no")
    entries = LedgerEntry.objects.select_related("customer").filter(company=company).order_by("pk")
    books = Books(company, Switches(read_state()), now())
    return {
        "company": company_words(company),
        "customers": by_kind["Customer"],
        "products": by_kind["Product"],
        "orders": [order_truth(order, records) for order in orders],
        "invoices": [invoice_truth(invoice, records) for invoice in invoices],
        "ledger": [texts(entry_words(books, entry)) for entry in entries],
    }


def texts(data: Body) -> Body:
    """Amounts as text, with two decimals where they are kroner."""
    return {name: format(value, "f") if hasattr(value, "as_tuple") else value for name, value in data.items()}


def line_truth(line: Body, records: dict[int, Record]) -> Body:
    """A line of an order or invoice."""
    product = records.get(line.get("ProductId") or 0)
    return {
        "id": line.get("Id"),
        "line_type": line.get("LineType"),
        "reference": line.get("ExternalImportReference"),
        "product_code": product.code if product else None,
        "description": line.get("Description"),
        "quantity": str(line["Quantity"]) if line.get("Quantity") is not None else None,
        "unit_price": str(line["ProductUnitPrice"]) if line.get("ProductUnitPrice") is not None else None,
        "vat_rate": str(line["VatRate"]) if line.get("VatRate") is not None else None,
        "net": f"{line.get('NetAmount', 0):.2f}",
        "vat": f"{line.get('VatAmount', 0):.2f}",
        "total": f"{line.get('TotalAmount', 0):.2f}",
    }


def order_truth(order: SalesOrder, records: dict[int, Record]) -> Body:
    """An order, whatever became of it."""
    customer = records[order.customer_id]
    return {
        "id": order.pk,
        "number": order.number,
        "state": order.state.lower(),
        "deleted": order.state in {OrderState.DELETED, OrderState.COMBINED},
        "combined_into": order.combined_into,
        "status": order.status,
        "reference": order.reference,
        "imported_order_no": order.header.get("ImportedOrderNo"),
        "customer_id": customer.pk,
        "customer_no": int(customer.code or 0),
        "net": str(kroner(order.net_ore)),
        "total": str(kroner(order.total_ore)),
        "line_count": len(order.lines),
        "made_by_integration": bool(order.application_key),
        "created_at": order.created_at,
        "changed_at": order.changed_at,
        "header": texts(order.header),
        "lines": [line_truth(line, records) for line in order.lines],
    }


def invoice_truth(invoice: Invoice, records: dict[int, Record]) -> Body:
    """An invoice or credit note."""
    customer, entry = records[invoice.customer_id], invoice.entry
    return {
        "id": invoice.pk,
        "invoice_no": invoice.invoice_no,
        "order_no": invoice.order_no,
        "voucher_no": entry.voucher_no,
        "voucher_type": entry.voucher_type,
        "voucher_date": entry.voucher_date,
        "due_date": entry.due_date,
        "cid": entry.cid,
        "reference": invoice.reference,
        "related_invoice_no": invoice.header.get("RelatedInvoiceNo"),
        "customer_id": customer.pk,
        "customer_no": int(customer.code or 0),
        "net": str(kroner(invoice.net_ore)),
        "total": str(kroner(invoice.total_ore)),
        "balance": str(kroner(entry.balance_ore)),
        "match_id": entry.match_id,
        "is_reversed": invoice.is_reversed,
        "sent_at": invoice.sent_at,
        "sent_by_integration": bool(invoice.application_key),
        "lines": [line_truth(line, records) for line in invoice.lines],
    }


CALLS: dict[str, Callable[[HttpRequest, Body], Any]] = {
    "POST reset": reset,
    "GET companies": companies,
    "POST companies": new_company,
    "GET switches": all_switches,
    "PUT switches": all_switches,
    "GET requests": requests,
    "DELETE requests": forget_requests,
    "GET faults": all_faults,
    "POST faults": add_fault,
    "DELETE faults": remove_faults,
    "GET books": whole_books,
    "GET clock": clock,
}
