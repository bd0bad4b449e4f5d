"""What each shell's menu leads to. An entry is shown once the page it names exists, to those who may open it."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from organizing.roles.models import Role

ORGANIZERS = frozenset({Role.ORGANIZER, Role.LEAD_ORGANIZER})
LEADS = frozenset({Role.LEAD_ORGANIZER})
TRUSTEES = frozenset({Role.TRUSTEE})


@dataclass(frozen=True)
class Entry:
    """A line of a menu: ``icon`` is a Lucide name, shown beside the word; ``roles`` may see it (none: everybody)."""

    label: str | Promise
    url_name: str
    icon: str
    roles: frozenset[Role] = frozenset()
    url: str = ""
    is_current: bool = False  # the page shown lies under this entry
    is_page: bool = False  # the page shown is this entry


MENUS: dict[str, tuple[Entry, ...]] = {
    "PUBLIC": (
        Entry(_("Campaigns"), "campaigns:campaign-list", "megaphone"),
        Entry(_("Meetings"), "meetings:meeting-list", "calendar-days"),
        Entry(_("What students said"), "surveys:published-results", "chart-column"),
        Entry(_("Take action"), "campaigns:action-list", "hand"),
        Entry(_("Report"), "campaigns:report-write", "shield-alert"),
        Entry(_("Stay in touch"), "people:stay-in-touch", "mail-plus"),
    ),
    "MEMBER": (
        Entry(_("Home"), "web:member-home", "house"),
        Entry(_("Campaign"), "campaigns:campaign-mine", "megaphone"),
        Entry(_("Teams"), "campaigns:team-list", "users"),
        Entry(_("Words to read"), "surveys:text-list", "book-open-check", TRUSTEES),
        Entry(_("Today"), "web:today", "sun", ORGANIZERS),
        Entry(_("Me"), "people:me", "circle-user"),
    ),
    "ORGANIZER": (
        Entry(_("Today"), "web:today", "sun", ORGANIZERS),
        Entry(_("Campaigns"), "campaigns:campaign-manage", "megaphone", ORGANIZERS),
        Entry(_("Surveys"), "surveys:survey-list", "clipboard-list", ORGANIZERS),
        Entry(_("Meetings"), "meetings:meeting-manage", "calendar-days", ORGANIZERS),
        Entry(_("Board watch"), "meetings:board-watch", "binoculars", ORGANIZERS),
        Entry(_("Teams"), "campaigns:team-manage", "users", ORGANIZERS),
        Entry(_("Visits"), "meetings:visit-list", "school", ORGANIZERS),
        Entry(_("People"), "roles:person-list", "contact", ORGANIZERS),
        Entry(_("Messages"), "notifications:message-list", "mail", ORGANIZERS),
        Entry(_("Words to read"), "surveys:text-list", "book-open-check", TRUSTEES),
        Entry(_("Roles"), "roles:role-list", "key-round", LEADS),
        Entry(_("Log"), "roles:audit-log", "scroll-text", LEADS),
        Entry(_("Settings"), "roles:organization-settings", "settings", LEADS),
        Entry(_("My home"), "web:member-home", "house"),
    ),
}


def entries(menu: str, *, path: str, roles: Container[Role]) -> Iterator[Entry]:
    """Yield the entries of a menu that whoever holds these roles may open, marking where the page at ``path`` lies."""
    for entry in MENUS[menu]:
        if entry.roles and not any(role in roles for role in entry.roles):
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        yield replace(entry, url=url, is_current=path.startswith(url), is_page=path == url)
