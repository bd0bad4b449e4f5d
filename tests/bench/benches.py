"""The measurements. Each makes its own data and can be run alone."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.figures import Figure, percentile, taking_turns
from tests.bench.places import make_database, run
from tests.bench.sites import FLOOR, SETTINGS, SITE, get, python, serving, submissions

ROUNDS = 5
LOAD_ROUNDS, LOAD_SECONDS = 11, 3.0  # short turns: what else the machine does changes within seconds
FORM = ("/s/ten/", "submission_id", "q-k{}")
FLOOR_FORM = ("/form", "csrfmiddlewaretoken", "q{}")
BUDGET_KB = 60


def _data(verb: str, *args: str, database: str = "site") -> str:
    return python("tests.bench.data", verb, *args, database=database)


def _site_database(name: str = "site") -> None:
    make_database(name)
    _data("migrate", database=name)
    _data("files", database=name)


def _floor_database() -> None:
    make_database("floor")
    python("tests.bench.data", "floor", database="floor", settings=SETTINGS[FLOOR])


def submissions_bench() -> Iterator[Figure]:
    """Complete submissions a second, beside the least site that takes them; and whether stored answers slow it."""
    bench = "submissions"
    _site_database()
    _site_database("site_full")
    _floor_database()
    for database in ("site", "site_full"):
        _data("survey", "ten", database=database)
    _data("stored", "ten", "100000", database="site_full")

    used: list[float] = []

    def rate(port: int, form: tuple[str, str, str]) -> float:
        done = submissions(port, LOAD_SECONDS, *form)
        used.append(done["used"] / done["seconds"])
        return done["stored"] / done["seconds"]

    with serving(SITE, "site") as site, serving(FLOOR, "floor") as floor, serving(SITE, "site_full") as full:
        for port, form in ((site, FORM), (floor, FLOOR_FORM), (full, FORM)):
            submissions(port, 2, *form)  # to warm up
        ours, least = taking_turns(LOAD_ROUNDS, lambda: rate(site, FORM), lambda: rate(floor, FLOOR_FORM))
        yield Figure(bench, "complete submissions", ours, "a second", floor=least, target=0.8)

        def at_none() -> float:
            run("site", "TRUNCATE surveys_inbox, surveys_spentsubmission")
            return rate(site, FORM)

        with_many, with_none = taking_turns(LOAD_ROUNDS, lambda: rate(full, FORM), at_none)
        yield Figure(bench, "at 100,000 stored, beside at none", with_many, "a second", floor=with_none, target=0.95)
        yield Figure(bench, "processor taken by the load itself", max(used), "of one core")
    count = float(_data("statements", "ten"))
    yield Figure(bench, "SQL statements of one submission", count, "statements", target=3, bound="most")


def results_page() -> Iterator[Figure]:
    """How long the public page of published results takes, with few and with very many answers behind it."""
    bench = "results_page"
    _site_database()
    for slug, count in (("few", "1000"), ("many", "1000000")):
        _data("survey", slug)
        _data("stored", slug, count)
        _data("published", slug)
    with serving(SITE, "site") as port:

        def p95(slug: str) -> float:
            times = []
            for _number in range(60):
                status, _body, took = get(port, f"/s/{slug}/results/")
                assert status == 200, status
                times.append(took * 1000)
            return percentile(times, 95)

        p95("few")  # to warm up
        many, few = taking_turns(ROUNDS, lambda: p95("many"), lambda: p95("few"))
    yield Figure(bench, "p95 at 1,000,000 answers", many, "ms", target=50, bound="most")
    yield Figure(bench, "p95 at 1,000,000, beside at 1,000", many, "ms", floor=few, target=1.3, bound="most")


def shuffle() -> Iterator[Figure]:
    """Answers moved from the inbox a second, with their tallies, beside one statement that only moves them."""
    _site_database()
    _data("survey", "ten")
    _data("waiting", "ten", "40000")
    done = json.loads(_data("shuffle", "ten"))
    yield Figure("shuffle", "answers shuffled and tallied", done["rate"], "a second", target=5_000)
    yield Figure("shuffle", "moved by one statement, without tallies", done["floor"], "a second")


def import_bench() -> Iterator[Figure]:
    """A million rows from a file: how fast, and how much memory."""
    _site_database()
    _data("survey", "ten", "draft")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "answers.csv")
        _data("answers_file", path, "1000000")
        only_read = float(_data("read_file", path))
        done = json.loads(_data("import_file", "ten", path))
    yield Figure("import", "rows checked and added", done["rate"], "a second", target=10_000)
    yield Figure("import", "rows only read as CSV", only_read, "a second")
    yield Figure("import", "most memory at a million rows", done["peak"], "MB", target=200, bound="most")


def survey_page() -> Iterator[Figure]:
    """What a first visit to a survey takes over the wire."""
    from playwright.sync_api import sync_playwright

    from tests.chromium import installed_browser

    _site_database()
    _data("survey", "ten")
    received: list[float] = []
    with serving(SITE, "site") as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        page.goto(f"http://127.0.0.1:{port}/s/ten/", wait_until="networkidle")
        browser.close()
    yield Figure("survey_page", "first visit", sum(received) / 1024, "KB", target=BUDGET_KB, bound="most")
    yield Figure("survey_page", "requests of it", float(len(received)), "requests")


ALL: dict[str, Callable[[], Iterator[Figure]]] = {
    "submissions": submissions_bench,
    "results_page": results_page,
    "shuffle": shuffle,
    "import": import_bench,
    "survey_page": survey_page,
}
