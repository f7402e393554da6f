"""A spreadsheet between its preview and its confirmation."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from integration.models.go_company import GoCompany


class SpreadsheetUpload(models.Model):
    """What a person uploaded and saw a preview of. In the database, because the confirmation may reach another process
    or machine, and never on disk under a name somebody chose. Gone once confirmed, or after a day.
    """

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(GoCompany, on_delete=models.CASCADE, null=True, related_name="+")
    sheet = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200, blank=True)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["uploaded_at"], name="spreadsheet_upload_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} {self.key}"
