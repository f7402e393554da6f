"""Forms about people."""

from typing import Any

from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import User

__all__ = ["AdminPasswordChangeForm", "PersonAddForm", "PersonChangeForm"]


class PersonAddForm(UserCreationForm):  # type: ignore[misc] # unfold has no types
    """A new person: e-mail address, password, name, roles."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "groups")


class PersonChangeForm(UserChangeForm):  # type: ignore[misc] # unfold has no types
    """What a superuser changes about a person."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}  # noqa: RUF012 - Django's form metaclass reads a plain dict
