"""The columns that a fix file adds to the owner's own, by their headings in each language.

Whether its columns are all understood was asked when the first file was read; it is not asked again of the few rows
that need a hand.
"""

from __future__ import annotations

from collections.abc import Sequence

FIX_HEADINGS = ("Qué corregir", "What to correct")
SURPLUS_HEADINGS = ("Sobra en la fila", "Beyond the headings")
"""What stood under no heading in a row that was too long, until its owner puts it where it belongs."""


def is_fix_file(headings: Sequence[str]) -> bool:
    return any(heading in FIX_HEADINGS for heading in headings)
