import pytest

from integration.admin.search import rows_with, words_of
from integration.models import Customer
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("", []),
        ("  ", []),
        ("kunde fb-7", ["kunde", "fb-7"]),
        ('"ola nordmann" 12', ["ola nordmann", "12"]),
        ("'as x'", ["as x"]),
        ('""', []),
        ('"', ['"']),
    ],
)
def test_words_of_a_term(term, words):
    assert list(words_of(term)) == words


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("fjell", {"Fjellheim 2026-0123 AS", "Fjellheim 2026-0124 AS"}),
        ("2026-0123", {"Fjellheim 2026-0123 AS"}),
        ("0123 fjell", {"Fjellheim 2026-0123 AS"}),
        ("2026-012", {"Fjellheim 2026-0123 AS", "Fjellheim 2026-0124 AS"}),
        ("2026 0123 as fjellheim", {"Fjellheim 2026-0123 AS"}),
        ("0123 nordmann", set()),
        ("ørnæs", {"Ærlig Ørnæs"}),
        ("æ", {"Ærlig Ørnæs"}),
        ('"ærlig ørnæs"', {"Ærlig Ørnæs"}),
        ('"ørnæs ærlig"', set()),
        ("100%", {"100% Padel"}),
        ("1_0", set()),
        ("%", {"100% Padel"}),
    ],
)
def test_rows_with_all_words_whatever_stands_between_them(term, found):
    company = factories.go_company()
    for name in ("Fjellheim 2026-0123 AS", "Fjellheim 2026-0124 AS", "Ærlig Ørnæs", "100% Padel"):
        factories.customer(company, name=name)
    rows = rows_with(Customer.objects.all(), list(words_of(term)))
    assert {customer.name for customer in rows} == found
