from django.http import HttpRequest, HttpResponse


def _plain(status: int) -> HttpResponse:
    return HttpResponse(status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _plain(400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _plain(403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _plain(404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _plain(500)
