from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizing.local import archive


class Command(BaseCommand):
    help = "Bring back a database that `backup` wrote, into an empty one. The site must be stopped."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--yes-replace-everything",
            action="store_true",
            help="the database is not empty, and all that it holds may go",
        )

    def handle(self, *args: Any, file: Path, yes_replace_everything: bool, **options: Any) -> None:
        if not yes_replace_everything and not archive.is_empty():
            raise CommandError(
                "The database is not empty. To lose all that it holds and restore, add --yes-replace-everything."
            )
        archive.read(file.absolute())
        self.stdout.write(f"Restored {file}. Run manage.py migrate if this release is newer than the backup.")
