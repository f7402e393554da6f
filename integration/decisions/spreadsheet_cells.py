"""What a cell of a spreadsheet means. Each reader takes what stood there and gives a value, or says what is wrong.

Two rules hold everywhere. A value that can be read in two ways is refused, never guessed. Invisible characters
(control characters, NUL, marks that turn the writing direction) are taken out; letters of all scripts and emoji stay.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from stdnum import ean
from stdnum.exceptions import ValidationError
from stdnum.no import orgnr

from integration.decisions.money import CURRENCIES

Cell = str | Decimal | date | bool | None
"""What a file gives: CSV only text, XLSX numbers, days and truth values too. A float never comes this far."""

Reader = Callable[[Cell], Any]


class CellProblem(ValueError):
    """What is wrong with a cell and what to write instead, for a bookkeeper."""


FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins like this is run as a formula by spreadsheet programs (OWASP: CSV injection)."""

_DIRECTION_MARKS: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_BLANKS: Final = " \u00a0\u202f\u2009\u2007\t"
_EXCEL_ERROR: Final = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|I/T|VERDI!|NAVN\?|#+)", re.IGNORECASE)


def defused(text: str) -> str:
    """A text that no spreadsheet program takes for a formula: a quote mark goes in front. `armed` undoes it."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def armed(text: str) -> str:
    """The text as it was before `defused`; others unchanged."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text


def visible(text: str, *, lines: bool = False) -> str:
    """Text without invisible characters and outer blanks. `lines` keeps line breaks; else they become a blank."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = []
    for sign in text:
        if sign == "\n":
            kept.append("\n" if lines else " ")
        elif sign == "\t":
            kept.append(" ")
        elif unicodedata.category(sign) not in {"Cc", "Cs"} and sign not in _DIRECTION_MARKS:
            kept.append(sign)
    return "".join(kept).strip()


def as_text(cell: Cell) -> str:
    """A cell as a person sees it, on one line."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return visible(cell)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return f"{cell:%d.%m.%Y}" if isinstance(cell, date) else str(cell)


def is_blank(cell: Cell) -> bool:
    """Whether nothing visible stands in the cell."""
    return as_text(cell) == ""


def text(longest: int, *, lines: bool = False) -> Reader:
    """Reads a text of at most `longest` characters."""

    def read(cell: Cell) -> str:
        value = visible(armed(cell), lines=lines) if isinstance(cell, str) else as_text(cell)
        if _EXCEL_ERROR.fullmatch(value):
            raise CellProblem("is an error from the spreadsheet program, not a value: mend the cell (or widen it)")
        if len(value) > longest:
            raise CellProblem(f"has {len(value)} characters, at most {longest} fit: shorten it")
        return value

    return read


def _bare_number(written: str) -> tuple[str, bool]:
    """The number without currency, minus sign and blanks around it; and whether it is negative."""
    bare = written.replace("\u2212", "-").replace("\u2013", "-").strip(_BLANKS)
    bare = re.sub(r"(?i)^(kr\.?|nok)(?=[\s\d\-\u00a0\u202f.,])|(?<=[\s\d\-,\u00a0\u202f])(kr\.?|nok)$", "", bare)
    bare = re.sub(r",-+$", "", bare.strip(_BLANKS)).strip(_BLANKS)  # 100,- is a whole amount
    if match := re.fullmatch(r"\((.+)\)", bare):
        return match[1].strip(_BLANKS), True
    if bare.startswith("-"):
        return bare[1:].strip(_BLANKS), True
    if bare.endswith("-"):
        return bare[:-1].strip(_BLANKS), True
    return bare.removeprefix("+"), False


def _plain_number(bare: str) -> str:
    """Digits with a point, from any way of writing thousands and decimals that can be read in one way only."""
    bare = re.sub(rf"[{_BLANKS}']", " ", bare)
    if " " in bare:
        if not re.fullmatch(r"\d{1,3}( \d{3})+([.,]\d+)?", bare):
            raise CellProblem("is not an amount: write it like 1 234,50")
        bare = bare.replace(" ", "")
        return bare.replace(",", ".")
    if re.fullmatch(r"\d+", bare) or re.fullmatch(r"\d*[.,]\d{1,2}|\d*[.,]\d{4,}|0[.,]\d+|\d{4,}[.,]\d{3}", bare):
        return bare.replace(",", ".")
    if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", bare):
        whole = re.sub(r"[.,]", "", bare)
        raise CellProblem(f"can be read in two ways: write {whole} or {bare.replace('.', ',')}0")
    if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?", bare):  # 1.234,50
        return bare.replace(".", "").replace(",", ".")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", bare):  # 1,234.50
        return bare.replace(",", "")
    if re.fullmatch(r"(?i)\d+([.,]\d+)?e[+-]?\d+", bare):
        raise CellProblem("was shortened by the spreadsheet program: format the cell as a number and save again")
    raise CellProblem("is not an amount: write it like 1 234,50")


