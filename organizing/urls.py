from django.urls import include, path

urlpatterns = [
    path("", include("organizing.web.urls")),
    path("", include("organizing.people.urls")),
    path("", include("organizing.roles.urls")),
    path("account/", include("organizing.people.account_urls")),
    path("demo/", include("organizing.local.urls")),
    path("", include("surveys.urls")),
]

handler400 = "organizing.web.views.bad_request"
handler403 = "organizing.web.views.forbidden"
handler404 = "organizing.web.views.not_found"
handler500 = "organizing.web.views.server_error"
