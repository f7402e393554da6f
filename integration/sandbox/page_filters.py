"""How amounts, dates and moments read on the pages."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template

from integration.sandbox.acts import money
from integration.sandbox.switches import OSLO
from integration.sandbox.wire import number_text, ore

register = template.Library()


@register.filter
def kr(value: Any) -> str:
    """Øre, shown as kroner the Norwegian way: 1 234,50."""
    return "" if value in {None, ""} else money(value)


@register.filter
def nok(value: Any) -> str:
    """Kroner the Norwegian way."""
    return "" if value in {None, ""} else money(ore(Decimal(value)))


@register.filter
def number(value: Any) -> str:
    """A quantity or price without needless zeroes, with a comma."""
    return "" if value in {None, ""} else number_text(Decimal(value)).replace(".", ",")


@register.filter
def percent(value: Any) -> str:
    """A rate: 0.25 as 25 %."""
    return "" if value in {None, ""} else f"{number(Decimal(value) * 100)}\u00a0%"


@register.filter
def day(value: Any) -> str:
    """A date as 31.03.2026."""
    if isinstance(value, str):
        value = dt.date.fromisoformat(value)
    return value.strftime("%d.%m.%Y") if value else ""


@register.filter
def moment(value: Any) -> str:
    """A moment in Oslo time."""
    return value.astimezone(OSLO).strftime("%d.%m.%Y %H:%M:%S") if value else ""
