"""The reports: each is added up here again, from the rows it lists and from the records, and must say the same."""

import random
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integration.admin.display import amount, number
from integration.admin.reports import REPORTS
from integration.decisions.ageing import AGES
from integration.decisions.explanations import CATALOGUE
from integration.enums import HandPaymentMethod, HandPaymentState, InvoiceType, StatementKind
from integration.enums import StatementStatus as S
from integration.models import AdminAction, CustomerInGo, GoCompany, InvoiceStatement, OutgoingInvoice, StatementMove
from tests import factories

pytestmark = pytest.mark.django_db

Table = Any
D = Decimal
INVOICES = reverse("admin:integration_outgoinginvoice_changelist")


def tables(client: Client, key: str, **query: Any) -> list[Table]:
    response = client.get(reverse("report", args=[key]), query)
    assert response.status_code == 200
    found: list[Table] = response.context["tables"]
    return found


def words(cell: Any) -> str:
    """A cell without its tags; lines are kept apart."""
    text = re.sub(r"<br>|</div>", "\n", str(cell))
    return re.sub(r"<[^>]+>", "", text).replace("\xa0", " ").strip()


def money(cell: Any) -> D:
    """A cell of kroner as a number."""
    text = words(cell)
    return D(0) if text == "–" else D(re.sub(r"[^\d,-]", "", text).replace(",", "."))


def column(table: Table, title: str) -> list[Any]:
    return [cell for row in table.body for heading, cell in row if heading.title == title]


def all_pages(client: Client, key: str, place: int, page_key: str = "page", **query: Any) -> list[Table]:
    """A table of a report, page by page."""
    first = tables(client, key, **query)[place]
    return [tables(client, key, **{page_key: page, **query})[place] for page in first.page.paginator.page_range]


def lead_of(rows: Any, thing: str = "statement") -> str:
    """What stands above rows, added up in plain Decimal."""
    sums: dict[str, D] = defaultdict(D)
    for row in rows:
        sums[row.currency] += row.total
    told = " and ".join(amount(sums[name], name) for name in sorted(sums, key=lambda name: (name != "NOK", name)))
    return f"{number(len(rows))} {thing}{'' if len(rows) == 1 else 's'}: {told}"


def book(company: GoCompany, seed: int, many: int = 80) -> None:
    """Statements and invoices of every kind, state and age."""
    dice = random.Random(seed)
    today = timezone.localdate()
    now = timezone.now()
    customers = [factories.customer(company, go_customer_id=7000 + number) for number in range(5)]
    for _ in range(many):
        total = D(dice.randrange(1, 500_000)) / 100
        is_credit = dice.random() < 0.2
        total = -total if is_credit else total
        customer = dice.choice([*customers, None])
        invoice = factories.outgoing_invoice(
            company,
            type=InvoiceType.CREDIT_NOTE if is_credit else InvoiceType.INVOICE,
            total=total,
            balance=dice.choice([total, D(0), (total / 3).quantize(D("0.01")), -total]),
            due_date=dice.choice([None, today - timedelta(days=dice.randrange(-40, 130))]),
            go_customer_id=customer.go_customer_id if customer else dice.choice([None, 7999]),
            related_invoice_number=dice.choice([None, 20_001]) if is_credit else None,
        )
        if dice.random() < 0.8:
            factories.statement(
                company,
                customer=customer,
                status=dice.choice(list(S)),
                kind=StatementKind.CREDIT_NOTE if is_credit else StatementKind.INVOICE,
                credit_reason="Kom ikke" if is_credit else "",
                currency=dice.choice(["NOK", "NOK", "EUR"]),
                outgoing_invoice=invoice,
                follows_go=dice.random() > 0.3,
                lines=[{"unit_price": total}],
                pushed_at=dice.choice([None, now - timedelta(days=dice.randrange(60))]),
            )


