"""Pages for a person who plays the accountant in PowerOffice Go, and for one who breaks the line on purpose.

Every button is an act of `acts.py` or a call of `control.py`; the page then says what happened.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine

from integration.sandbox import control, faults
from integration.sandbox.acts import perform
from integration.sandbox.books import Books
from integration.sandbox.errors import ActRefused
from integration.sandbox.ledger import entry_words
from integration.sandbox.models import Company, FaultPlan, Invoice, LedgerEntry, OrderState, SalesOrder
from integration.sandbox.orders import sorted_lines
from integration.sandbox.seed import PRIVILEGES
from integration.sandbox.sending import let_time_work
from integration.sandbox.switches import SWITCHES, Switches, now, read_state, read_switches, set_switches
from integration.sandbox.transport import bare

ROWS = 200
LISTS = ("order_ids", "line_ids", "invoice_ids", "privileges", "subscriptions", "kinds")
SUBSCRIPTIONS = ("Accounting", "TimeTracking", "Payroll", "TravelExpense", "HolidayAndLeave", "Quality")
REMINDER_KINDS = (
    "OutgoingPaymentReminder",
    "OutgoingNoticeOfDebtCollection",
    "OutgoingPaymentDemand",
    "OutgoingWarrantOfExecution",
)
PAYMENT_KINDS = ("IncomingOcrGiro", "BankJournal", "IncomingPayments", "CashJournal", "ManualJournal")
TABS = (
    ("drafts", "Drafts", "Kladd"),
    ("sent", "Sent", "Sendt"),
    ("unpaid", "Unpaid", "Ubetalt"),
    ("paid", "Paid", "Betalt"),
)
ENGINE = Engine(
    dirs=[str(Path(__file__).parent / "templates")],
    builtins=["integration.sandbox.page_filters"],
)
Values = dict[str, Any]


def page(request: HttpRequest, template: str, context: Values) -> HttpResponse:
    """A page, whatever the surrounding settings say of templates."""
    moment = now()
    common = {
        "companies": Company.objects.order_by("pk"),
        "moment": moment,
        "offset": read_state().clock_offset,
        "said": request.GET.get("said", ""),
        "refused": request.GET.get("refused", ""),
        "here": request.path,
        "tabs": TABS,
    }
    text = ENGINE.get_template(f"sandbox/{template}.html").render(Context({**common, **context}))
    return HttpResponse(text)


def back(request: HttpRequest, act: Callable[[], str], fallback: str) -> HttpResponse:
    """Do something, then go back to the page the button was on, with a sentence."""
    try:
        flash = {"said": act()}
    except (ActRefused, ValueError) as error:
        flash = {"refused": str(error)}
    target = request.POST.get("next", fallback)
    if not target.startswith("/") or target.startswith("//"):
        target = fallback
    response = bare(303)
    response["Location"] = f"{target}?{urlencode(flash)}"
    return response


def form(request: HttpRequest) -> Values:
    """The form as a body of the control surface; empty fields are left out."""
    body: Values = {}
    for name in request.POST:
        values = [value for value in request.POST.getlist(name) if value != ""]
        if name in LISTS:
            body[name] = values
        elif values and name != "next":
            body[name] = values[-1]
    return body


def books_of(number: int) -> Books:
    """The books for reading, with what has fallen due done."""
    state = read_state()
    company = Company.objects.filter(pk=number).first()
    if company is None:
        raise ActRefused(f"There is no company number {number}.")
    books = Books(company, Switches(state), now())
    let_time_work(books)
    return books


def home(request: HttpRequest) -> HttpResponse:
    """Which company?"""
    open_orders = Count("salesorder", filter=Q(salesorder__state=OrderState.OPEN), distinct=True)
    companies = Company.objects.annotate(drafts=open_orders, invoices=Count("invoice", distinct=True)).order_by("pk")
    return page(request, "home", {"rows": companies})


def company_list(request: HttpRequest, number: int, tab: str) -> HttpResponse:
    """Drafts, or sent, unpaid or paid invoices."""
    books = books_of(number)
    wanted = request.GET.get("q", "").strip()
    found = drafts(books, wanted) if tab == "drafts" else invoices(books, tab, wanted)
    column = "total_ore" if tab in {"drafts", "sent"} else "entry__balance_ore"
    context = {
        "company": books.company,
        "tab": tab,
        "q": wanted,
        "rows": found[:ROWS],
        "count": found.count(),
        "sum": found.aggregate(sum=Sum(column))["sum"] or 0,
        "limit": ROWS,
        "products": books.register("Product").order_by("code"),
        "customers": books.register("Customer").order_by("code")[:ROWS],
        "kinds": PAYMENT_KINDS,
    }
    return page(request, "drafts" if tab == "drafts" else "invoices", context)


def drafts(books: Books, wanted: str) -> Any:
    """The unsent orders, newest first."""
    found = SalesOrder.objects.select_related("customer").filter(
        company=books.company, state__in=[OrderState.OPEN, OrderState.SENDING]
    )
    if wanted:
        number = int(wanted) if wanted.isdecimal() and len(wanted) < 18 else -1
        found = found.filter(Q(reference__icontains=wanted) | Q(number=number) | Q(customer__code=wanted))
    return found.order_by("-number")


def invoices(books: Books, tab: str, wanted: str) -> Any:
    """Invoices and credit notes, newest first."""
    found = Invoice.objects.select_related("entry", "customer").filter(company=books.company)
    if tab != "sent":
        found = found.exclude(entry__balance_ore=0) if tab == "unpaid" else found.filter(entry__balance_ore=0)
    if wanted:
        number = int(wanted) if wanted.isdecimal() and len(wanted) < 18 else -1
        found = found.filter(Q(reference__icontains=wanted) | Q(invoice_no=number) | Q(customer__code=wanted))
    return found.order_by("-invoice_no")


def order_page(request: HttpRequest, number: int, pk: UUID) -> HttpResponse:
    """One sales order, whatever became of it."""
    books = books_of(number)
    order = SalesOrder.objects.select_related("customer").filter(company=books.company, pk=pk).first()
    if order is None:
        raise ActRefused("There is no such order.")
    others = SalesOrder.objects.filter(company=books.company, state=OrderState.OPEN, customer=order.customer)
    context = {
        "company": books.company,
        "order": order,
        "lines": [{**line, "product": books.record("Product", line.get("ProductId"))} for line in sorted_lines(order)],
        "header": {name: value for name, value in order.header.items() if name != "CustomerId"},
        "others": others.exclude(pk=order.pk).order_by("number")[:ROWS],
        "products": books.register("Product").order_by("code"),
        "editable": order.state == OrderState.OPEN,
        "invoice": Invoice.objects.filter(pk=order.pk).first(),
        "tab": "drafts",
    }
    return page(request, "order", context)


def any_page(_request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leads to an order by its id alone, which is all that other systems know; to its invoice once there is one."""
    found = Invoice.objects.filter(pk=pk).first() or SalesOrder.objects.filter(pk=pk).first()
    if found is None:
        raise ActRefused("There is no such order.")
    kind = "invoices" if isinstance(found, Invoice) else "orders"
    response = bare(302)
    response["Location"] = f"/c/{found.company_id}/{kind}/{pk}"
    return response


