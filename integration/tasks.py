"""Celery entry points: a few lines each. The table is the queue; a lost or doubled message changes nothing."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from integration import remotes
from integration.enums import RunTrigger
from integration.use_cases import import_upload
from integration.use_cases import roll_subscriptions as subscriptions
from integration.use_cases import run_cycle as cycles


@shared_task
def start_cycles(**_: Any) -> None:
    """Every 15 minutes: a whole cycle for each company."""
    for company_id in cycles.companies_to_cycle():
        run_company_cycle.delay(company_id=company_id, trigger=RunTrigger.SCHEDULE.value)


@shared_task
def sweep(**_: Any) -> None:
    """Every few seconds: pick up what was missed."""
    for company_id in cycles.sweep(timezone.now()):
        run_company_cycle.delay(company_id=company_id, trigger=RunTrigger.SWEEP.value)
    for key in import_upload.waiting_uploads(timezone.now()):
        work_on_upload.delay(key=str(key))


@shared_task
def work_on_upload(*, key: str, **_: Any) -> None:
    """One turn of work on a large spreadsheet; when more is left, to the back of the row."""
    if import_upload.work_on(UUID(key), clock=timezone.now):
        work_on_upload.delay(key=key)


@shared_task
def run_company_cycle(
    *, company_id: int, trigger: str = RunTrigger.SCHEDULE.value, run_id: int | None = None, **_: Any
) -> None:
    """One turn for one company; when more is left, to the back of the row."""
    turn = cycles.run_cycle(
        company_id,
        client_for=remotes.go_client,
        clock=timezone.now,
        trigger=RunTrigger(trigger),
        run_id=run_id,
    )
    if turn.goes_on:
        run_company_cycle.delay(company_id=company_id, trigger=trigger, run_id=turn.run_id)


@shared_task
def roll_subscriptions(**_: Any) -> None:
    """Every night: the upcoming statements of subscriptions, for each company."""
    for company_id in subscriptions.companies_to_roll():
        roll_company_subscriptions.delay(company_id=company_id)


@shared_task
def roll_company_subscriptions(*, company_id: int, after: int = 0, **_: Any) -> None:
    """One portion of a company's payers; when more are left, to the back of the row."""
    _counts, left = subscriptions.roll_company(company_id, clock=timezone.now, after=after, keep_going=lambda: False)
    if left is not None:
        roll_company_subscriptions.delay(company_id=company_id, after=left)
