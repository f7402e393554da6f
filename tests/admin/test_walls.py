"""The walls between companies: every page of the admin is walked by somebody of another company who may do everything.

Their rows carry a mark in every text they have. The mark must not appear in any answer, and none of their rows may
change, be pointed at, or grow. A page that is registered later is walked too; one whose rows are not made here fails.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client, RequestFactory
from django.urls import URLPattern, reverse

from accounts.models import User
from integration import remotes
from integration.admin.base import CompanyFilter, CompanyWall, RecordForm
from integration.enums import AttemptOutcome, HandPaymentState, StatementStatus
from integration.errors import KeyRejected
from integration.models import (
    AccessToken,
    AdminAction,
    GoCompany,
    StatementLine,
    StatementMove,
    SyncCursor,
)
from integration.models.base import company_path
from integration.models.log_books import keep_log_books, open_log_books
from tests import factories as f
from vault.fields import SecretField

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MARK = "zqxw"
BIG = 777_000_000
Rows = dict[type[models.Model], list[Any]]

admin.autodiscover()
PAGES: dict[type[models.Model], ModelAdmin[Any]] = dict(admin.site._registry)
WALLED = [model for model in PAGES if company_path(model) is not None]
OPEN = [model for model in PAGES if company_path(model) is None]

pages = pytest.mark.parametrize("model", WALLED, ids=[model._meta.label for model in WALLED])


# --- Two companies ------------------------------------------------------------------------------------------------


def rows_of(company: GoCompany) -> Rows:
    """One record or more of every kind that has a page, and of what hangs below."""
    far = date(2099, 1, 1)  # a form that is saved makes nothing
    customer = f.customer(company)
    product = f.product(company)
    invoice = f.outgoing_invoice(company, customer_number=BIG + f.next_number())
    editable = f.statement(company, customer=customer, lines=[{"product": product}, {"kind": "TEXT"}])
    sent = f.statement(
        company,
        customer=customer,
        status=StatementStatus.SENT,
        outgoing_invoice=invoice,
        credits=editable,
        lines=[{"product": product}],
    )
    run = f.run(company)
    stuck = f.statement(company, status=StatementStatus.NEEDS_FIX)
    attempts = [
        f.attempt(company, run=run, statement=sent, ended_at=f.NOW, outcome=AttemptOutcome.DONE),
        f.attempt(company, customer=customer, product=product),
    ]
    action = AdminAction.objects.create(
        company=company, user=f.person(), at=f.NOW, action="withdraw", statement=sent, record="r", reason="r"
    )
    StatementMove.objects.create(
        statement=sent, from_status=StatementStatus.DRAFT, to_status=StatementStatus.SENT, at=f.NOW, reason="r"
    )
    f.contact_person(customer)
    f.invoice_receiver(customer)
    subscription = f.subscription(company, holder=customer, product=product, price=Decimal(5), first_date=far)
    f.subscription_term(subscription)
    f.ledger_entry(invoice)
    refused = {"state": HandPaymentState.REFUSED, "ended_by": f.person(), "ended_at": f.NOW, "end_reason": "r"}
    payments = [f.hand_payment(sent, **refused)]
    AccessToken.objects.create(company=company, token="t")
    SyncCursor.objects.create(company=company, resource="LEDGER", watermark=f.NOW)
    return {
        GoCompany: [company],
        type(customer): [customer],
        type(product): [product],
        type(subscription): [subscription],
        type(invoice): [invoice],
        type(editable): [editable, sent, stuck],
        StatementLine: list(sent.lines.all()),
        type(run): [run],
        type(attempts[0]): attempts,
        AdminAction: [action],
        type(payments[0]): payments,
    }


def mark(company: GoCompany) -> None:
    """Put the mark into every text of every row of a company, and big numbers into what is a number for people."""
    for model in walled_models():
        for record in rows_behind(model, company):
            values: dict[str, Any] = {}
            for field in model._meta.concrete_fields:
                if isinstance(field, SecretField) or field.choices or field.name in UNMARKED:
                    continue
                text = f"{MARK}{f.next_number()}"
                if isinstance(field, models.EmailField):
                    values[field.name] = f"{text}@example.no"
                elif isinstance(field, models.CharField | models.TextField):
                    values[field.name] = text
                elif isinstance(field, models.JSONField):
                    values[field.name] = {text: 1}
                elif isinstance(field, models.BigIntegerField) and not isinstance(field, models.AutoField):
                    values[field.name] = BIG + f.next_number()
            model._base_manager.filter(pk=record.pk).update(**values)


UNMARKED = {
    "currency": "three letters",
    "country": "two letters",
    "organisation_number": "nine digits",
    "client_key_fingerprint": "a promise of the company's state",
    "key": "a key",
    "id": "a key",
    "match_id": "shared by what was matched",
}
"""Texts and numbers with a shape of their own."""


def walled_models() -> list[type[models.Model]]:
    return [model for model in GoCompany._meta.apps.get_models() if company_path(model) is not None]


def rows_behind(model: type[models.Model], company: GoCompany) -> models.QuerySet[Any]:
    return model._base_manager.filter(**{str(company_path(model)): company.pk})


def whole(company: GoCompany) -> dict[str, list[dict[str, Any]]]:
    """All rows of a company, value by value."""
    return {model._meta.label: list(rows_behind(model, company).order_by("pk").values()) for model in walled_models()}


def crossings() -> list[str]:
    """Rows that point at a row of another company."""
    found = []
    for model in walled_models():
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey):
                continue
            target = company_path(field.related_model)
            if target in {None, "pk"}:
                continue
            strange = (
                model._base_manager.filter(**{f"{field.name}__isnull": False})
                .exclude(**{f"{field.name}__{target}": models.F(str(company_path(model)))})
                .count()
            )
            if strange:
                found.append(f"{strange} x {model._meta.label}.{field.name}")
    return found


class World:
    """Ours, theirs, and the walker: of ours, with every permission there is."""

    def __init__(self) -> None:
        self.their_company = f.go_company(name="Their company")
        self.theirs = rows_of(self.their_company)
        self.their_person = f.person(email=f"{MARK}0@example.no", first_name=f"{MARK}0", companies=[self.their_company])
        open_log_books()
        mark(self.their_company)
        keep_log_books(apps.get_app_config("integration"))
        self.our_company = f.go_company(name="Our company")
        self.ours = rows_of(self.our_company)
        self.walker = f.person(companies=[self.our_company])
        self.walker.user_permissions.set(Permission.objects.all())
        self.client = Client()
        self.client.force_login(self.walker)
        self.before = whole(self.their_company)

    def get(self, url: str, data: Any = None) -> Any:
        return self.looked_at(self.client.get(url, data), f"GET {url} {data}")

    def post(self, url: str, data: Any = None) -> Any:
        return self.looked_at(self.client.post(url, data or {}), f"POST {url} {data}")

    def looked_at(self, response: Any, door: str) -> Any:
        """No mark in the answer or in what it leads to; no server error."""
        leads_to = response.get("Location", reverse("admin:index"))
        # The front page says that something is not there; `stands` looks at it once for all.
        for answer in [response] if leads_to == reverse("admin:index") else [response, self.client.get(leads_to)]:
            assert answer.status_code < 500, f"{door} ended with {answer.status_code}"
            assert seen(answer) == [], door
        return response

    def stands(self) -> None:
        """Nothing of theirs changed, nothing points through the wall, and no message tells of them."""
        self.get(reverse("admin:index"))
        assert whole(self.their_company) == self.before
        assert crossings() == []
        assert [*self.their_person.go_companies.all()] == [self.their_company]
        assert [*self.walker.go_companies.all()] == [self.our_company]


def seen(response: Any) -> list[str]:
    """Marks in an answer, also inside a workbook. Theirs have a number; what the walker typed has none."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"".join(archive.read(name) for name in archive.namelist())
    text = body.decode("utf-8", "replace")
    found = re.finditer(rf"{MARK}\d|{BIG // 1_000_000}\s?000\s?\d\d\d", text)
    return [text[max(mark.start() - 60, 0) : mark.end() + 20] for mark in found]


