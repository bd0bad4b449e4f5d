"""The WSGI entry point, served by gunicorn."""

import os
import sys

from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "organizing.settings")

application = get_wsgi_application()

# A server runs no checks by itself, and this one must not be missed.
if problems := run_checks(tags=["demo"]):
    sys.exit("\n".join(str(problem) for problem in problems))
