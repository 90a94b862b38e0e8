"""Texts into cells, as the very texts that they are."""

from __future__ import annotations

import re

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

LONGEST = 32_767
"""Characters that Excel takes in a cell."""
NAME_LENGTH = 31
"""Characters that Excel takes in the name of a sheet."""

_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def write_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """A text as a text, whatever it looks like; cut where Excel takes no more."""
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    if not text.isprintable():
        text = _NOT_IN_XML.sub("\ufffd", text)
    if text[:1] == "<" and text.startswith("<r>") and text.endswith("</r>"):
        # xlsxwriter takes such a text for XML of its own and writes it unescaped; in pieces it does not.
        sheet.write_rich_string(row, column, text[0], text[1], text[2:], style)
    else:
        sheet.write_string(row, column, text, style)
