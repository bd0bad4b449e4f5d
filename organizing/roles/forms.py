"""Granting roles, adding people, the organization's settings, and its beginning."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Fieldset, Layout, Submit
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from organizing.audit.models import AuditEvent
from organizing.people.forms import time_zones
from organizing.people.models import Organization, Person
from organizing.roles.models import Role
from organizing.roles.operations import Beginning


class AddPersonForm(forms.Form):
    display_name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    language = forms.ChoiceField(label=_("Write to them in"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", _("Add and write to them")))


class GrantForm(forms.Form):
    """``roles``: those that may be granted to this person."""

    role = forms.ChoiceField(label=_("Role"))
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Leave it empty to grant the role until it is withdrawn."),
    )

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]

    def end(self, organization: Organization | None) -> datetime | None:
        """Return the end of the last day where the organization is."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        zone = organization.zone() if organization else UTC
        return datetime.combine(day + timedelta(days=1), time.min, zone)


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    languages = forms.MultipleChoiceField(
        label=_("Languages"),
        choices=settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The languages this site speaks to people."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"))
    donate_url = forms.URLField(
        label=_("Donation page"), required=False, assume_scheme="https", help_text=_("You may leave it empty.")
    )

    class Meta:
        model = Organization
        fields = ("name", "languages", "time_zone", "contact_email", "donate_url")
        labels = {"name": _("Name of the organization"), "contact_email": _("Contact e-mail")}
        help_texts = {
            "contact_email": _("Shown on every page, so that people can write to you."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = time_zones()  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.layout = Layout("name", "languages", "time_zone", "contact_email", "donate_url")
        self.helper.add_input(Submit("", _("Save")))


class SetUpForm(SettingsForm):
    about_leads = _("Lead organizers decide who else may do what. Make somebody else a second one soon.")

    lead_name = forms.CharField(label=_("Your name"), max_length=120)
    lead_email = forms.EmailField(
        label=_("Your e-mail"), max_length=254, help_text=_("We send a code there, to see that it arrives.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("languages", [code for code, _name in settings.LANGUAGES])
        self.initial.setdefault("time_zone", "America/New_York")
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout(
            Fieldset(_("Your organization"), "name", "languages", "time_zone", "contact_email", "donate_url"),
            Fieldset(
                _("The first lead organizer: you"),
                HTML("<p>{{ form.about_leads }}</p>"),
                "lead_name",
                "lead_email",
            ),
        )

    def beginning(self) -> Beginning:
        said = self.cleaned_data
        return Beginning(
            name=said["name"],
            languages=said["languages"],
            time_zone=said["time_zone"],
            contact_email=said["contact_email"],
            donate_url=said["donate_url"],
            lead_name=said["lead_name"],
            lead_email=said["lead_email"].lower(),
        )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PersonSearchForm(forms.Form):
    q = forms.CharField(
        label=_("Name"), required=False, max_length=120, widget=forms.TextInput(attrs={"type": "search"})
    )
    role = forms.ChoiceField(label=_("Role"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", _("any")), *Role.choices]  # type: ignore[attr-defined]


class LogForm(forms.Form):
    verb = forms.ChoiceField(label=_("What was done"), required=False)
    by = forms.ModelChoiceField(label=_("By whom"), queryset=Person.objects.none(), required=False)

    def __init__(self, *args: Any, verbs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verb"].choices = [("", _("anything")), *((verb, verb) for verb in verbs)]  # type: ignore[attr-defined]
        actors = AuditEvent.objects.filter(actor_id__isnull=False).values("actor_id")
        people = Person.objects.filter(pk__in=actors).order_by("display_name")
        self.fields["by"].queryset = people  # type: ignore[attr-defined]
        self.fields["by"].empty_label = _("anybody")  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select"
