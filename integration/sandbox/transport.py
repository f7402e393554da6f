"""The way of a call through the gateway into Go: count, throttle, faults, keys, rights, query, act, answer.

Endpoints are declared beside what they do, with `@endpoint`. Reads run as they are; a write runs in one transaction
with the company locked, so it happens whole or not at all, and an error after it cannot half-undo it.
"""

import base64
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from integration.sandbox import faults, lists
from integration.sandbox.books import Books, locked_company
from integration.sandbox.errors import GoError, gateway, invalid, problem
from integration.sandbox.faults import ConnectionDropped, Fault
from integration.sandbox.fields import read_body
from integration.sandbox.models import Company, Hit, Token, one_act
from integration.sandbox.sending import let_time_work
from integration.sandbox.switches import Switches, read_state
from integration.sandbox.wire import dumps

__all__ = ["Answer", "Call", "ConnectionDropped", "call_api", "endpoint"]

log = logging.getLogger("integration.sandbox")
SUBSCRIPTION_HEADER = "Ocp-Apim-Subscription-Key"
COMPLETE = "POST /SalesOrders/Complete"


@dataclass
class Answer:
    """A success: status, body (None: no body) and headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One authenticated call: whose books, the ids in its path, its query and its body."""

    books: Books
    request: HttpRequest
    ids: dict[str, Any]
    query: dict[str, Any]
    base_url: str

    def body(self, entity: str) -> Any:
        """The JSON body; 400 when it is none."""
        return read_body(self.request.body, entity)


Handler = Callable[[Call], "Answer | list[dict[str, Any]]"]


@dataclass(frozen=True)
class Endpoint:
    """A method and path, who may call it, and which query parameters it knows."""

    method: str
    path: str
    handler: Handler
    privileges: tuple[str, ...]
    parameters: dict[str, str]
    later_parameters: frozenset[str]
    members: frozenset[str]
    pattern: re.Pattern[str]

    @property
    def route(self) -> str:
        """How it is counted: `GET /Customers/{id}`."""
        return f"{self.method} {re.sub(':[a-z]+', '', self.path)}"


ENDPOINTS: list[Endpoint] = []


def endpoint(
    method: str,
    path: str,
    *privileges: str,
    parameters: dict[str, str] | None = None,
    later: frozenset[str] = frozenset(),
    members: frozenset[str] = frozenset(),
) -> Callable[[Handler], Handler]:
    """Declare a handler. `privileges` are base names: X or X_Full reads, X_Full writes; none: a token is enough.

    `parameters` maps query names to kinds of `lists.parse`; `later` are those of the 2026 document (row 25);
    with `members` it is a list: the handler gives rows, and Fields, OrderBy and paging are done here.
    """

    def declare(handler: Handler) -> Handler:
        pattern = re.sub(r"\{(\w+):(\w+)\}", r"(?P<\1>[^/]+)", path)
        allowed = {**(parameters or {}), **(lists.LIST_PARAMETERS if members else {})}
        ENDPOINTS.append(
            Endpoint(
                method, path, handler, privileges, allowed, later, members, re.compile(f"{pattern}/?", re.IGNORECASE)
            )
        )
        ENDPOINTS.sort(key=lambda each: each.path.count("{"))
        return handler

    return declare


