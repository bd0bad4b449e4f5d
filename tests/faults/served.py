"""The site as gunicorn serves it, but on the test's own database."""

import os

from django.conf import settings

settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

from organizing.wsgi import application  # noqa: E402

__all__ = ["application"]
