"""The accountant in Go, and whoever breaks things there: a client of the sandbox's control calls (`/_control/`)."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import cycle, product
from typing import Any, Final

import requests

from integration.management.rehearsal.verdict import Document, DocumentState

SEND_SHARE: Final = 0.05
DELETE_SHARE: Final = 0.01
COMBINE_SHARE: Final = 0.01
EDIT_SHARE: Final = 0.01
LOCK_SHARE: Final = 0.01
"""Of the statements that should reach Go: sent, deleted, taken into another draft, edited, locked."""
PAY_SHARE: Final = 0.3
PART_SHARE: Final = 0.2
OTHER_SHARE: Final = 0.05
"""Of those sent: paid in full, paid in part; and each of `OTHERS`."""
MOST_LATE: Final = 30.0
"""Seconds that a payment's stamps are old when it can be seen first."""

PLAIN_FAULTS: Final = (
    "drop_before_commit",
    "drop_after_commit",
    "error_500_before_commit",
    "error_500_after_commit",
    "unavailable_503_after_commit",
    "malformed_json_after_commit",
    "unauthorized_401",
)
"""Faults without settings of their own; 401 is how a token that has expired shows."""
READ_SHARE: Final = 1 / 3
"""Reads fail a third as often as writes: one in ten at a rate of 0.3."""
DOWN: Final = ["unavailable_503_before_commit", "drop_before_commit"]


def fault_plans(rate: float, *, slow_seconds: float, burst_seconds: float) -> list[dict[str, Any]]:
    """Ten faults, each equally likely, `rate` of the writes together (reference §18 row 14 and §18.6).

    A later plan is asked only when the earlier ones drew nothing, so its own rate is that much higher.
    """
    special: list[dict[str, Any]] = [
        {"kinds": ["throttled_429"], "retry_after": True, "burst_seconds": burst_seconds},
        {"kinds": ["throttled_429"], "retry_after": False, "burst_seconds": burst_seconds},
        {"kinds": ["slow"], "seconds": slow_seconds, "commit": "late"},
    ]
    plans, kinds = [{"kinds": list(PLAIN_FAULTS)}, *special], len(PLAIN_FAULTS) + len(special)
    gone, read_gone = 0.0, 0.0
    for plan in plans:
        share = rate * len(plan["kinds"]) / kinds
        plan["rate"] = f"{share / (1 - gone):.4f}"
        plan["read_rate"] = f"{share * READ_SHARE / (1 - read_gone):.4f}"
        gone, read_gone = gone + share, read_gone + share * READ_SHARE
    return plans


class Act(StrEnum):
    """What the accountant does with a draft."""

    SEND = "send"
    PAY = "send, then paid"
    PART = "send, then paid in part"
    OVERPAY = "send, then overpaid"
    REMIND = "send, then reminded, with a fee"
    CREDIT = "send, then credited"
    CREDIT_PART = "send, then credited in part"
    NET = "send, then credited by a note that names nothing, and matched by hand"
    WRITE_OFF = "send, then written off"
    UNDO = "send, then paid, and the payment undone"
    REVERSE = "send, then reversed"
    DELETE = "delete"
    EDIT = "edit_line"
    READDRESS = "edit_header"
    LOCK = "confirm"
    COMBINE = "combine"


OTHERS: Final = (
    *(Act.OVERPAY, Act.REMIND, Act.CREDIT, Act.CREDIT_PART),
    *(Act.NET, Act.WRITE_OFF, Act.UNDO, Act.REVERSE),
)
LATER: Final = frozenset({Act.PAY, Act.PART, *OTHERS})
"""Acts that go on when the invoice is there."""


