"""What waits for somebody, gathered from features that this package does not know.

A feature writes a function ``waiting(person, *, at)`` that yields items, and names it in a setting:

``TODAY``   decisions that wait for an organizer,
``TO_DO``   what a member is asked to do,
``ASKS``    what anybody may do, shown on the front page (the person may be anonymous),
``FINDINGS``  what has been published, newest first, shown on the front page.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from organizing.people.models import Person


@dataclass(frozen=True)
class Item:
    """One thing that waits: what to do, where to do it, a line on why or until when, a word on a button."""

    title: str | Promise
    url: str
    detail: str | Promise = ""
    action: str | Promise = ""  # empty: the title alone leads there


Source = Callable[..., Iterable[Item]]


def items(sources: Iterable[str], *, person: Person | AnonymousUser, at: datetime) -> list[Item]:
    """Ask each source, named by its dotted path, what waits for the person at that moment, in the order given."""
    found: list[Item] = []
    for name in sources:
        source: Source = import_string(name)
        found.extend(source(person, at=at))
    return found
