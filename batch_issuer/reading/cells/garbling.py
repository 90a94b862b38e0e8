"""Text that was decoded with the wrong table, such as «DescripciÃ³n»: how it looks, and what it was before.

Only told, never repaired in silence: what a person reads and what is sent must be the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GARBLED = re.compile(
    "\u00c3[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
    "|\u00c2[\u00a0-\u00bf]|\u00e2\u20ac|\ufffd|[a-z][\u00a4\u00a2\u00a3\u00a1\u201a\u2021][a-z]|[a-z]\u201a(?![^\\s.,])"
    r"|&(?:[A-Za-z]{2,8}|#[0-9]{2,5});"
)
"""UTF-8 read as Windows-1252, a lost character, the DOS letters ñ ó ú í é, the Mac's á, and a web page's `&eacute;`."""

_MISTAKES = (
    ("cp1252", "utf-8", "UTF-8"),
    ("cp1252", "cp850", "DOS (cp850)"),
    ("cp1252", "mac-roman", "Mac Roman"),
)
"""The table that a text was read with, the one that it was written with, and that one's name."""


def is_garbled(text: str) -> bool:
    """Whether a text holds a sign of having been decoded with the wrong table."""
    # Nearly every text is plain ASCII, and the pattern takes ten times as long as this question.
    return (not text.isascii() or "&" in text) and GARBLED.search(text) is not None


@dataclass(frozen=True, slots=True)
class Undone:
    """A text as it was meant, and the encoding that it was written in."""

    text: str
    encoding: str


def undone(text: str) -> tuple[Undone, ...]:
    """Return what a text may have been before it was decoded with the wrong table, the likeliest first."""
    if text.isascii():
        return ()
    found: list[Undone] = []
    for read_with, written_with, name in _MISTAKES:
        try:
            found.append(Undone(text.encode(read_with).decode(written_with), name))
        except UnicodeError:
            continue
    return tuple(found)
