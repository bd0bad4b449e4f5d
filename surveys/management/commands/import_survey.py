import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from organizing.web.errors import Refused
from surveys.design import portable
from surveys.design.operations import save_survey


class Command(BaseCommand):
    help = (
        "Reads a portable survey file (JSON) and saves it as a draft. A draft of the same short address is replaced; "
        "a survey that has opened is left as it is. surveys/design/README.md describes the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        most = portable.FILE_BYTES_MAX + 1  # one byte more than is taken, to see that there is more
        try:
            if options["file"] == "-":
                data = sys.stdin.buffer.read(most)
            else:
                with Path(options["file"]).open("rb") as file:
                    data = file.read(most)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        try:
            survey, outcome = save_survey(portable.parse(data), by=None, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{survey.slug}: {outcome}")
