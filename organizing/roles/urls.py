from django.urls import URLPattern, path

from organizing.roles import set_up, views

app_name = "roles"
urlpatterns: list[URLPattern] = [
    path("people/", views.person_list, name="person-list"),
    path("people/add/", views.person_add, name="person-add"),
    path("people/<uuid:pk>/", views.person_detail, name="person-detail"),
    path("people/<uuid:pk>/contact/", views.person_contact, name="person-contact"),
    path("people/<uuid:pk>/grant/", views.role_grant, name="role-grant"),
    path("roles/", views.role_list, name="role-list"),
    path("roles/<uuid:pk>/approve/", views.role_approve, name="role-approve"),
    path("roles/<uuid:pk>/withdraw/", views.role_withdraw, name="role-withdraw"),
    path("settings/", views.organization_settings, name="organization-settings"),
    path("log/", views.audit_log, name="audit-log"),
    path("not-set-up/", set_up.not_set_up, name="not-set-up"),
    path("set-up/<str:secret>/", set_up.begin, name="set-up"),
    path("set-up/<str:secret>/code/", set_up.confirm, name="set-up-code"),
]
