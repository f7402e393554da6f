"""The second factor: a code from an app on the telephone (TOTP, RFC 6238), or one of ten recovery codes.

A code belongs to 30 seconds; those of the 30 seconds before and after are taken too, because clocks differ. None is
taken twice.
"""

import math
import re
import secrets
from base64 import b32decode, b32encode
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F
from django_otp.oath import TOTP
from qrcode.main import QRCode

from accounts.models import Authenticator, RecoveryCode, User

EVERYBODY: Final = "everybody"
SUPERUSER: Final = "Superuser"
RECOVERY_CODES: Final = 10
LONGEST_WAIT: Final = 3600
"""Seconds. The first wrong code costs one, each further one twice as many: a six-digit code cannot be tried out."""

ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of recovery codes: no 0, 1, I or O, which are mistaken for each other. Ten of these signs are 50 bits."""


def must_have(user: User) -> bool:
    """Whether the setting `SECOND_FACTOR_ROLES` asks it of this person."""
    asked: set[str] = set(settings.SECOND_FACTOR_ROLES)
    if not asked or EVERYBODY in asked:
        return bool(asked)
    if user.is_superuser and SUPERUSER in asked:
        return True
    return user.groups.filter(name__in=asked).exists()


def is_set_up(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, set_up_at__isnull=False).exists())


# --- Setting up -------------------------------------------------------------------------------------------------


def begin(user: User) -> str:
    """A new seed, in base32, that comes into force with its first code; until then an older one stays."""
    key = b32encode(secrets.token_bytes(20)).decode()
    Authenticator.objects.update_or_create(user=user, defaults={"new_key": key})
    return key


def begun(user: User) -> str:
    """The seed that is being set up; empty when none is."""
    return "".join(row.new_key.reveal() for row in Authenticator.objects.filter(user=user))


def finish(user: User, code: str, now: datetime) -> list[str]:
    """Puts the seed into force if the code is its; the new recovery codes, or none for a wrong code."""
    with transaction.atomic():
        authenticator = Authenticator.objects.select_for_update().filter(user=user).first()
        if authenticator is None or not authenticator.new_key:
            return []
        step = step_of(authenticator.new_key.reveal(), code, now, after=-1)
        if step is None:
            return []
        authenticator.key, authenticator.new_key = authenticator.new_key, ""
        authenticator.set_up_at, authenticator.last_step = now, step
        authenticator.failures, authenticator.wait_until = 0, None
        authenticator.save()
        return new_recovery_codes(user)


def new_recovery_codes(user: User) -> list[str]:
    """Ten new ones; the old ones end. This is the only time that they can be read."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_hash=make_password(code)) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def take_away(user: User) -> bool:
    """The telephone is lost: the second factor and its recovery codes end, and so do all log-ins. False: none there."""
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        there, _ = Authenticator.objects.filter(user=user).delete()
        user.end_log_ins()
    return bool(there)


def address_for_app(user: User, key: str) -> str:
    """What the picture says to the app."""
    label = quote(f"Fakturabro:{user.email}")
    return f"otpauth://totp/{label}?{urlencode({'secret': key, 'issuer': 'Fakturabro'})}"


def picture(text: str) -> tuple[int, str]:
    """A QR code drawn here, so that no other site learns the seed: its size, and the path of an SVG picture."""
    code: QRCode[object] = QRCode(border=2)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return len(rows), path


# --- Checking ---------------------------------------------------------------------------------------------------


def step_of(key: str, code: str, now: datetime, *, after: int) -> int | None:
    """Which 30 seconds a code belongs to; None when it is wrong, too old, or not newer than `after`."""
    totp = TOTP(b32decode(key))
    totp.time = now.timestamp()
    return int(totp.t()) if totp.verify(int(code), tolerance=1, min_t=after + 1) else None


def seconds_to_wait(user: User, now: datetime) -> int:
    """How long no code of the app is looked at, after wrong ones; 0 when there is no need to wait."""
    until = Authenticator.objects.filter(user=user, wait_until__gt=now).values_list("wait_until", flat=True).first()
    return math.ceil((until - now).total_seconds()) if until else 0


def is_right(user: User, text: str, now: datetime) -> bool:
    """Whether this is a code of the app or an unused recovery code. A right one is used up by this."""
    typed = re.sub(r"[\s-]", "", text).upper()
    if re.fullmatch(r"[0-9]{6}", typed):
        return _is_code_of_app(user, typed, now)
    return len(typed) == 10 and _is_recovery_code(user, typed, now)


def _is_code_of_app(user: User, code: str, now: datetime) -> bool:
    authenticator = Authenticator.objects.filter(user=user, set_up_at__isnull=False).first()
    if authenticator is None or (authenticator.wait_until and authenticator.wait_until > now):
        return False
    mine = Authenticator.objects.filter(pk=authenticator.pk)
    step = step_of(authenticator.key.reveal(), code, now, after=authenticator.last_step)
    # Two who send the same code in the same moment: the row lets one of them move on.
    if step is not None and mine.filter(last_step__lt=step).update(last_step=step, failures=0, wait_until=None):
        return True
    wait = min(2**authenticator.failures, LONGEST_WAIT)
    mine.update(failures=F("failures") + 1, wait_until=now + timedelta(seconds=wait))
    return False


def _is_recovery_code(user: User, code: str, now: datetime) -> bool:
    for row in RecoveryCode.objects.filter(user=user, used_at__isnull=True).order_by("pk"):
        if check_password(code, row.code_hash):
            return bool(RecoveryCode.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=now))
    return False


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()
