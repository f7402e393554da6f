"""A draft that somebody changed in Go: see what differs, accept it as it is, or restore ours.

Restoring takes their draft away and sends ours anew under the next version of its reference: a power cut in between
leaves a draft that is gone, which waits for a person as every vanished one does, and is never sent by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.draft_differences import Difference, OurDraft, OurLine, differences
from integration.decisions.money import amount_text
from integration.decisions.sales_orders import line_reference
from integration.decisions.transitions import DRAFTS
from integration.enums import AttemptOutcome, CompanyState, Operation
from integration.enums import StatementStatus as S
from integration.errors import InDoubt, NotFound, PermanentError, RemoteError
from integration.models import AdminAction, CustomerInGo, InvoiceStatement, ProductInGo
from integration.terms import SalesOrder
from integration.use_cases.attempts import close_attempt, error_code, open_attempt
from integration.use_cases.moves import move
from integration.use_cases.settle_failed import new_life


class DraftRefused(Exception):
    """It cannot be done now. The message says why and what to do; nothing was changed."""


@dataclass(frozen=True)
class DraftLook:
    """A draft as Go has it, and what of it is not as we made it."""

    order: SalesOrder
    differences: tuple[Difference, ...]


def why_not_compared(statement: InvoiceStatement) -> str:
    """In words why there is no draft to compare, or nothing."""
    if statement.status not in DRAFTS:
        return f"{S(statement.status).label}: there is no draft in PowerOffice Go."
    if statement.combined_into:
        return "It is in another draft now: look at that one in PowerOffice Go."
    if statement.company.state != CompanyState.ACTIVE:
        return f"{statement.company} is not active: PowerOffice Go is not asked."
    return ""


def look_at_draft(statement: InvoiceStatement, client: PowerOfficeClient) -> DraftLook:
    """One request. Raises DraftRefused when Go has no such draft, RemoteError."""
    if refusal := why_not_compared(statement):
        raise DraftRefused(refusal)
    try:
        order = client.order_with_lines(statement.go_order_id)
    except NotFound as error:
        raise DraftRefused("PowerOffice Go no longer has this draft: update the status.") from error
    rows = CustomerInGo.objects.filter(company=statement.company, go_customer_id=order.customer_id or 0)
    names = {row.go_customer_id: f"{row.number or ''} {row.name}".strip() for row in rows}
    ours = _ours(statement)
    ids = {each for lines in (ours.lines, order.lines) for line in lines if (each := line.product_id) is not None}
    sold = ProductInGo.objects.filter(company=statement.company, go_product_id__in=ids)
    products = {row.go_product_id: f"{row.code} {row.name}".strip() for row in sold}
    return DraftLook(order, tuple(differences(ours, order, customers=names, products=products)))


def _ours(statement: InvoiceStatement) -> OurDraft:
    lines = list(statement.lines.select_related("product").order_by("line_number"))
    codes = [line.product.code for line in lines if line.product]
    in_go = dict(
        ProductInGo.objects.filter(company=statement.company, code__in=codes).values_list("code", "go_product_id")
    )
    customer = statement.customer
    return OurDraft(
        customer_id=customer.go_customer_id if customer else None,
        customer=str(customer or ""),
        currency=statement.currency,
        order_date=statement.statement_date,
        customer_reference=statement.customer_reference,
        purchase_order_reference=statement.purchase_order_reference,
        contract_number=statement.contract_number,
        total=statement.total,
        lines=[
            OurLine(
                reference=line_reference(statement.reference, line.line_number),
                name=f"Line {line.line_number}",
                description=line.description,
                product_id=in_go.get(line.product.code) if line.product else None,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
            )
            for line in lines
        ],
    )


def _as_seen(statement: InvoiceStatement, look: DraftLook, seen: str) -> None:
    if version_of(look.order) != seen:
        raise DraftRefused("Somebody changed the draft again since you looked. Look again.")
    if statement.send_asked_at is not None:
        raise DraftRefused("It is being sent: wait until that is over.")


def version_of(order: SalesOrder) -> str:
    """Tells whether a draft is still the one that a person saw."""
    return f"{order.last_changed_at:%Y%m%d%H%M%S.%f}" if order.last_changed_at else ""


def accept_draft(
    statement: InvoiceStatement, client: PowerOfficeClient, *, seen: str, user: User, reason: str, now: datetime
) -> None:
    """What Go has is as it should be: it is no longer said to be edited. Raises DraftRefused, RemoteError."""
    look = look_at_draft(statement, client)
    _as_seen(statement, look, seen)
    with transaction.atomic():
        changed = InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status).update(
            go_total=look.order.total,
            go_line_count=look.order.line_count,
            go_last_changed_at=look.order.last_changed_at,
            edits_accepted_at=now,
            attention="",
            attention_code="",
            updated_at=now,
        )
        if not changed:
            raise DraftRefused("Its status changed meanwhile. Look again.")
        _tell(statement, look, "accept_changes_in_go", user, reason, now)


def restore_draft(
    statement: InvoiceStatement,
    client: PowerOfficeClient,
    *,
    seen: str,
    user: User,
    reason: str,
    clock: Callable[[], datetime],
) -> None:
    """Their draft goes, ours is sent anew with the next reference. Raises DraftRefused, RemoteError.

    The caller nudges the workers after commit.
    """
    look = look_at_draft(statement, client)
    _as_seen(statement, look, seen)
    if look.order.locked:
        raise DraftRefused("The draft is locked in PowerOffice Go: unlock it there first.")
    if InvoiceStatement.objects.filter(company=statement.company, combined_into=statement.go_order_id).exists():
        raise DraftRefused(
            "Other statements are in this draft too, and their lines would go with it. Correct it in PowerOffice Go."
        )
    try:
        attempt = open_attempt(
            company=statement.company, operation=Operation.DELETE_ORDER, now=clock(), statement_id=statement.pk
        )
    except IntegrityError as error:
        raise DraftRefused("Something is under way with this statement. Wait a minute.") from error
    try:
        client.delete_order(statement.go_order_id)
    except RemoteError as error:
        doubt = isinstance(error, InDoubt)
        outcome = AttemptOutcome.IN_DOUBT if doubt else AttemptOutcome.LATER
        if isinstance(error, PermanentError):
            outcome = AttemptOutcome.REFUSED
        close_attempt(
            attempt,
            outcome,
            now=clock(),
            message=error.message,
            error_code=error_code(error),
            evidence=error.evidence,
        )
        if doubt:
            raise DraftRefused(
                "Whether PowerOffice Go took its draft away is unclear. Update the status in a minute: either it is "
                "still there, or the link of the statement is broken, from where it can be sent again."
            ) from error
        raise
    now = clock()
    with transaction.atomic(durable=True):
        close_attempt(attempt, AttemptOutcome.DONE, now=now, message=f"Draft no. {look.order.number} taken away.")
        gone = move(
            statement.pk,
            from_status=statement.status,
            to_status=S.LINK_BROKEN,
            now=now,
            reason=f"Draft no. {look.order.number} was taken away, to restore it as we made it",
            user=user,
        )
        if gone:
            move(
                statement.pk,
                from_status=S.LINK_BROKEN,
                to_status=S.PROCESSING,
                now=now,
                reason=reason,
                user=user,
                **new_life(statement),
            )
            _tell(statement, look, "restore_draft", user, reason, now)
    if not gone:
        raise DraftRefused("Its status changed while PowerOffice Go took the draft away. Look at it again.")


def _tell(statement: InvoiceStatement, look: DraftLook, action: str, user: User, reason: str, now: datetime) -> None:
    AdminAction.objects.create(
        company=statement.company,
        user=user,
        at=now,
        action=action,
        statement=statement,
        record=str(statement)[:200],
        before={each.where: each.ours for each in look.differences},
        after={each.where: each.theirs for each in look.differences}
        if action == "accept_changes_in_go"
        else {"total in Go": amount_text(look.order.total, look.order.currency)},
        reason=reason,
    )
