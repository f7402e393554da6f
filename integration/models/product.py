"""Products, as we know them and as Go knows them."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from integration.enums import StatementSource
from integration.models.base import Record
from integration.models.go_company import GoCompany


class Product(Record):
    """Something that is sold. `price` and `cost` in kroner excl. VAT; `vat_rate` is the rate we expect, 0.25 = 25 %."""

    company = models.ForeignKey(GoCompany, on_delete=models.PROTECT, related_name="products")
    code = models.CharField("product code", max_length=100)
    name = models.CharField(max_length=400)
    source = models.CharField(max_length=20, choices=StatementSource, default=StatementSource.HAND)
    unit = models.CharField(max_length=10, default="EA", help_text="EA piece, HUR hour, DAY, MON month, KGM, LTR …")
    price = models.DecimalField("price excl. VAT", max_digits=14, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField("cost excl. VAT", max_digits=14, decimal_places=4, null=True, blank=True)
    vat_rate = models.DecimalField(
        "expected VAT rate",
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.25"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="0.25 is 25 %. Go decides by the sales account; a difference is shown.",
    )
    gtin = models.CharField("GTIN", max_length=14, blank=True)
    group = models.CharField("product group code", max_length=100, blank=True)
    sales_account = models.PositiveIntegerField(null=True, blank=True, help_text="For example 3000.")
    stock = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    is_active = models.BooleanField("active", default=True)
    go_product_id = models.BigIntegerField("id in Go", null=True, blank=True, editable=False)
    go_hash = models.CharField(max_length=64, blank=True, editable=False)
    attention = models.TextField(blank=True, editable=False)

    class Meta:
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("import_product", "Can import products"),
            ("export_product", "Can export products"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "code"],
                name="product_code_once",
                violation_error_message="Another product of this company has this code.",
            ),
            models.UniqueConstraint(
                fields=["company", "go_product_id"],
                name="product_go_id_once",
                violation_error_message="Another product of this company is already linked to this product in Go.",
            ),
            models.CheckConstraint(
                condition=~Q(code__contains=","),
                name="product_code_no_comma",
                violation_error_message="A product code has no comma.",
            ),
            models.CheckConstraint(
                condition=Q(vat_rate__gte=0, vat_rate__lte=1),
                name="product_vat_rate_is_fraction",
                violation_error_message="A VAT rate is between 0 and 1: 0.25 is 25 %.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ProductInGo(models.Model):
    """Go's product as last seen, so that matching costs no request."""

    company = models.ForeignKey(GoCompany, on_delete=models.CASCADE, related_name="products_in_go")
    go_product_id = models.BigIntegerField()
    code = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=400, blank=True)
    price = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    sales_account_id = models.BigIntegerField(null=True)
    is_archived = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["company", "go_product_id"],
                name="product_in_go_once",
                violation_error_message="This product in Go is already known.",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["company", "code"], name="product_in_go_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
