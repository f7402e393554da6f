"""V8: what each role may do, tried past the buttons: every act of every page is posted as everybody."""

from typing import Any, Final

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from integration import remotes
from integration.enums import StatementStatus
from integration.errors import KeyRejected
from integration.models import AdminAction, GoCompany, InvoiceStatement
from tests import factories

pytestmark = pytest.mark.django_db

admin.autodiscover()

STATEMENT: Final = "integration.InvoiceStatement"
BUTTONS: Final = {
    "act": ("push", "release", "pull", "activate", "hold", "withdraw", "send"),
    "by_hand": ("mark_paid", "follow_go"),
    "settle": ("settle_otherwise", "invoice_again", "credit_here", "treat_as_cancelled"),
}
"""The acts on statements, by the page behind their buttons."""

MAY: Final[dict[str, set[str]]] = {
    "nobody": set(),
    "no role": set(),
    "Reader": set(),
    "Support": {f"{STATEMENT} push", f"{STATEMENT} release", f"{STATEMENT} pull", f"{STATEMENT} activate"},
    "Finance": {
        *(f"{STATEMENT} {act}" for acts in BUTTONS.values() for act in acts),
        *(
            f"{model} {door}"
            for model in (STATEMENT, "integration.Customer", "integration.Product")
            for door in ("add", "import", "export", "process_import")
        ),
        "integration.OutgoingInvoice export",
        "integration.StatementLine export",
        *(f"integration.HandPayment {act}" for act in ("approve", "refuse", "take_back")),
        *(f"integration.Subscription {act}" for act in ("add", "pause", "resume", "end")),
    },
}
"""The acts each role may do; everything else on any page is refused. A new act stands here or is refused to all."""

DOORS: Final = ("add", "import", "process_import", "export")


def acts() -> list[tuple[str, str, str]]:
    """Model, act, and where it is posted: the acts of each list, and the doors of each page."""
    found = []
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        names = {"delete_selected", *(act for _, act, _ in page._get_base_actions())}  # type: ignore[attr-defined] # Django's own
        found += [(model._meta.label, act, reverse(f"{name}_changelist")) for act in sorted(names)]
        for door in DOORS:
            route = f"{model._meta.app_label}_{model._meta.model_name}_{door}"
            if any(pattern.name == route for pattern in page.get_urls()):
                found.append((model._meta.label, door, reverse(f"admin:{route}")))
    return found


def visitor(role: str, home: GoCompany) -> Client:
    client = Client()
    if role != "nobody":
        client.force_login(factories.person(role="" if role == "no role" else role, companies=[home]))
    return client


def refused(answer: Any) -> bool:
    """A page that says no, or the log-in page."""
    to_log_in: bool = answer.headers.get("Location", "").startswith(reverse("admin:login"))
    return to_log_in or answer.status_code == 403


def test_the_walk_knows_what_there_is():
    """Otherwise it would prove nothing."""
    found = {(label, act) for label, act, _ in acts()}

    assert {(STATEMENT, act) for acts in BUTTONS.values() for act in acts} <= found
    assert {("accounts.User", "take_away_second_factor"), ("accounts.FailedLogIn", "unlock")} <= found
    assert len(found) > 40
    assert {each for may in MAY.values() for each in may} <= {f"{label} {act}" for label, act in found}


@pytest.mark.parametrize("role", MAY)
def test_v8_2_1_each_act_is_for_those_whose_role_has_it(role: str, home: GoCompany, monkeypatch: pytest.MonkeyPatch):
    """Posted directly, without any page: what the role does not have is refused, and nothing changes."""

    def nobody_answers(*_: object, **__: object) -> None:
        raise KeyRejected("Go is not asked here.")

    monkeypatch.setattr(remotes, "go_client", nobody_answers)
    client = visitor(role, home)
    allowed = []
    for label, act, address in acts():
        statement = factories.statement(home, status=StatementStatus.UPCOMING)
        chosen = [str(statement.pk), str(home.pk)]
        answer = client.post(
            address, {"action": act, "index": "0", "_selected_action": chosen, "confirmed": "1", "reason": "x"}
        )
        statement.refresh_from_db()
        if not refused(answer):
            allowed.append(f"{label} {act}")
        elif statement.status != StatementStatus.UPCOMING:
            allowed.append(f"{label} {act}: refused, and done all the same")

    assert set(allowed) == MAY[role]


