"""Spreadsheets of a hundred thousand rows: the file in pieces, its rows in portions.

A preview that waits for its confirmation loses its file; whoever confirms it is asked to choose the file again.
"""

import datetime
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integration', '0008_sweep_more_often'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='UploadBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='UploadName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.BigIntegerField()),
                ('row', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='UploadPortion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_row', models.PositiveIntegerField()),
                ('last_row', models.PositiveIntegerField()),
                ('rows', models.PositiveIntegerField()),
                ('table', models.BinaryField()),
                ('state', models.CharField(choices=[('READ', 'Read'), ('CHECKED', 'Checked'), ('DONE', 'Done')], default='READ', max_length=10)),
                ('left_out', models.JSONField(default=list, help_text='Rows that are the same already, or refused.')),
                ('digest', models.CharField(blank=True, help_text='Of what a person confirms.', max_length=64)),
                ('new', models.PositiveIntegerField(default=0)),
                ('changed', models.PositiveIntegerField(default=0)),
                ('same', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('problem_rows', models.PositiveIntegerField(default=0)),
                ('findings', models.JSONField(default=dict, help_text='Problems, notes and examples, as pages print them.')),
            ],
        ),
        migrations.RemoveField(
            model_name='spreadsheetupload',
            name='content',
        ),
        migrations.AddField(
            model_name='spreadsheetupload',
            name='began_at',
            field=models.DateTimeField(default=datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc), help_text='When its state began; about when it is ready is reckoned from it.'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='spreadsheetupload',
            name='holder',
            field=models.CharField(blank=True, max_length=36),
        ),
        migrations.AddField(
            model_name='spreadsheetupload',
            name='lease_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='spreadsheetupload',
            name='message',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='spreadsheetupload',
            name='notes',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='spreadsheetupload',
            name='state',
            field=models.CharField(choices=[('PREVIEWED', 'Shown as a preview'), ('READING', 'Being read'), ('CHECKING', 'Being checked'), ('CHECKED', 'Waits for your confirmation'), ('IMPORTING', 'Being imported'), ('DONE', 'Done'), ('STOPPED', 'Stopped')], default='PREVIEWED', max_length=10),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='spreadsheetupload',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['PREVIEWED', 'READING', 'CHECKING', 'CHECKED', 'IMPORTING', 'DONE', 'STOPPED'])), name='spreadsheet_upload_state_known', violation_error_message='An upload has one of the known states.'),
        ),
        migrations.AddField(
            model_name='uploadblock',
            name='upload',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='blocks', to='integration.spreadsheetupload'),
        ),
        migrations.AddField(
            model_name='uploadname',
            name='upload',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='names', to='integration.spreadsheetupload'),
        ),
        migrations.AddField(
            model_name='uploadportion',
            name='upload',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='portions', to='integration.spreadsheetupload'),
        ),
        migrations.AddConstraint(
            model_name='uploadblock',
            constraint=models.UniqueConstraint(fields=('upload', 'number'), name='upload_block_once', violation_error_message='This piece of the file is there already.'),
        ),
        migrations.AddConstraint(
            model_name='uploadname',
            constraint=models.UniqueConstraint(fields=('upload', 'name'), name='upload_name_once', violation_error_message='Another row of this file means the same.'),
        ),
        migrations.AddConstraint(
            model_name='uploadportion',
            constraint=models.UniqueConstraint(fields=('upload', 'first_row'), name='upload_portion_once', violation_error_message='These rows are there already.'),
        ),
        migrations.AddConstraint(
            model_name='uploadportion',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['READ', 'CHECKED', 'DONE'])), name='upload_portion_state_known', violation_error_message='A portion has one of the known states.'),
        ),
    ]
