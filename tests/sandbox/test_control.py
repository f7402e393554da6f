"""The control surface: the accountant's acts, the operator's calls, and the truth in `books` (reference §18.6)."""

from typing import Any

import pytest

from tests.sandbox.conftest import HOST, Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def three(go: Caller) -> list[dict[str, Any]]:
    """Three drafts of one customer, with references on header and line."""
    return [
        go.order(
            ExternalImportReference=f"st-{number}",
            SalesOrderLines=[{"ProductCode": "KURS", "Quantity": number, "ExternalImportReference": f"st-{number}/1"}],
        )
        for number in (1, 2, 3)
    ]


def alive(go: Caller) -> list[dict[str, Any]]:
    return [order for order in go.books()["orders"] if order["state"] == "open"]


@pytest.mark.parametrize(
    ("survivor", "lines", "header", "number", "reference", "line_references"),
    [
        ("first", "kept", "kept", 2, "st-2", ["st-2/1", "st-1/1", "st-3/1"]),
        ("first", "lost", "kept", 2, "st-2", [None, None, None]),
        ("first", "kept", "lost", 2, None, ["st-2/1", "st-1/1", "st-3/1"]),
        ("new", "kept", "kept", 4, "st-2", ["st-2/1", "st-1/1", "st-3/1"]),
        ("new", "lost", "lost", 4, None, [None, None, None]),
        ("id", "kept", "kept", 3, "st-3", ["st-3/1", "st-2/1", "st-1/1"]),
    ],
)
def test_combine(
    go: Caller, survivor: str, lines: str, header: str, number: int, reference: str | None, line_references: list[Any]
) -> None:
    one, two, three_ = (order["Id"] for order in three(go))
    word = three_ if survivor == "id" else survivor
    go.act("combine", order_ids=[two, one, three_], survivor=word, line_references=lines, header_references=header)
    [left] = alive(go)
    assert (left["number"], left["reference"], left["total"]) == (number, reference, "4800.00")
    assert [line["reference"] for line in left["lines"]] == line_references
    gone = [order["combined_into"] for order in go.books()["orders"] if order["state"] == "combined"]
    assert gone == [left["id"]] * (3 if survivor == "new" else 2)


def test_split(go: Caller) -> None:
    lines = [{"ProductCode": "KURS", "Quantity": n, "ExternalImportReference": f"a/{n}"} for n in (1, 2)]
    order = go.order(ExternalImportReference="a", SalesOrderLines=lines)
    go.act("split", order_id=order["Id"], line_ids=[order["SalesOrderLines"][1]["Id"]])
    seen = [(each["reference"], each["total"], [line["reference"] for line in each["lines"]]) for each in alive(go)]
    assert seen == [("a", "800.00", ["a/1"]), (None, "1600.00", ["a/2"])]


def test_edits_move_last_changed(go: Caller) -> None:
    order = go.order()
    stamps = [order["LastChangedDateTimeOffset"]]
    for act, body in (
        ("edit_line", {"quantity": "3,5"}),
        ("add_line", {"product_code": "KURS", "quantity": 1}),
        ("add_line", {"description": "Takk"}),
        ("edit_header", {"CustomerReference": "Ola"}),
        ("confirm", {}),
        ("unlock", {}),
        ("delete_line", {}),
    ):
        go.act(act, order_id=order["Id"], **body)
        stamps.append(go.get(f"/SalesOrders/{order['Id']}")["LastChangedDateTimeOffset"])
    assert sorted(set(stamps)) == stamps
    [left] = alive(go)
    assert ([line["product_code"] for line in left["lines"]], left["header"]["CustomerReference"]) == (
        ["KURS", None],
        "Ola",
    )


def test_delete_and_books(go: Caller) -> None:
    order = go.order(ExternalImportReference="a", SalesOrderStatus="Confirmed")
    go.act("delete", order_ids=[order["Id"]])
    books = go.books()
    assert sorted(books) == ["company", "customers", "invoices", "ledger", "orders", "products"]
    [gone] = books["orders"]
    assert (gone["state"], gone["deleted"], gone["reference"]) == ("deleted", True, "a")
    assert [each["code"] for each in books["customers"]] == ["10000", "10001", "10002", "10003", "10004"]


def test_random_accountant_repeats(go: Caller) -> None:
    def play() -> tuple[Any, list[str]]:
        go.control("POST", "reset", {"seed_demo": True})
        go.switch(rate_limit_per_second=0)
        go.sign_in()
        for number in range(20):
            go.order(CustomerNo=10000 + number % 2, ExternalImportReference=f"r{number}")
        shares = {
            "send_share": "0.4",
            "delete_share": "0.2",
            "edit_share": "0.2",
            "combine_share": "0.2",
            "pay_share": 1,
        }
        said = [go.act("random", seed=5, **shares)["sentence"] for _ in range(2)]
        return said, [order["state"] for order in go.books()["orders"]]

    first = play()
    assert first == play()
    assert {"sent", "deleted", "combined"} <= set(first[1])


