"""The reports that list statements: by status, failed payments, set by hand, credits, unsent drafts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet, Sum, prefetch_related_objects
from django.utils.html import format_html, format_html_join

from integration.admin.dashboard import draft_windows
from integration.admin.display import (
    NEVER_COMBINE,
    NOTHING,
    amount,
    day,
    days_between,
    link,
    list_of,
    minute,
    number,
    status_badge,
)
from integration.admin.navigation import DRAFTS_NOT_SENT, FAILED_PAYMENTS, status_query
from integration.admin.receivables import customers_of
from integration.admin.report_tables import (
    Asked,
    Cell,
    Column,
    Getter,
    Table,
    amounts,
    counted,
    lead,
    linked,
    statement_table,
)
from integration.admin.statement_sheet import go_order_url
from integration.admin.sync import listed
from integration.decisions.transitions import DRAFTS
from integration.enums import InvoiceType, StatementKind
from integration.enums import StatementStatus as S
from integration.models import AdminAction, InvoiceStatement, OutgoingInvoice, StatementMove
from integration.use_cases.pay_by_hand import in_force


def by_status(asked: Asked) -> list[Table]:
    """Every state that has statements, in the order of a statement's life, and every company: both add up to all."""
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    of_company: dict[int, int] = defaultdict(int)
    rows = asked.statements().order_by().values_list("company", "status", "currency")
    for company, status, currency, many, total in rows.annotate(Count("pk"), Sum("total")):
        counts[status] += many
        sums[status][currency] += total
        of_company[company] += many
    states = Table(
        title="Statements by status",
        columns=(Column("Status"), Column("Statements", figures=True), Column("Incl. VAT", figures=True)),
        rows=[
            (
                format_html(
                    '<a href="{}">{}</a>', list_of(InvoiceStatement, status_query(status) + asked.and_company), badge
                ),
                number(counts[status]),
                amounts(sums[status]),
            )
            for status in S
            if counts.get(status)
            for badge in [status_badge(status)]
        ],
        sums=[("All", number(sum(counts.values())), "")],
        empty="No statements yet.",
    )
    companies = Table(
        title="Statements by company",
        columns=(Column("Company"), Column("Statements", figures=True)),
        rows=[
            (linked(list_of(InvoiceStatement, f"company={company.pk}"), company), number(of_company[company.pk]))
            for company in asked.companies
        ],
        sums=[("All", number(sum(of_company.values())))],
    )
    return [states, companies] if len(asked.companies) > 1 else [states]


def failed_payments(asked: Asked) -> list[Table]:
    """What PowerOffice Go cancelled and somebody must decide on, with how long it has waited."""
    failed = asked.statements().filter(status=S.CANCELLED)

    def columns(shown: list[InvoiceStatement]) -> Sequence[tuple[Column, Getter]]:
        since = dict(
            StatementMove.objects.filter(statement__in=shown, to_status=S.CANCELLED)
            .order_by()
            .values_list("statement")
            .annotate(Max("at"))
        )
        return [
            (Column("Why"), lambda statement: statement.attention or statement.go_says or NOTHING),
            (Column("Days", figures=True), lambda statement: days_since(since.get(statement.pk), asked.now)),
        ]

    return [
        statement_table(
            asked,
            failed.order_by("-statement_date", "-pk"),
            columns,
            title="Failed payments",
            empty="No failed payments.",
            list_link=list_of(InvoiceStatement, FAILED_PAYMENTS + asked.and_company),
        )
    ]


def days_since(then: datetime | None, now: datetime) -> str:
    """Whole days in Norway's calendar between two moments."""
    return str(days_between(then, now)) if then else NOTHING


def set_by_hand(asked: Asked) -> list[Table]:
    """Statements that no longer follow PowerOffice Go: what it says beside it, how, when and how much was paid by a
    person's word, and who decided, when and why."""
    by_hand = asked.statements().filter(follows_go=False)

    def columns(shown: list[InvoiceStatement]) -> Sequence[tuple[Column, Getter]]:
        decided = last_decisions(shown)

        def who(statement: InvoiceStatement) -> Cell:
            if (last := decided.get(statement.pk)) is None:
                return NOTHING
            return format_html('{}<br><small class="fb-muted">{}</small>', last.user, minute(last.at))

        def paid(statement: InvoiceStatement) -> Cell:
            return listed(
                f"{each.get_method_display()} {day(each.paid_on)}: {amount(each.amount, statement.currency)}"
                for each in in_force(statement)
            )

        prefetch_related_objects(shown, "hand_payments")
        return [
            (Column("Go says"), lambda statement: statement.go_says or NOTHING),
            (Column("Paid by hand"), paid),
            (Column("Set by"), who),
            (Column("Why"), lambda statement: decided[statement.pk].reason if statement.pk in decided else NOTHING),
        ]

    return [
        statement_table(
            asked,
            by_hand.order_by("-statement_date", "-pk"),
            columns,
            title="Set by hand",
            empty="Nothing is set by hand: every statement follows PowerOffice Go.",
        )
    ]


def last_decisions(statements: Sequence[InvoiceStatement]) -> dict[int, AdminAction | StatementMove]:
    """What a person last did with each, from the log books."""
    last: dict[int, AdminAction | StatementMove] = {}
    moves = StatementMove.objects.filter(statement__in=statements, user__isnull=False).select_related("user")
    actions = AdminAction.objects.filter(statement__in=statements).select_related("user")
    entries: list[AdminAction | StatementMove] = [*moves.order_by("at", "pk"), *actions.order_by("at", "pk")]
    for entry in entries:
        key = entry.statement_id
        if key is not None and (key not in last or entry.at >= last[key].at):
            last[key] = entry
    return last


