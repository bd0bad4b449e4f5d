"""What is measured on: ``python -m tests.bench.data VERB …`` in a process with Django set up on one database."""

import csv
import itertools
import json
import random
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

CHOICES = "abcd"
SINGLES = 8  # questions, the first two of which are dimensions
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "title": {"en": "Ten questions", "es": "Diez preguntas"},
    "intro": {"en": "Ten questions about school.", "es": "Diez preguntas sobre la escuela."},
    "dimensions": ["k0", "k1"],
    "questions": [
        *(
            {
                "key": f"k{number}",
                "kind": "single",
                "label": {"en": f"Question {number + 1}?", "es": f"¿Pregunta {number + 1}?"},
                "choices": [
                    {"key": choice, "label": {"en": f"Choice {choice}", "es": f"Respuesta {choice}"}}
                    for choice in CHOICES
                ],
            }
            for number in range(SINGLES)
        ),
        {
            "key": "k8",
            "kind": "multiple",
            "label": {"en": "Question 9?", "es": "¿Pregunta 9?"},
            "choices": [
                {"key": choice, "label": {"en": f"Choice {choice}", "es": f"Respuesta {choice}"}} for choice in "abcdef"
            ],
        },
        {"key": "k9", "kind": "long_text", "label": {"en": "Question 10?", "es": "¿Pregunta 10?"}},
    ],
}


def answers(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Make answers to all questions with choices. Drawn anew for each, so no two columns go together."""
    chance = random.Random(seed)
    rows = []
    for _number in range(count):
        row: dict[str, Any] = {f"k{number}": chance.choice(CHOICES) for number in range(SINGLES)}
        row["k8"] = [choice for choice in "abcdef" if chance.random() < 0.5] or ["a"]
        rows.append(row)
    return rows


def migrate() -> None:
    """Make the tables, and an organization: without one, every page leads to its setting up."""
    from django.core.management import call_command
    from django.utils import timezone

    from organizing.people.models import Organization

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    Organization.objects.create(name="Bench", set_up_at=timezone.now())


def files() -> None:
    """Gather the static files, compressed, as they are served."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def floor() -> None:
    from django.db import connection

    from tests.bench.floor.models import Answer

    with connection.schema_editor() as editor:
        editor.create_model(Answer)


def survey(slug: str, state: str = "open") -> None:
    from django.utils import timezone

    from surveys.design import portable
    from surveys.design.operations import open_survey, save_survey

    content = portable.read({**DOCUMENT, "slug": slug})
    row, _outcome = save_survey(content, by=None, at=timezone.now())
    if state == "open":
        open_survey(row, by=None, at=timezone.now())


def stored(slug: str, count: str) -> None:
    """Put answers in as if they had been sent and shuffled: responses, texts, tallies, spent submissions."""
    from django.db import connection

    from surveys.answering.sealing import seal
    from surveys.answering.tallies import count_answers, write_counts
    from surveys.design.definition import load_definition
    from surveys.design.models import Question

    definition = load_definition(slug)
    assert definition is not None
    sample = answers(1_000)
    times, rest = divmod(int(count), len(sample))
    assert rest == 0
    question = Question.objects.get(survey_id=definition.id, key="k9")
    counts = count_answers(definition, [{**row, "k9": True} for row in sample])
    for key in counts:
        counts[key] *= times
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO surveys_response (id, survey_id, answers)"
            " SELECT gen_random_uuid(), %s, answer FROM generate_series(1, %s), unnest(%s::jsonb[]) AS answer",
            [definition.id, times, [json.dumps(row) for row in sample]],
        )
        cursor.execute(
            "INSERT INTO surveys_textanswer (id, survey_id, question_id, sealed)"
            " SELECT gen_random_uuid(), %s, %s, %s FROM generate_series(1, %s)",
            [definition.id, question.pk, seal("Some words."), int(count)],
        )
        cursor.execute(
            "INSERT INTO surveys_spentsubmission (id, survey_id)"
            " SELECT gen_random_uuid(), %s FROM generate_series(1, %s)",
            [definition.id, int(count)],
        )
        write_counts(definition, counts, cursor)
        cursor.execute("VACUUM ANALYZE")


def waiting(slug: str, count: str) -> None:
    """Put answers into the inbox, each with its text."""
    from django.db import connection

    from surveys.answering.sealing import seal
    from surveys.design.definition import load_definition

    definition = load_definition(slug)
    assert definition is not None
    sample = [json.dumps(row) for row in answers(1_000)]
    times, rest = divmod(int(count), len(sample))
    assert rest == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO surveys_inbox (id, survey_id, answers, texts)"
            " SELECT gen_random_uuid(), %s, answer, %s FROM generate_series(1, %s), unnest(%s::jsonb[]) AS answer",
            [definition.id, json.dumps({"k9": seal("Some words.")}), times, sample],
        )
        cursor.execute("VACUUM ANALYZE surveys_inbox")


