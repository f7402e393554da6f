"""Forms about people."""

from typing import Any, ClassVar, Final

from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import User

__all__ = ["AdminPasswordChangeForm", "PersonAddForm", "PersonChangeForm"]


LABELS: Final = {"groups": "Roles", "is_staff": "May enter", "is_superuser": "Superuser"}
HELP: Final = {
    "groups": "What this person may do in their Go companies.",
    "is_active": "Whoever leaves is made inactive; what they did stays theirs.",
    "is_staff": "Without it the log-in is refused.",
    "is_superuser": "May do everything, in all Go companies.",
}


class PersonAddForm(UserCreationForm):  # type: ignore[misc] # unfold has no types
    """A new person: e-mail address, password, name, roles."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "groups")
        labels = LABELS
        help_texts = HELP


class PersonChangeForm(UserChangeForm):  # type: ignore[misc] # unfold has no types
    """What a superuser changes about a person."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, Any]] = {}
        labels = LABELS
        help_texts = HELP
