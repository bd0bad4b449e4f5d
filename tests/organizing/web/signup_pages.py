"""The smallest site with a guarded form."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils import timezone

from organizing.web.guard import GuardedForm

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign up</title>
{% include "web/guard/script.html" %}</head>
<body><form method="post">{% csrf_token %}{{ form }}<button>Send</button></form></body></html>"""


class SignupForm(GuardedForm):
    name = forms.CharField(max_length=20)


def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignupForm(request.POST or None, at=timezone.now())
    if form.is_valid():
        return HttpResponse(f"<p>proof given: {form.proof_given}</p>")
    return HttpResponse(engines["django"].from_string(PAGE).render({"form": form}, request))


urlpatterns = [path("", sign_up), path("", include("organizing.web.urls"))]
