from django.urls import URLPattern, URLResolver, include, path

app_name = "surveys"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("surveys.design.urls")),
    path("", include("surveys.results.urls")),
    path("", include("surveys.answering.urls")),
]
