"""Sending from Go: what a person asked for, what may have left, when to look; and edits of drafts that are accepted."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integration', '0022_who_settles'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='invoicestatement',
            options={'permissions': [('push_statement', 'Can push statements to PowerOffice Go'), ('pull_statement', 'Can update status from PowerOffice Go'), ('withdraw_statement', 'Can hold and withdraw statements'), ('credit_statement', 'Can credit invoices'), ('settle_statement', 'Can settle failed payments and broken links'), ('pay_statement', 'Can mark statements as paid by hand, and approve what others marked'), ('send_statement', 'Can have PowerOffice Go send invoices'), ('import_invoicestatement', 'Can import statements'), ('export_invoicestatement', 'Can export statements')], 'verbose_name': 'statement'},
        ),
        migrations.AddField(
            model_name='gocompany',
            name='may_send_invoices',
            field=models.BooleanField(editable=False, help_text='As Go said at the last test.', null=True),
        ),
        migrations.AddField(
            model_name='invoicestatement',
            name='edits_accepted_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='invoicestatement',
            name='send_asked_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='invoicestatement',
            name='send_begun_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='invoicestatement',
            name='send_look_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='syncattempt',
            name='operation',
            field=models.CharField(choices=[('CREATE_ORDER', 'Create sales order'), ('LOOK_UP_ORDER', 'Look up sales order'), ('CREATE_CUSTOMER', 'Create customer'), ('UPDATE_CUSTOMER', 'Update customer'), ('CREATE_PRODUCT', 'Create product'), ('READ_CUSTOMERS', 'Read customers'), ('READ_PRODUCTS', 'Read products'), ('PULL', 'Update status'), ('SEND_INVOICE', 'Send invoice'), ('LOOK_UP_SENDING', 'Look up sending'), ('DELETE_ORDER', 'Delete sales order'), ('CHECK_COMPANY', 'Test connection')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='invoicestatement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('send_begun_at__isnull', True), ('send_look_at__isnull', True)), models.Q(('send_asked_at__isnull', False), ('send_begun_at__isnull', False), ('send_look_at__isnull', False)), _connector='OR'), name='statement_sending_was_asked_for', violation_error_message='Only what a person asked to send is sent, and it is looked up.'),
        ),
    ]
