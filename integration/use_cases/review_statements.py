"""What people do with statements: push, activate, hold, withdraw, push again.

Each act is first a plan (what will change, what is held back and why) and then carried out in one transaction,
with who and why written beside it. A statement that the machines took meanwhile is held back, never fought over.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from accounts.models import User
from integration.decisions.sales_orders import statement_reference
from integration.decisions.transitions import DRAFTS
from integration.enums import CompanyState, LineKind, ReviewAction, StatementStatus
from integration.models import AdminAction, InvoiceStatement
from integration.use_cases.invoice_receivers import REFUSAL, lacks_receiver
from integration.use_cases.moves import move
from integration.use_cases.push_statements import REFERENCE_TAKEN
from integration.use_cases.send_invoices import SEND_FAILED
from integration.use_cases.settle_doubts import COMBINED_UNSEEN, OTHER_ORDER

S = StatementStatus


@dataclass(frozen=True)
class Rule:
    """From which states an act leads where. `keeps` may stay where it is: only its next try is brought forward."""

    verb: str
    from_statuses: frozenset[StatementStatus]
    to_status: StatementStatus
    keeps: frozenset[StatementStatus] = frozenset()


RULES: Final[dict[ReviewAction, Rule]] = {
    ReviewAction.PUSH: Rule("queued", frozenset({S.UPCOMING, S.NEEDS_FIX}), S.PROCESSING, frozenset({S.PROCESSING})),
    ReviewAction.ACTIVATE: Rule("activated", frozenset({S.UPCOMING}), S.PROCESSING),
    ReviewAction.HOLD: Rule("put on hold", frozenset({S.PROCESSING}), S.UPCOMING, frozenset({S.UPCOMING})),
    ReviewAction.WITHDRAW: Rule("withdrawn", frozenset({S.UPCOMING, S.PROCESSING, S.NEEDS_FIX}), S.VOID),
    ReviewAction.RELEASE: Rule("queued", frozenset({S.NEEDS_FIX}), S.PROCESSING),
    ReviewAction.SEND: Rule("being sent", frozenset(), S.SENT, DRAFTS),
}


NAMED: Final = 10
"""How many statements are named; more are only counted."""

LOOK_FIRST: Final = frozenset({OTHER_ORDER, COMBINED_UNSEEN})
"""Go had something of these when we last looked: pushing again means looking again, never sending at once."""


@dataclass(frozen=True)
class Plan:
    """What an act would do. `sums` are totals incl. VAT per currency of what is ready; `held_back` counts by reason."""

    action: ReviewAction
    ready: tuple[int, ...]
    sums: tuple[tuple[str, Decimal], ...]
    held_back: tuple[tuple[str, int], ...]
    named: Mapping[str, tuple[str, ...]]
    """By reason the first few that are held back."""


@dataclass(frozen=True)
class Report:
    """What an act did."""

    done: int
    held_back: tuple[tuple[str, int], ...]
    companies: tuple[int, ...] = ()


def _has_product_lines(statement: InvoiceStatement) -> bool:
    counted = getattr(statement, "line_count", None)  # from `asked_at_once`
    return bool(counted) if counted is not None else statement.lines.filter(kind=LineKind.PRODUCT).exists()


def _lacks_receiver(statement: InvoiceStatement) -> bool:
    asked = getattr(statement, "without_receiver", None)  # from `asked_at_once`
    if asked is None:
        asked = InvoiceStatement.objects.filter(lacks_receiver(), pk=statement.pk).exists()
    return bool(asked)


def why_not(action: ReviewAction, statement: InvoiceStatement) -> str:
    """In words why this act is not possible now, or nothing."""
    rule = RULES[action]
    status = StatementStatus(statement.status)
    if status not in rule.from_statuses | rule.keeps:
        return f"not possible while it is “{status.label}”"
    if action is ReviewAction.HOLD and status == S.UPCOMING and statement.held:
        return "already on hold"
    if action is ReviewAction.SEND:
        return _why_not_sent(statement)
    if rule.to_status == S.PROCESSING:
        if statement.customer_id is None:
            return "no customer"
        if not _has_product_lines(statement):
            return "no product lines"
        if status == S.UPCOMING and _lacks_receiver(statement):
            return REFUSAL
        if statement.company.state in {CompanyState.SETUP, CompanyState.OFF}:
            return f"{statement.company} is not active"
    return ""


def _why_not_sent(statement: InvoiceStatement) -> str:
    if statement.combined_into:
        return "it is in another draft now: send that one"
    if statement.send_asked_at is not None:
        return "is being sent already"
    if statement.missing_since is not None:
        return "the draft was not found in PowerOffice Go: update the status first"
    if statement.attention and statement.attention_code != SEND_FAILED:
        return "something is said about it: look at that first"
    if statement.company.state != CompanyState.ACTIVE:
        return f"{statement.company} is not active"
    if statement.company.may_send_invoices is False:
        return (
            f"PowerOffice Go lets nobody send from outside for {statement.company}; "
            "when it does, test the connection once"
        )
    return ""


def asked_at_once(statements: QuerySet[InvoiceStatement]) -> QuerySet[InvoiceStatement]:
    """With all that `why_not` asks, so that it asks nothing more for each."""
    return statements.select_related("company").annotate(
        line_count=Count("lines", filter=Q(lines__kind=LineKind.PRODUCT)),
        without_receiver=ExpressionWrapper(lacks_receiver(), BooleanField()),
    )


def _rows(statements: QuerySet[InvoiceStatement]) -> Iterable[InvoiceStatement]:
    return asked_at_once(statements).order_by("pk").iterator(chunk_size=500)


def plan(action: ReviewAction, statements: QuerySet[InvoiceStatement]) -> Plan:
    """What would happen now. Changes nothing."""
    ready: list[int] = []
    sums: dict[str, Decimal] = defaultdict(Decimal)
    held_back: Counter[str] = Counter()
    named: dict[str, tuple[str, ...]] = {}
    for statement in _rows(statements):
        reason = why_not(action, statement)
        if reason:
            held_back[reason] += 1
            if held_back[reason] <= NAMED:
                named[reason] = (*named.get(reason, ()), statement.source_id)
        else:
            ready.append(statement.pk)
            sums[statement.currency] += statement.total
    return Plan(action, tuple(ready), tuple(sorted(sums.items())), tuple(held_back.most_common()), named)


def carry_out(
    action: ReviewAction,
    statements: QuerySet[InvoiceStatement],
    *,
    user: User,
    now: datetime,
    reason: str = "",
) -> Report:
    """Do it. The caller nudges the workers of `companies` after commit.

    The table is the queue: a lost nudge is harmless.
    """
    rule = RULES[action]
    done = 0
    held_back: Counter[str] = Counter()
    companies: set[int] = set()
    with transaction.atomic():
        for statement in list(_rows(statements)):
            refusal = why_not(action, statement)
            if not refusal and not _act(action, rule, statement, user=user, now=now, reason=reason):
                refusal = "changed by somebody else meanwhile"
            if refusal:
                held_back[refusal] += 1
                continue
            done += 1
            companies.add(statement.company_id)
            AdminAction.objects.create(
                company=statement.company,
                user=user,
                at=now,
                action=action.value,
                statement=statement,
                record=str(statement)[:200],
                before={"status": statement.status},
                after={"status": InvoiceStatement.objects.values_list("status", flat=True).get(pk=statement.pk)},
                reason=reason,
            )
    return Report(done, tuple(held_back.most_common()), tuple(sorted(companies)))


def _act(
    action: ReviewAction, rule: Rule, statement: InvoiceStatement, *, user: User, now: datetime, reason: str
) -> bool:
    if action is ReviewAction.SEND:
        asked = {"send_asked_at": now, "attention": "", "attention_code": "", "updated_at": now}
        not_yet = InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status, send_asked_at__isnull=True)
        return bool(not_yet.update(**asked))
    fields: dict[str, Any] = {"held": action is ReviewAction.HOLD}
    if rule.to_status == S.PROCESSING:
        fields |= {"next_try_at": None, "tries": 0, "attention": "", "attention_code": ""}
        if statement.attention_code == REFERENCE_TAKEN:
            version = statement.reference_version + 1
            fields["reference_version"] = version
            fields["reference"] = statement_reference(statement.source, statement.source_id, version)
    to_status = rule.to_status
    if to_status == S.PROCESSING and statement.attention_code in LOOK_FIRST:
        to_status = S.IN_DOUBT
        fields["doubt_since"] = now
    if statement.status in rule.keeps:
        return bool(
            InvoiceStatement.objects.filter(pk=statement.pk, status=statement.status).update(updated_at=now, **fields)
        )
    return move(
        statement.pk,
        from_status=statement.status,
        to_status=to_status,
        now=now,
        reason=reason or f"{action.label} by {user}",
        user=user,
        **fields,
    )
