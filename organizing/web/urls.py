from django.urls import URLPattern, path

from organizing.web import health, pages

app_name = "web"
urlpatterns: list[URLPattern] = [
    path("", pages.home, name="home"),
    path("privacy/", pages.privacy, name="privacy"),
    path("home/", pages.member_home, name="member-home"),
    path("today/", pages.today, name="today"),
    path("language/", pages.language_set, name="language-set"),
    path("healthz", health.healthz, name="healthz"),
    path("style/", pages.style, name="style"),
    path("style/survey/", pages.style_survey, name="style-survey"),
]
