"""What students open. A URL configuration of its own, because the short way serves it (see middleware.py)."""

from django.urls import path

from surveys.answering import views

urlpatterns = [
    path("s/<slug:slug>/", views.answer, name="answer"),
    path("s/<slug:slug>/thanks/", views.thanks, name="answer-thanks"),
]
