"""A company's books in PowerOffice Go."""

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, Self, TypeVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from integration.enums import CompanyState, DataOwner, OrderStateOnArrival, Resource, SharingRule, VanishedDraftPolicy
from integration.models.base import Record, company_path
from vault.fields import Secret, SecretField

M = TypeVar("M", bound=models.Model)

PROBE_EVERY: Final = timedelta(seconds=settings.GO_PROBE_SECONDS)
"""So often, at most, Go is asked whether it works again for a company: twice a minute."""


def fingerprint(secret: str) -> str:
    """Tells whether two random keys are the same without showing either."""
    return hashlib.sha256(f"fakturabro:{secret}".encode()).hexdigest()


class GoCompanyQuerySet(models.QuerySet["GoCompany"]):
    """Companies."""

    def of(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Those whose books this person may see: superusers all, members theirs, others none."""
        if getattr(user, "is_superuser", False):
            return self
        if user.pk is None:  # nobody is logged in: `members=None` would find the companies without members
            return self.none()
        return self.filter(members=user.pk)


class GoCompany(Record):
    """One company in Go and the choices made for it. Its client key is a secret."""

    name = models.CharField(max_length=200)
    organisation_number = models.CharField(max_length=9, blank=True, help_text="Nine digits.")
    client_key = SecretField("client key", blank=True, default="", editable=False)
    client_key_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="go_companies", help_text="The people who see this company."
    )
    state = models.CharField(max_length=10, choices=CompanyState, default=CompanyState.SETUP)
    state_reason = models.TextField(blank=True, editable=False)
    probe_at = models.DateTimeField("next probe", null=True, blank=True, editable=False)
    order_state_on_arrival = models.CharField(
        "sales orders arrive as", max_length=10, choices=OrderStateOnArrival, default=OrderStateOnArrival.DRAFT
    )
    customer_data_owner = models.CharField(
        "who is right about customer data", max_length=10, choices=DataOwner, default=DataOwner.SOURCE
    )
    create_missing_products = models.BooleanField(default=False, help_text="Needs a sales account on the product.")
    payment_days = models.PositiveSmallIntegerField(default=14, help_text="Used when a statement names none.")
    subscription_days_ahead = models.PositiveSmallIntegerField(
        "subscriptions are made ahead",
        default=30,
        help_text="So many days before the payment date, the upcoming statement of a subscription is there to be seen.",
    )
    vanished_drafts = models.CharField(
        "drafts that vanish from Go", max_length=10, choices=VanishedDraftPolicy, default=VanishedDraftPolicy.ASK
    )
    sharing = models.CharField(
        "payments of a combined invoice go to",
        max_length=20,
        choices=SharingRule,
        default=SharingRule.OLDEST_FIRST,
        help_text="Which of its statements is paid first.",
    )
    by_hand_limit = models.DecimalField(
        "payments by hand without a second person, up to",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Kroner in one go. Above it a second person must approve. Empty: no limit.",
    )
    may_send_invoices = models.BooleanField(null=True, editable=False, help_text="As Go said at the last test.")
    cycle_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    cycle_holder = models.CharField(max_length=80, blank=True, editable=False)
    registers_read_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager["GoCompany"]] = GoCompanyQuerySet.as_manager()

    class Meta:
        verbose_name = "Go company"
        verbose_name_plural = "Go companies"
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("test_connection", "Can test the connection to PowerOffice Go"),
            ("set_client_key", "Can set the client key of a Go company"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["client_key_fingerprint"],
                condition=~Q(client_key_fingerprint=""),
                name="go_company_client_key_once",
                violation_error_message="This client key already belongs to another Go company.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=CompanyState.values),
                name="go_company_state_known",
                violation_error_message="Choose one of the states.",
            ),
            models.CheckConstraint(
                condition=Q(organisation_number="") | Q(organisation_number__regex=r"^[0-9]{9}$"),
                name="go_company_organisation_number_shape",
                violation_error_message="An organisation number has nine digits.",
            ),
            models.CheckConstraint(
                condition=~Q(state=CompanyState.ACTIVE) | ~Q(client_key_fingerprint=""),
                name="go_company_active_has_key",
                violation_error_message="An active company needs a client key. Enter one, or choose another state.",
            ),
            models.CheckConstraint(
                condition=Q(by_hand_limit__isnull=True) | Q(by_hand_limit__gte=0),
                name="go_company_by_hand_limit",
                violation_error_message="A limit is 0 kroner or more; leave it empty for no limit.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def set_client_key(self, value: str) -> None:
        """Put in a new key (or "" to take it out). Not saved yet."""
        self.client_key = Secret(value.strip())
        self.client_key_fingerprint = fingerprint(value.strip()) if value.strip() else ""

    def rest(self, reason: str, now: datetime) -> None:
        """Go does not answer: leave it alone until a probe is answered. The company stays active; nobody must act."""
        GoCompany.objects.filter(pk=self.pk, state=CompanyState.ACTIVE).update(
            state_reason=reason, probe_at=now + PROBE_EVERY, updated_at=now
        )

    def wake(self, now: datetime) -> None:
        """Go answers again, and refuses nothing: the company works."""
        GoCompany.objects.filter(pk=self.pk, state__in=[CompanyState.ACTIVE, CompanyState.PAUSED]).update(
            state=CompanyState.ACTIVE, state_reason="", probe_at=None, updated_at=now
        )

    def pause(self, reason: str, now: datetime) -> None:
        """Stop talking to Go for this company until a probe works again. Only an active company is paused."""
        GoCompany.objects.filter(pk=self.pk, state=CompanyState.ACTIVE).update(
            state=CompanyState.PAUSED, state_reason=reason, probe_at=now + PROBE_EVERY, updated_at=now
        )


def behind_wall(rows: models.QuerySet[M], user: AbstractBaseUser | AnonymousUser) -> models.QuerySet[M]:
    """Only the rows of companies that this person may see; all rows of a model that belongs to no company."""
    path = company_path(rows.model)
    if path is None or getattr(user, "is_superuser", False):
        return rows
    return rows.filter(**{f"{path}__in": GoCompany.objects.of(user).values("pk")})


class SyncCursor(Record):
    """Up to where a changed-since list has been read."""

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="cursors")
    resource = models.CharField(max_length=20, choices=Resource)
    watermark: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the list was last read, news or not.")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "resource"],
                name="sync_cursor_once",
                violation_error_message="This company already has a watermark for this list.",
            ),
            models.CheckConstraint(
                condition=Q(resource__in=Resource.values),
                name="sync_cursor_resource_known",
                violation_error_message="A watermark belongs to one of the known lists.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company} {self.resource}"


class AccessToken(Record):
    """The access token of a client key, shared by all workers; one worker at a time renews it."""

    company = models.OneToOneField(GoCompany, on_delete=models.CASCADE, related_name="access_token")
    token = SecretField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    renewing_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Access token of {self.company}"


class PaceSlot(models.Model):
    """When the next request on one subscription key may leave: one row, moved forward by everybody who calls."""

    key = models.CharField(max_length=64, primary_key=True, help_text="Fingerprint of the subscription key.")
    next_at_ms = models.BigIntegerField(default=0, help_text="Milliseconds since 1970, UTC, by the database's clock.")

    def __str__(self) -> str:
        return self.key