WRONG = [
    ("POST", "acts/nonsense", {}, "There is no act 'nonsense'."),
    ("POST", "acts/send", {"company": "x"}, "There is no company 'x'"),
    ("POST", "acts/send", {}, "order_ids must be the id of an order or invoice in Go."),
    ("POST", "acts/pay", {"invoice_id": "00000000-0000-4000-8000-000000000000"}, "There is no invoice with id"),
    ("POST", "acts/unmatched_payment", {"customer_no": 10000, "amount": "ti"}, "amount must be a number"),
    ("POST", "acts/unmatched_payment", {"customer_no": 1, "amount": 1}, "There is no customer number 1."),
    ("POST", "acts/set_lock_date", {"date": "soon"}, "date must be a date such as 2026-03-31."),
    ("POST", "acts/set_privileges", {"privileges": "all"}, "privileges must be a list of names."),
    ("POST", "acts/random", {"send_share": 2}, "send_share lies between 0 and 1."),
    ("PUT", "switches", {"nonsense": 1}, "There is no switch 'nonsense'. Switches: application_keys,"),
    ("PUT", "switches", {"retry_after": "perhaps"}, "retry_after is true or false"),
    ("PUT", "switches", {"confirmed_lock": "500"}, "confirmed_lock is one of 409, 400, off"),
    ("PUT", "switches", {"rate_limit_per_second": -1}, "rate_limit_per_second is a whole number from 0"),
    ("POST", "faults", {"kind": "flood"}, "A fault is one of drop_before_commit"),
    ("POST", "faults", {"random": True, "kinds": ["slow"], "rate": 2}, "Counts and seconds are not negative"),
    ("POST", "companies", {"name": "X", "client_key": "y"}, "client_key must be a uuid."),
    ("GET", "nonsense", None, "There is no GET /_control/nonsense."),
    ("POST", "reset", [], "The body must be a JSON object."),
]


@pytest.mark.parametrize(("method", "path", "body", "text"), WRONG)
def test_anything_wrong_is_one_clear_sentence(go: Caller, method: str, path: str, body: Any, text: str) -> None:
    if isinstance(body, dict) and path.startswith("acts/"):
        body = {"company": go.client_key, **body}
    answer = go.session.request(method, f"{HOST}/_control/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(text)


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("send", {"order_ids": "sent"}),
        ("delete", {"order_ids": "sent"}),
        ("combine", {"order_ids": ["draft", "other"]}),
        ("combine", {"order_ids": ["draft"]}),
        ("split", {"order_id": "draft", "line_ids": []}),
        ("edit_header", {"order_id": "draft", "Nonsense": 1}),
        ("pay", {"invoice_id": "sent", "amount": "-5"}),
        ("credit", {"invoice_id": "sent", "amount": "99999"}),
        ("undo_payment", {"invoice_id": "sent"}),
    ],
)
def test_refused_acts_change_nothing(go: Caller, act: str, body: dict[str, Any]) -> None:
    ids = {"draft": go.order()["Id"], "other": go.order(CustomerNo=10001)["Id"], "sent": go.invoice()["Id"]}
    filled = {
        name: [ids.get(each, each) for each in value] if isinstance(value, list) else ids.get(value, value)
        for name, value in body.items()
    }
    before = go.books()
    answer = go.session.post(f"{HOST}/_control/acts/{act}", json={"company": go.client_key, **filled})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert go.books() == before


def test_companies_faults_and_clock(go: Caller) -> None:
    key = "55555555-2222-4222-8222-222222222201"
    made = go.control("POST", "companies", {"name": "Tredje AS", "client_key": key, "seed": False})
    assert [company["name"] for company in go.control("GET", "companies")][-1] == "Tredje AS"
    assert Caller(key).sign_in().get("/Customers") is None
    assert go.control("GET", f"books?company={made['id']}")["orders"] == []
    go.control("POST", "faults", {"kind": "slow"})
    plan = go.control("POST", "faults", {"kind": "html_after_commit"})
    go.control("DELETE", f"faults?id={plan['id']}")
    assert [each["kind"] for each in go.control("GET", "faults")] == ["slow"]
    go.control("DELETE", "faults")
    assert go.control("GET", "faults") == []
    go.act("set_date", date="2030-05-17")
    assert go.control("GET", "clock")["today"] == "2030-05-17"


def test_switches_come_back_with_their_defaults(go: Caller) -> None:
    go.switch(confirmed_lock="off", replica_delay_seconds="1.5")
    go.control("POST", "reset")
    switches = go.control("GET", "switches")
    assert (switches["confirmed_lock"], switches["replica_delay_seconds"], switches["rate_limit_per_second"]) == (
        "409",
        0,
        10,
    )
    assert go.control("GET", "companies") == []
