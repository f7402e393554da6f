"""Finance links statements with a combined invoice: from then on its payments are theirs."""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def permission(apps, schema_editor):
    using = schema_editor.connection.alias
    app = apps.get_app_config("integration")
    app.models_module = True  # the migration's picture of the app has none, and create_permissions insists
    create_permissions(app, verbosity=0, using=using, apps=apps)
    app.models_module = None
    return (
        apps.get_model("auth", "Permission")
        .objects.using(using)
        .filter(content_type__app_label="integration", codename="link_statement")
    )


def groups(apps, schema_editor):
    return apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).filter(name="Finance")


def give(apps, schema_editor):
    for group in groups(apps, schema_editor):
        group.permissions.add(*permission(apps, schema_editor))


def take(apps, schema_editor):
    for group in groups(apps, schema_editor):
        group.permissions.remove(*permission(apps, schema_editor))


class Migration(migrations.Migration):
    dependencies = [("integration", "0026_combined_index")]

    operations = [migrations.RunPython(give, take)]
