"""Bad designs, each a named search and replace in the house, and the tests that must fail with it.

Every one of them would lose an invoice, double it, or bring it into the wrong books, and looks harmless in a review.
"""

from dataclasses import dataclass

PUSH = "integration/use_cases/push_statements.py"
PULL = "integration/use_cases/pull_statuses.py"
SETTLE = "integration/use_cases/settle_doubts.py"
MOVES = "integration/use_cases/moves.py"
CREDIT = "integration/use_cases/credit_statement.py"
SEND = "integration/use_cases/send_invoices.py"
REMOTES = "integration/remotes.py"
HTTP = "integration/clients/http.py"
TRANSPORT = "integration/clients/transport.py"
CLIENT = "integration/clients/poweroffice/client.py"

ONCE = "tests/use_cases/test_once_only.py::"
ROLL = "integration/use_cases/roll_subscriptions.py"
RULES = "tests/use_cases/test_wondr_rules_subscriptions.py::"
ROLLED = "tests/use_cases/test_roll_subscriptions.py::"
PUSHED = "tests/use_cases/test_push_statements.py::"
PULLED = "tests/use_cases/test_pull_statuses.py::"
COMBINED = "tests/use_cases/test_combined_drafts.py::"
HARD = "tests/use_cases/test_hard_cases.py::"


