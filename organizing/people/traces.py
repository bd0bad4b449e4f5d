"""What this package stores about a person: the profile, ways to sign in, and what they wrote to us."""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from organizing.people.languages import language_name
from organizing.people.models import Person
from organizing.people.privacy import Fact, Section


def told(person: Person, *, at: datetime) -> Section:
    facts = [
        Fact(_("Name"), person.display_name),
        Fact(_("Pronouns"), person.pronouns),
        Fact(_("E-mail"), person.email or ""),
        Fact(_("Languages"), ", ".join(language_name(code) for code in person.languages)),
        Fact(_("Time zone"), person.time_zone),
        Fact(_("Birth year"), str(person.birth_year or "")),
        Fact(_("Known since"), date_format(person.joined_at)),
        Fact(_("Asked for news on"), date_format(person.wants_news_since) if person.wants_news_since else ""),
    ]
    facts += [
        Fact(_("Second factor"), f"{factor} ({date_format(factor.created_at)})")
        for factor in Authenticator.objects.filter(user=person).order_by("created_at")
    ]
    facts += [
        Fact(_("Signed in"), f"{date_format(session.created_at)}: {session.user_agent}, {session.ip}")
        for session in UserSession.objects.filter(user=person).order_by("created_at")
    ]
    facts += [
        Fact(_("You wrote on"), f"{date_format(wish.asked_at)}: {wish.message}")
        for wish in person.wishes.order_by("asked_at")
    ]
    return Section(
        key="profile",
        title=_("Your profile and how you sign in"),
        why=_(
            "So that we know how to call you, in which language to write to you, and that it is you. Of your network"
            " and browser we keep only a rough name, for 30 days, so that you can recognize your own devices."
        ),
        on_leaving=_(
            "All of it goes at once. A number without a name stays, because the log of who did what names it."
        ),
        facts=[fact for fact in facts if fact.value],
    )


def forget(person: Person, *, at: datetime) -> None:
    for session in UserSession.objects.filter(user=person):
        session.end()
    Authenticator.objects.filter(user=person).delete()
    EmailAddress.objects.filter(user=person).delete()
    person.wishes.all().delete()
