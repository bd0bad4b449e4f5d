"""Demo data: an organization that does not exist, with people who do not exist."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from organizing.people.models import Organization, Person
from organizing.roles.models import Grant, Role


@dataclass(frozen=True)
class DemoPerson:
    name: str
    role: Role
    languages: tuple[str, ...] = ("en",)
    birth_year: int | None = None
    pronouns: str = ""

    @property
    def display_name(self) -> str:
        return f"{self.name} (fictional)"

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@example.org"


PEOPLE = (
    DemoPerson("Maya Okafor", Role.LEAD_ORGANIZER, pronouns="she/her", birth_year=1999),
    DemoPerson("Luis Herrera", Role.LEAD_ORGANIZER, languages=("es", "en"), birth_year=1996),
    DemoPerson("Jordan Lee", Role.ORGANIZER, pronouns="they/them", birth_year=2004),
    DemoPerson("Ana Torres", Role.TEAM_LEAD, languages=("es", "en"), pronouns="ella", birth_year=2008),
    DemoPerson("Sam Whitfield", Role.MEMBER, birth_year=2010),
    DemoPerson("Priya Raman", Role.MEMBER, pronouns="she/her"),
    DemoPerson("Ruth Adler", Role.ALLY, birth_year=1971),
    DemoPerson("Dana Brooks", Role.TRUSTEE, birth_year=1964),
    DemoPerson("Omar Haddad", Role.TRUSTEE, birth_year=1980),
)


def is_here() -> bool:
    """Tell whether the database holds the demo. No real person has an address at example.org."""
    return bool(Person.objects.filter(email=PEOPLE[0].email).exists())


def is_wanted() -> bool:
    """Tell whether this is a demo whose database nobody has put anything in yet."""
    return bool(settings.DEMO) and not Person.objects.exists() and not Organization.objects.exists()


@transaction.atomic
def load(*, at: datetime) -> None:
    """Fill an empty database with the demo, all of it or nothing. A second call is refused by the database.

    Features add theirs by naming a function in ``settings.DEMO_LOADERS``, called as ``load(at=at)`` in that order.
    """
    Organization.objects.create(
        name="Elm & River Youth Collective (demo)",
        languages=["en", "es"],
        time_zone="America/Chicago",
        contact_email="hello@example.org",
        set_up_at=at,
    )
    for someone in PEOPLE:
        person = Person.objects.create_user(
            email=someone.email,
            display_name=someone.display_name,
            languages=list(someone.languages),
            pronouns=someone.pronouns,
            birth_year=someone.birth_year,
        )
        EmailAddress.objects.create(user=person, email=someone.email, verified=True, primary=True)
        Grant.objects.create(person=person, role=someone.role, granted_at=at)
    for loader in settings.DEMO_LOADERS:
        import_string(loader)(at=at)
