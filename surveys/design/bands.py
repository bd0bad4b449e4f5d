"""A number is only ever told in bands, and bands are fixed before the first answer.

``[10, 20]`` makes three of them: under 10 (``b0``), 10 to under 20 (``b1``), 20 and over (``b2``).
"""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Protocol

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

EQUAL_BANDS_MAX = 10


class Banded(Protocol):
    """A question, as a row or as a ``QuestionDefinition``."""

    @property
    def bands(self) -> Sequence[float]:
        """The cuts, rising."""


def equal_bands(low: float, high: float) -> list[float]:
    """Return the cuts that part ``low``..``high`` into at most ten bands of one round width (1, 2 or 5 × 10ⁿ).

    Cuts are multiples of the width, so the first and the last band may reach past the range or be narrower:
    15..75 is cut at 20, 30, … 70. Whole ends give whole cuts.
    """
    start, end = Decimal(repr(float(low))), Decimal(repr(float(high)))
    span = end - start
    exponent = (span / EQUAL_BANDS_MAX).adjusted()
    widths = (Decimal(step).scaleb(power) for power in range(exponent, exponent + 3) for step in (1, 2, 5))
    whole = start == start.to_integral_value() and end == end.to_integral_value()
    for width in widths:
        if whole and width < 1:
            continue
        first = (start / width).to_integral_value(ROUND_FLOOR) + 1
        cuts: list[float] = []
        # Single whole numbers: the greatest answer is a band of its own, as the others are.
        last = end if whole and width == 1 else end.next_minus()
        while (cut := first * width) <= last and len(cuts) < EQUAL_BANDS_MAX:
            cuts.append(float(cut))
            first += 1
        if len(cuts) < EQUAL_BANDS_MAX:
            return sorted({cut for cut in cuts if low < cut <= high})  # rounded, neighbours may fall together
    raise AssertionError("a width a hundred times the tenth of a range cuts it less than ten times")


def band_keys(question: Banded) -> list[str]:
    """Return the bands' keys in order. No cuts, no bands: such a number is only counted."""
    return [f"b{place}" for place in range(len(question.bands) + 1)] if question.bands else []


def band_of(question: Banded, value: float) -> str:
    """Return the key of the band that the value falls in. A value on a cut belongs to the upper band."""
    return f"b{bisect_right(question.bands, value)}"


def band_label(question: Banded, key: str, language: str) -> str:
    """Name a band in a language: "under 10", "10 to under 20", "20 and over"."""
    cuts, place = question.bands, int(key.removeprefix("b"))
    with translation.override(language):
        if place == 0:
            return _("under %(cut)s") % {"cut": _told(cuts[0])}
        if place == len(cuts):
            return _("%(cut)s and over") % {"cut": _told(cuts[-1])}
        return _("%(low)s to under %(high)s") % {"low": _told(cuts[place - 1]), "high": _told(cuts[place])}


def _told(number: float) -> str:
    exact = Decimal(repr(float(number))).normalize()
    return number_format(f"{exact:f}", use_l10n=True)
