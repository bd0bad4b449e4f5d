from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from surveys.answering.operations import purge_due


class Command(BaseCommand):
    help = "Drop the answers of every survey whose day has come. Run it after restoring a backup."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for slug in purge_due(on=now.date(), at=now):
            self.stdout.write(f"{slug}: answers dropped.")
