from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from organizing.web.errors import Refused
from surveys.design.models import Survey
from surveys.design.operations import open_survey


class Command(BaseCommand):
    help = "Opens a survey: it takes answers from now on, and what it asks can never be changed again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the survey's short address")

    def handle(self, *args: Any, **options: Any) -> None:
        survey = Survey.objects.filter(slug=options["slug"]).first()
        if survey is None:
            raise CommandError(f"There is no survey {options['slug']}.")
        try:
            open_survey(survey, by=None, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{survey.slug}: open")
