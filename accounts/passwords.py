"""What makes no password here."""

import hashlib
import logging
import re
from time import monotonic
from typing import Final

import requests
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import checks
from django.core.exceptions import ValidationError
from urllib3.exceptions import HTTPError

logger = logging.getLogger(__name__)

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


BREACHED_SECONDS: Final = 2.0
"""How long a person waits for the service of breached passwords, at the most."""

BREACHED_BYTES: Final = 1_000_000
"""A true answer has some fifty thousand."""


class NotBreached:
    """Refuses passwords that were stolen somewhere and published, as `BREACHED_PASSWORDS_URL` knows.

    The range service of Have I Been Pwned (https://haveibeenpwned.com/API/v3#PwnedPasswords): it is told the first five
    hex digits of the SHA-1, and answers all it knows with these, `REST:TIMES` a line. `Add-Padding` hides in its length
    which five they were; what pads has been seen 0 times. A service that does not answer holds up nobody. Logging in
    asks nothing: only a new password is looked at.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if not settings.BREACHED_PASSWORDS_URL:
            return
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if digest[5:] in breached(digest[:5]):
            words = "This password was stolen somewhere and published, so others try it. Choose another one."
            raise ValidationError(words, code="breached")

    def get_help_text(self) -> str:
        return "Your password must not be one that was stolen somewhere and published."


class NoAnswer(Exception):
    """The service does not say. The words never name the address, and with it the five digits."""


def breached(start: str) -> set[str]:
    """The rest of each breached SHA-1 that starts so; empty, with a line in the log, when the service does not say."""
    try:
        content = answer_of_service(start)
    except NoAnswer as error:
        logger.warning("Breached passwords could not be asked, so a new password was not compared: %s", error)
        return set()
    pairs = (line.partition(":") for line in content.decode("ascii", errors="replace").split())
    return {rest.upper() for rest, _, times in pairs if times != "0"}


def answer_of_service(start: str) -> bytes:
    """What it knows, read within `BREACHED_SECONDS`, also when it comes sign by sign. Raises NoAnswer."""
    address = f"{settings.BREACHED_PASSWORDS_URL.rstrip('/')}/{start}"
    headers = {"Add-Padding": "true", "Accept-Encoding": "identity", "User-Agent": "Fakturabro"}
    until = monotonic() + BREACHED_SECONDS
    content = b""
    try:
        with requests.get(
            address, headers=headers, timeout=BREACHED_SECONDS, allow_redirects=False, stream=True
        ) as got:
            if got.status_code != requests.codes.ok:
                raise NoAnswer(f"status {got.status_code}")
            while part := got.raw.read1(65536):  # what is there now; `iter_content` would wait for all of it
                content += part
                if monotonic() > until or len(content) > BREACHED_BYTES:
                    raise NoAnswer("the answer was too slow or too long")
    except (requests.RequestException, HTTPError) as error:
        raise NoAnswer(type(error).__name__) from error
    return content


@checks.register(checks.Tags.security, deploy=True)
def breached_passwords_are_asked(**_: object) -> list[checks.CheckMessage]:
    """What `check --deploy` says about it."""
    if not settings.BREACHED_PASSWORDS_URL:
        words = "New passwords are not compared with breached ones: BREACHED_PASSWORDS_URL is empty."
        return [checks.Warning(words, id="accounts.W001")]
    if not settings.BREACHED_PASSWORDS_URL.startswith("https://"):
        return [checks.Warning("BREACHED_PASSWORDS_URL does not begin with https://.", id="accounts.W002")]
    return []
