"""Lines of a statement typed by hand."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.db.models import Max
from django.http import HttpRequest
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextareaWidget

from integration.admin.base import CompanyTabularInline
from integration.admin.fields import AmountField, FigureField, PercentField
from integration.enums import LineKind
from integration.models import InvoiceStatement, StatementLine


class StatementLineForm(forms.ModelForm[StatementLine]):
    """A line with a product is sold, a line without is only read. What is left empty comes from the product."""

    class Meta:
        model = StatementLine
        fields = (
            "product",
            "description",
            "quantity",
            "unit_price",
            "discount_percent",
            "vat_rate",
            "department",
            "project",
            "accrual_from",
            "accrual_to",
        )
        labels: ClassVar[dict[str, str]] = {"vat_rate": "VAT %", "unit_price": "Price excl. VAT"}
        field_classes: ClassVar[dict[str, Any]] = {"vat_rate": PercentField, "unit_price": AmountField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("vat_rate", "discount_percent"):
            self.fields[name].required = False
            self.fields[name].help_text = ""
        if self.instance.pk is None:
            self.initial["vat_rate"] = self.initial["discount_percent"] = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        product = data.get("product")
        data["discount_percent"] = data.get("discount_percent") or Decimal(0)
        if product is None:
            self.instance.kind = LineKind.TEXT
            data["vat_rate"] = Decimal(0)
            if data.get("quantity") is not None or data.get("unit_price") is not None:
                self.add_error("product", "Choose a product, or leave quantity and price empty for a line of text.")
            return data
        self.instance.kind = LineKind.PRODUCT
        data["description"] = data.get("description") or product.name
        if data.get("unit_price") is None and "unit_price" not in self.errors:
            data["unit_price"] = product.price
        if data.get("vat_rate") is None:
            data["vat_rate"] = product.vat_rate
        if data.get("quantity") is None and "quantity" not in self.errors:
            self.add_error("quantity", "How many?")
        return data


class StatementLineFormSet(PaginationInlineFormSet):  # type: ignore[misc] # unfold has no types
    """Numbers new lines after the last one."""

    last_number: int | None = None

    def clean(self) -> None:
        """A new statement is not saved yet, so its lines cannot ask it for its company: they are told here."""
        super().clean()
        for form in self.forms:
            product = getattr(form, "cleaned_data", {}).get("product")
            if product is not None and self.instance.company_id not in {None, product.company_id}:
                form.add_error("product", "This product belongs to another company. Choose one of the same company.")

    def save_new(self, form: forms.ModelForm[StatementLine], commit: bool = True) -> StatementLine:
        if self.last_number is None:
            self.last_number = self.instance.lines.aggregate(last=Max("line_number"))["last"] or 0
        self.last_number += 1
        form.instance.line_number = self.last_number
        line: StatementLine = super().save_new(form, commit=commit)
        return line


class StatementLineInline(CompanyTabularInline[StatementLine]):
    """Lines, one row each."""

    model = StatementLine
    form = StatementLineForm
    formset = StatementLineFormSet
    fields = StatementLineForm.Meta.fields
    autocomplete_fields = ("product",)
    ordering = ("line_number",)
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        models.DecimalField: {"form_class": FigureField},
        models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 1})},
    }

    def get_extra(self, request: HttpRequest, obj: InvoiceStatement | None = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0
