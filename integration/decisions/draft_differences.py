"""What of a draft in Go is not as we made it, field by field, in words. Lines are told apart by our line references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from integration.decisions.money import amount_text
from integration.decisions.sales_orders import readable_text
from integration.terms import SalesOrder, SalesOrderLine

NOTHING: Final = "–"


@dataclass(frozen=True)
class OurLine:
    """A line as we sent it. `product_id` is Go's; none for a line of text. `unit_price` excl. VAT."""

    reference: str
    name: str
    description: str
    product_id: int | None
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal


@dataclass(frozen=True)
class OurDraft:
    """A statement as we sent it. `total` incl. VAT."""

    customer_id: int | None
    customer: str
    currency: str
    order_date: date
    customer_reference: str
    purchase_order_reference: str
    contract_number: str
    total: Decimal
    lines: Sequence[OurLine]


@dataclass(frozen=True)
class Difference:
    """One field: where, what we sent, what Go has."""

    where: str
    ours: str
    theirs: str


def differences(
    ours: OurDraft, theirs: SalesOrder, *, customers: Mapping[int, str], products: Mapping[int, str]
) -> list[Difference]:
    """Every field that differs, header first; empty when the draft is as we made it. Names are given by Go's id."""
    found: list[Difference] = []

    def compare(where: str, mine: object, other: object) -> None:
        if mine != other:
            found.append(Difference(where, _words(mine), _words(other)))

    if theirs.customer_id is not None and theirs.customer_id != ours.customer_id:
        name = customers.get(theirs.customer_id, f"customer no. {theirs.customer_number or 'unknown'}")
        found.append(Difference("Customer", ours.customer or NOTHING, name))
    compare("Currency", ours.currency, theirs.currency or ours.currency)
    compare("Date", ours.order_date, theirs.order_date or ours.order_date)
    compare("Your reference", readable_text(ours.customer_reference), theirs.customer_reference)
    compare("Purchase order", readable_text(ours.purchase_order_reference), theirs.purchase_order_reference)
    compare("Contract", readable_text(ours.contract_number), theirs.contract_number)
    there = {line.reference: line for line in theirs.lines if line.reference}
    for line in ours.lines:
        other = there.pop(line.reference, None)
        if other is None:
            found.append(Difference(line.name, _told(line), "taken out"))
        else:
            if line.product_id != other.product_id:
                named = (_product(each.product_id, products) for each in (line, other))
                found.append(Difference(f"{line.name}: product", *named))
            compare(f"{line.name}: description", readable_text(line.description), other.description)
            compare(f"{line.name}: quantity", line.quantity, other.quantity)
            if line.unit_price != other.unit_price:
                prices = _price(line.unit_price), _price(other.unit_price)
                found.append(Difference(f"{line.name}: price excl. VAT", *prices))
            compare(f"{line.name}: discount %", line.discount_percent, other.discount_percent)
    added = [*there.values(), *(line for line in theirs.lines if not line.reference)]
    found += [Difference("New line", NOTHING, _told_there(line, ours.currency)) for line in added]
    if ours.total != theirs.total:
        mine, other_total = (amount_text(total, ours.currency) for total in (ours.total, theirs.total))
        found.append(Difference("Total incl. VAT", mine, other_total))
    return found


def _words(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}".replace(".", ",")
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    return str(value) if value not in (None, "") else NOTHING


def _product(go_id: int | None, products: Mapping[int, str]) -> str:
    return NOTHING if go_id is None else products.get(go_id, f"a product not known here, {go_id} in PowerOffice Go")


def _price(value: Decimal | None) -> str:
    """With two decimals, or as many as it has."""
    words = _words(value)
    whole, _, rest = words.partition(",")
    return words if value is None or len(rest) > 1 else f"{whole},{rest:0<2}"


def _told(line: OurLine) -> str:
    if line.quantity is None:
        return line.description or NOTHING
    return f"{line.description}: {_words(line.quantity)} × {_price(line.unit_price)}"


def _told_there(line: SalesOrderLine, currency: str) -> str:
    if line.quantity is None:
        return line.description or NOTHING
    times = f"{_words(line.quantity)} × {_price(line.unit_price)}"
    return f"{line.description}: {times}, {amount_text(line.total, currency)} incl. VAT"
