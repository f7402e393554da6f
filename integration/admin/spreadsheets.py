"""Spreadsheets in and out, on the pages of customers, products, statements and outgoing invoices.

The library (django-import-export) gives the pages' places, the buttons and the export. Its way of importing does not
fit: it keeps uploads as files on one machine, shows the first fault of a row, and knows no statement of many rows.
So the two import views call our own use case instead.
"""

from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from import_export.admin import ExportMixin, ImportMixin
from unfold.contrib.import_export.forms import ExportForm
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from integration.admin.display import number
from integration.admin.resources import MAX_EXPORT_ROWS, RESOURCES, CsvForExcel, ExcelWorkbook, workbook_response
from integration.admin.uploads import UploadPages
from integration.decisions.spreadsheet_cells import Cell
from integration.decisions.spreadsheet_files import MAX_BYTES, MAX_ROWS, TooMuch, UnreadableFile
from integration.decisions.spreadsheet_rows import gathered
from integration.decisions.spreadsheet_sheets import CUSTOMERS, PRODUCTS, STATEMENTS, Sheet
from integration.models import Customer, GoCompany, InvoiceStatement, Product
from integration.tasks import work_on_upload
from integration.use_cases.import_plan import ImportPlan, Outcome, Planned
from integration.use_cases.import_spreadsheet import ImportRefused, Preview, confirm, preview
from integration.use_cases.import_upload import begin

SHEET_OF: Final[dict[type[Model], Sheet]] = {
    Customer: CUSTOMERS,
    Product: PRODUCTS,
    InvoiceStatement: STATEMENTS,
}
SHOWN_RECORDS: Final = 100
ENDINGS: Final = (".xlsx", ".csv", ".tsv", ".txt")


