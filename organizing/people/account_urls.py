"""What is used of allauth, and nothing else: no sign-up, no passwords."""

from allauth.account import views
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

urlpatterns: list[URLPattern | URLResolver] = [
    # Signing in is asking for a code, or showing a passkey. allauth knows the page by two names.
    path("login/", views.request_login_code, name="account_login"),
    path("login/", views.request_login_code, name="account_request_login_code"),
    path("login/code/", views.confirm_login_code, name="account_confirm_login_code"),
    # allauth links to a sign-up page from its mails. Ours is leaving an address.
    path("join/", RedirectView.as_view(pattern_name="people:stay-in-touch"), name="account_signup"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("email/", views.email, name="account_email"),
    path("email/code/", views.email_verification_sent, name="account_email_verification_sent"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("second-factor/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
]
