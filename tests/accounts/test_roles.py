"""The roles of design §6: the whole matrix."""

import pytest
from django.contrib.auth.models import Group, Permission

READER = {
    "view_adminaction",
    "view_contactperson",
    "view_customer",
    "view_gocompany",
    "view_handpayment",
    "view_invoicestatement",
    "view_ledgerentry",
    "view_outgoinginvoice",
    "view_paymentmethod",
    "view_product",
    "view_statementline",
    "view_statementmove",
    "view_subscription",
    "view_syncattempt",
    "view_syncrun",
}
SUPPORT = READER | {"push_statement", "pull_statement", "test_connection"}
FINANCE = SUPPORT | {
    "credit_statement",
    "pay_statement",
    "send_statement",
    "settle_statement",
    "withdraw_statement",
    "link_statement",
    "add_invoicestatement",
    "change_invoicestatement",
    "add_statementline",
    "change_statementline",
    "delete_statementline",
    "add_customer",
    "change_customer",
    "add_contactperson",
    "change_contactperson",
    "delete_contactperson",
    "add_paymentmethod",
    "change_paymentmethod",
    "delete_paymentmethod",
    "add_product",
    "change_product",
    "add_subscription",
    "change_subscription",
    "end_subscription",
    "import_customer",
    "import_invoicestatement",
    "import_product",
    "export_customer",
    "export_invoicestatement",
    "export_outgoinginvoice",
    "export_product",
}
NOBODY = {
    "add_adminaction",
    "change_adminaction",
    "delete_adminaction",
    "set_client_key",
    *(
        f"{act}_{model}"
        for model in (
            "gocompany",
            "ledgerentry",
            "outgoinginvoice",
            "statementmove",
            "syncattempt",
            "syncrun",
        )
        for act in ("add", "change", "delete")
    ),
    *(f"delete_{model}" for model in ("customer", "invoicestatement", "product", "subscription")),
    *(
        f"{act}_{model}"
        for model in (
            "accesstoken",
            "customeringo",
            "paceslot",
            "productingo",
            "spreadsheetupload",
            "synccursor",
            "uploadblock",
            "uploadname",
            "uploadportion",
        )
        for act in ("add", "change", "delete", "view")
    ),
}
"""For superusers alone: keys, companies, deleting, and what machines write."""


@pytest.mark.django_db
def test_each_role_has_exactly_its_permissions():
    found = {
        group.name: {
            f"{permission.content_type.app_label}.{permission.codename}"
            for permission in group.permissions.select_related("content_type")
        }
        for group in Group.objects.all()
    }

    assert found == {
        "Finance": {f"integration.{codename}" for codename in FINANCE},
        "Support": {f"integration.{codename}" for codename in SUPPORT},
        "Reader": {f"integration.{codename}" for codename in READER},
    }


@pytest.mark.django_db
def test_each_permission_was_decided_about():
    """A new model or permission fails here until somebody says whose it is."""
    found = set(Permission.objects.filter(content_type__app_label="integration").values_list("codename", flat=True))

    assert found == FINANCE | NOBODY
