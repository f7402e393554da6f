"""The second half of the README's tour: credits, combined drafts, drafts that change in Go, payments by hand."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from integration import remotes
from integration.enums import StatementStatus
from integration.models import GoCompany, InvoiceStatement
from integration.use_cases.check_company import check_company
from tests import factories
from tests.browser.conftest import RemoteSandbox, Visitor, on_two_screens
from tests.browser.test_tour import update_status

LIST = "/admin/integration/invoicestatement/"


@pytest.fixture
def key(remote: RemoteSandbox, go_company: GoCompany) -> str:
    return str(remote.call("GET", "companies")[0]["client_key"])


@pytest.fixture
def statements(visitor: Visitor, go_company: GoCompany, key: str, settings: Any) -> list[InvoiceStatement]:
    """Two of one customer, pushed by the person who is logged in; 1 000,00 and 500,00 incl. VAT."""
    settings.GO_REPLICA_SECONDS = 0  # what Go shows of the last seconds is as good as what it shows later
    visitor.log_in(factories.person(role="Finance", companies=[go_company], first_name="Kari"))
    customer = factories.customer(go_company, name="Øystese Bygg AS", number=None)
    product = factories.product(go_company, code="BANE", name="Baneleie, per time", price=Decimal(400))
    made = [
        factories.statement(
            go_company,
            source_id=f"TOUR-{number}",
            customer=customer,
            status=StatementStatus.UPCOMING,
            lines=[{"product": product, "quantity": hours, "unit_price": Decimal(400)}],
        )
        for number, hours in ((1, 2), (2, 1))
    ]
    for statement in made:
        act(visitor, statement, "Push drafts")
        expect(marks(visitor)).to_contain_text("In Go, not sent")
        statement.refresh_from_db()
    return made


def act(visitor: Visitor, statement: InvoiceStatement, name: str, reason: str = "") -> None:
    """A button on a statement's page, and the button of the page that asks."""
    visitor.open(f"{LIST}{statement.pk}/change/")
    visitor.leave(visitor.page.get_by_role("link", name=name, exact=True))
    if reason:
        visitor.page.fill("#id_reason", reason)
    visitor.leave(visitor.page.get_by_role("button", name=name, exact=True))


def marks(visitor: Visitor) -> Locator:
    return visitor.page.locator(".fb-head .fb-marks")


def ids(statements: list[InvoiceStatement]) -> list[str]:
    return [statement.go_order_id for statement in statements]


@on_two_screens
def test_an_invoice_is_paid_in_part_and_the_rest_credited(
    visitor: Visitor, statements: list[InvoiceStatement], remote: RemoteSandbox, key: str
) -> None:
    page, first = visitor.page, statements[0]
    remote.act("send", key, order_ids=[first.go_order_id])
    remote.act("pay", key, invoice_id=first.go_order_id, amount="400")
    visitor.open(f"{LIST}{first.pk}/change/")
    update_status(visitor)
    expect(marks(visitor)).to_contain_text("Partly paid")
    visitor.leave(page.get_by_role("link", name="Credit", exact=True))
    page.fill("[id$=reason]", "One hour was not played")
    visitor.leave(page.get_by_role("button", name="Sum up"))
    visitor.leave(page.get_by_role("button", name="Credit 1\u202f000,00\xa0NOK"))
    expect(page.get_by_text("is on its way to PowerOffice Go")).to_be_visible()
    note = InvoiceStatement.objects.get(credits=first)
    note.refresh_from_db()
    assert note.status == StatementStatus.DRAFT
    remote.act("send", key, order_ids=[note.go_order_id])
    visitor.open(f"{LIST}{first.pk}/change/")
    update_status(visitor)
    expect(marks(visitor)).to_contain_text("Credited")