def invoice_page(request: HttpRequest, number: int, pk: UUID) -> HttpResponse:
    """One invoice, and the ledger entries it is matched with."""
    books = books_of(number)
    invoice = Invoice.objects.select_related("entry", "customer").filter(company=books.company, pk=pk).first()
    if invoice is None:
        raise ActRefused("There is no such invoice.")
    same = Q(pk=invoice.entry_id)
    if invoice.entry.match_id:
        same |= Q(match_id=invoice.entry.match_id)
    entries = LedgerEntry.objects.select_related("customer").filter(same, company=books.company).order_by("pk")
    others = Invoice.objects.select_related("entry").filter(company=books.company, customer=invoice.customer)
    others = others.exclude(pk=invoice.pk).order_by("invoice_no")
    context = {
        "company": books.company,
        "invoice": invoice,
        "lines": [{**line, "product": books.record("Product", line.get("ProductId"))} for line in invoice.lines],
        "entries": [entry_words(books, entry) for entry in entries],
        "kinds": PAYMENT_KINDS,
        "stages": REMINDER_KINDS,
        "notes": others.filter(entry__balance_ore__lt=0, total_ore__lt=0) if invoice.total_ore > 0 else (),
        "others": others.filter(entry__balance_ore__gt=0) if invoice.entry.balance_ore > 0 else (),
        "tab": "paid" if invoice.entry.balance_ore == 0 else "unpaid",
    }
    return page(request, "invoice", context)


