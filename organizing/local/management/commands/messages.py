from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizing.local import translations


class Command(BaseCommand):
    help = "Bring the translations in line with the source, check them, or compile them."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--check", action="store_true", help="change nothing; fail if anything is not translated")
        which.add_argument("--compile", action="store_true", help="compile the catalogs for use")

    def handle(self, *args: Any, check: bool, compile: bool, **options: Any) -> None:
        for language in translations.languages():
            if check:
                problems = list(translations.problems(language))
                for problem in problems:
                    self.stderr.write(problem)
                if problems:
                    raise CommandError(
                        f"{len(problems)} translations need work: run manage.py messages, "
                        f"then edit {translations.catalog_path(language)}."
                    )
            elif compile:
                translations.compile_catalog(language)
            else:
                translations.update(language)
                self.stdout.write(f"Updated {translations.catalog_path(language)}.")