class UploadForm(forms.Form):
    """A file and the company it is for."""

    import_file = forms.FileField(
        label="Spreadsheet",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(ENDINGS)}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty. Save it once more and choose it."},
    )
    company = forms.ModelChoiceField(
        queryset=GoCompany.objects.none(),
        required=False,
        empty_label="As the column “Company” says",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, companies: QuerySet[GoCompany], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["company"]
        field.queryset = companies.order_by("name", "pk")
        own = list(companies[:2])
        if len(own) == 1:
            field.initial = own[0].pk

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.")
        if not file.name.lower().endswith(ENDINGS):
            raise forms.ValidationError(
                f"Only {', '.join(ENDINGS)} are read. Save it as Excel workbook (.xlsx) or CSV and try again."
            )
        is_packed, is_called_workbook = file.read(2) == b"PK", file.name.lower().endswith(".xlsx")
        file.seek(0)
        if is_packed != is_called_workbook:
            raise forms.ValidationError(
                "This is called .xlsx and is no Excel workbook. Save it once more and try again."
                if is_called_workbook
                else "This is called a text file and is none: a workbook, or something packed. Save it once more."
            )
        return file


class ConfirmForm(forms.Form):
    """What was previewed."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


class DownloadForm(ExportForm):  # type: ignore[misc] # unfold has no types
    """What is exported, and how."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["resource"].label = "What"
        self.fields["format"].initial = "0"


class ExportSpreadsheets(ExportMixin):  # type: ignore[misc] # import-export has no types
    """The export button: the rows of the list as it is filtered, of own companies only. Stands left of the admin."""

    model: Any
    export_formats: ClassVar[list[Any]] = [CsvForExcel, ExcelWorkbook]
    export_form_class = DownloadForm
    export_template_name = "admin/import_export/export.html"
    import_export_change_list_template = "admin/import_export/change_list_export.html"

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and _may(request, "export", self.model)

    def get_export_resource_classes(self, request: HttpRequest) -> list[Any]:
        return list(RESOURCES[self.model])

    def get_valid_export_item_pks(self, request: HttpRequest) -> Any:
        chosen = [key for key in request.POST.getlist("export_items") if key.isdecimal()]
        return self.get_queryset(request).filter(pk__in=chosen).values_list("pk", flat=True)

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The library's page, with a limit that is told instead of a server out of memory."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        many = self.get_export_queryset(request).order_by().values("pk")[: MAX_EXPORT_ROWS + 1].count()
        if request.method == "POST" and many > MAX_EXPORT_ROWS:
            messages.error(
                request, f"The list has more than {number(MAX_EXPORT_ROWS)} rows. Filter it, for example by date."
            )
            return HttpResponseRedirect(reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_changelist"))
        response: HttpResponse = super().export_action(request)
        return response

    def _do_file_export(self, file_format: Any, request: HttpRequest, queryset: Any, export_form: Any) -> HttpResponse:
        """The library's place for the answer: ours is sent while the rows are read, whatever their number."""
        resource = self.choose_export_resource_class(export_form, request)()
        response: HttpResponse = file_format.response(
            resource.rows(queryset),
            title=resource.name,
            file_name=self.get_export_filename(request, queryset, file_format),
        )
        return response

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        words = str(self.model._meta.verbose_name_plural).replace(" ", "-")
        return f"{words}-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"


class SpreadsheetMixin(UploadPages, ImportMixin, ExportSpreadsheets):  # type: ignore[misc] # import-export has no types
    """Import and export. Stands left of the admin class: `class CustomerAdmin(SpreadsheetMixin, CompanyModelAdmin)`."""

    import_export_change_list_template = "admin/import_export/change_list_import_export.html"

    @property
    def sheet(self) -> Sheet:
        return SHEET_OF[self.model]

    def get_urls(self) -> list[URLPattern]:
        name = self.model._meta.label_lower.replace(".", "_")
        template = path(
            "import/template.<str:kind>",
            self.admin_site.admin_view(self.template_view),
            name=f"{name}_import_template",
        )
        return [template, *super().get_urls()]

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import adds and changes: it needs the right to both, and the right to import."""
        may_write = self.has_add_permission(request) and self.has_change_permission(request)
        return may_write and _may(request, "import", self.model)

    def import_action(self, request: HttpRequest, **_: Any) -> HttpResponse:
        """The form; posted with a file, its preview. Saves nothing but the upload itself."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        companies = GoCompany.objects.of(request.user)
        if request.method != "POST":
            return self._import_page(request, UploadForm(companies=companies))
        form = UploadForm(request.POST, request.FILES, companies=companies)
        if not form.is_valid():
            return self._import_page(request, form)
        uploaded = form.cleaned_data["import_file"]
        asked: dict[str, Any] = {
            "sheet": self.sheet,
            "file": uploaded.file,
            "file_name": uploaded.name,
            "user": request.user,
            "company": form.cleaned_data["company"],
            "now": timezone.now(),
        }
        try:
            seen = preview(**asked)
        except TooMuch:
            return self._begin_upload(request, form, asked)
        except (UnreadableFile, ImportRefused) as error:
            form.add_error("import_file", str(error))
            return self._import_page(request, form)
        return self._import_page(request, form, seen)

    def _begin_upload(self, request: HttpRequest, form: UploadForm, asked: dict[str, Any]) -> HttpResponse:
        """A file that takes longer than a person waits for a page: to the background."""
        try:
            upload = begin(**asked)
        except (UnreadableFile, ImportRefused) as error:
            form.add_error("import_file", str(error))
            return self._import_page(request, form)
        work_on_upload.delay_on_commit(key=str(upload.pk))  # type: ignore[attr-defined] # unknown to its types
        return HttpResponseRedirect(self.upload_url(upload))

    def process_import(self, request: HttpRequest, **_: Any) -> HttpResponse:
        """The confirmation: imports what the preview said, or shows that it would say something else now."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        start = reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_import")
        form = ConfirmForm(request.POST)
        if request.method != "POST" or not form.is_valid():
            messages.error(request, "Nothing was imported. Choose the file again.")
            return HttpResponseRedirect(start)
        key: UUID = form.cleaned_data["key"]
        try:
            seen, done = confirm(
                sheet=self.sheet,
                key=key,
                digest=form.cleaned_data["digest"],
                user=request.user,  # type: ignore[arg-type] # staff only
                now=timezone.now(),
            )
        except ImportRefused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(start)
        if not done:
            messages.warning(
                request, "Nothing was imported: something changed since the preview. This is how it stands now."
            )
            upload = UploadForm(companies=GoCompany.objects.of(request.user))
            return self._import_page(request, upload, seen)
        messages.success(request, f"{seen.file_name}: {in_numbers(seen.plan)}.")
        return HttpResponseRedirect(reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_changelist"))

    def template_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """An empty spreadsheet to start from: headings and an example, in XLSX with the columns explained."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        file_name = f"{self.sheet.name}-template.{kind}"
        if kind == "csv":
            return CsvForExcel().response(template_rows(self.sheet), title="", file_name=file_name)
        if kind == "xlsx":
            return workbook_response(template_sheets(self.sheet), file_name=file_name)
        raise Http404

    def _import_page(self, request: HttpRequest, form: UploadForm, seen: Preview | None = None) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Import {self.sheet.name}",
            "opts": self.model._meta,
            "media": self.media + form.media,
            "form": form,
            "sheet": self.sheet,
            "explained": explained(self.sheet),
            "max_rows": number(MAX_ROWS),
            "max_mb": MAX_BYTES // 1024 // 1024,
            "template_url": reverse(
                f"admin:{self.model._meta.label_lower.replace('.', '_')}_import_template", args=["KIND"]
            ).removesuffix("KIND"),
            "start_url": reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_import"),
            "uploads": self.own_uploads(request),
        }
        if seen is not None:
            context["preview"] = preview_context(seen)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/import_export/import.html", context)


def _may(request: HttpRequest, act: str, model: type[Model]) -> bool:
    codename = get_permission_codename(act, model._meta)
    return request.user.has_perm(f"{model._meta.app_label}.{codename}")


def in_numbers(plan: ImportPlan) -> str:
    """`12 new, 3 changed, 40 same, 2 refused`."""
    return ", ".join(f"{number(plan.count(outcome))} {outcome}" for outcome in Outcome)


def preview_context(seen: Preview) -> dict[str, Any]:
    """A preview as its page prints it: problems first, then the counts, then what would be saved."""
    plan = seen.plan
    work = plan.work
    notes = [{"where": each.where, "name": each.name, "note": note} for each in plan.records for note in each.notes]
    problems = gathered(
        (problem for each in plan.records for problem in each.problems),
        {row: each.name for each in plan.records for row in each.rows},
    )
    return {
        "file_name": seen.file_name,
        "company": seen.company,
        "confirm": ConfirmForm(initial={"key": seen.key, "digest": plan.digest}) if seen.key else None,
        "problems": problems,
        "problem_rows": number(len({row.row for each in plan.records for row in each.problems})),
        "counts": [(outcome, number(plan.count(outcome))) for outcome in Outcome],
        "refused": number(plan.count(Outcome.REFUSED)) if plan.count(Outcome.REFUSED) else "",
        "button": button(plan),
        "records": [record_row(each) for each in work[:SHOWN_RECORDS]],
        "more": number(len(work) - SHOWN_RECORDS) if len(work) > SHOWN_RECORDS else "",
        "file_notes": plan.notes,
        "notes": notes[:SHOWN_RECORDS],
        "more_notes": f"and {number(len(notes) - SHOWN_RECORDS)} more" if len(notes) > SHOWN_RECORDS else "",
    }


def button(plan: ImportPlan) -> str:
    """What the confirmation does, on its button."""
    parts = [f"{number(plan.count(each))} {each}" for each in (Outcome.NEW, Outcome.CHANGED) if plan.count(each)]
    many = plan.count(Outcome.NEW) + plan.count(Outcome.CHANGED)
    return f"Import {' and '.join(parts)} {plan.sheet.thing}{'' if many == 1 else 's'}"


def record_row(planned: Planned) -> dict[str, Any]:
    """A record that would be saved."""
    return {
        "where": planned.where,
        "name": planned.name,
        "company": planned.company,
        "outcome": planned.outcome,
        "summary": planned.summary,
        "changes": planned.told,
        "more": number(planned.more) if planned.more else "",
    }


def explained(sheet: Sheet) -> list[dict[str, Any]]:
    """The columns in words."""
    return [
        {
            "label": column.label,
            "needed": column.key in sheet.needed,
            "help": column.help,
            "also": ", ".join(word.strip() for word in column.synonyms.split(",")[:4] if word.strip()),
        }
        for column in sheet.columns
        if column.read is not None
    ]


def template_rows(sheet: Sheet) -> list[list[Cell]]:
    """Headings and examples. The company is left out: it is chosen on the page."""
    columns = [
        column for column in sheet.columns if column.read is not None and column.key not in {"company", "source"}
    ]
    return [
        [column.label for column in columns],
        [column.example for column in columns],
        *[[example.get(column.key) for column in columns] for example in sheet.more_examples],
    ]


def template_sheets(sheet: Sheet) -> list[tuple[str, list[list[Cell]]]]:
    """The template and a second sheet that explains its columns."""
    words: list[list[Cell]] = [["Column", "Needed", "What to write", "Also understood as"]]
    words += [[row["label"], "yes" if row["needed"] else "", row["help"], row["also"]] for row in explained(sheet)]
    words.append(["", "", "An empty cell leaves what is there as it is.", ""])
    return [(sheet.name.capitalize(), template_rows(sheet)), ("Columns", words)]
