import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from organizing.web.errors import Refused
from surveys.answering.operations import shuffle
from surveys.design.models import Survey
from surveys.results.operations import make_release
from surveys.results.reports import told_by


class Command(BaseCommand):
    help = (
        "Freezes what may be told of a survey's answers in a release, which never changes, and prints it. "
        "When nothing has changed since the last release, prints that one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short address of the survey")
        parser.add_argument("--json", action="store_true", help="print the tables as JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        survey = Survey.objects.filter(slug=options["slug"]).first()
        if survey is None:
            raise CommandError(f"There is no survey with the short address “{options['slug']}”.")
        now = timezone.now()
        try:
            if not survey.is_draft:
                shuffle(survey, at=now)  # moves what may be moved: k answers while it is open, any once it is closed
            release = make_release(survey, at=now, by=None)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(release.tables, indent=2))
            return
        told = told_by(release, "en")
        self.stdout.write(f"{told.title}: release {release.number} of {release.made_on}, {told.size}\n")
        for question in told.questions:
            self.stdout.write(f"\n{question.label}\n")
            for share in question.shares:
                self.stdout.write(f"  {share.label}: {share.text}\n")
            for breakdown in question.breakdowns:
                self.stdout.write(f"  by {breakdown.dimension}\n")
                for group, shares in breakdown.rows:
                    self.stdout.write(f"    {group}: {', '.join(f'{share.label} {share.text}' for share in shares)}\n")
                if breakdown.hidden:
                    self.stdout.write(f"    not shown: {', '.join(breakdown.hidden)}\n")