@pytest.mark.parametrize("role", ["nobody", "no role", "Reader", "Support", "Finance"])
def test_v8_2_1_buttons_of_a_statement_ask_again(role: str, home: GoCompany):
    """The page behind each button is its own door, by GET and by POST."""
    client = visitor(role, home)
    open_to = set()
    for page, act in ((page, act) for page, acts in BUTTONS.items() for act in acts):
        statement = factories.statement(home, status=StatementStatus.UPCOMING)
        address = reverse(f"admin:integration_invoicestatement_{page}", args=[statement.pk, act])
        asked, posted = client.get(address), client.post(address, {"confirmed": "0"})
        assert refused(asked) == refused(posted)
        if not refused(asked):
            open_to.add(f"{STATEMENT} {act}")

    on_statements = {each for each in MAY[role] if each.startswith(STATEMENT)}
    assert open_to == {each for each in on_statements if each.rpartition(" ")[2] not in DOORS}


@pytest.mark.parametrize("role", ["nobody", "no role", "Reader", "Support", "Finance"])
@pytest.mark.parametrize("page", ["credit", "link"])
def test_v8_2_1_crediting_and_linking_are_for_finance(role: str, page: str, home: GoCompany):
    client = visitor(role, home)
    statement = factories.statement(home, status=StatementStatus.UPCOMING)
    address = reverse(f"admin:integration_invoicestatement_{page}", args=[statement.pk])

    assert [refused(client.get(address)), refused(client.post(address))] == [role != "Finance"] * 2


@pytest.mark.parametrize("role", ["nobody", "no role", "Reader", "Support"])
def test_v8_2_1_accepting_a_proposed_link_is_for_finance(role: str, home: GoCompany):
    statement = factories.statement(home, status=StatementStatus.UPCOMING)
    address = reverse("admin:integration_invoicestatement_accept")

    assert refused(visitor(role, home).post(address, {"statement": statement.pk, "go_id": "1"}))


@pytest.mark.parametrize("role", ["Reader", "Support"])
def test_v8_2_3_fields_that_a_role_may_not_change_stay(role: str, home: GoCompany):
    """Posting a whole form changes no field for those who may only read it."""
    customer = factories.customer(home, name="As it was")
    client = visitor(role, home)

    answer = client.post(
        reverse("admin:integration_customer_change", args=[customer.pk]), {"name": "Theirs", "number": "1"}
    )

    customer.refresh_from_db()
    assert (refused(answer), customer.name) == (True, "As it was")


def test_v8_2_3_the_client_key_is_for_those_who_may_set_it(home: GoCompany):
    """Who may change a company but not its key sends one in vain (V15.3.3: no field that was not offered is taken)."""
    person = factories.person(companies=[home])
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_gocompany", "change_gocompany"]))
    client = Client()
    client.force_login(person)
    before = home.client_key_fingerprint
    address = reverse("admin:integration_gocompany_change", args=[home.pk])
    client.post(
        address,
        {
            "name": "New name",
            "state": "ACTIVE",
            "order_state_on_arrival": "DRAFT",
            "customer_data_owner": "SOURCE",
            "payment_days": "14",
            "subscription_days_ahead": "30",
            "vanished_drafts": "ASK",
            "sharing": "OLDEST_FIRST",
            "new_client_key": factories.next_uuid(),
            "client_key_fingerprint": "x",
            "members": str(person.pk),
        },
    )

    home.refresh_from_db()
    assert (home.name, home.client_key_fingerprint) == ("New name", before)


