"""A file can be sent to be checked only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("surveys", "0010_import_uploads")]

    operations = [
        migrations.AlterModelOptions("import", {"ordering": ["-sent_at"]}),
        migrations.AddField("import", "only_check", models.BooleanField(default=False)),
        migrations.AlterField(
            "import",
            "state",
            models.CharField(
                choices=[
                    ("waiting", "waiting"),
                    ("running", "being read"),
                    ("done", "added"),
                    ("checked", "checked"),
                    ("failed", "not added"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
    ]
