"""An invoice's money as a small table that sums, with what stands beside it; the same on every page."""

from typing import Any

from django.utils import timezone

from integration.admin.display import amount, badge, day
from integration.decisions.money_picture import ZERO, Parts, overdue_days
from integration.decisions.sharing import share_beside
from integration.enums import Part, SharingRule
from integration.models import LedgerEntry, OutgoingInvoice
from integration.use_cases.money_of_invoices import Beside, Money, beside, money_of, shares_of, states_of

NOK = "NOK"


def money_table(made: OutgoingInvoice) -> dict[str, Any]:
    """What the page shows of an invoice, and under `shares` what each of its statements has of a combined one.

    Five queries.
    """
    today = timezone.localdate()
    (money,) = money_of(made.company, [made])
    around = beside(money)
    days = overdue_days(money.facts, today)
    notes = []
    if money.picture.overpaid:
        notes.append(f"{amount(money.picture.overpaid, NOK)} was paid too much and belongs to the customer.")
    if around.credited:
        notes.append(
            f"{amount(around.credited, NOK)} of its credit notes is not settled with anything: it is the customer's."
        )
    if around.unused and not money.picture.overpaid and not around.credited and made.balance > 0:
        notes.append(
            f"The customer has {amount(around.unused, NOK)} in payments and credits that are not used up. "
            "Match them in PowerOffice Go if they are meant for this invoice."
        )
    if money.picture.parts[Part.UNEXPLAINED] and len(money.matched) > 1:
        notes.append(
            "It is settled together with other invoices, and PowerOffice Go does not say which entry went where."
        )
    return {
        "states": [badge(state) for state in states_of(money, around, today)],
        "late": f"{days} day{'' if days == 1 else 's'} late" if days else "",
        **parts_table(money.picture.parts),
        "notes": notes,
        "fees": [fee_row(fee) for fee in around.fees],
        **shares_table(money, around),
    }


def shares_table(money: Money, around: Beside) -> dict[str, Any]:
    """What each statement of a combined invoice has of it; nothing when the invoice is one statement's own."""
    company = money.invoice.company
    statements = list(money.invoice.statements.order_by("pk"))
    shares = shares_of(company, money, statements)
    if shares is None:
        return {"shares": {}}
    fees = share_beside(sum((fee.amount for fee in around.fees), ZERO), shares)
    overpaid = share_beside(money.picture.overpaid, shares)
    return {
        "rule": SharingRule(company.sharing).label.lower(),
        "shares": {
            key: {
                **parts_table(parts),
                "open": amount(parts[Part.OPEN], NOK),
                "beside": [
                    (name, amount(values[key], NOK))
                    for name, values in (("Reminder fees", fees), ("Paid too much", overpaid))
                    if values[key]
                ],
            }
            for key, parts in shares.by_key.items()
        },
        "rest": amount(shares.rest.total, NOK) if shares.rest.total else "",
    }


def parts_table(parts: Parts) -> dict[str, Any]:
    """The rows and their sum."""
    return {"parts": [(part.label, amount(value)) for part, value in parts.shown], "sum": amount(parts.total, NOK)}


def fee_row(fee: LedgerEntry) -> dict[str, Any]:
    """A reminder in words: a voucher of its own, never a part of the invoice."""
    return {
        "date": day(fee.posting_date),
        "what": FEE_NAMES.get(fee.voucher_type, fee.voucher_type),
        "voucher": fee.voucher_number,
        "amount": amount(fee.amount, NOK),
    }


FEE_NAMES = {
    "OutgoingPaymentReminder": "Reminder",
    "OutgoingNoticeOfDebtCollection": "Notice of debt collection",
    "OutgoingPaymentDemand": "Payment demand",
    "OutgoingWarrantOfExecution": "Warrant of execution",
}
