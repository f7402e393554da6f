"""The page of a Go company: its choices, its key that never comes out, its people, its connection test."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from integration import remotes
from integration.admin import go_company as page
from integration.enums import CompanyState
from integration.models import AccessToken, AdminAction, GoCompany
from integration.models.go_company import fingerprint
from integration.use_cases.check_company import CompanyCheck
from tests import factories
from vault.fields import Secret

pytestmark = pytest.mark.django_db

OLD_KEY = "0f0f0f0f-1111-4222-8333-444444444444"
NEW_KEY = "abababab-5555-4666-8777-888888888888"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def holder(company: GoCompany, *codenames: str) -> Client:
    """A member of the company with exactly these permissions."""
    user = factories.person(companies=[company])
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return logged_in(user)


def change_url(company: GoCompany) -> str:
    return reverse("admin:integration_gocompany_change", args=[company.pk])


def form_of(company: GoCompany, **changes: object) -> dict[str, object]:
    """What the browser posts."""
    return {
        "name": company.name,
        "organisation_number": company.organisation_number,
        "state": company.state,
        "new_client_key": "",
        "order_state_on_arrival": company.order_state_on_arrival,
        "payment_days": company.payment_days,
        "subscription_days_ahead": company.subscription_days_ahead,
        "vanished_drafts": company.vanished_drafts,
        "sharing": company.sharing,
        "customer_data_owner": company.customer_data_owner,
        "members": [person.pk for person in company.members.all()],
        **changes,
    }


def errors(response) -> dict[str, list[str]]:
    return response.context["adminform"].form.errors.get_json_data() and {
        name: [error["message"] for error in found]
        for name, found in response.context["adminform"].form.errors.get_json_data().items()
    }


def test_new_key_is_stored_and_shown_nowhere():
    company = factories.go_company(client_key=OLD_KEY)
    AccessToken.objects.create(company=company, token="token of the old key")
    client = logged_in(factories.person(is_superuser=True))

    response = client.post(change_url(company), form_of(company, new_client_key=f" {NEW_KEY} "))

    assert response.status_code == 302
    company.refresh_from_db()
    assert company.client_key == Secret(NEW_KEY)
    assert company.client_key_fingerprint == fingerprint(NEW_KEY)
    assert AccessToken.objects.get().token == Secret("")
    [entry] = AdminAction.objects.all()
    assert (entry.action, entry.before, entry.after) == ("change", {}, {"new_client_key": "changed"})
    assert NEW_KEY not in LogEntry.objects.get().change_message
    for url in (
        change_url(company),
        reverse("admin:integration_gocompany_changelist"),
        reverse("admin:integration_gocompany_history", args=[company.pk]),
    ):
        body = client.get(url).content.decode()
        assert NEW_KEY not in body
        assert company.client_key_fingerprint not in body
    assert fingerprint(NEW_KEY)[:8] in client.get(change_url(company)).content.decode()


def test_empty_key_leaves_the_key():
    company = factories.go_company(client_key=OLD_KEY)

    response = logged_in(factories.person(is_superuser=True)).post(
        change_url(company), form_of(company, payment_days=30)
    )

    assert response.status_code == 302
    company.refresh_from_db()
    assert (company.client_key, company.payment_days) == (Secret(OLD_KEY), 30)
    [entry] = AdminAction.objects.all()
    assert (entry.company, entry.before, entry.after) == (company, {"payment_days": 14}, {"payment_days": 30})
    assert entry.record == f"Go company {company.name}"


def test_saving_without_a_change_writes_nothing_down():
    company = factories.go_company()

    logged_in(factories.person(is_superuser=True)).post(change_url(company), form_of(company))

    assert AdminAction.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"new_client_key": OLD_KEY}, {"__all__": ["This client key already belongs to another Go company."]}),
        (
            {"new_client_key": "two words"},
            {"new_client_key": ["A client key has only letters, digits and hyphens. Copy it again."]},
        ),
        (
            {"state": "ACTIVE"},
            {"__all__": ["An active company needs a client key. Enter one, or choose another state."]},
        ),
        (
            {"state": "PAUSED"},
            {"state": ["Select a valid choice. PAUSED is not one of the available choices."]},
        ),
        ({"organisation_number": "12"}, {"__all__": ["An organisation number has nine digits."]}),
    ],
)
def test_what_cannot_be_saved_is_said(changes, expected):
    factories.go_company(client_key=OLD_KEY)
    company = factories.go_company(client_key="")

    response = logged_in(factories.person(is_superuser=True)).post(change_url(company), form_of(company, **changes))

    assert response.status_code == 200
    assert errors(response) == expected
    assert GoCompany.objects.get(pk=company.pk).client_key == Secret("")


def test_a_refused_key_is_not_echoed():
    factories.go_company(client_key=OLD_KEY)
    company = factories.go_company(client_key="")

    response = logged_in(factories.person(is_superuser=True)).post(
        change_url(company), form_of(company, new_client_key=OLD_KEY)
    )

    assert OLD_KEY not in response.content.decode()


def test_activating_a_paused_company_clears_the_reason():
    company = factories.go_company(
        state=CompanyState.PAUSED, state_reason="The key is not accepted.", probe_at=factories.NOW
    )

    logged_in(factories.person(is_superuser=True)).post(change_url(company), form_of(company, state="ACTIVE"))

    company.refresh_from_db()
    assert (company.state, company.state_reason, company.probe_at) == ("ACTIVE", "", None)


def test_a_new_company_with_key_and_members():
    member = factories.person()

    response = logged_in(factories.person(is_superuser=True)).post(
        reverse("admin:integration_gocompany_add"),
        {
            "name": "Nordlys AS",
            "organisation_number": "",
            "state": "ACTIVE",
            "new_client_key": NEW_KEY,
            "order_state_on_arrival": "DRAFT",
            "payment_days": 14,
            "subscription_days_ahead": 30,
            "vanished_drafts": "ASK",
            "sharing": "OLDEST_FIRST",
            "customer_data_owner": "SOURCE",
            "members": [member.pk],
        },
    )

    assert response.status_code == 302
    company = GoCompany.objects.get()
    assert (company.name, company.client_key, list(company.members.all())) == ("Nordlys AS", Secret(NEW_KEY), [member])
    [entry] = AdminAction.objects.all()
    assert (entry.action, entry.after["new_client_key"]) == ("add", "changed")
    assert NEW_KEY not in str(entry.after)


def test_members_and_keys_are_not_for_everybody():
    company = factories.go_company(client_key=OLD_KEY)
    client = holder(company, "view_gocompany", "change_gocompany")
    stranger = factories.person()

    body = client.get(change_url(company)).content.decode()
    response = client.post(
        change_url(company), form_of(company, new_client_key=NEW_KEY, members=[stranger.pk], payment_days=20)
    )

    assert ('name="members"' in body, 'name="new_client_key"' in body) == (False, False)
    assert response.status_code == 302
    company.refresh_from_db()
    assert (company.client_key, company.payment_days) == (Secret(OLD_KEY), 20)
    assert stranger not in company.members.all()


def test_a_key_can_be_set_by_whoever_may():
    company = factories.go_company(client_key=OLD_KEY)
    client = holder(company, "view_gocompany", "change_gocompany", "set_client_key")

    client.post(change_url(company), form_of(company, new_client_key=NEW_KEY))

    company.refresh_from_db()
    assert company.client_key == Secret(NEW_KEY)


def test_only_superusers_add_companies():
    company = factories.go_company()
    client = holder(company, "view_gocompany", "add_gocompany", "change_gocompany")

    assert client.get(reverse("admin:integration_gocompany_add")).status_code == 403


@pytest.mark.parametrize(
    ("check", "texts"),
    [
        (
            CompanyCheck(client_name="Nordlys AS", present=("Customer_Full",), may_send_invoices=True),
            ["The key works, and no right is missing.", "Nordlys AS", "Customer_Full: read and write customers"],
        ),
        (
            CompanyCheck(client_name="Nordlys AS", missing=("Product_Full",), may_send_invoices=False),
            [
                "rights are missing",
                "Product_Full: read and write products",
                "Invoices cannot be sent through the integration",
            ],
        ),
        (CompanyCheck(problem="The client key is not accepted."), ["The test failed. The client key is not accepted."]),
    ],
)
def test_connection_test_says_what_it_found(monkeypatch, check: CompanyCheck, texts: list[str]):
    """The use case has its own tests against the sandbox; here only its words are of interest."""
    company = factories.go_company()
    asked: list[dict[str, Any]] = []

    def answer(**given: Any) -> CompanyCheck:
        asked.append(given)
        return check

    monkeypatch.setattr(remotes, "go_client", lambda company, person: ("client", company, person))
    monkeypatch.setattr(page, "check_company", answer)
    client = holder(company, "view_gocompany", "test_connection")
    url = reverse("admin:integration_gocompany_test_connection", args=[company.pk])

    before = client.get(url)
    after = client.post(url)

    assert (before.status_code, after.status_code) == (200, 200)
    assert [given["company"] for given in asked] == [company]
    assert asked[0]["client"] == ("client", company, True)
    body = after.content.decode()
    assert [text for text in texts if text not in body] == []
    assert [text for text in texts if text in before.content.decode()] == []


def test_connection_test_needs_its_permission():
    company = factories.go_company()
    client = holder(company, "view_gocompany", "change_gocompany")
    url = reverse("admin:integration_gocompany_test_connection", args=[company.pk])

    assert (client.get(url).status_code, client.post(url).status_code) == (403, 403)
    assert "test-connection" not in client.get(change_url(company)).content.decode()


def test_connection_test_without_key_asks_for_one():
    company = factories.go_company(client_key="")
    client = holder(company, "view_gocompany", "test_connection")

    response = client.post(reverse("admin:integration_gocompany_test_connection", args=[company.pk]))

    assert "There is no client key to test." in response.content.decode()
