"""The pages of a large spreadsheet: how far it is, what was found in it, the confirmation, and all its problems."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from integration.admin.display import number
from integration.admin.resources import CSV_TYPE, attachment
from integration.decisions.spreadsheet_cells import Cell
from integration.decisions.spreadsheet_files import csv_lines
from integration.decisions.spreadsheet_rows import ProblemLine, RowProblem, gathered
from integration.enums import PortionState, UploadState
from integration.models import GoCompany, SpreadsheetUpload
from integration.tasks import work_on_upload
from integration.use_cases.import_plan import Outcome
from integration.use_cases.import_spreadsheet import ImportRefused
from integration.use_cases.import_upload import (
    AT_WORK,
    Standing,
    confirm_upload,
    digest_of,
    resume_upload,
    standing,
    stop_upload,
)

SHOWN: Final = 100
"""Problems, notes and records that a page shows of a large file."""

LOOK_AGAIN: Final = 4
"""Seconds after which the page of an upload at work is loaded again."""


class UploadPages:
    """Stands left of an admin class with `sheet`, `model` and `has_import_permission`."""

    model: Any
    admin_site: Any
    sheet: Any

    def get_urls(self) -> list[URLPattern]:
        name = self.model._meta.label_lower.replace(".", "_")
        pages = {
            "": self.upload_view,
            "confirm/": self.confirm_view,
            "stop/": self.stop_view,
            "resume/": self.resume_view,
        }
        urls = [
            path(
                f"import/<uuid:key>/{page}",
                self.admin_site.admin_view(view),
                name=f"{name}_upload{'_' if page else ''}{page.removesuffix('/')}",
            )
            for page, view in pages.items()
        ]
        problems = path(
            "import/<uuid:key>/problems.csv",
            self.admin_site.admin_view(self.problems_view),
            name=f"{name}_upload_problems",
        )
        return [*urls, problems, *super().get_urls()]  # type: ignore[misc] # the admin class to the right

    def upload_url(self, upload: SpreadsheetUpload, page: str = "upload") -> str:
        """The address of one of its pages."""
        return reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_{page}", args=[upload.pk])

    def own_uploads(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The person's large files of the last day, newest first, for the import page."""
        own = SpreadsheetUpload.objects.filter(user=request.user, sheet=self.sheet.name)  # type: ignore[misc] # staff
        return [
            {"upload": upload, "url": self.upload_url(upload)}
            for upload in own.exclude(state=UploadState.PREVIEWED).order_by("-uploaded_at")[:10]
        ]

    def _own(self, request: HttpRequest, key: UUID) -> SpreadsheetUpload:
        """The upload, if it is the person's own, for this register, and of a company they still see."""
        if not self.has_import_permission(request):  # type: ignore[attr-defined] # the admin class to the right
            raise PermissionDenied
        upload = (
            SpreadsheetUpload.objects.filter(pk=key, user=request.user, sheet=self.sheet.name)  # type: ignore[misc]
            .exclude(state=UploadState.PREVIEWED)
            .select_related("company")
            .first()
        )
        if upload is None or (
            upload.company_id is not None
            and not GoCompany.objects.of(request.user).filter(pk=upload.company_id).exists()
        ):
            raise Http404
        return upload

    def upload_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """How far it is; once checked, what would be saved; once done, what was."""
        upload = self._own(request, key)
        now = timezone.now()
        stands = standing(upload)
        own = set(GoCompany.objects.of(request.user).values_list("pk", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import {self.sheet.name}",
            "opts": self.model._meta,
            "sheet": self.sheet,
            "upload": upload,
            "company": upload.company,
            "at_work": upload.state in AT_WORK,
            "look_again": LOOK_AGAIN if upload.state in AT_WORK else None,
            "progress": progress(upload, stands, now),
            "counts": [(outcome, number(stands.counts[outcome])) for outcome in Outcome],
            "written": in_words(stands.written),
            "left": in_words(stands.waiting),
            "many": stands.waiting[Outcome.NEW] + stands.waiting[Outcome.CHANGED],
            "refused": number(stands.counts[Outcome.REFUSED]) if stands.counts[Outcome.REFUSED] else "",
            "problem_rows": number(stands.problem_rows),
            "can_resume": upload.was_stopped_by_a_person,
            "confirm": ConfirmForm(initial={"digest": digest_of(upload)})
            if upload.state == UploadState.CHECKED
            else None,
            "urls": {
                page: self.upload_url(upload, f"upload_{page}") for page in ("confirm", "stop", "resume", "problems")
            },
            "start_url": reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_import"),
            "list_url": reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_changelist"),
            **first_findings(upload, own),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/import_export/upload.html", context)

    def confirm_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """The confirmation: from here on it is written, in the background."""
        upload = self._own(request, key)
        if request.method != "POST":
            return HttpResponseRedirect(self.upload_url(upload))
        form = ConfirmForm(request.POST)
        try:
            confirm_upload(upload=upload, digest=form.data.get("digest", ""), now=timezone.now())
        except ImportRefused as error:
            messages.warning(request, f"Nothing more was imported. {error}")
        else:
            work_on_upload.delay_on_commit(key=str(upload.pk))  # type: ignore[attr-defined] # unknown to its types
        return HttpResponseRedirect(self.upload_url(upload))

    def stop_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Work on it ends; what was imported stays."""
        upload = self._own(request, key)
        if request.method == "POST" and not stop_upload(upload=upload, now=timezone.now()):
            messages.warning(request, "It had ended already.")
        return HttpResponseRedirect(self.upload_url(upload))

    def resume_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """What was stopped goes on, up to the next confirmation."""
        upload = self._own(request, key)
        if request.method == "POST":
            try:
                resume_upload(upload=upload, now=timezone.now())
            except ImportRefused as error:
                messages.warning(request, str(error))
            else:
                work_on_upload.delay_on_commit(key=str(upload.pk))  # type: ignore[attr-defined] # unknown to its types
        return HttpResponseRedirect(self.upload_url(upload))

    def problems_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Every problem of every row, as a spreadsheet."""
        upload = self._own(request, key)
        return StreamingHttpResponse(
            csv_lines(problem_rows(upload)),
            content_type=CSV_TYPE,
            headers={"Content-Disposition": attachment(f"{self.sheet.name}-problems.csv")},
        )


class ConfirmForm(forms.Form):
    """What was shown."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


def in_words(counts: dict[Outcome, int]) -> str:
    """`12 000 new and 3 changed`; empty when there is neither."""
    return " and ".join(f"{number(counts[each])} {each}" for each in (Outcome.NEW, Outcome.CHANGED) if counts[each])


def progress(upload: SpreadsheetUpload, stands: Standing, now: datetime) -> dict[str, Any]:
    """Rows done and left, and about when it is ready: from how long what is done has taken."""
    done, of = {
        UploadState.CHECKING: (stands.rows_checked, stands.rows),
        UploadState.IMPORTING: (stands.rows_written, stands.rows_to_write),
    }.get(UploadState(upload.state), (stands.rows, 0))
    left = max(of - done, 0)
    ready_at = now + (now - upload.began_at) * left / done if done and left else None
    return {"done": number(done), "of": of, "value": done, "left": number(left), "ready_at": ready_at}


def first_findings(upload: SpreadsheetUpload, own: set[int]) -> dict[str, Any]:
    """The first problems and notes, and the first records that wait, of companies that the person still sees."""
    problems: list[RowProblem] = []
    names: dict[int, str] = {}
    notes: list[dict[str, str]] = []
    records: list[dict[str, Any]] = []
    portions = upload.portions.order_by("first_row").values_list("state", "findings")
    for state, found in portions.iterator(chunk_size=5):
        for each in found.get("problems", []):
            names[each["row"]] = each.pop("name")
            problems.append(RowProblem(**each))
        notes += found.get("notes", [])
        if state == PortionState.CHECKED:
            records += [record for record in found.get("records", []) if record["company_id"] in own]
        if min(len(problems), len(notes), len(records)) >= SHOWN:
            break
        problems, notes, records = problems[: SHOWN + 1], notes[: SHOWN + 1], records[: SHOWN + 1]
    lines: list[ProblemLine] = gathered(problems[:SHOWN], names)
    return {
        "problems": lines,
        "more_problems": len(problems) > SHOWN,
        "notes": notes[:SHOWN],
        "more_notes": "and more" if len(notes) > SHOWN else "",
        "records": records[:SHOWN],
    }


def problem_rows(upload: SpreadsheetUpload) -> Iterator[list[Cell]]:
    """All problems in order of their rows, a few portions in memory at a time."""
    yield ["Row", "Which", "Column", "Stood there", "What is wrong"]
    for found in upload.portions.order_by("first_row").values_list("findings", flat=True).iterator(chunk_size=5):
        for each in sorted(found.get("problems", []), key=lambda problem: problem["row"]):
            yield [str(each["row"]), each["name"], each["column"], each["read"], each["message"]]
