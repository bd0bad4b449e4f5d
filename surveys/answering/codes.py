"""Codes on paper: one answer each.

A code is ``K7QF-3MWX-9TGD``: four characters that find the row, eight that prove it. Of the eight only a salted
argon2id hash is stored (ASVS 5.0, 6.5.2: a secret under 112 bits is kept as a password is), the code itself is printed
once and never seen again.
"""

import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# Crockford's alphabet without U, and without the digits 0 and 1, which people read as O and I: 30 characters.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LOCATOR_LENGTH = 4
SECRET_LENGTH = 8  # 30⁸ = 6.6 × 10¹¹
PART_LENGTH = 4  # a dash after every fourth

# OWASP's smaller setting (19 MiB, 2 passes): a class sends at once, and 16 threads must fit in memory.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Code(NamedTuple):
    locator: str
    secret: str

    def __str__(self) -> str:
        whole = self.locator + self.secret
        return "-".join(whole[start : start + PART_LENGTH] for start in range(0, len(whole), PART_LENGTH))


def draw_code(locator: str | None = None) -> Code:
    def draw(length: int) -> str:
        return "".join(secrets.choice(ALPHABET) for _ in range(length))

    return Code(locator or draw(LOCATOR_LENGTH), draw(SECRET_LENGTH))


def parse_code(text: str) -> Code | None:
    """Read a code as people type it: any case, with or without dashes and spaces. ``None``: it cannot be one."""
    whole = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())
    if len(whole) != LOCATOR_LENGTH + SECRET_LENGTH or not set(whole) <= set(ALPHABET):
        return None
    return Code(whole[:LOCATOR_LENGTH], whole[LOCATOR_LENGTH:])


def hash_secret(code: Code) -> str:
    return HASHER.hash(code.secret)


def proves(code: Code, secret_hash: str) -> bool:
    try:
        return HASHER.verify(secret_hash, code.secret)
    except (VerificationError, InvalidHashError):
        return False


class WrongTries:
    """Slows down whoever guesses at one code, without knowing who that is.

    Counted by what was typed, not by where it came from: a class behind one address has as many tries as it has codes,
    and an address is nothing we want to hold. Kept in the memory of the process, so nothing about a try is stored;
    with two processes a guesser has twice the tries, which against 6.6 × 10¹¹ is nothing.
    """

    def __init__(self, *, tries: int = 10, wait: float = 60.0, remembered: int = 10_000) -> None:
        """``tries`` at once, then one more every ``wait`` seconds; the last ``remembered`` locators are known."""
        self.tries, self.wait, self.remembered = tries, wait, remembered
        self._used: OrderedDict[tuple[object, str], tuple[float, float]] = OrderedDict()  # level, as of (seconds)
        self._lock = threading.Lock()

    def may_try(self, survey: object, locator: str, *, clock: float | None = None) -> bool:
        with self._lock:
            return self._level(survey, locator, time.monotonic() if clock is None else clock) <= self.tries - 1

    def was_wrong(self, survey: object, locator: str, *, clock: float | None = None) -> None:
        now = time.monotonic() if clock is None else clock
        with self._lock:
            self._used[survey, locator] = (self._level(survey, locator, now) + 1, now)
            self._used.move_to_end((survey, locator))
            while len(self._used) > self.remembered:
                self._used.popitem(last=False)

    def _level(self, survey: object, locator: str, now: float) -> float:
        level, then = self._used.get((survey, locator), (0.0, now))
        return max(0.0, level - (now - then) / self.wait)


wrong_tries = WrongTries()
