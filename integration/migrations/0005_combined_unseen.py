"""A statement whose own draft was never seen in Go may follow the one that it was combined into there.

The constraint is tried on every row, once, and waits no longer than five seconds for the table.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integration', '0004_schedule'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='invoicestatement',
            name='statement_in_go_has_order_id',
        ),
        migrations.AddConstraint(
            model_name='invoicestatement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['CANCELLED', 'CONFIRMED', 'CREDITED', 'DRAFT', 'LINK_BROKEN', 'PAID', 'PARTLY_PAID', 'SENT', 'SETTLED_OTHERWISE', 'WRITTEN_OFF']), _negated=True), models.Q(('go_order_id', ''), _negated=True), models.Q(('combined_into', ''), _negated=True), _connector='OR'), name='statement_in_go_has_order_id', violation_error_message='A statement that is in Go has the id of its sales order.'),
        ),
    ]