# --- Statements by status -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_the_statuses_and_the_companies_add_up_to_all_statements(
    as_role: Callable[..., Client], home: GoCompany, seed: int
) -> None:
    other = factories.go_company(name="Nordlys Padel AS")
    for company in (home, other, factories.go_company()):
        book(company, seed)
    client = as_role("Reader", other)
    states, companies = tables(client, "statuses")
    ours = InvoiceStatement.objects.filter(company__in=[home, other])
    counts = [int(words(cell)) for cell in column(states, "Statements")]
    assert sum(counts) == int(states.sums[0][1]) == int(companies.sums[0][1]) == ours.count()
    assert sum(int(words(cell)) for cell in column(companies, "Statements")) == ours.count()
    [alone] = tables(client, "statuses", company=other.pk)
    assert int(alone.sums[0][1]) == sum(int(words(cell)) for cell in column(alone, "Statements"))
    assert int(alone.sums[0][1]) == other.statements.count()
    kroner = sum((D(0), *(money(words(cell).split("\n")[0]) for cell in column(alone, "Incl. VAT") if "NOK" in cell)))
    assert kroner == sum((row.total for row in other.statements.filter(currency="NOK")), D(0))
    for row in alone.rows:
        address = re.search(r'href="([^"]+)"', row[0]).group(1).replace("&amp;", "&")  # type: ignore[union-attr]
        assert client.get(address).context["cl"].result_count == int(row[1])


# --- Ageing ---------------------------------------------------------------------------------------------------------


def age_of(invoice: OutgoingInvoice) -> str:
    """Which column an invoice belongs to, told apart by hand."""
    if invoice.due_date is None:
        return "not-due"
    late = (timezone.localdate() - invoice.due_date).days
    return next(key for most, key in LATE if late <= most)


LATE = [(0, "not-due"), (14, "1-14"), (30, "15-30"), (60, "31-60"), (90, "61-90"), (10**6, "over-90")]


@pytest.mark.parametrize("seed", range(3))
def test_ageing_adds_up_by_customer_by_age_and_in_all(finance: Client, home: GoCompany, seed: int) -> None:
    book(home, seed)
    book(factories.go_company(), seed)  # somebody else's
    [shown] = tables(finance, "ageing")
    by_age: dict[str, D] = defaultdict(D)
    for invoice in OutgoingInvoice.objects.filter(company=home):
        by_age[age_of(invoice)] += invoice.balance
    wanted = [by_age[age.key] for age in AGES]
    assert [money(cell) for cell in shown.sums[0][1:]] == [*wanted, sum(wanted, D(0))]
    assert shown.lead == f"{amount(sum(wanted, D(0)), 'NOK')} open on {timezone.localdate():%d.%m.%Y}"
    for place in range(1, 8):
        assert sum((money(row[place]) for row in shown.rows), D(0)) == money(shown.sums[0][place])
    for row in shown.rows:
        assert sum((money(cell) for cell in row[1:-1]), D(0)) == money(row[-1])
    assert len(shown.rows) == len(
        set(OutgoingInvoice.objects.filter(company=home).exclude(balance=0).values_list("go_customer_id"))
    )


def test_each_cell_of_the_ageing_leads_to_its_invoices(finance: Client, home: GoCompany) -> None:
    book(home, seed=5)
    [shown] = tables(finance, "ageing")
    led = 0
    for row in [*shown.rows, *shown.sums]:
        for cell in row[1:]:
            if found := re.search(r'href="([^"]+)"', str(cell)):
                listed = finance.get(found.group(1).replace("&amp;", "&")).context["cl"].queryset
                assert sum((invoice.balance for invoice in listed), D(0)) == money(cell)
                led += 1
    assert led > 20


def test_customers_of_the_ageing_are_named(as_role: Callable[..., Client], home: GoCompany) -> None:
    other = factories.go_company(name="Nordlys Padel AS")
    factories.customer(home, go_customer_id=1, name="Kari Nordmann", number=17)
    factories.customer(other, go_customer_id=1, name="Ola Nordmann", number=18)
    CustomerInGo.objects.create(company=home, go_customer_id=2, number=19, name="Kun i Go AS")
    CustomerInGo.objects.create(company=home, go_customer_id=3, name="Uten nummer AS")
    for place, key in enumerate((1, 2, 3, 4, None)):
        factories.outgoing_invoice(home, go_customer_id=key, customer_number=key and 90 + key, balance=D(100 - place))
    factories.outgoing_invoice(other, go_customer_id=1, balance=D(50))
    [shown] = tables(as_role("Reader", other), "ageing")
    assert [words(row[0]).split("\n") for row in shown.rows] == [
        ["17 Kari Nordmann", "Fjordgløtt Camping AS"],
        ["19 Kun i Go AS", "Fjordgløtt Camping AS"],
        ["Uten nummer AS", "Fjordgløtt Camping AS"],
        ["Customer no. 94", "Fjordgløtt Camping AS"],
        ["Not known", "Fjordgløtt Camping AS"],
        ["18 Ola Nordmann", "Nordlys Padel AS"],
    ]
    [alone] = tables(as_role("Reader", other), "ageing", company=other.pk)
    assert [money(row[-1]) for row in [*alone.rows, *alone.sums]] == [50, 50]


