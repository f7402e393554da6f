"""What people do with subscriptions: pause, resume, end. What is upcoming follows in the same moment."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from integration.decisions.subscriptions import LONGEST, Taken, add_months, earliest_end, next_payment
from integration.enums import StatementStatus, SubscriptionAct, SubscriptionState
from integration.models import AdminAction, GoCompany, Subscription, SubscriptionTerm
from integration.use_cases.roll_subscriptions import roll_payers


@dataclass(frozen=True)
class Changed:
    """What an act did, and how many were held back by reason."""

    done: int
    held_back: tuple[tuple[str, int], ...]


def earliest_end_of(subscription: Subscription, today: date) -> date:
    """The earliest day on which it can end when notice is given today: by binding, notice, and its own start."""
    by_terms = earliest_end(
        today=today, binding_until=subscription.binding_until, notice_months=subscription.notice_months
    )
    return max(by_terms, subscription.first_date)


def recent_terms(today: date) -> QuerySet[SubscriptionTerm]:
    """The terms that say when the next payment is: of the longest interval, with the statement's status."""
    return SubscriptionTerm.objects.filter(date__gt=add_months(today, -LONGEST - 1)).select_related("bill__statement")


def next_payment_of(subscription: Subscription, terms: Iterable[SubscriptionTerm], today: date) -> date | None:
    """The day of the next payment: one that is upcoming, or the next that will be made; None: there is none."""
    kept = list(terms)
    upcoming = [
        term.date for term in kept if term.date >= today and term.bill.statement.status == StatementStatus.UPCOMING
    ]
    if subscription.state == SubscriptionState.ACTIVE:
        taken = [Taken(term.month, term.months) for term in kept]
        coming = next_payment(subscription.schedule(), taken, today=today)
        upcoming += [coming] if coming is not None else []
    return min(upcoming, default=None)


def why_not(act: SubscriptionAct, subscription: Subscription, today: date, ends_on: date | None = None) -> str:
    """In words why this act is not possible now, or nothing. `ends_on`: the last day that somebody wants."""
    if subscription.has_ended(today):
        return "has ended"
    paused = subscription.state == SubscriptionState.PAUSED
    if act == SubscriptionAct.PAUSE:
        return "is paused already" if paused else ""
    if act == SubscriptionAct.RESUME:
        return "" if paused or subscription.ends_on is not None else "is neither paused nor about to end"
    earliest = earliest_end_of(subscription, today)
    if ends_on is not None and ends_on < earliest:
        return f"cannot end before {date_format(earliest)}, by its binding and notice"
    return ""


def carry_out(
    act: SubscriptionAct,
    subscriptions: QuerySet[Subscription],
    *,
    user: User,
    now: datetime,
    reason: str,
    ends_on: date | None = None,
) -> Changed:
    """Do it, write down who and why, and bring what is upcoming up to date; all in one transaction."""
    today = timezone.localdate(now)
    done, held_back = 0, Counter[str]()
    payers: dict[int, set[int]] = {}
    with transaction.atomic():
        for subscription in subscriptions.order_by("pk").select_for_update(of=("self",)):
            if refusal := why_not(act, subscription, today, ends_on):
                held_back[refusal] += 1
                continue
            values = _values(act, subscription, today, ends_on)
            before = {name: _plain(getattr(subscription, name)) for name in values}
            for name, value in values.items():
                setattr(subscription, name, value)
            subscription.save(update_fields=[*values, "updated_at"])
            AdminAction.objects.create(
                company_id=subscription.company_id,
                user=user,
                at=now,
                action=act.value,
                record=str(subscription)[:200],
                before=before,
                after={name: _plain(value) for name, value in values.items()},
                reason=reason,
            )
            payers.setdefault(subscription.company_id, set()).add(subscription.payer_id)
            done += 1
        for company_id, theirs in payers.items():
            roll_payers(GoCompany.objects.get(pk=company_id), theirs, now)
    return Changed(done, tuple(held_back.most_common()))


def _values(act: SubscriptionAct, subscription: Subscription, today: date, ends_on: date | None) -> dict[str, Any]:
    if act == SubscriptionAct.PAUSE:
        return {"state": SubscriptionState.PAUSED}
    if act == SubscriptionAct.END:
        return {"ends_on": ends_on or earliest_end_of(subscription, today)}
    if subscription.state == SubscriptionState.PAUSED:
        return {"state": SubscriptionState.ACTIVE, "resumed_on": today}
    return {"ends_on": None}


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def follow(company: GoCompany, payer_ids: Collection[int], now: datetime) -> None:
    """Bring what is upcoming for these payers up to date: a subscription, or the way they pay, has changed."""
    paying = set(Subscription.objects.filter(payer__in=payer_ids).values_list("payer", flat=True))
    paying |= set(Subscription.objects.filter(holder__in=payer_ids).values_list("payer", flat=True))
    if paying:
        roll_payers(company, paying, now)
