"""Secrets at rest."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute

DOTS = "••••"


class Secret:
    """A secret value that shows itself only when asked: `repr`, `str`, formats, logs and dumps say dots."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({DOTS})" if self._value else "Secret()"

    def __str__(self) -> str:
        return DOTS if self._value else ""

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("A secret is never pickled.")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self


def field_keys() -> list[Fernet]:
    """The keys of `FIELD_KEYS`, newest first. Raises ImproperlyConfigured for none, or for one of the wrong shape."""
    if not settings.FIELD_KEYS:
        raise ImproperlyConfigured("FIELD_KEYS: at least one key is needed.")
    try:
        return [Fernet(key.encode()) for key in settings.FIELD_KEYS]
    except ValueError:
        # Without its cause: that would carry a key into the log.
        raise ImproperlyConfigured("FIELD_KEYS: each key must be 32 bytes in url-safe base64.") from None


def close(value: str) -> str:
    """The Fernet token of a value, made with the newest key; nothing stays nothing."""
    return MultiFernet(field_keys()).encrypt(value.encode()).decode() if value else ""


def open_token(token: str) -> Secret:
    """What is in a Fernet token. Raises ImproperlyConfigured when none of the keys opens it."""
    if not token:
        return Secret("")
    try:
        return Secret(MultiFernet(field_keys()).decrypt(token.encode()).decode())
    except InvalidToken:
        raise ImproperlyConfigured(
            "A secret in the database cannot be opened: the key that closed it is missing from FIELD_KEYS."
        ) from None


class SecretAttribute(DeferredAttribute):
    """Whatever is put on a record becomes a `Secret` at once, so that no plain text lies about in memory or traces."""

    field: "SecretField"

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SecretField(models.TextField[Any, Any]):
    """A `Secret` in Python, a Fernet token in the database. Dumps carry the token, never the value."""

    descriptor_class = SecretAttribute

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        return None if value is None else open_token(value)

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, Secret) or hasattr(value, "resolve_expression"):
            return value
        text = str(value)
        return open_token(text) if text.startswith("gAAAA") else Secret(text)  # a Fernet token comes from a dump

    def get_prep_value(self, value: Any) -> Any:
        secret = self.to_python(value)
        return close(secret.reveal()) if isinstance(secret, Secret) else secret

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull`: the same value makes another token each time, so comparing would silently find nothing."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""
