"""One company, its books in the sandbox, a clock that both live by, and a power switch."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integration import remotes
from integration.enums import RunTrigger, StatementStatus
from integration.models import GoCompany, InvoiceStatement
from integration.use_cases import run_cycle as cycles
from integration.use_cases.push_statements import products_of, read_portion
from tests import factories


class PowerCut(BaseException):
    """The machine went dark: nothing after this line was done."""


@dataclass
class Clock:
    """The time of day, ours and the sandbox's; it moves only when told."""

    sandbox: Any
    offset: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return timezone.now() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)
        self.sandbox.act("set_clock", offset_seconds=int(self.offset.total_seconds()))


@dataclass
class World:
    """What a test plays with."""

    company: GoCompany
    sandbox: Any
    clock: Clock
    customer: Any = None
    product: Any = None
    made: list[InvoiceStatement] = field(default_factory=list)

    def statement(self, **fields: Any) -> InvoiceStatement:
        """A statement in the queue, with one line of 2 x 1000 kroner at 12 %."""
        fields = {
            "customer": self.customer,
            "status": StatementStatus.PROCESSING,
            "lines": [{"product": self.product, "quantity": 2, "unit_price": 1000, "vat_rate": Decimal("0.12")}],
            **fields,
        }
        made = factories.statement(self.company, **fields)
        self.made.append(made)
        return made

    def turn(self, *, trigger: RunTrigger = RunTrigger.SCHEDULE, **kwargs: Any) -> cycles.Turn:
        """One turn of the company's cycle."""
        return cycles.run_cycle(
            self.company.pk, client_for=remotes.go_client, clock=self.clock, trigger=trigger, **kwargs
        )

    def until_quiet(self, turns: int = 12) -> None:
        """Time passes, the sweep sweeps, cycles run: everything that can heal by itself does."""
        for _ in range(turns):
            self.clock.advance(70)
            cycles.sweep(self.clock())
            self.turn()

    def books(self) -> Any:
        return self.sandbox.books(self.company)

    def in_go(self) -> Counter[str]:
        """How many living orders and invoices Go has per reference of ours."""
        living = self.drafts() + self.books()["invoices"]
        return Counter(row["reference"] for row in living if row["reference"])

    def drafts(self) -> list[Any]:
        """The living, unsent orders in Go."""
        return [order for order in self.books()["orders"] if order["state"] == "open" and not order["deleted"]]

    def fresh(self, statement: InvoiceStatement) -> InvoiceStatement:
        return InvoiceStatement.objects.get(pk=statement.pk)

    def as_read(self, statement: InvoiceStatement) -> tuple[InvoiceStatement, dict[str, int | str]]:
        """As a push reads it, with what Go has of its products."""
        portion = read_portion(self.company, [statement.pk])
        return portion[0], products_of(portion)


@pytest.fixture
def world(company: GoCompany, sandbox: Any) -> World:
    made = World(company, sandbox, Clock(sandbox))
    made.customer = factories.customer(company, number=None, name="Fjell og Fjord AS")
    made.product = factories.product(company, code="HYTTE", name="Hytte")
    return made


@contextmanager
def power_cut_at_write(number: int) -> Iterator[Callable[[], bool]]:
    """The power goes at our `number`th write to the database, before it happens; yields whether it went."""
    seen = 0
    dark = False

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen, dark
        if dark:
            if sql.startswith(("ROLLBACK", "RELEASE")):  # the database forgets what was not committed
                return execute(sql, params, many, context)
            raise PowerCut
        if sql.lstrip().split(" ", 1)[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            seen += 1
            if seen == number:
                dark = True
                raise PowerCut
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield lambda: dark
