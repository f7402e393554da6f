"""What all lists share: three rows cost as many queries as one, and every page opens."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTasks

from integration.enums import AttemptOutcome, Operation, RunOutcome, StatementStatus
from integration.models import AdminAction, GoCompany, ScheduledTask
from tests import factories

pytestmark = pytest.mark.django_db


def make_action(company: GoCompany) -> AdminAction:
    return AdminAction.objects.create(
        company=company,
        user=factories.person(),
        at=factories.NOW,
        action="push",
        statement=factories.statement(company),
        record="KURS-1",
        reason="Agreed",
    )


def make_attempt(company: GoCompany) -> object:
    return factories.attempt(statement=factories.statement(company), run=factories.run(company))


MAKERS: dict[str, Callable[[GoCompany], object]] = {
    "customer": factories.customer,
    "product": factories.product,
    "outgoinginvoice": factories.outgoing_invoice,
    "syncrun": factories.run,
    "syncattempt": make_attempt,
    "adminaction": make_action,
    "subscription": lambda company: factories.subscription_term(factories.subscription(company)),
}


@pytest.mark.parametrize("model", MAKERS)
def test_three_rows_cost_as_many_queries_as_one(as_role: Callable[..., Client], home: GoCompany, model: str) -> None:
    address = reverse(f"admin:integration_{model}_changelist")
    client = as_role("Finance", factories.go_company())

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    MAKERS[model](home)
    queries()
    one = queries()
    MAKERS[model](home)
    MAKERS[model](home)
    assert client.get(address).context["cl"].result_count == 3
    assert queries() == one


@pytest.mark.parametrize("model", ["outgoinginvoice", "syncrun", "syncattempt", "adminaction"])
def test_what_machines_and_people_did_is_read_only(home: GoCompany, model: str) -> None:
    record = MAKERS[model](home)
    root = Client()
    root.force_login(factories.person(is_superuser=True))
    page = reverse(f"admin:integration_{model}_change", args=[record.pk])  # type: ignore[attr-defined]
    delete = reverse(f"admin:integration_{model}_delete", args=[record.pk])  # type: ignore[attr-defined]
    codes = [
        root.get(page).status_code,
        root.post(page, {}).status_code,
        root.post(delete, {"post": "yes"}).status_code,
        root.get(reverse(f"admin:integration_{model}_add")).status_code,
    ]
    assert codes == [200, 403, 403, 403]


def test_attempt_shows_what_was_sent_and_answered(finance: Client, home: GoCompany) -> None:
    statement = factories.statement(home, source_id="KURS-1", status=StatementStatus.NEEDS_FIX)
    attempt = factories.attempt(
        statement=statement,
        ended_at=factories.NOW + timedelta(seconds=12),
        outcome=AttemptOutcome.REFUSED,
        http_status=400,
        message="<script>",
        request_excerpt='{"CustomerId":12}',
        answer_excerpt="plain words",
    )
    text = finance.get(reverse("admin:integration_syncattempt_change", args=[attempt.pk])).content.decode()
    for words in (
        '<span class="fb-badge fb-alarm">Refused</span>',
        "12\xa0s",
        "{\n  &quot;CustomerId&quot;: 12\n}",
        '<pre class="fb-excerpt">plain words</pre>',
        ">KURS-1</a>",
        "&lt;script&gt;",
    ):
        assert words in text


def test_attempts_are_found_by_statement_and_filtered(finance: Client, home: GoCompany) -> None:
    wanted = factories.attempt(statement=factories.statement(home, source_id="KURS-1"))
    factories.attempt(home, operation=Operation.PULL, ended_at=factories.NOW, outcome=AttemptOutcome.DONE)
    address = reverse("admin:integration_syncattempt_changelist")
    for query in ("q=KURS-1", "operation__exact=CREATE_ORDER", f"statement__id__exact={wanted.statement_id}"):
        assert list(finance.get(f"{address}?{query}").context["cl"].result_list) == [wanted]


def test_run_says_what_happened_and_leads_to_its_attempts(finance: Client, home: GoCompany) -> None:
    run = factories.run(
        home,
        ended_at=factories.NOW + timedelta(seconds=65),
        outcome=RunOutcome.PARTLY,
        counts={"push not_ready": 2, "push done": 1200},
    )
    text = finance.get(reverse("admin:integration_syncrun_change", args=[run.pk])).content.decode()
    for words in ("1\u202f200 pushed, 2 stuck: not ready", "1\xa0min 5\xa0s", f"?run__id__exact={run.pk}"):
        assert words in text


def test_invoice_shows_payments_and_its_statements(finance: Client, home: GoCompany) -> None:
    invoice = factories.outgoing_invoice(home, invoice_number=10044)
    factories.ledger_entry(invoice, is_write_off=True, voucher_number=9)
    rows = [
        factories.statement(home, source_id=number, status=StatementStatus.SENT, outgoing_invoice=invoice)
        for number in ("A", "B")
    ]
    page = finance.get(reverse("admin:integration_outgoinginvoice_change", args=[invoice.pk])).context["page"]
    assert [(row["number"], row["amount"]) for row in page["statements"]] == [
        ("A", "125,00\xa0NOK"),
        ("B", "125,00\xa0NOK"),
    ]
    assert [(entry["what"], entry["voucher"]) for entry in page["entries"]] == [("Write-off", 9)]
    assert page["totals"][-1] == ("Open", "125,00\xa0NOK")
    shared = finance.get(reverse("admin:integration_invoicestatement_change", args=[rows[0].pk])).context["sheet"]
    assert len(shared["invoice"]["shared"]) == 1


def test_customer_shows_own_orders_newest_first(finance: Client, home: GoCompany) -> None:
    customer = factories.customer(home, attention="Two customers in Go have this number.")
    invoice = factories.outgoing_invoice(home, invoice_number=10044)
    for days, number in ((3, "old"), (1, "new")):
        factories.statement(
            home, customer=customer, source_id=number, statement_date=factories.TODAY - timedelta(days=days)
        )
    factories.statement(
        home, customer=customer, source_id="paid", status=StatementStatus.PAID, outgoing_invoice=invoice
    )
    factories.statement(home, source_id="somebody else's")
    response = finance.get(reverse("admin:integration_customer_change", args=[customer.pk]))
    shown = response.context["orders"]
    assert [row["number"] for row in shown["rows"]] == ["paid", "new", "old"]
    assert "10044" in shown["rows"][0]["invoice"]["number"]
    assert "Two customers in Go have this number." in response.content.decode()
    everything = finance.get(shown["all"]).context["cl"]
    assert {row.source_id for row in everything.result_list} == {"paid", "new", "old"}


def test_customer_is_saved_with_contact_persons_and_payment_methods(finance: Client, home: GoCompany) -> None:
    customer = factories.customer(home)
    data = {
        "number": customer.number,
        "name": "Ny Øy AS",
        "country": "NO",
        "delivery": "EHF",
        "source": "HAND",
        "contact_persons-TOTAL_FORMS": 1,
        "contact_persons-INITIAL_FORMS": 0,
        "contact_persons-0-first_name": "Kari",
        "contact_persons-0-last_name": "Nordmann",
        "payment_methods-TOTAL_FORMS": 1,
        "payment_methods-INITIAL_FORMS": 0,
        "payment_methods-0-kind": "INVOICE",
        "payment_methods-0-receiver_type": "DEFAULT",
        "payment_methods-0-delivery": "DEFAULT",
        "payment_methods-0-is_default": "on",
    }
    response = finance.post(reverse("admin:integration_customer_change", args=[customer.pk]), data)
    assert response.status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.search.split()[1]) == ("Ny Øy AS", "ny")
    assert [str(person) for person in customer.contact_persons.all()] == ["Kari Nordmann"]
    assert [(method.kind, method.is_default) for method in customer.payment_methods.all()] == [("INVOICE", True)]


def test_product_takes_norwegian_figures_and_percent(finance: Client, home: GoCompany) -> None:
    data = {
        "company": home.pk,
        "code": "BÅT",
        "name": "Båt",
        "unit": "EA",
        "price": "1 250,50",
        "vat_rate": "12",
        "stock": "3",
        "source": "HAND",
        "is_active": "on",
    }
    assert finance.post(reverse("admin:integration_product_add"), data).status_code == 302
    product = home.products.get()
    assert (str(product.price), str(product.vat_rate)) == ("1250.5000", "0.1200")
    page = finance.get(reverse("admin:integration_product_change", args=[product.pk])).content.decode()
    assert re.findall(r'name="(price|stock)" value="([^"]*)"', page) == [("price", "1\u202f250,50"), ("stock", "3")]
    assert 'value="12"' in page


def test_schedule_is_for_superusers(as_role: Callable[..., Client], home: GoCompany) -> None:
    address = reverse("admin:integration_scheduledtask_changelist")
    root = Client()
    root.force_login(factories.person(is_superuser=True))
    assert (as_role("Finance").get(address).status_code, root.get(address).status_code) == (403, 200)
    tasks = root.get(address).context["cl"].result_list
    for task in tasks:
        page = root.get(reverse("admin:integration_scheduledtask_change", args=[task.pk]))
        assert page.status_code == 200
    assert {task.task for task in tasks} == {
        "integration.tasks.roll_subscriptions",
        "integration.tasks.start_cycles",
        "integration.tasks.sweep",
    }


@pytest.mark.parametrize("model", ["intervalschedule", "crontabschedule"])
def test_kinds_of_schedule_have_pages(model: str) -> None:
    root = Client()
    root.force_login(factories.person(is_superuser=True))
    assert root.get(reverse(f"admin:django_celery_beat_{model}_changelist")).status_code == 200
    assert root.get(reverse(f"admin:django_celery_beat_{model}_add")).status_code == 200


def test_lists_warn_in_red(finance: Client, home: GoCompany) -> None:
    factories.customer(home, attention="Two of them in Go")
    factories.product(home, attention="Not in Go")
    factories.outgoing_invoice(home, due_date=factories.TODAY - timedelta(days=400))
    factories.statement(home, customer=None)
    factories.statement(home, status=StatementStatus.UPCOMING, held=True)
    for model, words in (
        ("customer", '<span class="fb-attention" title="Two of them in Go">'),
        ("product", '<span class="fb-attention" title="Not in Go">'),
        ("outgoinginvoice", '<span class="fb-warning" title="Overdue">'),
        ("invoicestatement", '<span class="fb-warning">No customer</span>'),
        ("invoicestatement", '<small class="fb-muted">on hold</small>'),
    ):
        assert words in finance.get(reverse(f"admin:integration_{model}_changelist")).content.decode()


def test_an_invoice_is_marked_when_it_is_overdue_and_only_then(finance: Client, home: GoCompany) -> None:
    for due_date in (date(2020, 3, 1), date(2099, 3, 1)):
        factories.outgoing_invoice(home, due_date=due_date)
    text = finance.get(reverse("admin:integration_outgoinginvoice_changelist")).content.decode()
    assert re.findall(r"(?:Overdue\">)?01\.03\.20[29][09]", text) == ["01.03.2099", 'Overdue">01.03.2020']


def test_attempt_about_a_customer_leads_to_it(finance: Client, home: GoCompany) -> None:
    customer = factories.customer(home, name="Øystese AS", number=7)
    factories.attempt(customer=customer)
    text = finance.get(reverse("admin:integration_syncattempt_changelist")).content.decode()
    assert f'href="{reverse("admin:integration_customer_change", args=[customer.pk])}">7 Øystese AS</a>' in text


def test_new_statement_is_dated_today_and_belongs_to_the_only_company(finance: Client, home: GoCompany) -> None:
    form = finance.get(reverse("admin:integration_invoicestatement_add")).context["adminform"].form
    assert (form.initial["statement_date"], form.initial["company"]) == (timezone.localdate(), str(home.pk))


def test_schedule_is_changed_and_beat_hears_of_it(home: GoCompany) -> None:
    root = Client()
    root.force_login(factories.person(is_superuser=True))
    sweep = ScheduledTask.objects.get(name="Sweep")
    slow = IntervalSchedule.objects.create(every=5, period=IntervalSchedule.MINUTES)
    PeriodicTasks.objects.update(last_update=factories.NOW)
    address = reverse("admin:integration_scheduledtask_change", args=[sweep.pk])
    assert root.post(address, {"enabled": "on", "interval": slow.pk, "crontab": ""}).status_code == 302
    sweep.refresh_from_db()
    assert (sweep.interval, sweep.task) == (slow, "integration.tasks.sweep")
    assert PeriodicTasks.last_change() != factories.NOW
    both = root.post(address, {"enabled": "on", "interval": "", "crontab": ""})
    assert (both.status_code, bool(both.context["errors"])) == (200, True)
    for page in ("delete", "add"):
        keys = [sweep.pk] if page == "delete" else []
        assert root.post(reverse(f"admin:integration_scheduledtask_{page}", args=keys)).status_code == 403
