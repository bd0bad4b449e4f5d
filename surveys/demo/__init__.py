"""Two surveys for a demonstration: one of real students with its results published, and one to answer now.

`adelaide` holds the answers of 237 students of Statistics I at the University of Adelaide: the data set ``survey`` of
the R package MASS, which goes with W. N. Venables and B. D. Ripley, Modern Applied Statistics with S (4th edition,
Springer, 2002). `police-in-schools` and its answers are made up.
"""

import csv
import io
import random
from datetime import datetime, timedelta
from pathlib import Path

from organizing.people.models import Person
from organizing.roles.models import Grant, Role
from surveys.answering.importing.operations import add_file
from surveys.answering.operations import close_survey
from surveys.design import portable
from surveys.design.models import Survey
from surveys.design.operations import save_survey
from surveys.results.operations import approve_publication, make_release, propose_publication

HERE = Path(__file__).parent
SEED = 2021  # of the made-up answers: every demonstration shows the same

# How many made-up students of each school answer: one school too few to be shown.
SCHOOLS = {"elm": 62, "river": 55, "harbor": 27, "night": 4}
WORDS = [
    "When something happens I want somebody who knows me, not somebody with a gun.",
    "The officer at our door says good morning to everyone. I like that he is there.",
    "We have one counselor for 300 students. I waited five weeks.",
    "Nobody asked us before they put cameras in the hallway.",
    "Me da miedo pasar por la entrada cuando hay patrullas.",
    "I just want the fights to stop.",
    "Give the money to the nurse's office. It is closed on Tuesdays.",
    "Quisiera que alguien hablara español en la oficina de consejería.",
    "My cousin got a record for something that used to be detention.",
    "Keep them at the games, not in the classrooms.",
]


def load(*, at: datetime) -> None:
    """Load both surveys, as if they had been opened last week. A survey that is there already is left as it is."""
    if not Survey.objects.filter(slug="adelaide").exists():
        _load_adelaide(at=at)
    if not Survey.objects.filter(slug="police-in-schools").exists():
        _load_police_in_schools(at=at)


def _load_adelaide(*, at: datetime) -> None:
    opened, closed = at - timedelta(days=21), at - timedelta(days=7)
    survey = _draft("adelaide", at=opened)
    with (HERE / "adelaide.csv").open("rb") as file:
        add_file(survey, file, file_name="adelaide.csv", by=None, at=opened)
    survey.refresh_from_db()
    close_survey(survey, by=None, at=closed)
    release = make_release(survey, at=closed, by=None)
    proposer, approver = _somebody(Role.ORGANIZER, at=at), _somebody(Role.LEAD_ORGANIZER, at=at)
    if proposer and approver:
        propose_publication(release, by=proposer, at=at)
        approve_publication(release, by=approver, at=at)


def _load_police_in_schools(*, at: datetime) -> None:
    opened = at - timedelta(days=6)
    survey = _draft("police-in-schools", at=opened)
    add_file(survey, io.BytesIO(_made_up_answers()), file_name="paper.csv", by=None, at=opened)


def _draft(slug: str, *, at: datetime) -> Survey:
    survey, _outcome = save_survey(portable.parse((HERE / f"{slug}.json").read_bytes()), by=None, at=at)
    return survey


def _somebody(role: Role, *, at: datetime) -> Person | None:
    # Two roles are two people: nobody in a demonstration holds both.
    grant = Grant.objects.in_force(at=at).filter(role=role).select_related("person").order_by("pk").first()
    return grant.person if grant else None


def _made_up_answers() -> bytes:
    chance = random.Random(SEED)  # noqa: S311 (made-up answers, no secret)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["school", "grade", "safe", "with-police", "asked", "first", "adult", "money", "words"])
    schools = [school for school, count in SCHOOLS.items() for _student in range(count)]
    words = dict(zip(chance.sample(range(len(schools)), len(WORDS)), WORDS, strict=True))
    for number, school in enumerate(schools):
        asked = _draw(chance, never=70, once=16, more=11, **{"no-answer": 3})
        was_asked = asked in ("once", "more")
        lean = 3 if was_asked else 1
        feels = _draw(chance, safer=30, same=32, **{"less-safe": 20 * lean}, unsure=12)
        helps = [
            key
            for key, likely in {
                "counselors": 0.62,
                "therapists": 0.41,
                "circles": 0.33 if school != "elm" else 0.5,
                "teachers": 0.3,
                "activities": 0.48,
                "keep": 0.45 if feels == "safer" else 0.08,
            }.items()
            if chance.random() < likely
        ]
        writer.writerow(
            [
                school,
                chance.choice(["9", "10", "11", "12"]),
                _draw(chance, **{"1": 8 * lean, "2": 14 * lean, "3": 30, "4": 32, "5": 16}),
                feels,
                asked,
                _draw(chance, teacher=20, counselor=44, security=26, police=22 if feels == "safer" else 6),
                _draw(chance, yes=52, no=28, unsure=20),
                ";".join(helps),
                words.get(number, ""),
            ]
        )
    return file.getvalue().encode()


def _draw(chance: random.Random, **weights: int) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
