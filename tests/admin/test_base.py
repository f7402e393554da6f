"""What all pages share: the wall from inside, the log book, and counting without counting."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import IntegrityError, connection, models
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from integration.admin import paginator as room
from integration.admin.base import CompanyModelAdmin, ReadOnlyModelAdmin
from integration.admin.paginator import EstimatingPaginator, estimated_rows
from integration.models import AccessToken, AdminAction, Customer, GoCompany, InvoiceStatement, Product, SyncCursor
from integration.models.base import company_id_of, company_path
from integration.models.go_company import behind_wall
from tests import factories as f

pytestmark = pytest.mark.django_db

CUSTOMER: dict[str, Any] = {
    "number": "",
    "name": "Nordlys AS",
    "organisation_number": "",
    "email": "",
    "first_name": "",
    "last_name": "",
    "invoice_email": "",
    "phone": "",
    "address_line1": "",
    "address_line2": "",
    "zip_code": "",
    "city": "",
    "country": "NO",
    "delivery": "DEFAULT",
    "payment_days": "",
    "send_reminders": "on",
    "transfer_to_debt_collection": "on",
    "is_active": "on",
    "source": "HAND",
    "source_id": "A1",
    "contact_persons-TOTAL_FORMS": "0",
    "contact_persons-INITIAL_FORMS": "0",
    "payment_methods-TOTAL_FORMS": "0",
    "payment_methods-INITIAL_FORMS": "0",
}


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def asked_by(user: User | AnonymousUser) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    return request


def form_errors(response: Any) -> dict[str, list[str]]:
    errors = response.context["adminform"].form.errors.get_json_data()
    return {name: [error["message"] for error in found] for name, found in errors.items()}


# --- The wall, from inside ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("integration.GoCompany", "pk"),
        ("integration.Customer", "company"),
        ("integration.ContactPerson", "customer__company"),
        ("integration.InvoiceStatement", "company"),
        ("integration.StatementLine", "statement__company"),
        ("integration.StatementMove", "statement__company"),
        ("integration.AdminAction", "company"),
        ("integration.AccessToken", "company"),
        ("integration.PaceSlot", None),
        ("accounts.User", None),
    ],
)
def test_company_path(label, path):
    assert company_path(GoCompany._meta.apps.get_model(label)) == path


def test_company_of_a_record():
    company = f.go_company()
    statement = f.statement(company, lines=[{}])
    unsaved = InvoiceStatement(company=company)

    assert [
        company_id_of(record)
        for record in (
            company,
            statement,
            statement.lines.get(),
            unsaved,
            unsaved.lines.model(statement=unsaved),
            InvoiceStatement(),
            unsaved.lines.model(),
            unsaved.lines.model(statement=None),
            f.person(),
        )
    ] == [company.pk, company.pk, company.pk, company.pk, company.pk, None, None, None, None]


def test_who_sees_which_companies():
    ours, theirs, nobodys = f.go_company(), f.go_company(), f.go_company()
    both = f.person(companies=[ours, theirs])
    boss = f.person(is_superuser=True)

    def sees(user: User | AnonymousUser) -> set[int]:
        return set(GoCompany.objects.of(user).values_list("pk", flat=True))

    assert sees(f.person(companies=[ours])) == {ours.pk}
    assert sees(both) == {ours.pk, theirs.pk}
    assert sees(boss) == {ours.pk, theirs.pk, nobodys.pk}
    assert sees(f.person()) == set()
    assert sees(AnonymousUser()) == set()
    assert set(behind_wall(User.objects.all(), both)) == set(User.objects.all())


@pytest.mark.parametrize("permission", ["view", "change", "delete"])
def test_a_permission_ends_at_the_wall(permission):
    """Even for a record that somebody got hold of: handed in itself, or by its key as unfold's buttons do."""
    ours, theirs = f.go_company(), f.go_company()
    user = f.person(companies=[ours])
    user.user_permissions.set(Permission.objects.all())
    page = DeletablePage(Product, admin.site)
    request = asked_by(User.objects.get(pk=user.pk))
    ask = getattr(page, f"has_{permission}_permission")

    own, strange = f.product(ours), f.product(theirs)

    assert [
        ask(request),
        ask(request, own),
        ask(request, str(own.pk)),
        ask(request, Product()),
        ask(request, ours),
        ask(request, user),
        ask(request, strange),
        ask(request, str(strange.pk)),
        ask(request, "nothing"),
        ask(request, theirs),
    ] == [True] * 6 + [False] * 4
    assert ask(asked_by(f.person(is_superuser=True)), strange) is True


