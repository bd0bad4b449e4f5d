from django import forms
from django.utils.translation import gettext_lazy as _

from organizing.web.uploads import DataFileField


class ImportForm(forms.Form):
    file = DataFileField(
        endings=(".csv", ".tsv", ".txt"),
        label=_("File of answers"),
        help_text=_("CSV with a line for each answer. The first line names the questions by key or by label."),
    )
    only_check = forms.BooleanField(
        required=False, label=_("Only check the file"), help_text=_("Tells what would be added, and adds nothing.")
    )
    all_or_nothing = forms.BooleanField(
        required=False,
        label=_("All or nothing"),
        help_text=_("Adds nothing if one row cannot be taken. Otherwise such rows are listed and the others go in."),
    )
