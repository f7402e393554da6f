"""Customers, as we know them and as Go knows them."""

from typing import Any, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from integration.enums import InvoiceDelivery, PaymentMethodKind, ReceiverType, StatementSource
from integration.models.base import Record
from integration.models.go_company import GoCompany


class Customer(Record):
    """Somebody who is invoiced. `go_hash` tells whether Go has what we know."""

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="customers")
    number = models.BigIntegerField(
        "customer number", null=True, blank=True, help_text="Left empty, PowerOffice Go chooses the next one."
    )
    source = models.CharField(max_length=20, choices=StatementSource, default=StatementSource.HAND)
    source_id = models.CharField("id in the source", max_length=100, blank=True)
    is_person = models.BooleanField("private person", default=False)
    name = models.CharField(max_length=200)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    organisation_number = models.CharField(max_length=9, blank=True, help_text="Nine digits.")
    email = models.EmailField("e-mail", blank=True)
    invoice_email = models.EmailField("e-mail for invoices", blank=True)
    phone = models.CharField(max_length=30, blank=True)
    address_line1 = models.CharField("address", max_length=200, blank=True)
    address_line2 = models.CharField("address, second line", max_length=200, blank=True)
    zip_code = models.CharField("post code", max_length=50, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, default="NO", help_text="Two letters.")
    delivery = models.CharField(
        "invoice delivery", max_length=10, choices=InvoiceDelivery, default=InvoiceDelivery.DEFAULT
    )
    payment_days = models.PositiveSmallIntegerField(null=True, blank=True)
    send_reminders = models.BooleanField(default=True)
    transfer_to_debt_collection = models.BooleanField(default=True)
    is_active = models.BooleanField("active", default=True)
    go_customer_id = models.BigIntegerField("id in Go", null=True, blank=True, editable=False)
    go_hash = models.CharField(max_length=64, blank=True, editable=False)
    go_create_tried_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Set while a create may have reached Go unnoticed."
    )
    attention = models.TextField(blank=True, editable=False)
    search = models.TextField(blank=True, editable=False)

    class Meta:
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("import_customer", "Can import customers"),
            ("export_customer", "Can export customers"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "number"],
                name="customer_number_once",
                violation_error_message="Another customer of this company has this number.",
            ),
            models.UniqueConstraint(
                fields=["company", "source", "source_id"],
                condition=~Q(source_id=""),
                name="customer_source_id_once",
                violation_error_message="Another customer of this company has this id in the same source.",
            ),
            models.UniqueConstraint(
                fields=["company", "go_customer_id"],
                name="customer_go_id_once",
                violation_error_message="Another customer of this company is already linked to this customer in Go.",
            ),
            models.CheckConstraint(
                condition=Q(organisation_number="") | Q(organisation_number__regex=r"^[0-9]{9}$"),
                name="customer_organisation_number_shape",
                violation_error_message="An organisation number has nine digits.",
            ),
            models.CheckConstraint(
                condition=Q(is_person=False) | Q(organisation_number=""),
                name="customer_person_has_no_organisation_number",
                violation_error_message="A private person has no organisation number.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "organisation_number"], name="customer_organisation"),
            models.Index(fields=["company", "name"], name="customer_name"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}" if self.number else self.name

    def complete(self) -> None:
        """Set what follows from the rest: an id if it has none, and the text that the list searches. Not saved."""
        self.source_id = self.source_id or str(uuid4())
        self.search = " ".join(
            str(part).lower()
            for part in (self.number, self.name, self.organisation_number, self.email, self.source_id)
            if part
        )

    def save(self, *args: object, **kwargs: object) -> None:
        self.complete()
        super().save(*args, **kwargs)  # type: ignore[arg-type] # passed on as they came


class ContactPerson(Record):
    """Somebody to ask at a company customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contact_persons")
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=30, blank=True)
    is_default = models.BooleanField(default=False)
    go_contact_person_id = models.BigIntegerField(null=True, blank=True, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["customer", "go_contact_person_id"],
                name="contact_person_go_id_once",
                violation_error_message="Another contact person of this customer is already linked to this one in Go.",
            ),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_default=True),
                name="contact_person_one_default",
                violation_error_message="A customer has at most one default contact person.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class PaymentMethod(Record):
    """How a customer may pay; at most one is the default. Subscriptions need a default invoice receiver.

    `receiver_type`, `delivery` and `invoice_reference` are of an invoice receiver. What is chosen as `delivery` of the
    default one becomes the customer's, which is where PowerOffice Go keeps it.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="payment_methods")
    kind = models.CharField(max_length=20, choices=PaymentMethodKind)
    receiver_type = models.CharField("type", max_length=10, choices=ReceiverType, default=ReceiverType.DEFAULT)
    delivery = models.CharField(max_length=10, choices=InvoiceDelivery, default=InvoiceDelivery.DEFAULT)
    invoice_reference = models.CharField(
        max_length=200, blank=True, help_text="Your reference on the invoice. Left empty, it is the customer's name."
    )
    is_default = models.BooleanField("default", default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_default=True),
                name="payment_method_one_default",
                violation_error_message="A customer has at most one default payment method.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=PaymentMethodKind.values),
                name="payment_method_kind_known",
                violation_error_message="Choose one of the payment methods.",
            ),
            models.CheckConstraint(
                condition=Q(receiver_type__in=ReceiverType.values),
                name="payment_method_receiver_type_known",
                violation_error_message="Choose one of the types of invoice receiver.",
            ),
            models.CheckConstraint(
                condition=Q(kind=PaymentMethodKind.INVOICE)
                | Q(receiver_type=ReceiverType.DEFAULT, delivery=InvoiceDelivery.DEFAULT, invoice_reference=""),
                name="payment_method_only_receivers_say_how",
                violation_error_message="Type, delivery and reference belong to an invoice receiver only.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class CustomerInGo(models.Model):
    """Go's customer as last seen, so that matching costs no request."""

    company = models.ForeignKey(GoCompany, on_delete=models.CASCADE, related_name="customers_in_go")
    go_customer_id = models.BigIntegerField()
    number = models.BigIntegerField(null=True)
    name = models.CharField(max_length=200, blank=True)
    organisation_number = models.CharField(max_length=50, blank=True)
    email = models.CharField(max_length=300, blank=True)
    invoice_email = models.CharField(max_length=300, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    is_archived = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "go_customer_id"],
                name="customer_in_go_once",
                violation_error_message="This customer in Go is already known.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["company", "number"], name="customer_in_go_number"),
            models.Index(fields=["company", "organisation_number"], name="customer_in_go_organisation"),
            models.Index(fields=["company", "reference"], name="customer_in_go_reference"),
            models.Index(fields=["company", "email"], name="customer_in_go_email"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"
