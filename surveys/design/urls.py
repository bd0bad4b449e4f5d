from django.urls import URLPattern, path

from surveys.design import views

urlpatterns: list[URLPattern] = [
    path("surveys/", views.survey_list, name="survey-list"),
    # "new" and "upload" are no short addresses of surveys: portable.RESERVED_SLUGS.
    path("surveys/new/", views.survey_new, name="survey-new"),
    path("surveys/upload/", views.survey_upload, name="survey-upload"),
    path("surveys/<slug:slug>/", views.survey_detail, name="survey-detail"),
    path("surveys/<slug:slug>/settings/", views.survey_edit, name="survey-edit"),
    path("surveys/<slug:slug>/method/", views.survey_method, name="survey-method"),
    path("surveys/<slug:slug>/file.json", views.survey_file, name="survey-file"),
    path("surveys/<slug:slug>/delete/", views.survey_delete, name="survey-delete"),
    path("surveys/<slug:slug>/preview/", views.survey_preview, name="survey-preview"),
    path("surveys/<slug:slug>/poster/<slug:code>/", views.survey_poster, name="survey-poster"),
    path("surveys/<slug:slug>/question/", views.question_new, name="question-new"),
    path("surveys/<slug:slug>/question/<str:key>/", views.question_edit, name="question-edit"),
    path("surveys/<slug:slug>/question/<str:key>/move/", views.question_move, name="question-move"),
    path("surveys/<slug:slug>/question/<str:key>/remove/", views.question_remove, name="question-remove"),
    path("surveys/<slug:slug>/propose/", views.change_propose, name="change-propose"),
    path("surveys/<slug:slug>/changes/<uuid:pk>/approve/", views.change_approve, name="change-approve"),
    path("surveys/<slug:slug>/changes/<uuid:pk>/withdraw/", views.change_withdraw, name="change-withdraw"),
]