@dataclass(frozen=True)
class Duty:
    """What is to be done with the draft of one statement. `into`: the reference of the draft that takes it in."""

    act: Act
    into: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def duties(drafts: Sequence[tuple[str, object]], chance: random.Random) -> dict[str, Duty]:
    """Exact shares of the drafts, by reference. `drafts`: reference and customer of what should reach Go."""
    rest = list(drafts)
    chance.shuffle(rest)
    sent, edited = round(len(drafts) * SEND_SHARE), round(len(drafts) * EDIT_SHARE)
    paid, part, each = round(sent * PAY_SHARE), round(sent * PART_SHARE), round(sent * OTHER_SHARE)
    found: dict[str, Duty] = {}
    for act, count in (
        (Act.PAY, paid),
        (Act.PART, part),
        *((other, each) for other in OTHERS),
        (Act.SEND, sent - paid - part - len(OTHERS) * each),
        (Act.DELETE, round(len(drafts) * DELETE_SHARE)),
        (Act.READDRESS, edited // 2),
        (Act.EDIT, edited - edited // 2),
        (Act.LOCK, round(len(drafts) * LOCK_SHARE)),
    ):
        found |= {rest.pop()[0]: Duty(act) for _ in range(count)}
    ways = cycle(product(("first", "new"), ("kept", "lost"), ("kept", "lost")))
    by_customer: dict[object, list[str]] = defaultdict(list)
    for reference, customer in rest:
        by_customer[customer].append(reference)
    pairs = [references[:2] for references in by_customer.values() if len(references) > 1]
    for (into, taken), way in zip(pairs[: round(len(drafts) * COMBINE_SHARE)], ways, strict=False):
        options = dict(zip(("survivor", "line_references", "header_references"), way, strict=True))
        found[taken] = Duty(Act.COMBINE, into, options)
    return found


class SandboxRefused(Exception):
    """The sandbox did not do what the control call asked; the message is its own sentence."""


class ControlDesk:
    """Every control call as a method."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_control"
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        # Each call on a line of its own: the sandbox hangs up on resting lines without a word.
        answer = self._session.request(
            method, f"{self._url}/{path}", json=body, timeout=60, headers={"Connection": "close"}
        )
        if not answer.ok:
            raise SandboxRefused(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json(parse_float=Decimal) if answer.content else None

    def add_company(self, name: str, client_key: str) -> None:
        """A company with seeded registers."""
        self._call("POST", "companies", {"name": name, "client_key": client_key, "seed": True})

    def books(self, company: str) -> dict[str, Any]:
        """Everything in a company's books."""
        books: dict[str, Any] = self._call("GET", f"books?company={company}")
        return books

    def act(self, act: str, **members: Any) -> dict[str, Any]:
        """One act of the accountant; what the sandbox says about it."""
        said: dict[str, Any] = self._call("POST", f"acts/{act}", members)
        return said

    def switch(self, **values: Any) -> None:
        """Decide what nobody knows of Go."""
        self._call("PUT", "switches", values)

    def add_faults(self, plans: Iterable[dict[str, Any]], seed: int) -> None:
        """Random faults from now on."""
        for number, plan in enumerate(plans):
            self._call("POST", "faults", {"random": True, "seed": seed + number, **plan})

    def go_down(self) -> None:
        """Nothing is answered properly any more, and nothing is done."""
        self.add_faults([{"kinds": DOWN, "rate": 1, "read_rate": 1}], seed=1)

    def fault_hits(self) -> int:
        """How many requests were hit."""
        return sum(int(plan["hits"]) for plan in self._call("GET", "faults"))

    def end_faults(self) -> None:
        """From now on all goes well."""
        self._call("DELETE", "faults")

    def requests_seen(self) -> dict[str, Any]:
        """The sandbox's own count of what it was asked."""
        seen: dict[str, Any] = self._call("GET", "requests")
        return seen

    def forget_requests(self) -> None:
        """Count from here."""
        self._call("DELETE", "requests")


@dataclass
class Accountant:
    """Does what people do in Go with drafts and invoices while the machines work, each in its exact share.

    `known` says which references the house knows to be in Go. Where Go does not keep the reference of a draft that is
    gone (`waits`), and where the lines lose theirs too, the accountant makes no draft vanish before the house knows it:
    nobody could tell afterwards that it had been there.
    """

    desk: ControlDesk
    companies: tuple[str, ...]
    duties: Mapping[str, Duty]
    chance: random.Random
    known: Callable[[], Collection[str]]
    waits: bool = False
    acts: Counter[str] = field(default_factory=Counter)
    edited: set[str] = field(default_factory=set)
    gathered: set[str] = field(default_factory=set)
    credited: set[str] = field(default_factory=set)
    written_off: set[str] = field(default_factory=set)
    reversed: set[str] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)

    def work(self) -> bool:
        """Look at all drafts and unpaid invoices once. Whether anything was done."""
        before = self.acts.total()
        known = set(self.known())
        for company in self.companies:
            books = self.desk.books(company)
            drafts = {order["reference"]: order["id"] for order in books["orders"] if order["state"] == "open"}
            for reference in drafts:
                duty = self.duties.get(reference)
                if duty is not None and reference not in self._done:
                    self._see_to(company, reference, duty, drafts, known, books)
            for invoice in books["invoices"]:
                if invoice["balance"] == invoice["total"]:
                    self._receive(company, invoice)
        return self.acts.total() > before

    def _see_to(
        self,
        company: str,
        reference: str,
        duty: Duty,
        drafts: dict[str, str],
        known: set[str],
        books: dict[str, Any],
    ) -> None:
        concerned = {reference, duty.into} - {""}
        vanishes = duty.act in {Act.DELETE, Act.COMBINE}
        looks_first = vanishes and (self.waits or duty.options.get("line_references") == "lost")
        if not concerned <= drafts.keys() or concerned & self._done or (looks_first and not concerned <= known):
            return
        self._done |= concerned
        order_id = drafts[reference]
        if duty.act is Act.EDIT:
            self._act("edit_line", company, order_id=order_id, unit_price="4321.00")
            self.edited.add(order_id)
        elif duty.act is Act.COMBINE:
            said = self._act("combine", company, order_ids=[drafts[duty.into], order_id], **duty.options)
            self.gathered.add(said["order_ids"][0])
        elif duty.act is Act.READDRESS:
            (whose,) = [order["customer_id"] for order in books["orders"] if order["id"] == order_id]
            another = next(each["id"] for each in books["customers"] if each["id"] != whose)
            self._act("edit_header", company, order_id=order_id, CustomerId=another)
            self.edited.add(order_id)
        else:
            self._act("send" if duty.act in {Act.SEND, *LATER} else duty.act, company, order_ids=[order_id])

    def _receive(self, company: str, invoice: dict[str, Any]) -> None:
        duty = self.duties.get(invoice["reference"] or "")
        if duty is None or duty.act not in LATER or invoice["id"] in self._done:
            return
        self._done.add(invoice["id"])
        half = str(round(Decimal(invoice["total"]) / 2, 2))
        of = {"invoice_id": invoice["id"], "stamped_ago": f"{self.chance.uniform(0, MOST_LATE):.3f}"}
        if duty.act is Act.WRITE_OFF:
            self._act("write_off", company, **of)
            self.written_off.add(invoice["id"])
        elif duty.act in {Act.CREDIT, Act.CREDIT_PART}:
            self._act("credit", company, amount=half if duty.act is Act.CREDIT_PART else None, **of)
            self.credited.add(invoice["id"])
        elif duty.act is Act.NET:
            note = self._act("credit", company, matched=False, **of)["invoice_ids"][0]
            self._act("net", company, credit_note_id=note, **of)
            self.credited.add(invoice["id"])
        elif duty.act is Act.REVERSE:
            self._act("reverse", company, **of)
            self.reversed.add(invoice["id"])
        elif duty.act is Act.REMIND:
            self._act("remind", company, **of)
        elif duty.act is Act.OVERPAY:
            self._act("overpay", company, by="100.00", **of)
        else:
            self._act("pay", company, amount=half if duty.act is Act.PART else None, **of)
            if duty.act is Act.UNDO:
                self._act("undo_payment", company, **of)

    def _act(self, act: str, company: str, **members: Any) -> dict[str, Any]:
        said = self.desk.act(act, company=company, **members)
        self.acts[act] += 1
        return said


def documents(company: str, books: dict[str, Any], accountant: Accountant) -> Iterator[Document]:
    """Every sales order that was ever made, as what it is now: draft, deleted, or the invoice with the same id."""
    invoices = {invoice["id"]: invoice for invoice in books["invoices"]}
    for order in books["orders"]:
        invoice = invoices.pop(order["id"], None)
        yield Document(
            company=company,
            id=order["id"],
            state=_state(order, invoice, accountant),
            reference=order["reference"] or "",
            total=Decimal((invoice or order)["total"]),
            line_references=frozenset(line["reference"] for line in order["lines"] if line["reference"]),
            order_number=order["imported_order_no"],
            invoice_number=invoice["invoice_no"] if invoice else None,
            open_amount=Decimal(invoice["balance"]) if invoice else None,
            edited=order["id"] in accountant.edited,
            gathered=order["id"] in accountant.gathered,
        )


def _state(order: dict[str, Any], invoice: dict[str, Any] | None, accountant: Accountant) -> DocumentState:
    if invoice is None:
        if order["deleted"]:
            return DocumentState.COMBINED if order["state"] == "combined" else DocumentState.DELETED
        return DocumentState.LOCKED if order["status"] == "Confirmed" else DocumentState.DRAFT
    if order["id"] in accountant.reversed:
        return DocumentState.REVERSED
    if Decimal(invoice["balance"]) == 0:
        if order["id"] in accountant.credited:
            return DocumentState.CREDITED
        return DocumentState.WRITTEN_OFF if order["id"] in accountant.written_off else DocumentState.PAID
    return DocumentState.UNPAID if invoice["balance"] == invoice["total"] else DocumentState.PARTLY_PAID


def known_customers(books: dict[str, Any]) -> list[tuple[int, str]]:
    """Number and name of every customer in the books."""
    return [(int(customer["code"]), customer["name"]) for customer in books["customers"]]
