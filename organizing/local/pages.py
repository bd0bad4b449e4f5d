"""The demo's one-click sign-in. On a real site these pages are not there."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from organizing.local.demo import PEOPLE
from organizing.people.models import Person
from organizing.people.signing_in import DEMO
from organizing.roles import policy


def _only_in_demo() -> None:
    # Twice guarded: a deployed site that was told DEMO=1 by mistake does not start, and would not open this either.
    if not settings.DEMO or settings.DEPLOYED:
        raise Http404


@require_safe
def demo(request: HttpRequest) -> HttpResponse:
    _only_in_demo()
    known = {person.email: person for person in Person.objects.filter(email__in=[someone.email for someone in PEOPLE])}
    people = [(known[someone.email], someone.role.label) for someone in PEOPLE if someone.email in known]
    return render(request, "local/demo.html", {"people": people})


@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the demo's people, and as nobody else. Counts as second factor, in the demo only."""
    _only_in_demo()
    emails = {someone.email for someone in PEOPLE}
    person = get_object_or_404(Person, email=request.POST.get("email", ""), email__in=emails, is_active=True)
    logout(request)
    adapter = get_adapter(request)
    adapter.login(request, person)
    record_authentication(request, person, method=DEMO)
    where = "web:today" if policy.is_organizer(person, at=timezone.now()) else "web:member-home"
    adapter.post_login(
        request,
        person,
        email_verification="none",
        redirect_url=None,
        signal_kwargs=None,
        signup=False,
        email=person.email,
    )
    return redirect(where)
