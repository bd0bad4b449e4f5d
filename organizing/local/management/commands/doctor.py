import sys
from typing import Any

from django.core.management.base import BaseCommand

from organizing.local import doctor
from organizing.web import health


class Command(BaseCommand):
    help = "Look at everything this site stands on, and say what to do about what is wrong."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        styles = {"ok": self.style.SUCCESS, "warn": self.style.WARNING, "fail": self.style.ERROR}
        failed = 0
        for finding in health.findings(doctor.ALL):
            self.stdout.write(styles[finding.level](str(finding)))
            failed += finding.level == "fail"
        if failed:
            sys.exit(1)
