"""Every page opens, wide and narrow, light and dark: no complaint, nothing sticks out, no stranger is asked."""

from datetime import timedelta
from decimal import Decimal
from itertools import cycle, islice

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Role
from integration.admin.reports import REPORTS
from integration.admin.statement_actions import ORDER
from integration.decisions.spreadsheet_files import Limits
from integration.enums import AttemptOutcome, LineKind, RunOutcome, StatementStatus, UploadState
from integration.models import AdminAction, GoCompany, HandPayment, InvoiceStatement, SpreadsheetUpload
from integration.use_cases import import_spreadsheet
from tests import factories
from tests.browser.conftest import RemoteSandbox, Visitor, on_every_screen, on_two_screens

NAMES = (
    "Ålesund Båtutleie & Sjøhusferie Østensjø-Åkerøya Eiendomsforvaltning AS",
    "Bjørn Håkon Sæther",
    "Øystese Bygg og Anlegg AS",
    "مؤسسة النور",
)
LONG = "Konferansepakke med lunsj, tre retter og leie av prosjektor for inntil førtito deltakere " * 3


def furnish(company: GoCompany) -> None:
    """A company as it looks after a while: every state, long names, large amounts, many lines."""
    now = timezone.now()
    customers = [factories.customer(company, name=name, attention=LONG) for name in NAMES]
    factories.contact_person(customers[0])
    product = factories.product(company, code="KONFERANSE-2026", name=LONG[:200], price=Decimal("1234567.89"))
    run = factories.run(company, ended_at=now, outcome=RunOutcome.FAILED, message=LONG, counts={"push done": 12345})
    for status, customer in islice(zip(cycle(StatementStatus), cycle([*customers, None])), 34):
        invoice = factories.outgoing_invoice(company, due_date=timezone.localdate() - timedelta(days=3))
        statement = factories.statement(
            company,
            status=status,
            customer=customer,
            outgoing_invoice=invoice,
            attention=LONG if status in {StatementStatus.NEEDS_FIX, StatementStatus.DRAFT} else "",
            go_says="500,00 NOK of 8 125,00 NOK open",
            lines=[
                {"product": product, "description": LONG, "unit_price": Decimal("1234567.89")},
                {"kind": LineKind.TEXT, "description": LONG},
            ],
        )
        factories.ledger_entry(invoice)
        if status in {StatementStatus.SENT, StatementStatus.PARTLY_PAID}:
            factories.hand_payment(statement, reason=LONG, invoice_number=10**12)
        factories.attempt(
            statement=statement,
            run=run,
            ended_at=now,
            outcome=AttemptOutcome.REFUSED,
            message=LONG,
            request_excerpt='{"Reference": "' + "x" * 300 + '"}',
        )
    AdminAction.objects.create(
        company=company, user=factories.person(), at=now, action="push", statement=statement, record="x", reason=LONG
    )


