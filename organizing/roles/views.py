"""People and their roles for organizers; for lead organizers also roles, settings and the log."""

from collections import defaultdict
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMultiAlternatives
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizing.audit.models import AuditEvent
from organizing.people.languages import language_name
from organizing.people.models import Organization, Person
from organizing.people.operations import add_person
from organizing.people.signing_in import log, organization_name
from organizing.people.step_up import steps_up
from organizing.roles import policy
from organizing.roles.forms import AddPersonForm, GrantForm, LogForm, PersonSearchForm, SettingsForm
from organizing.roles.models import TWO_PERSON_ROLES, Grant, Role
from organizing.roles.operations import approve_grant, change_settings, grant_role, read_contact, withdraw_role
from organizing.web.errors import Refused
from organizing.web.mail import one_line

PAGE = 50  # rows


def _person(request: HttpRequest) -> Person:
    """The person signed in; every view that asks stands behind ``login_required``."""
    return cast(Person, request.user)


def _only_organizers(request: HttpRequest) -> None:
    if not policy.is_organizer(request.user, at=timezone.now()):
        raise Http404


def _only_lead_organizers(request: HttpRequest) -> None:
    if not policy.is_lead_organizer(request.user, at=timezone.now()):
        raise Http404


# --- People -------------------------------------------------------------------------------------