@pytest.fixture
def world(monkeypatch) -> World:
    def no_telephone(company: GoCompany, *, person: bool = False) -> None:
        raise KeyRejected(f"{company} cannot be reached from this test.")

    monkeypatch.setattr(remotes, "go_client", no_telephone)
    return World()


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


# --- The walk -----------------------------------------------------------------------------------------------------


def test_each_page_about_companies_stands_behind_the_wall(world: World):
    """Its rows are made above, its base class is ours, its form checks what it does not show."""
    lacking = {
        model._meta.label: [
            *(["no rows in this test"] if not world.theirs.get(model) else []),
            *(["not a CompanyWall"] if not isinstance(page, CompanyWall) else []),
            *(["its form is no RecordForm"] if not issubclass(page.form, RecordForm) else []),
            *(
                f"inline {inline.__name__} is not a CompanyWall"
                for inline in page.inlines
                if not issubclass(inline, CompanyWall)
            ),
        ]
        for model, page in PAGES.items()
        if model in WALLED
    }

    assert {label: faults for label, faults in lacking.items() if faults} == {}


@pytest.mark.parametrize("model", OPEN, ids=[model._meta.label for model in OPEN])
def test_pages_without_company_show_nothing_of_theirs(world: World, model):
    """People and roles are closed to all but superusers; schedules know no company."""
    world.get(address(model, "changelist"), {"q": MARK})
    for record in model._base_manager.all()[:20]:
        world.get(address(model, "change", record.pk))
        world.get(address(model, "history", record.pk))
    world.stands()


