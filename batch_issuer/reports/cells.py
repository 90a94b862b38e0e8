"""Texts into cells, as the very texts that they are, in both ways in which xlsxwriter stores them.

xlsxwriter takes a text from `<r>` to `</r>` for markup of its own, and writes control characters raw when it keeps
no strings in memory: either would let a text of a file break the workbook.
"""

from __future__ import annotations

import re

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

LONGEST = 32_767
"""Characters that Excel takes in a cell."""
NAME_LENGTH = 31
"""Characters that Excel takes in the name of a sheet."""

_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")


def write_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """A text as a text, whatever it looks like; cut where Excel takes no more."""
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    if not text.isprintable():
        text = _NOT_IN_XML.sub("\ufffd", text)
    if sheet.constant_memory:
        text = _inline(text)
    elif text.startswith("<r>") and text.endswith("</r>"):
        sheet.write_rich_string(row, column, text[0], text[1], text[2:], style)
        return
    sheet.write_string(row, column, text, style)


def _inline(text: str) -> str:
    """With the escapes of the file format (`_x0007_`), which are written for strings kept in memory only."""
    if "_x" in text:
        text = _ESCAPE.sub("_x005F_", text)
    if not text.isprintable():
        text = _CONTROL.sub(lambda found: f"_x{ord(found.group()):04X}_", text)
    return f"_x003C_{text[1:]}" if text.startswith("<r>") else text