def published(slug: str) -> None:
    """Close a survey, release its results and publish them."""
    from django.utils import timezone

    from organizing.people.models import Person
    from organizing.roles.models import Grant, Role
    from surveys.answering.operations import close_survey
    from surveys.design.models import Survey
    from surveys.results.operations import approve_publication, make_release, propose_publication

    at = timezone.now()
    people = []
    for role in (Role.ORGANIZER, Role.LEAD_ORGANIZER):
        email = f"{role}@example.org"
        person = Person.objects.filter(email=email).first() or Person.objects.create_user(
            email=email, display_name=role.label
        )
        Grant.objects.get_or_create(person=person, role=role, defaults={"granted_at": at - timedelta(days=1)})
        people.append(person)
    row = Survey.objects.get(slug=slug)
    close_survey(row, by=None, at=at)
    release = make_release(row, at=at, by=None)
    propose_publication(release, by=people[0], at=at)
    approve_publication(release, by=people[1], at=at)


def statements(slug: str) -> None:
    """Print how many SQL statements one submission takes: the form, and its answers."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "localhost"})
    path = f"/s/{slug}/"

    def submit() -> None:
        page = client.get(path).content.decode()
        token = page.split('name="submission_id" value="', 1)[1][:36]
        fields = [f"submission_id={token}", *(f"q-k{number}=a" for number in range(9)), "q-k9=words"]
        sent = client.post(
            path,
            "&".join(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"origin": "http://localhost"},
        )
        assert sent.status_code in (302, 303), sent.content

    submit()  # the first one reads what is asked, once for the process
    with CaptureQueriesContext(connection) as captured:
        submit()
    print(len(captured))


def shuffle(slug: str) -> None:
    """Shuffle what waits, and print how many answers a second, beside the least that moving them can take."""
    from django.db import connection, transaction
    from django.utils import timezone

    from surveys.answering.models import Inbox
    from surveys.answering.operations import shuffle as shuffle_answers
    from surveys.design.models import Survey

    row = Survey.objects.get(slug=slug)
    count = Inbox.objects.filter(survey=row).count()
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor_moved (id uuid PRIMARY KEY, survey_id uuid, answers jsonb)")
        cursor.execute("CREATE TABLE floor_waiting AS SELECT * FROM surveys_inbox")
        start = time.perf_counter()
        cursor.execute(
            "WITH taken AS (DELETE FROM floor_waiting RETURNING id, survey_id, answers)"
            " INSERT INTO floor_moved SELECT * FROM taken ORDER BY random()"
        )
    floor_took = time.perf_counter() - start
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE floor_moved, floor_waiting")
    start = time.perf_counter()
    moved = shuffle_answers(row, at=timezone.now())
    took = time.perf_counter() - start
    assert moved == count, (moved, count)
    print(json.dumps({"rate": moved / took, "floor": count / floor_took}))


def answers_file(path: str, rows: str) -> None:
    """Write a CSV of answers as a form program exports it, with labels, a time and a text in every tenth row."""
    chance = random.Random(3)
    multiple = [
        ", ".join(f"Choice {choice}" for choice in chosen)
        for size in range(7)
        for chosen in itertools.combinations("abcdef", size)
    ]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Timestamp", *(f"Question {number + 1}?" for number in range(10))])
        for number in range(int(rows)):
            writer.writerow(
                [
                    f"2026/09/10 10:{number % 60:02}:{chance.randrange(60):02} AM",
                    *(f"Choice {chance.choice(CHOICES)}" for _question in range(SINGLES)),
                    chance.choice(multiple),
                    f"Words of student {number}." if number % 10 == 0 else "",
                ]
            )


def read_file(path: str) -> None:
    """Print how many rows a second the CSV reader of the standard library reads, doing nothing with them."""
    start = time.perf_counter()
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _row in csv.reader(file))
    print(rows / (time.perf_counter() - start))


def import_file(slug: str, path: str) -> None:
    """Add the file, and print how many rows a second and the most memory this process has used, in MB."""
    import resource

    from django.core.management import call_command

    start = time.perf_counter()
    call_command("import_responses", slug, path, stdout=sys.stderr)
    took = time.perf_counter() - start
    with Path(path).open("rb") as file:
        rows = sum(1 for _line in file) - 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts it in KB
    print(json.dumps({"rate": rows / took, "peak": peak}))


if __name__ == "__main__":
    import django

    django.setup()
    verb, *args = sys.argv[1:]
    globals()[verb](*args)
