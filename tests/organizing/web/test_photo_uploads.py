"""A picture is made anew: only its pixels are kept, and nothing but a picture comes in."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import models
from django.http import Http404
from django.test.utils import isolate_apps
from django.utils.datastructures import MultiValueDict
from PIL import ExifTags, Image, PngImagePlugin

from organizing.web.uploads import PHOTO_BYTES, PHOTO_PIXELS, PHOTO_SIDE, PhotoField, photo_response, remade_photo

SECRET = "Oaxaca-canary"
FORMATS = ["JPEG", "PNG", "WEBP"]


class PhotoForm(forms.Form):
    photo = PhotoField()


def phone_photo(form: str = "JPEG", *, size: tuple[int, int] = (400, 300), orientation: int = 1) -> bytes:
    """Return a photo as a phone writes it: with place, camera, time, comment, thumbnail, XMP and a colour profile."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = SECRET
    exif[ExifTags.Base.DateTime] = "2026:09:10 20:00:00"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: (29.0, 57.0, 3.0),
            ExifTags.GPS.GPSLongitudeRef: "W",
            ExifTags.GPS.GPSLongitude: (90.0, 4.0, 12.0),
        }
    )
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = SECRET.encode()
    options: dict[str, Any] = {"exif": exif, "icc_profile": b"profile " + SECRET.encode()}
    if form == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET)
        text.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET}</x>")
        options["pnginfo"] = text
    else:
        options["xmp"] = f"<x>{SECRET}</x>".encode()
    if form == "JPEG":
        options |= {"comment": SECRET.encode(), "dpi": (300, 300)}
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def upload(content: bytes, name: str = "IMG_1234.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def remade(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(remade_photo(upload(content)).read()))


def refusal(content: bytes, name: str = "a.jpg") -> str:
    form = PhotoForm(files=MultiValueDict({"photo": [upload(content, name)]}))
    assert not form.is_valid()
    [error] = form.errors.as_data()["photo"]
    assert str(error.message)
    return str(error.code)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_nothing_is_kept_but_the_pixels(form: str, orientation: int) -> None:
    original = phone_photo(form, orientation=orientation)
    assert SECRET.encode() in original
    content = remade_photo(upload(original)).read()
    for trace in (SECRET.encode(), b"Exif", b"ICC_PROFILE", b"iCCP", b"ICCP", b"http://ns.adobe.com", b"xmp", b"eXIf"):
        assert trace not in content
    image = Image.open(io.BytesIO(content))
    assert image.format == form
    assert not image.getexif()
    assert not set(image.info) - {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
        "loop",
        "background",
        "duration",
        "timestamp",
    }


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (399, 299)), (6, (299, 0)), (8, (0, 399))])
def test_a_photo_taken_sideways_stands_upright(form: str, orientation: int, corner: tuple[int, int]) -> None:
    source = Image.new("RGB", (400, 300), "blue")
    source.paste((255, 0, 0), (0, 0, 60, 60))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    source.save(file, form, exif=exif)
    image = remade(file.getvalue()).convert("RGB")
    assert image.size == ((400, 300) if orientation in (1, 3) else (300, 400))
    x, y = (min(max(place, 20), side - 20) for place, side in zip(corner, image.size, strict=True))
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 60 > pixel[2]


def test_a_large_photo_is_made_smaller() -> None:
    assert max(remade(phone_photo(size=(4000, 3000))).size) == PHOTO_SIDE


def test_a_drawing_keeps_its_see_through_parts() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(file, "PNG")
    assert remade(file.getvalue()).mode == "RGBA"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_is_taken(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (10, 10)).save(file, "PNG")
    assert remade(file.getvalue()).size == (10, 10)


def test_a_photo_for_print_is_taken() -> None:
    file = io.BytesIO()
    Image.new("CMYK", (10, 10)).save(file, "JPEG")
    assert remade(file.getvalue()).mode == "RGB"


def test_the_new_name_says_nothing() -> None:
    first, second = (remade_photo(upload(phone_photo(), "ana-at-home.jpg")).name for _ in range(2))
    assert first != second
    assert "ana" not in str(first)
    assert str(first).endswith(".jpg")


def test_the_ending_is_that_of_the_content() -> None:
    assert str(remade_photo(upload(phone_photo("PNG"), "a.html")).name).endswith(".png")


@pytest.mark.parametrize("content", [phone_photo(), b"<html>"])
def test_what_was_sent_is_deleted(content: bytes) -> None:
    sent = TemporaryUploadedFile("a.jpg", "image/jpeg", len(content), None)
    sent.write(content)
    sent.seek(0)
    path = Path(sent.temporary_file_path())
    assert path.exists()
    PhotoForm(files=MultiValueDict({"photo": [sent]})).is_valid()
    assert not path.exists()


