"""Values into cells: each as what it is, and texts as the very texts that they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from batch_issuer.reports.figures import local_time, printable

LONGEST = 32_767
"""Characters that Excel takes in a cell; it counts one beyond U+FFFF as two."""
NAME_LENGTH = 31
"""Characters that Excel takes in the name of a sheet."""

_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones
_FIRST_SOUND_DAY = dt.date(1900, 3, 1)
"""Excel counts a 29 February 1900, which never was."""
# XML 1.0 has no code for these: Excel would call the workbook damaged.
_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


class Kind(Enum):
    """How a cell is written: what its value is, and how it looks. None and empty text leave it blank."""

    TEXT = auto()
    LONG = auto()
    """Text that may take several lines."""
    MONEY = auto()
    WHOLE = auto()
    DATE = auto()
    """An ISO date; anything else is written as the text that it is."""
    MOMENT = auto()
    """A time of the ledger, written as the wall clock in El Salvador."""


def write_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """Write a text as a text, whatever it looks like; cut where Excel takes no more."""
    text = fitting(text)
    if not text.isprintable():
        text = _NOT_IN_XML.sub("\ufffd", text)
    if text[:1] == "<" and text.startswith("<r>") and text.endswith("</r>"):
        # xlsxwriter takes such a text for XML of its own and writes it unescaped; in pieces it does not.
        sheet.write_rich_string(row, column, text[0], text[1], text[2:], style)
    else:
        # Never `write`, which makes a formula of what begins with = and a link of what begins with http.
        sheet.write_string(row, column, text, style)


def fitting(text: str) -> str:
    """Return the text, or as much of it as a cell takes, with an ellipsis that shows the cut."""
    if len(text) * 2 <= LONGEST:  # however many of its characters count as two
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= LONGEST * 2:
        return text
    return units[: (LONGEST - 1) * 2].decode("utf-16-le", "ignore") + "…"


def _write_printable(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    write_text(sheet, row, column, printable(text), style)


def _write_date(sheet: Worksheet, row: int, column: int, iso: str, style: Format) -> None:
    """Write a day as the number that Excel has for it; as text where it is none, or where Excel lacks it or errs."""
    try:
        day = dt.date.fromisoformat(iso)
    except ValueError:
        day = dt.date.min
    if day < _FIRST_SOUND_DAY:
        _write_printable(sheet, row, column, iso, style)
    else:
        sheet.write_number(row, column, (day - _DAY_ZERO.date()).days, style)


def _write_moment(sheet: Worksheet, row: int, column: int, utc: str, style: Format) -> None:
    """Write the wall clock in El Salvador, in whole seconds, which is what the cell's format shows."""
    local = local_time(utc)  # kept, because many documents share a moment
    assert local is not None  # noqa: S101 - nothing empty is written
    sheet.write_number(
        row, column, (local.replace(microsecond=0, tzinfo=None) - _DAY_ZERO) / dt.timedelta(days=1), style
    )


WRITE: Mapping[Kind, Callable[[Worksheet, int, int, Any, Format], object]] = {
    Kind.TEXT: _write_printable,
    Kind.LONG: _write_printable,
    Kind.MONEY: Worksheet.write_number,
    Kind.WHOLE: Worksheet.write_number,
    Kind.DATE: _write_date,
    Kind.MOMENT: _write_moment,
}
"""What writes a value that is not blank into a row and column of a sheet."""
