"""The tour of the README: from a statement typed by hand to an invoice that is paid."""

from decimal import Decimal

import requests
from playwright.sync_api import Page, expect

from integration.enums import StatementStatus
from integration.models import GoCompany, InvoiceStatement, OutgoingInvoice
from tests import factories
from tests.browser.conftest import RemoteSandbox, Visitor, on_every_screen, on_two_screens


def choose(page: Page, field: str, words: str, option: str) -> None:
    """Type into an autocomplete field and take what it finds."""
    page.locator(f"#{field} + .select2").click()
    page.locator(".select2-search__field").last.fill(words)
    page.locator(".select2-results__option", has_text=option).click()


@on_every_screen
def test_statement_typed_by_hand_becomes_a_paid_invoice(
    visitor: Visitor, go_company: GoCompany, remote: RemoteSandbox
) -> None:
    key = remote.call("GET", "companies")[0]["client_key"]
    factories.customer(go_company, name="Øystese Bygg og Anlegg AS", number=None)
    factories.product(go_company, code="BANE", name="Baneleie, per time", price=Decimal(320))
    page = visitor.page
    visitor.log_in(factories.person(role="Finance", companies=[go_company], first_name="Kari"))

    # The dashboard is empty; a statement is typed.
    expect(page.locator("#statuses")).to_contain_text("No statements yet.")
    visitor.open("/admin/integration/invoicestatement/add/")
    choose(page, "id_customer", "øystese", "Øystese Bygg og Anlegg AS")
    choose(page, "id_lines-0-product", "bane", "Baneleie")
    page.fill("#id_lines-0-quantity", "2,5")
    visitor.leave(page.locator("button[name=_save]"))
    expect(page.locator(".fb-totals")).to_contain_text("1\u202f000,00\xa0NOK")
    expect(page.locator(".fb-head .fb-marks")).to_contain_text("Upcoming")
    statement = InvoiceStatement.objects.get()

    # It is pushed from the list: first the page that says what will happen.
    visitor.open("/admin/integration/invoicestatement/")
    page.locator("#result_list tbody input.action-select").check()
    page.select_option("select[name=action]", "push")
    visitor.leave(page.get_by_role("button", name="Run"))
    expect(page.locator(".fb-lead")).to_contain_text("Push drafts: 1 statement, 1\u202f000,00\xa0NOK.")
    visitor.leave(page.get_by_role("button", name="Push drafts"))
    expect(page.get_by_text("1 queued.", exact=True)).to_be_visible()
    expect(page.locator("#result_list")).to_contain_text("In Go, not sent")
    orders = remote.books(key)["orders"]
    assert [(order["reference"], order["status"]) for order in orders] == [(statement.reference, "Draft")]

    # Now it is read-only, and tells its life.
    visitor.leave(page.get_by_role("link", name=statement.source_id))
    expect(page.locator("#timeline")).to_contain_text("Create sales order")
    expect(page.locator("#timeline")).to_contain_text("Push drafts")
    expect(page.locator("button[name=_save]")).to_have_count(0)
    expect(page.get_by_role("link", name="Withdraw")).to_have_count(0)
    page.get_by_text("Not possible now").click()
    expect(page.locator(".fb-acts")).to_contain_text("Withdraw: not possible while it is “In Go, not sent”")

    # The link to Go leads to the order there.
    address = page.get_by_role("link", name="Open in PowerOffice Go").get_attribute("href")
    assert address == f"{remote.address}/orders/{orders[0]['id']}"
    assert statement.reference in requests.get(address, timeout=20).text

    # The accountant sends it in Go; the bookkeeper asks what became of it.
    remote.act("send", key, order_ids=[orders[0]["id"]])
    update_status(visitor)
    expect(page.locator(".fb-head .fb-marks")).to_contain_text("Sent, unpaid")
    invoice = OutgoingInvoice.objects.get()
    expect(page.get_by_role("heading", name=f"Invoice {invoice.invoice_number}")).to_be_visible()

    # The customer pays.
    remote.act("pay", key, invoice_id=remote.books(key)["invoices"][0]["id"])
    update_status(visitor)
    expect(page.locator(".fb-head .fb-marks")).to_contain_text("Paid")
    statement.refresh_from_db()
    assert statement.status == StatementStatus.PAID

    # The dashboard adds up.
    visitor.open("/admin/")
    expect(page.locator("#statuses tbody")).to_contain_text("Paid")
    expect(page.locator("#statuses tfoot")).to_contain_text("1")


