"""Every address of the site, with something behind it where a test has put it there."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

NOBODY = "00000000-0000-4000-8000-000000000000"
# By the name of the part, else by the kind of it. Tests that want a page to be found make rows with these.
BY_NAME = {"slug": "walk-home", "key": "safe", "code": "en", "number": "1"}
BY_KIND = {"uuid": NOBODY, "int": "1", "slug": "walk-home", "str": "x", "path": "x"}


def every_path() -> list[str]:
    return sorted(set(_paths(get_resolver().url_patterns, "/")))


def _paths(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + _filled(pattern)
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
        else:
            yield path


def _filled(pattern: URLPattern | URLResolver) -> str:
    route = str(pattern.pattern)
    if not isinstance(pattern.pattern, RoutePattern):  # allauth has some expressions, each with one part
        return route.lstrip("^").rstrip("$").replace("(?P<key>[-:\\w]+)", "x").replace("(?P<uidb36>[0-9A-Za-z]+)", "1")
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        value = BY_NAME.get(name, BY_KIND[kind])
        for part in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(part, value)
    return route
