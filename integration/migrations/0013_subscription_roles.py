"""Who may do what with subscriptions: Finance makes, changes, pauses and ends them; everybody who works here reads them."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW = ["view_subscription"]
MONEY = ["add_subscription", "change_subscription", "end_subscription"]
ROLES = {"Finance": VIEW + MONEY, "Support": VIEW, "Reader": VIEW}


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
    dependencies = [("integration", "0012_subscriptions")]

    operations = [migrations.RunPython(give, take)]
