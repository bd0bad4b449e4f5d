"""The project's settings, on one of the databases of the measuring."""

import os

from organizing.settings import *  # noqa: F403
from organizing.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
