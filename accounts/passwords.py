"""What makes no password here."""

import re
from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError

WORDS: Final = ("fakturabro", "poweroffice")
"""Names that whoever wants to come in here tries first, with anything around them."""


class NoNameOfThisSystem:
    """Refuses passwords with one of `WORDS` in them, also written with spaces or hyphens."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        plain = re.sub(r"[\W_]", "", password.lower())
        if any(word in plain for word in WORDS):
            raise ValidationError("This password names this system, which is the first thing others try.", code="names")

    def get_help_text(self) -> str:
        return "Your password must not name this system."
