from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizing.people.setup import issue_setup_url
from organizing.web.errors import Refused


class Command(BaseCommand):
    help = "Print the one-time address under which a new organization is set up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("base", nargs="?", default="http://localhost:8000", help="address of the site")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(issue_setup_url(options["base"]))
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
