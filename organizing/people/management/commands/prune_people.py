from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from organizing.people.operations import prune_wishes
from organizing.people.sessions import prune_sessions


class Command(BaseCommand):
    help = "Remove traces of sign-ins older than 30 days, and wishes that were never confirmed. Runs every night."

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        sessions, wishes = prune_sessions(at=at), prune_wishes(at=at)
        self.stdout.write(f"{sessions} sessions and {wishes} unconfirmed wishes removed.")
