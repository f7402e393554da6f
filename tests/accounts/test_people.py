"""People: log-in by e-mail, and pages that only superusers enter."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db

PEOPLE = "admin:accounts_user"
ROLES = "admin:accounts_role"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_log_in_with_e_mail_in_any_case():
    factories.person(email="kari@example.no")

    response = Client().post(
        reverse("admin:login"),
        {"username": "Kari@Example.NO", "password": factories.PASSWORD, "next": reverse("admin:index")},
    )

    assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))


@pytest.mark.parametrize("fields", [{"is_staff": False}, {"is_active": False}])
def test_who_may_not_enter_is_not_let_in(fields):
    factories.person(email="kari@example.no", **fields)

    response = Client().post(reverse("admin:login"), {"username": "kari@example.no", "password": factories.PASSWORD})

    assert response.status_code == 200
    assert "The e-mail address or the password is wrong, or you may not enter here." in response.content.decode()


def test_a_person_needs_an_e_mail_address():
    with pytest.raises(ValueError, match=r"^A person needs an e-mail address to log in\.$"):
        User.objects.create_user("")


def test_a_superuser_may_enter_and_do_everything():
    user = User.objects.create_superuser("Boss@Example.NO", "secret words here")

    assert (user.email, user.is_staff, user.is_superuser, str(user)) == (
        "boss@example.no",
        True,
        True,
        "boss@example.no",
    )
    assert user.check_password("secret words here")


@pytest.mark.parametrize("email", ["kari@example.no", "KARI@example.no"])
def test_user_email_once(email):
    factories.person(email="kari@example.no")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email=email)])


def test_superuser_adds_a_person_who_may_enter():
    client = logged_in(factories.person(is_superuser=True))
    reader = Group.objects.get(name="Reader")

    response = client.post(
        reverse(f"{PEOPLE}_add"),
        {
            "email": "Ola@Example.NO",
            "first_name": "Ola",
            "last_name": "Nordmann",
            "password1": "an uncommon sentence",
            "password2": "an uncommon sentence",
            "groups": [reader.pk],
        },
    )

    assert response.status_code == 302
    user = User.objects.get(email="ola@example.no")
    assert (user.is_staff, user.is_superuser, list(user.groups.all())) == (True, False, [reader])
    assert user.check_password("an uncommon sentence")


def test_the_same_e_mail_twice_is_said():
    factories.person(email="ola@example.no")
    client = logged_in(factories.person(is_superuser=True))

    response = client.post(
        reverse(f"{PEOPLE}_add"),
        {
            "email": "OLA@example.no",
            "password1": "an uncommon sentence",
            "password2": "an uncommon sentence",
        },
    )

    assert response.status_code == 200
    assert response.context["adminform"].form.errors.get_json_data() == {
        "__all__": [{"message": "Somebody already logs in with this e-mail address.", "code": ""}],
        "email": [{"message": "Person with this E-mail already exists.", "code": "unique"}],
    }


def test_superuser_changes_a_person_and_the_password():
    client = logged_in(factories.person(is_superuser=True))
    user = factories.person(email="ola@example.no")

    changed = client.post(
        reverse(f"{PEOPLE}_change", args=[user.pk]),
        {"email": "ola@example.no", "first_name": "Ola", "last_name": "", "is_staff": "on"},
    )
    password = client.post(
        reverse("admin:auth_user_password_change", args=[user.pk]),
        {"usable_password": "true", "password1": "another fine sentence", "password2": "another fine sentence"},
    )

    assert (changed.status_code, password.status_code) == (302, 302)
    user.refresh_from_db()
    assert (user.first_name, user.is_active) == ("Ola", False)
    assert user.check_password("another fine sentence")


def test_people_are_made_inactive_instead_of_deleted():
    client = logged_in(factories.person(is_superuser=True))
    user = factories.person()

    assert client.post(reverse(f"{PEOPLE}_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


def test_a_role_has_a_box_for_each_right_about_business_data_and_for_no_other():
    boss = factories.person(is_superuser=True)
    reader = Group.objects.get(name="Reader")
    page = logged_in(boss).get(reverse(f"{ROLES}_change", args=[reader.pk]))
    rights = page.context["adminform"].form.fields["permissions"]

    words = [str(words) for _, words in rights.choices]
    assert len(words) == Permission.objects.filter(content_type__app_label="integration").count()
    assert {"Can view customer", "Can push statements to PowerOffice Go"} <= set(words)
    assert "Can add person" not in words


def test_deleting_a_role_says_who_loses_it():
    boss = factories.person(is_superuser=True)
    for email in ("rita@example.no", "ola@example.no"):
        factories.person(email=email, role="Reader")
    reader = Group.objects.get(name="Reader")
    page = logged_in(boss).get(reverse(f"{ROLES}_delete", args=[reader.pk]))

    assert page.context["title"] == "Delete"
    assert page.context["deleted_objects"] == [
        "Role: Reader",
        "Loses it: ola@example.no",
        "Loses it: rita@example.no",
    ]
    assert dict(page.context["model_count"]) == {"roles": 1, "people who lose it": 2}
    logged_in(boss).post(reverse(f"{ROLES}_delete", args=[reader.pk]), {"post": "yes"})
    assert sorted(Group.objects.values_list("name", flat=True)) == ["Finance", "Support"]


def test_the_page_of_a_person_tells_nothing_of_how_passwords_are_kept():
    boss = factories.person(is_superuser=True)
    page = logged_in(boss).get(reverse(f"{PEOPLE}_change", args=[boss.pk])).content.decode()

    assert "argon2" not in page.lower()
    assert f'href="{reverse("admin:auth_user_password_change", args=[boss.pk])}">Set a new one</a>' in page


@pytest.mark.parametrize("page", [PEOPLE, ROLES])
def test_every_page_opens_for_a_superuser(page):
    user = factories.person(is_superuser=True, role="Reader")
    client = logged_in(user)
    key = user.pk if page == PEOPLE else user.groups.get().pk

    pages = [
        client.get(reverse(f"{page}_changelist"), {"q": "e"}),
        client.get(reverse(f"{page}_add")),
        client.get(reverse(f"{page}_change", args=[key])),
        client.get(reverse(f"{page}_history", args=[key])),
    ]

    assert [response.status_code for response in pages] == [200] * 4


@pytest.mark.parametrize("page", [PEOPLE, ROLES])
def test_nobody_else_enters_whatever_they_hold(page):
    """All permissions, and still no way to make superusers, change them, or hand out rights."""
    user = factories.person()
    user.user_permissions.set(Permission.objects.all())
    boss = factories.person(is_superuser=True, role="Reader")
    client = logged_in(user)
    key = boss.pk if page == PEOPLE else boss.groups.get().pk

    answers = [
        client.get(reverse(f"{page}_changelist")),
        client.post(reverse(f"{page}_add"), {"email": "new@example.no", "is_superuser": "on"}),
        client.get(reverse(f"{page}_change", args=[key])),
        client.post(reverse(f"{page}_change", args=[key]), {"email": boss.email, "is_superuser": ""}),
        client.post(reverse(f"{page}_delete", args=[key]), {"post": "yes"}),
        client.post(
            reverse("admin:auth_user_password_change", args=[boss.pk]),
            {"usable_password": "true", "password1": "stolen with a smile", "password2": "stolen with a smile"},
        ),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    boss.refresh_from_db()
    assert (boss.is_superuser, boss.check_password(factories.PASSWORD)) == (True, True)


def test_whoever_logs_out_is_told_so_in_our_words():
    client = logged_in(factories.person())
    page = client.post(reverse("admin:logout")).content.decode()
    assert "<h1>You are logged out</h1>" in page
    assert "Log in again" in page
    assert client.get(reverse("admin:index")).status_code == 302
