"""Everybody who works here reads payments by hand; the bookkeepers make and approve them."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = {
    "Finance": ["pay_statement", "view_handpayment"],
    "Support": ["view_handpayment"],
    "Reader": ["view_handpayment"],
}


def give(apps, schema_editor):
    using = schema_editor.connection.alias
    app = apps.get_app_config("integration")
    app.models_module = True  # the migration's picture of the app has none, and create_permissions insists
    create_permissions(app, verbosity=0, using=using, apps=apps)
    app.models_module = None
    for group, permissions in granted(apps, using):
        group.permissions.add(*permissions)


def take(apps, schema_editor):
    for group, permissions in granted(apps, schema_editor.connection.alias):
        group.permissions.remove(*permissions)


def granted(apps, using):
    """The roles that are still there, each with the permissions that this is about."""
    ours = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label="integration")
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=GIVEN):
        yield group, ours.filter(codename__in=GIVEN[group.name])


class Migration(migrations.Migration):
    dependencies = [("integration", "0019_payments_by_hand")]

    operations = [migrations.RunPython(give, take)]
