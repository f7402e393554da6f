"""A spreadsheet between its upload and the end of its import."""

import tempfile
import uuid
from typing import IO, ClassVar, Final

from django.conf import settings
from django.db import models

from integration.enums import PortionState, UploadState
from integration.models.go_company import GoCompany

BLOCK_BYTES: Final = 256 * 1024


class SpreadsheetUpload(models.Model):
    """What a person uploaded. In the database, because its work may be done by another process or machine, and never on
    disk under a name somebody chose. A small file is gone once confirmed; everything is gone after a day.

    A large one is a queue: cut into portions, each of which is checked, and after the confirmation written, by the one
    worker that holds the lease.
    """

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(GoCompany, on_delete=models.CASCADE, null=True, related_name="+")
    sheet = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200, blank=True)
    uploaded_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=UploadState)
    began_at = models.DateTimeField(help_text="When its state began; about when it is ready is reckoned from it.")
    message = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    holder = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["uploaded_at"], name="spreadsheet_upload_oldest"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state__in=UploadState.values),
                name="spreadsheet_upload_state_known",
                violation_error_message="An upload has one of the known states.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} {self.key}"

    @property
    def was_stopped_by_a_person(self) -> bool:
        """And may go on. What ended by itself says why, and would end again."""
        return self.state == UploadState.STOPPED and not self.message

    def keep(self, file: IO[bytes]) -> None:
        """Store the file, a block at a time."""
        file.seek(0)
        for number, content in enumerate(iter(lambda: file.read(BLOCK_BYTES), b"")):
            UploadBlock.objects.create(upload=self, number=number, content=content)

    def file(self) -> IO[bytes]:
        """The file again, without a name. Whoever asks closes it."""
        out = tempfile.TemporaryFile()  # noqa: SIM115 - see above
        try:
            for key in list(self.blocks.order_by("number").values_list("pk", flat=True)):
                out.write(self.blocks.values_list("content", flat=True).get(pk=key))
        except BaseException:
            out.close()
            raise
        out.seek(0)
        return out


class UploadBlock(models.Model):
    """A piece of an uploaded file: nobody ever holds the whole file in memory."""

    upload = models.ForeignKey(SpreadsheetUpload, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["upload", "number"],
                name="upload_block_once",
                violation_error_message="This piece of the file is there already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} block {self.number}"


class UploadPortion(models.Model):
    """Some hundred rows of an upload, with what was found in them. `table` is empty once nothing is left to do."""

    upload = models.ForeignKey(SpreadsheetUpload, on_delete=models.CASCADE, related_name="portions")
    first_row = models.PositiveIntegerField()
    last_row = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    table = models.BinaryField()
    state = models.CharField(max_length=10, choices=PortionState, default=PortionState.READ)
    left_out = models.JSONField(default=list, help_text="Rows that are the same already, or refused.")
    digest = models.CharField(max_length=64, blank=True, help_text="Of what a person confirms.")
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    problem_rows = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=dict, help_text="Problems, notes and examples, as pages print them.")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["upload", "first_row"],
                name="upload_portion_once",
                violation_error_message="These rows are there already.",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=PortionState.values),
                name="upload_portion_state_known",
                violation_error_message="A portion has one of the known states.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} rows {self.first_row} to {self.last_row}"


class UploadName(models.Model):
    """Who or what a row of an upload means, as a number: the same twice in one file is refused, however far apart."""

    upload = models.ForeignKey(SpreadsheetUpload, on_delete=models.CASCADE, related_name="names")
    name = models.BigIntegerField()
    row = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["upload", "name"],
                name="upload_name_once",
                violation_error_message="Another row of this file means the same.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} row {self.row}"
