"""Subscriptions roll forward: their upcoming statements are made ahead of time, and made again when anything changes.

One pass compares what the subscriptions of some payers want with what is there, and writes the difference: done twice
it does nothing the second time, and killed between two portions it goes on where it was. Payers are locked, so two
workers take turns; and should they not, the database knows each payment of a month, and each bill of a day, once.

Only what is upcoming is changed. A statement that a person edited or held stays as it is and says that its
subscriptions have changed; one whose date has come stays as it is. One that a person withdrew does not come back.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format

from integration.decisions.sales_orders import statement_reference
from integration.decisions.subscriptions import LONGEST, Taken, add_months, due_dates, month_of, paid_period
from integration.enums import CompanyState, StatementSource, StatementStatus, SubscriptionState
from integration.models import (
    Customer,
    GoCompany,
    InvoiceStatement,
    PaymentMethod,
    StatementLine,
    Subscription,
    SubscriptionBill,
    SubscriptionTerm,
)
from integration.use_cases.import_plan import SAVED_AT_ONCE, chunks, save_changed
from integration.use_cases.invoice_receivers import NO_RECEIVER, default_receivers, will_not
from integration.use_cases.moves import move

PAYERS: Final = 500
"""So many in one transaction: some seconds of one worker's work, and all that it keeps in memory."""

CHANGED: Final = "SUBSCRIPTION_CHANGED"
"""The subscriptions want something else than a statement that a person has had a hand in."""

CHANGED_WORDS: Final = (
    "The subscriptions behind it have changed since it was made. Somebody edited it or put it on hold, so it was left "
    "as it is. Compare it with the subscriptions of the customer, then correct it by hand or withdraw it."
)

OURS: Final = frozenset({"", NO_RECEIVER, CHANGED})
"""Notes that may be written over."""

HEADER: Final = (
    "payment_days",
    "customer_reference",
    "net",
    "vat",
    "total",
    "search",
    "attention",
    "attention_code",
)

Day = tuple[int, date]
"""A payer and a date."""


def roll_company(
    company_id: int,
    *,
    clock: Callable[[], datetime],
    after: int = 0,
    keep_going: Callable[[], bool] = lambda: True,
) -> tuple[Counter[str], int | None]:
    """Roll all subscriptions of a company forward, payer by payer, from the one after `after`.

    Returns what was done, and the payer to go on after when `keep_going` said stop, else None.
    """
    counts: Counter[str] = Counter()
    company = GoCompany.objects.get(pk=company_id)
    if company.state == CompanyState.OFF:
        return counts, None
    while payers := _payers(company, after):
        counts.update(roll_payers(company, payers, clock()))
        after = payers[-1]
        if not keep_going():
            return counts, after
    return counts, None


