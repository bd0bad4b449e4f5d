"""A data file is measured, and its name is made safe."""

import io

import pytest
from django import forms
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict
from hypothesis import given
from hypothesis import strategies as st

from organizing.web.uploads import DataFileField, UploadCap, safe_name


class DataForm(forms.Form):
    file = DataFileField(endings=(".csv", ".tsv"), max_bytes=1000)


def sent(content: bytes, name: str = "answers.csv") -> DataForm:
    return DataForm(files=MultiValueDict({"file": [SimpleUploadedFile(name, content)]}))


def code(form: forms.Form) -> str:
    [error] = form.errors.as_data()["file"]
    assert "{" not in "".join(error.messages)
    return str(error.code)


def test_a_data_file_comes_in_as_it_is() -> None:
    form = sent(b"a,b\n1,2\n", "Answers.CSV")
    assert form.is_valid()
    assert form.cleaned_data["file"].read() == b"a,b\n1,2\n"
    assert form.cleaned_data["file"].name == "Answers.CSV"


def test_a_file_that_is_too_long_is_refused() -> None:
    assert sent(bytes(1000)).is_valid()
    assert code(sent(bytes(1001))) == "too_large"


def test_an_empty_file_is_refused() -> None:
    assert code(sent(b"")) == "empty"


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.exe", "csv", "a.html"])
def test_another_kind_of_file_is_refused(name: str) -> None:
    assert code(sent(b"a", name)) == "other_kind"


def test_no_file_is_refused() -> None:
    assert code(DataForm(files=MultiValueDict())) == "required"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("answers.csv", "answers.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\answers.csv", "answers.csv"),
        ("a\r\nb\0.csv", "ab.csv"),
        ("\u202evsc.exe", "vsc.exe"),
        ("encuesta año 2026.csv", "encuesta año 2026.csv"),
        ("<script>.csv", "script.csv"),
        ("...", "file"),
        ("", "file"),
        (".csv", "csv"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text())
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 100
    assert not set(safe) & set('/\\\0\r\n<>"')
    assert safe.strip(".") != ""


def test_a_request_that_is_too_long_is_refused_before_it_is_read(settings: object) -> None:
    settings.UPLOAD_BYTES_MAX = 100  # type: ignore[attr-defined]
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("a.csv", bytes(200))})
    body = io.BytesIO(request.body)
    handlers = [UploadCap(request), MemoryFileUploadHandler(request)]
    with pytest.raises(RequestDataTooBig):
        MultiPartParser(request.META, body, handlers).parse()
    assert body.tell() == 0
