from django.urls import URLPattern, path

from surveys.results import views

urlpatterns: list[URLPattern] = [
    # For everyone
    path("results/", views.published_results, name="published-results"),
    path("s/<slug:slug>/results/", views.results, name="results"),
    path("s/<slug:slug>/results/<int:number>/", views.results, name="results-earlier"),
    path("s/<slug:slug>/results/<int:number>.csv", views.results_csv, name="results-csv"),
    path("s/<slug:slug>/results/<int:number>.json", views.results_json, name="results-json"),
    # For organizers
    path("surveys/<slug:slug>/results/", views.results_preview, name="results-preview"),
    path("surveys/<slug:slug>/results/release/", views.release_make, name="release-make"),
    path("surveys/<slug:slug>/results/names.csv", views.names_export, name="names-export"),
    path("surveys/<slug:slug>/results/<int:number>/", views.results_preview, name="release-preview"),
    path("surveys/<slug:slug>/results/<int:number>/propose/", views.publication_propose, name="publication-propose"),
    path("surveys/<slug:slug>/results/<int:number>/approve/", views.publication_approve, name="publication-approve"),
    path("surveys/<slug:slug>/results/<int:number>.csv", views.preview_csv, name="preview-csv"),
    path("surveys/<slug:slug>/results/<int:number>.json", views.preview_json, name="preview-json"),
    # For trustees
    path("texts/", views.text_list, name="text-list"),
    path("texts/<uuid:pk>/", views.text_review, name="text-review"),
]
