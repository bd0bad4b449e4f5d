import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from organizing.local import archive, demo


class Command(BaseCommand):
    help = "Forget everything that was done in the demo. The next `make run` loads it anew."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEPLOYED:
            raise CommandError("DATABASE_URL is set, and there is no demo on a real server.")
        tables = connection.introspection.table_names()
        if tables and not demo.is_here():
            raise CommandError(f"The database under {settings.VAR_DIR} does not hold the demo, so it is left alone.")
        archive.refuse_company()
        with connection.cursor() as cursor:
            cursor.execute("\n".join(archive.EMPTY_SCHEMA))
        shutil.rmtree(Path(settings.MEDIA_ROOT), ignore_errors=True)
        self.stdout.write("Forgotten. make run loads the demo anew.")
