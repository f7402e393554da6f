"""Headers that neither Django nor django-csp sends."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

RULES: Final = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""No page of ours needs a device of the visitor, and no page of others needs ours."""


def browser_rules(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Adds them to every answer, static files included."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in RULES.items():
            response.headers.setdefault(name, value)
        return response

    return middleware
