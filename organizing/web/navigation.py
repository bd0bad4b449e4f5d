"""What each shell's menu leads to. An entry is shown once the page it names exists."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Entry:
    """A line of a menu: ``icon`` is a Lucide name, shown beside the word."""

    label: str | Promise
    url_name: str
    icon: str
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
    ),
    "MEMBER": (
        Entry(_("Home"), "web:member-home", "house"),
        Entry(_("Campaign"), "campaigns:campaign-mine", "megaphone"),
        Entry(_("Teams"), "campaigns:team-list", "users"),
        Entry(_("Me"), "people:me", "circle-user"),
    ),
    "ORGANIZER": (
        Entry(_("Today"), "web:today", "sun"),
        Entry(_("Campaigns"), "campaigns:campaign-manage", "megaphone"),
        Entry(_("Surveys"), "surveys:survey-list", "clipboard-list"),
        Entry(_("Meetings"), "meetings:meeting-manage", "calendar-days"),
        Entry(_("Board watch"), "meetings:board-watch", "binoculars"),
        Entry(_("Teams"), "campaigns:team-manage", "users"),
        Entry(_("Visits"), "meetings:visit-list", "school"),
        Entry(_("People"), "roles:person-list", "contact"),
        Entry(_("Messages"), "notifications:message-list", "mail"),
        Entry(_("Settings"), "roles:organization-settings", "settings"),
    ),
}


def entries(menu: str, *, path: str) -> Iterator[Entry]:
    """Yield the entries of a menu whose pages exist, telling which of them the page at ``path`` lies under."""
    for entry in MENUS[menu]:
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        yield replace(entry, url=url, is_current=path.startswith(url), is_page=path == url)
