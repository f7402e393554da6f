"""Test connection: does the key work, whose books does it open, and which rights are missing?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.enums import AttemptOutcome, CompanyState, Operation
from integration.errors import ConfigurationError, RemoteError
from integration.models import GoCompany
from integration.models.go_company import PROBE_EVERY
from integration.use_cases.attempts import close_attempt, error_code, open_attempt

NEEDED: Final = {
    "Customer_Full": "read and write customers",
    "Product_Full": "read and write products",
    "SalesOrders_Full": "make and read sales orders",
    "OutgoingInvoice": "read invoices",
    "CustomerLedger": "read payments",
    "GeneralLedgerAccount": "read accounts",
    "CommonServices": "read VAT codes and payment terms",
}
"""Privileges that the main job needs, and what for. `X_Full` includes `X` (reference §6)."""


@dataclass(frozen=True)
class CompanyCheck:
    """What a test of the connection found. `problem` is empty when the key works."""

    client_name: str = ""
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    may_send_invoices: bool | None = None
    problem: str = ""


def check_company(*, company: GoCompany, client: PowerOfficeClient, now: datetime, wake: bool = True) -> CompanyCheck:
    """One request. `wake`: a company whose key works again becomes active. Never raises for what Go answers."""
    attempt = open_attempt(company=company, operation=Operation.CHECK_COMPANY, now=now)
    try:
        told = client.client_information()
    except RemoteError as error:
        setup = isinstance(error, ConfigurationError)
        close_attempt(
            attempt,
            AttemptOutcome.SETUP if setup else AttemptOutcome.LATER,
            now=now,
            message=error.message,
            error_code=error_code(error),
            evidence=error.evidence,
        )
        _ask_again(company, now)
        return CompanyCheck(problem=error.message)
    if told.may_send_invoices is not None:
        GoCompany.objects.filter(pk=company.pk).update(may_send_invoices=told.may_send_invoices)
    missing = tuple(name for name in NEEDED if not {name, f"{name.removesuffix('_Full')}_Full"} & set(told.privileges))
    close_attempt(attempt, AttemptOutcome.DONE, now=now, message=f"The key opens the books of {told.client_name}.")
    if missing:
        _ask_again(company, now)
    elif wake:
        company.wake(now)
    return CompanyCheck(
        client_name=told.client_name,
        present=tuple(name for name in NEEDED if name not in missing),
        missing=missing,
        may_send_invoices=told.may_send_invoices,
    )


def _ask_again(company: GoCompany, now: datetime) -> None:
    """Only a company that waits for Go has a next probe."""
    waiting = Q(state=CompanyState.PAUSED) | Q(state=CompanyState.ACTIVE, probe_at__isnull=False)
    GoCompany.objects.filter(waiting, pk=company.pk).update(probe_at=now + PROBE_EVERY)
