"""The catalogue has every code that the house can give, and recognises what Go's words are about."""

import re
from pathlib import Path

import pytest

from integration import errors
from integration.decisions.explanations import (
    CATALOGUE,
    UNKNOWN,
    Who,
    customer_refusal_code,
    explain,
    refusal_code,
)

ROOT = Path(__file__).resolve().parents[2] / "integration"
GIVEN = re.compile(
    r'(?:\bcode|error_code|attention_code|"attention_code"\])(?: = |=|: )"([A-Z][A-Z_]+)"'  # said where it happens
    r'|Problem\(\s*"([A-Z_]+)"'
    r'|^[A-Z_]+(?:: Final)? = "([A-Z]+_[A-Z_]+)"$',  # a constant of a use case
    re.MULTILINE,
)


def codes_in_the_house() -> set[str]:
    files = [*(ROOT / "use_cases").glob("*.py"), *(ROOT / "decisions").glob("*.py")]
    return {code for file in files for found in GIVEN.findall(file.read_text()) for code in found if code}


def test_the_search_finds_codes_of_every_kind():
    assert codes_in_the_house() >= {
        *("NO_CUSTOMER", "WORKER_LOST", "EDITED_IN_GO", "REFERENCE_TAKEN", "SEND_FAILED", "CUSTOMER_AMBIGUOUS"),
    }


def test_every_code_of_the_house_is_explained():
    assert codes_in_the_house() - set(CATALOGUE) == set()


def test_every_error_of_the_clients_is_explained():
    def below(error: type[Exception]) -> set[str]:
        return {error.__name__}.union(*(below(each) for each in error.__subclasses__()))

    names = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in below(errors.RemoteError)}
    assert names - set(CATALOGUE) == set()


def test_each_entry_says_what_and_who_and_what_to_do():
    for code, entry in CATALOGUE.items():
        assert entry.title[0].isupper(), code
        assert not entry.title.endswith("."), code
        assert entry.to_do.endswith("."), code
        assert bool(entry.place) == (entry.who is not Who.NOBODY), code
        assert len(code) <= 40
    assert explain("NOBODY_KNOWS") is UNKNOWN


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("SalesOrder validation error(s): Product with code = 'P-77' not found.", "PRODUCT_UNKNOWN"),
        ("SalesOrder validation error(s): Customer with id = 12 not found.", "CUSTOMER_UNKNOWN"),
        ("Department with code = 'X' not found.", "DEPARTMENT_UNKNOWN"),
        ("Project with code = '9' not found.", "PROJECT_UNKNOWN"),
        ("The voucher date 2019-12-31 is before the conversion date 2020-01-01.", "BEFORE_CONVERSION"),
        ("The voucher date is on or before the lock date 2026-09-30.", "PERIOD_LOCKED"),
        ("Department is required on account 3000.", "DIMENSION_REQUIRED"),
        ("Currency EUR is not active.", "CURRENCY_NOT_ACTIVE"),
        ("VatCode 33 does not fit.", "ACCOUNT"),
        ("Attachment is too large.", "ATTACHMENT"),
        ("The order is confirmed.", "ORDER_LOCKED"),
        ("Something nobody has heard of", "REFUSED"),
    ],
)
def test_what_a_refusal_is_about(words, code):
    assert refusal_code(words, otherwise="REFUSED") == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("InvoiceDeliveryType EHF needs an OrganizationNumber.", "CUSTOMER_EHF"),
        ("InvoiceEmailAddress: e-mail is missing.", "CUSTOMER_EMAIL"),
        ("InvoiceDeliveryType PdfByEmail needs an e-mail address.", "CUSTOMER_EMAIL"),
        ("EmailAddress 'a b' is not a valid e-mail address.", "CUSTOMER"),
        ("OrganizationNumber 999 is not valid.", "CUSTOMER"),
        ("Number 5 is not inside a number series.", "CUSTOMER_NUMBER"),
        ("Something else", "CUSTOMER"),
    ],
)
def test_what_a_refused_customer_lacks(words, code):
    assert customer_refusal_code(words) == code
