"""Who is asking, and from where, in words for the log."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The visitor's IP address. Behind a proxy: the last one in `X-Forwarded-For`, which the proxy itself wrote there.

    Whatever stands before it came from the visitor and proves nothing.
    """
    if settings.BEHIND_PROXY:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ip_address(told))
        except ValueError:  # the proxy wrote none: then its own address is all we know
            pass
    return str(request.META.get("REMOTE_ADDR", ""))


BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrom": "Chrome",
    "Safari": "Safari",
}
SYSTEMS: Final = {
    "iPhone": "an iPhone",
    "iPad": "an iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "a Chromebook",
    "Macintosh": "a Mac",
    "Linux": "Linux",
}
"""What a browser calls itself has a word of these in it. The first that fits is right: most also name others."""


def browser_of(request: HttpRequest) -> str:
    """`Firefox on Windows`. It is what the visitor says: good for knowing one's own again, no proof of anything."""
    told = request.headers.get("User-Agent", "")
    browser = next((name for word, name in BROWSERS.items() if word in told), "Unknown browser")
    system = next((name for word, name in SYSTEMS.items() if word in told), "")
    return f"{browser} on {system}" if system else browser


def visitor(request: HttpRequest) -> str:
    """`kari@example.no (person 3) from 10.0.0.7`; without a log-in `nobody from 10.0.0.7`."""
    user = getattr(request, "user", None)
    who = f"{user} (person {user.pk})" if user is not None and user.is_authenticated else "nobody"
    return f"{who} from {address_of(request)}"


def asked(request: HttpRequest) -> str:
    """`POST /admin/...`: no query and no body, which may hold what nobody else should read; signs of one line only."""
    return f"{request.method} {quote(request.path)}"
