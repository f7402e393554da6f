"""The customer ledger: entries, and what offsets what (reference §10.1, rows 55 and 58). Amounts in øre."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q

from integration.sandbox.books import Books
from integration.sandbox.models import Allocation, Company, Invoice, LedgerEntry, Record
from integration.sandbox.wire import kroner


def post_entry(
    books: Books, customer: Record, amount_ore: int, voucher_type: str, date: dt.date, **more: Any
) -> LedgerEntry:
    """Enter an open item: debit positive, credit negative. `more` are further columns of the entry."""
    return LedgerEntry.objects.create(
        company=books.company,
        customer=customer,
        voucher_id=more.pop("voucher_id", None) or uuid4(),
        voucher_no=books.company.take("voucher_no"),
        voucher_type=voucher_type,
        voucher_date=date,
        amount_ore=amount_ore,
        currency_ore=more.pop("currency_ore", amount_ore),
        balance_ore=amount_ore,
        application_key=books.application_key,
        created_at=books.now,
        changed_at=books.now,
        **more,
    )


def match(books: Books, one: LedgerEntry, other: LedgerEntry) -> int:
    """Offset two open entries of opposite sign as far as they go; returns the øre that were offset."""
    one.refresh_from_db()
    other.refresh_from_db()
    debit, credit = (one, other) if one.balance_ore > 0 else (other, one)
    amount = min(debit.balance_ore, -credit.balance_ore)
    if amount <= 0:
        return 0
    day = max(debit.voucher_date, credit.voucher_date)
    allocation = Allocation.objects.create(debit=debit, credit=credit, amount_ore=amount, on=day)
    old = {entry.match_id for entry in (debit, credit) if entry.match_id}
    group = min(old) if old else allocation.pk
    LedgerEntry.objects.filter(company=books.company, match_id__in=old).update(match_id=group)
    for entry, sign in ((debit, -1), (credit, 1)):
        entry.balance_ore += sign * amount
        entry.match_id = group
        entry.changed_at = books.now
        entry.save(update_fields=["balance_ore", "match_id", "changed_at"])
    return amount


def unmatch(books: Books, entry: LedgerEntry) -> int:
    """Take an entry out of everything it offsets; returns the øre that are open again."""
    entry.refresh_from_db()
    group = entry.match_id
    freed = 0
    for allocation in Allocation.objects.filter(Q(debit=entry) | Q(credit=entry)).select_related("debit", "credit"):
        for side, sign in ((allocation.debit, 1), (allocation.credit, -1)):
            row = LedgerEntry.objects.get(pk=side.pk)
            row.balance_ore += sign * allocation.amount_ore
            row.changed_at = books.now
            row.save(update_fields=["balance_ore", "changed_at"])
        freed += allocation.amount_ore
        allocation.delete()
    if group:
        regroup(books, group)
    entry.refresh_from_db()
    return freed


def regroup(books: Books, group: int) -> None:
    """Give what is still connected a match id of its own, and take it from what stands alone."""
    rest = {entry.pk: entry for entry in LedgerEntry.objects.filter(company=books.company, match_id=group)}
    links = list(Allocation.objects.filter(debit__in=rest))
    for each in rest.values():
        each.match_id = None
    for link in sorted(links, key=lambda each: each.pk):
        ends = (rest[link.debit_id], rest[link.credit_id])
        known = {end.match_id for end in ends if end.match_id}
        label = min(known) if known else link.pk
        for each in rest.values():
            if each.match_id in known:
                each.match_id = label
        for end in ends:
            end.match_id = label
    LedgerEntry.objects.bulk_update(rest.values(), ["match_id"])


def match_by_reference(books: Books, entry: LedgerEntry, invoice_no: str = "") -> int:
    """Match as Go does by itself: equal InvoiceNo, Cid or CustomMatchingReference, opposite sign (row 58)."""
    conditions = Q(pk__in=[])
    if invoice_no:
        conditions |= Q(invoice_no=invoice_no)
    if entry.cid:
        conditions |= Q(cid=entry.cid)
    if entry.matching_reference:
        conditions |= Q(matching_reference=entry.matching_reference)
    candidates = LedgerEntry.objects.filter(conditions, company=books.company, customer=entry.customer_id)
    candidates = candidates.exclude(pk=entry.pk).exclude(balance_ore=0)
    total = 0
    for other in candidates.order_by("pk"):
        if (other.balance_ore > 0) != (entry.amount_ore > 0):
            total += match(books, other, entry)
            entry.refresh_from_db()
    return total


def balances_on(company: Company, day: dt.date) -> dict[int, int]:
    """How much each entry is offset by, counting only what was posted on or before the day (row 57)."""
    offset: dict[int, int] = {}
    for debit, credit, amount in Allocation.objects.filter(debit__company=company, on__lte=day).values_list(
        "debit_id", "credit_id", "amount_ore"
    ):
        offset[debit] = offset.get(debit, 0) - amount
        offset[credit] = offset.get(credit, 0) + amount
    return offset


def entry_words(books: Books, entry: LedgerEntry, balance_ore: int | None = None) -> dict[str, Any]:
    """An entry as an answer shows it; InvoiceNo is text here (row 57)."""
    customer = entry.customer
    return {
        "Id": entry.pk,
        "Amount": kroner(entry.amount_ore),
        "Balance": kroner(entry.balance_ore if balance_ore is None else balance_ore),
        "Cid": entry.cid or None,
        "CreatedDateTimeOffset": entry.created_at,
        "CreatedFromImportJournalId": None,
        "CurrencyAmount": kroner(entry.currency_ore),
        "CurrencyCode": entry.currency,
        "CustomMatchingReference": entry.matching_reference or None,
        "CustomerAccountNo": int(customer.code or 0),
        "CustomerExternalNo": customer.data.get("ExternalNumber"),
        "CustomerId": customer.pk,
        "CustomerName": customer.title,
        **dict.fromkeys(("DepartmentCode", "DepartmentId", "ProjectCode", "ProjectId", "LocationCode", "LocationId")),
        **dict.fromkeys(("Dim1Code", "Dim1Id", "Dim2Code", "Dim2Id", "Dim3Code", "Dim3Id")),
        "DueDate": entry.due_date,
        "ExternalImportReference": entry.reference or None,
        "InvoiceNo": entry.invoice_no or None,
        "IsCreatedByCurrentIntegration": bool(entry.application_key) and entry.application_key == books.application_key,
        "IsWriteOff": entry.is_write_off,
        "LastChangedDateTimeOffset": entry.changed_at,
        "MatchId": entry.match_id,
        "PaidFromBankAccount": entry.from_account or None,
        "PostingDate": entry.voucher_date,
        "VoucherDate": entry.voucher_date,
        "VoucherId": entry.voucher_id,
        "VoucherNo": entry.voucher_no,
        "VoucherType": entry.voucher_type,
    }


def invoice_of(books: Books, invoice_id: UUID) -> Invoice | None:
    """An invoice of these books."""
    return Invoice.objects.select_related("entry", "customer").filter(company=books.company, pk=invoice_id).first()