def do(request: HttpRequest, number: int, act: str) -> HttpResponse:
    """A button of the accountant."""
    return back(
        request, lambda: str(perform(act, {**form(request), "company": number})["sentence"]), f"/c/{number}/drafts"
    )


def settings_page(request: HttpRequest, number: int = 0) -> HttpResponse:
    """Keys, rights, lock date, clock and switches."""
    company = Company.objects.filter(pk=number).first() or Company.objects.order_by("pk").first()
    values = read_switches().all()
    switches = [
        {
            "name": name,
            "switch": switch,
            "value": shown_switch(values[name]),
            "is_default": values[name] == switch.default,
        }
        for name, switch in SWITCHES.items()
    ]
    context = {
        "company": company,
        "switches": switches,
        "privileges": sorted({*PRIVILEGES, *(company.privileges if company else [])}),
        "subscriptions": SUBSCRIPTIONS,
        "tab": "settings",
    }
    return page(request, "settings", context)


def shown_switch(value: Any) -> str:
    """A switch as a form holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


def change_switches(request: HttpRequest) -> HttpResponse:
    """Save the switches of the form."""

    def act() -> str:
        before = read_switches().all()
        wanted: Values = {}
        for name, text in form(request).items():
            default = SWITCHES[name].default if name in SWITCHES else ""
            if isinstance(default, bool):
                wanted[name] = text == "true"
            else:
                wanted[name] = [part.strip() for part in text.split(",")] if isinstance(default, list) else text
        set_switches(wanted)
        after = read_switches().all()
        changed = [f"{name} is {shown_switch(after[name])}" for name in after if after[name] != before[name]]
        return f"Changed: {'; '.join(changed)}." if changed else "No switch was changed."

    return back(request, act, "/settings")


def faults_page(request: HttpRequest) -> HttpResponse:
    """The fault plans."""
    plans = [faults.plan_words(plan) for plan in FaultPlan.objects.order_by("-pk")]
    return page(request, "faults", {"plans": plans, "kinds": faults.KINDS, "tab": "faults"})


def change_faults(request: HttpRequest) -> HttpResponse:
    """Add a plan, take one away, or all."""

    def act() -> str:
        body = form(request)
        if body.get("remove"):
            plans = (
                FaultPlan.objects.all() if body["remove"] == "all" else FaultPlan.objects.filter(pk=int(body["remove"]))
            )
            return f"{plans.delete()[0]} fault plans taken away."
        plan = faults.plan_from(body)
        plan.save()
        return f"Fault plan {plan.pk} waits for its requests."

    return back(request, act, "/faults")


def requests_page(request: HttpRequest) -> HttpResponse:
    """What came in."""
    return page(request, "requests", {"counts": control.requests(request, {}), "tab": "requests"})


def forget_requests(request: HttpRequest) -> HttpResponse:
    """Count anew."""
    return back(request, lambda: str(control.forget_requests(request, {})["sentence"]), "/requests")


def reset_all(request: HttpRequest) -> HttpResponse:
    """Begin anew with the demo companies."""
    return back(request, lambda: str(control.reset(request, {"seed_demo": True})["sentence"]), "/")


def guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that cannot be shown says why; buttons only work by POST."""

    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ActRefused as error:
            response = page(request, "home", {"rows": [], "refused": str(error)})
            response.status_code = 404
            return response

    return shown
