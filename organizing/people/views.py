"""What is about oneself: profile, privacy, leaving; and "Stay in touch" for strangers."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizing.people import operations, privacy
from organizing.people.forms import LeaveForm, ProfileForm, StayInTouchForm
from organizing.people.models import Person, StayInTouch
from organizing.people.signing_in import is_enrolled, log, organization_name
from organizing.web.errors import Refused
from organizing.web.guard import stored_once
from organizing.web.mail import one_line


def _person(request: HttpRequest) -> Person:
    """The person signed in; every view that asks stands behind ``login_required``."""
    return cast(Person, request.user)


# --- About oneself ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def me(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(
        request.POST or None, instance=Person.objects.visible_to(_person(request)).get(), at=timezone.now()
    )
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("people:me")
    return render(
        request,
        "people/me.html",
        {"form": form, "is_enrolled": is_enrolled(_person(request))},
        status=422 if form.is_bound else 200,
    )


@require_safe
@login_required
def my_privacy(request: HttpRequest) -> HttpResponse:
    return _show_privacy(request, LeaveForm())


def _show_privacy(request: HttpRequest, form: LeaveForm) -> HttpResponse:
    sections = privacy.sections(_person(request), at=timezone.now())
    return render(
        request, "people/privacy.html", {"sections": sections, "form": form}, status=422 if form.is_bound else 200
    )


@require_safe
@login_required
def my_export(request: HttpRequest) -> HttpResponse:
    """Everything stored about the person, as a file to keep or take elsewhere."""
    response = JsonResponse(
        privacy.export(_person(request), at=timezone.now()), json_dumps_params={"ensure_ascii": False, "indent": 2}
    )
    response["Content-Disposition"] = 'attachment; filename="about-me.json"'
    return response


@require_POST
@login_required
def news_stop(request: HttpRequest) -> HttpResponse:
    operations.stop_news(_person(request))
    messages.success(request, _("We will not write to you about what we do."))
    return redirect("people:privacy")


@require_POST
@login_required
def leave(request: HttpRequest) -> HttpResponse:
    form = LeaveForm(request.POST)
    if form.is_valid():
        try:
            privacy.erase(_person(request), by=_person(request), at=timezone.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            logout(request)
            return redirect("people:left")
    return _show_privacy(request, form)


@require_safe
def left(request: HttpRequest) -> HttpResponse:
    return render(request, "people/left.html")


# --- Stay in touch ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def stay_in_touch(request: HttpRequest) -> HttpResponse:
    at = timezone.now()
    form = StayInTouchForm(request.POST or None, at=at)
    if form.is_valid():
        wish, is_new = stored_once(
            StayInTouch.objects.all(),
            form.submission_id,
            lambda: operations.ask_to_stay_in_touch(
                email=form.cleaned_data["email"],
                display_name=form.cleaned_data["display_name"],
                language=form.cleaned_data["language"],
                message=form.cleaned_data["message"],
                submission_id=form.submission_id,
                proof_given=form.proof_given,
                at=at,
            ),
        )
        if is_new and wish.gets_mail:
            _send_link(request, wish)
        return redirect("people:stay-in-touch-sent", pk=wish.pk)
    return render(request, "people/stay_in_touch.html", {"form": form}, status=422 if form.is_bound else 200)


def _send_link(request: HttpRequest, wish: StayInTouch) -> None:
    """Send the link to confirm. The mail holds nothing that was typed: whoever typed it may be anybody."""
    link = request.build_absolute_uri(reverse("people:stay-in-touch-confirm", args=[operations.link_of(wish)]))
    with translation.override(wish.language):
        about = {"link": link, "organization_name": organization_name()}
        mail = EmailMultiAlternatives(
            subject=one_line(
                _("Please confirm your address for {organization}").format(organization=organization_name())
            ),
            body=render_to_string("people/emails/stay_in_touch.txt", about),
            to=[wish.email],
        )
        mail.attach_alternative(render_to_string("people/emails/stay_in_touch.html", about), "text/html")
    try:
        mail.send()
    except OSError as problem:  # what SMTP raises is one, too
        log.error("mail could not be handed over: %s", type(problem).__name__)
        messages.error(request, _("The mail could not be sent just now. Please try again in a few minutes."))


@require_safe
def stay_in_touch_sent(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say what was received. The same whether we know the address or not."""
    wish = get_object_or_404(StayInTouch, pk=pk, confirmed_at__isnull=True)
    name, _at, domain = wish.email.partition("@")
    return render(request, "people/stay_in_touch_sent.html", {"address": f"{name[:1]}…@{domain}"})


@require_http_methods(["GET", "HEAD", "POST"])
def stay_in_touch_confirm(request: HttpRequest, link: str) -> HttpResponse:
    """Ask once more before anything happens: programs that check mail open links, and do not press buttons."""
    wish = operations.find_wish(link)
    if wish is None:
        return render(request, "people/stay_in_touch_late.html", status=404)
    if request.method == "POST":
        operations.confirm_wish(wish, at=timezone.now())
        return redirect("people:stay-in-touch-confirm", link=link)
    return render(request, "people/stay_in_touch_confirm.html", {"wish": wish})
