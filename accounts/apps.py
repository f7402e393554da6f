"""The application's name card."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may enter."""

    name = "accounts"
    verbose_name = "People"