@dataclass(frozen=True)
class Change:
    """In one file, `before` (found exactly once) becomes `after`."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class BadDesign:
    """A mistake somebody could make. Each test of `caught_by` must fail with it, by an assertion of its own."""

    name: str
    changes: tuple[Change, ...]
    caught_by: tuple[str, ...]


DESIGNS = (
    BadDesign(
        "retry everything, without a reference",
        (
            Change(
                PUSH,
                "return _doubt(statement, attempt, error, now=clock()) if left_us else _later(statement, attempt, error, "
                "clock())",
                "return _later(statement, attempt, error, clock())",
            ),
            Change(
                "integration/clients/poweroffice/wire.py",
                '                "ExternalImportReference": draft.reference,\n',
                "",
            ),
        ),
        (f"{ONCE}test_every_fault_ends_in_one_order[400-present-drop_after_commit]",),
    ),
    BadDesign(
        "retry everything, and trust in Go's duplicate check",
        (
            Change(
                PUSH,
                "return _doubt(statement, attempt, error, now=clock()) if left_us else _later(statement, attempt, error, "
                "clock())",
                "return _later(statement, attempt, error, clock())",
            ),
        ),
        (f"{ONCE}test_every_fault_ends_in_one_order[off-400-drop_after_commit]",),
    ),
    BadDesign(
        "a duplicate answer counted as failure",
        (
            Change(
                PUSH,
                "    if isinstance(error, Conflict) or about_reference:\n"
                "        return _doubt(statement, attempt, error, now=now, code=REFERENCE_TAKEN)\n",
                "    if isinstance(error, Conflict) or about_reference:\n"
                "        said_so = AttemptOutcome.REFUSED\n"
                '        return _stuck(statement, attempt, said_so, code="TAKEN", message=error.message, now=now)\n',
            ),
        ),
        (
            f"{ONCE}test_a_duplicate_answer_means_that_go_has_it_and_is_found[400]",
            f"{ONCE}test_a_duplicate_answer_means_that_go_has_it_and_is_found[409]",
        ),
    ),
    BadDesign(
        "a duplicate answer counted as success, without a look-up",
        (
            Change(
                PUSH,
                "    if isinstance(error, Conflict) or about_reference:\n"
                "        return _doubt(statement, attempt, error, now=now, code=REFERENCE_TAKEN)\n",
                "    if isinstance(error, Conflict) or about_reference:\n"
                "        to_status, known = StatementStatus.DRAFT, statement.reference[:36]\n"
                '        _end(statement, attempt, AttemptOutcome.DONE, to_status, now=now, message="It is there",\n'
                '             code="", go_order_id=known, pushed_at=now)\n'
                "        return Sent(AttemptOutcome.DONE)\n",
            ),
        ),
        (
            f"{ONCE}test_a_duplicate_answer_means_that_go_has_it_and_is_found[400]",
            f"{PUSHED}test_an_order_of_somebody_else_under_our_reference_is_not_adopted",
        ),
    ),
    BadDesign(
        "no retry",
        (
            Change(
                PUSH,
                "        AttemptOutcome.LATER,\n        StatementStatus.PROCESSING,\n",
                "        AttemptOutcome.LATER,\n        StatementStatus.NEEDS_FIX,\n",
            ),
        ),
        (f"{ONCE}test_every_fault_ends_in_one_order[400-present-throttled_429]",),
    ),
    BadDesign(
        "a strict watermark, without overlap",
        (
            Change(
                "integration/use_cases/sync_customers.py",
                "OVERLAP: Final = timedelta(minutes=2)",
                "OVERLAP: Final = timedelta(0)",
            ),
        ),
        (f"{PULLED}test_payments_stamped_late_are_not_missed",),
    ),
    BadDesign(
        "the watermark written before what it covers",
        (
            Change(
                PULL,
                "    counts: Counter[str] = Counter()\n    with transaction.atomic(durable=True):\n"
                "        one_at_a_time(company)\n",
                "    counts: Counter[str] = Counter()\n"
                "    advance(company, Resource.INVOICES, (row.balance_changed_at for row in invoices), began=began)\n"
                "    with transaction.atomic(durable=True):\n        one_at_a_time(company)\n",
            ),
        ),
        (f"{PULLED}test_our_own_fault_in_a_pull_moves_no_watermark",),
    ),
    BadDesign(
        "invoices filtered by: only mine",
        (
            Change(
                CLIENT,
                "                onlyUnpaidInvoices=only_unpaid,\n",
                "                onlyUnpaidInvoices=only_unpaid,\n                onlyCreatedByCurrentIntegration=True,\n",
            ),
        ),
        (f"{PULLED}test_sent_brings_number_due_date_and_link",),
    ),
    BadDesign(
        "the outcome written before Go's commit",
        (
            Change(
                PUSH,
                "        made = client.create_order(order, before_send=before_send)\n",
                '        close_attempt(attempt, AttemptOutcome.DONE, now=clock(), message="Sent")\n'
                "        made = client.create_order(order)\n",
            ),
        ),
        (
            f"{ONCE}test_power_cut_around_the_request[before the request-400]",
            f"{ONCE}test_power_cut_around_the_request[before the request-off]",
        ),
    ),
    BadDesign(
        "a race for the new token",
        (
            Change(
                REMOTES,
                "AccessToken.objects.filter(free, company=self._company_id, expires_at=self._seen)",
                "AccessToken.objects.filter(company=self._company_id)",
            ),
        ),
        (
            "tests/test_remotes.py::test_one_renews",
            "tests/test_remotes.py::test_a_worker_that_died_while_renewing_holds_up_nobody_for_long",
        ),
    ),
    BadDesign(
        "a lease shorter than the time-out",
        (
            Change(
                "config/settings.py",
                "if CLAIM_LEASE_SECONDS <= GO_CONNECT_TIMEOUT + GO_READ_TIMEOUT:",
                "if CLAIM_LEASE_SECONDS < 1:",
            ),
            Change(
                "config/settings.py",
                'env.float("CLAIM_LEASE_SECONDS", default=40.0)',
                'env.float("CLAIM_LEASE_SECONDS", default=15.0)',
            ),
        ),
        (
            "tests/config/test_settings.py::test_a_claim_lasts_longer_than_any_call[given0]",
            "tests/config/test_settings.py::test_a_claim_shorter_than_a_call_is_refused",
        ),
    ),
    BadDesign(
        "money as float: in our sums",
        (
            Change(
                "integration/decisions/money.py",
                "net = round_money(quantity * unit_price * (1 - discount_percent / 100), currency)",
                "net = round_money(Decimal(float(quantity) * float(unit_price) * (1 - float(discount_percent) / 100)), "
                "currency)",
            ),
        ),
        ("tests/decisions/test_money.py::test_line_amounts_round_per_line[3-33.335-0-0.25-expected1]",),
    ),
    BadDesign(
        "money as float: on the wire",
        (Change("integration/clients/json_text.py", "parse_float=Decimal, ", ""),),
        ("tests/clients/test_json_text.py::test_loads_reads_fractions_exactly",),
    ),
    BadDesign(
        "the wall between companies forgotten: what a form offers",
        (
            Change(
                "integration/admin/base.py",
                "            rows = db_field.related_model._default_manager.using(db)\n"
                "        return behind_wall(rows, request.user)\n",
                "            rows = db_field.related_model._default_manager.using(db)\n        return rows\n",
            ),
        ),
        (
            "tests/admin/test_base.py::test_a_form_offers_only_own_records_also_where_no_order_is_known",
            "tests/admin/test_walls.py::test_forms_bent_to_their_rows[integration.InvoiceStatement]",
        ),
    ),
    BadDesign(
        "the wall between companies forgotten: imported files",
        (
            Change(
                "integration/use_cases/import_spreadsheet.py",
                'own = list(GoCompany.objects.of(user).order_by("pk"))',
                'own = list(GoCompany.objects.order_by("pk"))',
            ),
        ),
        ("tests/spreadsheets/test_import_statements.py::test_a_person_who_left_the_company_confirms_nothing",),
    ),
    BadDesign(
        "the check of moves removed",
        (Change(MOVES, "    if not is_allowed(from_status, to_status):\n", "    if False:\n"),),
        tuple(
            f"tests/use_cases/test_moves.py::test_a_move_that_the_table_does_not_have_is_refused_and_changes_nothing[{to}]"
            for to in ("PROCESSING", "DRAFT", "CREDITED", "PUSHING")
        ),
    ),
    BadDesign(
        "a move that does not ask where the statement is",
        (Change(MOVES, '{"id": statement_id, "status": from_status, **only_if}', '{"id": statement_id, **only_if}'),),
        ("tests/use_cases/test_moves.py::test_of_two_who_move_the_same_statement_one_does",),
    ),
    BadDesign(
        "a credit that forgets what was credited before",
        (Change(CREDIT, "credited_quantity=sum((part", "credited_quantity=0 * sum((part"),),
        ("tests/use_cases/test_wondr_rules_credits.py::test_parts_add_up_and_never_exceed",),
    ),
    BadDesign(
        "credit notes made in Go not counted",
        (Change(CREDIT, "    left += sum((note.total for note in in_go), Decimal(0))\n", ""),),
        ("tests/use_cases/test_wondr_rules_credits.py::test_a_credit_note_made_in_go_is_noticed_and_counts",),
    ),
    BadDesign(
        "asking Go to send again without asking what became of it",
        (
            Change(
                SEND,
                '        _close(attempt, AttemptOutcome.IN_DOUBT, error, clock())\n        return "in doubt"\n',
                "        _close(attempt, AttemptOutcome.IN_DOUBT, error, clock())\n"
                "        InvoiceStatement.objects.filter(pk=statement.pk).update(send_begun_at=None, send_look_at=None)\n"
                '        return "in doubt"\n',
            ),
        ),
        (
            "tests/use_cases/test_send_invoices.py::test_a_doubt_is_looked_up_and_never_sent_twice[drop_after_commit-202]",
        ),
    ),
    BadDesign(
        "a request sent inside a transaction",
        (
            Change(
                PUSH,
                "        made = client.create_order(order, before_send=before_send)\n",
                "        with transaction.atomic():\n"
                "            made = client.create_order(order, before_send=before_send)\n",
            ),
        ),
        (f"{PUSHED}test_push_makes_a_draft_that_says_what_the_statement_says",),
    ),
    BadDesign(
        "nobody refuses a request inside a transaction",
        (
            Change(
                REMOTES,
                "        refuse_open_transaction(self._database)\n        if self._step",
                "        if self._step",
            ),
        ),
        ("tests/test_remotes.py::test_no_request_leaves_inside_a_transaction",),
    ),
    BadDesign(
        "the sweep sends again without a look-up",
        (
            Change(
                SETTLE,
                "                    to_status=StatementStatus.IN_DOUBT,\n                    now=now,\n"
                '                    reason="The worker did not come back',
                "                    to_status=StatementStatus.PROCESSING,\n                    now=now,\n"
                '                    reason="The worker did not come back',
            ),
            Change(
                SETTLE,
                "                    doubt_since=min(lease_until, now),  # nothing leaves us after it, however late we notice\n",
                "",
            ),
        ),
        (f"{ONCE}test_power_cut_around_the_request[after Go's commit-off]",),
    ),
    BadDesign(
        "absence believed at the first look",
        (
            Change(
                SETTLE,
                "return since is not None and began - since >= timedelta(seconds=settings.GO_ABSENCE_SECONDS)",
                "return since is not None",
            ),
        ),
        ("tests/use_cases/test_settle_doubts.py::test_too_soon_to_prove_absence_is_said_and_nothing_moves",),
    ),
    BadDesign(
        "a statement claimed though somebody changed it after it was read",
        (Change(PUSH, "                last_saved=statement.updated_at,\n", ""),),
        (f"{PUSHED}test_a_statement_that_somebody_saved_after_it_was_read_is_pushed_as_saved",),
    ),
    BadDesign(
        "a worker sends though its claim ran out",
        (
            Change(
                PUSH, "        if not renew_lease(attempt, clock()):\n            raise ClaimLost\n", "        return\n"
            ),
        ),
        (f"{PUSHED}test_a_worker_that_sleeps_through_its_lease_sends_nothing",),
    ),
    BadDesign(
        "a time-out taken for: nothing was sent",
        (
            Change(
                HTTP,
                "    if isinstance(error, (ConnectTimeout, ProxyError)):\n",
                "    if isinstance(error, (ConnectTimeout, ProxyError, ReadTimeout)):\n",
            ),
        ),
        ("tests/clients/test_http.py::test_answer_that_trickles_in_is_given_up[its head]",),
    ),
    BadDesign(
        "a read time-out that starts anew with each byte",
        (Change(TRANSPORT, "        pool.ConnectionCls = LINES[pool.scheme]\n", ""),),
        ("tests/clients/test_http.py::test_answer_that_trickles_in_is_given_up[its body]",),
    ),
    BadDesign(
        "the transport repeats a write by itself",
        (Change(TRANSPORT, "max_retries=0, ", "max_retries=3, "),),
        ("tests/test_remotes.py::test_transport_never_sends_again",),
    ),
    BadDesign(
        "an order under our reference adopted whatever its amount",
        (
            Change(
                "integration/decisions/sales_orders.py",
                "    if totals_differ(ours.total, their_total, line_count):\n",
                "    if False:\n",
            ),
        ),
        (f"{HARD}test_pushing_again_what_go_has_in_another_shape_looks_first[off]",),
    ),
    BadDesign(
        "a draft with another total in Go said to be right",
        (
            Change(
                PUSH,
                "    if not totals_differ(statement.total, order.total, order.line_count):\n",
                "    if order.total:\n",
            ),
        ),
        (f"{PUSHED}test_another_total_in_go_is_marked_and_says_both_sums",),
    ),
    BadDesign(
        "the sign of a credit turned round",
        (
            Change(
                "integration/decisions/payment_status.py",
                "if credited and credited == total:",
                "if credited and -credited == total:",
            ),
        ),
        (f"{PULLED}test_settled_without_money_is_not_paid[credit-CANCELLED]",),
    ),
    BadDesign(
        "an import that does not know its statements again",
        (
            Change(
                "integration/use_cases/import_statements.py",
                "    existing = known.statements.get((company_id, group.source, group.source_id))\n",
                "    existing = None\n",
            ),
            Change(
                "integration/use_cases/import_statements.py",
                "        source_id=group.source_id,\n        reference=statement_reference(group.source, group.source_id),",
                "        source_id=(fresh := f'{group.source_id}-{len(known.statements)}'),\n"
                "        reference=statement_reference(group.source, fresh),",
            ),
        ),
        ("tests/spreadsheets/test_import_statements.py::test_the_same_file_twice_makes_nothing_twice",),
    ),
    BadDesign(
        "a payment of a combined invoice counted for each of its statements",
        (
            Change(
                PULL,
                "    verdict = status_of(money.facts, money.picture) if shares is None else "
                "share_status(money, shares, statement.pk)\n",
                "    verdict = status_of(money.facts, money.picture)\n",
            ),
        ),
        (f"{COMBINED}test_accepted_they_follow_the_draft_until_it_is_an_invoice_and_then_the_invoice",),
    ),
    BadDesign(
        "one line of a combined draft taken as evidence for two",
        (
            Change(
                "integration/decisions/whereabouts.py",
                "contested = sum(needs.values(), Counter[Content]()) - pools[place.id]",
                "contested = Counter[Content]()",
            ),
        ),
        (f"{COMBINED}test_a_deleted_draft_that_says_the_same_is_not_mistaken_for_a_combined_one",),
    ),
    BadDesign(
        "an old answer written over a new one",
        (Change(PULL, ", read_at__gt=read_at).values_list(", ", read_at=None).values_list("),),
        ("tests/use_cases/test_money_of_invoices.py::test_what_was_read_earlier_never_overwrites_what_was_read_later",),
    ),
    BadDesign(
        "a vanished draft sent again by itself",
        (
            Change(
                PULL,
                "    to_status = StatementStatus.CANCELLED if cancel else StatementStatus.LINK_BROKEN\n",
                "    to_status = StatementStatus.PROCESSING\n",
            ),
            Change(MOVES, "    if not is_allowed(from_status, to_status):\n", "    if False:\n"),
        ),
        (f"{PULLED}test_a_deleted_draft_waits_for_a_person_or_the_companys_rule[ASK-LINK_BROKEN]",),
    ),
    BadDesign(
        "subscriptions that make an invoice whoever pays",
        (Change("integration/use_cases/run_cycle.py", "    held = hold_back(due, now)\n", "    held = set()\n"),),
        (f"{RULES}test_r18_without_a_default_invoice_receiver_no_invoice_is_made_and_it_says_so[None]",),
    ),
    BadDesign(
        "a doubt takes the lines of another lost draft for its own",
        (
            Change(
                "integration/use_cases/find_traces.py",
                "    places = [replace(place, own=place.own + taken[place.id]) for place in places]\n",
                "",
            ),
        ),
        (f"{HARD}test_lines_of_another_draft_that_was_combined_do_not_keep_back_what_never_arrived",),
    ),
    BadDesign(
        "a proof that lost its marks is a mere likeness",
        (
            Change(
                SETTLE, '(before["id"], before["by"]) == (proposal["id"], BY_CONTENT)', 'before["id"] == proposal["id"]'
            ),
        ),
        (f"{HARD}test_a_proof_that_loses_its_marks_is_no_mere_likeness",),
    ),
    BadDesign(
        "a person's hand written over by what is upcoming",
        (Change(ROLL, " and bill.statement.updated_at == bill.saved_at\n", "\n"),),
        (f"{ROLLED}test_what_a_person_edited_stays_and_says_that_the_subscription_changed",),
    ),
)
