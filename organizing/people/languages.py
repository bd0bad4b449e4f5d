"""Languages that people speak, and what they are called."""

from babel import Locale
from django.utils.translation import get_language

# Spoken in American school districts; whoever speaks another says so to a person.
CODES = (
    "am ar bn zh nl en tl fr de ht hi hmn it ja km ko ku lo so mr my ne fa pl ps pt pa ru sw es ta th tr uk ur vi yo"
)


def language_name(code: str) -> str:
    """Return the name of a language in the language of the page, and the code itself for one we have no name for."""
    return str(Locale.parse(get_language() or "en", sep="-").languages.get(code, code))


def languages() -> list[tuple[str, str]]:
    """Return codes and names, in the order of the alphabet of the page."""
    return sorted(((code, language_name(code)) for code in CODES.split()), key=lambda pair: pair[1].casefold())
