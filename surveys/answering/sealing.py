"""Sealing the words that students write, with keys that are not in the database.

A dump of the database alone does not show what anybody wrote. The keys come from ``settings.SURVEY_KEYS``, the first
seals and all of them open, so a key is changed by putting a new one in front.
"""

import base64
import functools

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"organizing.surveys.answering.sealing"

# A Fernet token carries the time it was made, in clear. We promise to keep no time, so all of them were "made" in 1970.
NO_TIME = 0


def seal(text: str) -> str:
    """Return the text sealed: about 100 + 4/3 × its bytes of ASCII, another one at each call."""
    return _box(tuple(settings.SURVEY_KEYS)).encrypt_at_time(text.encode(), NO_TIME).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed. Raises ``cryptography.fernet.InvalidToken`` when no key of ours opens it."""
    return _box(tuple(settings.SURVEY_KEYS)).decrypt(sealed.encode()).decode()


@functools.lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(
        Fernet(base64.urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())))
        for key in keys
    )
