from django.urls import URLPattern, path

from surveys.answering.importing import views

urlpatterns: list[URLPattern] = [
    path("surveys/<slug:slug>/answers/", views.import_new, name="import-new"),
    path("surveys/<slug:slug>/answers/<uuid:pk>/", views.import_detail, name="import-detail"),
    path("surveys/<slug:slug>/answers/<uuid:pk>/rejected.csv", views.import_rejected, name="import-rejected"),
]
