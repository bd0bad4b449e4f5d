from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from organizing.web.errors import Refused
from surveys.answering.operations import close_survey
from surveys.design.models import Survey


class Command(BaseCommand):
    help = "Close a survey and move the answers that wait. Closing a closed survey moves what came late."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        survey = Survey.objects.filter(slug=slug).first()
        if survey is None:
            raise CommandError(f"There is no survey {slug}.")
        try:
            moved = close_survey(survey, by=None, at=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{slug} is closed. {moved} waiting answers were shuffled in.")