def test_the_marks_can_be_seen_by_a_superuser(world: World):
    """Otherwise the walk would prove nothing."""
    world.client.force_login(f.person(is_superuser=True))

    blind = [
        f"{model._meta.label} {page}"
        for model in WALLED
        for page, url in (
            ("list", address(model, "changelist")),
            ("page", address(model, "change", world.theirs[model][0].pk)),
        )
        if not seen(world.client.get(url))
    ]

    assert blind == []


def test_front_page_and_menus(world: World):
    world.get(reverse("admin:index"))
    for label in ("integration", "accounts", "django_celery_beat"):
        world.get(reverse("admin:app_list", args=[label]))
    world.get(reverse("admin:jsi18n"))
    world.stands()


@pages
def test_list_search_filters_and_order(world: World, model):
    page = PAGES[model]
    url = address(model, "changelist")
    queries: list[dict[str, Any]] = [
        {},
        {"q": MARK},
        {"q": "a"},
        {"all": ""},
        {"company": world.their_company.pk},
        {"company__id__exact": world.their_company.pk},
        {"company__name__contains": MARK},
        {"statement__company__name__contains": MARK},
        {"o": "1.-2.3"},
        {"p": "99"},
        {"_popup": "1"},
        {"_to_field": "id"},
    ]
    for field in model._meta.get_fields():
        if isinstance(field, models.ForeignKey):
            for target in world.theirs.get(field.related_model, []):
                queries += [{f"{field.name}__id__exact": target.pk}]
        elif isinstance(field, models.CharField | models.TextField) and not isinstance(field, SecretField):
            queries += [{f"{field.name}__icontains": MARK}]
        elif isinstance(field, models.DateField):
            queries += [{f"{field.name}__year": 2026}]
    for query in queries:
        world.get(url, query)
    with_facets = world.get(url, {"_facets": "True"})
    assert with_facets.status_code in {200, 302}
    for row in world.theirs[model]:
        listed = world.client.get(url).context["cl"].queryset
        assert row not in listed, page
    world.stands()


def test_filters_offer_own_companies_only(world: World):
    second = f.go_company(name="Our second company")
    request = RequestFactory().get("/")
    request.user = world.walker
    page = PAGES[GoCompany]

    alone = CompanyFilter(request, {}, GoCompany, page)
    second.members.add(world.walker)
    both = CompanyFilter(request, {}, GoCompany, page)

    assert (alone.has_output(), both.has_output()) == (False, True)
    assert both.lookup_choices == [(str(world.our_company.pk), "Our company"), (str(second.pk), "Our second company")]


def patterns(page: ModelAdmin[Any]) -> Iterator[tuple[URLPattern, list[str]]]:
    """The page's own addresses and what they want to know."""
    for pattern in page.get_urls():
        assert isinstance(pattern, URLPattern), f"{page}: teach this walk about {pattern}"
        yield pattern, re.findall(r"<(?:[a-z]+:)?([a-z_]+)>", str(pattern.pattern))


