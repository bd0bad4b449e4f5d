from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from organizing.local import archive


class Command(BaseCommand):
    help = "Write the whole database to a file. The site may keep running."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        archive.write(file.absolute())
        self.stdout.write(
            f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB). It holds everything that people told this site: "
            "keep it as safe as the site. Uploaded files and the site's keys are kept apart from it."
        )
