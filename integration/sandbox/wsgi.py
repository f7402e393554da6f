"""The WSGI callable of the sandbox: its own way in, whatever the surrounding settings say of URLs and middleware.

It runs alone under gunicorn, and inside the house's test process. There it must not disturb: it sends no request
signals, sets no URL prefix, and looks after one database connection only, its own.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import Http404, HttpResponse
from django.urls import resolve

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_sandbox")
    django.setup()

# The models need the apps to be ready.
from integration.sandbox.errors import gateway
from integration.sandbox.faults import ConnectionDropped
from integration.sandbox.models import alias
from integration.sandbox.seed import seed_demo
from integration.sandbox.transport import refusal

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class SandboxApplication:
    """PowerOffice Go, its control surface and its pages."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; `faults.ConnectionDropped` comes out of here when there is no socket to shut down."""
        if not connections[alias()].in_atomic_block:  # a test wraps its transaction around us
            connections[alias()].close_if_unusable_or_obsolete()
        request = WSGIRequest(environ)
        length = environ.get("CONTENT_LENGTH") or ""
        rest = -1 if environ.get("wsgi.input_terminated") else 0
        request._body = environ["wsgi.input"].read(int(length) if length.isdecimal() else rest)  # no limit of settings
        try:
            response = self.answer(request)
        except ConnectionDropped:
            if "gunicorn.socket" not in environ:
                raise
            response = HttpResponse()  # the line is dead: nobody reads it
        finally:
            request.close()
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]

    def answer(self, request: WSGIRequest) -> HttpResponse:
        """Find the view in the sandbox's own URLs."""
        try:
            found = resolve(request.path_info, "integration.sandbox.urls")
        except Http404:
            return refusal(gateway(404, "Resource not found"))
        response: HttpResponse = found.func(request, *found.args, **found.kwargs)
        if "Content-Length" not in response:
            response["Content-Length"] = str(len(response.content))
        return response


if getattr(settings, "SANDBOX_SEEDS_ITSELF", False):
    seed_demo()
application = SandboxApplication()
