"""The one guard of forms that strangers may send: a trap, a minimum time, a proof of work, and one result per form.

No third party, no puzzle for people, no cookie. How a feature uses it is in README.md beside this file.
"""

import base64
import copy
import json
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import altcha
from django import forms
from django.core import signing
from django.db import IntegrityError, models, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

FASTEST = timedelta(seconds=3)  # nobody reads and fills a form quicker; a program does
OLDEST = timedelta(hours=24)  # a page left open overnight still sends
# Digests to try at most. Measured: half of them, the average, take under a second on a phone six times slower than
# a laptop, and all of them under three.
WORK = 30_000
LONGEST_PROOF = 2000  # characters; a real one has about 400

# Put these last in a crispy layout: Layout("email", *GUARD_FIELDS). A form without an own layout shows them by itself.
GUARD_FIELDS = ("ticket", "proof", "homepage")

_SALT = "organizing.web.guard"
Row = TypeVar("Row", bound=models.Model)


class _Ticket:
    """What the server wrote into the form when it made it: which form this is, and since when it is open."""

    def __init__(self, submission_id: uuid.UUID, made_at: datetime) -> None:
        self.submission_id = submission_id
        self.made_at = made_at

    def __str__(self) -> str:
        return signing.Signer(salt=_SALT).sign_object([self.submission_id.hex, self.made_at.timestamp()])

    @classmethod
    def read(cls, text: str) -> "_Ticket | None":
        """Return the ticket, or ``None`` if this site did not write it."""
        try:
            submission_id, made_at = signing.Signer(salt=_SALT).unsign_object(text)
        except signing.BadSignature:
            return None
        return cls(uuid.UUID(submission_id), datetime.fromtimestamp(made_at, UTC))


def _proof_key() -> str:
    return salted_hmac(_SALT, "proof of work", algorithm="sha256").hexdigest()


def _challenge(submission_id: uuid.UUID) -> str:
    """Return a new ALTCHA challenge as JSON. Its salt names the form, so its solution is worth nothing elsewhere."""
    challenge = altcha.create_challenge(
        altcha.ChallengeOptions(
            max_number=WORK,
            number=secrets.randbelow(WORK) + 1,
            hmac_key=_proof_key(),
            params={"form": submission_id.hex},
        )
    )
    return json.dumps(challenge.to_dict())


def _is_proof(text: str, submission_id: uuid.UUID) -> bool:
    """Tell whether the text solves a challenge that this site set for this very form."""
    if len(text) > LONGEST_PROOF:
        return False
    try:
        payload = json.loads(base64.b64decode(text, validate=True))
        verified, _reason = altcha.verify_solution(payload, _proof_key(), check_expires=False)
        return verified and altcha.extract_params(payload).get("form") == [submission_id.hex]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):  # a stranger wrote it: anything may come
        return False


class _Trap(forms.TextInput):
    """A field that people do not see and programs fill. It hides itself, so that every layout treats it as hidden."""

    template_name = "web/guard/trap.html"

    @property
    def is_hidden(self) -> bool:
        return True


class GuardedForm(forms.Form):
    """A form that strangers may send. Takes ``at``, the current time, beside the usual arguments.

    After ``is_valid()``:

    ``submission_id``
        a UUID made by the server with the form. Store it in a unique column in the same transaction as what the form
        asks for (``stored_once``), so that a doubled, replayed or concurrent post lands on the first result.
    ``proof_given``
        whether the browser did the work. ``False`` on browsers without JavaScript, which are welcome: then nothing
        may happen before an address is confirmed by mail (or a person has looked).
    """

    # Browsers that put old values back on a reload must leave these two alone.
    ticket = forms.CharField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), required=False)
    proof = forms.CharField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), required=False)
    homepage = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=_Trap(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    submission_id: uuid.UUID
    proof_given = False

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = at
        ticket = _Ticket.read(self.data.get(self.add_prefix("ticket"), "")) if self.is_bound else None
        self._came_with = ticket
        if ticket is None or ticket.made_at < at - OLDEST:
            ticket = _Ticket(uuid.uuid4(), at)
        self.submission_id = ticket.submission_id
        self.initial["ticket"] = str(ticket)
        self.fields["proof"].widget.attrs["data-challenge"] = _challenge(self.submission_id)
        if self.is_bound:
            # What a page shown again carries: a ticket that can still be used, and room for a new proof.
            self._sent_proof = self.data.get(self.add_prefix("proof"), "")
            data = cast("dict[str, Any]", copy.copy(self.data))
            data[self.add_prefix("ticket")] = str(ticket)
            data[self.add_prefix("proof")] = ""
            self.data = data

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.data.get(self.add_prefix("homepage")):
            raise forms.ValidationError(
                _("This was not sent, because a hidden field was filled in. Please send it again without it."),
                code="trap",
            )
        if self._came_with is None or self._came_with.submission_id != self.submission_id:
            raise forms.ValidationError(_("This page was open for too long. Please send it once more."), code="stale")
        if self._at < self._came_with.made_at + FASTEST:
            raise forms.ValidationError(_("That was very quick. Please check and send it once more."), code="quick")
        self.proof_given = _is_proof(self._sent_proof, self.submission_id)
        return cleaned


def stored_once(rows: models.QuerySet[Row], submission_id: uuid.UUID, store: Callable[[], Row]) -> tuple[Row, bool]:
    """Return the row that this submission made, and whether this very call made it.

    ``rows`` has a unique column ``submission_id``; ``store`` writes it, in this transaction. A second call with the
    same id does nothing and returns the first row, also when both run at once or the process died in between: the
    row itself is the lock, so none can be left behind. ``Refused`` and other errors of ``store`` pass through, and
    then nothing was stored.
    """
    first = rows.filter(submission_id=submission_id).first()
    if first is not None:
        return first, False
    try:
        with transaction.atomic():
            return store(), True
    except IntegrityError:
        # Somebody else's post of the same form won the race; PostgreSQL made this one wait until that was certain.
        first = rows.filter(submission_id=submission_id).first()
        if first is None:  # another constraint spoke
            raise
        return first, False
