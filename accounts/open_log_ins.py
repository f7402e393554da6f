"""The log-ins of a person that are open now: on which browsers, since when, from where; and ending one of them."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth import HASH_SESSION_KEY
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.log_ins import ASK, BROWSER, LOGGED_IN_AT, PLACE, SEEN_AT, SET_UP, STANDING, why_over
from accounts.models import Session, User

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenLogIn:
    """One of them. `name` says which on a page, and opens nothing."""

    name: str
    browser: str
    place: str
    since: datetime
    seen: datetime
    password_only: bool
    """The second factor is still to come."""
    here: bool
    """The one that asks."""


def name_of(session_key: str) -> str:
    """Cannot be turned back into the key."""
    return salted_hmac("accounts.open_log_ins.name_of", session_key, algorithm="sha256").hexdigest()[:32]


def open_log_ins(person: User, now: datetime, here: str | None = None) -> list[OpenLogIn]:
    """The one with the session key `here` first, then who was last seen last. One query; only the person's own.

    A session that would be refused at its next click is none: it ran out, or ended with a new password or stamp.
    """
    found = [each for _, each in _open(person, now, here)]
    return sorted(found, key=lambda each: (each.here, each.seen), reverse=True)


def end(person: User, names: Collection[str], now: datetime, here: str | None = None) -> list[OpenLogIn]:
    """End those of the person's open log-ins that have these names, except `here`; returns which.

    A request of theirs that is under way may come to its end; what it wants to note in its session finds none.
    """
    chosen = [(key, each) for key, each in _open(person, now, here) if each.name in names and not each.here]
    Session.objects.filter(person=person, session_key__in=[key for key, _ in chosen]).delete()
    return [each for _, each in chosen]


def _open(person: User, now: datetime, here: str | None) -> list[tuple[str, OpenLogIn]]:
    """With their keys."""
    if not person.is_active:
        return []
    stamp = person.get_session_auth_hash()
    found = []
    for row in Session.objects.filter(person=person, expire_date__gt=now):
        known = row.get_decoded()
        if not constant_time_compare(known.get(HASH_SESSION_KEY, ""), stamp) or why_over(known, now):
            continue
        found.append(
            (
                row.session_key,
                OpenLogIn(
                    name=name_of(row.session_key),
                    browser=known.get(BROWSER, ""),
                    place=known.get(PLACE, ""),
                    since=datetime.fromtimestamp(known[LOGGED_IN_AT], UTC),
                    seen=datetime.fromtimestamp(known[SEEN_AT], UTC),
                    password_only=known.get(STANDING) in {ASK, SET_UP},
                    here=row.session_key == here,
                ),
            )
        )
    return found