def test_v8_2_2_the_key_of_anothers_record_opens_nothing(as_kari: Client):
    """Records of other companies are not there: by address, by act, by export. (More: tests/admin/test_walls.py.)"""
    theirs = factories.statement(factories.go_company(), status=StatementStatus.UPCOMING)
    page = as_kari.get(reverse("admin:integration_invoicestatement_change", args=[theirs.pk]))
    as_kari.post(
        reverse("admin:integration_invoicestatement_changelist"),
        {"action": "push", "index": "0", "_selected_action": str(theirs.pk), "confirmed": "1"},
    )

    theirs.refresh_from_db()
    assert (page.status_code, theirs.status) == (302, StatementStatus.UPCOMING)


def test_v8_3_1_rights_are_asked_at_each_click(kari: User, as_kari: Client, home: GoCompany):
    """Taken away in the middle of a log-in, they are gone: no copy of them is kept."""
    address = reverse("admin:integration_customer_add")
    before = as_kari.get(address).status_code
    kari.groups.clear()

    assert (before, as_kari.get(address).status_code) == (200, 403)


def test_v2_3_1_no_step_is_left_out(as_kari: Client, home: GoCompany):
    """An act that asks why is not done without an answer, nor an import without its preview."""
    statement = factories.statement(home, status=StatementStatus.UPCOMING)
    address = reverse("admin:integration_invoicestatement_act", args=[statement.pk, "withdraw"])
    as_kari.post(address, {"confirmed": "1", "reason": ""})
    answer = as_kari.post(reverse("admin:integration_customer_process_import"), {"key": "", "digest": ""}, follow=True)

    statement.refresh_from_db()
    assert statement.status == StatementStatus.UPCOMING
    assert "Nothing was imported. Choose the file again." in answer.content.decode()


@pytest.mark.parametrize("method", ["add", "change", "delete"])
def test_v16_4_2_nobody_rewrites_the_log_books(method: str, home: GoCompany):
    """Not even a superuser adds, changes or deletes what people did."""
    boss = factories.person(is_superuser=True)
    row = AdminAction.objects.create(company=home, user=boss, at=factories.NOW, action="push", record="x", reason="y")
    client = Client()
    client.force_login(boss)
    address = reverse(f"admin:integration_adminaction_{method}", args=[] if method == "add" else [row.pk])

    answer = client.post(address, {"post": "yes", "reason": "never happened", "_save": "1"})

    assert answer.status_code == 403
    assert list(AdminAction.objects.values_list("reason", flat=True)) == ["y"]


def test_v1_2_4_searching_is_no_query_language(as_kari: Client, home: GoCompany):
    """What is typed into the search is a value, whatever signs are in it."""
    factories.statement(home)
    for typed in ("' OR 1=1 --", '"; DROP TABLE accounts_user; --', "%", "\\", "{{7*7}}", "a" * 5000):
        assert as_kari.get("/admin/integration/invoicestatement/", {"q": typed}).status_code == 200

    assert InvoiceStatement.objects.count() == 1


def test_v1_2_1_names_are_shown_and_not_run(as_kari: Client, home: GoCompany):
    """A customer's name with HTML in it is text on every page."""
    hostile = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    customer = factories.customer(home, name=hostile)
    statement = factories.statement(home, customer=customer, status=StatementStatus.NEEDS_FIX, attention=hostile)
    pages = [
        "/admin/",
        "/admin/integration/customer/",
        reverse("admin:integration_customer_change", args=[customer.pk]),
        reverse("admin:integration_invoicestatement_change", args=[statement.pk]),
    ]

    shown = [as_kari.get(page).content.decode() for page in pages]

    assert [("<script>alert" in page, "<img src=x" in page) for page in shown] == [(False, False)] * 4
    assert ["&lt;script&gt;alert" in page for page in shown] == [True] * 4
