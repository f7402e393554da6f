"""A bookkeeper at the import page, and files as they are saved."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from accounts.models import User
from integration.models import GoCompany
from tests import factories

PAGES = {"customers": "customer", "products": "product", "statements": "invoicestatement"}


def csv_file(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(rows).encode(encoding)


def xlsx_file(*rows: Sequence[Any], title: str = "Ark1") -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def downloaded(response: Any) -> bytes:
    """A download, as a browser keeps it."""
    return b"".join(response.streaming_content)


@dataclass
class Bookkeeper:
    """Somebody of Finance who sees one company, unless told otherwise."""

    client: Client
    user: User
    company: GoCompany

    def address(self, sheet: str, page: str = "") -> str:
        return f"/admin/integration/{PAGES[sheet]}/{page}"

    def upload(self, sheet: str, content: bytes, *, company: GoCompany | str | None = None, name: str = "") -> Any:
        chosen = self.company if company is None else company
        return self.client.post(
            self.address(sheet, "import/"),
            {
                "import_file": SimpleUploadedFile(name or ("fil.xlsx" if content[:2] == b"PK" else "fil.csv"), content),
                "company": chosen.pk if isinstance(chosen, GoCompany) else chosen,
            },
        )

    def preview(self, sheet: str, content: bytes, **options: Any) -> dict[str, Any]:
        response = self.upload(sheet, content, **options)
        assert response.status_code == 200
        assert "preview" in response.context, response.context["form"].errors
        seen: dict[str, Any] = response.context["preview"]
        return seen

    def counts(self, sheet: str, content: bytes, **options: Any) -> str:
        return " ".join(f"{many} {outcome}" for outcome, many in self.preview(sheet, content, **options)["counts"])

    def problems(self, sheet: str, content: bytes, **options: Any) -> list[tuple[str, str, str, str]]:
        seen = self.preview(sheet, content, **options)
        return [(line.rows, line.column, line.read, line.message) for line in seen["problems"]]

    def refusal(self, sheet: str, content: bytes, **options: Any) -> str:
        """The one sentence about a file that cannot be read."""
        response = self.upload(sheet, content, **options)
        assert response.status_code == 200
        assert "preview" not in response.context
        [(_, [sentence])] = response.context["form"].errors.items()
        return str(sentence)

    def confirm(self, sheet: str, seen: dict[str, Any]) -> list[str]:
        response: Any = self.client.post(self.address(sheet, "process_import/"), seen["confirm"].initial, follow=True)
        assert response.status_code == 200
        return [str(message) for message in response.context["messages"]]

    def bring_in(self, sheet: str, content: bytes, **options: Any) -> list[str]:
        """Preview and confirmation in one."""
        return self.confirm(sheet, self.preview(sheet, content, **options))

    def export(self, sheet: str, *, kind: str = "csv", resource: int = 0, query: str = "") -> bytes:
        response = self.client.post(
            self.address(sheet, f"export/{query}"), {"format": "0" if kind == "csv" else "1", "resource": str(resource)}
        )
        assert response.status_code == 200
        return downloaded(response)


def bookkeeper_of(companies: Iterable[GoCompany], role: str = "Finance") -> Bookkeeper:
    companies = list(companies)
    user = factories.person(role=role, companies=companies)
    client = Client()
    client.force_login(user)
    return Bookkeeper(client, user, companies[0])


@pytest.fixture
def bookkeeper(db: None) -> Bookkeeper:
    return bookkeeper_of([factories.go_company(name="Fjord og Fjell AS", organisation_number="999999999")])