def png(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("P", (5, 5)).save(file, "GIF")
    return file.getvalue()


def tiff() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 5)).save(file, "TIFF")
    return file.getvalue()


HTML = b"<!doctype html><script>alert(1)</script>"
NOT_PHOTOS = {
    "renamed html": HTML,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "svg with entities": b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
    "pdf": b"%PDF-1.7\n1 0 obj",
    "zip": b"PK\x03\x04" + bytes(60),
    "exe": b"MZ" + bytes(100),
    "elf": b"\x7fELF" + bytes(100),
    "gif": gif(),
    "tiff": tiff(),
    "gif that is a script": b"GIF89a/*" + HTML,
    "bmp": b"BM" + bytes(100),
    "ico": b"\0\0\1\0\1\0" + bytes(40),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "heic": b"\0\0\0\x18ftypheic" + bytes(40),
    "php": b"<?php system($_GET[0]); ?>",
    "text": b"hello",
    "nul": bytes(100),
    "png start only": b"\x89PNG\r\n\x1a\n",
    "jpeg start only": b"\xff\xd8\xff",
    "jpeg start, then html": b"\xff\xd8\xff" + HTML,
    "webp start, then html": b"RIFF\x30\0\0\0WEBP" + HTML,
    "tar": b"a" * 257 + b"ustar" + bytes(300),
    "psd": b"8BPS\0\1" + bytes(60),
    "wasm": b"\0asm\1\0\0\0",
    "flash": b"CWS\x0a" + bytes(40),
}


@pytest.mark.parametrize("content", NOT_PHOTOS.values(), ids=NOT_PHOTOS)
def test_what_is_not_a_photo_is_refused(content: bytes) -> None:
    assert refusal(content) in ("not_a_photo", "broken")


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "empty"


@pytest.mark.parametrize("form", FORMATS)
def test_a_photo_cut_short_is_refused(form: str) -> None:
    whole = phone_photo(form)
    assert refusal(whole[: len(whole) // 2]) in ("broken", "not_a_photo")


def test_a_small_file_with_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    for width, height in [(20_000, 20_000), (PHOTO_PIXELS // 1000 + 1, 1000), (2**31 - 1, 2**31 - 1)]:
        assert refusal(png(width, height, zlib.compress(bytes(100)))) == "too_large"


def test_a_file_that_is_too_long_is_refused() -> None:
    assert refusal(phone_photo() + bytes(PHOTO_BYTES)) == "too_large"


def test_text_that_swells_is_refused() -> None:
    bomb = zlib.compress(bytes(80 * 1024 * 1024))
    body = b"Comment\0\0" + bomb
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    whole = phone_photo("PNG")
    assert refusal(whole[:33] + chunk + whole[33:]) in ("not_a_photo", "broken")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("hidden", [HTML, b"PK\x03\x04" + HTML, b"<?php 1 ?>", b"%PDF-1.7"])
def test_a_second_file_hidden_behind_a_photo_is_dropped(form: str, hidden: bytes) -> None:
    assert hidden not in remade_photo(upload(phone_photo(form) + hidden)).read()


class TestServing:
    @pytest.fixture
    def stored(self, tmp_path: Path) -> Any:
        with isolate_apps("organizing.web"):

            class Poster(models.Model):
                photo = models.FileField(storage=FileSystemStorage(tmp_path))

                class Meta:
                    app_label = "web"

        return Poster

    @pytest.mark.django_db  # closing an answer looks after the connection
    def test_a_picture_is_never_shown_as_a_page(self, stored: Any) -> None:
        poster = stored()
        poster.photo.save("x.jpg", remade_photo(upload(phone_photo())), save=False)
        response = photo_response(poster.photo)
        assert response["Content-Disposition"].startswith("attachment")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Content-Type"] == "image/jpeg"
        response.close()

    @pytest.mark.parametrize("name", ["x.html", "x.svg", "x", "x.jpg.html"])
    def test_another_kind_of_file_is_not_served(self, stored: Any, name: str) -> None:
        poster = stored()
        poster.photo.save(name, ContentFile(HTML), save=False)
        with pytest.raises(Http404):
            photo_response(poster.photo)

    def test_a_missing_picture_is_not_found(self, stored: Any) -> None:
        for photo in (stored().photo, stored(photo="gone.jpg").photo):
            with pytest.raises(Http404):
                photo_response(photo)