def test_the_age_filter_finds_what_is_open_and_leaves_the_list_alone_otherwise(
    finance: Client, home: GoCompany
) -> None:
    for balance in (0, 125):
        factories.outgoing_invoice(home, balance=D(balance), due_date=timezone.localdate())
    for query, many in (({}, 2), ({"age": "not-due"}, 1), ({"age": "over-90"}, 0), ({"age": "nonsense"}, 2)):
        assert finance.get(INVOICES, query).context["cl"].result_count == many


def test_many_customers_are_paged_and_the_sum_is_of_all_pages(finance: Client, home: GoCompany) -> None:
    for key in range(53):
        factories.outgoing_invoice(home, go_customer_id=key, balance=D(key + 1))
    pages = all_pages(finance, "ageing", 0)
    assert [len(page.rows) for page in pages] == [50, 3]
    listed = sum((money(row[-1]) for page in pages for row in page.rows), D(0))
    assert {money(page.sums[0][-1]) for page in pages} == {listed} == {D(53 * 54 / 2)}
    response = finance.get(reverse("report", args=["ageing"]))
    assert "Rows 1 to 50 of 53" in response.content.decode()
    assert '<a class="fb-link" href="?page=2">Later rows →</a>' in response.content.decode()


# --- Lists of statements --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "place", "meant"),
    [
        ("failed", 0, {"status": S.CANCELLED}),
        ("by-hand", 0, {"follows_go": False}),
        ("credits", 0, {"kind": StatementKind.CREDIT_NOTE}),
        ("drafts", 1, {"status__in": [S.DRAFT, S.CONFIRMED]}),
    ],
)
def test_what_stands_above_a_list_is_the_sum_of_its_rows(
    finance: Client, home: GoCompany, key: str, place: int, meant: dict[str, Any]
) -> None:
    book(home, seed=6, many=250)
    book(factories.go_company(), seed=6)
    wanted = list(InvoiceStatement.objects.filter(company=home, **meant))
    pages = all_pages(finance, key, place)
    assert {page.lead for page in pages} == {lead_of(wanted)}
    shown = [words(cell) for page in pages for cell in column(page, "Statement")]
    assert sorted(shown) == sorted(row.source_id for row in wanted)
    amounts = [words(cell) for page in pages for cell in column(page, "Amount")]
    for currency in ("NOK", "EUR"):
        listed = sum((money(text) for text in amounts if text.endswith(currency)), D(0))
        assert listed == sum((row.total for row in wanted if row.currency == currency), D(0))


@pytest.mark.parametrize(("key", "place"), [("failed", 0), ("drafts", 1)])
def test_the_list_to_act_on_is_of_the_chosen_company(
    as_role: Callable[..., Client], home: GoCompany, key: str, place: int
) -> None:
    other = factories.go_company()
    for company in (home, home, other):
        for status in (S.CANCELLED, S.DRAFT):
            factories.statement(company, status=status)
    client = as_role("Finance", other)
    for query, many in (({}, 3), ({"company": home.pk}, 2), ({"company": other.pk}, 1)):
        table = tables(client, key, **query)[place]
        assert client.get(table.list_link).context["cl"].result_count == len(table.rows) == many


def test_failed_payments_say_why_and_for_how_long(finance: Client, home: GoCompany) -> None:
    failed = factories.statement(home, status=S.CANCELLED, go_says="Credited in full in PowerOffice Go")
    for days in (9, 4):
        StatementMove.objects.create(
            statement=failed,
            from_status=S.SENT,
            to_status=S.CANCELLED,
            at=timezone.now() - timedelta(days=days),
            reason="r",
        )
    factories.statement(
        home, status=S.CANCELLED, attention="Slettet i Go", statement_date=factories.TODAY - timedelta(1)
    )
    [shown] = tables(finance, "failed")
    assert [column(shown, title) for title in ("Why", "Days")] == [
        ["Credited in full in PowerOffice Go", "Slettet i Go"],
        ["4", "–"],
    ]
    assert finance.get(shown.list_link).context["cl"].result_count == 2


