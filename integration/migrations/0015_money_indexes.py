"""Overdue invoices, a customer's ledger entries, and what is left of payments, found without reading the whole ledger."""

from django.db import migrations, models

from integration.models.big_tables import AddIndexAtWork


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integration", "0014_money_picture")]

    operations = [
        AddIndexAtWork(
            model_name="outgoinginvoice",
            index=models.Index(
                condition=models.Q(("balance__gt", 0)), fields=["due_date"], name="outgoing_invoice_open_due"
            ),
        ),
        AddIndexAtWork(
            model_name="ledgerentry",
            index=models.Index(fields=["company", "go_customer_id"], name="ledger_entry_customer"),
        ),
        AddIndexAtWork(
            model_name="ledgerentry",
            index=models.Index(
                condition=models.Q(("balance__lt", 0), ("outgoing_invoice__isnull", False)),
                fields=["outgoing_invoice"],
                name="ledger_entry_left_over",
            ),
        ),
    ]
