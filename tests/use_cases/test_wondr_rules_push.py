"""Broken links and refused keys as reference/wondr.md has them (R13, R22), played in the sandbox."""

import pytest
from django.urls import reverse

from integration.enums import CompanyState
from integration.enums import StatementStatus as S
from integration.models import GoCompany
from integration.use_cases import run_cycle as cycles
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def test_r13_drafts_that_were_combined_become_link_broken_and_leave_automatic_updating(world, client):
    statements = [world.statement() for _ in range(2)]
    world.turn()
    drafts = [world.fresh(statement) for statement in statements]
    world.sandbox.act(
        "combine",
        company=world.company,
        order_ids=[draft.go_order_id for draft in drafts],
        survivor="new",
        line_references="lost",
        header_references="lost",
    )
    for _ in range(3):
        world.clock.advance(10)
        world.turn()
    assert {world.fresh(draft).status for draft in drafts} == {S.LINK_BROKEN}
    assert all(world.fresh(draft).attention for draft in drafts)

    client.force_login(factories.person(role="Finance", companies=[world.company]))
    address = reverse("admin:integration_invoicestatement_changelist") + "?status__in=LINK_BROKEN"
    listed = client.get(address).content.decode()
    assert all(draft.source_id in listed for draft in drafts)

    survivor = next(order for order in world.drafts())
    world.sandbox.act("send", company=world.company, order_ids=[survivor["id"]])
    for _ in range(2):
        world.clock.advance(10)
        world.turn()
    assert {world.fresh(draft).status for draft in drafts} == {S.LINK_BROKEN}


def test_r22_a_refused_key_stops_transfers_says_so_once_and_resumes_by_itself(world, client):
    world.statement()
    world.turn()
    world.sandbox.act("revoke_key", company=world.company)
    waiting = [world.statement() for _ in range(3)]
    for _ in range(4):
        world.clock.advance(40)
        for _company in cycles.sweep(world.clock()):
            world.turn()
    company = GoCompany.objects.get()
    assert company.state == CompanyState.PAUSED
    assert "does not accept the company's client key" in company.state_reason
    assert {world.fresh(statement).status for statement in waiting} == {S.PROCESSING}

    client.force_login(factories.person(role="Finance", companies=[world.company]))
    shown = client.get(reverse("admin:index")).context["dashboard"]
    assert [row["reason"] for row in shown["companies"] if row["paused"]] == [company.state_reason]
    page = client.get(reverse("admin:integration_invoicestatement_change", args=[waiting[0].pk]))
    assert "Transfers are paused" in page.content.decode()

    world.sandbox.act("restore_key", company=world.company)
    world.until_quiet(4)
    assert GoCompany.objects.get().state == CompanyState.ACTIVE
    assert {world.fresh(statement).status for statement in waiting} == {S.DRAFT}
