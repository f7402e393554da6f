"""What is sold."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import BooleanRadioFilter

from integration.admin.base import CompanyFilter, CompanyModelAdmin
from integration.admin.columns import company_for_several
from integration.admin.display import NOTHING, money, percent
from integration.admin.fields import AmountField, FigureField, PercentField
from integration.admin.spreadsheets import SpreadsheetMixin
from integration.models import Product


@admin.register(Product)
class ProductAdmin(SpreadsheetMixin, CompanyModelAdmin[Product]):
    """Products."""

    list_display = ("code", "name", "amount", "vat", "sales_account", "in_go", "note")
    list_filter = (CompanyFilter, ("is_active", BooleanRadioFilter))
    list_filter_submit = True
    list_prefetch: ClassVar[tuple[str, ...]] = ("company",)
    compressed_fields = False
    search_fields = ("code", "name")
    search_help_text = "Product code or name"
    readonly_fields = ("in_go",)
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DecimalField: {"form_class": AmountField}}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("company", "code", "in_go"),
                    ("name", "unit", "is_active"),
                    ("price", "cost", "vat_rate"),
                    ("sales_account", "group", "gtin"),
                    ("source", "stock"),
                )
            },
        ),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The VAT rate is typed in percent, and stock is no amount."""
        if db_field.name == "vat_rate":
            kwargs |= {
                "form_class": PercentField,
                "label": "Expected VAT, %",
                "help_text": "Go decides; a difference is shown.",
            }
            return db_field.formfield(**kwargs)
        if db_field.name == "stock":
            kwargs["form_class"] = FigureField
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return company_for_several(request, super().get_list_display(request))

    @admin.display(description="Price excl. VAT")
    def amount(self, product: Product) -> str:
        return money(product.price, "NOK") if product.price is not None else NOTHING

    @admin.display(description="VAT")
    def vat(self, product: Product) -> str:
        return percent(product.vat_rate)

    @admin.display(description="In Go")
    def in_go(self, product: Product) -> str:
        return f"Yes, id {product.go_product_id}" if product.go_product_id else "Not yet"

    @admin.display(description="Attention")
    def note(self, product: Product) -> str:
        if not product.attention:
            return NOTHING
        return format_html('<span class="fb-attention" title="{0}">{0}</span>', product.attention)
