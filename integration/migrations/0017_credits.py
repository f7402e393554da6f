"""Credit notes made here know which lines they take back, and how much of each."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integration', '0016_roll_subscriptions_nightly'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='invoicestatement',
            options={'permissions': [('push_statement', 'Can push statements to PowerOffice Go'), ('pull_statement', 'Can update status from PowerOffice Go'), ('withdraw_statement', 'Can hold and withdraw statements'), ('credit_statement', 'Can credit invoices'), ('import_invoicestatement', 'Can import statements'), ('export_invoicestatement', 'Can export statements')], 'verbose_name': 'statement'},
        ),
        migrations.AddField(
            model_name='statementline',
            name='credited_quantity',
            field=models.DecimalField(blank=True, decimal_places=4, editable=False, help_text='How much of that line.', max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='statementline',
            name='credits_line',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credited_by', to='integration.statementline'),
        ),
        migrations.AddConstraint(
            model_name='statementline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credited_quantity__isnull', True), ('credits_line__isnull', True)), models.Q(('credited_quantity__isnull', False), ('credits_line__isnull', False), ('kind', 'PRODUCT')), _connector='OR'), name='line_credits_so_much', violation_error_message='A line that credits another says how much of it.'),
        ),
    ]
