"""Faults: which request gets which (row 14), and how it shows on the line. `control.py` lists the kinds."""

import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from django.http import HttpResponse

from integration.sandbox.errors import ActRefused
from integration.sandbox.models import FaultPlan
from integration.sandbox.wire import decimal_of, dumps

DROP_BEFORE, DROP_AFTER = "drop_before_commit", "drop_after_commit"
ERROR_BEFORE, ERROR_AFTER = "error_500_before_commit", "error_500_after_commit"
UNAVAILABLE_BEFORE, UNAVAILABLE_AFTER = "unavailable_503_before_commit", "unavailable_503_after_commit"
THROTTLED, UNAUTHORIZED, FORBIDDEN, SLOW = "throttled_429", "unauthorized_401", "forbidden_403", "slow"
MALFORMED, HTML, EMPTY = "malformed_json_after_commit", "html_after_commit", "empty_after_commit"
KINDS = (
    DROP_BEFORE, DROP_AFTER, ERROR_BEFORE, ERROR_AFTER, UNAVAILABLE_BEFORE, UNAVAILABLE_AFTER,
    THROTTLED, UNAUTHORIZED, FORBIDDEN, SLOW, MALFORMED, HTML, EMPTY,
)  # fmt: skip
READS = {"GET", "HEAD"}


class ConnectionDropped(Exception):
    """In process there is no socket to shut down: a test adapter turns this into a connection error."""


@dataclass(frozen=True)
class Fault:
    """What happens to one request."""

    kind: str
    options: dict[str, Any] = field(default_factory=dict)


def plan_from(body: dict[str, Any]) -> FaultPlan:
    """A plan as `POST /_control/faults` describes it, not saved; ActRefused says what is wrong."""
    is_random = bool(body.get("random", False))
    kinds = body.get("kinds") if is_random else [body.get("kind")]
    if not isinstance(kinds, list) or not kinds or any(kind not in KINDS for kind in kinds):
        raise ActRefused(f"A fault is one of {', '.join(KINDS)}.")
    if body.get("commit", "before") not in {"before", "late"}:
        raise ActRefused("commit is before or late: whether a slow answer was written down before the wait.")
    try:
        whole = {
            name: int(decimal_of(body.get(name, start))) for name, start in (("skip", 0), ("count", 1), ("seed", 0))
        }
        rates = {name: decimal_of(body.get(name, 0)) for name in ("rate", "read_rate")}
        seconds = decimal_of(body.get("seconds", 2))
        burst_seconds = decimal_of(body.get("burst_seconds", 0))
    except ValueError as error:
        raise ActRefused(f"The plan has a bad number: {error}.") from error
    numbers = [*map(Decimal, whole.values()), *rates.values(), seconds, burst_seconds]
    if min(numbers) < 0 or max(rates.values()) > 1:
        raise ActRefused("Counts and seconds are not negative, and rates lie between 0 and 1.")
    return FaultPlan(
        random=is_random,
        kinds=kinds,
        method=str(body.get("method", "*")).upper(),
        path=str(body.get("path", "*")),
        skip=whole["skip"],
        left=whole["count"],
        seed=whole["seed"],
        rate=rates["rate"],
        read_rate=rates["read_rate"],
        options={
            "seconds": seconds,
            "burst_seconds": burst_seconds,
            "commit": body.get("commit", "before"),
            "retry_after": body.get("retry_after"),
        },
    )


def plan_words(plan: FaultPlan) -> dict[str, Any]:
    """A plan as `GET /_control/faults` shows it."""
    words: dict[str, Any] = {"id": plan.pk, "random": plan.random, "hits": plan.hits}
    if plan.random:
        words |= {"kinds": plan.kinds, "rate": str(plan.rate), "read_rate": str(plan.read_rate), "seed": plan.seed}
    else:
        words |= {"kind": plan.kinds[0], "skip": plan.skip, "left": plan.left}
    options = {name: str(value) if isinstance(value, Decimal) else value for name, value in plan.options.items()}
    return {**words, "method": plan.method, "path": plan.path, **options}


def choose(method: str, path: str, route: str, at_ms: int) -> Fault | None:
    """The fault of this request, if any; counts it in its plan. To be called inside one act."""
    for plan in FaultPlan.objects.select_for_update().order_by("pk"):
        wanted = plan.path.lower()
        if plan.method not in {"*", method} or not (
            fnmatchcase(path.lower(), wanted) or route.lower() == f"{method} {wanted}".lower()
        ):
            continue
        kind: str | None = THROTTLED
        if at_ms >= plan.options.get("burst_until_ms", 0):
            kind = drawn(plan, method, route) if plan.random else counted(plan)
            if kind == THROTTLED and plan.options.get("burst_seconds"):
                plan.options["burst_until_ms"] = at_ms + round(plan.options["burst_seconds"] * 1000)
        plan.hits += kind is not None
        plan.save(update_fields=["skip", "left", "drawn", "hits", "options"])
        if kind is not None:
            return Fault(kind, plan.options)
    return None


def counted(plan: FaultPlan) -> str | None:
    """An exact plan: skip some, then hit some."""
    if plan.skip:
        plan.skip -= 1
        return None
    if not plan.left:
        return None
    plan.left -= 1
    return str(plan.kinds[0])


def drawn(plan: FaultPlan, method: str, route: str) -> str | None:
    """A random plan: the same seed gives the same faults at the same numbers."""
    plan.drawn += 1
    dice = random.Random(f"{plan.seed}:{plan.drawn}")  # noqa: S311 - a game of dice, nothing secret
    rate = plan.read_rate if method in READS or route.endswith("/OAuth/Token") else plan.rate
    return str(dice.choice(plan.kinds)) if dice.random() < rate else None


def play(fault: Fault, environ: dict[str, Any], run: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with the fault: `run` does the real work and commits, unless the fault comes before it."""
    sleep: Callable[[float], object] = environ.get("sandbox.sleep", time.sleep)
    late = fault.kind == SLOW and fault.options.get("commit") == "late"
    if fault.kind == DROP_BEFORE:
        drop(environ)
    if fault.kind == ERROR_BEFORE:
        return unexpected(500)
    if fault.kind == UNAVAILABLE_BEFORE:
        return unexpected(503)
    if late:
        sleep(float(fault.options["seconds"]))
    response = run()
    if fault.kind == SLOW and not late:
        sleep(float(fault.options["seconds"]))
    if fault.kind == DROP_AFTER:
        drop(environ)
    if fault.kind == ERROR_AFTER:
        return unexpected(500)
    if fault.kind == UNAVAILABLE_AFTER:
        return unexpected(503)
    if fault.kind == MALFORMED:
        return HttpResponse(
            response.content[: len(response.content) // 2] + b"{", "application/json", response.status_code
        )
    if fault.kind == HTML:
        return HttpResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html", response.status_code)
    if fault.kind == EMPTY:
        return HttpResponse(b"", "application/json", response.status_code)
    return response


def unexpected(status: int) -> HttpResponse:
    """An answer that does not say whether anything was done."""
    title = {500: "An unexpected error occurred", 503: "Service unavailable"}[status]
    return HttpResponse(dumps({"title": title, "status": status}), "application/json", status)


def drop(environ: dict[str, Any]) -> None:
    """The line goes dead: the client sees a reset connection and no answer."""
    line = environ.get("gunicorn.socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        line.shutdown(socket.SHUT_RDWR)
    raise ConnectionDropped
