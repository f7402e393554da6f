"""Where things are: Go's API at `/v2` and `/Demo/v2`, its tokens, the control surface, and the accountant's pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from integration.sandbox import control, integration_info, invoices, orders, pages, registers, tokens, transport
from integration.sandbox.errors import gateway

API = (integration_info, registers, orders, invoices)
"""Importing these declares their endpoints."""
View = Callable[..., HttpResponse]


def token(request: HttpRequest, demo: str = "") -> HttpResponse:
    """The token endpoint of one environment."""
    return tokens.token(request, "demo" if demo else "production")


def api(request: HttpRequest, rest: str, demo: str = "") -> HttpResponse:
    """The API of one environment."""
    return transport.call_api(request, rest, "demo" if demo else "production")


def page(shown: View | None = None, pressed: View | None = None) -> View:
    """One view to look at, one for its buttons."""

    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        chosen = pressed if request.method == "POST" else shown
        if chosen is None:
            return transport.refusal(gateway(404, "Resource not found"))
        return pages.guarded(chosen)(request, **kwargs)

    return view


urlpatterns = [
    re_path(r"^(?i:(?P<demo>demo/)?oauth/token)/?$", token),
    re_path(r"^(?i:(?P<demo>demo/)?v2/)(?P<rest>.*)$", api),
    path("_control/<path:path>", control.control),
    path("", page(pages.home)),
    path("reset", page(pressed=pages.reset_all)),
    path("settings", page(pages.settings_page)),
    path("switches", page(pressed=pages.change_switches)),
    path("faults", page(pages.faults_page, pages.change_faults)),
    path("requests", page(pages.requests_page, pages.forget_requests)),
    path("c/<int:number>/settings", page(pages.settings_page)),
    path("c/<int:number>/do/<str:act>", page(pressed=pages.do)),
    path("orders/<uuid:pk>", page(pages.any_page)),
    path("c/<int:number>/orders/<uuid:pk>", page(pages.order_page)),
    path("c/<int:number>/invoices/<uuid:pk>", page(pages.invoice_page)),
    *(
        path(f"c/<int:number>/{tab}", page(pages.company_list), {"tab": tab})
        for tab in ("drafts", "sent", "unpaid", "paid")
    ),
]
