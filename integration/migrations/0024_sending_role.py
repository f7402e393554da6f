"""Finance has Go send invoices; what is to be sent is found by an index of the few that are."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from integration.models.big_tables import AddIndexAtWork

ROLES = {"Finance": ["send_statement"]}


def permissions(apps, using, codenames):
    return apps.get_model("auth", "Permission").objects.using(using).filter(
        content_type__app_label="integration", codename__in=codenames
    )


def give(apps, schema_editor):
    using = schema_editor.connection.alias
    app = apps.get_app_config("integration")
    app.models_module = True  # the migration's picture of the app has none, and create_permissions insists
    create_permissions(app, verbosity=0, using=using, apps=apps)
    app.models_module = None
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=ROLES):
        group.permissions.add(*permissions(apps, using, ROLES[group.name]))


def take(apps, schema_editor):
    using = schema_editor.connection.alias
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=ROLES):
        group.permissions.remove(*permissions(apps, using, ROLES[group.name]))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integration", "0023_sending")]

    operations = [
        AddIndexAtWork(
            model_name="invoicestatement",
            index=models.Index(
                fields=["company", "send_asked_at"],
                condition=models.Q(send_asked_at__isnull=False),
                name="statement_to_send",
            ),
        ),
        migrations.RunPython(give, take),
    ]
