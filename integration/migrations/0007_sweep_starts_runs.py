from django.db import migrations, models


class Migration(migrations.Migration):
    """The sweep says that it started a run. No change in the database: choices live in Python."""

    dependencies = [("integration", "0006_search_and_attention")]

    operations = [
        migrations.AlterField(
            model_name="syncrun",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("SCHEDULE", "Schedule"),
                    ("SWEEP", "Sweep"),
                    ("PERSON", "A person"),
                    ("TERMINAL", "Terminal"),
                ],
                max_length=10,
            ),
        ),
    ]
