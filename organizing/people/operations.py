"""The verbs of people: stay in touch, confirm, be added, change one's profile."""

from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from organizing.audit.operations import record
from organizing.people.models import Person, StayInTouch
from organizing.web.errors import Refused

MAILS_PER_ADDRESS = 3  # a day, so that nobody fills a stranger's mailbox through us
MAILS_WITHOUT_PROOF = 20  # an hour, over all addresses: what browsers without JavaScript share with programs
LINK_WORKS_FOR = timedelta(days=3)
UNCONFIRMED_KEPT_FOR = timedelta(days=7)

_LINK = signing.TimestampSigner(salt="organizing.people.stay_in_touch")


@transaction.atomic
def ask_to_stay_in_touch(
    *,
    email: str,
    display_name: str,
    language: str,
    message: str,
    submission_id: UUID,
    proof_given: bool,
    at: datetime,
) -> StayInTouch:
    """Write down that somebody wants to hear from us, and whether they get a mail to confirm it.

    Nothing else is read or written, so it is the same for an address that we know and one that we do not. Call it
    through ``stored_once``; a second call with the same ``submission_id`` raises ``IntegrityError``.
    """
    email = email.strip().lower()
    # Counting and adding are one step: asking twice at once waits here.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('people.stay_in_touch'))")
    sent = StayInTouch.objects.filter(gets_mail=True)
    gets_mail = sent.filter(email=email, asked_at__gt=at - timedelta(days=1)).count() < MAILS_PER_ADDRESS
    if not proof_given:
        recent = sent.filter(proof_given=False, asked_at__gt=at - timedelta(hours=1)).count()
        gets_mail = gets_mail and recent < MAILS_WITHOUT_PROOF
    return StayInTouch.objects.create(
        submission_id=submission_id,
        email=email,
        display_name=display_name,
        language=language,
        message=message,
        proof_given=proof_given,
        gets_mail=gets_mail,
        asked_at=at,
    )


def link_of(wish: StayInTouch) -> str:
    """Return what the link to confirm this wish carries. It works for three days from now, once."""
    return _LINK.sign(wish.pk.hex)


def find_wish(link: str) -> StayInTouch | None:
    """Return the wish of that link, confirmed or not; ``None`` if the link is not ours or too old."""
    try:
        pk = _LINK.unsign(link, max_age=LINK_WORKS_FOR)
    except signing.BadSignature:
        return None
    return StayInTouch.objects.filter(pk=pk).first()


@transaction.atomic
def confirm_wish(wish: StayInTouch, *, at: datetime) -> Person:
    """Make the wish come true: the address is theirs, so the person is added if we do not know it.

    A person we know keeps their name: whoever typed the form need not be who reads the mail. Only the wish for news
    and, where none was known, the language are added. Confirming twice changes nothing.
    """
    wish = StayInTouch.objects.select_for_update(of=("self",)).select_related("person").get(pk=wish.pk)
    if wish.person:
        return wish.person
    try:
        with transaction.atomic():
            person = Person.objects.create_user(
                email=wish.email, display_name=wish.display_name, languages=[wish.language], wants_news_since=at
            )
    except IntegrityError:  # we know the address
        person = Person.objects.select_for_update().get(email=wish.email)
        if person.is_active:
            person.languages = person.languages or [wish.language]
            person.wants_news_since = person.wants_news_since or at
            person.save(update_fields=["languages", "wants_news_since"])
    _confirm_address(person)
    wish.person, wish.confirmed_at = person, at
    wish.save(update_fields=["person", "confirmed_at"])
    return person


def _confirm_address(person: Person) -> None:
    EmailAddress.objects.update_or_create(
        user=person,
        email=person.email,
        defaults={"verified": True},
        create_defaults={"verified": True, "primary": True},
    )


@transaction.atomic
def add_person(*, email: str, display_name: str, language: str, by: Person, at: datetime) -> Person:
    """Add somebody whom an organizer knows. They may sign in, which confirms the address.

    Raises ``Refused`` if the address is known already, which organizers may know.
    """
    email = email.strip().lower()
    if Person.objects.filter(email=email).exists():
        raise Refused(_("Somebody with this address is here already."))
    person = Person.objects.create_user(email=email, display_name=display_name, languages=[language])
    record("person.add", person, by=by.pk, at=at)
    return person


def stop_news(person: Person) -> None:
    """Stop writing to the person about what we do. A second call changes nothing."""
    Person.objects.filter(pk=person.pk).update(wants_news_since=None)


def prune_wishes(*, at: datetime) -> int:
    """Remove wishes that were not confirmed within a week, and return how many. A second call removes none."""
    old = StayInTouch.objects.filter(confirmed_at__isnull=True, asked_at__lt=at - UNCONFIRMED_KEPT_FOR)
    return old.delete()[0]
