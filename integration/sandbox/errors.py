"""What goes wrong, in Go's two families of error bodies (reference §4): the application's and the gateway's."""

from typing import Any


class GoError(Exception):
    """A refusal: the whole act is rolled back and `body` is sent with `status`; no body at all when it is None."""

    def __init__(self, status: int, body: dict[str, Any] | None = None) -> None:
        """An answer that is not a success."""
        super().__init__(status, body)
        self.status = status
        self.body = body


def problem(status: int, title: str, detail: str) -> GoError:
    """An application error: ProblemDetails with lower-case members (reference §4.2)."""
    return GoError(status, {"title": title, "status": status, "detail": detail})


def invalid(entity: str, detail: str, status: int = 400) -> GoError:
    """`<Entity> validation error(s)`: 400, or 404 when a body refers to something that does not exist."""
    return problem(status, f"{entity} validation error(s)", detail)


def missing(detail: str) -> GoError:
    """An id in the path or in a filter does not exist."""
    return problem(404, "Object(s) not found", detail)


def gateway(status: int, message: str) -> GoError:
    """An error from the gateway in front of Go (reference §4.3)."""
    return GoError(status, {"statusCode": status, "message": message})


class ActRefused(Exception):
    """The accountant or the control surface cannot do this; the message is one clear sentence."""
