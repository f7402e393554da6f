"""Customers: know what Go has (one changed-since read per cycle), match before creating, create once."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.explanations import customer_refusal_code
from integration.decisions.matching import CustomerFacts, match_customer
from integration.decisions.sales_orders import statement_reference
from integration.enums import AttemptOutcome, DataOwner, Operation, Resource
from integration.errors import InDoubt, NotFound, PermanentError, RemoteError, TemporaryError
from integration.models import Customer, CustomerInGo, GoCompany, SyncCursor, SyncRun
from integration.terms import Address, CustomerDraft, RemoteCustomer
from integration.use_cases.attempts import close_attempt, error_code, open_attempt

OVERLAP: Final = timedelta(minutes=2)
"""Watermarks reach back this far: Go's replica lags and its filters are exclusive. Applying twice changes nothing."""

CHUNK: Final = 500


class CustomerProblem(Exception):
    """This customer cannot be made known to Go until a person mends something; the message says what.

    `code` is its cause in the catalogue of explanations.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


def watermark(company: GoCompany, resource: Resource) -> datetime | None:
    """Up to where a changed-since list has been read, less the overlap; None: never read."""
    seen = SyncCursor.objects.filter(company=company, resource=resource).values_list("watermark", flat=True).first()
    return seen - OVERLAP if seen else None


def advance(company: GoCompany, resource: Resource, stamps: Iterable[datetime | None], *, began: datetime) -> None:
    """Move a watermark to the newest stamp seen, never backwards, and never beyond when the reading began.

    What changed behind our back on pages already read has a later stamp than that, and is read next time. Call it
    in the transaction of what it covers.
    """
    newest = max((stamp for stamp in stamps if stamp), default=None)
    if newest is None:
        return
    newest = min(newest, began)
    cursor, made = SyncCursor.objects.get_or_create(company=company, resource=resource, defaults={"watermark": newest})
    if not made and cursor.watermark < newest:
        cursor.watermark = newest
        cursor.save(update_fields=["watermark", "updated_at"])


def store_customers(company: GoCompany, customers: list[RemoteCustomer]) -> None:
    """Remember Go's customers as they were just seen."""
    CustomerInGo.objects.bulk_create(
        [
            CustomerInGo(
                company=company,
                go_customer_id=customer.id,
                number=customer.number,
                name=customer.name[:200],
                organisation_number=customer.organisation_number.replace(" ", "")[:50],
                email=customer.email[:300].lower(),
                invoice_email=customer.invoice_email[:300].lower(),
                reference=customer.reference[:100],
                is_archived=customer.is_archived,
            )
            for customer in {customer.id: customer for customer in customers}.values()
        ],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["company", "go_customer_id"],
        update_fields=[
            "number",
            "name",
            "organisation_number",
            "email",
            "invoice_email",
            "reference",
            "is_archived",
        ],
    )


def read_customers(company: GoCompany, client: PowerOfficeClient, *, began: datetime) -> int:
    """One changed-since read; returns how many customers had news. `began`: now."""
    customers = list(client.customers(changed_since=watermark(company, Resource.CUSTOMERS)))
    with transaction.atomic():
        store_customers(company, customers)
        advance(company, Resource.CUSTOMERS, (customer.last_changed_at for customer in customers), began=began)
    return len(customers)


def customer_reference(customer: Customer) -> str:
    """The customer's `ExternalImportReference` in Go."""
    return statement_reference(f"customer:{customer.source}", customer.source_id)


def customer_draft(customer: Customer) -> CustomerDraft:
    """What Go should know of this customer."""
    return CustomerDraft(
        reference=customer_reference(customer),
        name=customer.name,
        is_person=customer.is_person,
        first_name=customer.first_name,
        last_name=customer.last_name,
        number=customer.number,
        organisation_number=customer.organisation_number,
        email=customer.email,
        invoice_email=customer.invoice_email,
        phone=customer.phone,
        address=Address(
            customer.address_line1, customer.address_line2, customer.zip_code, customer.city, customer.country
        ),
        delivery=customer.delivery,
        payment_days=customer.payment_days,
        send_reminders=customer.send_reminders,
        transfer_to_debt_collection=customer.transfer_to_debt_collection,
    )


