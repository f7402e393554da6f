"""V5: files that strangers made, uploaded on the page as a person would."""

import io
import tracemalloc
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from integration.decisions import spreadsheet_files
from integration.decisions.spreadsheet_files import MAX_ROWS
from integration.models import Customer, GoCompany, SpreadsheetUpload
from integration.use_cases.import_spreadsheet import AT_ONCE
from integration.use_cases.import_upload import work_on

pytestmark = pytest.mark.django_db


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def package(content: bytes = b"", **more: bytes) -> bytes:
    """A packed file: the parts of another, and these, each in the place of one of the same name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        if content:
            with zipfile.ZipFile(io.BytesIO(content)) as source:
                for part in source.infolist():
                    if part.filename not in more:
                        target.writestr(part.filename, source.read(part))
        for name, data in more.items():
            target.writestr(name, data)
    return out.getvalue()


def long_workbook(rows: int) -> bytes:
    """A workbook of so many rows, all the same and short: reading takes its time. It lies about its size."""
    headings = '<row><c t="inlineStr"><is><t>Name</t></is></c><c t="inlineStr"><is><t>Number</t></is></c></row>'
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:B2"/>'
        f"<sheetData>{headings}{'<row><c><v>1</v></c></row>' * rows}</sheetData></worksheet>"
    )
    return package(GOOD, **{"xl/worksheets/sheet1.xml": sheet.encode()})


GOOD = workbook(["Name", "Number"], ["Øystese Bygg", 10001])
XXE = (
    b'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&e;</t></si></sst>'
)
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'


def answer_to(client: Client, name: str, content: bytes, company: int | str = "") -> str:
    """The page after the upload; of a large file, once a worker has looked at it."""
    file = SimpleUploadedFile(name, content)
    answer: Any = client.post("/admin/integration/customer/import/", {"import_file": file, "company": company})
    if answer.status_code == 302:
        assert not work_on(SpreadsheetUpload.objects.get().pk, clock=timezone.now)
        answer = client.get(answer.url)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("customers.xlsx", package(**{"a.txt": b"x"}), "This is not an Excel workbook."),
        ("customers.csv", GOOD, "This is called a text file and is none"),
        ("customers.csv", package(**{"a.exe": b"MZ"}), "This is called a text file and is none"),
        ("customers.xlsx", b"Name;Number\nA;1\n", "This is called .xlsx and is no Excel workbook."),
        ("customers.xlsm", GOOD, "Only .xlsx, .csv, .tsv, .txt are read."),
        ("customers.exe", b"Name;Number\nA;1\n", "Only .xlsx, .csv, .tsv, .txt are read."),
        ("customers.csv.html", b"<script>alert(1)</script>", "Only .xlsx, .csv, .tsv, .txt are read."),
        ("customers.csv", b"<html><script>alert(1)</script></html>", "This is a web page or XML"),
        ("customers.csv", b"%PDF-1.7", "This is a PDF."),
        ("customers.csv", b"\x00\x01\x02" * 500, "This is not a spreadsheet."),
    ],
)
def test_v5_2_2_a_file_is_what_its_name_says(
    name: str, content: bytes, sentence: str, as_kari: Client, home: GoCompany
):
    """Name and content must fit together, and be of a kind that is read; a sentence says what to do."""
    assert sentence in answer_to(as_kari, name, content)
    assert (SpreadsheetUpload.objects.count(), Customer.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (package(GOOD, **{"xl/media/zeros.bin": bytes(201 * 1024 * 1024)}), "The workbook is too large when unpacked."),
        (package(GOOD, **{f"xl/media/{n}": b"" for n in range(2001)}), "The workbook is too large when unpacked."),
    ],
    ids=["one large part", "many parts"],
)
def test_v5_2_3_a_packed_bomb_is_not_unpacked(
    content: bytes, sentence: str, as_kari: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
):
    """What it would become is looked at before anything is unpacked: not one part is opened."""
    opened = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *args, **_: opened.append(args[1]))

    assert sentence in answer_to(as_kari, "customers.xlsx", content)
    assert opened == []


@pytest.mark.parametrize(
    "parts",
    [{"xl/sharedStrings.xml": XXE}, {"xl/workbook.xml": LAUGHS}, {"xl/hidden.dat": LAUGHS}, {"docProps/app.xml": XXE}],
    ids=["file of ours", "many laughs", "under another name", "a part that is not read"],
)
def test_v1_5_1_xml_that_reads_files_or_grows_is_refused(parts: dict[str, bytes], as_kari: Client, home: GoCompany):
    """No document type in any part: so no entity reads a file of ours, asks another server, or grows without end."""
    page = answer_to(as_kari, "customers.xlsx", package(GOOD, **parts))

    assert "This is not an Excel workbook." in page
    assert "root:" not in page


def test_v5_3_1_macros_are_refused(as_kari: Client, home: GoCompany):
    """Also under the name of a plain workbook."""
    page = answer_to(as_kari, "customers.xlsx", package(GOOD, **{"xl/vbaProject.bin": b"macro"}))

    assert "The workbook has macros. Save it as .xlsx (without macros) and try again." in page


@pytest.mark.parametrize(
    ("name", "content", "twice"),
    [
        ("customers.csv", b"Name;Number\n" + b"A;1\n" * 2_000_000, 0),
        ("customers.xlsx", long_workbook(MAX_ROWS + 5), AT_ONCE.rows + 2),  # a small file: begun on the page
    ],
    ids=["2 million rows of CSV", "too many rows of XLSX"],
)
def test_v5_2_1_a_file_with_too_many_rows_is_not_read_to_its_end(
    name: str, content: bytes, twice: int, as_kari: Client, home: GoCompany, monkeypatch: pytest.MonkeyPatch
):
    """Reading stops at the row after the last one allowed."""
    looked_at = []
    kept_row = spreadsheet_files._kept_row

    def counted(*args: Any) -> Any:
        looked_at.append(args[0])
        return kept_row(*args)

    monkeypatch.setattr(spreadsheet_files, "_kept_row", counted)

    assert "The file has more than 100\u202f000 rows. Split it" in answer_to(as_kari, name, content)
    assert len(looked_at) == MAX_ROWS + 2 + twice  # the headings, 100 000 rows, and the one too many


def test_v5_2_1_two_million_rows_take_little_memory():
    """A file of ten megabytes takes a few times its size while it is looked at, and nothing afterwards."""
    content = b"Name;Number\n" + b"A;1\n" * 2_000_000
    tracemalloc.start()
    with pytest.raises(spreadsheet_files.UnreadableFile):
        spreadsheet_files.read_table(io.BytesIO(content), lambda word: word in {"Name", "Number"})
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 * len(content)
    assert after < 1_000_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("customers.csv", b";".join([b"Name"] * 5000) + b"\n" + b";".join([b"x"] * 5000)),
        ("customers.xlsx", workbook(["Name"] * 5000, ["x"] * 5000)),
    ],
)
def test_v5_2_1_a_file_with_5000_columns_is_refused(name: str, content: bytes, as_kari: Client, home: GoCompany):
    assert "Row 1 has 5000 columns; at most 100 are read." in answer_to(as_kari, name, content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("Name;Number\nØystese;1\n".encode() + "Sæther;2\n".encode("cp1252"), "The file mixes two encodings."),
        (b"Name;Number\n\x81\x8d\x8f;1\n", "The letters cannot be read."),
        ("Name;Number\nØystese;1\n".encode("utf-16")[:-1], "The file is damaged."),
    ],
    ids=["two at once", "none that is known", "cut off"],
)
def test_v5_2_2_letters_that_cannot_be_read_are_told(content: bytes, sentence: str, as_kari: Client, home: GoCompany):
    assert sentence in answer_to(as_kari, "customers.csv", content)


def test_v5_4_1_the_name_of_an_upload_leads_nowhere(as_kari: Client, home: GoCompany):
    """It is shown and kept as words; nothing is written under it."""
    page = answer_to(as_kari, "../../../etc/x<b>.csv", b"Name;Number\nA;10001\n", company=home.pk)

    assert SpreadsheetUpload.objects.get().file_name == "x<b>.csv"
    assert "x&lt;b&gt;.csv" in page


def test_v1_2_10_an_export_runs_nothing_in_a_spreadsheet(as_kari: Client, home: GoCompany):
    """A name that begins like a formula comes out as text."""
    Customer.objects.create(company=home, number=1, name='=HYPERLINK("http://elsewhere.example";"x")')
    form = as_kari.get("/admin/integration/customer/export/").context["form"]
    columns = dict.fromkeys(set(form.fields) - {"format", "resource", "export_items"}, "on")

    answer: Any = as_kari.post("/admin/integration/customer/export/", {**columns, "format": "0", "resource": "0"})

    assert "'=HYPERLINK" in b"".join(answer.streaming_content).decode("utf-8-sig")
    assert answer.headers["Content-Disposition"].startswith("attachment")
