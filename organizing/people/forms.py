"""What people say about themselves."""

import zoneinfo
from datetime import datetime
from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from organizing.people.languages import languages
from organizing.people.models import Person
from organizing.web.guard import GUARD_FIELDS, GuardedForm

OLDEST = 120  # years


def time_zones(nothing: Any = None) -> list[tuple[str, Any]]:
    """Return IANA names as choices, after what to say for none (``None``: one must be chosen)."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    first = [("", nothing)] if nothing else []
    return [*first, *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    language = forms.ChoiceField(label=_("Write to me in"), choices=settings.LANGUAGES)
    also = forms.MultipleChoiceField(
        label=_("I also speak"), choices=languages, required=False, widget=forms.SelectMultiple(attrs={"size": 6})
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    class Meta:
        model = Person
        fields = ("display_name", "pronouns", "time_zone", "birth_year")
        labels = {"display_name": _("What should we call you?")}
        help_texts = {
            "pronouns": _("Such as she/her or they/them. You may leave it empty."),
            "birth_year": _("You may leave it empty. Then we treat you as under 18, which protects you more."),
        }

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spoken = self.instance.languages
        self._at = at
        self.initial.setdefault("language", spoken[0] if spoken else settings.LANGUAGE_CODE)
        self.initial.setdefault("also", spoken[1:])
        self.fields["time_zone"].choices = time_zones(_("As the organization"))  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.layout = Layout("display_name", "pronouns", "language", "also", "time_zone", "birth_year")
        self.helper.add_input(Submit("", _("Save")))

    def clean_birth_year(self) -> int | None:
        year: int | None = self.cleaned_data["birth_year"]
        if year is not None and not self._at.year - OLDEST <= year <= self._at.year:
            raise forms.ValidationError(_("Write a year such as 2009, or leave it empty."))
        return year

    def save(self, commit: bool = True) -> Person:
        first = self.cleaned_data["language"]
        self.instance.languages = [first, *(code for code in self.cleaned_data["also"] if code != first)]
        person: Person = super().save(commit)
        return person


class StayInTouchForm(GuardedForm):
    display_name = forms.CharField(label=_("What should we call you?"), max_length=120)
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    language = forms.ChoiceField(label=_("Write to me in"), choices=settings.LANGUAGES)
    message = forms.CharField(
        label=_("Anything you want to tell us?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    is_old_enough = forms.BooleanField(
        label=_("I am 13 or older"),
        error_messages={
            "required": _("We may keep an address only of people who are 13 or older. Ask a grown-up to write to us.")
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("language", get_language() or settings.LANGUAGE_CODE)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout("display_name", "email", "language", "message", "is_old_enough", *GUARD_FIELDS)


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label=_("Name"))


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """allauth's form in our words. A passkey signs in alone unless somebody wants it otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of this device")
        self.fields["passwordless"].label = _("Sign in with it alone, without a code by mail")
        self.fields["passwordless"].help_text = ""
        self.fields["passwordless"].initial = True
        self.initial["name"] = _("My phone or computer")


class CodeForm(ConfirmLoginCodeForm):  # type: ignore[misc]
    """allauth's form, with the digits of a phone's keyboard."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "placeholder": "1234-5678"}


class LeaveForm(forms.Form):
    is_sure = forms.BooleanField(label=_("Yes, erase what is stored about me and close my account"))
