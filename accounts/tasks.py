"""Letters to people about their log-in. The message carries keys only; a lost one is in the log all the same."""

from typing import Any, Final

from celery import shared_task
from django.core.mail import send_mail

from accounts.models import User

LETTERS: Final = {
    "locked_out": (
        "Your log-in to Fakturabro is locked for a while",
        (
            "Somebody typed a wrong password or code several times for your log-in, so it is locked for a while.\n\n"
            "If it was you: wait, or ask an administrator to unlock it. If it was not: change your password when you "
            "are in again, and tell an administrator."
        ),
    ),
    "set_up": (
        "A second factor was set up for your Fakturabro log-in",
        (
            "From now on your log-in asks for a code from an app on a telephone.\n\n"
            "If it was not you who set it up, tell an administrator at once."
        ),
    ),
    "taken_away": (
        "The second factor of your Fakturabro log-in was taken away",
        (
            "An administrator took away the second factor of your log-in, and you are logged out everywhere.\n\n"
            "If you did not ask for it, tell an administrator at once."
        ),
    ),
    "recovery_code": (
        "A recovery code was used for your Fakturabro log-in",
        (
            "Somebody logged in with one of your recovery codes. It cannot be used again.\n\n"
            "If it was not you, change your password and tell an administrator at once."
        ),
    ),
}
"""Subject and text. No letter has a link: nobody learns to click on links in letters about log-ins."""


@shared_task
def tell_person(*, person_id: int, notice: str, **_: Any) -> None:
    """Write to a person who may still enter."""
    subject, text = LETTERS[notice]
    for person in User.objects.filter(pk=person_id, is_active=True):
        send_mail(subject, text, None, [person.email])