class DeletablePage(CompanyModelAdmin[Product]):
    """A page that allows deletion the way its docstring says."""

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return request.user.has_perm("integration.delete_product") and self.is_own(request, obj)


def test_a_page_forbids_deletion_by_itself():
    assert CompanyModelAdmin(Product, admin.site).has_delete_permission(asked_by(f.person(is_superuser=True))) is False


def test_own_companies_are_asked_once_per_request(django_assert_num_queries):
    ours = f.go_company()
    products = [f.product(ours) for _ in range(5)]
    request = asked_by(f.person(companies=[ours]))
    page: CompanyModelAdmin[Product] = CompanyModelAdmin(Product, admin.site)

    with django_assert_num_queries(1):
        assert [page.is_own(request, product) for product in products] == [True] * 5


def test_a_record_points_only_at_its_own_company():
    """Somebody who works for both companies and mixes them up reads a sentence."""
    ours, theirs = f.go_company(), f.go_company()
    client = logged_in(f.person(role="Finance", companies=[ours, theirs]))

    response = client.post(
        reverse("admin:integration_invoicestatement_add"),
        {
            "company": ours.pk,
            "kind": "INVOICE",
            "customer": f.customer(theirs).pk,
            "statement_date": "2026-02-02",
            "currency": "NOK",
            "lines-TOTAL_FORMS": "1",
            "lines-INITIAL_FORMS": "0",
            "lines-0-product": f.product(ours).pk,
            "lines-0-quantity": "1",
        },
    )

    assert form_errors(response) == {
        "__all__": ["The customer belongs to another company. Choose one of the same company."]
    }
    assert InvoiceStatement.objects.count() == 0


def test_a_line_points_only_at_the_company_of_its_statement():
    ours, theirs = f.go_company(), f.go_company()
    statement = f.statement(ours, lines=[{}])
    line = statement.lines.get()
    line.product = f.product(theirs)

    with pytest.raises(Exception, match="The product belongs to another company") as caught:
        line.full_clean()

    assert getattr(caught.value, "error_dict", {}).keys() == {"__all__"}


def test_a_record_never_moves_to_another_company():
    ours, theirs = f.go_company(), f.go_company()
    customer = f.customer(ours, source_id="A1")
    client = logged_in(f.person(role="Finance", companies=[ours, theirs]))

    response = client.post(
        reverse("admin:integration_customer_change", args=[customer.pk]), {**CUSTOMER, "company": theirs.pk}
    )

    assert response.status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.company) == ("Nordlys AS", ours)


def test_the_only_company_is_chosen_already():
    ours, theirs = f.go_company(), f.go_company()
    url = reverse("admin:integration_customer_add")

    one = logged_in(f.person(role="Finance", companies=[ours])).get(url).context["adminform"].form
    two = logged_in(f.person(role="Finance", companies=[ours, theirs])).get(url).context["adminform"].form

    assert (one["company"].value(), two["company"].value()) == (str(ours.pk), None)
    assert list(one.fields["company"].queryset) == [ours]


def test_companies_are_offered_by_name():
    companies = [f.go_company(name=name) for name in ("B AS", "C AS", "A AS")]
    client = logged_in(f.person(role="Finance", companies=companies))

    form = client.get(reverse("admin:integration_customer_add")).context["adminform"].form

    assert [company.name for company in form.fields["company"].queryset] == ["A AS", "B AS", "C AS"]


def test_a_form_offers_only_own_records_also_where_no_order_is_known(monkeypatch):
    """Without an order, Django names no rows, and the form would take all there are."""
    monkeypatch.setattr(admin.site.get_model_admin(Customer), "ordering", ())
    ours = f.go_company()
    mine, _theirs = f.customer(ours), f.customer()
    page = admin.site.get_model_admin(InvoiceStatement)
    field = InvoiceStatement._meta.get_field("customer")

    rows = page.get_field_queryset(None, field, asked_by(f.person(role="Finance", companies=[ours])))

    assert list(rows or []) == [mine]


def test_the_company_filter_filters():
    ours, second = f.go_company(name="A AS"), f.go_company(name="B AS")
    first, other = f.customer(ours), f.customer(second)
    client = logged_in(f.person(role="Reader", companies=[ours, second]))

    def listed(**query: Any) -> set[Customer]:
        return set(client.get(reverse("admin:integration_customer_changelist"), query).context["cl"].queryset)

    assert listed() == {first, other}
    assert listed(company=ours.pk) == {first}
    assert listed(company="x") == listed(company="9" * 30) == listed(company=f.go_company().pk) == set()


# --- Sentences instead of pages of error --------------------------------------------------------------------------