def number(*, decimals: int = 4, digits: int = 14) -> Reader:
    """Reads an amount or a quantity; refuses more decimals or digits than can be kept, instead of rounding."""
    limit = Decimal(10) ** (digits - decimals)

    def read(cell: Cell) -> Decimal:
        if isinstance(cell, bool | date):
            raise CellProblem("is not an amount: write it like 1 234,50")
        if isinstance(cell, Decimal):
            value = cell
        else:
            bare, negative = _bare_number(visible(armed(cell or "")))
            value = Decimal(_plain_number(bare)) * (-1 if negative else 1)
        if abs(value) >= limit:
            raise CellProblem("is too large")
        if value != round(value, decimals):
            raise CellProblem(f"has more than {decimals} decimals: round it in the spreadsheet")
        return value + 0  # a minus in front of zero means nothing

    return read


def whole(lowest: int, highest: int) -> Reader:
    """Reads a whole number between the two, both included."""
    read_number = number(decimals=0, digits=19)

    def read(cell: Cell) -> int:
        if isinstance(cell, str) and (plain := re.sub(rf"[{_BLANKS}]", "", visible(armed(cell)))).isdecimal():
            cell = Decimal(plain[-18:]) if not plain[:-18].strip("0") else Decimal(highest) + 1
        try:
            value = int(read_number(cell))
        except CellProblem as problem:
            raise CellProblem(f"is not a whole number between {lowest} and {highest}") from problem
        if not lowest <= value <= highest:
            raise CellProblem(f"is not a whole number between {lowest} and {highest}")
        return value

    return read


EXCEL_DAY_0: Final = date(1899, 12, 30)
"""Day 0 of Excel's calendar (1900 system), right for every day from 1 March 1900."""

_DAYS_UNTIL_2447: Final = 200_000
_MONTHS: Final = 12
_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2099
_NOT_A_DAY: Final = "is not a date: write it like 01.02.2026"


def day(cell: Cell) -> date:
    """Reads a calendar day. Day before month, two-digit years are 20xx; with `/` only where no other order fits."""
    if isinstance(cell, bool):
        raise CellProblem(_NOT_A_DAY)
    found: date | None = None
    if isinstance(cell, datetime):
        found = cell.date()
    elif isinstance(cell, date):
        found = cell
    elif isinstance(cell, Decimal) or re.fullmatch(r"[34567]\d{4}([.,]\d+)?", cell or ""):
        serial = int(Decimal(str(cell).replace(",", ".")))
        # A number of a size that no day has is perhaps 20260201.
        found = EXCEL_DAY_0 + timedelta(days=serial) if 0 < serial < _DAYS_UNTIL_2447 else _written_day(str(serial))
    else:
        found = _written_day(visible(armed(cell or "")))
    if found is None:
        raise CellProblem(_NOT_A_DAY)
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise CellProblem(f"is outside {_FIRST_YEAR} to {_LAST_YEAR}: check the year")
    return found


def _written_day(written: str) -> date | None:
    written = re.sub(r"[ T]\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?$", "", written)
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})|(\d{4})(\d{2})(\d{2})", written):
        year, month, dom = (int(part) for part in match.groups() if part)
    elif match := re.fullmatch(r"(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4}|\d{2})", written):
        dom, month, year = int(match[1]), int(match[3]), int(f"20{match[4]}"[-4:])
        if match[2] == "/" and dom != month and max(dom, month) <= _MONTHS:
            raise CellProblem(f"can be read in two ways: write {dom:02}.{month:02}.{match[4]} if the day comes first")
    else:
        return None
    try:
        return date(year, month, dom)
    except ValueError:
        return None


