"""A name in two parts."""

import pytest

from integration.decisions.person_names import first_and_last


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Kari Åsnes", ("Kari", "Åsnes")),
        (" José García  Lunde ", ("José García", "Lunde")),
        ("Åsnes, Kari", ("Kari", "Åsnes")),
        ("Lie Hansen,Anne Marie", ("Anne Marie", "Lie Hansen")),
        ("Madonna", ("", "Madonna")),
        ("", ("", "")),
    ],
)
def test_first_and_last(name: str, parts: tuple[str, str]):
    assert first_and_last(name) == parts
