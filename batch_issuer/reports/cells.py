"""Texts into cells, as the very texts that they are."""

from __future__ import annotations

import re

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

LONGEST = 32_767
"""Characters that Excel takes in a cell; it counts one beyond U+FFFF as two."""
NAME_LENGTH = 31
"""Characters that Excel takes in the name of a sheet."""

NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def write_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """A text as a text, whatever it looks like; cut where Excel takes no more."""
    text = fitting(text)
    if not text.isprintable():
        text = NOT_IN_XML.sub("\ufffd", text)
    if text[:1] == "<" and text.startswith("<r>") and text.endswith("</r>"):
        # xlsxwriter takes such a text for XML of its own and writes it unescaped; in pieces it does not.
        sheet.write_rich_string(row, column, text[0], text[1], text[2:], style)
    else:
        sheet.write_string(row, column, text, style)


def fitting(text: str) -> str:
    """The text, or as much of it as a cell takes, with an ellipsis that shows the cut."""
    if len(text) * 2 <= LONGEST:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= LONGEST * 2:
        return text
    return units[: (LONGEST - 1) * 2].decode("utf-16-le", "ignore") + "…"
