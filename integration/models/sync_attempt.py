"""The log book of the machines: cycles, and every single try."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integration.enums import AttemptOutcome, Operation, RunOutcome, RunTrigger
from integration.models.customer import Customer
from integration.models.go_company import GoCompany
from integration.models.invoice_statement import InvoiceStatement
from integration.models.product import Product


class SyncRun(models.Model):
    """One cycle of one company. `counts` holds numbers by name, for example `pushed`."""

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="runs")
    trigger = models.CharField(max_length=10, choices=RunTrigger)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    turn_ended_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a turn ended that is to go on."
    )
    outcome = models.CharField(max_length=10, choices=RunOutcome, blank=True)
    counts = models.JSONField(default=dict)
    message = models.TextField(blank=True)

    class Meta:
        verbose_name = "run"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "-started_at"], name="sync_run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.company} {timezone.localtime(self.started_at):%d.%m.%Y %H:%M}"


class SyncAttempt(models.Model):
    """One try to do one thing with a remote system. Opened before the request leaves, closed once, then never changed.

    An open attempt whose `lease_until` has passed, or whose `worker` is known to be dead, belongs to nobody.
    """

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="attempts")
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts")
    operation = models.CharField(max_length=20, choices=Operation)
    statement = models.ForeignKey(
        InvoiceStatement, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts"
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts")
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    worker = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=AttemptOutcome, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    request_excerpt = models.TextField(blank=True)
    answer_excerpt = models.TextField(blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "attempt"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["statement"],
                condition=Q(ended_at__isnull=True),
                name="attempt_one_open_per_statement",
                violation_error_message="Something is already under way with this statement.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="attempt_ended_has_outcome",
                violation_error_message="An attempt that has ended has an outcome, and only then.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-started_at"], name="attempt_newest"),
            models.Index(fields=["company", "-started_at"], name="attempt_company_newest"),
            models.Index(fields=["lease_until"], condition=Q(ended_at__isnull=True), name="attempt_open_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.get_operation_display()} {timezone.localtime(self.started_at):%d.%m.%Y %H:%M:%S}"
