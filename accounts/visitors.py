"""Who is asking, and from where, in words for the log."""

from ipaddress import ip_address
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


def visitor(request: HttpRequest) -> str:
    """`kari@example.no (person 3) from 10.0.0.7`; without a log-in `nobody from 10.0.0.7`."""
    user = getattr(request, "user", None)
    who = f"{user} (person {user.pk})" if user is not None and user.is_authenticated else "nobody"
    return f"{who} from {address_of(request)}"


def asked(request: HttpRequest) -> str:
    """`POST /admin/...`: no query and no body, which may hold what nobody else should read; signs of one line only."""
    return f"{request.method} {quote(request.path)}"