def concrete(page: ModelAdmin[Any], pattern: URLPattern, names: list[str], record: models.Model) -> Iterator[str]:
    """The addresses that a pattern stands for, about one record. A name that is not known here fails the test."""
    values = {
        "object_id": [str(record.pk)],
        "id": [str(record.pk)],
        "kind": ["csv", "xlsx"],
        "act": [str(name) for name in (page.actions or [])],
    }
    if "key" in names:  # of a large spreadsheet: somebody else's, into the record's company
        upload = f.upload(company=record.company, sheet=page.sheet.name, state="CHECKED", file_name=MARK)  # type: ignore[attr-defined]
        values["key"] = [str(upload.pk)]
    route = str(pattern.pattern)
    routes = [route]
    for name in names:
        assert name in values, f"{page}: teach this walk what <{name}> in {route} may be"
        routes = [re.sub(rf"<(?:[a-z]+:)?{name}>", value, each) for each in routes for value in values[name]]
    for each in routes:
        yield address(page.model, "changelist") + each


@pages
def test_every_address_with_their_key(world: World, model):
    """Page, history, deletion, buttons, connection tests, whatever is to come: by GET and by POST."""
    page = PAGES[model]
    for record in world.theirs[model][:1]:
        for pattern, names in patterns(page):
            for url in concrete(page, pattern, names, record):
                answers = [
                    world.get(url),
                    world.post(url),
                    world.post(url, {"post": "yes"}),
                    world.post(url, {"confirmed": "1", "reason": "because", "action": "push", "_save": "1"}),
                ]
                if {"object_id", "id", "key"} & set(names):
                    assert {answer.status_code for answer in answers} <= {302, 403, 404, 405}, url
    world.stands()


@pages
def test_actions_with_their_keys(world: World, model):
    url = address(model, "changelist")
    keys = [str(record.pk) for record in world.theirs[model]]
    names = [*(PAGES[model].actions or []), "delete_selected", "export_admin_action"]
    for name in names:
        for extra in ({}, {"select_across": "1"}):
            chosen = {"action": name, "index": "0", "_selected_action": keys, **extra}
            world.post(url, chosen)
            world.post(url, {**chosen, "confirmed": str(len(keys)), "reason": "because", "post": "yes"})
    world.stands()


@pages
def test_autocomplete(world: World, model):
    """Every foreign key that leads to the page, from wherever it comes."""
    doors = [
        {"app_label": source._meta.app_label, "model_name": source._meta.model_name, "field_name": field.name}
        for source in GoCompany._meta.apps.get_models()
        for field in [*source._meta.concrete_fields, *source._meta.many_to_many]
        if field.related_model is model
    ]
    for door in doors:
        for term in ("", MARK, "a"):
            world.get(reverse("admin:autocomplete"), {**door, "term": term})
    world.stands()


def test_autocomplete_of_people_is_for_superusers(world: World):
    door = {"app_label": "integration", "model_name": "gocompany", "field_name": "members", "term": MARK}

    assert world.get(reverse("admin:autocomplete"), door).status_code == 403


def posted(response: Any) -> dict[str, Any]:
    """What a browser would post from a page as it is."""
    data: dict[str, Any] = {}
    forms = [response.context["adminform"].form]
    for formset in response.context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = (
                    [str(getattr(each, "pk", each)) for each in value]
                    if isinstance(value, list | tuple)
                    else str(value)
                )
    return data


def keys_to_strangers(response: Any, world: World) -> Iterator[tuple[str, str]]:
    """Each foreign key on a page, with the key of one of their rows."""
    forms = [response.context["adminform"].form]
    for formset in response.context["inline_admin_formsets"]:
        forms += formset.formset.forms
    for form in forms:
        for bound in form:
            rows = getattr(bound.field, "queryset", None)
            if rows is None:
                continue
            strangers = [world.their_person] if rows.model is User else world.theirs.get(rows.model, [])
            for stranger in strangers[:1]:
                yield bound.html_name, str(stranger.pk)


def fresh(response: Any, like: Any) -> dict[str, Any]:
    """What a browser would post from an empty page after somebody typed a record like one of ours."""
    names = set(response.context["adminform"].form.fields)
    typed = {name: value for name, value in posted(like).items() if name in names} if like.status_code == 200 else {}
    once = {"number": "", "code": f"N{f.next_number()}", "source_id": f"N{f.next_number()}"}
    return {**posted(response), **typed, **{name: value for name, value in once.items() if name in names}}


