"""The pages that set up a new organization. They open only by the one-time address (organizing/people/setup.py)."""

import time
from dataclasses import asdict
from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import check_password, make_password
from django.core.mail import EmailMultiAlternatives, send_mail
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from organizing.people.models import SetupLink
from organizing.people.setup import find_link, is_set_up
from organizing.roles.forms import CodeForm, SetUpForm
from organizing.roles.operations import Beginning, set_up
from organizing.web.errors import Refused
from organizing.web.mail import one_line

CODE_WORKS_FOR = 15 * 60  # seconds
TRIES = 3
DRAFT = "set_up"  # in the session: what was typed, and the code that was sent


@require_safe
def not_set_up(request: HttpRequest) -> HttpResponse:
    if settings.DEMO or is_set_up():
        raise Http404
    return render(request, "roles/not_set_up.html")


def _link(secret: str) -> SetupLink:
    link = find_link(secret, at=timezone.now())
    if link is None or settings.DEMO:
        raise Http404
    return link


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask for what is needed, try the mail, and send a code to the first lead organizer."""
    _link(secret)
    form = SetUpForm(request.POST or None, initial=request.session.get(DRAFT, {}).get("beginning"))
    tried = ""
    if "try_mail" in request.POST:
        tried = _try_mail(form)
    elif form.is_valid():
        beginning = form.beginning()
        code = get_adapter().generate_login_code()
        trouble = _send_code(beginning, code)
        if not trouble:
            request.session[DRAFT] = {
                "beginning": asdict(beginning),
                "code": make_password(_tidy(code)),
                "at": time.time(),
                "tries": 0,
            }
            return redirect("roles:set-up-code", secret=secret)
        form.add_error("lead_email", trouble)
    context = {"form": form, "tried": tried, "mail": _mail()}
    return render(request, "roles/set_up.html", context, status=422 if form.is_bound and not tried else 200)


def _mail() -> dict[str, object]:
    """Say where mail goes, as the environment has it; never the password."""
    return {
        "prints": settings.EMAIL_BACKEND.endswith("console.EmailBackend"),
        "backend": settings.EMAIL_BACKEND,
        "host": settings.EMAIL_HOST,
        "port": settings.EMAIL_PORT,
        "user": settings.EMAIL_HOST_USER,
        "sender": settings.DEFAULT_FROM_EMAIL,
    }


def _try_mail(form: SetUpForm) -> str:
    """Send a test message to the contact address. What else was typed stays, and is not judged yet."""
    form.is_valid()
    to = form.cleaned_data.get("contact_email")
    form.errors.clear()
    if not to:
        form.add_error("contact_email", _("Write an address here, to which the test message goes."))
        return ""
    try:
        send_mail(_("Test message"), _("Mail from your new site arrives."), None, [to])
    except (OSError, SMTPException) as problem:
        form.add_error(None, _("The test message was not accepted: {problem}").format(problem=problem))
        return ""
    return str(to)


def _send_code(beginning: Beginning, code: str) -> str:
    """Send the code. Return what went wrong, empty if nothing did."""
    about = {"code": code, "organization_name": beginning.name}
    mail = EmailMultiAlternatives(
        subject=_("Your code to set up {organization}").format(organization=one_line(beginning.name)),
        body=render_to_string("roles/emails/set_up_code.txt", about),
        to=[beginning.lead_email],
    )
    mail.attach_alternative(render_to_string("roles/emails/set_up_code.html", about), "text/html")
    try:
        mail.send()
    except (OSError, SMTPException) as problem:
        return _("The mail was not accepted: {problem}").format(problem=problem)
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the code. Then the organization exists; its first lead organizer is signed in and adds a second factor."""
    link = _link(secret)
    draft = request.session.get(DRAFT)
    if not draft or time.time() - draft["at"] > CODE_WORKS_FOR or draft["tries"] >= TRIES:
        messages.error(request, _("That code no longer works. Check what you typed, and we send another one."))
        return redirect("roles:set-up", secret=secret)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if check_password(_tidy(form.cleaned_data["code"]), draft["code"]):
            return _finish(request, Beginning(**draft["beginning"]), link)
        request.session[DRAFT] = {**draft, "tries": draft["tries"] + 1}
        form.add_error("code", _("That is not the code. Please look again."))
    context = {"form": form, "address": draft["beginning"]["lead_email"], "secret": secret}
    return render(request, "roles/set_up_code.html", context, status=422 if form.is_bound else 200)


def _finish(request: HttpRequest, beginning: Beginning, link: SetupLink) -> HttpResponse:
    try:
        lead = set_up(beginning, link, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("web:home")
    del request.session[DRAFT]
    adapter = get_adapter(request)
    adapter.login(request, lead)
    record_authentication(request, lead, method="code", email=lead.email)
    messages.success(
        request, _("Your organization is set up. One more step: add a second factor, so that only you can be you.")
    )
    return redirect("mfa_index")


def _tidy(code: str) -> str:
    return "".join(sign for sign in code if sign.isdigit())
