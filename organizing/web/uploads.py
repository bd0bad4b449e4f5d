"""The one door for files that people send: pictures, which are always made anew, and data files, which are measured.

A picture is decoded and encoded again, so that nothing of the original is kept but its pixels: no place, camera, time
or name (OWASP ASVS 5.0, 14.2.8), and no second file hidden in it. Data files go in as they are, to a reader that
trusts nothing. Neither is ever shown as a page.
"""

import io
import re
import unicodedata
import uuid
import warnings
from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

MEGABYTE = 1024 * 1024
PHOTO_BYTES = 8 * MEGABYTE
PHOTO_PIXELS = 40_000_000  # checked before decoding, because a small file can hold a huge picture (ASVS 5.2.6)
PHOTO_SIDE = 2560  # pixels of the longer side that are kept: enough for a screen and a printed page
DATA_BYTES = 64 * MEGABYTE

# Each with the ending and media type that a picture of ours has, and how it is saved.
_FORMATS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "JPEG": (".jpg", "image/jpeg", {"quality": 85, "optimize": True, "progressive": True}),
    "PNG": (".png", "image/png", {"optimize": True}),
    "WEBP": (".webp", "image/webp", {"quality": 85}),
}
_TYPES = {ending: media_type for ending, media_type, _options in _FORMATS.values()}
# Nothing of a stored file may run, whatever it turns out to be.
_NOTHING_RUNS = "default-src 'none'; sandbox"


class UploadCap(FileUploadHandler):
    """Refuses a request that is too long before any of it is written to the disk."""

    def handle_raw_input(
        self, input_data: Any, META: dict[str, str], content_length: int, boundary: str, encoding: str | None = None
    ) -> None:
        if content_length > settings.UPLOAD_BYTES_MAX:
            raise RequestDataTooBig("The upload is larger than UPLOAD_BYTES_MAX.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class PhotoField(forms.FileField):
    """A picture. Cleans to a new file with a random name, ready for an ``ImageField`` or ``FileField`` to save.

    The file that was sent is closed, and with it deleted, also when it is refused.
    """

    widget = forms.FileInput(attrs={"accept": ",".join(_TYPES.values())})  # phones then convert their own formats
    default_error_messages = {
        "not_a_photo": _("This is not a picture that we can read. Please send a JPEG, PNG or WebP file."),
        "too_large": _("This picture is too large. It may have up to 8 megabytes and 40 megapixels."),
        "broken": _("This picture is damaged. Please send it again, or another one."),
    }

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, initial)
        if not isinstance(data, UploadedFile):
            return upload
        with data:
            try:
                return remade_photo(data)
            except ValueError as reason:
                raise ValidationError(self.error_messages[str(reason)], code=str(reason)) from reason


def remade_photo(upload: "UploadedFile[Any]") -> "ContentFile[bytes]":
    """Return the picture made anew: upright, at most ``PHOTO_SIDE`` pixels long, without metadata, with a random name.

    Raises ``ValueError`` with one of ``too_large``, ``not_a_photo``, ``broken``.
    """
    if (upload.size or 0) > PHOTO_BYTES:
        raise ValueError("too_large")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the bound below is lower
        try:
            image = Image.open(io.BytesIO(upload.read()), formats=list(_FORMATS))
        except Image.DecompressionBombError as error:
            raise ValueError("too_large") from error
        except Exception as error:  # a stranger wrote the file: a decoder may raise anything
            raise ValueError("not_a_photo") from error
    if image.width * image.height > PHOTO_PIXELS:
        raise ValueError("too_large")
    form = str(image.format)
    ending, _media_type, options = _FORMATS[form]
    remade = io.BytesIO()
    try:
        _only_pixels(image, alpha=form != "JPEG").save(remade, form, **options)
    except Exception as error:
        raise ValueError("broken") from error
    return ContentFile(remade.getvalue(), name=f"{uuid.uuid4()}{ending}")


def _only_pixels(image: Image.Image, *, alpha: bool) -> Image.Image:
    """Decode the first frame, upright and no larger than needed.

    The colour profile is dropped too: pictures of phones grow a little paler, and no profile of a stranger is parsed.
    """
    if image.mode == "RGB":
        image.thumbnail((PHOTO_SIDE, PHOTO_SIDE))  # a JPEG is then never decoded at full size
    image.load()
    upright = ImageOps.exif_transpose(image)
    pixels = upright.convert("RGBA" if alpha and upright.has_transparency_data else "RGB")
    pixels.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    # What Pillow remembers of the file it would write again: comments, profiles, text.
    pixels.info.clear()
    return pixels


def photo_response(photo: FieldFile) -> FileResponse:
    """Return a stored picture, for a view that has checked who asks. Shown in ``<img>``; opened alone, it downloads."""
    media_type = _TYPES.get(PurePosixPath(photo.name or "").suffix)
    if not photo or media_type is None:
        raise Http404
    try:
        file = photo.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(
        file,
        as_attachment=True,
        content_type=media_type,
        headers={
            "Content-Security-Policy": _NOTHING_RUNS,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


class DataFileField(forms.FileField):
    """A file of data, such as CSV or JSON: measured, and with a name that is safe to show and to keep.

    ``endings`` are the ones taken, in lower case with their dot. What is inside is for its reader to judge.
    """

    default_error_messages = {
        "too_large": _("This file is too large. It may have up to {megabytes} megabytes."),
        "other_kind": _("This is another kind of file. Please send one that ends in {endings}."),
    }

    def __init__(self, *, endings: tuple[str, ...], max_bytes: int = DATA_BYTES, **kwargs: Any) -> None:
        self.endings = endings
        self.max_bytes = max_bytes
        kwargs.setdefault("widget", forms.FileInput(attrs={"accept": ",".join(endings)}))
        super().__init__(**kwargs)

    def to_python(self, data: "File[Any] | None") -> "File[Any] | None":
        if data is not None:
            data.name = safe_name(data.name or "")
        upload = super().to_python(data)
        if upload is None:
            return None
        if (upload.size or 0) > self.max_bytes:
            limit = max(1, self.max_bytes // MEGABYTE)
            raise ValidationError(format_lazy(self.error_messages["too_large"], megabytes=limit), code="too_large")
        if not str(upload.name).lower().endswith(self.endings):
            endings = ", ".join(self.endings)
            raise ValidationError(format_lazy(self.error_messages["other_kind"], endings=endings), code="other_kind")
        return upload


def safe_name(name: str) -> str:
    """Return the name without folders, controls and invisible letters, at most 100 characters long with its ending."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(letter for letter in base if unicodedata.category(letter)[0] not in "CZ" or letter == " ")
    kept = re.sub(r'[<>:"|?*\'`$;&]', "", seen).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: 99 - len(ending)]}.{ending}"
    return kept[:100] or "file"
