"""The sample files, as the tour takes them: through the pages, and on to PowerOffice Go."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from integration import remotes
from integration.enums import RunTrigger, StatementSource
from integration.management.demo_material import COMPANIES, make_company
from integration.models import Customer, InvoiceStatement, SyncAttempt
from integration.use_cases.run_cycle import run_cycle
from tests.spreadsheets.conftest import Bookkeeper, bookkeeper_of

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"


@pytest.fixture
def bookkeeper(sandbox: Any) -> Bookkeeper:
    """Somebody of Finance in the demo as it begins: member of both companies, at work in the first."""
    sandbox.call("POST", "reset", {"seed_demo": True})
    sandbox.switch(rate_limit_per_second=0)
    return bookkeeper_of([make_company(demo, timezone.localdate()) for demo in COMPANIES])


def bring_in(bookkeeper: Bookkeeper) -> list[tuple[dict[str, str], list[Any], list[Any]]]:
    """All three files, in the order of the tour: counts, problems and notes of each preview."""
    told = []
    for sheet, name in (
        ("customers", "customers.csv"),
        ("products", "products.xlsx"),
        ("statements", "statements.csv"),
    ):
        seen = bookkeeper.preview(sheet, (SAMPLES / name).read_bytes(), name=name)
        told.append(
            ({outcome: many for outcome, many in seen["counts"] if many != "0"}, seen["problems"], seen["notes"])
        )
        if seen["confirm"]:
            bookkeeper.confirm(sheet, seen)
    return told


def test_each_comes_in_once(bookkeeper: Bookkeeper):
    assert bring_in(bookkeeper) == [
        ({"new": "12"}, [], []),
        ({"new": "9", "changed": "1"}, [], []),
        ({"new": "12"}, [], []),
    ]
    assert bring_in(bookkeeper) == [({"same": "12"}, [], []), ({"same": "10"}, [], []), ({"same": "12"}, [], [])]


def test_all_statements_become_drafts_to_the_ore(bookkeeper: Bookkeeper, sandbox: Any):
    bring_in(bookkeeper)
    company = bookkeeper.company
    ids = list(InvoiceStatement.objects.filter(source=StatementSource.SPREADSHEET).values_list("pk", flat=True))
    chosen = {"action": "push", "_selected_action": ids, "index": "0", "confirmed": "12"}
    said = bookkeeper.client.post("/admin/integration/invoicestatement/", chosen, follow=True)
    assert [str(message) for message in said.context["messages"]] == ["12 queued."]
    run_cycle(company.pk, client_for=remotes.go_client, clock=timezone.now, trigger=RunTrigger.PERSON)

    statements = InvoiceStatement.objects.filter(pk__in=ids)
    assert [(each.company, each.status, each.attention, each.go_total == each.total) for each in statements] == [
        (company, "DRAFT", "", True)
    ] * 12
    assert set(SyncAttempt.objects.values_list("outcome", flat=True)) == {"DONE"}
    books = sandbox.books(company)
    assert {order["reference"]: Decimal(order["total"]) for order in books["orders"]} == {
        each.reference: each.total for each in statements
    }
    assert sum(each.total for each in statements) == Decimal("147881.01")
    imported = Customer.objects.filter(company=company, source=StatementSource.SPREADSHEET)
    assert {customer["name"] for customer in books["customers"][5:]} == {each.name for each in imported}
