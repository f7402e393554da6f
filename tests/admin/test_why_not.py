"""The page that answers why an invoice is not in PowerOffice Go."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integration.enums import StatementStatus as S
from integration.models import GoCompany, ProductInGo
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = reverse("why_not")


def found(client: Client, words: str) -> dict[str, list[tuple[bool, str]]]:
    response = client.get(PAGE, {"q": words})
    assert response.status_code == 200
    return {
        each["number"]: [(answer.ok, answer.words) for answer in each["answers"]] for each in response.context["found"]
    }


def test_each_line_is_in_order_or_says_what_is_not(finance: Client, home: GoCompany) -> None:
    known, unknown = factories.product(home, code="BANE"), factories.product(home, code="HALL")
    ProductInGo.objects.create(company=home, go_product_id=7, code="BANE", name="Bane")
    customer = factories.customer(home, name="Fjell AS", number=10001)
    factories.statement(
        home, source_id="KURS-1", status=S.UPCOMING, customer=customer, lines=[{"product": known}, {"product": unknown}]
    )
    (answers,) = found(finance, "kurs-1").values()
    assert (False, "Not in PowerOffice Go: HALL.") in answers
    assert any(ok and words.startswith("Customer 10001 Fjell AS is not in PowerOffice Go yet") for ok, words in answers)


def test_a_product_that_is_made_on_the_way_is_no_obstacle(finance: Client, home: GoCompany) -> None:
    GoCompany.objects.filter(pk=home.pk).update(create_missing_products=True)
    with_account = factories.product(home, code="BANE", sales_account=3000)
    without = factories.product(home, code="HALL", sales_account=None)
    factories.statement(home, source_id="KURS-1", status=S.UPCOMING, lines=[{"product": with_account}])
    factories.statement(home, source_id="KURS-2", status=S.UPCOMING, lines=[{"product": without}])
    assert [words for _, words in found(finance, "kurs-1")["KURS-1"] if "HALL" in words or "BANE" in words] == []
    assert (False, "Not in PowerOffice Go: HALL.") in found(finance, "kurs-2")["KURS-2"]


def test_the_place_in_the_queue_is_told_in_as_many_queries_for_five(finance: Client, home: GoCompany) -> None:
    def queries(words: str, before: list[int]) -> int:
        with CaptureQueriesContext(connection) as caught:
            told = found(finance, words)
        queue = [f"{many} that were made before it wait too." if many else "No older one waits." for many in before]
        answers = [next(words for _, words in told[name] if "wait" in words) for name in sorted(told)]
        assert [answer.startswith(words) for answer, words in zip(answers, queue, strict=True)] == [True] * len(before)
        return len(caught)

    product = factories.product(home, code="BANE")
    for number in range(5):
        factories.statement(home, source_id=f"WAITS-{number}", status=S.PROCESSING, lines=[{"product": product}])
    found(finance, "waits")
    assert queries("waits-3", [3]) == queries("waits", [0, 1, 2, 3, 4])


def test_what_is_in_go_says_so_and_nothing_of_others_is_found(finance: Client, home: GoCompany) -> None:
    factories.statement(home, source_id="IN-GO-1", status=S.DRAFT, go_says="Draft no. 12")
    factories.statement(factories.go_company(name="Others AS"), source_id="IN-GO-2", status=S.UPCOMING)
    page = finance.get(PAGE, {"q": "in-go"}).content.decode()
    assert "It is in PowerOffice Go. Draft no. 12" in page
    assert "IN-GO-2" not in page
    assert found(finance, "in-go-2") == {}
    assert "No statement of your companies has these words" in finance.get(PAGE, {"q": "in-go-2"}).content.decode()


def test_more_than_ten_asks_to_say_more(finance: Client, home: GoCompany) -> None:
    for number in range(12):
        factories.statement(home, source_id=f"MANY-{number}", status=S.UPCOMING)
    response = finance.get(PAGE, {"q": "many"})
    assert len(response.context["found"]) == 10
    assert "The newest 10 are shown." in response.content.decode()


def test_only_for_those_who_may_see_statements(client: Client) -> None:
    client.force_login(factories.person())
    assert client.get(PAGE).status_code == 403