def credited(asked: Asked) -> list[Table]:
    """Credit notes from here and what they credit; credit notes that somebody made in PowerOffice Go."""
    notes = asked.statements().filter(kind=StatementKind.CREDIT_NOTE).select_related("credits")
    in_go = (
        asked.invoices()
        .filter(type=InvoiceType.CREDIT_NOTE)
        .exclude(Exists(InvoiceStatement.objects.filter(outgoing_invoice=OuterRef("pk"))))
    )

    def columns(_: list[InvoiceStatement]) -> Sequence[tuple[Column, Getter]]:
        return [
            (Column("Credits"), lambda note: link(note.credits, note.credits.source_id) if note.credits else NOTHING),
            (Column("Why"), lambda note: note.credit_reason or NOTHING),
            (Column("Credit note no."), lambda note: invoice_link(note.outgoing_invoice)),
        ]

    here = statement_table(
        asked,
        notes.order_by("-statement_date", "-pk"),
        columns,
        title="Credit notes from here",
        empty="No credit notes.",
    )
    return [here, credit_notes_in_go(asked, in_go)]


def invoice_link(invoice: OutgoingInvoice | None) -> str:
    """An outgoing invoice by its number."""
    return link(invoice, str(invoice.invoice_number or "without number")) if invoice else NOTHING


def credit_notes_in_go(asked: Asked, notes: QuerySet[OutgoingInvoice]) -> Table:
    """Credit notes without a statement here, with the statement whose invoice they credit, where it is known."""
    page = asked.page(notes.select_related("company").order_by("-invoice_date", "-pk"), "in_go")
    shown = list(page.object_list)
    names = customers_of([{"company_id": note.company_id, "go_customer_id": note.go_customer_id} for note in shown])
    numbers = {note.related_invoice_number for note in shown}
    known: dict[tuple[int, int | None], list[str]] = defaultdict(list)
    for statement in (
        asked.statements()
        .filter(outgoing_invoice__invoice_number__in=numbers - {None})
        .select_related("outgoing_invoice")
        .order_by("pk")
    ):
        invoice = statement.outgoing_invoice
        known[statement.company_id, invoice.invoice_number if invoice else None].append(
            link(statement, statement.source_id)
        )

    def credits_what(note: OutgoingInvoice) -> Cell:
        if note.related_invoice_number is None:
            return NOTHING
        statements = known.get((note.company_id, note.related_invoice_number), [])
        which = format_html_join(", ", "{}", ((each,) for each in statements))
        return format_html("Invoice {} {}", note.related_invoice_number, which)

    def customer(note: OutgoingInvoice) -> Cell:
        name = names.get((note.company_id, note.go_customer_id or 0)) or str(note.customer_number or NOTHING)
        return format_html('{}<br><small class="fb-muted">{}</small>', name, note.company) if asked.several else name

    return Table(
        title="Credit notes made in PowerOffice Go",
        columns=(
            Column("Credit note no."),
            Column("Customer"),
            Column("Date"),
            Column("Amount", figures=True),
            Column("Credits"),
        ),
        rows=[
            (
                invoice_link(note),
                customer(note),
                day(note.invoice_date),
                amount(note.total, note.currency),
                credits_what(note),
            )
            for note in shown
        ],
        lead=lead(page.paginator.count, "credit note", counted(notes)[1]),
        empty="None.",
        page=page,
        page_key="in_go",
    )


def unsent_drafts(asked: Asked) -> list[Table]:
    """Drafts that nobody has sent in PowerOffice Go: kroner by age, and each draft, oldest first."""
    drafts = asked.statements().filter(status__in=sorted(DRAFTS))
    windows = draft_windows(asked.now)
    many: dict[int, int] = defaultdict(int)
    sums: dict[int, dict[str, Decimal]] = defaultdict(dict)
    parts: dict[str, Any] = {}
    for place, (_, window) in enumerate(windows):
        parts |= {f"many_{place}": Count("pk", filter=window), f"sum_{place}": Sum("total", filter=window)}
    rows: Any = drafts.order_by().values("currency").annotate(**parts)
    for row in rows:
        for place in range(len(windows)):
            if row[f"many_{place}"]:
                many[place] += row[f"many_{place}"]
                sums[place][row["currency"]] = row[f"sum_{place}"]
    whole, whole_sums = counted(drafts)
    by_age = Table(
        title="By age",
        columns=(Column("In Go since"), Column("Drafts", figures=True), Column("Incl. VAT", figures=True)),
        rows=[(title, number(many[place]), amounts(sums[place])) for place, (title, _) in enumerate(windows)],
        sums=[("All", number(whole), amounts(whole_sums))],
    )

    def in_go(draft: InvoiceStatement) -> Cell:
        return format_html(
            '<a class="fb-link" href="{}" target="_blank" rel="noopener">Open ↗</a>', go_order_url(draft)
        )

    def columns(_: list[InvoiceStatement]) -> Sequence[tuple[Column, Getter]]:
        return [
            (Column("In Go since"), lambda draft: minute(draft.pushed_at)),
            (Column("Days", figures=True), lambda draft: days_since(draft.pushed_at, asked.now)),
            (Column("There"), in_go),
        ]

    each = statement_table(
        asked,
        drafts.order_by(F("pushed_at").asc(nulls_first=True), "pk"),
        columns,
        title="Drafts, oldest first",
        note=NEVER_COMBINE,
        empty="Every draft was sent.",
        list_link=list_of(InvoiceStatement, DRAFTS_NOT_SENT + asked.and_company),
    )
    return [by_age, each]
