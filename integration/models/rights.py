"""Migrations that give rights to roles."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class GiveRights(migrations.RunPython):
    """`GiveRights({"Finance": ["credit_statement"]})`: roles of these names get rights of ours; back takes them away.

    A role that a person has renamed or deleted is left alone. `make=True` makes the roles that are not there.
    """

    def __init__(self, rights: dict[str, list[str]], *, make: bool = False) -> None:
        self.rights = rights
        self.make = make
        super().__init__(self.give, self.take)

    def give(self, apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        using = schema_editor.connection.alias
        # Permissions are normally made after all migrations; on an empty database they have to be made here first.
        app = apps.get_app_config("integration")
        app.models_module = True  # the migration's picture of the app has none, and create_permissions insists
        create_permissions(app, verbosity=0, using=using, apps=apps)
        app.models_module = None
        if self.make:
            for name in self.rights:
                apps.get_model("auth", "Group").objects.using(using).get_or_create(name=name)
        for role, permissions in self.granted(apps, using):
            role.permissions.add(*permissions)

    def take(self, apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        using = schema_editor.connection.alias
        for role, permissions in self.granted(apps, using):
            role.permissions.remove(*permissions)
        if self.make:
            apps.get_model("auth", "Group").objects.using(using).filter(name__in=self.rights).delete()

    def granted(self, apps: Any, using: str) -> Iterator[tuple[Any, list[Any]]]:
        """Each role that is there, with its permissions. LookupError: a right that no model of ours declares."""
        ours = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label="integration")
        by_name = {permission.codename: permission for permission in ours}
        for role in apps.get_model("auth", "Group").objects.using(using).filter(name__in=self.rights):
            yield role, [by_name[codename] for codename in self.rights[role.name]]
