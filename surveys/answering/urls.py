from django.urls import URLPattern, URLResolver, path

from surveys.answering import preview, public_urls, views
from surveys.answering.importing import urls as importing_urls

urlpatterns: list[URLPattern | URLResolver] = [
    *public_urls.urlpatterns,
    path("surveys/<slug:slug>/preview/form/", preview.form_preview, name="form-preview"),
    path("surveys/<slug:slug>/codes/", views.code_list, name="code-list"),
    *importing_urls.urlpatterns,
]
