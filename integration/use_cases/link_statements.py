"""Combined drafts: a person says that statements are in one order or invoice in Go, and from then on they follow it.

Either as proposed, with the lines as evidence, or by the number of an invoice. Nobody is linked by the machine. Each
statement is linked by a conditional move: of two people who act at once, one does it and the other is told. A wrong
link is taken back the same way.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.enums import InvoiceType, StatementKind, StatementStatus
from integration.models import AdminAction, GoCompany, InvoiceStatement, OutgoingInvoice, StatementMove
from integration.use_cases.credit_statement import credit_notes_of
from integration.use_cases.moves import move
from integration.use_cases.pay_by_hand import PAYMENT_WAITS, payment_waits
from integration.use_cases.pull_statuses import one_at_a_time, refresh_statuses, store_invoices
from integration.use_cases.review_statements import Report
from integration.use_cases.settle_doubts import COMBINED_UNSEEN

LINK = "link"
"""The word for it in the log book."""

UNLINK = "unlink"

LINKABLE = Q(status=StatementStatus.LINK_BROKEN) | Q(status=StatementStatus.NEEDS_FIX, attention_code=COMBINED_UNSEEN)
"""What a person may link: its own draft is gone from Go, or was combined there before we saw it."""

UNLINKABLE = frozenset(
    {
        StatementStatus.DRAFT,
        StatementStatus.CONFIRMED,
        StatementStatus.SENT,
        StatementStatus.PARTLY_PAID,
        StatementStatus.PAID,
    }
)
"""Where a wrong link can be taken back: nothing was decided on the strength of it yet."""

MEANWHILE = "changed by somebody else meanwhile"


class NotLinkable(Exception):
    """Why a statement cannot be linked, in a sentence. Nothing was changed."""


@dataclass(frozen=True)
class Proposal:
    """Statements whose lines were found in one order or invoice in Go. `already` follow it."""

    company: GoCompany
    kind: str
    go_id: str
    number: int | None
    statements: tuple[InvoiceStatement, ...]
    already: tuple[InvoiceStatement, ...]

    @property
    def place(self) -> str:
        """Draft no. 12, invoice 10044."""
        return f"{'draft no.' if self.kind == 'order' else 'invoice'} {self.number}"


def proposals(statements: QuerySet[InvoiceStatement], *, most: int = 50) -> list[Proposal]:
    """What is proposed for these statements, by the place where their lines are: two queries."""
    rows: dict[tuple[int, str], list[InvoiceStatement]] = defaultdict(list)
    waiting = statements.filter(LINKABLE, proposal__isnull=False)
    for statement in waiting.select_related("company", "customer").order_by("pk")[: most * 20]:
        rows[statement.company_id, (statement.proposal or {})["id"]].append(statement)
    keys = list(rows)[:most]
    followers: dict[tuple[int, str], list[InvoiceStatement]] = defaultdict(list)
    ids = [go_id for _, go_id in keys]
    there = InvoiceStatement.objects.filter(company__in={company for company, _ in keys})
    there = there.exclude(LINKABLE).select_related("customer").order_by("pk")
    for statement in there.filter(Q(combined_into__in=ids) | Q(go_order_id__in=ids, combined_into="")):
        followers[statement.company_id, statement.followed_id].append(statement)
    found = []
    for key in keys:
        first = rows[key][0].proposal or {}
        found.append(
            Proposal(
                rows[key][0].company, first["kind"], key[1], first["number"], tuple(rows[key]), tuple(followers[key])
            )
        )
    return found


def accept(
    statements: QuerySet[InvoiceStatement],
    go_id: str,
    *,
    user: User,
    now: datetime,
    client_for: Callable[[GoCompany], PowerOfficeClient],
) -> Report:
    """Link those of these statements for which this place is proposed. Raises RemoteError when Go must be asked."""
    rows = list(statements.select_related("company").order_by("pk"))
    fitting = [row for row in rows if is_linkable(row) and (row.proposal or {}).get("id") == go_id]
    held_back = len(rows) - len(fitting)
    done = 0
    for company in {row.company for row in fitting}:
        ours = [row for row in fitting if row.company_id == company.pk]
        kind, number = (ours[0].proposal or {})["kind"], (ours[0].proposal or {})["number"]
        invoice = _known(company, Q(go_invoice_id=go_id))
        if invoice is None and kind == "invoice":
            store_invoices(company, [client_for(company).invoice(go_id)])
            invoice = _known(company, Q(go_invoice_id=go_id))
        where = f"invoice {invoice.invoice_number}" if invoice else f"draft no. {number}"
        words = f"Combined into {where} in PowerOffice Go, says {user}"
        linked = _link(ours, go_id, invoice, user=user, now=now, reason="As proposed", words=words)
        done += linked
        held_back += len(ours) - linked
    return Report(done, ((MEANWHILE, held_back),) if held_back else ())


def is_linkable(statement: InvoiceStatement) -> bool:
    """As `LINKABLE`, of a row at hand."""
    unseen = statement.status == StatementStatus.NEEDS_FIX and statement.attention_code == COMBINED_UNSEEN
    return statement.status == StatementStatus.LINK_BROKEN or unseen


def _known(company: GoCompany, which: Q) -> OutgoingInvoice | None:
    return OutgoingInvoice.objects.filter(which, company=company).order_by("is_reversed", "-pk").first()


def link_by_number(
    statement: InvoiceStatement,
    number: int,
    *,
    user: User,
    now: datetime,
    reason: str,
    client_for: Callable[[GoCompany], PowerOfficeClient],
) -> OutgoingInvoice:
    """Link a statement with the invoice of this number. Raises NotLinkable, or RemoteError when Go cannot be asked."""
    if not is_linkable(statement):
        raise NotLinkable(f"{statement.source_id} is “{statement.get_status_display()}”: its link is not broken.")
    company = statement.company
    invoice = _known(company, Q(invoice_number=number))
    if invoice is None:
        store_invoices(company, list(client_for(company).invoices(numbers=[number])))
        invoice = _known(company, Q(invoice_number=number))
    if refusal := why_not_linked(statement, invoice, number):
        raise NotLinkable(refusal)
    assert invoice is not None  # noqa: S101 - `why_not_linked` refuses what is not there; this tells mypy
    words = f"In invoice {number} in PowerOffice Go, says {user}"
    if not _link([statement], invoice.go_invoice_id, invoice, user=user, now=now, reason=reason, words=words):
        raise NotLinkable(f"{statement.source_id} was {MEANWHILE}. Look at it again.")
    return invoice


def why_not_linked(statement: InvoiceStatement, invoice: OutgoingInvoice | None, number: int) -> str:
    """Why a statement cannot follow this invoice, in a sentence; or nothing."""
    company = statement.company
    if invoice is None:
        return f"There is no invoice {number} in the books of {company} in PowerOffice Go."
    wants = InvoiceType.CREDIT_NOTE if statement.kind == StatementKind.CREDIT_NOTE else InvoiceType.INVOICE
    if invoice.type != wants:
        is_note = invoice.type == InvoiceType.CREDIT_NOTE
        kinds = ("a credit note", "an invoice") if is_note else ("an invoice", "a credit note")
        return f"{number} is {kinds[0]}, and {statement.source_id} is {kinds[1]}."
    if invoice.is_reversed:
        return f"Invoice {number} is reversed in PowerOffice Go."
    if invoice.currency != statement.currency:
        return f"Invoice {number} is in {invoice.currency}, and {statement.source_id} in {statement.currency}."
    customer = statement.customer
    if customer is None or customer.go_customer_id is None:
        return f"{statement.source_id} has no customer that is known in PowerOffice Go."
    if invoice.go_customer_id != customer.go_customer_id:
        return f"Invoice {number} belongs to another customer (number {invoice.customer_number}), not to {customer}."
    return ""


def _link(
    statements: Sequence[InvoiceStatement],
    go_id: str,
    invoice: OutgoingInvoice | None,
    *,
    user: User,
    now: datetime,
    reason: str,
    words: str,
) -> int:
    """Link them, all of them or none of them, leaving out whom somebody else took. Returns how many."""
    company = statements[0].company
    done = 0
    with transaction.atomic():
        one_at_a_time(company)
        for statement in statements:
            fields: dict[str, Any] = {
                "combined_into": "" if statement.go_order_id == go_id else go_id,
                "outgoing_invoice_id": invoice.pk if invoice else None,
                "missing_since": None,
                "next_try_at": None,
                "tries": 0,
                "proposal": None,
                "attention": "",
                "attention_code": "",
                "follows_go": True,
            }
            if not move(
                statement.pk,
                from_status=statement.status,
                to_status=StatementStatus.SENT if invoice else StatementStatus.DRAFT,
                now=now,
                reason=words,
                user=user,
                last_saved=statement.updated_at,
                **fields,
            ):
                continue
            done += 1
            linked = InvoiceStatement.objects.select_related("customer", "outgoing_invoice").get(pk=statement.pk)
            linked.refresh_search()
            linked.save(update_fields=["search"])
            AdminAction.objects.create(
                company=company,
                user=user,
                at=now,
                action=LINK,
                statement=statement,
                record=str(statement)[:200],
                before={"status": statement.status, "in_go": statement.go_order_id},
                after={"status": linked.status, "in_go": go_id, "invoice": str(invoice or "")},
                reason=reason,
            )
        if invoice is not None and done:
            refresh_statuses(company, [invoice.go_invoice_id], now)
    return done


def why_not_unlinked(statement: InvoiceStatement) -> str:
    """In words why its link cannot be taken back now, or nothing."""
    if not statement.combined_into:
        return "no person linked it with another draft or invoice"
    if statement.status not in UNLINKABLE:
        return f"not possible while it is “{statement.get_status_display()}”"
    if not statement.follows_go:
        return "set by hand: press Follow PowerOffice again first"
    if payment_waits(statement):
        return PAYMENT_WAITS
    if credit_notes_of(statement).exists():
        return "it is credited from here, and the credit note names that invoice"
    return ""


def unlink(statement: InvoiceStatement, *, user: User, now: datetime, reason: str) -> None:
    """Take a wrong link back: the link is broken again, and a person decides anew. Raises NotLinkable: nothing changed.

    The others on that invoice share its money without it from now on.
    """
    with transaction.atomic():
        one_at_a_time(statement.company)
        held = InvoiceStatement.objects.select_for_update().get(pk=statement.pk)  # nobody pays or credits it meanwhile
        if refusal := why_not_unlinked(held):
            raise NotLinkable(f"{held.source_id}: {refusal}.")
        invoice = held.outgoing_invoice
        where = str(invoice) if invoice else "another draft"
        # One whose draft we never saw has no link of its own that could be broken.
        seen = bool(held.go_order_id)
        back = StatementStatus.LINK_BROKEN if seen else StatementStatus.NEEDS_FIX
        moves = StatementMove.objects.filter(statement=held, to_status=back, user=None)
        broke = moves.order_by("-at", "-pk").first()
        gone = broke.reason if broke else "The draft is gone from PowerOffice Go."
        words = f"It is not in {where}, says {user}: {reason}"
        move(
            held.pk,
            from_status=held.status,
            to_status=back,
            now=now,
            reason=words,
            user=user,
            combined_into="",
            outgoing_invoice_id=None,
            go_says="",
            missing_since=None,
            attention=f"{gone} {words}",
            attention_code="VANISHED" if seen else COMBINED_UNSEEN,
        )
        unlinked = InvoiceStatement.objects.select_related("customer", "outgoing_invoice").get(pk=held.pk)
        unlinked.refresh_search()
        unlinked.save(update_fields=["search"])
        AdminAction.objects.create(
            company=held.company,
            user=user,
            at=now,
            action=UNLINK,
            statement=held,
            record=str(held)[:200],
            before={"status": held.status, "in_go": held.combined_into, "invoice": str(invoice or "")},
            after={"status": unlinked.status, "in_go": unlinked.go_order_id},
            reason=reason,
        )
        if invoice is not None:
            refresh_statuses(held.company, [invoice.go_invoice_id], now)