def draft_hash(draft: CustomerDraft) -> str:
    """Tells whether Go last got the same."""
    return hashlib.sha256(json.dumps(draft, default=vars, sort_keys=True).encode()).hexdigest()


def _candidates(company: GoCompany, facts: CustomerFacts) -> list[RemoteCustomer]:
    wanted = Q(reference=facts.reference)
    if facts.organisation_number:
        wanted |= Q(organisation_number=facts.organisation_number)
    if facts.number is not None:
        wanted |= Q(number=facts.number)
    if facts.email:
        wanted |= Q(email=facts.email.lower()) | Q(invoice_email=facts.email.lower())
    return [
        RemoteCustomer(
            id=row.go_customer_id,
            number=row.number,
            name=row.name,
            organisation_number=row.organisation_number,
            email=row.email,
            invoice_email=row.invoice_email,
            reference=row.reference,
            is_archived=row.is_archived,
        )
        for row in CustomerInGo.objects.filter(wanted, company=company).order_by("go_customer_id")[:50]
    ]


def ensure_customer(
    customer: Customer, client: PowerOfficeClient, *, clock: Callable[[], datetime], run: SyncRun | None = None
) -> int:
    """Go's id of this customer: known, matched, or created now. Costs no request when Go has what we know.

    Raises CustomerProblem (a person must mend it), TemporaryError (later), ConfigurationError.
    """
    company = customer.company
    draft = customer_draft(customer)
    if customer.go_customer_id is not None:
        if company.customer_data_owner != DataOwner.GO and customer.go_hash != draft_hash(draft):
            _update(customer, customer.go_customer_id, draft, client, clock=clock, run=run)
        return customer.go_customer_id
    facts = CustomerFacts(
        reference=draft.reference,
        name=customer.name,
        number=customer.number,
        organisation_number=customer.organisation_number,
        email=customer.invoice_email or customer.email,
    )
    match = match_customer(facts, _candidates(company, facts))
    if match.problem:
        raise CustomerProblem(match.problem, code="CUSTOMER_AMBIGUOUS")
    if match.found is None and customer.go_create_tried_at is not None:
        match_found = _look_up(customer, draft, client, clock())
    else:
        match_found = match.found
    if match_found is not None:
        return _adopt(customer, match_found)
    return _create(customer, draft, client, clock=clock, run=run)


def _adopt(customer: Customer, found: RemoteCustomer) -> int:
    """Take Go's customer as ours. What we know better is sent with the next push."""
    other = Customer.objects.filter(company=customer.company, go_customer_id=found.id).exclude(pk=customer.pk).first()
    if other is not None:
        raise CustomerProblem(
            f"{customer} seems to be customer {found.number} in PowerOffice Go, but that one belongs to {other} here. "
            "Give them different customer numbers, organisation numbers or e-mails, or use one of them.",
            code="CUSTOMER_AMBIGUOUS",
        )
    customer.go_customer_id = found.id
    customer.go_create_tried_at = None
    # A matched customer counts as up to date: overwriting what the accountant keeps there needs a change here first.
    customer.go_hash = draft_hash(customer_draft(customer))
    customer.attention = ""
    customer.save(
        update_fields=["go_customer_id", "go_create_tried_at", "go_hash", "attention", "search", "updated_at"]
    )
    return found.id


def _look_up(
    customer: Customer, draft: CustomerDraft, client: PowerOfficeClient, now: datetime
) -> RemoteCustomer | None:
    """A create may have reached Go unnoticed: find it by reference before trying again.

    Asks once, when absence is proof: until then all statements of this customer wait, and none of them asks.
    """
    tried = customer.go_create_tried_at
    if tried is not None and (wait := tried + timedelta(seconds=settings.GO_ABSENCE_SECONDS) - now) > timedelta(0):
        raise TemporaryError(
            f"Customer {customer} may be on its way into PowerOffice Go; we look again in a minute.",
            retry_after=wait.total_seconds(),
        )
    found = list(client.customers(reference=draft.reference))
    store_customers(customer.company, found)
    return found[0] if found else None


