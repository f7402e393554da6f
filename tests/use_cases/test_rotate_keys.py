"""Key rotation, from the first new key to the last old one."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Authenticator, User
from integration.models import AccessToken, GoCompany
from integration.use_cases import rotate_keys as room
from integration.use_cases.rotate_keys import KeyReport, rotate_keys, secret_fields
from tests import factories
from vault.fields import Secret, open_token

pytestmark = pytest.mark.django_db

OLD = Fernet.generate_key().decode()
NEW = Fernet.generate_key().decode()


def run(*args: str) -> list[str]:
    out = io.StringIO()
    call_command("rotate_field_keys", *args, stdout=out)
    return [line for line in out.getvalue().splitlines() if not line.startswith("Authenticator")]  # nobody has one


def tokens() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, client_key FROM integration_gocompany")
        return dict(cursor.fetchall())


def test_every_secret_is_known():
    assert {f"{field.model.__name__}.{field.name}" for field in secret_fields()} == {
        "AccessToken.token",
        "Authenticator.key",
        "Authenticator.new_key",
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
    assert reports[-2] == KeyReport(secret="GoCompany.client_key", opened_by=[0, 1])


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

    assert reports[-2] == KeyReport(secret="GoCompany.client_key", opened_by=[3, 0], closed_again=2)
    assert list(GoCompany.objects.order_by("pk").values_list("client_key", flat=True)) == [
        Secret("key 0"),
        Secret("key 1"),
        Secret("key 2"),
    ]


def secret_of(number: int) -> str:
    return f"secret number {number}"


def ten_thousand_secrets() -> None:
    """3 000 client keys, 3 000 access tokens, 2 000 telephones with a seed in force and another being set up."""
    companies = [GoCompany(name=f"Company {number}", client_key=secret_of(number)) for number in range(3000)]
    GoCompany.objects.bulk_create(companies, batch_size=500)
    AccessToken.objects.bulk_create(
        [AccessToken(company=company, token=secret_of(3000 + number)) for number, company in enumerate(companies)],
        batch_size=500,
    )
    people = [User(email=f"person{number}@example.no") for number in range(2000)]
    User.objects.bulk_create(people, batch_size=500)
    Authenticator.objects.bulk_create(
        [
            Authenticator(user=person, key=secret_of(6000 + number), new_key=secret_of(8000 + number))
            for number, person in enumerate(people)
        ],
        batch_size=500,
    )


def all_secrets() -> list[str]:
    fields = [(GoCompany, "client_key"), (AccessToken, "token"), (Authenticator, "key"), (Authenticator, "new_key")]
    return [
        secret.reveal()
        for model, name in fields
        for secret in model._default_manager.order_by("pk").values_list(name, flat=True)
    ]


def test_v11_2_2_ten_thousand_secrets_change_their_key_while_everybody_works(settings, monkeypatch):
    """ASVS V11.2.2. The new key is made known everywhere first, then put in front, process after process; meanwhile the
    rotation is stopped four times and goes on, and processes with either order of keys read and write.
    """
    settings.FIELD_KEYS = [OLD]
    ten_thousand_secrets()
    settings.FIELD_KEYS = [OLD, NEW]
    before = all_secrets()
    true = {"client_key": dict(enumerate(before[:3000]))}
    keys = list(GoCompany.objects.order_by("pk").values_list("pk", flat=True))
    seen = {"closed": 0, "reads": 0, "writes": 0}
    batches, close_again = room._batches, room._close_again

    def among_others(field):
        """Before each batch somebody reads and somebody writes, as processes restarted and not restarted yet do."""
        for batch in batches(field):
            for order in ([OLD, NEW], [NEW, OLD]):
                settings.FIELD_KEYS = order
                place = seen["reads"] * 701 % 3000
                row = GoCompany.objects.get(pk=keys[place])
                assert row.client_key == Secret(true["client_key"][place])
                seen["reads"] += 1
                true["client_key"][place] = f"written {seen['writes']}"
                GoCompany.objects.filter(pk=row.pk).update(client_key=true["client_key"][place])
                seen["writes"] += 1
            yield batch

    def until_the_power_goes(*args):
        seen["closed"] += 1
        if seen["closed"] % 2000 == 0:
            raise KeyboardInterrupt
        return close_again(*args)

    monkeypatch.setattr(room, "_batches", among_others)
    monkeypatch.setattr(room, "_close_again", until_the_power_goes)
    settings.FIELD_KEYS = [NEW, OLD]
    stops = 0
    while True:
        try:
            rotate_keys(change=True)
        except KeyboardInterrupt:
            stops += 1
            continue
        break
    monkeypatch.setattr(room, "_batches", batches)
    monkeypatch.setattr(room, "_close_again", close_again)
    reports = rotate_keys(change=True)

    assert stops == 5
    assert seen["reads"] == seen["writes"] > 100
    assert [(report.opened_by, report.unreadable) for report in reports] == [
        ([2000, 0], 0),
        ([2000, 0], 0),
        ([3000, 0], 0),
        ([3000, 0], 0),
    ]
    settings.FIELD_KEYS = [NEW]
    assert all_secrets() == [*true["client_key"].values(), *before[3000:]]
