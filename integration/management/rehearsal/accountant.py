"""The accountant in Go, and whoever breaks things there: a client of the sandbox's control calls (`/_control/`)."""

import random
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import requests

from integration.management.rehearsal.verdict import Document, DocumentState
from integration.management.rehearsal.world import LATE_SECONDS

SEND_SHARE: Final = 0.10
PAY_SHARE: Final = 0.40
PART_SHARE: Final = 0.30
DELETE_SHARE: Final = 0.01
EDIT_SHARE: Final = 0.01
"""Of the drafts: sent, deleted, edited. Of the sent ones: paid in full, paid in part."""

FAULT_PLANS: Final[tuple[dict[str, Any], ...]] = (
    {
        "kinds": [
            "drop_before_commit",
            "drop_after_commit",
            "error_500_before_commit",
            "error_500_after_commit",
            "unavailable_503_after_commit",
            "malformed_json_after_commit",
            "html_after_commit",
            "empty_after_commit",
            "unauthorized_401",
        ]
    },
    {"kinds": ["throttled_429"], "retry_after": True},
    {"kinds": ["throttled_429"], "retry_after": False},
    {"kinds": ["slow"], "seconds": 1, "commit": "before"},
    {"kinds": ["slow"], "seconds": LATE_SECONDS, "commit": "late"},
)
"""Reference §18 row 14 and §18.6; the last one is written down after we gave up waiting."""

BURST: Final = 5


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

    def act(self, act: str, **members: Any) -> None:
        """One act of the accountant."""
        self._call("POST", f"acts/{act}", members)

    def accept_duplicates(self) -> None:
        """Go does not refuse a reference that it has already: a mistake of ours becomes a second order."""
        self._call("PUT", "switches", {"duplicate_reference": "off"})

    def add_faults(self, rate: float, seed: int) -> None:
        """Random faults: `rate` of the writes in all, a tenth of it on reads."""
        kinds = sum(len(plan["kinds"]) for plan in FAULT_PLANS)
        for number, plan in enumerate(FAULT_PLANS):
            share = rate * len(plan["kinds"]) / kinds
            rates = {"rate": f"{share:.4f}", "read_rate": f"{share / 10:.4f}"}
            self._call("POST", "faults", {"random": True, "seed": seed + number, **rates, **plan})

    def add_burst(self, *, retry_after: bool) -> None:
        """The next few requests are refused with 429."""
        burst = {"kind": "throttled_429", "method": "*", "path": "*", "count": BURST, "retry_after": retry_after}
        self._call("POST", "faults", burst)

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
    """Sends, pays, deletes and edits while the machines work. What happens to a draft hangs on the seed and its
    reference alone, so two rehearsals with one seed do the same whatever their pace.
    """

    desk: ControlDesk
    companies: tuple[str, ...]
    seed: int
    deletes: bool = True
    acts: Counter[str] = field(default_factory=Counter)
    edited: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def work(self) -> bool:
        """Look at all drafts and unpaid invoices once. Whether anything was left to do."""
        before = self.acts.total()
        for company in self.companies:
            books = self.desk.books(company)
            for document in documents(company, books):
                self._consider(company, document, books)
        return self.acts.total() > before

    def _consider(self, company: str, document: Document, books: dict[str, Any]) -> None:
        step = f"{document.id} {document.state}"
        if step in self._seen or not document.reference:
            return
        self._seen.add(step)
        chance = random.Random(f"{self.seed} {document.reference} {document.state}").random()  # noqa: S311 - dice
        if document.state is DocumentState.DRAFT:
            if chance < SEND_SHARE:
                self._act("send", company, order_ids=[document.id])
            elif chance < SEND_SHARE + DELETE_SHARE and self.deletes:
                self._act("delete", company, order_ids=[document.id])
            elif chance < SEND_SHARE + DELETE_SHARE + EDIT_SHARE:
                self._act("edit_line", company, order_id=document.id, unit_price="4321.00")
                self.edited.add(document.id)
        elif document.state is DocumentState.UNPAID:
            if chance < PAY_SHARE:
                self._act("pay", company, invoice_id=document.id)
            elif chance < PAY_SHARE + PART_SHARE:
                self._act("pay", company, invoice_id=document.id, amount=str(round(document.total / 2, 2)))

    def _act(self, act: str, company: str, **members: Any) -> None:
        self.desk.act(act, company=company, **members)
        self.acts[act] += 1


def documents(company: str, books: dict[str, Any], *, edited: Collection[str] = ()) -> Iterator[Document]:
    """Every sales order that was ever made, as what it is now: draft, deleted, or the invoice with the same id."""
    invoices = {invoice["id"]: invoice for invoice in books["invoices"]}
    for order in books["orders"]:
        invoice = invoices.pop(order["id"], None)
        yield Document(
            company=company,
            id=order["id"],
            state=_state(order, invoice),
            reference=order["reference"] or "",
            total=Decimal((invoice or order)["total"]),
            line_references=frozenset(line["reference"] for line in order["lines"] if line["reference"]),
            order_number=order["imported_order_no"],
            invoice_number=invoice["invoice_no"] if invoice else None,
            open_amount=Decimal(invoice["balance"]) if invoice else None,
            edited=order["id"] in edited,
        )


def _state(order: dict[str, Any], invoice: dict[str, Any] | None) -> DocumentState:
    if invoice is None:
        if order["deleted"]:
            return DocumentState.DELETED
        return DocumentState.LOCKED if order["status"] == "Confirmed" else DocumentState.DRAFT
    if Decimal(invoice["balance"]) == 0:
        return DocumentState.PAID
    return DocumentState.UNPAID if invoice["balance"] == invoice["total"] else DocumentState.PARTLY_PAID


def known_customers(books: dict[str, Any]) -> list[tuple[int, str]]:
    """Number and name of every customer in the books."""
    return [(int(customer["code"]), customer["name"]) for customer in books["customers"]]
