"""Where log-ins are kept: Django's sessions in the database, each with the person it belongs to, so that people can see
and end their own. What is known of a log-in stands in the session itself, signed; the table adds whose it is."""

from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as StoreInDatabase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class SessionStore(StoreInDatabase):
    """Reads and writes them (`SESSION_ENGINE`)."""

    @classmethod
    def get_model_class(cls) -> type["Session"]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> "Session":
        """The row that is about to be written, with its owner."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment] # the model named above
        row.person_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return row


class Session(AbstractBaseSession):
    """A browser, and who logged in there. Its key opens everything that the person may do: it is never shown."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, editable=False, related_name="sessions"
    )

    class Meta:
        verbose_name = "session"
        verbose_name_plural = "sessions"

    def __str__(self) -> str:
        return f"Session of {self.person}" if self.person else "Session of nobody"

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore
