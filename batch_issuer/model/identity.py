"""Which sale is which: what belongs to a sale besides its reference, and which references a person would take for one.

A sale is known by its company and its reference. Its date, branch and till belong to it: the same reference with
another of these may be another sale, whose number began anew, and only a person can say which.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
"""Which a spreadsheet program drops: `001` comes again as `1`."""
_DECIMALS = re.compile(r"(?<=[0-9])[.]0+$", re.MULTILINE)
_SEPARATORS = re.compile(r"[/_]")
_BEFORE_NUMBERS = re.compile(r"(?<=[a-z])-(?=[0-9])")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}
"""Letters and marks that take no place on the screen."""
_PLAIN = re.compile(r"[0-9A-Za-z/_\n-]*")
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−⁃﹘﹣－"), "-")  # noqa: RUF001 - every hyphen that a program may write
"""Hyphens, dashes and minus signs that look like the one on the keyboard."""


class Appearance(NamedTuple):
    """How a sale stands in a file. Empty text means that the file does not say."""

    external_ref: str
    date: str = ""
    """ISO."""
    branch: str = ""
    till: str = ""


def differing(one: Appearance, other: Appearance) -> tuple[str, ...]:
    """Return which of date, branch and till two appearances say differently; what one leaves out differs in nothing."""
    return tuple(
        name
        for name in ("date", "branch", "till")
        if (mine := _plain(getattr(one, name))) and (theirs := _plain(getattr(other, name))) and mine != theirs
    )


def _plain(text: str) -> str:
    """Return a branch or till as it is compared: capitals, spaces, leading zeros and kinds of accents do not count."""
    return alike_key(text)


def alike_key(text: str) -> str:
    """Return a key that is equal for references that a person would take for the same.

    Leading zeros of numbers, capitals, spaces, invisible characters, kinds of hyphens, slashes and underscores for
    hyphens, a hyphen between letters and a number, decimals that a spreadsheet program adds (`5001.00`), and the ways
    of writing one letter in Unicode do not count.
    """
    if not text.isascii():
        # Twice: some letters become hyphens only when Unicode writes them plainly.
        text = unicodedata.normalize("NFKC", text.translate(_HYPHENS)).translate(_HYPHENS)
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf" and letter not in _UNSEEN)
    return _plainly("".join(text.split()).casefold())


def alike_keys(texts: Sequence[str]) -> list[str]:
    """Return the key of each. Plain references are taken together, which is much quicker."""
    # One pass over the joined text; only what has no line end of its own can be divided again.
    together = "\n".join(texts)
    if len(texts) < 2 or _PLAIN.fullmatch(together) is None or together.count("\n") != len(texts) - 1:
        return list(map(alike_key, texts))
    return _plainly(together.casefold()).split("\n")


def _plainly(text: str) -> str:
    """Return small letters without what Excel and people add to references, or leave out of them."""
    text = _SEPARATORS.sub("-", _DECIMALS.sub("", text.replace("#", "")))
    return _LEADING_ZEROS.sub("", _BEFORE_NUMBERS.sub("", text))
