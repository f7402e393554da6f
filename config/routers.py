"""Keeps the sandbox's books apart from ours when both live in one test process."""

from typing import Any

from django.db.models import Model


class SandboxRouter:
    """Sends the sandbox's tables, and nothing else, to the database alias `sandbox`."""

    def db_for_read(self, model: type[Model], **_: Any) -> str | None:
        return "sandbox" if model._meta.app_label == "sandbox" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return (db == "sandbox") == (app_label == "sandbox")
