"""Where things are: Go's API at `/v2` and `/Demo/v2`, its tokens, the control surface, and the accountant's pages."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from integration.sandbox import control, integration_info, invoices, orders, registers, tokens, transport

API = (integration_info, registers, orders, invoices)
"""Importing these declares their endpoints."""


def token(request: HttpRequest, demo: str = "") -> HttpResponse:
    """The token endpoint of one environment."""
    return tokens.token(request, "demo" if demo else "production")


def api(request: HttpRequest, rest: str, demo: str = "") -> HttpResponse:
    """The API of one environment."""
    return transport.call_api(request, rest, "demo" if demo else "production")


urlpatterns = [
    re_path(r"^(?i:(?P<demo>demo/)?oauth/token)/?$", token),
    re_path(r"^(?i:(?P<demo>demo/)?v2/)(?P<rest>.*)$", api),
    path("_control/<path:path>", control.control),
]
