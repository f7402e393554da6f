"""Remote errors. Each answers one question: what next?

    RemoteError
    |-- TemporaryError             nothing was done; try again later
    |   |-- Throttled              429, or our own pace says wait; `retry_after` seconds
    |   `-- Unavailable            refused connection, 5xx on a read, an unreadable answer to a read
    |-- InDoubt                    a write left us and its outcome is unknown; look before trying again
    |-- PermanentError             a person must mend the data
    |   |-- NotFound               the remote application says that an id or code does not exist
    |   |-- Conflict               409: the object's state forbids it
    |   `-- Refused                any other 4xx: validation, duplicates
    `-- ConfigurationError         a person must mend keys or rights; stop the company
        |-- KeyRejected            the client key (or application key) is not accepted
        |-- SubscriptionKeyRejected  the installation's subscription key is not accepted
        `-- PrivilegeMissing       403, or a missing grant

Anything else that is raised is our own fault.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """What the remote system said: for people and their support. Already redacted."""

    method: str = ""
    path: str = ""
    status: int | None = None
    request_id: str = ""
    title: str = ""
    detail: str = ""
    request_excerpt: str = ""
    answer_excerpt: str = ""


class RemoteError(Exception):
    """Base. `message` is for a bookkeeper: what happened and what to do; `evidence` is what the remote said."""

    def __init__(self, message: str, evidence: Evidence | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.evidence = evidence or Evidence()


class TemporaryError(RemoteError):
    """Nothing was done; try again later, not before `retry_after` seconds where they are known."""

    def __init__(self, message: str, evidence: Evidence | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message, evidence)
        self.retry_after = retry_after


class Throttled(TemporaryError):
    """Too many requests; nothing was done."""

    def __init__(self, message: str, evidence: Evidence | None = None, *, retry_after: float = 1.0) -> None:
        super().__init__(message, evidence, retry_after=retry_after)


class Unavailable(TemporaryError):
    """The remote system cannot be reached, or answered a read with something unusable."""


class InDoubt(RemoteError):
    """A write was sent and its outcome is unknown: look it up, never send it again blindly."""


class PermanentError(RemoteError):
    """Refused: trying again as it is will not help."""


class NotFound(PermanentError):
    """The remote application (not its gateway) says that something does not exist."""


class Conflict(PermanentError):
    """The object's state forbids it."""


class Refused(PermanentError):
    """Refused by validation."""


class ConfigurationError(RemoteError):
    """Keys or rights: nothing will work for this company until a person mends them."""


class KeyRejected(ConfigurationError):
    """The pair of application key and client key is not accepted."""


class SubscriptionKeyRejected(ConfigurationError):
    """The subscription key is missing or wrong."""


class PrivilegeMissing(ConfigurationError):
    """The integration lacks a privilege, or the company lacks the module it needs."""
