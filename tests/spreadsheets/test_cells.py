"""What a cell means."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.decisions import spreadsheet_cells as cells
from integration.decisions.spreadsheet_cells import CellProblem, armed, as_text, defused, visible
from integration.decisions.spreadsheet_files import csv_lines
from integration.decisions.spreadsheet_sheets import product_code, unit

NBSP, NARROW, THIN, MINUS = "\u00a0", "\u202f", "\u2009", "\u2212"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1 234,50", "1234.50"),
        (f"1{NBSP}234,50", "1234.50"),
        (f"1{NARROW}234{NARROW}567,5", "1234567.5"),
        (f"1{THIN}234", "1234"),
        ("1.234,50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1234.50", "1234.50"),
        ("1234,567", "1234.567"),
        ("1234", "1234"),
        ("0,125", "0.125"),
        (",5", "0.5"),
        ("kr 1 234,50", "1234.50"),
        (f"1 234,50{NBSP}kr", "1234.50"),
        ("kr. 5", "5"),
        ("NOK 5", "5"),
        ("100,-", "100"),
        ("-100", "-100"),
        (f"{MINUS}100,5", "-100.5"),
        ("kr -5", "-5"),
        ("100-", "-100"),
        ("(100,00)", "-100.00"),
        ("+5", "5"),
        ("'-5", "-5"),
        ("-0", "0"),
        (Decimal("33.3333"), "33.3333"),
    ],
)
def test_number(written: cells.Cell, amount: str):
    assert cells.number()(written) == Decimal(amount)


NO_AMOUNT = "is not an amount: write it like 1 234,50"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("mange", NO_AMOUNT),
        ("", NO_AMOUNT),
        ("12 34", NO_AMOUNT),
        ("1,2,3", NO_AMOUNT),
        ("1.23.456", NO_AMOUNT),
        ("=1+1", NO_AMOUNT),
        ("--5", NO_AMOUNT),
        ("NaN", NO_AMOUNT),
        ("#N/A", NO_AMOUNT),
        (True, NO_AMOUNT),
        (date(2026, 2, 1), NO_AMOUNT),
        ("1.234", "can be read in two ways: write 1234 or 1,2340"),
        ("1,234", "can be read in two ways: write 1234 or 1,2340"),
        ("9,88E+08", "was shortened by the spreadsheet program: format the cell as a number and save again"),
        ("0,12345", "has more than 4 decimals: round it in the spreadsheet"),
        (Decimal(100) / 3, "has more than 4 decimals: round it in the spreadsheet"),
        ("10000000000", "is too large"),
        ("9" * 400, "is too large"),
    ],
)
def test_number_refused(written: cells.Cell, message: str):
    with pytest.raises(CellProblem) as problem:
        cells.number()(written)
    assert str(problem.value) == message


@settings(deadline=None)
@given(st.decimals(min_value=-999_999_999, max_value=999_999_999, places=4), st.sampled_from(" .\u00a0\u202f'"))
def test_number_written_with_thousands_comes_back(amount: Decimal, thousands: str):
    whole, _, decimals = f"{amount:,.4f}".partition(".")
    assert cells.number()(f"{whole.replace(',', thousands)},{decimals}") == amount


@settings(deadline=None)
@given(st.decimals(min_value=-999_999_999, max_value=999_999_999, places=4))
def test_number_that_we_write_ourselves_comes_back(amount: Decimal):
    written = b"".join(csv_lines([[amount]])).decode("utf-8-sig").strip()
    assert cells.number()(written) == amount


@pytest.mark.parametrize(
    ("written", "value"), [("10001", 10001), ("00123", 123), ("10 001", 10001), (Decimal("5.0"), 5), ("5,0", 5)]
)
def test_whole(written: cells.Cell, value: int):
    assert cells.whole(1, 99_999)(written) == value


@pytest.mark.parametrize("written", ["0", "100000", "1,5", "x", "9" * 30, "-3", True])
def test_whole_refused(written: cells.Cell):
    with pytest.raises(CellProblem) as problem:
        cells.whole(1, 99_999)(written)
    assert str(problem.value) == "is not a whole number between 1 and 99999"


@pytest.mark.parametrize(
    "written",
    [
        "01.02.2026",
        "1.2.2026",
        "1.2.26",
        "1. 2. 2026",
        "01-02-2026",
        "2026-02-01",
        "2026-02-01T10:30:00",
        "2026-02-01 00:00:00",
        "2026-02-01T10:30:00+01:00",
        "01.02.2026 12:30",
        "20260201",
        "46054",
        "46054,75",
        Decimal(46054),
        Decimal("46054.5"),
        Decimal(20260201),
        date(2026, 2, 1),
        datetime(2026, 2, 1, 23, 59),  # noqa: DTZ001 - a spreadsheet knows no time zones
    ],
)
def test_day(written: cells.Cell):
    found = cells.day(written)
    assert (type(found), found) == (date, date(2026, 2, 1))


NO_DAY = "is not a date: write it like 01.02.2026"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("31.02.2026", NO_DAY),
        ("i dag", NO_DAY),
        ("1.2", NO_DAY),
        ("2026", NO_DAY),
        (True, NO_DAY),
        (Decimal(-5), NO_DAY),
        ("01/02/2026", "can be read in two ways: write 01.02.2026 if the day comes first"),
        ("01.02.1926", "is outside 1990 to 2099: check the year"),
        (Decimal(5), "is outside 1990 to 2099: check the year"),
    ],
)
def test_day_refused(written: cells.Cell, message: str):
    with pytest.raises(CellProblem) as problem:
        cells.day(written)
    assert str(problem.value) == message


def test_day_with_slashes_where_one_reading_fits():
    assert [cells.day("13/02/2026"), cells.day("02/02/2026")] == [date(2026, 2, 13), date(2026, 2, 2)]


@settings(deadline=None)
@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_day_in_every_way_of_writing_it(day: date):
    serial = Decimal((day - date(1899, 12, 30)).days)
    written: list[cells.Cell] = [
        f"{day:%d.%m.%Y}",
        f"{day.day}.{day.month}.{day.year}",
        day.isoformat(),
        f"{day:%Y%m%d}",
        serial,
        day,
    ]
    assert {cells.day(each) for each in written} == {day}
    assert cells.day(datetime.combine(day, datetime.min.time()) + timedelta(hours=13)) == day


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("25 %", "0.25"),
        ("25%", "0.25"),
        (f"25{NBSP}%", "0.25"),
        ("25", "0.25"),
        ("25,0", "0.25"),
        ("0,25", "0.25"),
        (Decimal("0.25"), "0.25"),
        ("11,11 %", "0.1111"),
        ("0", "0"),
        ("0 %", "0"),
        ("1 %", "0.01"),
        ("100", "1"),
    ],
)
def test_vat_rate(written: cells.Cell, rate: str):
    assert cells.vat_rate(written) == Decimal(rate)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1", "can be read in two ways: write 1 % or 100 %"),
        ("101", "is not a VAT rate: write it like 25 %"),
        ("-25", "is not a VAT rate: write it like 25 %"),
        ("12,345 %", "has more than two decimals of a per cent"),
        ("høy", NO_AMOUNT),
    ],
)
def test_vat_rate_refused(written: cells.Cell, message: str):
    with pytest.raises(CellProblem) as problem:
        cells.vat_rate(written)
    assert str(problem.value) == message


@pytest.mark.parametrize(
    ("written", "value"), [("10 %", "10"), ("10", "10"), ("12,5", "12.5"), ("0,5 %", "0.5"), ("0", "0"), ("-5", "-5")]
)
def test_percent(written: str, value: str):
    assert cells.percent(written) == Decimal(value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("0,1", "can be read in two ways: write 0,1 % or 10 %"),
        ("101", "is not a discount: at most 100 %"),
        ("33,33333", "has more than 4 decimals: round it in the spreadsheet"),
    ],
)
def test_percent_refused(written: str, message: str):
    with pytest.raises(CellProblem) as problem:
        cells.percent(written)
    assert str(problem.value) == message


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (cells.yes_no, "Ja", True),
        (cells.yes_no, "NEI", False),
        (cells.yes_no, True, True),
        (cells.yes_no, Decimal(0), False),
        (cells.organisation_number, "988 077 917", "988077917"),
        (cells.organisation_number, "NO 988077917 MVA", "988077917"),
        (cells.organisation_number, Decimal(988077917), "988077917"),
        (cells.gtin, "7038010069307", "7038010069307"),
        (cells.currency, "nok", "NOK"),
        (cells.country, "Norge", "NO"),
        (cells.country, "se", "SE"),
        (cells.email, "Ola@Eksempel.no", "Ola@Eksempel.no"),
        (unit, "Timer", "HUR"),
        (unit, "stk.", "EA"),
        (unit, "XPX", "XPX"),
        (product_code, Decimal(1001), "1001"),
        (cells.text(20), date(2026, 2, 1), "01.02.2026"),
        (cells.text(20), "=cmd|x", "=cmd|x"),
        (cells.text(20), "'=cmd|x", "=cmd|x"),
        (cells.text(20), "æ\x00ø\x07å\u202e", "æøå"),
        (cells.text(20), "én\r\nto\tre", "én to re"),
        (cells.text(20, lines=True), "én\r\nto", "én\nto"),
        (cells.text(20), "e\u0301n 🎉 שלום", "én 🎉 שלום"),
    ],
)
def test_reader(read: Callable[[cells.Cell], Any], written: cells.Cell, value: Any):
    assert read(written) == value


@pytest.mark.parametrize(
    ("read", "written", "message"),
    [
        (cells.yes_no, "kanskje", "is not known: write yes or no (ja, nei)"),
        (
            cells.organisation_number,
            "988077918",
            "is not an organisation number: nine digits, and the last one must check",
        ),
        (cells.organisation_number, "1234", "is not an organisation number: nine digits, and the last one must check"),
        (cells.gtin, "7038010069308", "is not a GTIN (EAN): check the digits"),
        (cells.currency, "XXX", "is not a currency we know: write three letters, like NOK"),
        (cells.country, "Utlandet", "is not a country: write two letters, like NO"),
        (cells.email, "ola.eksempel.no", "is not an e-mail address: write one address, like ola@eksempel.no"),
        (cells.email, "a@b.no; c@d.no", "is not an e-mail address: write one address, like ola@eksempel.no"),
        (cells.text(5), "123456", "has 6 characters, at most 5 fit: shorten it"),
        (
            cells.text(50),
            "#REF!",
            "is an error from the spreadsheet program, not a value: mend the cell (or widen it)",
        ),
        (
            cells.text(50),
            "######",
            "is an error from the spreadsheet program, not a value: mend the cell (or widen it)",
        ),
        (product_code, "A,B", "has a comma, which PowerOffice Go does not take in a code"),
    ],
)
def test_reader_refuses(read: Callable[[cells.Cell], Any], written: cells.Cell, message: str):
    with pytest.raises(CellProblem) as problem:
        read(written)
    assert str(problem.value) == message


@pytest.mark.parametrize("text", ["=1+1", "+47 22 33", "-x", "@SUM(A1)", "\tx", "\rx", "'=1", "''=1"])
def test_defused_starts_with_a_quote_mark_and_comes_back(text: str):
    assert defused(text) == f"'{text}"
    assert armed(defused(text)) == text


@pytest.mark.parametrize("text", ["", "vanlig", "'sitat'", "5", "a=b"])
def test_defused_leaves_harmless_text(text: str):
    assert (defused(text), armed(text)) == (text, text)


@settings(deadline=None)
@given(st.text())
def test_armed_undoes_defused(text: str):
    assert armed(defused(text)) == text
    assert not defused(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@settings(deadline=None)
@given(st.text())
def test_visible_has_no_control_character(text: str):
    assert not [sign for sign in visible(text) if ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0]
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(
    ("cell", "seen"),
    [(None, ""), (True, "yes"), (False, "no"), (Decimal("1E+3"), "1000"), (date(2026, 2, 1), "01.02.2026")],
)
def test_as_text(cell: cells.Cell, seen: str):
    assert as_text(cell) == seen
