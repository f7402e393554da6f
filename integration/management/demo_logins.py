"""The people of the demo. Published, so they protect nothing: `demo_data` refuses to make them in production."""

from typing import Final, NamedTuple


class DemoLogin(NamedTuple):
    """Somebody who can log in to the demo. `role` is a group's name, or Superuser."""

    role: str
    email: str
    password: str


SUPERUSER: Final = "Superuser"

DEMO_LOGINS: Final = (
    DemoLogin(SUPERUSER, "admin@fakturabro.example", "fjord-bro-lykt-2026"),
    DemoLogin("Finance", "kari@fjordglott.example", "camping-regnskap-2026"),
    DemoLogin("Support", "ola@fjordglott.example", "verktoy-kasse-2026"),
    DemoLogin("Reader", "rita@fjordglott.example", "lese-briller-2026"),
)
