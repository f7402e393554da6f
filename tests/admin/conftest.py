"""A company, and people of each role who are logged in."""

from collections.abc import Callable

import pytest
from django.test import Client

from integration.models import GoCompany
from tests import factories


@pytest.fixture
def home() -> GoCompany:
    """The company everybody here works for."""
    return factories.go_company(name="Fjordgløtt Camping AS")


@pytest.fixture
def as_role(home: GoCompany) -> Callable[..., Client]:
    """Logs a person of a role in; without a role the person may nothing."""

    def log_in(role: str = "", *companies: GoCompany) -> Client:
        client = Client()
        client.force_login(factories.person(role=role, companies=[home, *companies]))
        return client

    return log_in


@pytest.fixture
def finance(as_role: Callable[..., Client]) -> Client:
    """A bookkeeper of the company."""
    return as_role("Finance")
