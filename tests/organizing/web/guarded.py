"""How a test fills a guarded form: like a browser with JavaScript, one without, or a program."""

import base64
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import altcha
from django.db import connection, models
from django.test.utils import isolate_apps

from organizing.web.guard import FASTEST, GuardedForm


def solve(challenge: str) -> str:
    """Do the work of static/js/proof.js."""
    asked = json.loads(challenge)
    solution = altcha.solve_challenge(asked["challenge"], asked["salt"], asked["algorithm"], asked["maxNumber"])
    assert solution is not None
    answer = {key: asked[key] for key in ("algorithm", "challenge", "salt", "signature")} | {"number": solution.number}
    return base64.b64encode(json.dumps(answer).encode()).decode()


def filled(form: GuardedForm, *, proof: bool = True, **fields: Any) -> dict[str, Any]:
    """Return what a browser would post of this freshly made form."""
    return {
        "ticket": form["ticket"].value(),
        "proof": solve(form.fields["proof"].widget.attrs["data-challenge"]) if proof else "",
        "homepage": "",
        **fields,
    }


def later(at: datetime, by: timedelta = FASTEST) -> datetime:
    return at + by


@isolate_apps("organizing.web")
def make_table() -> type[models.Model]:
    """Make a table as a guarded feature has one."""

    class Signup(models.Model):
        submission_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
        name = models.CharField(max_length=20, unique=True)

        class Meta:
            app_label = "web"

    with connection.schema_editor() as editor:
        editor.create_model(Signup)
    return Signup
