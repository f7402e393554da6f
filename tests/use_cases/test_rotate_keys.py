"""Key rotation, from the first new key to the last old one."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from integration.models import AccessToken, GoCompany
from integration.models.fields import Secret, open_token
from integration.use_cases import rotate_keys as room
from integration.use_cases.rotate_keys import KeyReport, rotate_keys, secret_fields
from tests import factories

pytestmark = pytest.mark.django_db

OLD = Fernet.generate_key().decode()
NEW = Fernet.generate_key().decode()


def run(*args: str) -> list[str]:
    out = io.StringIO()
    call_command("rotate_field_keys", *args, stdout=out)
    return out.getvalue().splitlines()


def tokens() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, client_key FROM integration_gocompany")
        return dict(cursor.fetchall())


def test_every_secret_is_known():
    assert {f"{field.model.__name__}.{field.name}" for field in secret_fields()} == {
        "AccessToken.token",
        "GoCompany.client_key",
    }


def test_rotation_ends_with_a_key_that_can_go(settings, monkeypatch):
    monkeypatch.setattr(room, "BATCH", 2)
    settings.FIELD_KEYS = [OLD]
    companies = [factories.go_company(client_key=f"key {number}") for number in range(5)]
    factories.go_company(client_key="")
    AccessToken.objects.create(company=companies[0], token="a token")
    settings.FIELD_KEYS = [NEW, OLD]
    factories.go_company(client_key="key 5")

    check = run("--check")
    rotated = run()
    again = run()

    assert check == [
        "GoCompany.client_key: 0 encrypted again, 1 with key 1, 5 with key 2",
        "AccessToken.token: 0 encrypted again, 0 with key 1, 1 with key 2",
        "Key 2 of FIELD_KEYS is still needed for 6.",
    ]
    assert rotated == [
        "GoCompany.client_key: 5 encrypted again, 6 with key 1, 0 with key 2",
        "AccessToken.token: 1 encrypted again, 1 with key 1, 0 with key 2",
        "Key 2 of FIELD_KEYS is not needed any more: it can be taken out.",
    ]
    assert again == [
        "GoCompany.client_key: 0 encrypted again, 6 with key 1, 0 with key 2",
        "AccessToken.token: 0 encrypted again, 1 with key 1, 0 with key 2",
        "Key 2 of FIELD_KEYS is not needed any more: it can be taken out.",
    ]
    settings.FIELD_KEYS = [NEW]
    assert list(GoCompany.objects.order_by("pk").values_list("client_key", flat=True)) == [
        *(Secret(f"key {number}") for number in range(5)),
        Secret(""),
        Secret("key 5"),
    ]
    assert AccessToken.objects.get().token == Secret("a token")


def test_check_changes_nothing(settings):
    settings.FIELD_KEYS = [OLD]
    factories.go_company(client_key="key")
    before = tokens()
    settings.FIELD_KEYS = [NEW, OLD]

    run("--check")

    assert tokens() == before


def test_rotation_leaves_the_time_stamps_alone(settings):
    settings.FIELD_KEYS = [OLD]
    company = factories.go_company(client_key="key")
    settings.FIELD_KEYS = [NEW, OLD]

    rotate_keys(change=True)

    assert GoCompany.objects.get().updated_at == company.updated_at


def test_a_secret_that_no_key_opens_is_counted_and_left(settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    factories.go_company(client_key="lost")
    settings.FIELD_KEYS = [OLD]
    kept = factories.go_company(client_key="kept")
    before = tokens()
    settings.FIELD_KEYS = [NEW, OLD]

    with pytest.raises(CommandError, match=r"^1 cannot be opened with any key in FIELD_KEYS\."):
        run()

    after = tokens()
    assert [pk for pk in after if after[pk] != before[pk]] == [kept.pk]


def test_a_secret_that_is_changed_meanwhile_is_left_alone(settings, monkeypatch):
    settings.FIELD_KEYS = [OLD]
    company = factories.go_company(client_key="key")
    settings.FIELD_KEYS = [NEW, OLD]

    def open_after_somebody_else_wrote(token: str) -> Secret:
        GoCompany.objects.filter(pk=company.pk).update(client_key="theirs")
        return Secret("key")

    monkeypatch.setattr(room, "open_token", open_after_somebody_else_wrote)
    reports = rotate_keys(change=True)

    assert GoCompany.objects.get().client_key == Secret("theirs")
    assert reports[0] == KeyReport(secret="GoCompany.client_key", opened_by=[0, 1])


def test_a_stop_in_the_middle_loses_nothing(settings, monkeypatch):
    """A stop after the first batch: what was done stays done, the rest is done by the next run."""
    monkeypatch.setattr(room, "BATCH", 1)
    settings.FIELD_KEYS = [OLD]
    for number in range(3):
        factories.go_company(client_key=f"key {number}")
    settings.FIELD_KEYS = [NEW, OLD]
    opened = []

    def stop_at_the_second(token: str) -> Secret:
        opened.append(token)
        if len(opened) == 2:
            raise KeyboardInterrupt
        return open_token(token)

    with monkeypatch.context() as stopped:
        stopped.setattr(room, "open_token", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            rotate_keys(change=True)
    reports = rotate_keys(change=True)

    assert reports[0] == KeyReport(secret="GoCompany.client_key", opened_by=[3, 0], closed_again=2)
    assert list(GoCompany.objects.order_by("pk").values_list("client_key", flat=True)) == [
        Secret("key 0"),
        Secret("key 1"),
        Secret("key 2"),
    ]
