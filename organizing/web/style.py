"""A form with one field of every kind, for the style page."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    name = forms.CharField(label=_("Your name"), help_text=_("As you want to be called."))
    email = forms.EmailField(label=_("E-mail"), required=False)
    school = forms.ChoiceField(
        label=_("School"), choices=[("", _("Choose one")), ("cross", "Wilbur Cross"), ("career", "Career")]
    )
    going = forms.ChoiceField(
        label=_("Are you coming?"),
        choices=[("yes", _("Yes")), ("no", _("No")), ("maybe", _("Not sure yet"))],
        widget=forms.RadioSelect,
    )
    needs = forms.MultipleChoiceField(
        label=_("What do you need?"),
        choices=[("food", _("Food")), ("ride", _("A ride home")), ("language", _("Another language"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    seats = forms.IntegerField(label=_("How many people?"), required=False, min_value=1)
    photo = forms.FileField(label=_("A picture"), required=False)
    words = forms.CharField(label=_("Anything else?"), widget=forms.Textarea, required=False)
    agree = forms.BooleanField(label=_("I have read what happens next"), required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.attrs = {"novalidate": ""}
        self.helper.add_input(Submit("", _("Sign me up")))
