"""Rules of the house that a machine keeps by reading the code. An exception is named here, with its reason."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("organizing", "surveys", "meetings", "campaigns")


def files(*patterns: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            yield str(path.relative_to(ROOT)), path.read_text()


def code() -> Iterator[tuple[str, str]]:
    return files(*(f"{package}/**/*.py" for package in OURS))


def templates() -> Iterator[tuple[str, str]]:
    return files("templates/**/*.html", *(f"{package}/**/templates/**/*.html" for package in OURS))


def where(pattern: str, source: Iterator[tuple[str, str]]) -> list[str]:
    """Return ``path: line`` of every line that matches, without what stands in comments."""
    return [
        f"{path}: {line.strip()}"
        for path, text in source
        for line in text.splitlines()
        if re.search(pattern, line.partition("  # ")[0])
    ]


def test_there_is_something_to_read() -> None:
    assert len(list(code())) > 50
    assert len(list(templates())) > 30


def test_no_message_to_a_worker_waits_in_the_broker() -> None:
    """What is due later is a row; a broker would send it twice, or lose it."""
    assert where(r"\b(eta|countdown)\s*=|\.retry\(|autoretry_for", code()) == []


# Each makes a drawing of squares from an address; nothing that was typed is in it.
MAY_MARK_SAFE = {"surveys/design/views.py", "surveys/answering/views.py"}


def test_nothing_is_called_safe_but_by_name() -> None:
    found = where(r"mark_safe\(|SafeString\(|SafeText|format_html\(\s*f[\"']", code())
    assert {line.split(":")[0] for line in found} <= MAY_MARK_SAFE
    assert where(r"\|\s*(safe|safeseq)\b|autoescape\s+off", templates()) == []


MAY_SWITCH_OFF = {
    "organizing/web/pages.py": "choosing a language stores a cookie and nothing else, and needs none before",
    "surveys/answering/preview.py": "the builder's preview stands in a frame of the builder",
}


def test_no_guard_is_switched_off_but_by_name() -> None:
    guards = r"csrf_exempt\(|@csrf_exempt|csp_exempt|@csp_update|@csp_replace|@xframe_options|login_not_required"
    assert {line.split(":")[0] for line in where(guards, code())} <= set(MAY_SWITCH_OFF)


def test_nothing_is_run_that_was_not_written_here() -> None:
    assert where(r"(?<![\w.])(eval|exec)\(|\bpickle\b|shell=True|os\.system|yaml\.load\(", code()) == []


def test_csv_is_written_by_one_writer() -> None:
    found = where(r"csv\.(writer|DictWriter)\(", code())
    # The demo writes a file of answers only to read it in again.
    assert {line.split(":")[0] for line in found} <= {"organizing/web/csv.py", "surveys/demo/__init__.py"}


class Inline(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        html = re.sub(r"{%.*?%}|{#.*?#}", " ", html, flags=re.DOTALL)
        self.feed(re.sub(r"{{.*?}}", "x", html, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given and given.get("type") != "application/json"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"<{tag} {name}>")
            if re.match(r"\s*(javascript|vbscript):", value or "", re.IGNORECASE):
                self.found.append(f"<{tag} {name}={value}>")
            if name in ("src", "srcset") and re.match(r"\s*(https?:)?//", value or ""):
                self.found.append(f"<{tag} {name}={value}>")


def test_no_template_has_anything_inline_or_from_elsewhere() -> None:
    assert [f"{path}: {found}" for path, html in templates() for found in Inline(html).found] == []


def test_scripts_ask_nobody_else() -> None:
    assert where(r"https?://(?!www\.w3\.org)", files("static/**/*.js", "static/**/*.css")) == []
    assert (
        where(r"\beval\(|new Function\(|\.innerHTML\s*=|document\.write|outerHTML\s*=", files("static/**/*.js")) == []
    )


@pytest.mark.parametrize(
    "html",
    [
        "<p style='color: red'>",
        "<p {% if a %}style='color: red'{% endif %}>",
        "<a onclick=x()>",
        "<style>p {}</style>",
        "<script>x()</script>",
        "<a href='javascript:x()'>",
        "<script src='//cdn.example/x.js'></script>",
        "<div hx-on:click='x()'>",
    ],
)
def test_the_reader_of_templates_sees_what_is_inline(html: str) -> None:
    assert Inline(html).found
