"""``manage.py messages``: what the source says, and what the catalogs hold of it."""

import gettext
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from organizing.local import translations

SOURCE = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
_("Hello")
pgettext("month name", "May")
ngettext("%(n)d answer", "%(n)d answers", 2)
"""
TEMPLATE = """{% load i18n %}
  <p title="{% translate "A title" %}">{% translate "Open" context "a survey" %}</p>
    {% blocktranslate trimmed count n=n %}
      {{ n }} student
    {% plural %}
      {{ n }} students
    {% endblocktranslate %}
  {# Translators: a greeting #}
  {% translate 'Bye' as bye %}
{% blocktranslate %}50% of <b>{{ name }}</b>{% endblocktranslate %}
"""


@pytest.fixture
def project(settings: Any, tmp_path: Path) -> Path:
    (tmp_path / "surveys").mkdir()
    (tmp_path / "surveys" / "views.py").write_text(SOURCE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    settings.BASE_DIR = tmp_path
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    return tmp_path


def catalog(project: Path) -> Path:
    return project / "locale" / "es" / "LC_MESSAGES" / "django.po"


def translate(project: Path, **changes: str) -> None:
    """Translate everything, each string by itself in capitals, then make the changes."""
    call_command("messages", verbosity=0)
    text = catalog(project).read_text()
    for line in text.splitlines():
        if line.startswith("msgid ") and line != 'msgid ""':
            text = text.replace(f'{line}\nmsgstr ""', f"{line}\n{line.replace('msgid', 'msgstr').replace('A', 'Á')}")
    text = text.replace('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "%(n)s ..."\nmsgstr[1] "%(n)s ...s"')
    text = text.replace('"%(n)d answers"\nmsgstr[0] "%(n)s ..."', '"%(n)d answers"\nmsgstr[0] "%(n)d respuesta"')
    text = text.replace('"%(n)d respuesta"\nmsgstr[1] "%(n)s ...s"', '"%(n)d respuesta"\nmsgstr[1] "%(n)d respuestas"')
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    catalog(project).write_text(text)


def problems() -> list[str]:
    return list(translations.problems("es"))


def test_strings_are_gathered_from_code_and_templates(project: Path) -> None:
    found = {(message.context, message.id) for message in translations.gather() if message.id}
    assert found == {
        (None, "Hello"),
        ("month name", "May"),
        (None, ("%(n)d answer", "%(n)d answers")),
        (None, "A title"),
        ("a survey", "Open"),
        (None, ("%(n)s student", "%(n)s students")),
        (None, "Bye"),
        (None, "50%% of <b>%(name)s</b>"),
    }


def test_a_catalog_written_twice_is_the_same_and_names_no_day(project: Path) -> None:
    call_command("messages", verbosity=0)
    once = catalog(project).read_bytes()
    call_command("messages", verbosity=0)
    assert catalog(project).read_bytes() == once
    assert b"Date" not in once


def test_what_was_translated_stays_when_the_source_changes(project: Path) -> None:
    translate(project)
    (project / "surveys" / "views.py").write_text(SOURCE.replace('_("Hello")', '_("Welcome")'))
    call_command("messages", verbosity=0)
    text = catalog(project).read_text()
    assert "Hello" not in text
    assert 'msgid "Welcome"\nmsgstr ""' in text
    assert 'msgid "A title"\nmsgstr "Á title"' in text


def test_a_complete_catalog_passes(project: Path) -> None:
    translate(project)
    assert problems() == []
    call_command("messages", check=True)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('msgstr "Hello"', 'msgstr ""', "es: not translated: 'Hello'"),
        ('msgid "Hello"\n', '#, fuzzy\nmsgid "Hello"\n', "es: fuzzy: 'Hello'"),
        ('msgid "Hello"\n', 'msgid "Hullo"\n', "es: missing: 'Hello'"),
        ('msgid "Hello"\n', 'msgid "Hullo"\n', "es: no longer in the source: 'Hullo'"),
        ('msgstr[1] "%(n)d respuestas"', 'msgstr[1] ""', "es: not translated: '%(n)d answer'"),
        ('msgstr "50%% of <b>%(name)s</b>"', 'msgstr "50%% de %(nombre)s"', "es: unknown named placeholder"),
    ],
)
def test_what_is_wrong_in_a_catalog_is_named(project: Path, old: str, new: str, problem: str) -> None:
    translate(project, **{old: new})
    assert any(line.startswith(problem) for line in problems()), problems()
    with pytest.raises(CommandError, match="need"):
        call_command("messages", check=True)


def test_a_compiled_catalog_is_what_people_read(project: Path) -> None:
    translate(project)
    assert translations.compile_catalog("es")
    assert not translations.compile_catalog("es")  # nothing to do
    catalogs = gettext.translation("django", project / "locale", ["es"])
    assert catalogs.gettext("A title") == "Á title"
    assert catalogs.ngettext("%(n)d answer", "%(n)d answers", 1) == "%(n)d respuesta"
    assert catalogs.ngettext("%(n)d answer", "%(n)d answers", 2) == "%(n)d respuestas"
    assert catalogs.pgettext("month name", "May") == "May"
