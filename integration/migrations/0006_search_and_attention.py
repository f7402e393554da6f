"""Finding by any part of a word, and what needs attention, also among a million statements."""

from django.db import migrations, models

from integration.models.big_tables import AddIndexAtWork, add_trigram_index, drop_index

SEARCHED = {"integration_invoicestatement": "statement_search", "integration_customer": "customer_search"}


def add(apps, schema_editor):
    for table, name in SEARCHED.items():
        add_trigram_index(schema_editor, table, name)


def remove(apps, schema_editor):
    for name in SEARCHED.values():
        drop_index(schema_editor, name)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integration", "0005_runs_and_reversals")]

    operations = [
        AddIndexAtWork(
            model_name="invoicestatement",
            index=models.Index(
                fields=["-statement_date", "-id"], condition=~models.Q(attention=""), name="statement_attention"
            ),
        ),
        migrations.RunPython(add, remove),
    ]
