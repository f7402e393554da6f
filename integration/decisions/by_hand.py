"""Payments by hand: how much may be marked as paid, when a second person must look (reference/wondr.md R14, R15)."""

from datetime import date
from decimal import Decimal
from typing import Final

from integration.decisions.money import amount_text, round_money

EARLIEST: Final = date(2000, 1, 1)
"""A payment dated before this is a slip of the pen."""


def open_in_go(*, total: Decimal, currency: str, invoice_total: Decimal, posted: Decimal, balance: Decimal) -> Decimal:
    """What Go says is open of a statement that has an invoice, in the statement's currency, between 0 and its total.

    `posted` and `balance` are kroner. A balance in part of an invoice in another currency is turned into that currency
    at the rate Go posted it at.
    """
    in_kroner_already = currency == "NOK" or posted == 0
    left = balance if in_kroner_already else round_money(balance * invoice_total / posted, currency)
    return max(Decimal("0.00"), min(total, left))


def in_kroner(
    amount: Decimal, currency: str, *, invoice_total: Decimal | None, posted: Decimal | None
) -> Decimal | None:
    """An amount in kroner at the rate Go posted its invoice at; None when nobody knows."""
    if currency == "NOK":
        return amount
    if not invoice_total or posted is None:
        return None
    return round_money(amount * posted / invoice_total, "NOK")


def amount_problem(amount: Decimal, open_amount: Decimal, currency: str) -> str:
    """Why this much cannot be marked as paid, or nothing."""
    if amount <= 0:
        return "The amount must be more than 0."
    if amount != round_money(amount, currency):
        return f"{amount} has more decimals than {currency} has."
    if amount > open_amount:
        return f"{amount_text(amount, currency)} is more than what is open: {amount_text(open_amount, currency)}."
    return ""


def date_problem(paid_on: date, today: date) -> str:
    """Why it cannot have been paid on this day, or nothing."""
    if paid_on > today:
        return "The day lies in the future: mark it as paid when the money has come."
    if paid_on < EARLIEST:
        return "That is long ago: look at the year."
    return ""


def needs_second_person(kroner: Decimal | None, limit: Decimal | None) -> bool:
    """Whether this much by one person is above the company's limit. An amount nobody can tell in kroner is."""
    return limit is not None and (kroner is None or kroner > limit)
