"""Form fields that read figures as a Norwegian bookkeeper writes them."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import INPUT_CLASSES

from integration.admin.display import figure, price


class FigureInput(forms.TextInput):
    """A text box for figures: browsers refuse `1 234,50` in a number box."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "class": " ".join([*INPUT_CLASSES, "fb-figure"]), **(attrs or {})})


class FigureField(forms.DecimalField):
    """Takes `1 234,50` and `1234.50`, and shows `1 234,50`."""

    widget = FigureInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("widget", None)  # the model field brings unfold's number box
        super().__init__(**kwargs, widget=FigureInput)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = "".join(value.split()).replace("\u2212", "-")
            if "," in value:
                value = value.replace(".", "").replace(",", ".")
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return figure(value) if isinstance(value, Decimal) else value


class AmountField(FigureField):
    """The same for kroner: `1 250` is shown as `1 250,00`."""

    def prepare_value(self, value: Any) -> Any:
        return price(value) if isinstance(value, Decimal) else value


class PercentField(FigureField):
    """Shown and typed in percent, kept as a fraction: `25` is 0.25."""

    def to_python(self, value: Any) -> Any:
        percent = super().to_python(value)
        return None if percent is None else percent / 100

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not 0 <= value <= 1:
            raise forms.ValidationError("Between 0 and 100.")

    def prepare_value(self, value: Any) -> Any:
        return figure(value * 100) if isinstance(value, Decimal) else value
