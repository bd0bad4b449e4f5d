"""Words are readable with a key of ours, and tell nothing else."""

import base64

import pytest
from cryptography.fernet import InvalidToken
from pytest_django import Settings

from surveys.answering.sealing import seal, unseal


def test_sealed_words_open_again() -> None:
    words = "no me siento seguro 🚌 \u202eabc"
    assert unseal(seal(words)) == words
    assert "seguro" not in seal(words)


def test_sealed_words_do_not_tell_when_they_were_sealed() -> None:
    assert base64.urlsafe_b64decode(seal("words"))[1:9] == bytes(8)


def test_the_same_words_are_sealed_differently_each_time() -> None:
    assert seal("yes") != seal("yes")


def test_a_new_key_in_front_still_opens_what_the_old_one_sealed(settings: Settings) -> None:
    settings.SURVEY_KEYS = ["old"]
    sealed = seal("words")
    settings.SURVEY_KEYS = ["new", "old"]
    assert unseal(sealed) == "words"
    settings.SURVEY_KEYS = ["new"]
    with pytest.raises(InvalidToken):
        unseal(sealed)
