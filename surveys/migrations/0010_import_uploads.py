"""A file of answers that a browser sends waits as a row, with what whoever reads it needs to know."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("surveys", "0005_answers_do_not_cascade")]

    operations = [
        migrations.AlterField("import", "content_hash", models.CharField(blank=True, max_length=64)),
        migrations.AlterField(
            "import",
            "state",
            models.CharField(
                choices=[
                    ("waiting", "waiting"),
                    ("running", "being read"),
                    ("done", "added"),
                    ("failed", "not added"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddField("import", "upload", models.CharField(blank=True, max_length=100)),
        migrations.AddField("import", "all_or_nothing", models.BooleanField(default=False)),
        migrations.AddField("import", "language", models.CharField(default="en", max_length=10)),
        migrations.AddField(
            "import",
            "sent_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "import", "sent_at", models.DateTimeField(default=django.utils.timezone.now), preserve_default=False
        ),
        migrations.AddField("import", "percent", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("import", "heard_at", models.DateTimeField(blank=True, null=True)),
    ]
