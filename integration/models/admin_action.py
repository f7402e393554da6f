"""The log book of the people."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from integration.enums import ByHandAction, ReviewAction
from integration.models.go_company import GoCompany
from integration.models.invoice_statement import InvoiceStatement


class AdminAction(models.Model):
    """Who did what to which record, what it was before and after, and why. Never changed or deleted: `log_books.py`."""

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="admin_actions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    action = models.CharField(max_length=40)
    statement = models.ForeignKey(
        InvoiceStatement, on_delete=models.PROTECT, null=True, blank=True, related_name="admin_actions"
    )
    record = models.CharField(max_length=200, help_text="Which record, in words.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = "action by a person"
        verbose_name_plural = "actions by people"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "-at"], name="admin_action_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.record}"

    @property
    def title(self) -> str:
        """What a person did, in the words of the button."""
        for acts in (ReviewAction, ByHandAction):
            if self.action in acts.values:
                return str(acts(self.action).label)
        return self.action.replace("_", " ").capitalize()
