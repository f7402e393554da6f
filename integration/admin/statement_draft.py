"""A draft beside what we sent, field by field, with two ways out: accept what somebody made of it, or restore ours."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from integration import remotes
from integration.admin.base import CompanyModelAdmin
from integration.admin.display import page_of
from integration.admin.statement_actions import ReasonForm, nudge
from integration.admin.statement_sheet import go_order_url
from integration.decisions.transitions import DRAFTS
from integration.errors import RemoteError
from integration.models import InvoiceStatement
from integration.use_cases.check_draft import (
    DraftRefused,
    accept_draft,
    look_at_draft,
    restore_draft,
    version_of,
    why_not_compared,
)

TITLE: Final = "Compare with Go"
ACCEPT: Final = "accept"
RESTORE: Final = "restore"


class StatementDraft(CompanyModelAdmin[InvoiceStatement]):
    """The page where a draft is compared."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:object_id>/draft/",
            self.admin_site.admin_view(self.draft_view),
            name="integration_invoicestatement_draft",
        )
        return [page, *super().get_urls()]

    def draft_button(self, request: HttpRequest, statement: InvoiceStatement) -> list[dict[str, str]]:
        """The button on the page of a statement that is a draft in Go."""
        if statement.status not in DRAFTS or not request.user.has_perm("integration.pull_statement"):
            return []
        return [
            {
                "title": TITLE,
                "address": reverse("admin:integration_invoicestatement_draft", args=[statement.pk]),
                "why_not": why_not_compared(statement),
                "act": "draft",
            }
        ]

    def draft_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Look, and decide with a reason. 404 for statements of other companies; raises PermissionDenied.

        Support may look; what an invoice says is for those who may change statements.
        """
        statement = self.get_queryset(request).filter(pk=object_id).first()
        if statement is None:
            raise Http404
        may_decide = request.user.has_perm("integration.change_invoicestatement")
        if not request.user.has_perm("integration.pull_statement") or (request.method == "POST" and not may_decide):
            raise PermissionDenied
        form = ReasonForm(request.POST if request.method == "POST" else None)
        refusal, look = "", None
        try:
            client = remotes.go_client(statement.company, person=True)
            if request.method == "POST" and form.is_valid() and request.POST.get("step") in {ACCEPT, RESTORE}:
                return self._decide(request, statement, client, form.cleaned_data["reason"])
            look = look_at_draft(statement, client)
        except DraftRefused as refused:
            refusal = str(refused)
        except RemoteError as error:
            refusal = f"{error.message} Nothing was changed."
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": TITLE,
            "subtitle": statement.source_id,
            "opts": self.opts,
            "media": self.media,
            "statement": statement,
            "refusal": refusal,
            "order": look.order if look else None,
            "differences": look.differences if look else (),
            "seen": version_of(look.order) if look else "",
            "accepted": statement.edits_accepted_at is not None,
            "form": form if may_decide else None,
            "go_url": go_order_url(statement),
            "back": page_of(statement),
        }
        return TemplateResponse(request, "admin/integration/invoicestatement/draft.html", context)

    def _decide(self, request: HttpRequest, statement: InvoiceStatement, client: Any, reason: str) -> HttpResponse:
        """Raises DraftRefused, RemoteError."""
        seen, user = request.POST.get("seen", ""), request.user
        if request.POST["step"] == ACCEPT:
            accept_draft(statement, client, seen=seen, user=user, reason=reason, now=timezone.now())  # type: ignore[arg-type] # logged in
            messages.success(request, "Accepted: the draft stays as it is in PowerOffice Go.")
        else:
            restore_draft(statement, client, seen=seen, user=user, reason=reason, clock=timezone.now)  # type: ignore[arg-type] # logged in
            nudge((statement.company_id,))
            messages.success(request, "The changed draft was taken away, and ours is on its way to PowerOffice Go.")
        return HttpResponseRedirect(page_of(statement))