def test_set_by_hand_says_who_when_and_why(finance: Client, home: GoCompany) -> None:
    kari = factories.person(first_name="Kari", last_name="Nordmann")
    ola = factories.person(first_name="Ola", last_name="Nordmann")
    at = timezone.now().replace(hour=12, minute=0)
    given: dict[str, Any] = {"status": S.PAID, "follows_go": False, "go_says": "Sent, unpaid"}
    acted, moved, neither = (factories.statement(home, **given) for _ in range(3))
    factories.statement(home, status=S.PAID)
    for statement, user, days, reason in ((acted, ola, 3, "first"), (moved, kari, 2, "Paid in cash")):
        StatementMove.objects.create(
            statement=statement,
            from_status=S.SENT,
            to_status=S.PAID,
            at=at - timedelta(days=days),
            user=user,
            reason=reason,
        )
    StatementMove.objects.create(statement=moved, from_status=S.SENT, to_status=S.PAID, at=at, reason="the machine")
    AdminAction.objects.create(
        company=home,
        user=kari,
        at=at - timedelta(days=1),
        action="paid_by_hand",
        statement=acted,
        record="r",
        reason="Vipps",
    )
    paid: dict[str, Any] = {"state": HandPaymentState.IN_FORCE, "needs_approval": False}
    for kroner, method in ((100, HandPaymentMethod.CASH), (25, HandPaymentMethod.BANK)):
        factories.hand_payment(acted, amount=Decimal(kroner), method=method, paid_on=date(2026, 2, 5), **paid)
    ended: dict[str, Any] = {"ended_by": kari, "ended_at": at, "end_reason": "a slip"}
    factories.hand_payment(acted, **{**paid, "state": HandPaymentState.UNDONE}, **ended)
    [shown] = tables(finance, "by-hand")
    rows = dict(zip((words(cell) for cell in column(shown, "Statement")), shown.rows, strict=True))
    day = timezone.localtime(at)
    assert [[words(cell) for cell in rows[each.source_id][5:]] for each in (acted, moved, neither)] == [
        [
            "Sent, unpaid",
            "Cash 05.02.2026: 100,00 NOK\nBank transfer 05.02.2026: 25,00 NOK",
            f"{kari}\n{day - timedelta(days=1):%d.%m.%Y %H:%M}",
            "Vipps",
        ],
        ["Sent, unpaid", "–", f"{kari}\n{day - timedelta(days=2):%d.%m.%Y %H:%M}", "Paid in cash"],
        ["Sent, unpaid", "–", "–", "–"],
    ]


def test_credits_say_what_is_credited_here_and_in_go(as_role: Callable[..., Client], home: GoCompany) -> None:
    invoice = factories.outgoing_invoice(home, invoice_number=20_001, go_customer_id=1)
    credited = factories.statement(home, source_id="M-1", status=S.SENT, outgoing_invoice=invoice)
    note = factories.outgoing_invoice(home, type=InvoiceType.CREDIT_NOTE, invoice_number=20_002)
    factories.statement(
        home,
        kind=StatementKind.CREDIT_NOTE,
        credits=credited,
        credit_reason="Kom ikke",
        status=S.PAID,
        outgoing_invoice=note,
    )
    factories.statement(home, kind=StatementKind.CREDIT_NOTE, credit_reason="Goodwill")
    factories.customer(home, go_customer_id=1, name="Kari Nordmann", number=17)
    given: dict[str, Any] = {"type": InvoiceType.CREDIT_NOTE, "total": D("-125.00")}
    for which in (
        {"invoice_number": 20_003, "related_invoice_number": 20_001, "go_customer_id": 1},
        {"invoice_number": 20_004, "related_invoice_number": 19_000, "customer_number": 18},
        {"invoice_number": None},
    ):
        factories.outgoing_invoice(home, **given, **which)
    factories.outgoing_invoice(**given)  # somebody else's
    for client, company in (
        (as_role("Reader"), ""),
        (as_role("Reader", factories.go_company()), "\nFjordgløtt Camping AS"),
    ):
        here, in_go = tables(client, "credits")
        assert [[words(cell) for cell in row[5:]] for row in here.rows] == [
            ["–", "Goodwill", "–"],
            ["M-1", "Kom ikke", "20002"],
        ]
        assert [[words(row[place]) for place in (0, 1, 3, 4)] for row in in_go.rows] == [
            ["without number", f"–{company}", "-125,00 NOK", "–"],
            ["20004", f"18{company}", "-125,00 NOK", "Invoice 19000"],
            ["20003", f"17 Kari Nordmann{company}", "-125,00 NOK", "Invoice 20001 M-1"],
        ]
        assert in_go.lead.replace("\xa0", " ") == "3 credit notes: -375,00 NOK"


