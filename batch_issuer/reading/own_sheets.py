"""Sheets that this program made: the template's example, and the workbook to correct.

An example is known by its first cell, never read as sales, and told; so are its rows elsewhere. In a workbook to
correct nothing is asked about columns: that was asked when the first file was read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from batch_issuer.reading.cells.letters import letters_of
from batch_issuer.reading.tables import BLANKS, ExampleSheet, Sheet, is_blank

EXAMPLE_MARKS = ("EJEMPLO: esta hoja no se emite", "EXAMPLE: this sheet is not issued")
"""How the first cell of an example sheet begins, in each language."""
EXAMPLE_REFS = ("EJEMPLO-{number}", "EXAMPLE-{number}")
"""The references of its documents."""

_MARKS = tuple(map(letters_of, EXAMPLE_MARKS))
_REF = re.compile("(?:EJEMPLO|EXAMPLE)-[0-9]{1,2}", re.IGNORECASE)
_HEADER_ROW = 1


def is_example(sheet: Sheet) -> bool:
    """Whether a sheet says of itself that it is the example."""
    return bool(sheet.table.rows and sheet.table.columns) and letters_of(sheet.table.columns[0][0]).startswith(_MARKS)


def is_example_ref(text: str) -> bool:
    """Whether a reference is one of the example's."""
    return _REF.fullmatch(text) is not None


def holds_example_ref(text: str) -> bool:
    """Whether a text may hold a reference of the example's, in capitals or small letters."""
    capitals = text.upper()
    return any(example.partition("{")[0] in capitals for example in EXAMPLE_REFS)


def example_sheet(sheet: Sheet) -> ExampleSheet:
    """Return the sheet's name, and the first row that somebody has written into it; a text alone in its row is none."""
    # A sale written over the example would be lost without a word, because nothing of this sheet is issued.
    for row in range(_HEADER_ROW + 1, sheet.table.rows):
        cells = [text.strip(BLANKS) for text in sheet.table.cells(row) if not is_blank(text)]
        if len(cells) > 1 and not is_example_ref(cells[0]):
            return ExampleSheet(name=sheet.name, row=row, text=cells[0])
    return ExampleSheet(name=sheet.name)


FIX_HEADINGS = ("Qué corregir", "What to correct")
SURPLUS_HEADINGS = ("Sobra en la fila", "Beyond the headings")
"""What stood under no heading in a row that was too long, until its owner puts it where it belongs."""


def is_fix_file(headings: Sequence[str]) -> bool:
    """Whether the headings are those of a workbook to correct."""
    return any(heading in FIX_HEADINGS for heading in headings)
