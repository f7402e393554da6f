"""The three roles of design §6: groups with the permissions they need, and no more."""

from django.db import migrations

from integration.models.rights import GiveRights

VIEW = [
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
]
"""What everybody who works here reads."""

REPAIR = ["push_statement", "pull_statement", "test_connection"]
"""Getting stuck things moving again, without deciding about money."""

MONEY = [
    "withdraw_statement",
    "credit_statement",
    "settle_statement",
    "pay_statement",
    "send_statement",
    "link_statement",
    "add_invoicestatement",
    "change_invoicestatement",
    "add_statementline",
    "change_statementline",
    "delete_statementline",
    "add_subscription",
    "change_subscription",
    "end_subscription",
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
    "import_customer",
    "import_invoicestatement",
    "import_product",
    "export_customer",
    "export_invoicestatement",
    "export_outgoinginvoice",
    "export_product",
]
"""Amounts, who is invoiced and for what."""


class Migration(migrations.Migration):
    replaces = [
        ("integration", "0002_roles"),
        ("integration", "0013_subscription_roles"),
        ("integration", "0018_credit_role"),
        ("integration", "0020_who_pays_by_hand"),
        ("integration", "0022_who_settles"),
        ("integration", "0024_sending_role"),
        ("integration", "0027_link_role"),
    ]
    dependencies = [
        ("integration", "0002_search"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        GiveRights({"Finance": VIEW + REPAIR + MONEY, "Support": VIEW + REPAIR, "Reader": VIEW}, make=True),
    ]
