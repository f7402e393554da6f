"""Who follows a combined order is found without reading all statements."""

from django.db import migrations, models

from integration.models.big_tables import AddIndexAtWork


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integration", "0025_combined_statements")]

    operations = [
        AddIndexAtWork(
            model_name="invoicestatement",
            index=models.Index(
                condition=models.Q(("combined_into", ""), _negated=True),
                fields=["company", "combined_into"],
                name="statement_combined_into",
            ),
        ),
    ]
