"""References that a person would take for one another, and references that came about in two ways."""

from __future__ import annotations

from collections.abc import Sequence

from batch_issuer.model.identity import alike_keys
from batch_issuer.reading.sheets.fields import SheetSales
from batch_issuer.reading.tables import BLANKS


def find_alike(refs: Sequence[str]) -> dict[int, int]:
    """Return the documents whose references a person would take for that of another one, and which one that is."""
    keys = alike_keys(refs)
    if len(set(keys)) == len(keys):
        return {}
    first: dict[str, int] = {}
    alike: dict[int, int] = {}
    for document, key in enumerate(keys):
        other = first.setdefault(key, document)
        if other != document:
            alike[document] = other
            alike.setdefault(other, document)
    return alike


def find_variants(sheets: Sequence[SheetSales], offsets: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return the references that one sheet writes with and without spaces around them: a row of each of two ways.

    The rows of one document may be two sales then; `offsets` are the rows at which the sheets begin.
    """
    variants: dict[str, tuple[int, int]] = {}
    for sheet, offset in zip(sheets, offsets, strict=False):
        if sheet.refs.parts:  # of a template the parts are compared instead
            continue
        raw = sheet.sheet.table.columns[sheet.header.ref_columns[0]].texts
        if all(text == text.strip(BLANKS) for text in raw):
            continue
        seen: dict[str, int] = {}
        first_rows = sheet.refs.first_rows() + offset
        for code in sheet.refs.used_codes():
            text = sheet.refs.texts[code]
            other = seen.setdefault(text, code)
            if text and raw[other] != raw[code] and raw[other].strip(BLANKS) == raw[code].strip(BLANKS):
                variants[text] = (int(first_rows[other]), int(first_rows[code]))
    return variants


def find_mixed(sheets: Sequence[SheetSales], offsets: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return the references that a template makes of different parts, as «123» of 1 and 23 or of 12 and 3.

    Of each, a row of each; `offsets` are the rows at which the sheets begin.
    """
    part_of: dict[str, tuple[tuple[str, ...], int]] = {}
    mixed: dict[str, tuple[int, int]] = {}
    for sheet, offset in zip(sheets, offsets, strict=False):
        first_rows = (sheet.refs.first_rows() + offset).tolist() if sheet.refs.parts else ()
        for text, parts, row in zip(sheet.refs.texts, sheet.refs.parts, first_rows, strict=False):
            if text:
                known, other_row = part_of.setdefault(text, (parts, row))
                if known != parts:
                    mixed[text] = (other_row, row)
    return mixed
