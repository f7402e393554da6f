"""The report *Ageing of receivables*: what customers owe, by how late it is."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Q, Sum
from django.utils.html import format_html

from integration.admin.display import NOTHING, amount, day, link, list_of
from integration.admin.filters import AGE, age_window
from integration.admin.report_tables import Asked, Cell, Column, Table, linked
from integration.decisions.ageing import AGES
from integration.models import Customer, CustomerInGo, OutgoingInvoice


def ageing(asked: Asked) -> list[Table]:
    """What each customer owes, by how late it is. Each cell leads to its invoices."""
    owed = asked.invoices().exclude(balance=0)
    parts = {
        f"part_{place}": Sum("balance", filter=age_window(age, asked.today), default=Decimal(0))
        for place, age in enumerate(AGES)
    }
    all_of_it = owed.aggregate(many=Count("pk"), whole=Sum("balance", default=Decimal(0)), **parts)
    by_customer = (
        owed.order_by()
        .values("company_id", "go_customer_id")
        .annotate(whole=Sum("balance"), number=Max("customer_number"), **parts)
        .order_by("-whole", "company_id", F("go_customer_id").asc(nulls_last=True))
    )
    page = asked.page(by_customer)
    names = customers_of(page.object_list)
    companies = {company.pk: str(company) for company in asked.companies}

    def row(name: str, sums: Mapping[str, Any], query: str) -> list[Cell]:
        cells = [(f"{AGE}={age.key}", sums[f"part_{place}"]) for place, age in enumerate(AGES)]
        cells.append(("money=open", sums["whole"]))
        return [
            name,
            *(
                linked(list_of(OutgoingInvoice, f"{which}{query}"), amount(value)) if value else NOTHING
                for which, value in cells
            ),
        ]

    def of_customer(sums: Mapping[str, Any]) -> list[Cell]:
        company, key = sums["company_id"], sums["go_customer_id"]
        which = f"go_customer_id__exact={key}" if key is not None else "go_customer_id__isnull=True"
        name = names.get((company, key)) or (f"Customer no. {sums['number']}" if sums["number"] else "Not known")
        if asked.several:
            name = format_html('{}<br><small class="fb-muted">{}</small>', name, companies[company])
        return row(name, sums, f"&company={company}&{which}")

    return [
        Table(
            title="What customers owe",
            columns=(
                Column("Customer"),
                *(Column(age.title, figures=True) for age in AGES),
                Column("All", figures=True),
            ),
            rows=[of_customer(each) for each in page],
            sums=[row("All", all_of_it, asked.and_company)] if all_of_it["many"] else [],
            lead=f"{amount(all_of_it['whole'], 'NOK')} open on {day(asked.today)}",
            note=(
                "What PowerOffice Go says is open, in NOK, by days after the due date. Credit notes and overpaid "
                "invoices that are not matched yet count against it."
            ),
            empty="Nothing is open.",
            page=page,
        )
    ]


def customers_of(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[int, int], str]:
    """The customers of invoices by company and Go's id: with a link where they are known here, else Go's name."""
    keys = {(row["company_id"], row["go_customer_id"]) for row in rows if row["go_customer_id"] is not None}
    wanted = Q(company__in={company for company, _ in keys}) & Q(go_customer_id__in={key for _, key in keys})
    found: dict[tuple[int, int], str] = {}
    for seen in CustomerInGo.objects.filter(wanted):
        found[seen.company_id, seen.go_customer_id] = f"{seen.number} {seen.name}" if seen.number else seen.name
    for customer in Customer.objects.filter(wanted):
        if customer.go_customer_id is not None:
            found[customer.company_id, customer.go_customer_id] = link(customer)
    return {key: name for key, name in found.items() if key in keys}
