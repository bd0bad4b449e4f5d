from django.urls import URLPattern, path

from organizing.people import views

app_name = "people"
urlpatterns: list[URLPattern] = [
    path("me/", views.me, name="me"),
    path("me/privacy/", views.my_privacy, name="privacy"),
    path("me/export.json", views.my_export, name="my-export"),
    path("me/news/stop/", views.news_stop, name="news-stop"),
    path("me/leave/", views.leave, name="leave"),
    path("left/", views.left, name="left"),
    path("stay-in-touch/", views.stay_in_touch, name="stay-in-touch"),
    path("stay-in-touch/sent/<uuid:pk>/", views.stay_in_touch_sent, name="stay-in-touch-sent"),
    path("stay-in-touch/<str:link>/", views.stay_in_touch_confirm, name="stay-in-touch-confirm"),
]
