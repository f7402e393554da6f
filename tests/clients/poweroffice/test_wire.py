"""Go's spelling: every word we send and read, and what is tolerated."""

from datetime import date
from decimal import Decimal

import pytest

from integration.clients.poweroffice import wire
from integration.terms import (
    Accrual,
    Address,
    ContactPersonDraft,
    CustomerDraft,
    ProductDraft,
    RemoteInvoice,
    SalesOrder,
    SalesOrderDraft,
    SalesOrderLineDraft,
)


def test_money_is_never_guessed():
    with pytest.raises(ValueError, match="TotalAmount is missing"):
        wire.order({"Id": "5b0e0000-0000-4000-8000-000000000001", "NetAmount": 1})


def test_order_whose_lines_are_no_list():
    with pytest.raises(TypeError, match="SalesOrderLines is not a list"):
        wire.order({"Id": "x", "SalesOrderLines": {"Id": 1}})


def test_order_with_the_least_that_can_be_said():
    assert wire.order(
        {"Id": "5B0E0000-0000-4000-8000-000000000001", "NetAmount": 1, "TotalAmount": Decimal("1.25")}
    ) == SalesOrder(
        id="5b0e0000-0000-4000-8000-000000000001",
        number=None,
        locked=False,
        reference="",
        customer_number=None,
        customer_id=None,
        net=Decimal(1),
        total=Decimal("1.25"),
        line_count=0,
        currency="",
        last_changed_at=None,
    )


@pytest.mark.parametrize(("balance", "read"), [(Decimal("10.5"), "10.5"), (0, "0"), (None, "1250")])
def test_invoice_without_balance_counts_as_open(balance, read):
    row = {
        "Id": "5b0e0000-0000-4000-8000-000000000001",
        "VoucherType": "OutgoingCreditNote",
        "NetAmount": 1000,
        "TotalAmount": 1250,
        "TotalPostedAmount": 1250,
        "Balance": balance,
    }
    assert wire.invoice(row) == RemoteInvoice(
        id="5b0e0000-0000-4000-8000-000000000001",
        number=None,
        is_credit_note=True,
        voucher_number=None,
        kid="",
        invoice_date=None,
        due_date=None,
        currency="",
        net=Decimal(1000),
        total=Decimal(1250),
        total_posted=Decimal(1250),
        balance=Decimal(read),
        balance_changed_at=None,
        match_id=None,
        sent_at=None,
        delivery="",
        order_number=None,
        related_invoice_number=None,
        reference="",
        customer_number=None,
        customer_id=None,
        is_reversed=False,
    )


def test_order_body_in_full():
    draft = SalesOrderDraft(
        reference="st-1",
        customer_id=7,
        currency="NOK",
        order_date=date(2026, 3, 2),
        delivery_date=date(2026, 3, 1),
        locked=True,
        payment_days=0,
        customer_reference="Kari",
        purchase_order_reference="PO",
        contract_number="C",
        department_code="20",
        project_code="P",
        order_number=417,
        related_invoice_number=10001,
        lines=(
            SalesOrderLineDraft(description="Booking", sort_order=0),
            SalesOrderLineDraft(
                description="Hytte",
                sort_order=1,
                reference="st-1/1",
                product_id=30,
                quantity=Decimal(-2),
                unit_price=Decimal("0.00"),
                department_code="21",
                project_code="Q",
                accrual=Accrual(date(2026, 1, 1), date(2026, 12, 31)),
            ),
        ),
    )
    assert wire.order_body(draft) == {
        "CustomerId": 7,
        "SalesOrderStatus": "Confirmed",
        "SalesOrderDate": "2026-03-02",
        "DeliveryDate": "2026-03-01",
        "PaymentTerm": 0,
        "CurrencyCode": "NOK",
        "DepartmentCode": "20",
        "ProjectCode": "P",
        "CustomerReference": "Kari",
        "PurchaseOrderReference": "PO",
        "ContractNo": "C",
        "ExternalImportReference": "st-1",
        "ImportedOrderNo": 417,
        "RelatedInvoiceNo": 10001,
        "SalesOrderLines": [
            {"LineType": "Text", "SortOrder": 0, "Description": "Booking"},
            {
                "LineType": "Normal",
                "SortOrder": 1,
                "Description": "Hytte",
                "ExternalImportReference": "st-1/1",
                "ProductId": 30,
                "Quantity": Decimal(-2),
                "ProductUnitPrice": Decimal("0.00"),
                "Allowance": Decimal(0),
                "DepartmentCode": "21",
                "ProjectCode": "Q",
                "Accrual": {"FromDate": "2026-01-01", "ToDate": "2026-12-31", "IsActive": True},
            },
        ],
    }


def test_order_body_leaves_out_what_is_not_said():
    draft = SalesOrderDraft(reference="st-1", customer_id=7, currency="NOK", order_date=date(2026, 3, 2), lines=())
    assert wire.order_body(draft) == {
        "CustomerId": 7,
        "SalesOrderStatus": "Draft",
        "SalesOrderDate": "2026-03-02",
        "CurrencyCode": "NOK",
        "ExternalImportReference": "st-1",
        "SalesOrderLines": [],
    }