def _create(
    customer: Customer,
    draft: CustomerDraft,
    client: PowerOfficeClient,
    *,
    clock: Callable[[], datetime],
    run: SyncRun | None,
) -> int:
    now = clock()
    with transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(go_create_tried_at=now)
        attempt = open_attempt(
            company=customer.company, operation=Operation.CREATE_CUSTOMER, now=now, run=run, customer=customer
        )
    try:
        made = client.create_customer(draft)
    except PermanentError as error:
        # The reference may be taken because an earlier try worked after all, or the number because somebody was faster.
        found = list(client.customers(reference=draft.reference))
        if not found:
            with transaction.atomic():
                Customer.objects.filter(pk=customer.pk).update(go_create_tried_at=None, attention=error.message)
                close_attempt(
                    attempt,
                    AttemptOutcome.REFUSED,
                    now=clock(),
                    message=error.message,
                    error_code=error_code(error),
                    evidence=error.evidence,
                )
            words = error.evidence.detail or error.message
            told = f"PowerOffice Go refused customer {customer}: {words}"
            raise CustomerProblem(told, code=customer_refusal_code(words)) from error
        made = found[0]
    except RemoteError as error:
        doubt = isinstance(error, InDoubt)
        with transaction.atomic():
            if not doubt:
                Customer.objects.filter(pk=customer.pk).update(go_create_tried_at=None)
            close_attempt(
                attempt,
                AttemptOutcome.IN_DOUBT if doubt else AttemptOutcome.LATER,
                now=clock(),
                message=error.message,
                error_code=error_code(error),
                evidence=error.evidence,
            )
        if doubt:
            raise TemporaryError(
                f"Whether customer {customer} was made is unclear; we look it up.",
                retry_after=settings.GO_ABSENCE_SECONDS,
            ) from error
        raise
    with transaction.atomic():
        store_customers(customer.company, [made])
        go_customer_id = _adopt(customer, made)
        if customer.number is None and made.number is not None:
            # Go chose the number. Somebody may have given it to another customer here meanwhile: then it stays empty.
            taken = Customer.objects.filter(company=customer.company, number=made.number).exists()
            if not taken:
                customer.number = made.number
                customer.go_hash = draft_hash(customer_draft(customer))
                customer.save(update_fields=["number", "go_hash", "search", "updated_at"])
        close_attempt(attempt, AttemptOutcome.DONE, now=clock(), message=f"Customer {made.number} in PowerOffice Go.")
    return go_customer_id


def _update(
    customer: Customer,
    go_customer_id: int,
    draft: CustomerDraft,
    client: PowerOfficeClient,
    *,
    clock: Callable[[], datetime],
    run: SyncRun | None,
) -> None:
    """Bring Go up to date. Setting the same values twice changes nothing, so a doubt is simply tried again."""
    attempt = open_attempt(
        company=customer.company, operation=Operation.UPDATE_CUSTOMER, now=clock(), run=run, customer=customer
    )
    try:
        seen = client.update_customer(go_customer_id, draft)
    except RemoteError as error:
        refused = isinstance(error, PermanentError)
        with transaction.atomic():
            if isinstance(error, NotFound):
                forget_customer(customer)
            close_attempt(
                attempt,
                AttemptOutcome.REFUSED if refused else AttemptOutcome.LATER,
                now=clock(),
                message=error.message,
                error_code=error_code(error),
                evidence=error.evidence,
            )
        if isinstance(error, InDoubt):
            raise TemporaryError(f"Whether customer {customer} was updated is unclear; we do it again.") from error
        if refused:
            words = error.evidence.detail or error.message
            told = f"PowerOffice Go refused the changed data of customer {customer}: {words}"
            raise CustomerProblem(told, code=customer_refusal_code(words)) from error
        raise
    with transaction.atomic():
        store_customers(customer.company, [seen])
        customer.go_hash = draft_hash(draft)
        customer.save(update_fields=["go_hash", "search", "updated_at"])
        close_attempt(attempt, AttemptOutcome.DONE, now=clock())


def forget_customer(customer: Customer) -> None:
    """Go no longer has it: match or create anew next time."""
    if customer.go_customer_id is not None:  # pragma: no branch - only one that Go had is forgotten
        CustomerInGo.objects.filter(company=customer.company, go_customer_id=customer.go_customer_id).delete()
    customer.go_customer_id = None
    customer.go_hash = ""
    customer.save(update_fields=["go_customer_id", "go_hash", "search", "updated_at"])
