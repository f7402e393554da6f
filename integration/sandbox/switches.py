"""The switches: one for every "unknown" in reference §18 and §19, with the default stated there, and the clock."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from integration.sandbox.models import State, one_act
from integration.sandbox.wire import decimal_of

OSLO = ZoneInfo("Europe/Oslo")
APPLICATION_KEY = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION_KEY = "sandbox-subscription-key"


@dataclass(frozen=True)
class Switch:
    """A default, the values allowed (none listed: any of the default's kind) and what it decides."""

    default: Any
    choices: tuple[str, ...]
    meaning: str


SWITCHES: dict[str, Switch] = {
    "application_keys": Switch([APPLICATION_KEY], (), "the integrations that exist"),
    "subscription_keys": Switch([SUBSCRIPTION_KEY], (), "primary and secondary key of the developer portal"),
    "token_lifetime_seconds": Switch(1200, (), "row 2: expires_in"),
    "unauthorized_body": Switch("empty", ("empty", "problem", "gateway"), "row 5: body of 401 for a bad token"),
    "rate_limit_per_second": Switch(10, (), "row 9: requests per second and subscription key; 0 is no limit"),
    "rate_window_seconds": Switch(
        Decimal(1), (), "row 9: length of the window of that limit; less to rehearse in a hurry"
    ),
    "rate_window": Switch("sliding", ("sliding", "fixed"), "§3: window of that limit"),
    "token_calls_count": Switch(True, (), "§3: whether token calls use the same limit"),
    "retry_after": Switch(True, (), "row 10: Retry-After on 429"),
    "complete_per_second": Switch(0, (), "row 11: POST Complete above this gives 503; 0 is no ceiling"),
    "forbidden_body": Switch("problem", ("problem", "empty"), "row 12: body of 403"),
    "replica_delay_seconds": Switch(Decimal(0), (), "row 15: how late GETs see what is new or gone"),
    "page_size_excess": Switch("400", ("400", "cap"), "row 17: PageSize above 20000"),
    "fields_unselected": Switch("absent", ("absent", "null"), "row 19: members that Fields leaves out"),
    "url_length_limit": Switch(2000, (), "row 24: longer URLs give 404; 0 is no limit"),
    "d26_filters": Switch("present", ("present", "400"), "row 25: look-up filters by reference and number"),
    "unknown_members": Switch("ignored", ("ignored", "400"), "row 27: unknown members in bodies"),
    "duplicate_reference": Switch(
        "400", ("400", "409", "drafts only", "off"), "row 41: an ExternalImportReference that an order already has"
    ),
    "deleted_reference_freed": Switch(False, (), "row 41: a deleted or absorbed draft gives its reference back"),
    "order_reference_max_length": Switch(50, (), "§19.7: longer references give 400; 0 is no limit"),
    "imported_order_no_unique": Switch(False, (), "§19.7: ImportedOrderNo is checked"),
    "line_reference_duplicate": Switch("400", ("400", "ignored"), "row 42: twice in one order"),
    "missing_quantity": Switch("400", ("400", "one"), "row 43: product without quantity"),
    "related_invoice_on_positive": Switch("400", ("400", "ignored"), "row 43: RelatedInvoiceNo on a positive order"),
    "default_order_status": Switch("Draft", ("Draft", "Confirmed"), "row 45: SalesOrderStatus left out"),
    "confirmed_lock": Switch("409", ("409", "400", "off"), "row 45: edit or delete of a Confirmed order"),
    "sent_order_get": Switch("404", ("404", "200"), "row 46: GET of a sent order"),
    "sent_order_write": Switch("404", ("404", "409"), "§8.6: edit or delete of a sent order"),
    "attachment_max_bytes": Switch(10_000_000, (), "row 47: size limit"),
    "attachment_types": Switch("common", ("common", "any"), "row 47: file types"),
    "send_delay_seconds": Switch(Decimal(0), (), "row 48: how long sending takes"),
    "failed_send_keeps_draft": Switch(True, (), "row 49: after a failed delivery (customer named Leveringsfeil)"),
    "sent_state_without_id": Switch("all", ("all", "404"), "§8.8: sentState without id"),
    "second_send": Switch("400", ("400", "202"), "row 50: send while sending or after"),
    "lock_date_failure": Switch("last_error", ("last_error", "400"), "row 51: voucher date up to the lock date"),
    "invoice_fee": Switch(Decimal(0), (), "row 52: kroner added on send for customers with UseInvoiceFee; 0 is off"),
    "vat_rounding": Switch("line", ("line", "order"), "§8.4: VAT rounded per line or per order"),
    "kid": Switch(True, (), "row 53: invoices get a Cid"),
    "missing_ledger_date": Switch("404", ("404", "400"), "row 57: ledger call without its date"),
}


class Switches:
    """The switches as they stand, read once per request."""

    def __init__(self, state: State) -> None:
        """From the one row."""
        self.state = state

    def __getitem__(self, name: str) -> Any:
        return self.state.switches.get(name, SWITCHES[name].default)

    def all(self) -> dict[str, Any]:
        """Every switch, flat."""
        return {name: self[name] for name in SWITCHES}


def read_state(*, lock: bool = False) -> State:
    """The one row about the sandbox; locked, it makes requests queue for a moment (on SQLite they do anyway)."""
    rows = State.objects.select_for_update() if lock else State.objects.all()
    state = rows.filter(pk=1).first()
    return state or State.objects.get_or_create(pk=1)[0]


def read_switches() -> Switches:
    """The switches as they stand."""
    return Switches(read_state())


def set_switches(wanted: dict[str, Any]) -> None:
    """Change some switches, all or none; ValueError names what is wrong and lists what would do."""
    checked = {name: checked_value(name, value) for name, value in wanted.items()}
    with one_act():
        state = read_state(lock=True)
        state.switches = {**state.switches, **checked}
        state.save(update_fields=["switches"])


def checked_value(name: str, value: Any) -> Any:
    """The value in the kind of the switch's default."""
    if name not in SWITCHES:
        raise ValueError(f"There is no switch {name!r}. Switches: {', '.join(SWITCHES)}.")
    switch = SWITCHES[name]
    default = switch.default
    if switch.choices:
        if str(value) not in switch.choices:
            raise ValueError(f"{name} is one of {', '.join(switch.choices)}, not {value!r}.")
        return str(value)
    if isinstance(default, bool):
        if value not in (True, False):
            raise ValueError(f"{name} is true or false, not {value!r}.")
        return value
    if isinstance(default, list):
        if not isinstance(value, list) or not value or not all(isinstance(key, str) and key for key in value):
            raise ValueError(f"{name} is a list of keys.")
        return value
    try:
        number = decimal_of(value)
    except ValueError as error:
        raise ValueError(f"{name} is a number: {error}.") from error
    if number < 0 or (isinstance(default, int) and number != int(number)):
        raise ValueError(f"{name} is a {'whole ' if isinstance(default, int) else ''}number from 0, not {value!r}.")
    return int(number) if isinstance(default, int) else number


def now() -> dt.datetime:
    """The moment it is in Go: real time, moved by the control call `set_clock`, `set_date` or `advance_days`."""
    return timezone.now() + read_state().clock_offset


def today() -> dt.date:
    """The day it is in Oslo (reference §5: presumably the zone of defaulted dates)."""
    return now().astimezone(OSLO).date()