def vat_rate(cell: Cell) -> Decimal:
    """Reads a VAT rate as a fraction. `25 %` and `25` are 0.25; a bare number between 0 and 1 is a fraction already."""
    written, value = _percentage(cell)
    if not written and value == 1:
        raise CellProblem("can be read in two ways: write 1 % or 100 %")
    fraction = value if 0 <= value < 1 and not written else value / 100
    if not 0 <= fraction <= 1:
        raise CellProblem("is not a VAT rate: write it like 25 %")
    if fraction != round(fraction, 4):
        raise CellProblem("has more than two decimals of a per cent")
    return fraction


_LEAST_DISCOUNT: Final = -1000
_MOST_DISCOUNT: Final = 100


def percent(cell: Cell) -> Decimal:
    """Reads a percentage as itself: `10 %` and `10` are 10. Below 1 the sign is needed: it might be a fraction."""
    written, value = _percentage(cell)
    if not written and 0 < abs(value) < 1:
        share = format(value.normalize(), "f").replace(".", ",")
        hundredfold = format((value * 100).normalize(), "f").replace(".", ",")
        raise CellProblem(f"can be read in two ways: write {share} % or {hundredfold} %")
    if not _LEAST_DISCOUNT <= value <= _MOST_DISCOUNT:
        raise CellProblem("is not a discount: at most 100 %")
    if value != round(value, 4):
        raise CellProblem("has more than 4 decimals: round it in the spreadsheet")
    return value


def _percentage(cell: Cell) -> tuple[bool, Decimal]:
    """Whether a per cent sign stands there, and the number."""
    written = isinstance(cell, str) and visible(cell).endswith("%")
    bare: Cell = visible(cell).removesuffix("%").strip() if isinstance(cell, str) else cell
    if isinstance(bare, str) and re.fullmatch(r"\d{1,3}[.,]\d+", bare):
        bare = Decimal(bare.replace(",", "."))  # nobody writes thousands of per cent
    value: Decimal = number(decimals=12, digits=24)(bare)
    return written, value


def choice(words: Mapping[str, Any], hint: str) -> Reader:
    """Reads one of the words, whatever the case and the blanks; `hint` names them for people."""

    def read(cell: Cell) -> Any:
        word = re.sub(r"[\s.\-_]", "", as_text(cell).casefold())
        if word not in words:
            raise CellProblem(f"is not known: write {hint}")
        return words[word]

    return read


yes_no: Final = choice(
    {
        **dict.fromkeys(("ja", "j", "yes", "y", "true", "sann", "sant", "1", "x"), True),
        **dict.fromkeys(("nei", "n", "no", "false", "usann", "usant", "0"), False),
    },
    "yes or no (ja, nei)",
)
"""Reads yes or no."""


def email(cell: Cell) -> str:
    """Reads an e-mail address; whether its form is right is asked once more by the record itself."""
    value: str = text(254)(cell)
    value = value.removeprefix("mailto:")
    if not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]{2,}", value):
        raise CellProblem("is not an e-mail address: write one address, like ola@eksempel.no")
    return value


def organisation_number(cell: Cell) -> str:
    """Reads a Norwegian organisation number: nine digits, the last one a check digit (mod 11)."""
    bare = re.sub(r"(?i)[\s.]|^NO|MVA$|ORG\.?(NR)?:?", "", as_text(cell).upper())
    try:
        return str(orgnr.validate(bare))
    except ValidationError as error:
        raise CellProblem("is not an organisation number: nine digits, and the last one must check") from error


def gtin(cell: Cell) -> str:
    """Reads a GTIN (EAN): 8, 12, 13 or 14 digits with a check digit."""
    try:
        return str(ean.validate(re.sub(r"\s", "", as_text(cell))))
    except ValidationError as error:
        raise CellProblem("is not a GTIN (EAN): check the digits") from error


def currency(cell: Cell) -> str:
    """Reads a currency that we know."""
    value = as_text(cell).upper()
    if value not in CURRENCIES:
        raise CellProblem("is not a currency we know: write three letters, like NOK")
    return value


def country(cell: Cell) -> str:
    """Reads a country as two letters; the Nordic ones by name too."""
    names = {"NORGE": "NO", "NORWAY": "NO", "SVERIGE": "SE", "SWEDEN": "SE", "DANMARK": "DK", "DENMARK": "DK"}
    value = as_text(cell).upper()
    value = names.get(value, value)
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise CellProblem("is not a country: write two letters, like NO")
    return value
