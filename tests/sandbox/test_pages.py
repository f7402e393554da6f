"""The pages: every list and button a person has."""

import re

import pytest

from tests.sandbox.conftest import HOST, Caller

pytestmark = pytest.mark.django_db(databases=["default", "sandbox"])


def number_of(go: Caller) -> int:
    found = [company["id"] for company in go.control("GET", "companies")]
    return int(found[0])


def text_of(go: Caller, path: str) -> str:
    answer = go.session.get(HOST + path)
    assert answer.status_code == 200, path
    assert "SANDBOX – plays PowerOffice Go; nothing here is real" in answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_pages_show_amounts_the_norwegian_way(go: Caller) -> None:
    draft, invoice = go.order(ExternalImportReference="st-1"), go.invoice()
    go.act("pay", invoice_id=invoice["Id"], amount="1000.50")
    base = f"/c/{number_of(go)}"
    assert "Fjordgløtt Camping AS" in text_of(go, "/")
    for path, amount in (
        (f"{base}/drafts", "2 240,00"),
        (f"{base}/sent", "2 240,00"),
        (f"{base}/unpaid", "1 239,50"),
        (f"{base}/orders/{draft['Id']}", "1 000,00"),
        (f"{base}/orders/{invoice['Id']}", "2 240,00"),
        (f"{base}/invoices/{invoice['Id']}", "-1 000,50"),
    ):
        assert re.search(f'<td class="n( wideonly)?">{amount}</td>', text_of(go, path)), path
    assert "Nothing here" in text_of(go, f"{base}/paid")
    assert "st-1" in text_of(go, f"{base}/drafts?q=st-1")
    assert "No drafts match" in text_of(go, f"{base}/drafts?q=99")
    for path in ("/settings", f"{base}/settings", "/faults", "/requests"):
        text_of(go, path)


def test_buttons_act_and_say_what_happened(go: Caller) -> None:
    first, second = go.order()["Id"], go.order()["Id"]
    base = f"/c/{number_of(go)}"
    for path, form, said in (
        (f"{base}/do/confirm", {"order_ids": [first]}, "Locked order 1."),
        (f"{base}/do/send", {"order_ids": [first, second]}, "Sent as invoice 10000"),
        (f"{base}/do/pay", {"invoice_id": first, "amount": "1 000,50"}, "1 000,50 paid on invoice 10000"),
        (f"{base}/do/pay", {"invoice_id": first, "amount": "ti"}, "Not done: amount must be a number"),
        (f"{base}/do/set_subscriptions", {"subscriptions": ["", "Accounting"]}, "subscribes to Accounting."),
        (f"{base}/do/set_send_grant", {"allow": "true"}, "may send invoices"),
        (
            "/switches",
            {"confirmed_lock": "off", "retry_after": "false"},
            "Changed: retry_after is false; confirmed_lock is off.",
        ),
        ("/faults", {"kind": "slow", "path": "*"}, "waits for its requests."),
        ("/faults", {"remove": "all"}, "1 fault plans taken away."),
        ("/requests", {}, "The counters start again."),
        ("/reset", {}, "The demo companies are as new."),
    ):
        answer = go.session.post(HOST + path, data={**form, "next": "/settings"})
        assert (answer.status_code, answer.url.partition("?")[0]) == (200, f"{HOST}/settings"), path
        assert said in answer.text.replace("\u00a0", " "), path


def test_pages_that_are_not_there(go: Caller) -> None:
    assert go.session.get(f"{HOST}/c/999999/drafts").status_code == 404
    assert go.session.get(f"{HOST}/nowhere").status_code == 404
    assert go.session.post(f"{HOST}/").status_code == 404
    answer = go.session.post(f"{HOST}/requests", data={"next": "//evil.example.com"}, allow_redirects=False)
    assert answer.headers["Location"].startswith("/requests?")


def test_order_is_found_by_its_id_alone_and_leads_to_its_invoice(go: Caller) -> None:
    draft, invoice, base = go.order(), go.invoice(), f"/c/{number_of(go)}"
    for key, address in (
        (draft["Id"], f"{base}/orders/{draft['Id']}"),
        (invoice["Id"], f"{base}/invoices/{invoice['Id']}"),
    ):
        answer = go.session.get(f"{HOST}/orders/{key}", allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, address)
    unknown = go.session.get(f"{HOST}/orders/11111111-1111-4111-8111-111111111111")
    assert (unknown.status_code, "There is no such order." in unknown.text) == (404, True)


def test_invoice_page_offers_what_fits_and_does_it(go: Caller) -> None:
    paid, open_, other = (go.invoice()["Id"] for _ in range(3))
    go.act("pay", invoice_id=paid)
    [note] = go.act("credit", invoice_id=paid)["invoice_ids"]
    base = f"/c/{number_of(go)}"
    shown = text_of(go, f"{base}/invoices/{open_}")
    assert [name in shown for name in ("do/net", "do/pay_together", "do/remind")] == [True, True, True]
    assert "do/net" not in text_of(go, f"{base}/invoices/{note}")
    assert "do/pay_together" not in text_of(go, f"{base}/invoices/{paid}")
    for act, form, said in (
        ("remind", {"invoice_id": open_, "kind": "OutgoingPaymentDemand", "fee": "90"}, "with a fee of 90,00"),
        ("net", {"invoice_id": open_, "credit_note_id": note}, "Netted 2 240,00 of invoice 10001"),
        ("pay_together", {"invoice_ids": [other, open_], "amount": "5"}, "5,00 paid on invoices 10002, 10001"),
    ):
        answer = go.session.post(f"{HOST}{base}/do/{act}", data={**form, "next": f"{base}/invoices/{open_}"})
        assert said in answer.text.replace("\u00a0", " "), act
