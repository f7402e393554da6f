"""What PowerOffice Go says when it refuses (reference §4), and what that means for us."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from integration.clients import json_text
from integration.clients.http import Answer
from integration.clients.poweroffice.values import text
from integration.errors import (
    ConfigurationError,
    Conflict,
    Evidence,
    KeyRejected,
    NotFound,
    PrivilegeMissing,
    Refused,
    RemoteError,
    SubscriptionKeyRejected,
)


@dataclass(frozen=True)
class Words:
    """An error body. `title` means the application spoke, `message` the gateway in front of it (reference §4)."""

    title: str = ""
    detail: str = ""
    message: str = ""
    error: str = ""
    error_description: str = ""

    @property
    def from_application(self) -> bool:
        return bool(self.title or self.detail)

    def __str__(self) -> str:
        parts = (
            [self.title, self.detail]
            if self.from_application
            else [self.message or self.error_description or self.error]
        )
        return ": ".join(part.strip().rstrip(".") for part in parts if part.strip())


def words_of(content: bytes) -> Words:
    """Whatever of the three families of error bodies this is, member names in any case; else empty words."""
    try:
        body = json_text.loads(content)
    except ValueError:
        return Words()
    if not isinstance(body, dict):
        return Words()
    members = {str(name).lower(): value for name, value in body.items()}
    problems = members.get("errors")
    listed = ""
    if isinstance(problems, dict):
        listed = "; ".join(f"{name}: {_joined(texts)}" for name, texts in problems.items())
    return Words(
        title=text(members.get("title")),
        detail=text(members.get("detail")) or listed,
        message=text(members.get("message")),
        error=text(members.get("error")),
        error_description=text(members.get("error_description")),
    )


def _joined(texts: object) -> str:
    return (
        " ".join(str(item) for item in texts)
        if isinstance(texts, Sequence) and not isinstance(texts, str)
        else str(texts)
    )


def refusal(answer: Answer) -> RemoteError:
    """An answer of Go that is a plain no. `title` tells the application from the gateway (reference §4.3)."""
    words = words_of(answer.content)
    evidence = replace(answer.evidence, title=words.title[:300], detail=(words.detail or words.message)[:2000])
    what, says = answer.what, str(words)
    if answer.status == 401:
        if "subscription key" in words.message.lower():
            return SubscriptionKeyRejected(
                f"{what}: PowerOffice Go does not accept this installation's subscription key. "
                "Whoever runs it must correct GO_SUBSCRIPTION_KEY.",
                evidence,
            )
        return _key_rejected(what, evidence)
    if answer.status == 403 or (answer.status == 400 and words.title.strip().lower() == "missing privilege"):
        return PrivilegeMissing(
            f"{what}: PowerOffice Go says that the integration lacks the right to do this"
            + (f" ({says}). " if says else ". ")
            + "Test the connection of the Go company: it lists the missing privileges. PowerOffice grants privileges, "
            "and the company must subscribe to the module they belong to.",
            evidence,
        )
    if answer.status == 404:
        if not words.from_application:
            return ConfigurationError(
                f"{what}: there is no such address at PowerOffice Go. "
                "Whoever runs this installation must check GO_API_URL; if it is right, this is a fault in Fakturabro.",
                evidence,
            )
        return NotFound(f"{what}: PowerOffice Go does not find what was named: {says}.", evidence)
    if answer.status == 409:
        return Conflict(
            f"{what}: PowerOffice Go cannot do it in the present state: {says or 'no reason given'}.", evidence
        )
    return Refused(f"{what}: PowerOffice Go refuses: {says or f'error {answer.status}'}.", evidence)


def token_refusal(answer: Answer) -> RemoteError:
    """A no from the token endpoint (RFC 6749): wrong keys, or our own fault."""
    words = words_of(answer.content)
    error = refusal(answer)
    if isinstance(error, SubscriptionKeyRejected):
        return error
    evidence = replace(error.evidence, title=words.error or error.evidence.title, detail=str(words))
    if answer.status in {401, 403} or words.error in {"invalid_client", "invalid_grant", "unauthorized_client"}:
        return _key_rejected(answer.what, evidence)
    return ConfigurationError(
        f"{answer.what}: PowerOffice Go refuses ({str(words) or f'error {answer.status}'}). "
        "Whoever runs this installation must check GO_TOKEN_URL and GO_APPLICATION_KEY.",
        evidence,
    )


def _key_rejected(what: str, evidence: Evidence) -> KeyRejected:
    return KeyRejected(
        f"{what}: PowerOffice Go does not accept the company's client key. "
        "Somebody may have removed the extension there. "
        "Make a new key in Go under Settings, Extensions, and enter it on the Go company.",
        evidence,
    )
