from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from surveys.results.models import TextReview


class ReviewForm(forms.Form):
    """A trustee's decision on a text. The button pressed is the decision."""

    wording = forms.CharField(
        label=_("What may be told"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "Take out names, nicknames, dates, places and whatever else would tell who wrote it or whom it is about; "
            "put […] in its place. Change nothing else."
        ),
    )
    decision = forms.ChoiceField(choices=TextReview.Decision.choices, widget=forms.HiddenInput, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("decision") == TextReview.Decision.APPROVE and not cleaned.get("wording"):
            self.add_error("wording", _("Write what may be told, or withhold the text."))
        return cleaned


class NamesForm(forms.Form):
    """Why somebody needs the answers with names. The reason is kept with the record of the export."""

    reason = forms.CharField(
        label=_("What the answers are needed for"),
        max_length=300,
        help_text=_(
            "Kept with your name in the record of who read what. Example: “to call back those who want to speak”."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
