"""Which customer in Go is this one?"""

from dataclasses import replace

import pytest

from integration.decisions.matching import CustomerFacts, match_customer
from integration.terms import RemoteCustomer

OURS = CustomerFacts(
    reference="FB-C-1", name="Fjell AS", number=10042, organisation_number="923609016", email="faktura@fjell.example"
)
NOBODY = RemoteCustomer(id=1, number=1, name="Somebody else")


@pytest.mark.parametrize(
    ("facts", "there", "by"),
    [
        (replace(OURS, go_customer_id=9), RemoteCustomer(9, 555, "Renumbered"), "id"),
        (OURS, RemoteCustomer(9, 555, "Fjell", reference="fb-c-1"), "reference"),
        (OURS, RemoteCustomer(9, 555, "Fjell", organisation_number="923 609 016"), "organisation number"),
        (OURS, RemoteCustomer(9, 10042, "Fjell"), "customer number"),
        (replace(OURS, number=None), RemoteCustomer(9, 7, "Fjell", email="Faktura@fjell.example"), "e-mail"),
        (replace(OURS, number=None), RemoteCustomer(9, 7, "F", invoice_email="faktura@fjell.example"), "e-mail"),
    ],
)
def test_match_by_each_sign(facts, there, by):
    match = match_customer(facts, [NOBODY, there])
    assert (match.found, match.by, match.problem) == (there, by, "")


def test_stronger_signs_win():
    by_number = RemoteCustomer(8, 10042, "By number")
    by_organisation = RemoteCustomer(9, 1, "By organisation", organisation_number="923609016")
    assert match_customer(OURS, [by_number, by_organisation]).found == by_organisation


def test_no_match_is_no_problem():
    match = match_customer(OURS, [NOBODY, RemoteCustomer(3, 10042, "Archived", is_archived=True)])
    assert (match.found, match.problem) == (None, "")


def test_empty_values_never_match():
    bare = CustomerFacts(reference="r", name="Kari")
    assert match_customer(bare, [RemoteCustomer(3, None, "Nobody")]).found is None


def test_two_that_fit_go_to_a_person():
    twins = [RemoteCustomer(n, n, "Twin", organisation_number="923609016") for n in (3, 4)]
    match = match_customer(OURS, twins)
    assert match.found is None
    assert match.problem == (
        "2 customers in PowerOffice Go have the same organisation number as Fjell AS: 3, 4. "
        "Give our customer the right customer number, or merge them in Go."
    )


def test_a_number_that_belongs_to_another_organisation_goes_to_a_person():
    match = match_customer(OURS, [RemoteCustomer(9, 10042, "Other AS", organisation_number="974760673")])
    assert match.found is None
    assert "organisation number 974760673 instead of 923609016" in match.problem


def test_an_email_of_a_customer_with_another_number_goes_to_a_person():
    match = match_customer(replace(OURS, organisation_number=""), [RemoteCustomer(9, 7, "F", email=OURS.email)])
    assert match.found is None
    assert "has number 10042 here" in match.problem


def test_a_number_that_another_name_has_in_go_goes_to_a_person():
    match = match_customer(replace(OURS, organisation_number=""), [RemoteCustomer(9, 10042, "Kari Nordmann")])
    assert match.found is None
    assert "is called Kari Nordmann, here Fjell AS" in match.problem


def test_a_shared_email_with_another_name_goes_to_a_person():
    ours = CustomerFacts(reference="r", name="Ola Hansen", email="familien@hansen.example")
    match = match_customer(ours, [RemoteCustomer(9, 7, "Kari Hansen", email="familien@hansen.example")])
    assert match.found is None
    assert "but is called Kari Hansen" in match.problem
