"""Secrets at rest."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class Secret:
    """A secret value that shows itself only when asked: `repr`, `str`, logs and dumps say dots."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(••••)" if self._value else "Secret()"

    def __str__(self) -> str:
        return "••••" if self._value else ""

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("A secret is never pickled.")

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self


def keyring() -> MultiFernet:
    """Newest key first: it closes; all of them open."""
    try:
        return MultiFernet([Fernet(key.encode()) for key in settings.FIELD_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_KEYS: each key must be 32 bytes in url-safe base64.") from error


class SecretField(models.TextField[Any, Any]):
    """A `Secret` in Python, a Fernet token in the database. Dumps carry the token, never the value."""

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        if value is None:
            return None
        if value == "":
            return Secret("")
        try:
            return Secret(keyring().decrypt(value.encode()).decode())
        except InvalidToken as error:
            raise ImproperlyConfigured(
                "A secret in the database cannot be opened: the key that closed it is missing from FIELD_KEYS."
            ) from error

    def to_python(self, value: Any) -> Secret | None:
        if value is None or isinstance(value, Secret):
            return value
        text = str(value)
        if text.startswith("gAAAA"):  # a Fernet token, from a dump that is loaded again
            return Secret(keyring().decrypt(text.encode()).decode())
        return Secret(text)

    def get_prep_value(self, value: Any) -> str | None:
        secret = self.to_python(value)
        if secret is None:
            return None
        return keyring().encrypt(secret.reveal().encode()).decode() if secret else ""

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""
