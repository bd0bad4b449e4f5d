"""What of the results waits for whom; see ``organizing.web.today``."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from organizing.people.models import Person
from organizing.web.today import Item
from surveys.results import policy
from surveys.results.models import Publication
from surveys.results.reports import published_surveys, review_queues


def waiting(person: Person, *, at: datetime) -> Iterator[Item]:
    """Publications that this organizer may approve, and texts that this trustee may decide on."""
    proposed = Publication.objects.filter(approved_at__isnull=True).select_related("release__survey", "proposed_by")
    for publication in proposed.order_by("proposed_at"):
        release = publication.release
        if policy.may_approve_publication(person, release, at=at):
            yield Item(
                _("Publish the results of “{survey}”?").format(survey=release.survey),
                reverse("surveys:release-preview", args=[release.survey.slug, release.number]),
                _("Proposed by {person}").format(person=publication.proposed_by),
            )
    yield from texts(person, at=at)


def texts(person: Person, *, at: datetime) -> Iterator[Item]:
    """Texts that this trustee may decide on."""
    if not policy.may_review_texts(person, at=at):
        return
    for queue in review_queues(person):
        if queue.waiting:
            yield Item(
                ngettext("Read {n} text", "Read {n} texts", queue.waiting).format(n=queue.waiting),
                reverse("surveys:text-list"),
                str(queue.survey),
            )


def findings(person: Person | AnonymousUser, *, at: datetime) -> Iterator[Item]:
    """Published results, for the front page."""
    for release in published_surveys():
        yield Item(str(release.survey), reverse("surveys:results", args=[release.survey.slug]))
