"""Files that browsers send: kept aside, read by whichever worker claims them, deleted when they have been read.

The row is the job, and a message only says that there is one. A worker that dies is missed after five minutes, and the
next one starts over: nothing of the file was in before all of it was. One that was only slow finds its claim gone and
adds nothing.
"""

import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from organizing.people.models import Person
from organizing.web.errors import Refused
from surveys.answering.importing.operations import Outcome, Progress, TakenOver, add_file
from surveys.answering.importing.policy import may_import
from surveys.answering.importing.refusals import RefusalFile
from surveys.answering.models import Import
from surveys.design.models import Survey

SIGN_OF_LIFE = timedelta(seconds=1)
FILE_KEPT_FOR = timedelta(days=1)  # at the longest, whatever went wrong
LIST_KEPT_FOR = timedelta(days=30)

Clock = Callable[[], datetime]


def store() -> FileSystemStorage:
    """Where files wait, readable by this program's user alone: they are what students wrote."""
    return FileSystemStorage(
        Path(settings.MEDIA_ROOT) / "imports", file_permissions_mode=0o600, directory_permissions_mode=0o700
    )


def refusal_path(job: Import) -> Path:
    """Where the list of refused rows is, if any row was refused and the list is not too old."""
    return Path(store().path(f"{job.pk}.rejected.csv"))


def receive_file(
    survey: Survey,
    upload: "UploadedFile[Any]",
    *,
    by: Person,
    at: datetime,
    language: str,
    all_or_nothing: bool = False,
    only_check: bool = False,
) -> Import:
    """Keep a file and write down that it waits. A second call waits as well, and adds nothing when its turn comes.

    Raises Refused when the survey is closed, or is a draft and ``by`` may not open it.
    """
    if survey.state == Survey.State.CLOSED:
        raise Refused(_("This survey is closed and takes no more answers."))
    if not only_check and not may_import(by, survey, at=at):
        raise Refused(
            _("This survey is a draft. Answers open it, and that is for a lead organizer. Propose to open it first.")
        )
    job_id = uuid.uuid4()
    name = store().save(f"{job_id}.csv", upload)
    try:
        return Import.objects.create(
            id=job_id,
            survey=survey,
            file_name=upload.name or "",
            upload=name,
            all_or_nothing=all_or_nothing,
            only_check=only_check,
            language=language,
            sent_by=by,
            sent_at=at,
        )
    except BaseException:
        store().delete(name)
        raise


def run_job(job_id: uuid.UUID, *, clock: Clock) -> None:
    """Read the file of a job that is due, unless somebody else is at it. Safe to call twice, late, and at once."""
    at = clock()
    if (
        not Import.objects.due(at=at)
        .filter(pk=job_id)
        .update(
            state=Import.State.RUNNING, started_at=at, heard_at=at, percent=0, rows_read=0, rows_refused=0, notes=[]
        )
    ):
        return
    job = Import.objects.select_related("survey", "sent_by").get(pk=job_id)
    with translation.override(job.language):
        try:
            with Path(store().path(job.upload)).open("rb") as file, RefusalFile(refusal_path(job)) as refusals:
                outcome = _add(job, file, refusals, clock=clock)
        except TakenOver:
            return
        except Refused as refusal:
            _end(job, at=clock(), state=Import.State.FAILED, notes=[str(refusal)])
        except FileNotFoundError:
            _end(job, at=clock(), state=Import.State.FAILED, notes=[_("The file is gone. Please send it again.")])
        except Exception:
            _end(job, at=clock(), state=Import.State.FAILED, notes=[_("Something went wrong here. Nothing was added.")])
            raise
        else:
            if outcome.was_in_already:
                notes = [_("This very file is in already. The same file is added once.")]
                _end(job, at=clock(), state=Import.State.FAILED, notes=notes)
            elif job.only_check:
                _end(
                    job,
                    at=clock(),
                    state=Import.State.CHECKED,
                    notes=outcome.notes,
                    percent=100,
                    rows_read=outcome.read,
                    rows_refused=outcome.refused,
                )
            else:
                _forget_file(job)


def _add(job: Import, file: BinaryIO, refusals: RefusalFile, *, clock: Clock) -> Outcome:
    mine = Import.objects.filter(pk=job.pk, state=Import.State.RUNNING, started_at=job.started_at)
    last = clock()

    def give_a_sign(progress: Progress) -> None:
        nonlocal last
        now = clock()
        if now - last < SIGN_OF_LIFE:
            return
        last = now
        if not mine.update(
            heard_at=now,
            percent=int(progress.done * 100),
            rows_read=progress.read,
            rows_refused=progress.refused,
        ):
            raise TakenOver

    return add_file(
        job.survey,
        file,
        file_name=job.file_name,
        by=job.sent_by,
        at=clock(),
        refusals=refusals,
        dry_run=job.only_check,
        all_or_nothing=job.all_or_nothing,
        on_progress=give_a_sign,
        job=job,
    )


def _end(job: Import, *, at: datetime, state: Import.State, notes: list[str], **found: Any) -> None:
    """Write down how it ended, if it is still ours, and delete the file."""
    if Import.objects.filter(pk=job.pk, state=Import.State.RUNNING, started_at=job.started_at).update(
        state=state, notes=notes, ended_at=at, **found
    ):
        _forget_file(job)


def _forget_file(job: Import) -> None:
    store().delete(job.upload)
    Import.objects.filter(pk=job.pk).update(upload="")


def run_due(*, clock: Clock) -> None:
    """Read every file that nobody reads, and delete what was kept too long. A second call finds nothing."""
    _clear_up(at=clock())
    for job_id in Import.objects.due(at=clock()).order_by("sent_at").values_list("pk", flat=True):
        run_job(job_id, clock=clock)


def _clear_up(*, at: datetime) -> None:
    over = ~Q(state__in=[Import.State.WAITING, Import.State.RUNNING])
    for job in Import.objects.exclude(upload="").filter(over | Q(sent_at__lt=at - FILE_KEPT_FOR)):
        # Its worker died between the last two steps, or no worker has managed to read it.
        with transaction.atomic():
            Import.objects.filter(pk=job.pk).exclude(over).update(
                state=Import.State.FAILED, ended_at=at, notes=[_("This file could not be read. Nothing was added.")]
            )
            _forget_file(job)
    # Files without a row: the process died between keeping the file and writing it down.
    with contextlib.suppress(FileNotFoundError):
        _folders, names = store().listdir("")
        for name in names:
            kept_for = LIST_KEPT_FOR if name.endswith(".rejected.csv") else FILE_KEPT_FOR
            if store().get_modified_time(name) < at - kept_for:
                store().delete(name)