def companies_to_roll() -> list[int]:
    """Companies with subscriptions."""
    with_some = Subscription.objects.order_by().values("company").distinct()
    return list(
        GoCompany.objects.filter(pk__in=with_some)
        .exclude(state=CompanyState.OFF)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _payers(company: GoCompany, after: int) -> list[int]:
    rows = Subscription.objects.filter(company=company, payer__gt=after).order_by("payer")
    return list(rows.values_list("payer", flat=True).distinct()[:PAYERS])


def roll_payers(company: GoCompany, payer_ids: Collection[int], now: datetime) -> Counter[str]:
    """Roll the subscriptions of some payers forward, all or nothing. Counts made, changed, withdrawn, left."""
    with transaction.atomic():
        return _Portion(company, payer_ids, timezone.localdate(now), now).roll()


@dataclass
class _Portion:
    """The subscriptions of some payers, what is there of them, and what they want."""

    company: GoCompany
    payer_ids: Collection[int]
    today: date
    now: datetime
    payers: dict[int, Customer] = field(default_factory=dict)
    receivers: dict[int, PaymentMethod] = field(default_factory=dict)
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    bills: dict[int, SubscriptionBill] = field(default_factory=dict)
    """Bills whose statement is upcoming and whose date is still to come."""
    rows: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Bill -> the subscriptions with a payment on it."""
    months: dict[tuple[int, int], int] = field(default_factory=dict)
    """Bill and subscription -> how many months are paid."""

    def roll(self) -> Counter[str]:
        terms = self._look()
        dropped, wanted = self._compare(terms)
        for portion in chunks(term.pk for term in dropped):
            SubscriptionTerm.objects.filter(pk__in=portion).delete()
        for term in dropped:
            self.rows[term.bill_id].discard(term.subscription_id)
        made = self._make_room(wanted)
        return self._write(made)

    # --- Looking ------------------------------------------------------------------------------------------------

    def _look(self) -> list[SubscriptionTerm]:
        """Lock payers, then statements; read the rest after that. Returns the terms of the payers' subscriptions."""
        locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=self.payer_ids).order_by("pk")
        self.payers = {payer.pk: payer for payer in locked}
        to_come = SubscriptionTerm.objects.filter(subscription__payer__in=self.payer_ids, date__gt=self.today)
        theirs = SubscriptionBill.objects.filter(payer__in=self.payer_ids, date__gt=self.today)
        keys = {*theirs.values_list("statement", flat=True), *to_come.values_list("bill__statement", flat=True)}
        statements: dict[int, InvoiceStatement] = {}
        for portion in chunks(sorted(keys)):
            upcoming = InvoiceStatement.objects.filter(
                pk__in=portion, status=StatementStatus.UPCOMING, payment_date__gt=self.today
            )
            statements |= {each.pk: each for each in upcoming.select_for_update().order_by("pk")}
        for portion in chunks(statements):
            for bill in SubscriptionBill.objects.filter(statement__in=portion, date__gt=self.today):
                bill.statement = statements[bill.statement_id]
                self.bills[bill.pk] = bill
        mine = self._read(Subscription.objects.filter(payer__in=self.payer_ids))
        since = add_months(self.today, -LONGEST - 1)
        terms = list(SubscriptionTerm.objects.filter(subscription__payer__in=self.payer_ids, date__gt=since))
        others: set[int] = set()
        for portion in chunks(self.bills):
            beside = SubscriptionTerm.objects.filter(bill__in=portion)
            for term in beside:
                self.rows[term.bill_id].add(term.subscription_id)
                self.months[term.bill_id, term.subscription_id] = term.months
                if term.subscription_id not in mine:
                    others.add(term.subscription_id)
        for portion in chunks(others):
            self._read(Subscription.objects.filter(pk__in=portion))
        strangers = {bill.payer_id for bill in self.bills.values()} - self.payers.keys()
        for portion in chunks(strangers):
            self.payers |= Customer.objects.in_bulk(portion)
        for portion in chunks(self.payers):
            self.receivers |= {each.customer_id: each for each in default_receivers().filter(customer__in=portion)}
        return terms

    def _read(self, rows: Any) -> set[int]:
        """Subscriptions with what a line says of product and holder."""
        found = {
            each.pk: each
            for each in rows.select_related("product", "holder").only(
                *(own.attname for own in Subscription._meta.concrete_fields),
                "product__name",
                "product__price",
                "product__vat_rate",
                "holder__name",
            )
        }
        self.subscriptions |= found
        return set(found)

    def _is_open(self, bill: SubscriptionBill | None) -> bool:
        """Whether nobody but us has had a hand in a bill's statement."""
        return bill is not None and not bill.statement.held and bill.statement.updated_at == bill.saved_at

    # --- Comparing ----------------------------------------------------------------------------------------------

    def _compare(self, terms: Iterable[SubscriptionTerm]) -> tuple[list[SubscriptionTerm], dict[Day, list[int]]]:
        """Terms to take away, and for each payer and date the subscriptions that want a payment there."""
        taken: dict[int, list[Taken]] = defaultdict(list)
        open_terms: dict[int, list[SubscriptionTerm]] = defaultdict(list)
        for term in terms:
            if self._is_open(self.bills.get(term.bill_id)):
                open_terms[term.subscription_id].append(term)
            else:
                taken[term.subscription_id].append(Taken(term.month, term.months))
        dropped: list[SubscriptionTerm] = []
        wanted: dict[Day, list[int]] = defaultdict(list)
        horizon = self.today + timedelta(days=self.company.subscription_days_ahead)
        for subscription in list(self.subscriptions.values()):
            if subscription.payer_id not in self.payer_ids:
                continue
            there = open_terms[subscription.pk]
            days: set[date] = set()
            if subscription.state == SubscriptionState.ACTIVE:
                until = max([horizon, *(term.date for term in there)])
                days.update(due_dates(subscription.schedule(), taken[subscription.pk], today=self.today, until=until))
            for term in there:
                fits = term.date in days and term.months == subscription.interval
                if fits and self.bills[term.bill_id].payer_id == subscription.payer_id:
                    days.discard(term.date)
                else:
                    dropped.append(term)
            for day in sorted(days):
                wanted[subscription.payer_id, day].append(subscription.pk)
        return dropped, wanted

    # --- Writing ------------------------------------------------------------------------------------------------

    def _make_room(self, wanted: dict[Day, list[int]]) -> list[SubscriptionBill]:
        """Put what is wanted on an open bill of its day, or on a new one, which is returned unsaved."""
        rooms = {(bill.payer_id, bill.date): bill for bill in self.bills.values() if self._is_open(bill)}
        last: dict[Day, int] = {}
        for portion in chunks({payer for payer, _ in wanted}):
            numbers = SubscriptionBill.objects.filter(payer__in=portion, date__gte=min(day for _, day in wanted))
            for payer, day, number in numbers.values_list("payer", "date").annotate(Max("number")):
                last[payer, day] = number
        made = []
        self.placed: list[tuple[SubscriptionBill, int, date]] = []
        for (payer_id, day), subscription_ids in wanted.items():
            bill = rooms.get((payer_id, day))
            if bill is None:
                bill = self._new_bill(payer_id, day, last.get((payer_id, day), 0) + 1)
                made.append(bill)
            self.placed += [(bill, key, day) for key in subscription_ids]
        return made

    def _new_bill(self, payer_id: int, day: date, number: int) -> SubscriptionBill:
        suffix = "" if number == 1 else f"-{number}"
        source_id = f"S{payer_id}-{day.isoformat()}{suffix}"
        statement = InvoiceStatement(
            company=self.company,
            source=StatementSource.SUBSCRIPTION,
            source_id=source_id,
            reference=statement_reference(StatementSource.SUBSCRIPTION, source_id),
            customer=self.payers[payer_id],
            statement_date=day,
            payment_date=day,
        )
        return SubscriptionBill(statement=statement, payer=self.payers[payer_id], date=day, number=number)

    def _write(self, made: list[SubscriptionBill]) -> Counter[str]:
        new_rows: dict[int, list[int]] = defaultdict(list)
        for bill, key, _ in self.placed:
            new_rows[id(bill)].append(key)
        counts: Counter[str] = Counter()
        lines: list[StatementLine] = []
        for bill in made:
            lines += self._fill(bill, {key: self.subscriptions[key].interval for key in new_rows[id(bill)]})
        changed: list[SubscriptionBill] = []
        for bill in self.bills.values():
            rows = {key: self.months[bill.pk, key] for key in self.rows[bill.pk]}
            rows |= {key: self.subscriptions[key].interval for key in new_rows[id(bill)]}
            if not self._is_open(bill):
                counts["left as it is"] += self._tell(bill, rows)
            elif not rows:
                counts["withdrawn"] += self._withdraw(bill)
            elif self._digest(bill, rows) != bill.digest:
                lines += self._fill(bill, rows)
                changed.append(bill)
            else:
                self._note(bill, self._receiver_note(bill))
        self._save(made, changed, lines)
        return counts + Counter({"made": len(made), "changed": len(changed)})

    def _content(self, bill: SubscriptionBill, rows: dict[int, int]) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
        """What a bill with payments of these subscriptions says: due days and reference; a line for each of them."""
        receiver = self.receivers.get(bill.payer_id)
        lines, named = [], []
        for key in sorted(rows, key=lambda key: (self.subscriptions[key].holder.name.casefold(), key)):
            subscription = self.subscriptions[key]
            first, last = paid_period(bill.date, rows[key], subscription.payment_day)
            what = subscription.description or subscription.product.name
            price = subscription.price if subscription.price is not None else subscription.product.price
            lines.append(
                (
                    subscription.product_id,
                    f"{what}, {subscription.holder.name}, {date_format(first)} to {date_format(last)}",
                    subscription.quantity,
                    price,
                    subscription.discount_percent,
                    subscription.product.vat_rate,
                )
            )
            if subscription.payment_days is not None:
                named.append(subscription.payment_days)
        return (max(named, default=None), receiver.invoice_reference if receiver else ""), lines

    def _digest(self, bill: SubscriptionBill, rows: dict[int, int]) -> str:
        header, lines = self._content(bill, rows)
        said = [[str(part) for part in each] for each in (header, *lines)]
        return hashlib.sha256(repr(said).encode()).hexdigest()

    def _fill(self, bill: SubscriptionBill, rows: dict[int, int]) -> list[StatementLine]:
        """Let the statement say what the subscriptions want. Unsaved."""
        statement = bill.statement
        (statement.payment_days, statement.customer_reference), said = self._content(bill, rows)
        lines = [
            StatementLine(
                statement=statement,
                line_number=number,
                product_id=product_id,
                description=description,
                quantity=quantity,
                unit_price=price,
                discount_percent=discount,
                vat_rate=vat_rate,
            )
            for number, (product_id, description, quantity, price, discount, vat_rate) in enumerate(said, start=1)
        ]
        statement.customer = self.payers[bill.payer_id]
        statement.recount(lines)
        statement.refresh_search()
        statement.attention = self._receiver_note(bill)
        statement.attention_code = NO_RECEIVER if statement.attention else ""
        bill.digest = self._digest(bill, rows)
        return lines

    def _save(self, made: list[SubscriptionBill], changed: list[SubscriptionBill], lines: list[StatementLine]) -> None:
        InvoiceStatement.objects.bulk_create([bill.statement for bill in made], batch_size=SAVED_AT_ONCE)
        save_changed(InvoiceStatement, [bill.statement for bill in changed], HEADER)
        for bill in (*made, *changed):
            bill.statement_id, bill.saved_at = bill.statement.pk, bill.statement.updated_at
        SubscriptionBill.objects.bulk_create(made, batch_size=SAVED_AT_ONCE)
        save_changed(SubscriptionBill, changed, ("digest", "saved_at"))
        for portion in chunks(bill.statement_id for bill in changed):
            StatementLine.objects.filter(statement__in=portion).delete()
        for line in lines:
            line.statement_id = line.statement.pk
        StatementLine.objects.bulk_create(lines, batch_size=SAVED_AT_ONCE)
        SubscriptionTerm.objects.bulk_create(
            [
                SubscriptionTerm(
                    subscription_id=key,
                    bill_id=bill.pk,
                    date=day,
                    month=month_of(day),
                    months=self.subscriptions[key].interval,
                )
                for bill, key, day in self.placed
            ],
            batch_size=SAVED_AT_ONCE,
        )

    def _withdraw(self, bill: SubscriptionBill) -> bool:
        """Nobody wants anything of it any more."""
        return move(
            bill.statement_id,
            from_status=StatementStatus.UPCOMING,
            to_status=StatementStatus.VOID,
            now=self.now,
            reason="Its subscriptions have ended, are paused, or are paid by somebody else or on another day",
            attention="",
            attention_code="",
        )

    # --- Telling ------------------------------------------------------------------------------------------------

    def _receiver_note(self, bill: SubscriptionBill) -> str:
        return "" if bill.payer_id in self.receivers else will_not(self.payers[bill.payer_id], bill.date)

    def _tell(self, bill: SubscriptionBill, rows: dict[int, int]) -> bool:
        """What a person must know of a statement that is not changed. True: its subscriptions want something else."""
        still = {key: months for key, months in rows.items() if self._still_wants(bill, key, months)}
        differs = self._digest(bill, still) != bill.digest
        note = self._receiver_note(bill)
        if note or not differs:
            self._note(bill, note)
        else:
            self._note(bill, CHANGED_WORDS, CHANGED)
        return differs

    def _still_wants(self, bill: SubscriptionBill, key: int, months: int) -> bool:
        subscription = self.subscriptions[key]
        return (
            subscription.state == SubscriptionState.ACTIVE
            and (subscription.payer_id, subscription.interval) == (bill.payer_id, months)
            and not subscription.has_ended(bill.date)
        )

    def _note(self, bill: SubscriptionBill, note: str, code: str = NO_RECEIVER) -> None:
        """Written without stamping the statement as saved: nobody has had a hand in it."""
        statement = bill.statement
        if statement.attention != note and statement.attention_code in OURS:
            InvoiceStatement.objects.filter(pk=statement.pk).update(attention=note, attention_code=code if note else "")