def matching(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint of a path below `/v2`, in any case of letters (row 7)."""
    for each in ENDPOINTS:
        if each.method == method and (found := each.pattern.fullmatch(path)):
            return each, found.groupdict()
    return None


@dataclass
class Arrival:
    """What the gateway decided when a request came in."""

    switches: Switches
    hit: Hit
    throttled: bool
    over_ceiling: bool
    fault: Fault | None


def arrive(request: HttpRequest, path: str, route: str) -> Arrival:
    """Count the request, see whether it is one too many, and draw its fault; one short act."""
    at_ms = time.time_ns() // 1_000_000
    key = subscription_key(request)
    with one_act():
        switches = Switches(read_state(lock=True))
        limit, is_token = switches["rate_limit_per_second"], route.endswith("/OAuth/Token")
        span = max(round(switches["rate_window_seconds"] * 1000), 1)
        start = at_ms - span if switches["rate_window"] == "sliding" else at_ms // span * span - 1
        window = Hit.objects.filter(subscription_key=key, at_ms__gt=start, throttled=False)
        if not switches["token_calls_count"]:
            window = window.exclude(route="POST /OAuth/Token")
            limit = 0 if is_token else limit
        throttled = bool(limit) and window.count() >= limit
        fault = None if throttled else faults.choose(request.method or "", path, route, at_ms)
        throttled = throttled or (fault is not None and fault.kind == faults.THROTTLED)
        ceiling = switches["complete_per_second"] if route == COMPLETE else 0
        over = bool(ceiling) and Hit.objects.filter(at_ms__gt=start, route=route, status__lt=300).count() >= ceiling
        hit = Hit.objects.create(at_ms=at_ms, subscription_key=key, route=route, throttled=throttled)
    return Arrival(switches, hit, throttled, over, fault)


def subscription_key(request: HttpRequest) -> str:
    """From the header, or from the query as the gateway also allows."""
    return (request.headers.get(SUBSCRIPTION_HEADER) or request.GET.get("subscription-key") or "")[:100]


def through_gateway(
    request: HttpRequest, path: str, route: str, run: Callable[[Switches], HttpResponse]
) -> HttpResponse:
    """Everything the gateway does around a call or a token request, faults included; counts the answer."""
    arrival = arrive(request, path, route)
    status = 0
    try:
        response = guarded(request, arrival, run)
        status = response.status_code
        return response
    finally:
        Hit.objects.filter(pk=arrival.hit.pk).update(status=status)


def guarded(request: HttpRequest, arrival: Arrival, run: Callable[[Switches], HttpResponse]) -> HttpResponse:
    """The answer of the gateway, or of what is behind it."""
    switches, fault = arrival.switches, arrival.fault

    def work() -> HttpResponse:
        try:
            return run(switches)
        except GoError as error:
            return refusal(error)
        except Exception as error:
            log.exception("%s %s broke", request.method, request.path)
            return refusal(problem(500, "An unexpected error occurred", f"{type(error).__name__}: {error}"))

    limit = switches["url_length_limit"]
    if limit and len(request.get_full_path()) > limit:
        return refusal(gateway(404, "Resource not found"))
    if subscription_key(request) not in switches["subscription_keys"]:
        word = "invalid" if subscription_key(request) else "missing"
        tail = "Make sure to include subscription key when making requests to an API."
        return refusal(gateway(401, f"Access denied due to {word} subscription key. {tail}"))
    if arrival.throttled:
        return throttled(switches, fault, arrival.hit.route)
    if arrival.over_ceiling:
        return refusal(gateway(503, "Service unavailable. Too many sales orders at once."))
    if fault is None:
        return work()
    if fault.kind == faults.UNAUTHORIZED:
        return refusal(unauthorized(switches))
    if fault.kind == faults.FORBIDDEN:
        return refusal(forbidden("The integration is not allowed to do this.", switches))
    return faults.play(fault, request.META, work)


def throttled(switches: Switches, fault: Fault | None, route: str) -> HttpResponse:
    """429 with the gateway's body; the token endpoint is documented with a status in text (reference §2.2)."""
    status: int | str = "429" if route.endswith("/OAuth/Token") else 429
    body = {"statusCode": status, "message": "Rate limit is exceeded. Try again in 1 seconds."}
    response = HttpResponse(dumps(body), "application/json", 429)
    wanted = fault.options.get("retry_after") if fault else None
    if switches["retry_after"] if wanted is None else wanted:
        response["Retry-After"] = f"{Decimal(switches['rate_window_seconds']).normalize():f}"
    return response


def refusal(error: GoError) -> HttpResponse:
    """An error as it goes out."""
    if error.body is None:
        return bare(error.status)
    return HttpResponse(dumps(error.body), "application/json; charset=utf-8", error.status)


def bare(status: int) -> HttpResponse:
    """An answer without a body."""
    response = HttpResponse(status=status)
    del response["Content-Type"]
    return response


def unauthorized(switches: Switches) -> GoError:
    """401 for a token that is missing, foreign or too old (row 5)."""
    text = "The access token is missing, expired or invalid."
    bodies = {
        "problem": {"title": "Unauthorized", "status": 401, "detail": text},
        "gateway": {"statusCode": 401, "message": text},
    }
    return GoError(401, bodies.get(switches["unauthorized_body"]))


def call_api(request: HttpRequest, path: str, environment: str) -> HttpResponse:
    """Answer a call below `/v2` or `/Demo/v2`."""
    found = matching(request.method or "", f"/{path}")
    route = found[0].route if found else f"{request.method} (no such resource)"

    def run(switches: Switches) -> HttpResponse:
        if found is None:
            raise gateway(404, "Resource not found")
        return answer(request, found[0], found[1], environment, switches)

    return through_gateway(request, f"/{path}", route, run)


def answer(
    request: HttpRequest, target: Endpoint, ids: dict[str, str], environment: str, switches: Switches
) -> HttpResponse:
    """Behind the gateway: token, rights, query, and then the endpoint itself."""
    now = timezone.now() + switches.state.clock_offset
    token = valid_token(request, environment)
    if token is None or token.expires_at <= now or token.company.revoked:
        raise unauthorized(switches)
    require_privilege(token.company, target, switches)
    path_ids = {name: parse_id(target.path, name, unquote(text)) for name, text in ids.items()}
    query = read_query(request, target, switches)
    base = origin(request) + ("/Demo/v2" if environment == "demo" else "/v2")
    books = Books(token.company, switches, now, token.application_key)
    let_time_work(books)
    call = Call(books, request, path_ids, query, base)
    if target.method == "GET":
        result = target.handler(call)
    else:
        with one_act():
            books.company = locked_company(token.company.pk)
            result = target.handler(call)
    if isinstance(result, Answer):
        return written(result)
    return page(call, target, result)


def origin(request: HttpRequest) -> str:
    """Scheme and host as the caller wrote them; no list of allowed hosts is asked."""
    return f"{request.scheme}://{request.headers.get('Host', 'localhost')}"


def valid_token(request: HttpRequest, environment: str) -> Token | None:
    """The token of the Authorization header, of this environment; production and demo do not mix (row 6)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    signature = value.strip().rpartition(".")[2]
    if scheme.lower() != "bearer" or not signature or "\x00" in signature:
        return None
    return Token.objects.select_related("company").filter(signature=signature, environment=environment).first()


def rights_of(company: Company) -> tuple[list[str], list[str]]:
    """Privileges that count, and those that do not because no module is subscribed to (reference §6).

    Which module sales needs is unknown (§19.9): here any of Accounting or the like does, and payroll needs Payroll.
    """
    good: list[str] = []
    bad: list[str] = []
    for privilege in company.privileges:
        module = "Payroll" if privilege.startswith("Payroll") else "Accounting"
        (good if module in company.subscriptions else bad).append(privilege)
    return good, bad


def require_privilege(company: Company, target: Endpoint, switches: Switches) -> None:
    """403 when neither reading nor writing right is granted and effective (row 12)."""
    if not target.privileges:
        return
    enough = {f"{name}_Full" for name in target.privileges}
    if target.method == "GET":
        enough |= set(target.privileges)
    if not enough & set(rights_of(company)[0]):
        text = f"The integration does not have any of the privileges {', '.join(sorted(enough))}."
        raise forbidden(text, switches)


def forbidden(text: str, switches: Switches) -> GoError:
    """403 (row 12)."""
    body = {"title": "Missing privilege", "status": 403, "detail": text}
    return GoError(403, body if switches["forbidden_body"] == "problem" else None)


def parse_id(path: str, name: str, text: str) -> Any:
    """An id in the path, by its declared kind; 400 when it is not of that kind."""
    kind = path.partition(f"{{{name}:")[2].partition("}")[0]
    try:
        return UUID(text) if kind == "uuid" else lists.whole(text)
    except ValueError as error:
        raise invalid("Request", f"The value '{text}' is not valid.") from error


def read_query(request: HttpRequest, target: Endpoint, switches: Switches) -> dict[str, Any]:
    """The query by the declared names, in any case of letters; an unknown parameter is 400 (row 21)."""
    refused = target.later_parameters if switches["d26_filters"] == "400" else frozenset()
    spelled = {name.lower(): name for name in target.parameters if name not in refused}
    query = {}
    for given in request.GET:
        if given.lower() == "subscription-key":
            continue
        name = spelled.get(lists.bare_name(given).lower())
        if name is None:
            raise problem(400, "Invalid query parameter", f"The query parameter '{given}' is not known.")
        value = lists.parse(name, target.parameters[name], request.GET[given])
        if value is not None:
            query[name] = value
    return query


def page(call: Call, target: Endpoint, rows: list[dict[str, Any]]) -> HttpResponse:
    """One page of a list: an array, or 204 without a body when it is empty (row 16)."""
    members = set(target.members)
    rows = lists.ordered(rows, call.query.get("OrderBy"), members)
    first, last = lists.page_bounds(call.query, call.books.switches)
    more = len(rows) > last
    rows = lists.projected(rows[first:last], call.query.get("Fields"), members, call.books.switches)
    if not rows:
        return bare(204)
    given = {name: call.request.GET[name] for name in call.request.GET}
    url = f"{origin(call.request)}{call.request.path}"
    header = lists.pagination_header(url, given, call.query, more=more)
    return written(Answer(200, rows, {"X-Pagination": header}))


def written(result: Answer) -> HttpResponse:
    """A success as it goes out."""
    if result.body is None:
        response = bare(result.status)
    elif isinstance(result.body, bytes):
        response = HttpResponse(result.body, "application/octet-stream", result.status)
    else:
        response = HttpResponse(dumps(result.body), "application/json; charset=utf-8", result.status)
    for name, value in result.headers.items():
        response[name] = value
    return response


def basic_credentials(request: HttpRequest) -> tuple[str, str] | None:
    """User name and password of Basic authentication."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None


def changed_since(query: dict[str, Any], column: str, parameter: str) -> Q:
    """`...GreaterThan` filters are exclusive (row 23)."""
    return Q(**{f"{column}__gt": query[parameter]}) if parameter in query else Q()
