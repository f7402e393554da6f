"""The admin among a million statements, beside the same pages among ten thousand. Meant for PostgreSQL."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db import connection
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory

from accounts.models import User
from integration.admin.paginator import EstimatingPaginator
from integration.enums import StatementStatus
from integration.management.rehearsal.world import World
from integration.models import Customer, GoCompany, InvoiceStatement, StatementLine
from tests import factories

Figures = Iterator[dict[str, Any]]
LIST = "/admin/integration/invoicestatement/"
TIMES = 9
STATUSES = {
    StatementStatus.PAID: 90, StatementStatus.SENT: 6, StatementStatus.DRAFT: 2, StatementStatus.NEEDS_FIX: 1,
    StatementStatus.PROCESSING: 1,
}  # fmt: skip
"""Of a hundred statements."""
SHOWN = 20
"""Statements that the search by name finds, at either size."""
LIMITS = {"dashboard": 1.5, "last page": 2.0}


def grow_customers(company: GoCompany, numbers: range) -> None:
    """Customers with names that no other customer's name contains."""
    Customer.objects.bulk_create(
        (
            Customer(
                company=company, number=100_000 + number, name=f"Kunde x{number}x AS", search=f"kunde x{number}x as"
            )
            for number in numbers
        ),
        batch_size=2000,
    )


def grow(company: GoCompany, template: InvoiceStatement, rows: range, customers: int) -> None:
    """Copies of a statement and its line, with numbers, customers, states and dates of their own."""
    status = " ".join(
        f"WHEN n % 100 < {sum(list(STATUSES.values())[: index + 1])} THEN '{name}'"
        for index, name in enumerate(STATUSES)
    )
    postgresql = connection.vendor == "postgresql"
    first = Customer.objects.filter(company=company, name__startswith="Kunde x").order_by("pk")[0].pk
    own = {
        "source_id": "'L' || n",
        "reference": "'FB-L' || n",
        "go_order_id": "'order-' || n",
        "status": f"CASE {status} END",
        "attention": "CASE WHEN n % 100 = 98 THEN 'No customer number' ELSE '' END",
        "customer_id": f"{first} + n % {customers}",
        "search": f"'l' || n || ' fb-l' || n || ' kunde x' || (n % {customers}) || 'x as'",
        "statement_date": "DATE '2020-01-01' + n / 500"
        if postgresql
        else "date('2020-01-01', '+' || (n / 500) || ' days')",
    }
    numbers = (
        f"(SELECT generate_series({rows.start}, {rows.stop - 1}) AS n) AS numbers"
        if postgresql
        else f"(WITH RECURSIVE c(n) AS (SELECT {rows.start} UNION ALL SELECT n + 1 FROM c WHERE n < {rows.stop - 1}) "
        "SELECT n FROM c) AS numbers"
    )
    with connection.cursor() as cursor:
        copy_rows(
            cursor, InvoiceStatement, own, f"{numbers}, integration_invoicestatement AS t WHERE t.id = {template.pk}"
        )
        [line] = template.lines.values_list("pk", flat=True)
        copy_rows(
            cursor,
            StatementLine,
            {"statement_id": "s.id"},
            f"integration_invoicestatement AS s, integration_statementline AS t WHERE t.id = {line} "
            f"AND s.id > {template.pk} "
            "AND NOT EXISTS (SELECT 1 FROM integration_statementline o WHERE o.statement_id = s.id)",
        )
        cursor.execute("VACUUM ANALYZE" if postgresql else "ANALYZE")


def copy_rows(cursor: Any, model: Any, own: dict[str, str], source: str) -> None:
    """INSERT ... SELECT: `own` columns from expressions, all others from the row `t`."""
    columns = [field.column for field in model._meta.concrete_fields if field.column != "id"]
    chosen = ", ".join(own.get(column, f't."{column}"') for column in columns)
    quoted = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(f"INSERT INTO {model._meta.db_table} ({quoted}) SELECT {chosen} FROM {source}")


def measured(call: Callable[[], Any]) -> tuple[float, int]:
    """Median milliseconds and number of queries of a page, warm."""
    queries = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    call()
    with connection.execute_wrapper(count):
        call()
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), queries


def pages(client: Client, user: User, rows: int, template: InvoiceStatement) -> dict[str, tuple[float, int]]:
    """The pages that people use, and two of an admin as Django makes it without thought."""

    def page(path: str) -> Callable[[], Any]:
        def call() -> None:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.status_code)

        return call

    middle = rows // 2
    name = f"kunde x{rows // 40}x"
    # The first customers got statements in both rounds: with one of them, the larger page would show twice the rows.
    assert InvoiceStatement.objects.filter(search__contains=name).count() == SHOWN
    plain = PlainAdmin(InvoiceStatement, admin.site)

    def plain_page(query: str) -> Callable[[], Any]:
        def call() -> None:
            request = RequestFactory().get(LIST + query)
            request.user = user
            request.session = client.session
            answer = plain.changelist_view(request)
            assert isinstance(answer, TemplateResponse)
            answer.render()

        return call

    return {
        name: measured(call)
        for name, call in {
            "list": page(LIST),
            "filter": page(f"{LIST}?status__exact=NEEDS_FIX"),
            "search by number": page(f"{LIST}?q=fb-l{middle}"),
            "search by name": page(f"{LIST}?q={name.replace(' ', '+')}"),
            "last page": page(f"{LIST}?p={last_page()}"),
            "detail": page(f"{LIST}{template.pk + middle}/change/"),
            "dashboard": page("/admin/"),
            "default ModelAdmin: list": plain_page(""),
            "default ModelAdmin: search": plain_page(f"?q=fb-l{middle}"),
        }.items()
    }


def last_page() -> int:
    """The last page that the list offers."""
    rows = InvoiceStatement.objects.order_by("pk")
    return EstimatingPaginator(rows, admin.site.get_model_admin(InvoiceStatement).list_per_page).num_pages


class PlainAdmin(admin.ModelAdmin[InvoiceStatement]):
    """What one gets by listing columns and search fields, for comparison."""

    list_display = ("source_id", "status", "customer", "statement_date", "total", "outgoing_invoice")
    list_filter = ("status", "company")
    search_fields = ("source_id", "reference", "customer__name")


def a_million_against_ten_thousand(world: World) -> Figures:
    """Each page's median time at 1 000 000 statements over that at 10 000, in one run; queries must be equal."""
    company = factories.go_company(name="Lists AS")
    user = factories.person(is_superuser=True)
    template = factories.statement(company, customer=factories.customer(company))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    seen: list[dict[str, tuple[float, int]]] = []
    known, customers = 0, 0
    for rows in (10_000, 1_000_000):
        grow_customers(company, range(customers, rows // 20))
        grow(company, template, range(known, rows), rows // 20)
        known, customers = rows, rows // 20
        seen.append(pages(client, user, rows, template))
    for name, (few_ms, few_queries) in seen[0].items():
        many_ms, many_queries = seen[1][name]
        ratio = many_ms / few_ms
        figure = {
            "figure": f"{name}, 1 000 000 beside 10 000 statements, {connection.vendor}",
            "value": round(ratio, 2),
            "milliseconds": [round(few_ms, 1), round(many_ms, 1)],
            "queries": [few_queries, many_queries],
        }
        if not name.startswith("default"):
            limit = LIMITS.get(name, 1.25)
            figure |= {"limit": limit, "ok": ratio <= limit and many_queries <= few_queries}
        yield figure
