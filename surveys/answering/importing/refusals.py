"""The list of rows that were not taken: line, column and reason, never what the row says.

Whoever has the file finds the line; whoever has only the list learns nothing about anybody's answers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from django.utils.translation import gettext as _

from organizing.web.csv import csv_writer
from surveys.answering.importing.columns import Refusal


class RefusalFile:
    """A refusal list as CSV at ``path``. There is no file before something is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    @property
    def has_begun(self) -> bool:
        return self._file is not None

    def add(self, refusals: Sequence[Refusal]) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")  # replaces the list of an earlier try
            self._writer = csv_writer(self._file)
            self._writer.writerow([_("line"), _("column"), _("reason")])
        self._writer.writerows(refusals)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()
