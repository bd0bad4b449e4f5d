import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from surveys.results.disclosure import K, Malformed, disclose


class Command(BaseCommand):
    help = (
        "Reads tables of counts as JSON from standard input and writes what may be told of them as JSON to standard "
        "output, by the rules that releases follow. Touches no data. The contract is in surveys/results/README.md."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--k", type=int, default=K, help=f"least size of a group shown ({K} or more)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = disclose(json.loads(sys.stdin.buffer.read()), k=options["k"])
        except Malformed as error:
            raise CommandError(f"{error}.") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"The input is not UTF-8 text: byte {error.start + 1}.") from error
        except json.JSONDecodeError as error:
            raise CommandError(
                f"The input is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
            ) from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists without end
            raise CommandError(f"The input cannot be read: {error}.") from error
        self.stdout.write(json.dumps(told, indent=2))