def pages() -> list[str]:
    """Each list, each form to add, one record of each kind; of statements one that can change and one that cannot."""
    found = [reverse("admin:index"), reverse("my_log_in"), reverse("set_up_second_factor")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            found.append(reverse(f"{name}_change", args=[first.pk]))
        try:
            found.append(reverse(f"{name}_export"))
            found.append(reverse(f"{name}_import"))
        except NoReverseMatch:
            continue
        found.append(reverse(f"{name}_add"))
    paid = InvoiceStatement.objects.filter(status=StatementStatus.PAID)[0]
    found.append(reverse("admin:integration_invoicestatement_change", args=[paid.pk]))
    upcoming = InvoiceStatement.objects.filter(status=StatementStatus.UPCOMING)[0]
    acts = [reverse("admin:integration_invoicestatement_act", args=[upcoming.pk, act]) for act in ORDER]
    waiting = HandPayment.objects.filter(statement__status=StatementStatus.SENT)[0]
    by_hand = reverse("admin:integration_invoicestatement_by_hand", args=[waiting.statement_id, "follow_go"])
    acts += [by_hand, reverse("admin:integration_invoicestatement_change", args=[waiting.statement_id])]
    acts.append(reverse("admin:integration_handpayment_decide", args=[waiting.pk, "approve_payment"]))
    broken = InvoiceStatement.objects.filter(status=StatementStatus.LINK_BROKEN)[0]
    acts.append(reverse("admin:integration_invoicestatement_by_hand", args=[broken.pk, "mark_paid"]))
    acts.append(reverse("admin:integration_invoicestatement_settle", args=[broken.pk, "invoice_again"]))
    failed = InvoiceStatement.objects.filter(status=StatementStatus.CANCELLED)[0]
    acts.append(reverse("admin:integration_invoicestatement_settle", args=[failed.pk, "settle_otherwise"]))
    reader = Role.objects.get(name="Reader")
    found += [reverse(f"admin:accounts_role_{page}", args=[reader.pk]) for page in ("delete", "history")]
    found += [reverse("admin:integration_invoicestatement_credit", args=[row.pk]) for row in (paid, upcoming)]
    found.append(reverse("admin:integration_gocompany_change", args=[paid.company_id]))
    found.append(reverse("admin:password_change"))
    found += [reverse("reports"), *(reverse("report", args=[key]) for key in REPORTS)]
    found.append(f"{reverse('admin:integration_invoicestatement_changelist')}?q=nothing-is-called-so")
    return [*found, *acts]


@on_every_screen
def test_every_page(visitor: Visitor, go_company: GoCompany, request: pytest.FixtureRequest) -> None:
    furnish(go_company)
    factories.go_company(name="Nordlys Padel AS", state="PAUSED", state_reason=LONG)
    visitor.log_in(factories.person(is_superuser=True))
    is_dark = visitor.page.evaluate("document.documentElement.classList.contains('dark')")
    assert is_dark == (request.node.callspec.params["visitor"][1] == "dark")
    too_wide = []
    for path in pages():
        visitor.open(path)
        if sticks_out := visitor.sticks_out():
            too_wide.append((path, sticks_out))
    assert too_wide == []


@on_every_screen
def test_every_page_of_an_import(visitor: Visitor, go_company: GoCompany) -> None:
    visitor.log_in(factories.person(role="Finance", companies=[go_company]))
    page = visitor.page
    good = "Kundenr;Navn;Adresse\n1001;" + "Ålesund Båtutleie " * 5 + ";Storgata 1\n"
    bad = "Kundenr;Navn;Organisasjonsnummer\n1002;" + "Ø" * 120 + ";123\n"
    for content, words in ((bad, "Problems in 1 row"), (good, "What would be saved")):
        visitor.open(reverse("admin:integration_customer_import"))
        page.set_input_files(
            "input[type=file]", {"name": "kunder.csv", "mimeType": "text/csv", "buffer": content.encode()}
        )
        visitor.leave(page.get_by_role("button", name="Show preview"))
        expect(page.get_by_text(words)).to_be_visible()
        assert visitor.sticks_out() == 0
    visitor.leave(page.get_by_role("button", name="Import 1 new customer"))
    expect(page.get_by_text("kunder.csv: 1 new, 0 changed, 0 same, 0 refused.")).to_be_visible()
    assert visitor.sticks_out() == 0


@on_two_screens
def test_every_page_of_a_large_import(visitor: Visitor, go_company: GoCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_spreadsheet, "AT_ONCE", Limits(rows=2))
    visitor.log_in(factories.person(role="Finance", companies=[go_company]))
    page = visitor.page
    rows = ["Kundenr;Navn;Organisasjonsnummer", *(f"{number};{'Ålesund ' * 9};" for number in range(1, 9)), "9;Ø;123"]
    visitor.open(reverse("admin:integration_customer_import"))
    page.set_input_files(
        "input[type=file]", {"name": "mange.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    visitor.leave(page.get_by_role("button", name="Show preview"))
    expect(page.locator("#state")).to_have_text("waits for your confirmation")
    assert visitor.sticks_out() == 0
    for state in (UploadState.READING, UploadState.CHECKING, UploadState.IMPORTING):
        SpreadsheetUpload.objects.update(state=state)
        visitor.open(page.url)
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        assert visitor.sticks_out() == 0
    visitor.leave(page.get_by_role("button", name="Stop"))
    visitor.leave(page.get_by_role("button", name="Go on"))
    expect(page.locator("#state")).to_have_text("waits for your confirmation")
    visitor.leave(page.get_by_role("button", name="Import 8 new customers"))
    expect(page.locator("#written")).to_have_text("Imported: 8 new customers.")
    assert visitor.sticks_out() == 0


@on_every_screen
def test_every_page_of_the_sandbox(visitor: Visitor, go_company: GoCompany, remote: RemoteSandbox) -> None:
    remote.call("POST", "reset", {"seed_demo": True})
    visitor.neighbours = (remote.address,)
    visitor.open(f"{remote.address}/")
    company = visitor.page.get_by_role("link", name="Fjordgløtt Camping AS").get_attribute("href") or ""
    of_company = [f"{company.rsplit('/', 1)[0]}/{tab}" for tab in ("drafts", "sent", "unpaid", "paid", "settings")]
    for path in ("/", "/faults", "/requests", *of_company):
        visitor.open(f"{remote.address}{path}")
        assert (path, visitor.sticks_out()) == (path, 0)
