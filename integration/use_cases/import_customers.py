"""Customers from a spreadsheet: who is meant by a row, and what would change."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from integration.decisions.spreadsheet_rows import ReadRow, ReadSheet, mend_customer, readable
from integration.decisions.spreadsheet_sheets import CUSTOMERS
from integration.enums import StatementSource
from integration.models import Customer
from integration.use_cases.import_plan import (
    Companies,
    Outcome,
    Planned,
    chunks,
    refuse_invalid,
    set_values,
)


class KnownCustomers:
    """The customers that rows may mean, found by number, id, organisation number, or name with e-mail."""

    def __init__(self, company_ids: Iterable[int], wanted: Iterable[dict[str, Any]], *, lock: bool) -> None:
        wanted = list(wanted)
        self.by_number: dict[tuple[int, int], Customer] = {}
        self.by_source_id: dict[tuple[int, str], list[Customer]] = defaultdict(list)
        self.by_organisation: dict[tuple[int, str], list[Customer]] = defaultdict(list)
        self.by_name: dict[tuple[int, str], list[Customer]] = defaultdict(list)
        own = Customer.objects.filter(company_id__in=list(company_ids))
        found: dict[int, Customer] = {}
        for key in ("number", "source_id", "organisation_number", "name"):
            # Asked and ordered as the indexes are: SQLite would walk over all customers of the company otherwise.
            rows = own.order_by("company_id", key, "pk")
            if key == "source_id":
                rows = own.filter(source__in=StatementSource.values).exclude(source_id="")
                rows = rows.order_by("company_id", "source", "source_id")
            for values in chunks({row[key] for row in wanted if key in row}):
                portion = rows.filter(**{f"{key}__in": values})
                for customer in portion.select_for_update() if lock else portion:
                    found.setdefault(customer.pk, customer)
        for _, customer in sorted(found.items()):
            company_id = customer.company_id
            if customer.number is not None:
                self.by_number[company_id, customer.number] = customer
            self.by_source_id[company_id, customer.source_id].append(customer)
            if customer.organisation_number:
                self.by_organisation[company_id, customer.organisation_number].append(customer)
            self.by_name[company_id, customer.name].append(customer)


def plan_customers(read: ReadSheet, companies: Companies, *, lock: bool = False) -> list[Planned]:
    """What each row would do. `lock` holds the customers until the transaction ends."""
    for row in read.rows:
        mend_customer(row)
        companies.place(row)
    known = KnownCustomers(companies.own, [readable(row.values) for row in read.rows], lock=lock)
    taken: dict[Any, int] = {}
    return [_plan_row(row, companies, known, taken) for row in read.rows]


def _plan_row(row: ReadRow, companies: Companies, known: KnownCustomers, taken: dict[Any, int]) -> Planned:
    values = readable(row.values)
    company_id = values.pop("company")
    planned = Planned(
        rows=(row.number,),
        name=" ".join(str(values[key]) for key in ("number", "name") if key in values) or "a customer",
        company=companies.name(company_id),
        outcome=Outcome.REFUSED,
    )
    customer = None
    if company_id is not None:
        customer = _who(row, company_id, values, known)
        planned.identity = _identity(company_id, values, customer)
        _refuse_twice(row, planned.identity, taken)
    if company_id is not None and not row.problems:
        _refuse_new_id(row, values, customer)
        planned.record = customer or Customer(company_id=company_id, source=StatementSource.SPREADSHEET)
        planned.changes = set_values(planned.record, values, CUSTOMERS)
        planned.fields = tuple(values)
        refuse_invalid(planned.record, row, CUSTOMERS)
        if planned.record.is_person and planned.record.organisation_number:
            row.refuse("belongs to a company, but the customer is a private person", column="Organisation number")
        if customer is None:
            planned.outcome = Outcome.NEW
        else:
            planned.outcome = Outcome.CHANGED if planned.changes else Outcome.SAME
            planned.name = str(customer)
    planned.problems = tuple(row.problems)
    if row.problems:
        planned.outcome = Outcome.REFUSED
        planned.changes = ()
    return planned


def _who(row: ReadRow, company_id: int, values: dict[str, Any], known: KnownCustomers) -> Customer | None:
    """The customer a row means; None for a new one, or with a problem when several could be meant."""
    number, source_id = values.get("number"), values.get("source_id")
    by_number = known.by_number.get((company_id, number)) if number is not None else None
    by_id = known.by_source_id.get((company_id, source_id), []) if source_id else []
    if by_number is not None:
        if by_id and by_number not in by_id:
            row.refuse(f"belongs to customer {by_id[0]}, not to number {number}", column="Customer id", read=source_id)
        return by_number
    for label, key, found in (
        ("Customer id", "source_id", by_id),
        ("Organisation number", "organisation_number", _of_organisation(company_id, values, known)),
        ("Name", "name", _of_name(company_id, values, known)),
    ):
        if len(found) > 1:
            row.refuse(f"fits {len(found)} customers: add the customer number", column=label, read=values[key])
            return None
        if found:
            if number is not None and found[0].number is not None:
                row.refuse(f"belongs to customer {found[0]}, not to number {number}", column=label, read=values[key])
            return found[0]
    return None


def _of_organisation(company_id: int, values: dict[str, Any], known: KnownCustomers) -> list[Customer]:
    """By organisation number; a number of its own makes another customer of the same organisation."""
    found = known.by_organisation.get((company_id, values.get("organisation_number", "")), [])
    return [each for each in found if each.number is None or "number" not in values]


def _of_name(company_id: int, values: dict[str, Any], known: KnownCustomers) -> list[Customer]:
    """By name and e-mail, for rows with nothing better: the same list twice must not make everybody twice."""
    if {"number", "source_id", "organisation_number"} & values.keys():
        return []
    found = known.by_name.get((company_id, values.get("name", "")), [])
    email = values.get("email", "").casefold()
    return [each for each in found if each.email.casefold() == email]


def _refuse_new_id(row: ReadRow, values: dict[str, Any], customer: Customer | None) -> None:
    """The id is part of the reference under which a customer is looked for in Go while its making is in doubt."""
    if customer is None or customer.go_customer_id is not None or customer.go_create_tried_at is None:
        return
    if values.get("source_id", customer.source_id) != customer.source_id:
        row.refuse(
            f"cannot change while PowerOffice Go is asked whether customer {customer} is there: import it again later",
            column="Customer id",
            read=values["source_id"],
        )


def _identity(company_id: int, values: dict[str, Any], customer: Customer | None) -> tuple[Any, ...]:
    if customer is not None:
        return ("there", customer.pk)
    for key in ("number", "source_id", "organisation_number"):
        if key in values:
            return (company_id, key, values[key])
    return (company_id, "name", values.get("name"), values.get("email", "").casefold())


def _refuse_twice(row: ReadRow, identity: tuple[Any, ...], taken: dict[Any, int]) -> None:
    if identity in taken:
        row.refuse(f"is the customer of row {taken[identity]} again: keep one of the two rows", column="Name")
    taken.setdefault(identity, row.number)