def test_what_is_there_already_is_said_though_the_company_is_not_in_the_form():
    company = f.go_company()
    f.customer(company, source_id="A1", number=7)
    customer = f.customer(company, source_id="A2", number=8)
    client = logged_in(f.person(role="Finance", companies=[company]))

    response = client.post(
        reverse("admin:integration_customer_change", args=[customer.pk]), {**CUSTOMER, "number": "7"}
    )

    assert form_errors(response) == {
        "__all__": [
            "Another customer of this company has this number.",
            "Another customer of this company has this id in the same source.",
        ]
    }


def test_what_the_database_refuses_in_the_last_moment_is_said(monkeypatch):
    """Two people save in the same moment: both forms found nothing wrong, the database takes one."""
    company = f.go_company()
    customer = f.customer(company, source_id="A1")
    client = logged_in(f.person(role="Finance", companies=[company]))
    url = reverse("admin:integration_customer_change", args=[customer.pk])

    def refuse(*_: Any, **__: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr(Customer, "save", refuse)
    response = client.post(url, CUSTOMER, follow=True)

    assert response.redirect_chain == [(url, 302)]
    assert [str(message) for message in response.context["messages"]] == [
        "Nothing was saved: it no longer fits with what somebody else has just saved. Look again and repeat."
    ]
    assert AdminAction.objects.count() == 0


# --- The log book -------------------------------------------------------------------------------------------------


def test_what_a_person_adds_and_changes_is_written_down():
    company = f.go_company()
    bookkeeper = f.person(role="Finance", companies=[company])
    client = logged_in(bookkeeper)

    added = client.post(reverse("admin:integration_customer_add"), {**CUSTOMER, "company": company.pk})
    customer = Customer.objects.get()
    contact = f.contact_person(customer, first_name="Kari", last_name="Nordmann")
    gone = f.contact_person(customer, first_name="Per", last_name="Persen")
    changed = client.post(
        reverse("admin:integration_customer_change", args=[customer.pk]),
        {
            **CUSTOMER,
            "payment_days": "30",
            "is_active": "",
            "contact_persons-TOTAL_FORMS": "3",
            "contact_persons-INITIAL_FORMS": "2",
            "contact_persons-0-id": contact.pk,
            "contact_persons-0-first_name": "Kari",
            "contact_persons-0-last_name": "Hansen",
            "contact_persons-1-id": gone.pk,
            "contact_persons-1-first_name": "Per",
            "contact_persons-1-last_name": "Persen",
            "contact_persons-1-DELETE": "on",
            "contact_persons-2-first_name": "Ola",
            "contact_persons-2-last_name": "Olsen",
        },
    )

    assert (added.status_code, changed.status_code) == (302, 302)
    first, second = AdminAction.objects.order_by("pk")
    assert (first.action, first.company, first.user, first.record) == (
        "add",
        company,
        bookkeeper,
        "customer Nordlys AS",
    )
    assert (first.before, first.after["name"], first.after["company"]) == ({}, "Nordlys AS", str(company))
    assert (second.action, second.before, second.after) == (
        "change",
        {
            "payment_days": None,
            "is_active": True,
            "contact person Kari Hansen": {"last_name": "Nordmann"},
            "contact person Per Persen": "there",
        },
        {
            "payment_days": 30,
            "is_active": False,
            "contact person Kari Hansen": {"last_name": "Hansen"},
            "contact person Per Persen": "deleted",
            "contact person Ola Olsen": {"first_name": "Ola", "last_name": "Olsen"},
        },
    )


def test_amounts_days_and_records_are_written_down_as_they_read():
    company = f.go_company()
    statement = f.statement(company, lines=[{"quantity": Decimal(1), "unit_price": Decimal("100.5")}])
    line = statement.lines.get()
    old, new = statement.customer, f.customer(company, name="Nordlys AS", number=5)
    client = logged_in(f.person(role="Finance", companies=[company]))

    response = client.post(
        reverse("admin:integration_invoicestatement_change", args=[statement.pk]),
        {
            "kind": "INVOICE",
            "customer": new.pk,
            "statement_date": "2026-02-03",
            "currency": "NOK",
            "lines-TOTAL_FORMS": "1",
            "lines-INITIAL_FORMS": "1",
            "lines-0-id": line.pk,
            "lines-0-product": line.product_id,
            "lines-0-description": line.description,
            "lines-0-quantity": "2",
            "lines-0-unit_price": "100.5",
            "lines-0-discount_percent": "0",
            "lines-0-vat_rate": "25",
        },
    )

    assert response.status_code == 302, form_errors(response)
    entry = AdminAction.objects.get()
    assert entry.statement == statement
    assert (entry.before, entry.after) == (
        {"customer": str(old), "statement_date": "2026-02-02", "line 1": {"quantity": "1.0000"}},
        {"customer": "5 Nordlys AS", "statement_date": "2026-02-03", "line 1": {"quantity": "2"}},
    )


def test_a_deletion_is_written_down():
    company = f.go_company()
    statement = f.statement(company)
    boss = f.person(is_superuser=True)
    page: CompanyModelAdmin[InvoiceStatement] = CompanyModelAdmin(InvoiceStatement, admin.site)

    page.log_deletions(asked_by(boss), [statement])

    entry = AdminAction.objects.get()
    assert (entry.action, entry.company, entry.user, entry.statement) == ("delete", company, boss, None)
    assert entry.record == f"statement {statement}"


# --- Read-only pages ----------------------------------------------------------------------------------------------


def test_read_only_pages_are_for_reading():
    boss = asked_by(f.person(is_superuser=True))
    page: ReadOnlyModelAdmin[AccessToken] = ReadOnlyModelAdmin(AccessToken, admin.site)

    assert [page.has_add_permission(boss), page.has_change_permission(boss), page.has_delete_permission(boss)] == [
        False,
        False,
        False,
    ]
    assert page.has_view_permission(boss) is True
    assert page.get_fields(boss) == ["created_at", "updated_at", "company", "expires_at", "renewing_until"]
    assert page.get_readonly_fields(boss) == ("created_at", "updated_at", "company", "expires_at", "renewing_until")


def test_read_only_pages_name_their_fields():
    class Page(ReadOnlyModelAdmin[SyncCursor]):
        fieldsets = ((None, {"fields": (("company", "resource"), "watermark")}),)

    page = Page(SyncCursor, admin.site)

    assert page.get_readonly_fields(asked_by(f.person(is_superuser=True))) == ("company", "resource", "watermark")


# --- Counting without counting ------------------------------------------------------------------------------------


def paginated(rows: Any, per_page: int = 2) -> EstimatingPaginator:
    return EstimatingPaginator(rows, per_page)


def test_a_short_list_is_counted(monkeypatch):
    for _ in range(3):
        f.go_company()

    pages = paginated(GoCompany.objects.order_by("pk"))

    assert (pages.count, pages.num_pages, pages.count_text, pages.pages_end) == (3, 2, "3", "")


def test_a_filtered_list_is_counted_up_to_the_cap(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(room, "CAP", 2)
    for _ in range(4):
        f.go_company()

    pages = paginated(GoCompany.objects.filter(name__contains="Company").order_by("pk"))

    with django_assert_num_queries(1) as queries:
        assert (pages.count, pages.num_pages, pages.count_text) == (2, 1, "2+")
    assert "LIMIT 3" in queries.captured_queries[0]["sql"]


def test_a_whole_table_is_estimated(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(room, "estimated_rows", lambda model, using: 1_003_112)

    pages = paginated(GoCompany.objects.order_by("pk"), 50)

    with django_assert_num_queries(0):
        assert (pages.count, pages.num_pages) == (1_003_112, 200)
        assert pages.count_text == "about 1\u202f003\u202f112"
        assert pages.pages_end == "Pages end after 10\u202f000 rows. Search, filter or sort to see others."


@pytest.mark.parametrize(
    "rows",
    [
        lambda: GoCompany.objects.filter(name="x").order_by("pk"),
        lambda: GoCompany.objects.order_by("pk").distinct(),
        lambda: GoCompany.objects.order_by("pk")[:5],
        GoCompany.objects.none,
        list,
    ],
)
def test_anything_but_a_whole_table_is_counted(monkeypatch, rows):
    monkeypatch.setattr(room, "estimated_rows", lambda model, using: 1_003_112)

    assert paginated(rows()).count == 0


def test_the_estimate_comes_from_the_database():
    """SQLite: the highest key. PostgreSQL: what ANALYZE counted last."""
    for _ in range(3):
        f.go_company()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE integration_gocompany")

    newest = GoCompany.objects.aggregate(newest=models.Max("pk"))["newest"]

    assert estimated_rows(GoCompany, "default") == (3 if connection.vendor == "postgresql" else newest)
    assert estimated_rows(SyncCursor, "default") in {0, -1}


def test_the_list_shows_the_count():
    company = f.go_company(name="Nordlys AS")

    body = logged_in(f.person(role="Reader", companies=[company])).get(
        reverse("admin:integration_gocompany_changelist")
    )

    assert "1 Go company" in " ".join(body.content.decode().split())
