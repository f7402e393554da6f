"""How things look."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from integration.admin import display
from integration.admin.fields import AmountField, FigureField, PercentField
from integration.enums import AttemptOutcome, CompanyState, RunOutcome, StatementStatus

START = datetime(2026, 7, 2, 22, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [
        (Decimal("1234.5"), "", "1\u202f234,50"),
        (Decimal("1234567.89"), "NOK", "1\u202f234\u202f567,89\xa0NOK"),
        (Decimal("-0.5"), "EUR", "-0,50\xa0EUR"),
        (Decimal("-0.00"), "NOK", "0,00\xa0NOK"),
        (Decimal("12000.00"), "JPY", "12\u202f000\xa0JPY"),
        (None, "NOK", "–"),
    ],
)
def test_amount(value: Decimal | None, currency: str, words: str) -> None:
    assert display.amount(value, currency) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(Decimal("1.5000"), "1,5"), (Decimal("1200.0000"), "1\u202f200"), (Decimal("0.0125"), "0,0125"), (None, "")],
)
def test_figure(value: Decimal | None, words: str) -> None:
    assert display.figure(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("1250", "1\u202f250,00"), ("4722.5000", "4\u202f722,50"), ("0.0125", "0,0125"), ("-3.1", "-3,10"), ("0", "0,00")],
)
def test_price_has_two_decimals_or_as_many_as_it_needs(value: str, words: str) -> None:
    assert display.price(Decimal(value)) == words
    assert AmountField().prepare_value(Decimal(value)) == words
    assert AmountField().prepare_value("as it was typed") == "as it was typed"


def test_percent_day_and_time_are_norwegian() -> None:
    assert display.percent(Decimal("0.2500")) == "25\xa0%"
    assert display.day(date(2026, 2, 1)) == "01.02.2026"
    assert display.minute(START) == "03.07.2026 00:30"
    assert display.moment(START) == "03.07.2026 00:30:05"
    assert [display.day(None), display.minute(None), display.moment(None)] == ["–"] * 3


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.42, "0,4\xa0s"), (42, "42\xa0s"), (185, "3\xa0min 5\xa0s"), (None, "under way")]
)
def test_duration(seconds: float | None, words: str) -> None:
    assert display.duration(START, None if seconds is None else START + timedelta(seconds=seconds)) == words


def test_words_that_are_spelled_alike_keep_their_own_colours() -> None:
    assert display.tone(AttemptOutcome.SETUP) == "alarm"
    assert display.tone(CompanyState.SETUP) == "waiting"
    assert display.tone(RunOutcome.FAILED) == "alarm"


def test_only_what_waits_for_a_person_is_red() -> None:
    assert {status for status in StatementStatus if display.tone(status) == "alarm"} == {
        StatementStatus.NEEDS_FIX,
        StatementStatus.LINK_BROKEN,
        StatementStatus.CANCELLED,
    }


def test_excerpt_lays_json_out_and_escapes() -> None:
    assert display.excerpt('{"Name":"<Øy>"}') == (
        '<pre class="fb-excerpt">{\n  &quot;Name&quot;: &quot;&lt;Øy&gt;&quot;\n}</pre>'
    )
    assert display.excerpt('{"Name":') == '<pre class="fb-excerpt">{&quot;Name&quot;:</pre>'
    assert display.excerpt("") == "–"


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1 234,50", "1234.50"),
        ("1\u202f234,50", "1234.50"),
        ("1\xa0234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("\u22125", "-5"),
        ("", None),
    ],
)
def test_figures_are_read_as_people_write_them(typed: str, value: str | None) -> None:
    assert FigureField(required=False).clean(typed) == (None if value is None else Decimal(value))


def test_percent_is_kept_as_a_fraction() -> None:
    field = PercentField()
    assert field.clean("12,5") == Decimal("0.125")
    assert (field.prepare_value(Decimal("0.25")), field.prepare_value("12,5")) == ("25", "12,5")
    assert FigureField().prepare_value(Decimal("1250.5000")) == "1\u202f250,5"
