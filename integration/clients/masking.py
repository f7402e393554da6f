"""Keeps keys, tokens and national ids out of messages, logs and the log book."""

import re
from collections.abc import Iterable

from stdnum.no import fodselsnummer

EXCERPT = 4000
MASK = "••••"

_PATTERNS = (
    re.compile(r"(?i)((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r'(?i)((?:access_token|client_?key|application_?key|subscription-?_?key|national_?id_?number)"?\s*[:=]\s*"?)[^",&\s}]+'
    ),
    re.compile(r"()eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"),
)
_ELEVEN_DIGITS = re.compile(r"(?<!\d)\d{6} ?\d{5}(?!\d)")


class Masking:
    """Knows the secrets of one caller and hides them, and what looks like one, in any text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def __repr__(self) -> str:
        return "Masking()"

    def add(self, secret: str) -> None:
        """Learn another secret, for example a token."""
        if secret:
            self._secrets.add(secret)

    def __call__(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{MASK}", text)
        return _ELEVEN_DIGITS.sub(lambda found: MASK if fodselsnummer.is_valid(found[0]) else found[0], text)

    def excerpt(self, text: str) -> str:
        """Masked, and short enough for the log book. NUL is dropped: databases refuse it."""
        masked = self(text[: 16 * EXCERPT].replace("\x00", ""))
        return masked if len(masked) <= EXCERPT else masked[: EXCERPT - 1] + "…"
