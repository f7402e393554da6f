"""The name card of the sandbox."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """PowerOffice Go, played by a small app with its own tables (label `sandbox`) in its own database."""

    name = "integration.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox of PowerOffice Go"
    default_auto_field = "django.db.models.BigAutoField"
