"""What tests share: a sandbox of PowerOffice Go in this process, a company in it, and a client that calls it.

    def test_something(sandbox, company, go): ...

`sandbox` empties the sandbox's books and leads every request of `remotes.go_client` to it: no port, no thread, no
sleep. Tests that use it get both databases.
"""

from typing import Any, cast

import pytest
import requests

from integration import remotes
from integration.clients.poweroffice.client import PowerOfficeClient
from integration.models import GoCompany
from integration.sandbox.wsgi import application
from tests import factories
from tests.wsgi_adapter import WSGIAdapter
from vault.fields import Secret

CONTROL = "http://sandbox.test/_control"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that uses the sandbox uses both databases; it need not say so."""
    for item in items:
        if "sandbox" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(databases=["default", "sandbox"]))


class Sandbox:
    """The accountant in Go, and the lever box behind the stage. The calls are explained in `sandbox/control.py`."""

    def __init__(self) -> None:
        self.adapter = WSGIAdapter(application)
        """Carries every request; `adapter.requests` holds them."""
        self._session = requests.Session()
        self._session.mount("http://", WSGIAdapter(application))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A control call; a refusal fails the test with the sandbox's sentence."""
        answer = self._session.request(method, f"{CONTROL}/{path}", json=body)
        assert answer.ok, answer.json()["error"]
        return answer.json()

    def reset(self) -> None:
        """Empty books, no switches, faults, counters. No rate limit, since the tests have no pace."""
        self.call("POST", "reset")
        self.switch(rate_limit_per_second=0)

    def open_company(self, **members: Any) -> str:
        """A company with accounts, VAT codes, terms, products and customers; returns its client key."""
        members = {"name": "Fjordgløtt Camping AS", "client_key": factories.next_uuid(), **members}
        return str(self.call("POST", "companies", members)["client_key"])

    def books(self, company: GoCompany) -> Any:
        """The truth about one company: {company, customers, products, orders, invoices, ledger}."""
        return self.call("GET", f"books?company={key_of(company)}")

    def act(self, name: str, company: GoCompany | None = None, **members: Any) -> Any:
        """Something that people do in Go, for example `act("send", company, order_ids=[...])`."""
        whose = {} if company is None else {"company": key_of(company)}
        return self.call("POST", f"acts/{name}", {**whose, **members})

    def switch(self, **values: Any) -> None:
        """Decide an unknown, for example `switch(duplicate_reference="409")`."""
        self.call("PUT", "switches", values)

    def faults(self, kind: str = "", **plan: Any) -> None:
        """Plan a fault, for example `faults("drop_after_commit", method="POST", path="/SalesOrders/Complete")`."""
        self.call("POST", "faults", {"kind": kind, **plan} if kind else plan)

    def no_faults(self) -> None:
        self.call("DELETE", "faults")

    def requests(self) -> Any:
        """Counters: {total, throttled, most_in_one_second, by_route, by_status}."""
        return self.call("GET", "requests")

    def forget_requests(self) -> None:
        self.call("DELETE", "requests")


def key_of(company: GoCompany) -> str:
    return cast("Secret", company.client_key).reveal()


def no_sleep(seconds: float) -> None:
    """Tests do not wait."""


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    made = Sandbox()
    made.reset()
    monkeypatch.setattr(remotes, "transport", lambda: made.adapter)
    monkeypatch.setattr(remotes, "sleep", no_sleep)
    monkeypatch.setattr(remotes, "RENEWAL_CLAIM_SECONDS", 0)  # a worker that died in a renewal holds up nobody
    return made


@pytest.fixture
def company(sandbox: Sandbox) -> GoCompany:
    """An active company of ours, with the client key of a freshly seeded company in Go."""
    return factories.go_company(name="Fjordgløtt Camping AS", client_key=sandbox.open_company())


@pytest.fixture
def go(company: GoCompany) -> PowerOfficeClient:
    return remotes.go_client(company)