def test_credit_notes_in_go_are_paged_by_themselves(finance: Client, home: GoCompany) -> None:
    notes = [factories.outgoing_invoice(home, type=InvoiceType.CREDIT_NOTE) for _ in range(51)]
    pages = all_pages(finance, "credits", 1, page_key="in_go")
    assert [len(page.rows) for page in pages] == [50, 1]
    assert {page.lead for page in pages} == {lead_of(notes, "credit note")}


def test_unsent_drafts_by_age_and_kroner_add_up(finance: Client, home: GoCompany) -> None:
    book(home, seed=8, many=200)
    now = timezone.now()
    by_age, each = tables(finance, "drafts")
    drafts = InvoiceStatement.objects.filter(company=home, status__in=[S.DRAFT, S.CONFIRMED])
    wanted: dict[str, list[InvoiceStatement]] = {row[0]: [] for row in by_age.rows}
    for draft in drafts:
        days = (now - draft.pushed_at).days if draft.pushed_at else 10**6
        window = "Up to 2 days" if days < 2 else "3 to 7 days" if days < 7 else "8 to 30 days"
        wanted["More than 30 days" if days >= 30 else window].append(draft)
    told = {row[0]: [row[1], *words(row[2]).split("\n")] for row in [*by_age.rows, *by_age.sums]}
    for title, rows in {**wanted, "All": list(drafts)}.items():
        sums = [
            amount(sum((row.total for row in rows if row.currency == currency), D(0)), currency).replace("\xa0", " ")
            for currency in ("NOK", "EUR")
            if any(row.currency == currency for row in rows)
        ]
        assert told[title] == [str(len(rows)), *(sums or ["–"])]
    shown = column(each, "Days")
    known = [int(cell) for cell in shown if cell != "–"]
    assert known == sorted(known, reverse=True)
    assert shown[: shown.count("–")] == ["–"] * shown.count("–")


# --- All reports ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", REPORTS)
def test_queries_do_not_grow_with_what_is_listed(as_role: Callable[..., Client], home: GoCompany, key: str) -> None:
    def queries(client: Client) -> int:
        client.get(reverse("report", args=[key]))
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse("report", args=[key])).status_code == 200
        return len(caught)

    other = factories.go_company()
    client = as_role("Finance", other)
    for company in (home, other):
        book(company, seed=1, many=20)
        book_of_more(company)
    few = queries(client)
    for company in (home, other):
        book_of_more(company)
    assert queries(client) == few


def book_of_more(company: GoCompany) -> None:
    """As many again, for customers who are known already."""
    for statement in list(company.statements.all()):
        factories.statement(
            company,
            customer=statement.customer,
            status=statement.status,
            kind=statement.kind,
            credit_reason=statement.credit_reason,
            follows_go=statement.follows_go,
        )
    for invoice in list(company.outgoing_invoices.all()):
        factories.outgoing_invoice(
            company, type=invoice.type, go_customer_id=invoice.go_customer_id, related_invoice_number=20_001
        )


@pytest.mark.parametrize("key", REPORTS)
def test_an_empty_house_has_every_report(finance: Client, home: GoCompany, key: str) -> None:
    response = finance.get(reverse("report", args=[key]))
    assert response.status_code == 200
    text = response.content.decode()
    assert REPORTS[key].tells in text
    for table in response.context["tables"]:
        assert table.rows or table.empty in text


@pytest.mark.parametrize("key", REPORTS)
def test_reports_stand_behind_the_wall(as_role: Callable[..., Client], home: GoCompany, key: str) -> None:
    theirs = factories.go_company(name="Deres AS")
    book(theirs, seed=2)
    InvoiceStatement.objects.filter(company=theirs).update(go_says="hemmelig")
    for query in ({}, {"company": theirs.pk}, {"company": "x"}):
        shown = as_role("Reader").get(reverse("report", args=[key]), query)
        assert [row for table in shown.context["tables"] for row in table.rows if any(map(money_in, row))] == []
        assert "hemmelig" not in shown.content.decode()
        assert "Deres AS" not in shown.content.decode()
        assert ("Choose one of your companies." in shown.content.decode()) == bool(query)


def money_in(cell: Any) -> bool:
    """Whether a cell has a figure other than nought."""
    return re.search(r"[1-9]\d*,\d\d", words(cell)) is not None


