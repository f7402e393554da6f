"""The second factor and the pages that say what went wrong, in a browser that runs nothing but our own scripts."""

import time
from base64 import b32decode
from http import HTTPStatus
from typing import Any

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

from integration.admin.product import ProductAdmin
from integration.models import GoCompany
from tests import factories
from tests.browser.conftest import Visitor, on_two_screens


@on_two_screens
def test_second_factor_from_the_first_log_in_to_a_recovery_code(
    visitor: Visitor, go_company: GoCompany, settings: Any
) -> None:
    settings.SECOND_FACTOR_ROLES = ["everybody"]
    kari = factories.person(role="Finance", companies=[go_company])
    page = visitor.page

    def give_password() -> None:
        page.goto(f"{visitor.address}/admin/")
        page.fill("#id_username", kari.email)
        page.fill("#id_password", factories.PASSWORD)
        page.click("button[type=submit]")

    # The first log-in leads to the picture; nothing else opens.
    give_password()
    expect(page.locator("svg.fb-qr")).to_be_visible()
    assert visitor.sticks_out() == 0
    page.goto(f"{visitor.address}/admin/integration/customer/")
    expect(page.locator("svg.fb-qr")).to_be_visible()

    # With the app's first code and the password it is in force.
    totp = TOTP(b32decode(page.locator("#key").inner_text().replace(" ", "")))
    totp.time = time.time()
    page.fill("#id_code", f"{totp.token():06d}")
    page.fill("#id_password", factories.PASSWORD)
    visitor.leave(page.get_by_role("button", name="Set up"))
    codes = page.locator("#recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    assert visitor.sticks_out() == 0
    visitor.leave(page.get_by_role("link", name="I have kept them"))
    expect(page.get_by_role("heading", name="Customers").first).to_be_visible()
    visitor.open("/admin/my-log-in/")
    expect(page.get_by_text("10 recovery codes left")).to_be_visible()
    assert visitor.sticks_out() == 0

    # The next log-in asks for a code; a recovery code will do.
    page.context.clear_cookies()
    give_password()
    page.fill("#id_code", "000000")
    visitor.leave(page.get_by_role("button", name="Go on"))
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    assert visitor.sticks_out() == 0
    page.fill("#id_code", codes[0])
    visitor.leave(page.get_by_role("button", name="Go on"))
    expect(page.get_by_text("That recovery code is used up; 9 are left.")).to_be_visible()


@on_two_screens
def test_pages_that_say_what_went_wrong(
    visitor: Visitor, go_company: GoCompany, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("our own fault")

    monkeypatch.setattr(ProductAdmin, "get_queryset", broken)
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 20
    kari = factories.person(role="Reader", companies=[go_company])
    page = visitor.page
    visitor.log_in(kari)
    for path, status, words in (
        ("/admin/nowhere/", 404, "There is no such page"),
        ("/admin/integration/customer/add/", 403, "You may not do this"),
        (f"/admin/integration/customer/?{'q&' * 21}", 400, "This request could not be read"),
        ("/admin/integration/product/", 500, "Something broke here"),
    ):
        answer = page.goto(f"{visitor.address}{path}")
        assert answer is not None
        assert answer.status == status
        assert "default-src 'none'" in answer.headers["content-security-policy"].split("; ")
        expect(page.get_by_role("heading", name=words)).to_be_visible()
        assert visitor.sticks_out() == 0
    page.context.clear_cookies()
    page.goto(f"{visitor.address}/admin/")
    for number in range(5):
        page.fill("#id_username", kari.email)
        page.fill("#id_password", f"wrong {number}")
        page.click("button[type=submit]")
    expect(page.get_by_role("heading", name="This log-in is locked for a while")).to_be_visible()
    assert visitor.sticks_out() == 0
    # Chromium says of each such answer what its status was; anything else is a complaint.
    statuses = tuple(f"{code.value} ({code.phrase})" for code in HTTPStatus if code >= HTTPStatus.BAD_REQUEST)
    visitor.complaints[:] = [each for each in visitor.complaints if not each.endswith(statuses)]
