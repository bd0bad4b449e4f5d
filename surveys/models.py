"""Django finds the app's models here; each feature keeps its own."""

from surveys.answering.models import (  # noqa: F401
    AccessCode,
    CodeBatch,
    Import,
    Inbox,
    NamedResponse,
    Response,
    SpentSubmission,
    Tally,
    TextAnswer,
)
from surveys.design.models import Choice, Question, Survey, SurveyChange  # noqa: F401
from surveys.results.models import Publication, Release, TextReview  # noqa: F401
