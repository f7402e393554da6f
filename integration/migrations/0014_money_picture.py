"""What the money picture reads: the KID of an entry, and when each row was read."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integration', '0013_subscription_roles'),
    ]

    operations = [
        migrations.AddField(
            model_name='ledgerentry',
            name='kid',
            field=models.CharField(blank=True, default='', max_length=50, verbose_name='KID'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='read_at',
            field=models.DateTimeField(blank=True, help_text='When the reading began that says so.', null=True),
        ),
        migrations.AddField(
            model_name='outgoinginvoice',
            name='read_at',
            field=models.DateTimeField(blank=True, help_text='When the reading began that says so.', null=True),
        ),
        migrations.AddField(
            model_name='synccursor',
            name='read_at',
            field=models.DateTimeField(blank=True, help_text='When the list was last read, news or not.', null=True),
        ),
    ]
