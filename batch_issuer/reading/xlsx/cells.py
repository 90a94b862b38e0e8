"""What one cell of a workbook says, from how it is stored: its type, its number format, its value.

Numbers become the text that Excel shows in its formula bar (15 digits, no exponent), dates become ISO text, and a
format made only of zeros keeps the zeros that the stored number has lost.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from batch_issuer.reading.tables import CellKind

BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
BUILT_IN_FORMATS: Mapping[int, str] = {9: "0%", 10: "0.00%"}
"""ECMA-376 part 1, 18.8.30; the other built-in formats show the number itself."""


class Cell(NamedTuple):
    """A decoded cell. `shown` is its number format where that shows something else than the text."""

    text: str
    kind: CellKind
    shown: str = ""


EMPTY = Cell("", CellKind.TEXT)

# ` s="3" t="s"><v>12`: attributes, and a value, a text within the sheet, or a formula that has no value beside it.
_KEY = re.compile(rb"([^>]*?)/?><(v|is><t|f)[^>]*>([^<]*)", re.DOTALL)
_ATTRIBUTE = re.compile(rb'([a-z]+)="([^"]*)"')
_NOT_CODES = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DATE_CODES = re.compile(r"[dmyhsDMYHS]")
_MASK = re.compile(r'(?:0|[-\s/.]|\\[-\s/.]|"[-\s/.]+")+')
_LITERALS = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)(?:-[^\]]*)?\]')
_DOLLARS = frozenset({"$", "US$", "USD", "US$ ", "$ ", "USD "})
# Excel for the Mac once counted from 1904; a workbook says which of the two it means.
_START_1900 = dt.datetime(1899, 12, 31)  # noqa: DTZ001 - a wall clock
_START_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001 - a wall clock
_ESCAPED_CHARACTER = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What a cell's number format does to the number that is stored."""

    is_date: bool = False
    is_percentage: bool = False
    mask: str = ""
    """Zeros and separators only: the number is shown with this many digits."""
    shown: str = ""
    """A format with words of its own, or that divides the number."""

    def cell(self, stored: str, *, from_1904: bool) -> Cell:
        """Return the cell of a stored number: as this format shows it where that says more than the number."""
        number = plain_number(stored)
        if number is None:
            return Cell(stored, CellKind.ERROR)
        if self.is_date and (date := date_text(float(stored), from_1904=from_1904)):
            return Cell(date, CellKind.DATE)
        if self.is_percentage:
            return Cell(f"{_plain(Decimal(number) * 100)}%", CellKind.NUMBER)
        if self.mask and number.isdigit():
            return Cell(masked(number, self.mask), CellKind.NUMBER)
        return Cell(number, CellKind.NUMBER, self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What the cells of all sheets share."""

    strings: Sequence[str] = ()
    styles: Sequence[Style] = ()
    from_1904: bool = False
    plain: Style = field(default_factory=Style)

    def cell(self, key: bytes) -> Cell:
        """Return the cell of a key: what stands in the sheet between the cell's address and its end tag."""
        found = _KEY.match(key)
        if found is None:
            return EMPTY
        attributes = dict(_ATTRIBUTE.findall(found[1]))
        style = int(attributes.get(b"s", 0))
        text = html.unescape(found[3].decode())
        if found[2] == b"f":
            return Cell("=" + text, CellKind.FORMULA)
        if not text:
            return EMPTY
        match attributes.get(b"t"):  # ECMA-376 part 1, 18.18.11; without one it is a number
            case b"s":
                return Cell(unescaped(self.strings[int(text)]), CellKind.TEXT)
            case b"str" | b"inlineStr":
                return Cell(unescaped(text), CellKind.TEXT)
            case b"b":
                return Cell("TRUE" if text.strip() == "1" else "FALSE", CellKind.BOOLEAN)
            case b"e":
                return Cell(text, CellKind.ERROR)
            case b"d":
                return Cell(text.replace("T", " ").removesuffix(" 00:00:00"), CellKind.DATE)
        shown_by = self.styles[style] if style < len(self.styles) else self.plain
        return shown_by.cell(text, from_1904=self.from_1904)


def plain_number(text: str) -> str | None:
    """Return a stored number as Excel shows it: 15 significant digits, never an exponent. None where it is not one."""
    if text.isascii() and text.isdigit() and len(text) <= 15 and (text[0] != "0" or text == "0"):
        return text
    try:
        shown = format(float(text), ".15g")
        if "e" in shown or shown == "-0":
            return _plain(Decimal(shown))
        return None if shown.lstrip("-")[:1] in ("i", "n") else shown  # inf and nan are numbers to Python only
    except (ValueError, ArithmeticError):
        return None


def _plain(number: Decimal) -> str:
    """Return a number without exponent and without zeros at its end."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def date_text(serial: float, *, from_1904: bool) -> str:
    """Return the ISO text of a serial date, in days, to the second; empty where it is no date that Excel has."""
    if not 0 <= serial < 2_958_466:
        return ""
    seconds = round(serial * 86400)
    if seconds < 86400:
        return str(dt.timedelta(seconds=seconds)).zfill(8)
    # Excel believes in 29 February 1900, so the days before it count from one day later.
    start = _START_1904 if from_1904 else _START_1900 - dt.timedelta(days=serial >= 60)
    try:
        return (start + dt.timedelta(seconds=seconds)).isoformat(" ").removesuffix(" 00:00:00")
    except OverflowError:
        return ""


def masked(digits: str, mask: str) -> str:
    """Return the digits as the mask shows them: `masked("6140507071048", "00000000000000")` is `"06140507071048"`."""
    pattern = re.sub(r'[\\"]', "", mask)
    padded = digits.rjust(pattern.count("0"), "0")
    extra = len(padded) - pattern.count("0")
    figures = iter(padded[extra:])
    return padded[:extra] + "".join(next(figures) if mark == "0" else mark for mark in pattern)


def style_of(format_id: int, custom: Mapping[int, str]) -> Style:
    """Return what a number format does, from its id and the workbook's own formats."""
    if format_id in BUILT_IN_DATES and format_id not in custom:
        return Style(is_date=True)
    code = custom.get(format_id, BUILT_IN_FORMATS.get(format_id, ""))
    bare = _NOT_CODES.sub("", code)
    first = bare.partition(";")[0]  # the format of positive numbers; others for negative ones and zero follow
    if code.lower() in ("", "general") or first.strip() == "@":
        return Style()
    if _DATE_CODES.search(first) and "general" not in first.lower():
        # `[h]:mm` is how long something took and no moment.
        return Style(is_date=not re.search(r"\[[hms]", code.lower()))
    if "%" in bare:
        return Style(is_percentage=True)
    if code.count("0") > 1 and _MASK.fullmatch(code) and not re.fullmatch(r"0+\.0+", code):
        return Style(mask=code)
    divides = re.search(r"[0#?],+(?:$|[^0#?,])", first)  # each comma after the last digit shows a thousandth
    return Style(shown=code if divides or _has_words(code) else "")


def _has_words(code: str) -> bool:
    """Whether literal text beside the number is no dollar sign, for example another currency or `"F-"`."""
    for literals in _LITERALS.findall(code.partition(";")[0]):
        literal = next(filter(None, literals), "")
        if literal not in _DOLLARS and any(character.isalnum() or ord(character) > 127 for character in literal):
            return not literal.isspace()
    return False


def unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold, which are stored as `_x000D_`."""
    if "_x" not in text:
        return text
    return _ESCAPED_CHARACTER.sub(lambda found: chr(int(found[1], 16)), text)
