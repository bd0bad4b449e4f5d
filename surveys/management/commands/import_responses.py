import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from organizing.web.errors import Refused
from surveys.answering.importing.operations import Outcome, Progress, add_file
from surveys.answering.importing.refusals import RefusalFile
from surveys.design.models import Survey


class Command(BaseCommand):
    help = (
        "Adds a CSV file of answers to a survey, opening it if it is a draft. The first line holds the questions' keys "
        "or labels, the cells hold choices' keys or labels. Rows that cannot be taken are listed with line and reason "
        "in FILE.rejected.csv, and the others go in. The same file twice adds nothing twice. Exits with 0 when the "
        "file is in, also if it was before or lost rows on the way, and with 1 when nothing was added."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short address of the survey")
        parser.add_argument("file", type=Path, help="CSV: UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab")
        parser.add_argument("--dry-run", action="store_true", help="check the file and write nothing")
        parser.add_argument("--all-or-nothing", action="store_true", help="add nothing if one row cannot be taken")

    def handle(self, *args: Any, slug: str, file: Path, dry_run: bool, all_or_nothing: bool, **options: Any) -> None:
        survey = Survey.objects.filter(slug=slug).first()
        if survey is None:
            raise CommandError(f"There is no survey with the short address “{slug}”.")
        refusals = RefusalFile(file.with_name(file.name + ".rejected.csv"))
        try:
            with file.open("rb") as source, refusals:
                outcome = add_file(
                    survey,
                    source,
                    file_name=file.name,
                    by=None,
                    at=timezone.now(),
                    refusals=None if dry_run else refusals,
                    dry_run=dry_run,
                    all_or_nothing=all_or_nothing,
                    on_progress=self._progress(),
                )
        except OSError as problem:
            raise CommandError(f"{problem.filename or file}: {problem.strerror}.") from problem
        except Refused as refusal:
            listed = f" Line by line: {refusals.path}" if refusals.has_begun else ""
            raise CommandError(f"{refusal}{listed}") from refusal
        if not dry_run and not outcome.was_in_already and not refusals.has_begun:
            refusals.path.unlink(missing_ok=True)  # the list of an earlier try, which would mislead
        self._tell(slug, file, outcome, dry_run=dry_run, rejected=refusals.path)

    def _progress(self) -> Any:
        """Return what shows, at most twice a second, how far the file is read. On a terminal it keeps to one line."""
        is_terminal = self.stderr.isatty()
        last = time.monotonic()

        def show(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last < (0.5 if is_terminal else 5) and progress.done < 1:
                return
            last = time.monotonic()
            line = f"{progress.done:4.0%}  {progress.read} rows read, {progress.refused} refused"
            self.stderr.write(line, style_func=str, ending="\r" if is_terminal and progress.done < 1 else "\n")

        return show

    def _tell(self, slug: str, file: Path, outcome: Outcome, *, dry_run: bool, rejected: Path) -> None:
        if outcome.was_in_already:
            self.stdout.write(f"{file.name} is in {slug} already: the same file is added once. Nothing was added.")
            return
        for note in outcome.notes:
            self.stdout.write(note)
        for refusal in outcome.first_refusals:
            column = f"{refusal.column!r} " if refusal.column else ""
            self.stdout.write(f"line {refusal.line}: {column}{refusal.reason}")
        if outcome.refused and not dry_run:
            self.stdout.write(f"All rows that were refused, with reasons: {rejected}")
        if outcome.opened:
            self.stdout.write(f"{slug} was a draft and is open now: its questions are frozen.")
        if outcome.waits:
            self.stdout.write("So few answers wait in the inbox until there are enough of them to be shuffled.")
        verb = f"{outcome.taken} would be added" if dry_run else f"{outcome.added} added"
        self.stdout.write(f"{slug}: {outcome.read} rows read, {verb}, {outcome.refused} refused.")
