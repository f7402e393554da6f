"""The sidebar: what this person may open, by the work it belongs to (design §6)."""

from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.contrib.admin import site
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from integration.enums import HandPaymentState
from integration.enums import StatementStatus as S
from integration.use_cases.invoice_receivers import NO_RECEIVER


@dataclass(frozen=True)
class Entry:
    """A link to a list, perhaps with a filter; or to a page with a name of its own, for those who may see the list."""

    title: str
    icon: str
    model: str
    query: str = ""
    page: str = ""

    def address(self) -> str:
        """Where it leads."""
        if self.page:
            return reverse(self.page)
        address = reverse(f"admin:{self.model.replace('.', '_')}_changelist")
        return f"{address}?{self.query}" if self.query else address


STATEMENTS: Final = "integration.invoicestatement"


def status_query(*statuses: S) -> str:
    """The filter that shows these states."""
    return "&".join(f"status__exact={status.value}" for status in statuses)


STUCK: Final = status_query(S.NEEDS_FIX)
FAILED_PAYMENTS: Final = status_query(S.CANCELLED)
LINK_BROKEN: Final = status_query(S.LINK_BROKEN)
NOT_INVOICED: Final = f"{status_query(S.UPCOMING)}&attention_code__exact={NO_RECEIVER}"
DRAFTS_NOT_SENT: Final = status_query(S.DRAFT, S.CONFIRMED)
SECOND_PERSON: Final = f"state__exact={HandPaymentState.WAITING.value}"
"""Of the payments by hand, those that wait for a second person."""

SIDEBAR: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "Invoices",
        (
            Entry("Statements", "receipt_long", STATEMENTS),
            Entry("Stuck", "error", STATEMENTS, STUCK),
            Entry("Failed payments", "money_off", STATEMENTS, FAILED_PAYMENTS),
            Entry("Link broken", "link_off", STATEMENTS, LINK_BROKEN),
            Entry("Drafts not sent", "drafts", STATEMENTS, DRAFTS_NOT_SENT),
            Entry("Outgoing invoices", "outgoing_mail", "integration.outgoinginvoice"),
            Entry("Invoice order rows", "table_rows", "integration.statementline"),
            Entry("Payments by hand", "back_hand", "integration.handpayment"),
            Entry("Reports", "bar_chart", STATEMENTS, page="reports"),
        ),
    ),
    (
        "Customers",
        (
            Entry("Customers", "groups", "integration.customer"),
            Entry("Subscriptions", "event_repeat", "integration.subscription"),
            Entry("Not invoiced", "notifications_off", STATEMENTS, NOT_INVOICED),
        ),
    ),
    ("Products", (Entry("Products", "inventory_2", "integration.product"),)),
    (
        "Sync",
        (
            Entry("Runs", "sync", "integration.syncrun"),
            Entry("Attempts", "swap_vert", "integration.syncattempt"),
            Entry("Actions by people", "history", "integration.adminaction"),
            Entry("Schedule", "schedule", "integration.scheduledtask"),
        ),
    ),
    ("Settings", (Entry("Go companies", "domain", "integration.gocompany"),)),
    (
        "People",
        (
            Entry("People", "person", "accounts.user"),
            Entry("Roles", "badge", "accounts.role"),
            Entry("Failed log-ins", "lock", "accounts.failedlogin"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What unfold draws at the side."""
    groups: list[dict[str, Any]] = [
        {"items": [{"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")}]}
    ]
    for title, entries in SIDEBAR:
        items = [item(request, entry) for entry in entries if may_open(request, entry)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def may_open(request: HttpRequest, entry: Entry) -> bool:
    """Whether this person may see the list: the page itself is asked."""
    page = site.get_model_admin(apps.get_model(entry.model))
    return page.has_view_permission(request)


def item(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    """One link, marked when its page is open."""
    return {"title": entry.title, "icon": entry.icon, "link": entry.address(), "active": is_open(request, entry)}


def is_open(request: HttpRequest, entry: Entry) -> bool:
    """Whether this is the list, or a page of it, that is shown. Lists of one model differ by their filter."""
    if entry.page:
        return request.path.startswith(entry.address())
    if not request.path.startswith(reverse(f"admin:{entry.model.replace('.', '_')}_changelist")):
        return False
    shown = request.GET.getlist("status__exact")
    presets = [
        QueryDict(other.query).getlist("status__exact") for _, group in SIDEBAR for other in group if other.query
    ]
    mine = QueryDict(entry.query).getlist("status__exact")
    return shown == mine if shown in presets else not entry.query
