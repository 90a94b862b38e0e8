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
_SPACE = re.compile(_SPACES)
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
        """Return the value under a decimal mark; None where it is no number under it."""
        if not _READINGS[mark].fullmatch(self.digits):
            return None
        digits = self.digits.replace(_GROUPED[mark], "").replace(_DECIMAL[mark], ".")
        return Decimal(f"-{digits}" if self.negative else digits)


def figure_of(text: str) -> Figure | None:
    """Return the figure in a text, or None where it holds anything but a number, a sign and a dollar sign."""
    if text.isascii() and text.isdigit():
        return Figure(text, negative=False)
    found = _FIGURE.fullmatch(text)
    if found is None:
        return None
    # Parentheses are a bookkeeper's minus; with a second sign it is unclear what is meant.
    signs = [sign for sign in found.group("open", "sign", "sign2", "after") if sign]
    if len(signs) > 1 or bool(found["open"]) != bool(found["close"]):
        return None
    digits = _SPACE.sub("", found["figure"])
    if (digits != found["figure"] and not _SPACED.fullmatch(found["figure"])) or not digits.strip(".,"):
        return None
    return Figure(digits, negative=bool(set(signs) - {"+"}))


def read_number(text: str, mark: Mark) -> Decimal | None:
    """Return the exact value of a text under a decimal mark, or None where it is no number under it."""
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
        """The decimal mark, where the column leaves no doubt; for whole numbers it does not matter."""
        if self.point and self.comma:
            return None
        if self.comma:
            return "comma"
        return None if self.either and not self.point else "point"


def find_mark(texts: Iterable[str]) -> MarkEvidence:
    """Look at every value, and keep the first example of each kind."""
    examples: dict[str, str] = {}
    for text in texts:
        if text.isdigit() or (figure := figure_of(text)) is None:
            continue
        as_point, as_comma = figure.under("point"), figure.under("comma")
        if as_point == as_comma:
            continue  # `-5` is the same under both marks, and `1.2.3` a number under none
        either = as_point is not None and as_comma is not None
        examples.setdefault("either" if either else "comma" if as_point is None else "point", text)
    return MarkEvidence(**examples)
