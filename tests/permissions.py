"""Who gets what from every address of this site: one table, which tests/test_permissions.py walks.

A new page is a new entry in ``TABLE``: its URL name, and for each method that it takes who gets which status. The suite
fails while a URL is missing here. A row reads

    "surveys:release-make": Row(GET=NOT_ALLOWED, POST=only("O", "L", to=302), kwargs=a_survey),

``GET=`` and ``POST=``
    ``{actor: status}``, written out or made by one of the helpers below. Where it depends on whose thing it is, the
    status is ``{scope: status}``. A status is a number, or ``SIGN_IN``: sent to the sign-in page. Methods that are not
    named must be refused, for everybody.
``kwargs=``
    a function ``(world, owner) -> dict`` that returns what the URL takes. ``world`` makes what it holds when asked for
    it first; ``owner`` is the person whose thing is asked for: the actor (scope ``own``), somebody of their team
    (``team``), anybody else (``other``).
``data=``
    a function of the same shape: what is posted. Left out: nothing is, so a form that needs something says 422.

What is not visible is 404 to whoever is signed in and the sign-in page to a visitor; what is visible and not allowed is
403. A disabled account is checked without being written down: it gets what a visitor gets.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from organizing.people import operations as people
from organizing.people.models import Organization, Person, StayInTouch
from organizing.roles.models import Grant, Role
from surveys.answering.models import Import, NamedResponse, TextAnswer
from surveys.design.models import Survey, SurveyChange
from surveys.results.models import Release
from surveys.results.operations import approve_publication, make_release, propose_publication
from tests.factories import make_grant, make_organization, make_person, make_survey, make_tallies, make_text

# V visitor, S student member, TL team lead, O organizer, L lead organizer, A adult ally, T trustee
ACTORS = ("V", "S", "TL", "O", "L", "A", "T")
ROLES = {
    "S": Role.MEMBER,
    "TL": Role.TEAM_LEAD,
    "O": Role.ORGANIZER,
    "L": Role.LEAD_ORGANIZER,
    "A": Role.ALLY,
    "T": Role.TRUSTEE,
}
SIGN_IN = "sign in"

Status = int | str
ByScope = Status | Mapping[str, Status]
ByActor = Mapping[str, ByScope]


# --- What a row is made of -------------------------------------------------------------------------


def everyone(to: ByScope = 200) -> ByActor:
    return dict.fromkeys(ACTORS, to)


def signed_in(to: ByScope = 200, *, visitor: ByScope = SIGN_IN, **different: ByScope) -> ByActor:
    return {**everyone(to), "V": visitor, **different}


def only(*actors: str, to: ByScope = 200, others: ByScope = 404, **different: ByScope) -> ByActor:
    """Let these in. Others, signed in, are not told that it is there; ``different`` names exceptions."""
    return {**signed_in(others), **dict.fromkeys(actors, to), **different}


NOT_ALLOWED = everyone(405)  # the method: this page does not take it


class World:
    """What pages are about. Each thing is made when a row asks for it first."""

    def __init__(self) -> None:
        self.at = timezone.now()
        self.people: dict[str, Person] = {}

    def person(self, actor: str) -> Person:
        if actor not in self.people:
            self.people[actor] = make_person(display_name=f"The {actor}", languages=["en"])
            if actor in ROLES:
                make_grant(self.people[actor], ROLES[actor])
        return self.people[actor]

    def owner(self, actor: str, scope: str) -> Person:
        """Whose thing it is. Teams do not exist yet, so somebody of the team is anybody."""
        return self.person(actor if scope == "own" and actor != "V" else f"somebody else ({scope})")

    @cached_property
    def organization(self) -> Organization:
        return make_organization()

    # Surveys
    school = {"key": "school", "kind": "single", "choices": ["adams", "brooks", "cross"]}
    safe = {"key": "safe", "kind": "single", "choices": ["yes", "no"]}
    words = {"key": "words", "kind": "long_text"}

    @cached_property
    def survey(self) -> Survey:
        """Closed, with answers that nobody has released."""
        survey = make_survey([self.school, self.safe, self.words], state="closed", dimensions=["school"])
        make_tallies(survey, [{"school": "adams", "safe": "yes" if n % 2 else "no", "words": True} for n in range(60)])
        return survey

    @cached_property
    def draft(self) -> Survey:
        return make_survey([self.school, self.safe], state="draft")

    @cached_property
    def open_survey(self) -> Survey:
        return make_survey([self.school, self.safe], state="open", dimensions=["school"])

    @cached_property
    def named(self) -> Survey:
        survey = make_survey([self.safe], mode="named", state="open")
        NamedResponse.objects.create(
            survey=survey,
            name="Kim",
            email="kim@example.org",
            consent="Yes",
            answers={"safe": "yes"},
            answered_at=self.at,
        )
        return survey

    @cached_property
    def release(self) -> Release:
        return make_release(self.survey, at=self.at, by=None)

    @cached_property
    def proposed(self) -> Release:
        propose_publication(self.release, by=self.person("who proposed"), at=self.at)
        return self.release

    @cached_property
    def published(self) -> Release:
        second = self.person("who approved")
        make_grant(second, Role.LEAD_ORGANIZER)
        approve_publication(self.proposed, by=second, at=self.at)
        return self.release

    @cached_property
    def change(self) -> SurveyChange:
        return SurveyChange.objects.create(
            survey=self.draft, to_state="open", proposed_by=self.person("who proposed"), proposed_at=self.at
        )

    @cached_property
    def text(self) -> TextAnswer:
        return make_text(self.survey, "The heating is broken")

    @cached_property
    def file(self) -> Import:
        return Import.objects.create(survey=self.survey, file_name="a.csv", sent_at=self.at, state="done")

    # People
    @cached_property
    def wish(self) -> StayInTouch:
        return people.ask_to_stay_in_touch(
            email="new@example.org",
            display_name="New",
            language="en",
            message="",
            submission_id=uuid.uuid4(),
            proof_given=True,
            at=self.at,
        )

    def grant(self, owner: Person) -> Grant:
        return Grant.objects.filter(person=owner).first() or make_grant(owner, Role.ALLY)

    def proposal(self, owner: Person) -> Grant:
        """A proposal to make them a lead organizer, or a trustee if they are one."""
        is_lead = owner == self.people.get("L")
        role = Role.TRUSTEE if is_lead else Role.LEAD_ORGANIZER
        proposed_by = self.person("who proposed")
        return owner.grants.filter(granted_by=proposed_by).first() or make_grant(owner, role, granted_by=proposed_by)

    def passkey(self, owner: Person) -> Authenticator:
        about = {"name": "Phone", "credential": {}}
        return Authenticator.objects.get_or_create(user=owner, type="webauthn", defaults={"data": about})[0]


Made = Callable[[World, Person], dict[str, Any]]


def nothing(world: World, owner: Person) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    GET: ByActor = field(default_factory=everyone)
    POST: ByActor = field(default_factory=lambda: NOT_ALLOWED)
    kwargs: Made = nothing
    data: Made = nothing
    # allauth's class views take PUT for POST, and some answer any method; ours refuse what they do not take.
    is_allauths: bool = False


def the_owner(world: World, owner: Person) -> dict[str, Any]:
    return {"pk": owner.pk}


def their_grant(world: World, owner: Person) -> dict[str, Any]:
    return {"pk": world.grant(owner).pk}


def their_proposal(world: World, owner: Person) -> dict[str, Any]:
    return {"pk": world.proposal(owner).pk}


def their_passkey(world: World, owner: Person) -> dict[str, Any]:
    return {"pk": world.passkey(owner).pk}


def a_wish(world: World, owner: Person) -> dict[str, Any]:
    return {"pk": world.wish.pk}


def a_link(world: World, owner: Person) -> dict[str, Any]:
    return {"link": people.link_of(world.wish)}


def a_guess(world: World, owner: Person) -> dict[str, Any]:
    return {"secret": "x" * 43}


def a_survey(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.survey.slug}


def a_draft(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.draft.slug}


def an_open_survey(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.open_survey.slug}


def a_named_survey(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.named.slug}


def a_question(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.draft.slug, "key": "safe"}


def a_change(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.draft.slug, "pk": world.change.pk}


def a_release(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.survey.slug, "number": world.release.number}


def a_proposed_release(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.survey.slug, "number": world.proposed.number}


def a_published_release(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.survey.slug, "number": world.published.number}


def a_published_survey(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.published.survey.slug}


def a_text(world: World, owner: Person) -> dict[str, Any]:
    return {"pk": world.text.pk}


def a_file(world: World, owner: Person) -> dict[str, Any]:
    return {"slug": world.survey.slug, "pk": world.file.pk}


def posted(**fields: Any) -> Made:
    return lambda world, owner: fields


def with_organization(world: World, owner: Person) -> dict[str, Any]:
    assert world.organization
    return {}


FOR_VISITORS = signed_in(302, visitor=200)
HIDDEN = {"own": 404, "other": 404}
REFUSED = {"own": 403, "other": 403}
OWN_ONLY = {"own": 302, "other": 403}
THEIR_KEY = {"own": 200, "other": 404}
THEIR_KEY_CHANGED = {"own": 302, "other": 404}
STAFF = ("O", "L")

# --- The table -------------------------------------------------------------------------------------

TABLE: dict[str, Row] = {
    # Pages of no feature
    "web:home": Row(),
    "web:privacy": Row(),
    "web:member-home": Row(GET=signed_in()),
    "web:today": Row(GET=only(*STAFF)),
    "web:language-set": Row(GET=NOT_ALLOWED, POST=everyone(302), data=posted(language="es", next="/")),
    "web:healthz": Row(),
    "web:style": Row(),
    "web:style-survey": Row(),
    # Oneself. There is nothing to ask for anybody else's.
    "people:me": Row(GET=signed_in(), POST=signed_in(422), data=posted(display_name="")),
    "people:privacy": Row(GET=signed_in()),
    "people:my-export": Row(GET=signed_in()),
    "people:news-stop": Row(GET=NOT_ALLOWED, POST=signed_in(302)),
    "people:leave": Row(GET=NOT_ALLOWED, POST=signed_in(422)),
    "people:left": Row(),
    "people:stay-in-touch": Row(POST=everyone(422), data=posted(email="x")),
    "people:stay-in-touch-sent": Row(kwargs=a_wish),
    "people:stay-in-touch-confirm": Row(POST=everyone(302), kwargs=a_link),
    # People and roles
    "roles:person-list": Row(GET=only(*STAFF)),
    "roles:person-add": Row(GET=only(*STAFF), POST=only(*STAFF, to=422), data=posted(email="x")),
    "roles:person-detail": Row(
        GET=only(*STAFF, "T", to={"own": 200, "other": 200}, others=HIDDEN, V=SIGN_IN), kwargs=the_owner
    ),
    "roles:person-contact": Row(GET=NOT_ALLOWED, POST=only(*STAFF, T=403), kwargs=the_owner),
    "roles:role-grant": Row(GET=NOT_ALLOWED, POST=only("L", "T", to=422, O=403), kwargs=the_owner),
    "roles:role-list": Row(GET=only("L")),
    # Whom it is about sees it, and can be the second person for nobody, least of all for themselves.
    "roles:role-approve": Row(
        GET=NOT_ALLOWED,
        POST=signed_in({"own": 403, "other": 404}, O=REFUSED, T=REFUSED, L={"own": 403, "other": 302}),
        kwargs=their_proposal,
    ),
    # Everybody may give up their own, but for the last lead organizer.
    "roles:role-withdraw": Row(
        GET=NOT_ALLOWED,
        POST=signed_in({"own": 302, "other": 404}, O=OWN_ONLY, T=OWN_ONLY, L={"own": 422, "other": 302}),
        kwargs=their_grant,
    ),
    "roles:organization-settings": Row(
        GET=only("L"), POST=only("L", to=422), kwargs=with_organization, data=posted(name="")
    ),
    "roles:audit-log": Row(GET=only("L")),
    # Set-up pages are not there once there is an organization, or in the demo
    "roles:not-set-up": Row(GET=everyone(404)),
    "roles:set-up": Row(GET=everyone(404), POST=everyone(404), kwargs=a_guess),
    "roles:set-up-code": Row(GET=everyone(404), POST=everyone(404), kwargs=a_guess),
    "local:demo": Row(),
    "local:demo-sign-in": Row(GET=NOT_ALLOWED, POST=everyone(404), data=posted(email="nobody@example.org")),
    # Signing in: whoever is in is sent home
    "account_login": Row(GET=signed_in(302, visitor=200), POST=signed_in(302, visitor=200), is_allauths=True),
    "account_request_login_code": Row(
        GET=signed_in(302, visitor=200), POST=signed_in(302, visitor=200), is_allauths=True
    ),
    "account_confirm_login_code": Row(GET=signed_in(302), POST=signed_in(302), is_allauths=True),
    "account_signup": Row(GET=everyone(302), POST=everyone(302), is_allauths=True),
    "account_logout": Row(GET=signed_in(200, visitor=302), POST=everyone(302), is_allauths=True),
    "account_inactive": Row(is_allauths=True),
    "account_email": Row(GET=signed_in(), POST=signed_in(302), is_allauths=True),
    "account_email_verification_sent": Row(GET=signed_in(302), POST=signed_in(302), is_allauths=True),
    "account_reauthenticate": Row(GET=signed_in(403), POST=signed_in(403), is_allauths=True),
    "mfa_index": Row(GET=signed_in(), POST=signed_in(405), is_allauths=True),
    "mfa_authenticate": Row(GET=signed_in(302), POST=signed_in(302), is_allauths=True),
    "mfa_reauthenticate": Row(GET=signed_in(403), POST=signed_in(403), is_allauths=True),
    "mfa_activate_totp": Row(GET=signed_in(), POST=signed_in(), is_allauths=True),
    "mfa_deactivate_totp": Row(GET=signed_in(404), POST=signed_in(404), is_allauths=True),
    "mfa_view_recovery_codes": Row(GET=signed_in(404), POST=signed_in(405), is_allauths=True),
    "mfa_generate_recovery_codes": Row(GET=signed_in(), POST=signed_in(), is_allauths=True),
    "mfa_download_recovery_codes": Row(GET=signed_in(404), POST=signed_in(404), is_allauths=True),
    "mfa_list_webauthn": Row(GET=signed_in(), POST=signed_in(405), is_allauths=True),
    "mfa_add_webauthn": Row(GET=signed_in(), POST=signed_in(), is_allauths=True),
    "mfa_reauthenticate_webauthn": Row(GET=signed_in(403), POST=signed_in(403), is_allauths=True),
    "mfa_remove_webauthn": Row(
        GET=signed_in(THEIR_KEY), POST=signed_in(THEIR_KEY_CHANGED), kwargs=their_passkey, is_allauths=True
    ),
    "mfa_edit_webauthn": Row(
        GET=signed_in(THEIR_KEY),
        POST=signed_in(THEIR_KEY_CHANGED),
        kwargs=their_passkey,
        data=posted(name="Laptop"),
        is_allauths=True,
    ),
    "mfa_login_webauthn": Row(GET=signed_in(302), POST=signed_in(302), is_allauths=True),
    "usersessions_list": Row(GET=signed_in(), POST=signed_in(302), is_allauths=True),
    # Surveys: making them
    "surveys:survey-list": Row(GET=only(*STAFF)),
    "surveys:survey-new": Row(GET=only(*STAFF), POST=only(*STAFF, to=422), data=posted(slug="")),
    "surveys:survey-upload": Row(GET=only(*STAFF), POST=only(*STAFF, to=422), data=posted(x="")),
    "surveys:survey-detail": Row(GET=only(*STAFF), kwargs=a_survey),
    "surveys:survey-edit": Row(GET=only(*STAFF), POST=only(*STAFF, to=422), kwargs=a_draft, data=posted(slug="")),
    "surveys:survey-method": Row(GET=only(*STAFF), POST=only(*STAFF, to=302), kwargs=a_survey, data=posted(x="")),
    "surveys:survey-file": Row(GET=only(*STAFF), kwargs=a_survey),
    "surveys:survey-delete": Row(GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_draft),
    "surveys:survey-preview": Row(GET=only(*STAFF), kwargs=a_survey),
    "surveys:form-preview": Row(GET=only(*STAFF), kwargs=a_draft),
    "surveys:survey-poster": Row(
        GET=only(*STAFF), kwargs=lambda world, owner: {"slug": world.survey.slug, "code": "en"}
    ),
    "surveys:question-new": Row(GET=only(*STAFF), POST=only(*STAFF), kwargs=a_draft),
    "surveys:question-edit": Row(GET=only(*STAFF), POST=only(*STAFF, to=422), kwargs=a_question, data=posted(key="")),
    "surveys:question-move": Row(GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_question, data=posted(to="0")),
    "surveys:question-remove": Row(GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_question),
    "surveys:change-propose": Row(
        GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_draft, data=posted(to_state="open")
    ),
    "surveys:change-approve": Row(GET=NOT_ALLOWED, POST=only("L", to=302, O=403), kwargs=a_change),
    "surveys:change-withdraw": Row(GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_change),
    # Surveys: answering them
    "surveys:answer": Row(POST=everyone(422), kwargs=an_open_survey, data=posted(safe="x")),
    "surveys:answer-thanks": Row(kwargs=an_open_survey),
    "surveys:code-list": Row(GET=only(*STAFF), POST=only(*STAFF), kwargs=an_open_survey),
    "surveys:import-new": Row(GET=only(*STAFF), POST=only(*STAFF), kwargs=a_survey),
    "surveys:import-detail": Row(GET=only(*STAFF), kwargs=a_file),
    "surveys:import-rejected": Row(GET=only(*STAFF, to=404), kwargs=a_file),
    # Surveys: what came of them
    "surveys:published-results": Row(),
    "surveys:results": Row(kwargs=a_published_survey),
    "surveys:results-earlier": Row(kwargs=a_published_release),
    "surveys:results-csv": Row(kwargs=a_published_release),
    "surveys:results-json": Row(kwargs=a_published_release),
    "surveys:results-preview": Row(GET=only(*STAFF), kwargs=a_survey),
    "surveys:release-make": Row(GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_survey),
    "surveys:names-export": Row(
        GET=NOT_ALLOWED, POST=only(*STAFF), kwargs=a_named_survey, data=posted(reason="To call them")
    ),
    "surveys:release-preview": Row(GET=only(*STAFF), kwargs=a_release),
    "surveys:publication-propose": Row(GET=NOT_ALLOWED, POST=only(*STAFF, to=302), kwargs=a_release),
    "surveys:publication-approve": Row(GET=NOT_ALLOWED, POST=only("L", to=302, O=403), kwargs=a_proposed_release),
    "surveys:preview-csv": Row(GET=only(*STAFF), kwargs=a_release),
    "surveys:preview-json": Row(GET=only(*STAFF), kwargs=a_release),
    "surveys:text-list": Row(GET=only("T")),
    "surveys:text-review": Row(GET=only("T"), POST=only("T", to=422), kwargs=a_text, data=posted(decision="x")),
}
