from django.urls import URLPattern, path

from organizing.local import pages

app_name = "local"
urlpatterns: list[URLPattern] = [
    path("", pages.demo, name="demo"),
    path("sign-in/", pages.demo_sign_in, name="demo-sign-in"),
]
