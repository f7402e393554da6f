"""Forms about people."""

from typing import Any, ClassVar, Final

from django import forms
from django.contrib.auth.forms import UserChangeForm
from unfold.forms import AdminPasswordChangeForm, AuthenticationForm, UserCreationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.models import User

__all__ = [
    "AdminPasswordChangeForm",
    "CodeForm",
    "LogInForm",
    "PasswordForm",
    "PersonAddForm",
    "PersonChangeForm",
    "SetUpForm",
]


LABELS: Final = {"groups": "Roles", "is_staff": "May enter", "is_superuser": "Superuser"}
HELP: Final = {
    "groups": "What this person may do in their Go companies.",
    "is_active": "Whoever leaves is made inactive; what they did stays theirs.",
    "is_staff": "Without it the log-in is refused.",
    "is_superuser": "May do everything, in all Go companies.",
}


class LogInForm(AuthenticationForm):  # type: ignore[misc] # unfold has no types
    """E-mail address and password. One sentence for every refusal: it tells a stranger nothing."""

    error_messages: ClassVar[dict[str, str]] = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The e-mail address or the password is wrong, or you may not enter here.",
    }


class PersonAddForm(UserCreationForm):  # type: ignore[misc] # unfold has no types
    """A new person: e-mail address, password, name, roles."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "groups")
        labels = LABELS
        help_texts = HELP


class PersonChangeForm(UserChangeForm[User]):
    """What a superuser changes about a person; the password has a page of its own."""

    password = None  # type: ignore[assignment] # Django would show how it is hashed

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, Any]] = {}
        labels = LABELS
        help_texts = HELP


class CodeForm(forms.Form):
    """The second factor, at log-in."""

    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "autofocus": True}),
        help_text="The six digits that the app on your telephone shows now, or one of your recovery codes.",
        error_messages={"required": "Type the code."},
    )


class PasswordForm(forms.Form):
    """Shows that it is still the same person who sits there."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Type your password."},
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.person.check_password(password):
            raise forms.ValidationError("This is not your password.", code="password")
        return password


class SetUpForm(PasswordForm):
    """The first code of a new app."""

    code = forms.RegexField(
        r"^\s*[0-9]{3}\s?[0-9]{3}\s*$",
        label="The code that it shows now",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": "Type the six digits.", "invalid": "A code has six digits."},
    )
    field_order = ("code", "password")
