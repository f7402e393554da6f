"""`POST /OAuth/Token`: the keys for an access token (reference §2, rows 1-3). It lies outside `/v2`."""

import base64
import datetime as dt
import secrets
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from integration.sandbox.errors import GoError, gateway
from integration.sandbox.models import Company, Token, one_act
from integration.sandbox.switches import Switches
from integration.sandbox.transport import basic_credentials, rights_of, through_gateway
from integration.sandbox.wire import dumps

TOKEN_PATH = "/OAuth/Token"  # noqa: S105 - a path


def token(request: HttpRequest, environment: str) -> HttpResponse:
    """Answer a token request; errors follow RFC 6749."""

    def run(switches: Switches) -> HttpResponse:
        if request.method != "POST":
            raise gateway(404, "Resource not found")
        return HttpResponse(dumps(issued(request, environment, switches)), "application/json; charset=utf-8")

    return through_gateway(request, TOKEN_PATH, f"{request.method} {TOKEN_PATH}", run)


def refused(error: str, description: str) -> GoError:
    """400 in the words of RFC 6749."""
    return GoError(400, {"error": error, "error_description": description})


def issued(request: HttpRequest, environment: str, switches: Switches) -> dict[str, Any]:
    """A new token for application key and client key, or the reason why not."""
    credentials = basic_credentials(request)
    if credentials is None:
        raise refused("invalid_request", "The Authorization header must hold application key and client key.")
    if request.POST.get("grant_type") != "client_credentials":
        raise refused("unsupported_grant_type", "The grant type must be client_credentials.")
    application_key, client_key = credentials
    company = company_of(client_key, environment)
    if company is None or application_key not in switches["application_keys"]:
        raise refused(
            "invalid_client",
            "Client integration not found. Please ensure the provided keys are matching the desired environment.",
        )
    lifetime = switches["token_lifetime_seconds"]
    moment = timezone.now() + switches.state.clock_offset
    signature = secrets.token_urlsafe(32)
    with one_act():
        Token.objects.filter(expires_at__lte=moment).delete()
        Token.objects.create(
            signature=signature,
            company=company,
            application_key=application_key,
            environment=environment,
            expires_at=moment + dt.timedelta(seconds=lifetime),
        )
    value = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims(company, moment, lifetime))}.{signature}"
    return {"access_token": value, "token_type": "bearer", "expires_in": lifetime}


def company_of(client_key: str, environment: str) -> Company | None:
    """The company whose client key this is, if it is good in this environment."""
    try:
        key = UUID(client_key)
    except ValueError:
        return None
    company = Company.objects.filter(client_key=key, revoked=False).first()
    return company if company and company.environment in {"both", environment} else None


def part(content: dict[str, Any]) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(dumps(content).encode()).rstrip(b"=").decode()


def claims(company: Company, moment: dt.datetime, lifetime: int) -> dict[str, Any]:
    """What is inside the token (reference §2.3); for looking, not for building on."""
    good, bad = rights_of(company)
    return {
        "goClientId": str(company.client_id),
        "goClientName": company.name,
        "goActiveClientSubscriptions": company.subscriptions,
        "role": good,
        "goInvalidPrivileges": bad,
        "goAllowSendInvoice": str(company.allow_send),
        "exp": int(moment.timestamp()) + lifetime,
    }
