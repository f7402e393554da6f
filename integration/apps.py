"""The application's name card."""

from django.apps import AppConfig


class IntegrationConfig(AppConfig):
    """Everything but people and wiring lives in this one app."""

    name = "integration"
    verbose_name = "Fakturabro"
