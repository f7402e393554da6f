"""The three roles of design §6: groups with the permissions they need, and no more.

Permissions are normally made after all migrations; on an empty database they have to be made here first.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW = [
    "view_adminaction",
    "view_contactperson",
    "view_customer",
    "view_gocompany",
    "view_invoicestatement",
    "view_ledgerentry",
    "view_outgoinginvoice",
    "view_paymentmethod",
    "view_product",
    "view_statementline",
    "view_statementmove",
    "view_syncattempt",
    "view_syncrun",
]
"""What everybody who works here reads."""

REPAIR = ["push_statement", "pull_statement", "test_connection"]
"""Getting stuck things moving again, without deciding about money."""

MONEY = [
    "withdraw_statement",
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
    "import_customer",
    "import_invoicestatement",
    "import_product",
    "export_customer",
    "export_invoicestatement",
    "export_outgoinginvoice",
    "export_product",
]
"""Amounts, who is invoiced and for what."""

ROLES = {"Finance": VIEW + REPAIR + MONEY, "Support": VIEW + REPAIR, "Reader": VIEW}


def make_roles(apps, schema_editor):
    using = schema_editor.connection.alias
    app = apps.get_app_config("integration")
    app.models_module = True  # the migration's picture of the app has none, and create_permissions insists
    create_permissions(app, verbosity=0, using=using, apps=apps)
    app.models_module = None
    permissions = {
        permission.codename: permission
        for permission in apps.get_model("auth", "Permission")
        .objects.using(using)
        .filter(content_type__app_label="integration")
    }
    for name, codenames in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=name)
        group.permissions.set([permissions[codename] for codename in codenames])


def remove_roles(apps, schema_editor):
    using = schema_editor.connection.alias
    apps.get_model("auth", "Group").objects.using(using).filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("integration", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, remove_roles)]