@require_safe
@login_required
def person_list(request: HttpRequest) -> HttpResponse:
    """Names and roles, without any address: looking one up is on the person's page, and is logged."""
    _only_organizers(request)
    at = timezone.now()
    form = PersonSearchForm(request.GET)
    people = Person.objects.filter(erased_at__isnull=True).order_by("display_name", "pk")
    if form.is_valid():
        people = people.filter(display_name__icontains=form.cleaned_data["q"])
        if form.cleaned_data["role"]:
            people = people.filter(
                pk__in=Grant.objects.in_force(at=at).filter(role=form.cleaned_data["role"]).values("person")
            )
    page = Paginator(people, PAGE).get_page(request.GET.get("page"))
    roles = defaultdict(list)
    for grant in Grant.objects.in_force(at=at).filter(person__in=page.object_list).order_by("granted_at"):
        roles[grant.person_id].append(grant.get_role_display())
    rows = [(person, roles[person.pk]) for person in page]
    return render(request, "roles/person_list.html", {"form": form, "page": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def person_add(request: HttpRequest) -> HttpResponse:
    _only_organizers(request)
    form = AddPersonForm(request.POST or None)
    if form.is_valid():
        try:
            added = add_person(**form.cleaned_data, by=_person(request), at=timezone.now())
        except Refused as refusal:
            form.add_error("email", str(refusal))
        else:
            _welcome(request, added, form.cleaned_data["language"])
            return redirect("roles:person-detail", pk=added.pk)
    return render(request, "roles/person_add.html", {"form": form}, status=422 if form.is_bound else 200)


def _welcome(request: HttpRequest, added: Person, language: str) -> None:
    with translation.override(language):
        name = organization_name()
        about = {"organization_name": name, "link": request.build_absolute_uri(reverse("account_login"))}
        mail = EmailMultiAlternatives(
            subject=one_line(_("{organization} has added you").format(organization=name)),
            body=render_to_string("roles/emails/added.txt", about),
            to=[added.email or ""],
        )
        mail.attach_alternative(render_to_string("roles/emails/added.html", about), "text/html")
    try:
        mail.send()
    except OSError as problem:
        log.error("mail could not be handed over: %s", type(problem).__name__)
        messages.error(request, _("They were added, but the mail could not be sent. They can sign in all the same."))
    else:
        messages.success(request, _("Added. We wrote to them how to sign in."))


@require_safe
@login_required
def person_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _show_person(request, _find(request, pk))


def _find(request: HttpRequest, pk: UUID) -> Person:
    """Organizers see everybody; trustees see whom they may propose, or decide about."""
    at = timezone.now()
    if not (policy.is_organizer(request.user, at=at) or policy.is_trustee(request.user, at=at)):
        raise Http404
    return get_object_or_404(Person, pk=pk, erased_at__isnull=True)


def _show_person(
    request: HttpRequest, person: Person, *, contact: str = "", form: GrantForm | None = None, refusal: str = ""
) -> HttpResponse:
    at, viewer = timezone.now(), _person(request)
    standing = (Grant.objects.in_force(at=at) | Grant.objects.proposed(at=at)).filter(person=person)
    grants = [
        {
            "grant": grant,
            "waits": _waits(grant),
            "may_approve": _waits(grant) and policy.may_approve(viewer, grant, at=at),
            "may_withdraw": policy.may_withdraw(viewer, grant, at=at),
        }
        for grant in standing.select_related("granted_by", "approved_by").order_by("granted_at")
    ]
    roles = _grantable(viewer)
    return render(
        request,
        "roles/person_detail.html",
        {
            "person": person,
            "languages": [language_name(code) for code in person.languages],
            "is_minor": person.is_minor(timezone.localdate()),
            "grants": grants,
            "contact": contact,
            "may_read_contact": policy.is_organizer(viewer, at=at),
            "wishes": person.wishes.exclude(message="").order_by("-asked_at") if contact else [],
            "form": form or (GrantForm(roles=roles) if roles and person.is_active else None),
            "refusal": refusal,
        },
        status=422 if refusal or (form and form.is_bound) else 200,
    )


def _waits(grant: Grant) -> bool:
    return grant.role in TWO_PERSON_ROLES and grant.granted_by_id is not None and grant.approved_by_id is None


def _grantable(viewer: Person) -> list[Role]:
    return [role for role in Role if policy.may_grant(viewer, role, at=timezone.now())]


@require_POST
@login_required
def person_contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the address, and write down who looked. A POST, so that no link or prefetch does it by accident."""
    person = _find(request, pk)
    contact = read_contact(person, by=_person(request), at=timezone.now())
    return _show_person(request, person, contact=contact or _("no address"))


# --- Roles --------------------------------------------------------------------------------------


@require_POST
@login_required
@steps_up
def role_grant(request: HttpRequest, pk: UUID) -> HttpResponse:
    person, viewer = _find(request, pk), _person(request)
    roles = _grantable(viewer)
    if not roles:
        raise PermissionDenied
    form = GrantForm(request.POST, roles=roles)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            grant_role(person, role, until=form.end(Organization.objects.first()), by=viewer, at=timezone.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            proposed = role in TWO_PERSON_ROLES
            messages.success(request, _("Proposed. Another person decides.") if proposed else _("Granted."))
            return redirect("roles:person-detail", pk=pk)
    return _show_person(request, person, form=form)


def _find_grant(request: HttpRequest, pk: UUID) -> Grant:
    """Organizers and trustees see every grant, everybody else their own."""
    at = timezone.now()
    grants = Grant.objects.select_related("person")
    if not (policy.is_organizer(request.user, at=at) or policy.is_trustee(request.user, at=at)):
        grants = grants.filter(person=_person(request))
    return get_object_or_404(grants, pk=pk)


@require_POST
@login_required
@steps_up
def role_approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    grant = _find_grant(request, pk)
    try:
        approve_grant(grant, by=_person(request), at=timezone.now())
    except Refused as refusal:
        return _show_person(request, grant.person, refusal=str(refusal))
    messages.success(request, _("Approved: the role counts from now on."))
    return redirect("roles:person-detail", pk=grant.person_id)


@require_POST
@login_required
@steps_up
def role_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    grant = _find_grant(request, pk)
    try:
        withdraw_role(grant, by=_person(request), at=timezone.now())
    except Refused as refusal:
        return _show_person(request, grant.person, refusal=str(refusal))
    messages.success(request, _("Withdrawn: the role no longer counts."))
    if grant.person_id == _person(request).pk:
        return redirect("people:privacy")
    return redirect("roles:person-detail", pk=grant.person_id)


# --- For lead organizers --------------------------------------------------------------------------


@require_safe
@login_required
def role_list(request: HttpRequest) -> HttpResponse:
    """Who holds which role, and what waits for a second person."""
    _only_lead_organizers(request)
    at = timezone.now()
    related = ("person", "granted_by", "approved_by")
    return render(
        request,
        "roles/role_list.html",
        {
            "waiting": Grant.objects.proposed(at=at).select_related(*related).order_by("granted_at"),
            "standing": Grant.objects.in_force(at=at).select_related(*related).order_by("role", "person__display_name"),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@steps_up
def organization_settings(request: HttpRequest) -> HttpResponse:
    _only_lead_organizers(request)
    organization = get_object_or_404(Organization)
    form = SettingsForm(request.POST or None, instance=organization)
    if form.is_valid():
        change_settings(organization, by=_person(request), at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("roles:organization-settings")
    return render(request, "roles/settings.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@login_required
def audit_log(request: HttpRequest) -> HttpResponse:
    """Who read or changed what is sensitive. To be read, and nothing else."""
    _only_lead_organizers(request)
    verbs = list(AuditEvent.objects.order_by("verb").values_list("verb", flat=True).distinct())
    form = LogForm(request.GET, verbs=verbs)
    events = AuditEvent.objects.all()
    if form.is_valid():
        if form.cleaned_data["verb"]:
            events = events.filter(verb=form.cleaned_data["verb"])
        if form.cleaned_data["by"]:
            events = events.filter(actor_id=form.cleaned_data["by"].pk)
    page = Paginator(events, PAGE).get_page(request.GET.get("page"))
    about = (
        {str(event.actor_id) for event in page}
        | {event.object_id for event in page if event.object_kind == Person._meta.label_lower}
        | {str(event.detail.get("person")) for event in page}
    )
    known = Person.objects.in_bulk([UUID(pk) for pk in about if pk != "None"])
    names = {str(pk): str(person) for pk, person in known.items()}
    rows = [
        {
            "event": event,
            "actor": names.get(str(event.actor_id), ""),
            "about": names.get(event.object_id) or names.get(str(event.detail.get("person")), ""),
            "detail": [(key, value) for key, value in event.detail.items() if key != "person" and value is not None],
        }
        for event in page
    ]
    return render(request, "roles/audit_log.html", {"form": form, "page": page, "rows": rows})
