"""People who may enter. They log in with their e-mail address."""

from typing import Any, ClassVar

from axes.models import AccessAttempt
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import get_random_string, salted_hmac

from accounts.sessions import Session
from vault.fields import SecretField

__all__ = [
    "Authenticator",
    "FailedLogIn",
    "RecoveryCode",
    "Role",
    "Session",
    "User",
    "UserManager",
    "new_stamp",
]


def new_stamp() -> str:
    """Ties log-ins to a person: those with an older stamp have ended."""
    return get_random_string(32)


class UserManager(BaseUserManager["User"]):
    """Makes people."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person with a log-in. Raises ValueError without an e-mail address."""
        if not email:
            raise ValueError("A person needs an e-mail address to log in.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who may do everything and sees all companies."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person. Which Go companies they see is kept by the companies (`GoCompany.members`)."""

    username = None  # type: ignore[assignment] # replaced by the e-mail address
    email = models.EmailField("e-mail", unique=True)
    session_stamp = models.CharField(max_length=32, default=new_stamp, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment] # no user names here

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_once",
                violation_error_message="Somebody already logs in with this e-mail address.",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What each log-in carries and Django compares at every request: it changes with password and stamp."""
        salt = "accounts.models.User.get_session_auth_hash"
        return salted_hmac(salt, self.password + self.session_stamp, secret=secret, algorithm="sha256").hexdigest()

    def end_log_ins(self) -> None:
        """Logs this person out on every machine, at the next click there."""
        self.session_stamp = new_stamp()
        self.save(update_fields=["session_stamp"])


class Role(Group):
    """What people may do, under the name that everybody uses. Django calls it a group."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = "role"
        verbose_name_plural = "roles"


class Authenticator(models.Model):
    """The app on a person's telephone that makes the codes of the second factor."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")
    key = SecretField(blank=True, default="", help_text="The seed in force, base32; empty until it is set up.")
    new_key = SecretField(blank=True, default="", help_text="A seed that is being set up.")
    set_up_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=-1, help_text="The 30 seconds of the last code: none is taken twice.")
    failures = models.PositiveIntegerField(default=0, help_text="Wrong codes since the last right one.")
    wait_until = models.DateTimeField(null=True, blank=True, help_text="No code is looked at before.")

    class Meta:
        verbose_name = "second factor"
        verbose_name_plural = "second factors"

    def __str__(self) -> str:
        return f"Second factor of {self.user}"


class RecoveryCode(models.Model):
    """A code to log in with, once, when the telephone is lost. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=200)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "recovery code"

    def __str__(self) -> str:
        return f"Recovery code {self.pk} of {self.user}"


class FailedLogIn(AccessAttempt):  # type: ignore[misc] # axes has no types
    """Failed log-ins of one person from one place, as django-axes counts them, under a name that people understand."""

    class Meta:
        proxy = True
        verbose_name = "failed log-in"
        verbose_name_plural = "failed log-ins"

    def __str__(self) -> str:
        return f"{self.username} from {self.ip_address}"
