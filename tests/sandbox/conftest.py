"""A caller of the sandbox: an integration with its keys, and the accountant on the control surface."""

from decimal import Decimal
from typing import Any

import pytest
import requests

from integration.sandbox.wsgi import application
from tests.wsgi_adapter import WSGIAdapter

HOST = "http://go.test"
APPLICATION_KEY = "11111111-1111-4111-8111-111111111111"
CAMPING = "22222222-2222-4222-8222-222222222201"
PADEL = "22222222-2222-4222-8222-222222222202"
SUBSCRIPTION = {"Ocp-Apim-Subscription-Key": "sandbox-subscription-key"}


class Caller:
    """One integration with one company's client key; `act` and `control` are the accountant and the operator."""

    def __init__(self, client_key: str = CAMPING, application_key: str = APPLICATION_KEY) -> None:
        self.session = requests.Session()
        self.session.mount(HOST, WSGIAdapter(application))
        self.client_key = client_key
        self.application_key = application_key
        self.headers = dict(SUBSCRIPTION)

    def token(self, grant: str = "client_credentials", path: str = "/OAuth/Token") -> requests.Response:
        keys = (self.application_key, self.client_key)
        return self.session.post(HOST + path, data={"grant_type": grant}, auth=keys, headers=SUBSCRIPTION)

    def sign_in(self) -> "Caller":
        self.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> requests.Response:
        return self.session.request(method, f"{HOST}/v2{path}", json=json, headers=self.headers, **more)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET; None for 204."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code in {200, 204}, answer.text
        return answer.json(parse_float=Decimal) if answer.content else None

    def refused(self, method: str, path: str, json: Any = None, **more: Any) -> tuple[int, str]:
        """Status and detail (or gateway message) of a refusal."""
        answer = self.call(method, path, json, **more)
        body = answer.json()
        return answer.status_code, body.get("detail", body.get("message"))

    def order(self, **header: Any) -> dict[str, Any]:
        """A draft: two nights in a cabin for customer 10000, unless said otherwise."""
        lines = [{"ProductCode": "HYTTE", "Quantity": 2}]
        answer = self.call("POST", "/SalesOrders/Complete", {"CustomerNo": 10000, "SalesOrderLines": lines, **header})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json(parse_float=Decimal)
        return body

    def control(self, method: str, path: str, json: Any = None) -> Any:
        return self.session.request(method, f"{HOST}/_control/{path}", json=json).json()

    def switch(self, **switches: Any) -> None:
        answer = self.session.put(f"{HOST}/_control/switches", json=switches)
        assert answer.status_code == 200, answer.text

    def act(self, act: str, **body: Any) -> dict[str, Any]:
        answer = self.session.post(f"{HOST}/_control/acts/{act}", json={"company": self.client_key, **body})
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def refused_act(self, act: str, **body: Any) -> str:
        """Why the accountant cannot do it."""
        answer = self.session.post(f"{HOST}/_control/acts/{act}", json={"company": self.client_key, **body})
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    def books(self) -> Any:
        return self.control("GET", f"books?company={self.client_key}")

    def invoice(self, **header: Any) -> Any:
        """A draft, sent by the accountant: 2000 net, 2240 with 12 % VAT."""
        pk = self.order(**header)["Id"]
        self.act("send", order_ids=[pk])
        return self.get(f"/OutgoingInvoices/{pk}")


@pytest.fixture
def go(db: None) -> Caller:
    """The demo companies, without a rate limit, and an integration signed in to the first."""
    caller = Caller()
    caller.control("POST", "reset", {"seed_demo": True})
    caller.switch(rate_limit_per_second=0)
    return caller.sign_in()
