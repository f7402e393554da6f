"""Payments by hand: what a person knows and PowerOffice Go does not (reference/wondr.md R14, R15; design §3).

The statement stops following Go; what Go says is still recorded beside it. *Follow PowerOffice again* undoes it. Above
the company's limit a payment waits until a second person approves, however long that takes. The statement's row is
held from the last look to the last write, so two people never pay the same kroner twice.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from accounts.models import User
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.decisions.by_hand import amount_problem, date_problem, in_kroner, needs_second_person, open_in_go
from integration.decisions.money import amount_text
from integration.enums import (
    ByHandAction,
    HandPaymentMethod,
    HandPaymentState,
    LineKind,
    Part,
    StatementKind,
    StatementStatus,
)
from integration.errors import RemoteError
from integration.models import AdminAction, GoCompany, HandPayment, InvoiceStatement, StatementLine, StatementMove
from integration.models.hand_payment import COUNTS_OR_WAITS
from integration.use_cases.money_of_invoices import Share, share_of_each
from integration.use_cases.moves import move
from integration.use_cases.pull_statuses import GONE, refresh_statuses
from integration.use_cases.review_statements import NAMED, Report

logger = logging.getLogger(__name__)

S = StatementStatus

PAYABLE: Final = frozenset({S.SENT, S.PARTLY_PAID, S.LINK_BROKEN})
"""Where money may come that Go does not know of. A draft that lives there could still be sent, and paid twice (R11)."""

WHY_NOT: Final[dict[StatementStatus, str]] = {
    **dict.fromkeys(
        (S.UPCOMING, S.PROCESSING, S.NEEDS_FIX), "not in PowerOffice Go yet: withdraw it if it was paid in another way"
    ),
    **dict.fromkeys((S.PUSHING, S.IN_DOUBT), "being transferred: wait until it has arrived"),
    **dict.fromkeys(
        (S.DRAFT, S.CONFIRMED), "its draft could still be sent and paid twice: delete it in PowerOffice Go first"
    ),
    S.PAID: "paid already",
    S.CANCELLED: "it was cancelled in PowerOffice Go: take another payment method instead",
    S.WRITTEN_OFF: "written off in PowerOffice Go: enter the payment there",
}

NOT_CANCELLED: Final[dict[StatementStatus, str]] = {
    **dict.fromkeys(
        (S.DRAFT, S.CONFIRMED, S.SENT, S.PARTLY_PAID, S.PAID, S.WRITTEN_OFF),
        "it stands in PowerOffice Go: cancel it there first",
    ),
    S.LINK_BROKEN: "what became of its draft is not known: settle that first",
}

PAYMENT_WAITS: Final = "a payment by hand already waits for a second person"

MOST: Final = 100
"""So many statements in one go: each has its own amount to look at."""


class PaymentRefused(Exception):
    """What was asked for is not possible; nothing was saved. The message is for the bookkeeper."""


@dataclass(frozen=True)
class Given:
    """What a person says about a payment. `amounts` by statement, incl. VAT in its currency; missing: all of it."""

    paid_on: date
    method: HandPaymentMethod
    reason: str
    amounts: Mapping[int, Decimal]
    invoice_number: int | None = None


@dataclass(frozen=True)
class PaymentPlan:
    """Which statements can be marked as paid, each with what is open; `held_back` counts by reason, `named` a few."""

    ready: tuple[tuple[InvoiceStatement, Decimal], ...]
    held_back: tuple[tuple[str, int], ...]
    named: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class PaymentReport:
    """What marking did."""

    paid: int
    waiting: int
    held_back: tuple[tuple[str, int], ...]


SHARE: Final = "share_of_invoice"
"""Where a statement carries its share, once `look_up_shares` looked it up among many."""


def read(statements: QuerySet[InvoiceStatement], *, hold: bool = False) -> list[InvoiceStatement]:
    """Statements with what is known of their money. `hold`: until the end of the transaction nobody changes them."""
    rows = (
        InvoiceStatement.objects.filter(pk__in=statements.order_by().values("pk"))
        .order_by("pk")
        .select_related("company", "customer", "outgoing_invoice")
        .annotate(has_products=Exists(StatementLine.objects.filter(statement=OuterRef("pk"), kind=LineKind.PRODUCT)))
        .prefetch_related(
            Prefetch("hand_payments", HandPayment.objects.filter(state__in=COUNTS_OR_WAITS).order_by("pk"))
        )
    )
    found: list[InvoiceStatement] = list(rows.select_for_update(of=("self",)) if hold else rows)
    look_up_shares(found)
    return found


def look_up_shares(statements: Sequence[InvoiceStatement]) -> None:
    """Put its share of its invoice beside each of these, so that nobody asks for one at a time."""
    shares = share_of_each(statements)
    for statement in statements:
        setattr(statement, SHARE, shares.get(statement.pk))


def share_of(statement: InvoiceStatement) -> Share | None:
    """What it has of its invoice: as `look_up_shares` found it, or asked for now."""
    if not hasattr(statement, SHARE):
        return share_of_each([statement]).get(statement.pk)
    share: Share | None = getattr(statement, SHARE)
    return share


def in_force(statement: InvoiceStatement) -> list[HandPayment]:
    """The payments by hand that count, oldest first."""
    return [each for each in statement.hand_payments.all() if each.state == HandPaymentState.IN_FORCE]


def open_amount(statement: InvoiceStatement) -> Decimal:
    """What is open, incl. VAT in the statement's currency: by the last payment by hand, never more than Go says.

    Of a combined invoice that is the statement's own share.
    """
    left, invoice = statement.total, statement.outgoing_invoice
    if invoice is not None and statement.status != S.CANCELLED:  # of a cancelled one Go says nothing is open
        share = share_of(statement)
        left = open_in_go(
            total=statement.total,
            currency=statement.currency,
            invoice_total=invoice.total,
            posted=invoice.total_posted,
            balance=share.parts[Part.OPEN] if share is not None and share.combined else invoice.balance,
        )
    if not statement.follows_go and (paid := in_force(statement)):
        left = min(left, paid[-1].open_before - paid[-1].amount)
    return left


def why_not_pay(statement: InvoiceStatement, *, approving: bool = False) -> str:
    """In words why it cannot be marked as paid by hand now, or nothing."""
    status = S(statement.status)
    if statement.kind == StatementKind.CREDIT_NOTE:
        return "a credit note: it is settled in PowerOffice Go"
    if status not in PAYABLE:
        return WHY_NOT.get(status, f"not possible while it is “{status.label}”")
    if not approving and payment_waits(statement):
        return PAYMENT_WAITS
    return "" if open_amount(statement) > 0 else "nothing is open"


def why_not_settle(statement: InvoiceStatement, *, approving: bool = False) -> str:
    """In words why no other payment method can be taken for it now, or nothing (R9, R11)."""
    status = S(statement.status)
    if statement.kind == StatementKind.CREDIT_NOTE:
        return "a credit note: it is settled in PowerOffice Go"
    if status != S.CANCELLED:
        return NOT_CANCELLED.get(status, f"not possible while it is “{status.label}”")
    if not approving and payment_waits(statement):
        return PAYMENT_WAITS
    return "" if statement.total > 0 else "nothing is owed on it"


def payment_waits(statement: InvoiceStatement) -> bool:
    """Whether a payment by hand of it waits for a second person."""
    return any(each.state == HandPaymentState.WAITING for each in statement.hand_payments.all())


def why_not_follow(statement: InvoiceStatement) -> str:
    """In words why it cannot follow Go again, or nothing."""
    return "it follows PowerOffice Go already" if statement.follows_go else ""


def plan(statements: QuerySet[InvoiceStatement], why_not: Callable[[InvoiceStatement], str]) -> PaymentPlan:
    """Which of these statements are ready. Changes nothing."""
    ready: list[tuple[InvoiceStatement, Decimal]] = []
    held_back: Counter[str] = Counter()
    named: dict[str, tuple[str, ...]] = {}
    for statement in read(statements):
        if refusal := why_not(statement):
            held_back[refusal] += 1
            if held_back[refusal] <= NAMED:
                named[refusal] = (*named.get(refusal, ()), statement.source_id)
        else:
            ready.append((statement, open_amount(statement)))
    return PaymentPlan(tuple(ready), tuple(held_back.most_common()), named)


def lock_dates(
    companies: Iterable[GoCompany], client_for: Callable[[GoCompany], PowerOfficeClient]
) -> tuple[dict[int, date], list[GoCompany]]:
    """By company the day up to which its books are locked, and the companies that could not be asked. One request each.

    A payment by hand is posted nowhere in Go, so one whose lock date nobody can tell is not held back.
    """
    known: dict[int, date] = {}
    unknown = []
    for company in companies:
        try:
            until = client_for(company).lock_date()
        except RemoteError:
            logger.info("%s: the lock date cannot be read.", company, exc_info=True)
            unknown.append(company)
            continue
        if until is not None:
            known[company.pk] = until
    return known, unknown


def mark_paid(
    statements: QuerySet[InvoiceStatement],
    given: Given,
    *,
    user: User,
    now: datetime,
    today: date,
    action: ByHandAction = ByHandAction.MARK_PAID,
    why_not: Callable[[InvoiceStatement], str] = why_not_pay,
    locked: Mapping[int, date] = MappingProxyType({}),
) -> PaymentReport:
    """Record a payment by hand on each statement. Raises PaymentRefused: then nothing at all was saved.

    `locked`: by company the day up to which its books in Go are locked, where that is known (`lock_dates`).

    A failed payment is settled otherwise with it, in the whole (`why_not_settle`, and nothing in `given.amounts`).

    The limit is for all that one person marks in one go in a company, together with what was marked without a second
    person on the same statements before: a payment split in two is still one.
    """
    if problem := date_problem(given.paid_on, today) or reason_problem(given.reason):
        raise PaymentRefused(problem)
    held_back: Counter[str] = Counter()
    payments: dict[GoCompany, list[HandPayment]] = defaultdict(list)
    with transaction.atomic():
        for statement in read(statements, hold=True):
            if refusal := why_not(statement):
                held_back[refusal] += 1
                continue
            if (until := locked.get(statement.company_id)) and given.paid_on <= until:
                raise PaymentRefused(
                    f"The books of {statement.company} are locked in PowerOffice Go until {until:%d.%m.%Y}: choose a "
                    "later day. Nothing was saved."
                )
            left = open_amount(statement)
            amount = given.amounts.get(statement.pk, left)
            if problem := amount_problem(amount, left, statement.currency):
                raise PaymentRefused(f"{statement.source_id}: {problem} Nothing was saved.")
            payments[statement.company].append(
                HandPayment(
                    statement=statement,
                    amount=amount,
                    open_before=left,
                    paid_on=given.paid_on,
                    method=given.method,
                    reason=given.reason,
                    invoice_number=given.invoice_number,
                    status_before=statement.status,
                    asked_by=user,
                    asked_at=now,
                )
            )
        waiting = paid = 0
        for company, asked in payments.items():
            waits = needs_second_person(_unseen_kroner(asked), company.by_hand_limit)
            for payment in asked:
                payment.needs_approval = waits
                payment.state = HandPaymentState.WAITING if waits else HandPaymentState.IN_FORCE
                payment.save()
                before = {"status": payment.statement.status}
                if not waits:
                    _apply(payment, user=user, now=now)
                write_down(action, payment.statement, before, told(payment), user, now, reason=given.reason)
            waiting += len(asked) if waits else 0
            paid += 0 if waits else len(asked)
    return PaymentReport(paid, waiting, tuple(held_back.most_common()))


def reason_problem(reason: str) -> str:
    """That a reason is missing, or nothing."""
    return "" if reason.strip() else "Say why: whoever looks at this statement next year wants to know."


def _unseen_kroner(asked: list[HandPayment]) -> Decimal | None:
    """What one person alone would have marked as paid, in kroner; None when nobody can tell."""
    parts = list(asked)
    for payment in asked:
        parts += [each for each in in_force(payment.statement) if each.approved_by_id is None]
    kroner = [_kroner(each.amount, each.statement) for each in parts]
    return None if None in kroner else sum((each for each in kroner if each is not None), Decimal(0))


def _kroner(amount: Decimal, statement: InvoiceStatement) -> Decimal | None:
    invoice = statement.outgoing_invoice
    return in_kroner(
        amount,
        statement.currency,
        invoice_total=invoice.total if invoice else None,
        posted=invoice.total_posted if invoice else None,
    )


def told(payment: HandPayment) -> dict[str, Any]:
    """A payment in words, for the log book."""
    said = {
        "payment by hand": amount_text(payment.amount, payment.statement.currency),
        "paid on": f"{payment.paid_on:%d.%m.%Y}",
        "method": HandPaymentMethod(payment.method).label,
        "state": HandPaymentState(payment.state).label,
    }
    return said if payment.invoice_number is None else {**said, "combined invoice": str(payment.invoice_number)}


def _apply(payment: HandPayment, *, user: User, now: datetime) -> None:
    """The payment counts: the statement stops following Go. Its row is held."""
    statement = payment.statement
    to_status = S.PAID if payment.amount == payment.open_before else S.PARTLY_PAID
    fields: dict[str, Any] = {"follows_go": False}
    if statement.status == S.CANCELLED:
        to_status, fields = S.SETTLED_OTHERWISE, {}  # the end: nothing in Go leads on from there
    if statement.attention_code in GONE:  # that the draft is gone is settled; undoing says it again
        fields["attention"] = fields["attention_code"] = ""
    words = (
        f"By hand: {amount_text(payment.amount, statement.currency)} paid {payment.paid_on:%d.%m.%Y}, "
        f"{HandPaymentMethod(payment.method).label}. {payment.reason}"
    )
    _set(statement, to_status, user=user, now=now, reason=words, **fields)


def _set(
    statement: InvoiceStatement, to_status: StatementStatus, *, user: User, now: datetime, reason: str, **fields: Any
) -> None:
    """Move a statement whose row is held, or only set its fields when it is there already."""
    if statement.status == to_status:
        InvoiceStatement.objects.filter(pk=statement.pk).update(updated_at=now, **fields)
    else:
        move(
            statement.pk, from_status=statement.status, to_status=to_status, now=now, reason=reason, user=user, **fields
        )


def write_down(
    action: ByHandAction,
    statement: InvoiceStatement,
    before: dict[str, Any],
    after: dict[str, Any],
    user: User,
    now: datetime,
    *,
    reason: str,
) -> None:
    """One entry in the log book, with the status as it is now."""
    status = InvoiceStatement.objects.values_list("status", flat=True).get(pk=statement.pk)
    AdminAction.objects.create(
        company=statement.company,
        user=user,
        at=now,
        action=action.value,
        statement=statement,
        record=str(statement)[:200],
        before=before,
        after={"status": status, **after},
        reason=reason,
    )


def follow_go(statements: QuerySet[InvoiceStatement], *, user: User, now: datetime, reason: str) -> Report:
    """Undo what was set by hand: the status is at once what Go's invoice, as last seen, says.

    Without an invoice it is again what it was before the first payment by hand.
    """
    if problem := reason_problem(reason):
        raise PaymentRefused(problem)
    held_back: Counter[str] = Counter()
    done = 0
    with transaction.atomic():
        for statement in read(statements, hold=True):
            if refusal := why_not_follow(statement):
                held_back[refusal] += 1
                continue
            payments = in_force(statement)
            HandPayment.objects.filter(pk__in=[each.pk for each in payments]).update(
                state=HandPaymentState.UNDONE, ended_by=user, ended_at=now, end_reason=reason, updated_at=now
            )
            if statement.outgoing_invoice is not None:
                InvoiceStatement.objects.filter(pk=statement.pk).update(follows_go=True, updated_at=now)
                refresh_statuses(statement.company, [statement.outgoing_invoice.go_invoice_id], now)
            else:
                before = S(payments[0].status_before) if payments else S(statement.status)
                fields = {"follows_go": True, **_said_before(statement, before)}
                _set(statement, before, user=user, now=now, reason=reason, **fields)
            write_down(
                ByHandAction.FOLLOW_GO,
                statement,
                {"status": statement.status, "follows": "set by hand"},
                {"follows": "PowerOffice Go"},
                user,
                now,
                reason=reason,
            )
            done += 1
    return Report(done, tuple(held_back.most_common()))


def _said_before(statement: InvoiceStatement, status: StatementStatus) -> dict[str, str]:
    """What a person must know again when a statement is back at *Link broken*: as the trail has it."""
    if status != S.LINK_BROKEN:
        return {}
    moves = StatementMove.objects.filter(statement=statement, to_status=status, user=None)
    broke = moves.order_by("-at", "-pk").first()
    return {
        "attention": broke.reason if broke else "The draft is gone from PowerOffice Go.",
        "attention_code": "COMBINED" if statement.proposal else "VANISHED",
    }


# --- The second person --------------------------------------------------------------------------------------------


def why_not_decide(action: ByHandAction, payment: HandPayment, user: User) -> str:
    """In words why this person cannot approve, refuse or take back this payment now, or nothing."""
    state = HandPaymentState(payment.state)
    if state != HandPaymentState.WAITING:
        return f"{state.label.lower()}: nothing waits"
    own = payment.asked_by_id == user.pk
    if action is ByHandAction.TAKE_BACK:
        return "" if own else "only whoever asked takes it back: refuse it instead"
    if own:
        return "you asked for it yourself: a second person decides"
    if action is ByHandAction.REFUSE:
        return ""
    statement = payment.statement
    why_not = why_not_settle if S.CANCELLED in (statement.status, payment.status_before) else why_not_pay
    if refusal := why_not(statement, approving=True):
        return refusal
    return amount_problem(payment.amount, open_amount(statement), statement.currency).rstrip(".")


def decide(
    action: ByHandAction, payments: QuerySet[HandPayment], *, user: User, now: datetime, reason: str = ""
) -> Report:
    """Approve, refuse or take back what waits. Raises PaymentRefused when a reason is missing: nothing was saved."""
    if action is not ByHandAction.APPROVE and (problem := reason_problem(reason)):
        raise PaymentRefused(problem)
    held_back: Counter[str] = Counter()
    done = 0
    with transaction.atomic():
        statements = InvoiceStatement.objects.filter(pk__in=payments.order_by().values("statement"))
        held = {statement.pk: statement for statement in read(statements, hold=True)}
        for payment in payments.select_related(None).order_by("pk"):
            payment.statement = held[payment.statement_id]
            if refusal := why_not_decide(action, payment, user):
                held_back[refusal] += 1
                continue
            before = {"status": payment.statement.status, "state": HandPaymentState(payment.state).label}
            if action is ByHandAction.APPROVE:
                payment.state = HandPaymentState.IN_FORCE
                payment.approved_by, payment.approved_at = user, now
                payment.open_before = open_amount(payment.statement)
                payment.status_before = payment.statement.status
                payment.save()
                _apply(payment, user=user, now=now)
            else:
                refused = action is ByHandAction.REFUSE
                payment.state = HandPaymentState.REFUSED if refused else HandPaymentState.TAKEN_BACK
                payment.ended_by, payment.ended_at, payment.end_reason = user, now, reason
                payment.save()
            write_down(action, payment.statement, before, told(payment), user, now, reason=reason)
            done += 1
    return Report(done, tuple(held_back.most_common()))
