from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from tests.bench.floor.models import Answer


def form(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Answer(answers=dict(request.POST.lists())).save(force_insert=True)
        return redirect("/thanks")
    return render(request, "form.html")


urlpatterns = [path("form", form)]