@pages
def test_forms_bent_to_their_rows(world: World, model):
    """Adding and changing with every foreign key replaced by one of theirs, company first: refused or left out."""
    change = address(model, "change", world.ours[model][0].pk)
    for url in (address(model, "add"), change):
        page = world.get(url)
        if page.status_code == 403 or not page.context["adminform"].form.fields:
            continue  # read-only: test_every_address_with_their_key posts to it
        like = world.client.get(change)
        ours = {"company": str(world.our_company.pk)}
        assert world.post(url, {**fresh(page, like), **ours}).status_code == 302, f"{url}: what is right is not taken"
        for name, key in keys_to_strangers(page, world):
            world.post(url, {**fresh(page, like), **ours, name: key})
            assert crossings() == [], f"{name}={key} through {url}"
        hidden = ("company", "company_id", "members", "statement", "customer", "client_key", "new_client_key")
        world.post(url, {**fresh(page, like), **dict.fromkeys(hidden, world.their_company.pk)})
        world.get(url, {"company": world.their_company.pk, "customer": world.theirs[model][0].pk})
    world.stands()


@pages
def test_inline_rows_of_theirs_are_not_taken_over(world: World, model):
    """A posted page of ours that says that a row below it is one of theirs."""
    url = address(model, "change", world.ours[model][0].pk)
    page = world.client.get(url)
    data = posted(page)
    for formset in page.context["inline_admin_formsets"]:
        below = formset.formset
        for stranger in rows_behind(below.model, world.their_company)[:1]:
            bent = {
                **data,
                f"{below.prefix}-TOTAL_FORMS": "1",
                f"{below.prefix}-INITIAL_FORMS": "1",
                f"{below.prefix}-0-id": str(stranger.pk),
            }
            world.post(url, bent)
            world.post(url, {**bent, f"{below.prefix}-0-DELETE": "on"})
    world.stands()


@pages
def test_exports(world: World, model):
    """Every export that a page offers, in every format, of all rows and of theirs by key."""
    page = PAGES[model]
    if not hasattr(page, "export_action"):
        assert not any("export" in str(pattern.pattern) for pattern in page.get_urls())
        return
    url = address(model, "export")
    form = world.client.get(url).context["form"]
    fields = {name: "on" for name in form.fields if name not in {"format", "resource", "export_items"}}
    resources = [str(choice[0]) for choice in getattr(form.fields["resource"], "choices", [("0", "")])]
    formats = [str(choice[0]) for choice in form.fields["format"].choices if str(choice[0]).isdecimal()]
    bodies = 0
    for resource in resources:
        for kind in formats:
            for query in ("", f"?q={MARK}", f"?company={world.their_company.pk}"):
                for items in ([], [str(record.pk) for record in world.theirs[model]]):
                    chosen = {**fields, "format": kind, "resource": resource}
                    response = world.post(url + query, {**chosen, "export_items": items} if items else chosen)
                    bodies += "attachment" in response.get("Content-Disposition", "")
    assert bodies > 0, "no export came out at all"
    world.stands()


@pages
def test_imports_into_their_company(world: World, model):
    """A file for a company of others, chosen on the page or named in the file."""
    page = PAGES[model]
    if not hasattr(page, "import_action"):
        assert not any("import" in str(pattern.pattern) for pattern in page.get_urls())
        return
    url = address(model, "import")
    world.get(url)
    names = (world.their_company.name, str(world.their_company.pk), f"{MARK}1", "Their company")
    files = [f"Company;{row}\n{name};x;y;1;1;1\n" for name in names for row in ("Name;Code;Number;Price;Quantity",)]
    for text in files:
        for company in ("", str(world.their_company.pk), str(world.our_company.pk)):
            upload = io.BytesIO(text.replace(MARK, "m").encode())
            upload.name = "file.csv"
            response = world.client.post(url, {"import_file": upload, "company": company})
            assert response.status_code < 500
            assert seen(response) == []
    world.stands()


def test_nobody_enters_without_log_in(world: World):
    """Every address there is leads to the log-in."""
    stranger = Client()
    entered = [
        url
        for model, page in PAGES.items()
        for record in (world.theirs.get(model) or model._base_manager.all()[:1])
        for pattern, names in patterns(page)
        for url in concrete(page, pattern, names, record)
        if not stranger.get(url).get("Location", "").startswith((reverse("admin:login"), url))
    ]

    assert entered == []


def test_a_member_of_nothing_sees_nothing(world: World):
    """Without a company there is nothing to see, however many permissions one has."""
    for company in (world.our_company, world.their_company):
        company.members.remove(world.walker)

    shown = {
        model._meta.label: list(world.client.get(address(model, "changelist")).context["cl"].queryset)
        for model in WALLED
    }

    assert {label: rows for label, rows in shown.items() if rows} == {}
