"""Numbers as people write them: strict reading under one decimal mark, and finding the mark from a whole column.

`1.234` is one thousand or one and a bit: only the other values of its column, or a person, can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Mark = Literal["point", "comma"]
MARKS: tuple[Mark, Mark] = ("point", "comma")

_SPACES = r"[ \u00a0\u2009\u202f']"
_CURRENCY = r"(?:US\$|USD|U\$S|\$)"
_FIGURE = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+\u2212])?\s*{_CURRENCY}?\s*(?P<sign2>[-+\u2212])?\s*"
    rf"(?P<figure>[0-9.,](?:[0-9.,]|{_SPACES}(?=[0-9]))*)\s*{_CURRENCY}?\s*(?P<after>[-\u2212])?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_SPACED = re.compile(rf"[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+(?:[.,][0-9]+)?")
_READINGS = {
    "point": re.compile(r"(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)?(?:\.[0-9]*)?"),
    "comma": re.compile(r"(?:[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)?(?:,[0-9]*)?"),
}
_GROUPED = {"point": ",", "comma": "."}
_DECIMAL = {"point": ".", "comma": ","}
SCIENTIFIC = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?[eE][-+]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Figure:
    """Digits and marks of a number without sign, currency and spaces."""

    digits: str
    negative: bool

    def under(self, mark: Mark) -> Decimal | None:
        """The value under a decimal mark; None where it is no number under it."""
        if not _READINGS[mark].fullmatch(self.digits):
            return None
        digits = self.digits.replace(_GROUPED[mark], "").replace(_DECIMAL[mark], ".")
        return Decimal(f"-{digits}" if self.negative else digits)


def figure_of(text: str) -> Figure | None:
    """The figure in a text, or None where it holds anything but a number, a sign and a dollar sign."""
    if text.isascii() and text.isdigit():
        return Figure(text, negative=False)
    found = _FIGURE.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = [sign for sign in (found["sign"], found["sign2"], found["after"]) if sign]
    if len(signs) > 1 or (signs and found["open"]):
        return None
    digits = found["figure"]
    if any(space in digits for space in " \u00a0\u2009\u202f'"):
        if not _SPACED.fullmatch(digits):
            return None
        digits = re.sub(_SPACES, "", digits)
    if not any(character.isdigit() for character in digits):
        return None
    return Figure(digits, negative=bool(found["open"]) or (bool(signs) and signs[0] != "+"))


def read_number(text: str, mark: Mark) -> Decimal | None:
    """The exact value, or None."""
    figure = figure_of(text)
    return None if figure is None else figure.under(mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkEvidence:
    """What the values of one column say about their decimal mark, with an example of each."""

    point: str = ""
    comma: str = ""
    either: str = ""
    """A value that is a different number under each."""

    @property
    def mark(self) -> Mark | None:
        """The mark, where the column leaves no doubt; for whole numbers it does not matter."""
        if self.point and self.comma:
            return None
        if self.comma:
            return "comma"
        return None if self.either and not self.point else "point"


def find_mark(texts: Iterable[str]) -> MarkEvidence:
    """Looks at every value; the first example of each kind is kept."""
    point = comma = either = ""
    for text in texts:
        if text.isdigit() or (figure := figure_of(text)) is None:
            continue
        as_point, as_comma = figure.under("point"), figure.under("comma")
        if as_point is not None and as_comma is None:
            point = point or text
        elif as_comma is not None and as_point is None:
            comma = comma or text
        elif as_point != as_comma:
            either = either or text
    return MarkEvidence(point=point, comma=comma, either=either)