@on_two_screens
def test_drafts_that_were_combined_are_accepted_shared_out_and_unlinked(
    visitor: Visitor, statements: list[InvoiceStatement], remote: RemoteSandbox, key: str
) -> None:
    page, (first, second) = visitor.page, statements
    remote.act("combine", key, order_ids=ids(statements))
    visitor.open(f"{LIST}{second.pk}/change/")
    update_status(visitor)
    update_status(visitor)
    expect(marks(visitor)).to_contain_text("Link broken")
    visitor.open(f"{LIST}?status__exact=LINK_BROKEN")
    expect(page.locator("#result_list")).to_contain_text("today")
    expect(page.get_by_role("heading", name="Probably combined into draft no.")).to_be_visible()
    visitor.leave(page.get_by_role("button", name="Accept", exact=True))
    expect(page.get_by_text("1 linked.", exact=True)).to_be_visible()

    remote.act("send", key, order_ids=[first.go_order_id])
    remote.act("pay", key, invoice_id=first.go_order_id, amount="1200")
    visitor.open(f"{LIST}{second.pk}/change/")
    update_status(visitor)
    expect(marks(visitor)).to_contain_text("Partly paid")
    visitor.open(f"{LIST}{first.pk}/change/")
    expect(marks(visitor)).to_contain_text("Paid")

    act(visitor, second, "Unlink", "It is another stay")
    expect(marks(visitor)).to_contain_text("Link broken")
    expect(page.locator("#timeline")).to_contain_text("It is another stay")


@on_two_screens
def test_a_draft_that_somebody_changed_is_compared_restored_and_sent(
    visitor: Visitor, go_company: GoCompany, statements: list[InvoiceStatement], remote: RemoteSandbox, key: str
) -> None:
    page, first = visitor.page, statements[0]
    remote.act("edit_line", key, order_id=first.go_order_id, unit_price="350")
    visitor.open(f"{LIST}{first.pk}/change/")
    update_status(visitor)
    expect(page.locator(".fb-note-doubt")).to_contain_text("Somebody changed the draft in PowerOffice Go")
    visitor.leave(page.get_by_role("link", name="Compare with Go"))
    expect(page.locator("main, body").first).to_contain_text("price excl. VAT")
    expect(page.get_by_role("row", name="price excl. VAT")).to_contain_text("400,00")
    expect(page.get_by_role("row", name="price excl. VAT")).to_contain_text("350,00")
    page.fill("#id_reason", "The price is as agreed")
    visitor.leave(page.get_by_role("button", name="Restore ours"))
    expect(marks(visitor)).to_contain_text("In Go, not sent")
    first.refresh_from_db()
    (order,) = [order for order in remote.books(key)["orders"] if order["id"] == first.go_order_id]
    assert Decimal(order["total"]) == first.total

    remote.act("set_send_grant", key, allow=True)
    check_company(company=go_company, client=remotes.go_client(go_company), now=timezone.now())
    act(visitor, first, "Send from Go")
    expect(marks(visitor)).to_contain_text("Sent, unpaid")
    assert len(remote.books(key)["invoices"]) == 1


@on_two_screens
def test_a_payment_that_go_knows_nothing_of_is_marked_by_hand_and_undone(
    visitor: Visitor, statements: list[InvoiceStatement], remote: RemoteSandbox, key: str
) -> None:
    page, first = visitor.page, statements[0]
    remote.act("send", key, order_ids=[first.go_order_id])
    visitor.open(f"{LIST}{first.pk}/change/")
    update_status(visitor)
    visitor.leave(page.get_by_role("link", name="Mark as paid by hand"))
    page.select_option("select[name=method]", label="Cash")
    page.fill("#id_reason", "Paid in cash at the desk")
    visitor.leave(page.get_by_role("button", name="Mark as paid by hand"))
    expect(page.get_by_text("1 marked as paid by hand.", exact=True)).to_be_visible()
    expect(marks(visitor)).to_contain_text("Paid by hand")
    expect(page.locator("#timeline")).to_contain_text("Paid in cash at the desk")
    act(visitor, first, "Follow PowerOffice again", "It was another invoice")
    expect(marks(visitor)).to_contain_text("Sent, unpaid")
