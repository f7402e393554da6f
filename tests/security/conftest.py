"""The house as production would run it, and people who come to its door."""

import os
import runpy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from accounts.models import User
from integration.models import GoCompany
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("ALLOWED_HOSTS", "COOKIE", "CONTENT_", "CSRF_", "DEBUG", "SECOND_", "SECURE_", "SESSION_", "X_FRAME_")
"""What of the production settings is taken over; the databases stay the tests' own."""


def production_settings(**environment: str) -> dict[str, Any]:
    """`config.settings` as a production process reads it."""
    given = {
        "ENVIRONMENT": "production",
        "ALLOWED_HOSTS": "testserver",
        "SECRET_KEY": "given-in-the-test-" * 4,
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "GO_APPLICATION_KEY": "given-in-the-test",
        "GO_SUBSCRIPTION_KEY": "given-in-the-test",
    }
    with patch.dict(os.environ, {**given, **environment}):
        return runpy.run_path(str(ROOT / "config" / "settings.py"))


@pytest.fixture
def production(settings: Any) -> Any:
    """The tests' settings with what production says about browsers, cookies, sessions and log-ins."""
    for name, value in production_settings().items():
        if name.startswith(KEPT):
            setattr(settings, name, value)
    return settings


@pytest.fixture
def home() -> GoCompany:
    return factories.go_company(name="Fjordgløtt Camping AS")


@pytest.fixture
def kari(home: GoCompany) -> User:
    """A bookkeeper."""
    return factories.person(role="Finance", companies=[home], email="kari@example.no")


@pytest.fixture
def as_kari(kari: User) -> Client:
    client = Client()
    client.force_login(kari)
    return client