def test_the_index_leads_to_every_report(as_role: Callable[..., Client], home: GoCompany) -> None:
    client = as_role("Reader")
    response = client.get(reverse("reports"))
    assert [name for _, name, _ in response.context["reports"]] == [
        "Why is it not in PowerOffice Go?",
        "Invoice order rows",
        *(report.title for report in REPORTS.values()),
    ]
    for address, _, tells in response.context["reports"]:
        assert client.get(address).status_code == 200
        assert tells in response.content.decode()
    marked = [
        item["title"]
        for group in response.context["sidebar_navigation"]
        for item in group["items"]
        if item.get("active")
    ]
    assert marked == ["Reports"]
    assert client.get(reverse("report", args=["nonsense"])).status_code == 404


def test_who_may_not_see_statements_sees_no_report(as_role: Callable[..., Client], home: GoCompany) -> None:
    for address in (reverse("reports"), *(reverse("report", args=[key]) for key in REPORTS)):
        assert as_role().get(address).status_code == 403
        assert Client().get(address)["Location"].startswith(reverse("admin:login"))


# --- Causes -----------------------------------------------------------------------------------------------------


def test_causes_of_what_is_stuck_add_up_and_lead_to_their_statements(finance: Client, home: GoCompany) -> None:
    for code, many in (("NO_CUSTOMER", 3), ("PRODUCT_UNKNOWN", 2), ("NEVER_HEARD_OF", 1)):
        for number_of in range(many):
            factories.statement(home, status=S.NEEDS_FIX, attention_code=code, source_id=f"{code}-{number_of}")
    factories.statement(home, status=S.DRAFT, attention_code="EDITED_IN_GO")
    factories.statement(factories.go_company(name="Others AS"), status=S.NEEDS_FIX, attention_code="NO_CUSTOMER")
    (table,) = tables(finance, "stuck")
    titles = ["The statement has no customer", "A product is not in PowerOffice Go"]
    titles.append("A cause that has no entry in the catalogue yet")
    assert [words(cell).split("\n")[0] for cell in column(table, "Cause")] == titles
    assert [words(cell) for cell in column(table, "Statements")] == ["3", "2", "1"]
    (_, *_, (_, all_of_them), (_, total)) = table.foot[0]
    stuck = InvoiceStatement.objects.filter(company=home, status=S.NEEDS_FIX)
    assert (all_of_them, money(total)) == ("6", sum(row.total for row in stuck))
    assert sum(map(money, column(table, "Incl. VAT"))) == money(total)

    address = re.findall(r'href="([^"]+)"', str(column(table, "Cause")[1]))[0].replace("&amp;", "&")
    page = finance.get(address)
    assert {row.source_id for row in page.context["cl"].result_list} == {"PRODUCT_UNKNOWN-0", "PRODUCT_UNKNOWN-1"}
    assert "Stuck, by cause" not in page.content.decode()
    above = finance.get(f"{reverse('admin:integration_invoicestatement_changelist')}?status__exact=NEEDS_FIX")
    assert [table.title for table in above.context["causes"]] == ["Stuck, by cause"]
    assert "Others AS" not in above.content.decode()


def test_a_stuck_statement_says_who_must_act_and_where(finance: Client, home: GoCompany) -> None:
    stuck = factories.statement(home, status=S.NEEDS_FIX, attention="No customer.", attention_code="NO_CUSTOMER")
    page = finance.get(reverse("admin:integration_invoicestatement_change", args=[stuck.pk])).content.decode()
    (told,) = re.findall(r'<p class="fb-muted" id="cause">(.*?)</p>', page, re.DOTALL)
    assert words(told) == "Finance: Choose the customer, then push again. (Statements, the statement&#x27;s page)"


def test_the_catalogue_lists_every_cause_and_counts_what_it_does_not_know(finance: Client, home: GoCompany) -> None:
    now = timezone.now()
    for code, days in (("THROTTLED", 1), ("NEVER_HEARD_OF", 2), ("NEVER_HEARD_OF", 40), ("", 1)):
        then = now - timedelta(days=days)
        factories.attempt(
            company=home, started_at=then, ended_at=then, outcome="LATER" if code else "DONE", error_code=code
        )
    (table,) = tables(finance, "causes")
    assert len(table.rows) == len(CATALOGUE)
    assert table.note.startswith("1 of the 2 attempts of the last 30 days")
    assert table.note.endswith("have no entry here: NEVER_HEARD_OF.")
    by_title = dict(zip(map(words, column(table, "Cause")), column(table, "30 days"), strict=True))
    slowed = by_title["PowerOffice Go asked us to slow down\nTHROTTLED"]
    assert words(slowed) == "1"
    (address,) = re.findall(r'href="([^"]+)"', str(slowed))
    assert [row.error_code for row in finance.get(address).context["cl"].result_list] == ["THROTTLED"]
