"""The look of the admin. The sidebar is built per person in `integration/admin/navigation.py`."""

from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def icon(_request: HttpRequest) -> str:
    """The bridge, as a picture of its own."""
    return static("fakturabro/icon.svg")


def stylesheet(_request: HttpRequest) -> str:
    """Our few rules on top of unfold's."""
    return static("fakturabro/fakturabro.css")


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Fakturabro",
    "SITE_HEADER": "Fakturabro",
    "SITE_SUBHEADER": "Statements to PowerOffice Go",
    "SITE_ICON": icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "integration.admin.dashboard.dashboard",
    "STYLES": [stylesheet],
    "LOGIN": {"form": "accounts.forms.LogInForm"},
    "ACCOUNT": {
        "navigation": [
            {"title": "My log-in", "link": reverse_lazy("my_log_in")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "BORDER_RADIUS": "6px",
    "COLORS": {
        # A calm fjord blue instead of unfold's purple.
        "primary": {
            "50": "oklch(97.5% .012 230)",
            "100": "oklch(94.5% .025 230)",
            "200": "oklch(89.5% .05 230)",
            "300": "oklch(82% .085 231)",
            "400": "oklch(71.5% .115 233)",
            "500": "oklch(61.5% .12 236)",
            "600": "oklch(52% .11 239)",
            "700": "oklch(45% .095 240)",
            "800": "oklch(39.5% .08 240)",
            "900": "oklch(34.5% .065 241)",
            "950": "oklch(25.5% .05 243)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "integration.admin.navigation.navigation",
    },
}
