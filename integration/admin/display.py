"""How things look, in one place: amounts, dates, badges and links. A colour means the same thing on every page."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integration.decisions.money import NARROW_SPACE, amount_text, count_text
from integration.decisions.transitions import DRAFTS, WAITS_FOR_A_PERSON
from integration.enums import (
    AttemptOutcome,
    CompanyState,
    HandPaymentState,
    MoneyState,
    RunOutcome,
    StatementStatus,
    SubscriptionState,
)
from integration.models import InvoiceStatement

NOTHING: Final = "–"

# Alarm: a person must decide. Doubt: look soon. Busy: the machines are at it. Waiting: for somebody outside.
# Open: money is coming. Done: all is well. What is not named is quiet: nothing is expected of anybody.
TONES: Final[Mapping[type[models.TextChoices], Mapping[str, str]]] = {
    StatementStatus: {
        **dict.fromkeys(WAITS_FOR_A_PERSON, "alarm"),
        StatementStatus.IN_DOUBT: "doubt",
        StatementStatus.PROCESSING: "busy",
        StatementStatus.PUSHING: "busy",
        **dict.fromkeys(DRAFTS, "waiting"),
        StatementStatus.SENT: "open",
        StatementStatus.PARTLY_PAID: "open",
        StatementStatus.PAID: "done",
    },
    AttemptOutcome: {
        AttemptOutcome.DONE: "done",
        AttemptOutcome.FOUND: "done",
        AttemptOutcome.LATER: "busy",
        AttemptOutcome.IN_DOUBT: "doubt",
        AttemptOutcome.REFUSED: "alarm",
        AttemptOutcome.NOT_READY: "alarm",
        AttemptOutcome.SETUP: "alarm",
        AttemptOutcome.INTERNAL: "alarm",
    },
    MoneyState: {
        MoneyState.UNPAID: "open",
        MoneyState.PARTLY_PAID: "open",
        MoneyState.PARTLY_SETTLED: "open",
        MoneyState.PAID: "done",
        MoneyState.OVERPAID: "doubt",
        MoneyState.REMINDED: "waiting",
        MoneyState.IN_COLLECTION: "alarm",
        MoneyState.OVERDUE: "alarm",
    },
    RunOutcome: {RunOutcome.DONE: "done", RunOutcome.PARTLY: "busy", RunOutcome.FAILED: "alarm"},
    CompanyState: {
        CompanyState.ACTIVE: "done",
        CompanyState.SETUP: "waiting",
        CompanyState.PAUSED: "alarm",
    },
    HandPaymentState: {HandPaymentState.WAITING: "alarm", HandPaymentState.IN_FORCE: "done"},
    SubscriptionState: {SubscriptionState.ACTIVE: "done", SubscriptionState.PAUSED: "waiting"},
}


DELIVERIES: Final[dict[str, str]] = {
    "PdfByEmail": "PDF by e-mail",
    "PdfPrintForDownload": "PDF to print",
    "Efaktura": "eFaktura",
    "Auto": "As PowerOffice Go decides",
}
"""Go's name for a way of delivery -> ours, where its own is not a word."""


NEVER_COMBINE: Final = (
    "Never merge or combine drafts in PowerOffice Go: until a person says here which draft a statement is in now, "
    "nobody hears what became of it."
)
"""wondr.md R12. Stands wherever somebody is on the way to the drafts there."""


def tone(choice: models.TextChoices) -> str:
    """The meaning behind a choice's colour."""
    return TONES.get(type(choice), {}).get(choice, "quiet")


def badge(choice: models.TextChoices) -> SafeString:
    """A choice as a coloured word."""
    return format_html('<span class="fb-badge fb-{}">{}</span>', tone(choice), choice.label)


def status_badge(status: str) -> SafeString:
    """A statement's status."""
    return badge(StatementStatus(status))


def statement_badge(statement: InvoiceStatement) -> SafeString:
    """A statement's status, and that a person set it."""
    if statement.follows_go:
        return status_badge(statement.status)
    return format_html('{} <small class="fb-muted">by hand</small>', status_badge(statement.status))


def amount(value: Decimal | None, currency: str = "") -> str:
    """`1 234,50 NOK` with narrow blanks, as many decimals as the currency has (two when it is not named)."""
    if value is None:
        return NOTHING
    return amount_text(value, currency)


def money(value: Decimal | None, currency: str) -> SafeString:
    """An amount for a column of amounts: figures of equal width, the currency quieter beside them."""
    return format_html('<span class="fb-amount">{} <small>{}</small></span>', amount(value, ""), currency)


def figure(value: Decimal | None) -> str:
    """A quantity or price without idle zeros: `1,5`, `1 200`, `0,0125`."""
    if value is None:
        return ""
    digits = f"{value:,.4f}".rstrip("0").rstrip(".")
    return digits.replace(",", NARROW_SPACE).replace(".", ",")


def price(value: Decimal) -> str:
    """An amount that may have more decimals than a currency: `1 250,00`, `0,0125`."""
    whole, _, decimals = figure(value).partition(",")
    return f"{whole},{decimals:0<2}"


def percent(rate: Decimal) -> str:
    """A fraction as percent: 0.25 is `25 %`."""
    return f"{figure(rate * 100)}\xa0%"


def number(value: int) -> str:
    """A count with narrow blanks: `12 345`."""
    return count_text(value)


def day(value: date | None) -> str:
    """`20.11.2026`."""
    return date_format(value) if value else NOTHING


def moment(value: datetime | None) -> str:
    """`20.11.2026 14:05:09`, Norwegian time."""
    return f"{timezone.localtime(value):%d.%m.%Y %H:%M:%S}" if value else NOTHING


def minute(value: datetime | None) -> str:
    """`20.11.2026 14:05`, Norwegian time."""
    return f"{timezone.localtime(value):%d.%m.%Y %H:%M}" if value else NOTHING


def days_between(then: datetime, now: datetime) -> int:
    """Whole days, by Norway's calendar."""
    return (timezone.localdate(now) - timezone.localdate(then)).days


def days_ago(then: datetime, now: datetime) -> str:
    """`today`, `1 day`, `12 days`."""
    days = days_between(then, now)
    return f"{days} day{'' if days == 1 else 's'}" if days else "today"


def duration(start: datetime, end: datetime | None) -> str:
    """How long something took: `0,4 s`, `12 s`, `3 min 5 s`; under way when it has no end."""
    if end is None:
        return "under way"
    seconds = (end - start).total_seconds()
    if seconds < 10:
        return f"{seconds:.1f}\xa0s".replace(".", ",")
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}\xa0min {rest}\xa0s" if minutes else f"{rest}\xa0s"


def page_of(record: models.Model) -> str:
    """The address of a record's page here."""
    meta = record._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[record.pk])


def list_of(model: type[models.Model], query: str = "") -> str:
    """The address of a list, with a filter."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{query}" if query else address


def link(record: models.Model | None, text: str = "") -> str:
    """A record as a link to its page here."""
    if record is None:
        return NOTHING
    return format_html('<a class="fb-link" href="{}">{}</a>', page_of(record), text or str(record))


def excerpt(text: str) -> SafeString | str:
    """What was sent or answered; JSON is laid out so that people can read it."""
    if not text:
        return NOTHING
    with suppress(ValueError):  # cut short, or not JSON: shown as it is
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return format_html('<pre class="fb-excerpt">{}</pre>', text)


def delivery_words(delivery: str) -> str:
    """How an invoice was delivered."""
    return DELIVERIES.get(delivery, delivery) or NOTHING
