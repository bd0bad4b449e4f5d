"""One way to answer htmx and a browser without JavaScript: the same view, the same template, the same words."""

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

INVALID = 422  # a form came with mistakes in it


def answer_with(
    request: HttpRequest, template: str, partial: str, *, status: int | None = None, **context: Any
) -> HttpResponse:
    """Show a page, or to htmx only the part of it that changed.

    ``partial`` is the name of a ``{% partialdef %}`` in ``template``. Without ``status``, the answer is 422 if ``form``
    in the context is bound and has errors (also errors added after an operation refused), else 200.
    """
    if status is None:
        form = context.get("form")
        status = INVALID if isinstance(form, BaseForm) and form.is_bound and form.errors else 200
    name = f"{template}#{partial}" if _is_htmx(request) else template
    return _varied(render(request, name, context, status=status))


def go_to(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Send the visitor on after something was done. ``to``: what ``django.shortcuts.redirect`` takes.

    htmx would put the page it is redirected to into the place of the fragment, so it is told to go there itself.
    """
    url = resolve_url(to, *args, **kwargs)
    return _varied(HttpResponseClientRedirect(url) if _is_htmx(request) else HttpResponseRedirect(url))


def _is_htmx(request: HttpRequest) -> bool:
    # Going back, htmx asks for a page that fell out of its history, and needs all of it; a boosted link as well.
    headers = request.headers
    return headers.get("HX-Request") == "true" and not (
        headers.get("HX-Boosted") == "true" or headers.get("HX-History-Restore-Request") == "true"
    )


def _varied(response: HttpResponse) -> HttpResponse:
    """Keep a cache from handing the part to somebody who asked for the page."""
    patch_vary_headers(response, ["HX-Request"])
    return response
