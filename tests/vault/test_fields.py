"""Secrets: closed at rest, masked everywhere else."""

import copy
import io
import json
import logging
import pickle
import sys
import traceback
import types
from typing import Any, cast

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import F
from django.forms.models import model_to_dict
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from integration.models import AccessToken, GoCompany
from tests import factories
from vault.fields import Secret, SecretField, close, field_keys, open_token

VALUE = "7d4e1f0a-very-secret-client-key"
KEY_A = Fernet.generate_key().decode()
KEY_B = Fernet.generate_key().decode()


def at_rest(record: GoCompany | AccessToken, column: str) -> str:
    """What the database file really holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {record._meta.db_table} WHERE id = %s", [record.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(VALUE)),
        str(Secret(VALUE)),
        f"{Secret(VALUE)}",
        f"{Secret(VALUE)!r}",
        "%s %r" % (Secret(VALUE), Secret(VALUE)),  # noqa: UP031 - this way of formatting is what is tested
        "{} {!r}".format(Secret(VALUE), Secret(VALUE)),  # noqa: UP032 - and this one
        json.dumps({"key": Secret(VALUE)}, default=str, ensure_ascii=False),
        json.dumps({"key": Secret(VALUE)}, default=repr, ensure_ascii=False),
        repr({"key": [Secret(VALUE)]}),
        repr(types.SimpleNamespace(key=Secret(VALUE))),
    ],
)
def test_secret_shows_dots(shown):
    assert ("••••" in shown, VALUE in shown) == (True, False)


@pytest.mark.parametrize(
    ("forbidden", "error"),
    [
        (lambda: pickle.dumps(Secret(VALUE)), TypeError),
        (lambda: json.dumps(Secret(VALUE)), TypeError),
        (lambda: json.dumps(Secret(VALUE), cls=DjangoJSONEncoder), TypeError),
        (lambda: f"{Secret(VALUE):>60}", TypeError),
        (lambda: vars(Secret(VALUE)), TypeError),
        (lambda: list(cast("Any", Secret(VALUE))), TypeError),
        (lambda: "" + cast("Any", Secret(VALUE)), TypeError),
    ],
)
def test_secret_cannot_be_taken_apart(forbidden, error):
    with pytest.raises(error) as caught:
        forbidden()

    assert VALUE not in str(caught.value)


def test_secret_behaves_like_a_value():
    assert Secret(VALUE).reveal() == VALUE
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("another")
    assert Secret(VALUE) != VALUE
    assert len({Secret(VALUE), Secret(VALUE)}) == 1
    assert (bool(Secret(VALUE)), bool(Secret("")), str(Secret("")), repr(Secret(""))) == (True, False, "", "Secret()")
    assert copy.copy(Secret(VALUE)) == Secret(VALUE)
    assert copy.deepcopy({"key": Secret(VALUE)}) == {"key": Secret(VALUE)}


@pytest.mark.parametrize("keys", [[], ["short"], ["not base64 at all, but long enough to be one"]])
def test_unusable_keys_are_said_without_showing_them(settings, keys):
    settings.FIELD_KEYS = keys

    with pytest.raises(ImproperlyConfigured, match=r"^FIELD_KEYS: ") as caught:
        field_keys()

    assert [key for key in keys if key in "".join(traceback.format_exception(caught.value))] == []


def test_older_keys_open_and_the_newest_closes(settings):
    settings.FIELD_KEYS = [KEY_A]
    old = close(VALUE)
    settings.FIELD_KEYS = [KEY_B, KEY_A]
    new = close(VALUE)

    assert (open_token(old), open_token(new)) == (Secret(VALUE), Secret(VALUE))
    assert Fernet(KEY_B).decrypt(new.encode()).decode() == VALUE
    settings.FIELD_KEYS = [KEY_B]
    with pytest.raises(ImproperlyConfigured, match=r"the key that closed it is missing from FIELD_KEYS"):
        open_token(old)


@pytest.mark.django_db
def test_a_secret_is_a_fernet_token_at_rest():
    company = factories.go_company(client_key=VALUE)

    token = at_rest(company, "client_key")

    assert token.startswith("gAAAA")
    assert open_token(token) == Secret(VALUE)
    assert GoCompany.objects.get().client_key == Secret(VALUE)
    assert list(GoCompany.objects.values_list("client_key", flat=True)) == [Secret(VALUE)]


@pytest.mark.django_db
def test_no_secret_is_nothing_at_rest():
    assert at_rest(factories.go_company(client_key=""), "client_key") == ""


@pytest.mark.django_db
def test_every_way_to_write_closes_it():
    company = factories.go_company(client_key="")
    token = AccessToken.objects.create(company=company, token=VALUE)
    seen = [at_rest(token, "token")]
    AccessToken.objects.filter(pk=token.pk).update(token=VALUE)
    seen.append(at_rest(token, "token"))
    AccessToken.objects.bulk_update([token], ["token"])
    seen.append(at_rest(token, "token"))
    token.token = VALUE
    token.save(update_fields=["token"])
    seen.append(at_rest(token, "token"))
    AccessToken.objects.filter(pk=token.pk).update(token=F("token"))
    seen.append(at_rest(token, "token"))

    assert [open_token(value) for value in seen] == [Secret(VALUE)] * 5
    assert [value for value in seen if VALUE in value] == []


@pytest.mark.parametrize("given", [VALUE, Secret(VALUE)])
def test_plain_text_becomes_a_secret_at_once(given):
    company = GoCompany(client_key=given)

    assert company.client_key == Secret(VALUE)
    assert VALUE not in repr(vars(company))
    assert GoCompany().client_key == Secret("")


@pytest.mark.django_db
@pytest.mark.parametrize("lookup", ["client_key", "client_key__contains", "client_key__startswith", "client_key__in"])
def test_secrets_cannot_be_searched(lookup):
    with pytest.raises(FieldError):
        GoCompany.objects.filter(**{lookup: VALUE})


@pytest.mark.django_db
def test_secrets_can_be_asked_for_null():
    factories.go_company(client_key=VALUE)

    assert GoCompany.objects.filter(client_key__isnull=True).count() == 0


@pytest.mark.django_db
def test_a_record_shows_dots_wherever_it_goes(caplog):
    company = factories.go_company(client_key=VALUE, name="Nordlys AS")
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").warning("%s %r %s", company, vars(company), company.client_key)

    shown = [
        caplog.text,
        repr(company),
        repr(vars(company)),
        repr(model_to_dict(company, [field.name for field in GoCompany._meta.fields])),
        repr(list(GoCompany.objects.values())),
        repr(company.client_key_fingerprint),
    ]

    assert [text for text in shown if VALUE in text] == []
    assert "••••" in caplog.text
    with pytest.raises(TypeError, match=r"^A secret is never pickled\.$"):
        pickle.dumps(company)
    with pytest.raises(TypeError, match=r"^A secret is never pickled\.$"):
        pickle.dumps(list(GoCompany.objects.all()))


@pytest.mark.django_db
def test_an_error_report_shows_dots():
    """The report that Django mails to administrators prints the local names of each frame."""

    def fail() -> None:
        company = factories.go_company(client_key=VALUE)
        secret = company.client_key  # noqa: F841 - a local name for the report
        raise RuntimeError(f"Something went wrong with {vars(company)}")

    try:
        fail()
    except RuntimeError:
        report = ExceptionReporter(RequestFactory().get("/"), *sys.exc_info())

    text = report.get_traceback_text() + report.get_traceback_html()
    assert (VALUE in text, "Secret(••••)" in text) == (False, True)


@pytest.mark.django_db
def test_dumps_carry_tokens_and_load_again(tmp_path):
    company = factories.go_company(client_key=VALUE)
    AccessToken.objects.create(company=company, token="the token of an hour")
    file = tmp_path / "dump.json"

    call_command("dumpdata", "integration.gocompany", "integration.accesstoken", output=str(file), verbosity=0)
    dump = file.read_text()
    AccessToken.objects.all().delete()
    GoCompany.objects.update(client_key="")
    call_command("loaddata", str(file), verbosity=0)

    assert (VALUE in dump, "the token of an hour" in dump, dump.count("gAAAA")) == (False, False, 2)
    assert GoCompany.objects.get().client_key == Secret(VALUE)
    assert AccessToken.objects.get().token == Secret("the token of an hour")


@pytest.mark.django_db
def test_a_dump_from_another_house_is_refused(settings, tmp_path):
    settings.FIELD_KEYS = [KEY_A]
    factories.go_company(client_key=VALUE)
    out = io.StringIO()
    call_command("dumpdata", "integration.gocompany", stdout=out)
    (tmp_path / "dump.json").write_text(out.getvalue())
    settings.FIELD_KEYS = [KEY_B]

    with pytest.raises(DeserializationError, match="the key that closed it is missing from FIELD_KEYS"):
        call_command("loaddata", str(tmp_path / "dump.json"), verbosity=0)


def test_the_field_deconstructs_for_migrations():
    assert SecretField(blank=True).deconstruct()[1:] == ("vault.fields.SecretField", [], {"blank": True})
