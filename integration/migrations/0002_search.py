"""Finding by any part of a word, also among a million statements."""

from django.db import migrations

from integration.models.big_tables import add_trigram_index, drop_index

SEARCHED = {"integration_invoicestatement": "statement_search", "integration_customer": "customer_search"}


def add(apps, schema_editor):
    for table, name in SEARCHED.items():
        add_trigram_index(schema_editor, table, name)


def remove(apps, schema_editor):
    for name in SEARCHED.values():
        drop_index(schema_editor, name)


class Migration(migrations.Migration):
    atomic = False
    replaces = [("integration", "0006_search_and_attention")]
    dependencies = [("integration", "0001_house")]

    operations = [migrations.RunPython(add, remove)]
