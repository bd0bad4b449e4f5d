"""The catalogs of translations: gathered, checked and compiled without the gettext programs.

English is the language of the source, so only the others have a catalog. A catalog holds what the source says and
nothing else, in an order of its own: no dates, no places, no strings of yesterday, so that a diff shows what changed.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

SOURCES = ("organizing", "surveys", "meetings", "campaigns", "templates")

_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_PASSING = re.compile(
    rb'^"(?:POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team|Project-Id-Version'
    rb'|Report-Msgid-Bugs-To)[^"]*"\n',
    re.MULTILINE,
)


def languages() -> list[str]:
    """Return the languages that have a catalog: all but the source's own."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def catalog_path(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def gather() -> Catalog:
    """Return every string that the source marks for translation."""
    found = Catalog()
    for path in _source_files():
        source = path.read_text()
        if path.suffix != ".py":
            # Django turns a template into calls of gettext amid filling; only the indentation is not Python's.
            source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).splitlines())
        for _, ids, comments, context in extract(
            "python", io.BytesIO(source.encode()), keywords=_KEYWORDS, comment_tags=("Translators:",)
        ):
            found.add(ids, auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    path = catalog_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    """Bring a catalog in line with the source. A second call changes nothing."""
    catalog = read(language)
    catalog.update(gather(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.header_comment = ""
    catalog.fuzzy = False
    written = io.BytesIO()
    write_po(written, catalog, width=120, no_location=True, sort_output=True)
    path = catalog_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_PASSING.sub(b"", written.getvalue()).lstrip(b"#\n"))


def problems(language: str) -> Iterator[str]:
    """Tell what is missing, unfinished, wrong or left over in a catalog, one line each."""
    catalog, source = read(language), gather()
    for message in source:
        if not message.id:
            continue
        name = message.id if isinstance(message.id, str) else message.id[0]
        translated = catalog.get(name, message.context)
        said = "" if translated is None else translated.string
        filled = bool(said) and all([said] if isinstance(said, str) else said or [])
        if translated is None:
            yield f"{language}: missing: {name!r}"
        elif not filled:
            yield f"{language}: not translated: {name!r}"
        elif translated.fuzzy:
            yield f"{language}: fuzzy: {name!r}"
        else:
            for problem in translated.check(catalog):
                yield f"{language}: {problem}: {name!r}"
    for message in catalog:
        name = message.id if isinstance(message.id, str) else message.id[0]
        if name and source.get(name, message.context) is None:
            yield f"{language}: no longer in the source: {name!r}"


def compile_catalog(language: str) -> bool:
    """Compile a catalog for use, unless that is done. Tell whether there was anything to do."""
    path = catalog_path(language)
    compiled = path.with_suffix(".mo")
    if not path.exists() or (compiled.exists() and compiled.stat().st_mtime >= path.stat().st_mtime):
        return False
    written = io.BytesIO()
    write_mo(written, read(language))
    compiled.write_bytes(written.getvalue())
    return True


def _source_files() -> Iterator[Path]:
    for root in SOURCES:
        for path in sorted((settings.BASE_DIR / root).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts:
                yield path
