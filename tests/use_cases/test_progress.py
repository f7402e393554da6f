"""Done, left, about when."""

from datetime import timedelta

import pytest

from integration.enums import AttemptOutcome, Operation, RunOutcome, StatementStatus
from integration.models import GoCompany, SyncRun
from integration.use_cases.progress import Progress, progress, progress_of
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW


def minutes_ago(minutes: int) -> object:
    return NOW - timedelta(minutes=minutes)


def run(company: GoCompany, minutes: int, outcome: str = "") -> SyncRun:
    ended = NOW - timedelta(minutes=minutes - 1) if outcome else None
    return factories.run(company, started_at=minutes_ago(minutes), ended_at=ended, outcome=outcome)


def pushed(company: GoCompany, minutes: int, outcome: str = AttemptOutcome.DONE, **fields: object) -> None:
    factories.attempt(company, started_at=minutes_ago(minutes), ended_at=NOW, outcome=outcome, **fields)


def test_batch_counts_from_the_first_run_after_the_last_finished_one() -> None:
    company = factories.go_company()
    run(company, 60, RunOutcome.DONE)
    pushed(company, 60)
    run(company, 20, RunOutcome.PARTLY)
    pushed(company, 19)
    run(company, 10)
    pushed(company, 9, AttemptOutcome.FOUND)
    pushed(company, 9, AttemptOutcome.REFUSED)
    pushed(company, 9, operation=Operation.PULL)
    for status in (StatementStatus.PROCESSING, StatementStatus.PUSHING, StatementStatus.IN_DOUBT):
        factories.statement(company, status=status)
    factories.statement(company, status=StatementStatus.PROCESSING, next_try_at=NOW + timedelta(minutes=5))
    factories.statement(company, status=StatementStatus.UPCOMING)
    found = progress(company, NOW)
    assert found == Progress(done=2, left=3, about_ready_at=NOW + timedelta(minutes=30))
    assert found is not None
    assert found.percent == 40


def test_nothing_waits_no_progress() -> None:
    company = factories.go_company()
    run(company, 10)
    pushed(company, 9)
    factories.statement(company, status=StatementStatus.DRAFT)
    assert progress(company, NOW) is None


@pytest.mark.parametrize("has_begun", [True, False])
def test_before_anything_is_done_nobody_knows_when(has_begun: bool) -> None:
    company = factories.go_company()
    if has_begun:
        run(company, 1)
    factories.statement(company, status=StatementStatus.PROCESSING, next_try_at=NOW)
    assert progress(company, NOW) == Progress(done=0, left=1, about_ready_at=None)


def test_companies_do_not_mix_and_cost_three_queries(django_assert_num_queries: object) -> None:
    first, second = factories.go_company(), factories.go_company()
    for company, done in ((first, 1), (second, 3)):
        run(company, 10)
        for _ in range(done):
            pushed(company, 5)
        factories.statement(company, status=StatementStatus.PROCESSING)
    with django_assert_num_queries(3):  # type: ignore[operator]
        found = progress_of([first.pk, second.pk], NOW)
    assert {key: (value.done, value.left) for key, value in found.items()} == {first.pk: (1, 1), second.pk: (3, 1)}
    assert list(progress_of([first.pk], NOW)) == [first.pk]
