"""The bookkeepers settle failed payments and broken links."""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def give(apps, schema_editor):
    using = schema_editor.connection.alias
    app = apps.get_app_config("integration")
    app.models_module = True  # the migration's picture of the app has none, and create_permissions insists
    create_permissions(app, verbosity=0, using=using, apps=apps)
    app.models_module = None
    for group in finance(apps, using):
        group.permissions.add(permission(apps, using))


def take(apps, schema_editor):
    using = schema_editor.connection.alias
    for group in finance(apps, using):
        group.permissions.remove(permission(apps, using))


def finance(apps, using):
    return apps.get_model("auth", "Group").objects.using(using).filter(name="Finance")


def permission(apps, using):
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    return permissions.get(content_type__app_label="integration", codename="settle_statement")


class Migration(migrations.Migration):
    dependencies = [("integration", "0021_settling_failed_payments")]

    operations = [migrations.RunPython(give, take)]
