"""Test connection."""

import pytest

from integration.enums import CompanyState
from integration.models import GoCompany
from integration.use_cases.check_company import NEEDED, check_company

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def test_all_is_well(world, go):
    check = check_company(company=world.company, client=go, now=world.clock())
    assert (check.problem, check.missing, check.present) == ("", (), tuple(NEEDED))
    assert check.client_name


def test_missing_privileges_are_named(world, go):
    world.sandbox.act("set_privileges", company=world.company, privileges=["Customer_Full", "SalesOrders_Full"])
    check = check_company(company=world.company, client=go, now=world.clock())
    assert check.problem == ""
    assert check.present == ("Customer_Full", "SalesOrders_Full")
    assert "OutgoingInvoice" in check.missing


def test_a_refused_key_is_a_sentence(world, go):
    world.sandbox.act("revoke_key", company=world.company)
    check = check_company(company=world.company, client=go, now=world.clock())
    assert "key" in check.problem.lower()
    assert check.present == ()


def test_a_paused_company_that_works_again_becomes_active(world, go):
    GoCompany.objects.filter(pk=world.company.pk).update(state=CompanyState.PAUSED, state_reason="key refused")
    check_company(company=world.company, client=go, now=world.clock())
    world.company.refresh_from_db()
    assert (world.company.state, world.company.state_reason) == (CompanyState.ACTIVE, "")
