from django import template
from django.template import Context

from organizing.web.navigation import Entry, entries

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: Context, menu: str) -> list[Entry]:
    """Return the entries of a menu (see ``organizing.web.navigation``) for the page and the person it is shown to."""
    return list(entries(menu, path=context["request"].path, roles=context["roles_held"]))