def update_status(visitor: Visitor) -> None:
    """Ask Go now, by the button on a statement's page."""
    page = visitor.page
    visitor.leave(page.get_by_role("link", name="Update status"))
    visitor.leave(page.get_by_role("button", name="Update status"))
    expect(page.get_by_text("PowerOffice Go was asked")).to_be_visible()


@on_two_screens
def test_stuck_statement_is_mended_and_pushed_again(
    visitor: Visitor, go_company: GoCompany, remote: RemoteSandbox
) -> None:
    customer = factories.customer(go_company, name="Rødøy-Lurøy Kraftlag SA", number=None)
    unknown = factories.product(go_company, code="FINNES-IKKE", name="Finnes ikke i Go")
    factories.product(go_company, code="BANE", name="Baneleie, per time", price=Decimal(320))
    statement = factories.statement(
        go_company, source_id="KURS-1", status=StatementStatus.UPCOMING, customer=customer, lines=[{"product": unknown}]
    )
    page = visitor.page
    visitor.log_in(factories.person(role="Finance", companies=[go_company]))
    visitor.open(f"/admin/integration/invoicestatement/{statement.pk}/change/")
    visitor.leave(page.get_by_role("link", name="Push drafts"))
    visitor.leave(page.get_by_role("button", name="Push drafts"))
    expect(page.get_by_text("1 queued.", exact=True)).to_be_visible()

    # It is stuck, and says which line and what to do; the dashboard counts it.
    visitor.open("/admin/")
    expect(page.locator(".fb-tile", has_text="Stuck")).to_contain_text("1")
    visitor.leave(page.locator(".fb-tile", has_text="Stuck"))
    expect(page.locator("#result_list")).to_be_visible()
    visitor.leave(page.get_by_role("link", name="KURS-1"))
    expect(page.locator(".fb-note-alarm")).to_contain_text("Line 1")
    expect(page.locator(".fb-note-alarm")).to_contain_text("FINNES-IKKE")

    # The line gets another product, and the statement is pushed again.
    choose(page, "id_lines-0-product", "bane", "Baneleie")
    visitor.leave(page.locator("button[name=_continue]"))
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    visitor.leave(page.get_by_role("link", name="Push again"))
    visitor.leave(page.get_by_role("button", name="Push again"))
    expect(page.get_by_text("1 queued.", exact=True)).to_be_visible()
    expect(page.locator(".fb-head .fb-marks")).to_contain_text("In Go, not sent")


@on_two_screens
def test_withdrawing_asks_why(visitor: Visitor, go_company: GoCompany) -> None:
    statement = factories.statement(go_company, status=StatementStatus.UPCOMING)
    page = visitor.page
    visitor.log_in(factories.person(role="Finance", companies=[go_company]))
    visitor.open(f"/admin/integration/invoicestatement/{statement.pk}/change/")
    visitor.leave(page.get_by_role("link", name="Withdraw"))
    visitor.leave(page.get_by_role("button", name="Withdraw"))
    expect(page.locator("#id_reason:invalid")).to_be_visible()
    page.fill("#id_reason", "Ordered twice")
    visitor.leave(page.get_by_role("button", name="Withdraw"))
    expect(page.locator(".fb-head .fb-marks")).to_contain_text("Withdrawn")
    expect(page.locator("#timeline")).to_contain_text("Ordered twice")
