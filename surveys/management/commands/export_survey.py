from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from surveys.design import portable
from surveys.design.definition import load_definition


class Command(BaseCommand):
    help = "Writes a survey as a portable file (JSON) to standard output. surveys/design/README.md describes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the survey's short address")

    def handle(self, *args: Any, **options: Any) -> None:
        definition = load_definition(options["slug"])
        if definition is None:
            raise CommandError(f"There is no survey {options['slug']}.")
        self.stdout.write(portable.write(definition.content), ending="")
