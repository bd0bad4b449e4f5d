from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from surveys.answering.operations import shuffle_due


class Command(BaseCommand):
    help = "Shuffle in the answers of every survey that has k of them waiting, or any once it is closed."

    def handle(self, *args: Any, **options: Any) -> None:
        for slug, moved in shuffle_due(at=timezone.now()).items():
            self.stdout.write(f"{slug}: {moved} answers shuffled in.")
