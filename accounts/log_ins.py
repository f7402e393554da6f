"""The door: who came in, who was refused, and when the door stays shut.

django-axes counts failures in the database, so all machines know of them. Wrong codes of the second factor count as
wrong passwords do. Nobody can shut out a colleague for long: what is counted first is a person *from one place*.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import second_factor
from accounts.models import FailedLogIn, Session, User
from accounts.tasks import tell_person
from accounts.visitors import address_of, browser_of

logger = logging.getLogger(__name__)

TIMES: Final = {("username", "ip_address"): 1, ("ip_address",): 4, ("username",): 10}
"""By what failures are counted, and how many times `LOCKOUT_FAILURES` shut the door: one person from one place, one
place whoever it says to be, one person wherever from."""

# In the session
STANDING: Final = "second_factor"
PASSED, ASK, SET_UP, NOT_NEEDED = "passed", "ask", "set up", "not needed"
LOGGED_IN_AT: Final = "logged_in_at"
SEEN_AT: Final = "seen_at"
"""Seconds since 1970."""
PLACE, BROWSER = "place", "browser"
"""Where somebody was when last seen."""


def name_typed(_request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """Whom failures are counted for. What is no e-mail address is not kept: it may be a password in the wrong box."""
    typed = str((credentials or {}).get("username") or "").strip().lower()
    return typed[:254] if "@" in typed else "(no e-mail address)"


class Door(AxesDatabaseHandler):  # type: ignore[misc] # axes has no types
    """Counts failures, writes the log, and tells the person when the door shuts."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """How near to shutting: the largest of the three counts, each by its own measure."""
        return max(
            (attempts.aggregate(many=Sum("failures_since_start"))["many"] or 0) // times
            for attempts, times in zip(self.get_user_attempts(request, credentials), TIMES.values(), strict=True)
        )

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any
    ) -> None:
        if request is None:  # a check of a password in a program: nobody is at the door
            return
        was_shut = self.is_locked(request, credentials)
        super().user_login_failed(sender, credentials, request, **more)
        name = name_typed(request, credentials)
        what = credentials.get("what", "password")
        logger.warning("Log-in failed: wrong %s for %r from %s", what, name, address_of(request))
        if not was_shut and request.axes_locked_out:  # type: ignore[attr-defined] # noted by axes
            logger.warning("Locked out after repeated failures: %r from %s", name, address_of(request))
            person = User.objects.filter(email=name, is_active=True).first()
            if person is not None:
                tell_person.delay_on_commit(person_id=person.pk, notice="locked_out")  # type: ignore[attr-defined]

    def user_logged_in(self, sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
        """The password was right. Whether that is enough is decided here, once, and kept in the session."""
        super().user_logged_in(sender, request, user, **more)
        now = int(timezone.now().timestamp())
        request.session[LOGGED_IN_AT] = now
        note_visit(request, now)
        Session.objects.filter(person=user, expire_date__lt=timezone.now()).delete()
        if second_factor.is_set_up(user):
            request.session[STANDING] = ASK
        else:
            request.session[STANDING] = SET_UP if second_factor.must_have(user) else NOT_NEEDED
        logger.info("Logged in with password: %s (person %s) from %s", user, user.pk, address_of(request))
        if request.session[STANDING] == NOT_NEEDED:
            self.forget_failures(request, user)

    def user_logged_out(self, sender: Any, request: HttpRequest, user: User | None, **more: Any) -> None:
        super().user_logged_out(sender, request, user, **more)
        logger.info("Logged out: %s from %s", user, address_of(request))

    def forget_failures(self, request: HttpRequest, user: User) -> None:
        """Only now, with all that is needed: somebody who knows the password must not start counting anew by it."""
        where = address_of(request)
        if where:  # without one, axes would forget what came from everywhere else
            self.reset_attempts(username=user.email, ip_address=where)


def note_visit(request: HttpRequest, now: int) -> None:
    """When and from where somebody is here, for the list of their log-ins."""
    request.session.update({SEEN_AT: now, PLACE: address_of(request), BROWSER: browser_of(request)})


def why_over(session: Mapping[str, Any], now: datetime) -> str:
    """Why a log-in has ended by itself, for the person; empty while it goes on."""
    seconds = int(now.timestamp())
    if seconds - session.get(SEEN_AT, seconds) >= settings.SESSION_IDLE_MINUTES * 60:
        return f"You were logged out after {settings.SESSION_IDLE_MINUTES} minutes without a click."
    if seconds - session.get(LOGGED_IN_AT, seconds) >= settings.SESSION_HOURS * 3600:
        return f"You were logged out: a log-in ends after {settings.SESSION_HOURS} hours."
    return ""


def is_shut(request: HttpRequest, user: User) -> bool:
    """Whether this person may not even try from here."""
    return bool(AxesProxyHandler.is_locked(request, {"username": user.email}))


def pass_second_factor(request: HttpRequest, user: User) -> None:
    """In for good, with a new session key."""
    request.session.cycle_key()
    request.session[STANDING] = PASSED
    AxesProxyHandler.get_implementation().forget_failures(request, user)
    logger.info("Second factor passed: %s (person %s) from %s", user, user.pk, address_of(request))


def shut_page(request: HttpRequest, *_: Any) -> HttpResponse:
    """What somebody sees who may not try any more for now."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return render(request, "429.html", {"minutes": minutes}, status=429)


@dataclass(frozen=True)
class ShutOut:
    """A door that is shut now. `who` or `where` is empty where it does not matter."""

    who: str
    where: str
    failures: int
    until: datetime


def shut_out(now: datetime) -> list[ShutOut]:
    """All doors that are shut now, the one that opens last first. One query for each of the three counts."""
    recent = FailedLogIn.objects.filter(attempt_time__gte=now - settings.AXES_COOLOFF_TIME).order_by()
    found = []
    for by, times in TIMES.items():
        groups = recent.values(*by).annotate(many=Sum("failures_since_start"), last=Max("attempt_time"))
        found += [
            ShutOut(
                who=group.get("username") or "",
                where=group.get("ip_address") or "",
                failures=group["many"],
                until=group["last"] + settings.AXES_COOLOFF_TIME,
            )
            for group in groups.filter(many__gte=times * settings.AXES_FAILURE_LIMIT)
        ]
    return sorted(found, key=lambda each: each.until, reverse=True)
