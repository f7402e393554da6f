"""What is done with every request of a person."""

import logging
from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.log_ins import ASK, SEEN_AT, SET_UP, STANDING, note_visit, why_over
from accounts.visitors import asked, visitor

logger = logging.getLogger(__name__)

Answers = Callable[[HttpRequest], HttpResponse]


TOUCH_EVERY: Final = 60
"""Seconds between two notes of when somebody was last here: one write a minute and person, not one a click."""


def end_old_log_ins(get_response: Answers) -> Answers:
    """Logs out who has not clicked for long, and everybody once in a while. Costs no query."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY not in request.session:
            return get_response(request)
        now = timezone.now()
        why = why_over(request.session, now)
        if why:
            logout(request)
            messages.warning(request, f"{why} What was not saved is lost.")
            return redirect_to_login(request.get_full_path() if request.method == "GET" else reverse("admin:index"))
        if now.timestamp() - request.session[SEEN_AT] >= TOUCH_EVERY:
            note_visit(request, int(now.timestamp()))
        return get_response(request)

    return middleware


def ask_for_second_factor(get_response: Answers) -> Answers:
    """Whoever has shown a password only sees the page that asks for the rest, and nothing else. Costs no query."""

    def middleware(request: HttpRequest) -> HttpResponse:
        standing = request.session.get(STANDING) if SESSION_KEY in request.session else None
        if standing not in {ASK, SET_UP}:
            return get_response(request)
        page = reverse("second_factor" if standing == ASK else "set_up_second_factor")
        if request.path in {page, reverse("admin:logout")}:
            return get_response(request)
        wanted = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect_to_login(wanted, page)

    return middleware


def log_refusals(get_response: Answers) -> Answers:
    """Writes down who was refused what, and from where."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 403:
            logger.warning("Refused: %s by %s", asked(request), visitor(request))
        return response

    return middleware
