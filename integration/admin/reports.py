"""Reports beside the lists: where all statements are, how late money is, what waits, was credited or set by hand.

Every figure is counted from the rows that its report lists or links to, and only of the companies that the person sees.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from integration.admin.causes import catalogue, stuck_by_cause
from integration.admin.display import list_of
from integration.admin.receivables import ageing
from integration.admin.report_tables import Asked, Table
from integration.admin.statement_reports import by_status, credited, failed_payments, set_by_hand, unsent_drafts
from integration.admin.why_not import TITLE, ask
from integration.models import GoCompany, StatementLine


@dataclass(frozen=True)
class Report:
    """A report: what it is called, what it tells, and how it is made."""

    title: str
    tells: str
    tables: Callable[[Asked], list[Table]]


REPORTS: Final[dict[str, Report]] = {
    "statuses": Report("Statements by status", "Where all statements are. The counts add up to all.", by_status),
    "stuck": Report("Stuck, by cause", "Why statements stand still, who must act, and where.", stuck_by_cause),
    "causes": Report(
        "Catalogue of causes",
        "Whatever can stop or delay something: what it means, who must act, and where.",
        catalogue,
    ),
    "ageing": Report("Ageing of receivables", "What customers owe, and how late it is.", ageing),
    "failed": Report(
        "Failed payments", "What was cancelled in PowerOffice Go, and for how long it has waited.", failed_payments
    ),
    "by-hand": Report("Set by hand", "What no longer follows PowerOffice Go: who decided, when and why.", set_by_hand),
    "credits": Report("Credits", "Credit notes from here and from PowerOffice Go, and what they credit.", credited),
    "drafts": Report(
        "Unsent drafts", "Drafts that nobody has sent in PowerOffice Go, by age and kroner.", unsent_drafts
    ),
}


class CompanyForm(forms.Form):
    """Which company; only own ones can be chosen."""

    company = forms.ModelChoiceField(
        queryset=GoCompany.objects.none(),
        required=False,
        empty_label="All my companies",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "Choose one of your companies."},
    )

    def __init__(self, *args: Any, companies: QuerySet[GoCompany], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["company"]
        chosen.queryset = companies


def may_see(request: HttpRequest) -> None:
    """Raises PermissionDenied for who may not see statements."""
    if not request.user.has_perm("integration.view_invoicestatement"):
        raise PermissionDenied


def index(request: HttpRequest) -> HttpResponse:
    """All reports, with what each tells."""
    may_see(request)
    entries = [(reverse("report", args=[key]), each.title, each.tells) for key, each in REPORTS.items()]
    rows = (
        list_of(StatementLine),
        "Invoice order rows",
        "Every line of every statement, with totals. Goes out to Excel.",
    )
    why_not = (
        reverse("why_not"),
        TITLE,
        "For any statement: what is in order, what is not, and how to mend it.",
    )
    context = {
        **admin.site.each_context(request),
        "title": "Reports",
        "content_title": "Reports",
        "reports": [why_not, rows, *entries],
    }
    return TemplateResponse(request, "admin/integration/reports.html", context)


def report(request: HttpRequest, key: str) -> HttpResponse:
    """One report. A company that is not the person's own finds nothing, and the page says why."""
    may_see(request)
    if key not in REPORTS:
        raise Http404
    own = GoCompany.objects.of(request.user).order_by("name", "pk")
    form = CompanyForm(request.GET, companies=own)
    chosen = form.cleaned_data["company"] if form.is_valid() else None
    everything = list(own)
    asked = Asked(
        request,
        companies=([chosen] if chosen else everything) if form.is_valid() else [],
        several=len(everything) > 1,
        now=timezone.now(),
    )
    context = {
        **admin.site.each_context(request),
        "title": REPORTS[key].title,
        "content_title": REPORTS[key].title,
        "report": REPORTS[key],
        "tables": REPORTS[key].tables(asked),
        "form": form if asked.several or form.errors else None,
        "chosen": f"company={chosen.pk}&" if chosen else "",
    }
    return TemplateResponse(request, "admin/integration/report.html", context)


urlpatterns = [
    path("", admin.site.admin_view(index), name="reports"),
    path("why-not/", admin.site.admin_view(ask), name="why_not"),
    path("<slug:key>/", admin.site.admin_view(report), name="report"),
]