def test_customer_body_of_a_company():
    draft = CustomerDraft(
        reference="c-1",
        name="Fjell AS",
        first_name="not",
        last_name="sent",
        number=10042,
        organisation_number="912401111",
        email="a@fjell.no",
        invoice_email="faktura@fjell.no",
        phone="+47 1",
        address=Address("Veien 1", "", "0150", "Oslo"),
        delivery="EHF",
        payment_days=14,
        send_reminders=False,
    )
    assert wire.customer_body(draft) == {
        "IsPerson": False,
        "Name": "Fjell AS",
        "OrganizationNumber": "912401111",
        "Number": 10042,
        "ExternalImportReference": "c-1",
        "EmailAddress": "a@fjell.no",
        "InvoiceEmailAddress": "faktura@fjell.no",
        "PhoneNumber": "+47 1",
        "MailAddress": {"AddressLine1": "Veien 1", "ZipCode": "0150", "City": "Oslo", "CountryCode": "NO"},
        "InvoiceDeliveryType": "EHF",
        "SendPaymentReminders": False,
        "TransferToDebtCollectionAgency": True,
        "PaymentTerm": 14,
    }
    assert "PaymentTerm" not in wire.customer_members(draft)


@pytest.mark.parametrize(
    ("delivery", "sent"), [("DEFAULT", None), ("EMAIL", "PdfByEmail"), ("EHF", "EHF"), ("PRINT", "Print")]
)
def test_customer_body_of_a_person(delivery, sent):
    draft = CustomerDraft(
        reference="c-1",
        name="Kari Nordmann",
        is_person=True,
        first_name="Kari",
        last_name="Nordmann",
        organisation_number="912401111",
        delivery=delivery,
        address=Address("Veien 1", zip_code="0150"),
    )
    body = wire.customer_body(draft)
    assert body.pop("InvoiceDeliveryType", None) == sent
    assert body == {
        "IsPerson": True,
        "FirstName": "Kari",
        "LastName": "Nordmann",
        "ExternalImportReference": "c-1",
        "SendPaymentReminders": True,
        "TransferToDebtCollectionAgency": True,
    }


@pytest.mark.parametrize(
    ("first_name", "last_name", "sent"),
    [
        ("", "", ("José García", "Lunde")),
        ("José", "García Lunde", ("José", "García Lunde")),
        ("", "Lunde", (None, "Lunde")),
    ],
)
def test_a_person_known_by_the_whole_name_is_made_with_two(first_name, last_name, sent):
    draft = CustomerDraft("c-1", "José García Lunde", is_person=True, first_name=first_name, last_name=last_name)
    body = wire.customer_body(draft)
    assert (body.get("FirstName"), body.get("LastName")) == sent


def test_product_and_contact_person():
    draft = ProductDraft("P", "Name", price=Decimal(0), cost=Decimal(1), gtin="7", group_code="G", sales_account_id=12)
    members = {
        "Code": "P",
        "Name": "Name",
        "UnitOfMeasureCode": "EA",
        "UnitPrice": Decimal(0),
        "UnitCost": Decimal(1),
        "Gtin": "7",
        "StandardSalesAccountId": 12,
    }
    assert wire.product_body(draft) == {**members, "ProductGroupCode": "G"}
    assert wire.product_members(draft) == members
    assert wire.contact_person_members(ContactPersonDraft("Kari", "Nordmann", phone="1", reference="k")) == {
        "FirstName": "Kari",
        "LastName": "Nordmann",
        "PhoneNumber": "1",
        "ExternalCode": "k",
        "IsDefault": False,
    }


def test_send_body():
    body = wire.send_body(delivery="Auto", email="a@b.no", voucher_date=date(2026, 3, 2), due_date=date(2026, 3, 16))
    assert body == {
        "DeliveryType": "Auto",
        "EmailAddress": "a@b.no",
        "VoucherDate": "2026-03-02",
        "OverrideDueDate": "2026-03-16",
    }
    assert wire.send_body(delivery="EHF", email="", voucher_date=None, due_date=None) == {"DeliveryType": "EHF"}


def test_customer_is_called_by_first_and_last_name_when_it_has_no_other():
    assert wire.customer({"Id": 1, "FirstName": "Kari", "LastName": "Nordmann"}).name == "Kari Nordmann"
    assert (
        wire.customer({"Id": 1, "Name": "Fjell AS", "FirstName": "x", "OrganizationNumber": "912 401 111"}).name
        == "Fjell AS"
    )


def test_client_information_reads_lists():
    row = {"ClientId": 1, "ClientName": "A", "ValidPrivileges": ["X"], "InvalidPrivileges": None}
    read = wire.client_information(row)
    assert (read.client_id, read.privileges, read.missing_privileges, read.may_send_invoices) == ("1", ("X",), (), None)
    with pytest.raises(TypeError):
        wire.client_information({"ClientName": "A", "ValidPrivileges": "X"})
