"""The reference of every row: a column, or a template of several. Two different sales never share one.

References that differ only in spaces, capitals or leading zeros, and templates that make one text of different parts,
are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch_issuer.model.fields import BY_KEY
from batch_issuer.model.problems import Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.values import clean, is_error, lost_digits
from batch_issuer.reading.own_sheets import holds_example_ref, is_example_ref
from batch_issuer.reading.sheets.codes import Numbers, combined
from batch_issuer.reading.tables import CellKind, Codes, Column, is_blank

MAX_LENGTH = BY_KEY["external_ref"].longest
_PLAIN = re.compile(r"[0-9A-Za-z/_\n-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """The references of some rows: `texts[codes[row]]`; an empty text is a row without one."""

    codes: Codes
    texts: list[str]
    faults: dict[int, Problem]
    """By code."""
    parts: list[tuple[str, ...]]
    """What each reference of a template is made of, parallel to `texts`; empty for a single column."""

    def used_codes(self) -> list[int]:
        """Return the codes that stand in at least one row, ascending."""
        return Column(codes=self.codes, texts=self.texts).used_codes()

    def first_rows(self) -> Numbers:
        """Return the first row of each code; 0 for a code that stands in none."""
        rows = np.zeros(len(self.texts), np.int64)
        rows[self.codes[::-1]] = np.arange(len(self.codes))[::-1]
        return rows


def read_refs(columns: Sequence[Column], literals: Sequence[str], headings: Sequence[str]) -> Refs:
    """Return the references of the rows of columns: one column and no literals, or the parts of a template."""
    if literals:
        return _of_template(columns, literals, headings)
    (column,) = columns
    # Half a million references are seldom anything but plain: one look at all of them spares one at each.
    if not column.kinds and are_plain([column.texts[code] for code in column.used_codes()]):
        return Refs(codes=column.codes, texts=list(column.texts), faults={}, parts=[])
    texts = _cleaned(column)
    faults: dict[int, Problem] = {}
    for code, text in enumerate(texts):
        if text and (fault := _fault_of_cell(text, column.kind(code)) or fault_of(text)):
            faults[code] = fault
    return Refs(codes=column.codes, texts=texts, faults=faults, parts=[])


def _of_template(columns: Sequence[Column], literals: Sequence[str], headings: Sequence[str]) -> Refs:
    """Make one reference of each different combination of the columns' texts."""
    cleaned = [_cleaned(column) for column in columns]
    combinations = combined([column.codes for column in columns])
    _, firsts, codes = np.unique(combinations, return_index=True, return_inverse=True)
    texts: list[str] = []
    parts: list[tuple[str, ...]] = []
    faults: dict[int, Problem] = {}
    for code, row in enumerate(firsts.tolist()):
        pieces = tuple(texts_of[column.codes[row]] for texts_of, column in zip(cleaned, columns, strict=True))
        texts.append(joined(literals, pieces) if any(pieces) else "")
        parts.append(pieces)
        if any(pieces) and (fault := _fault_of_parts(pieces, columns, row, headings) or fault_of(texts[-1])):
            faults[code] = fault
    return Refs(codes=codes.astype(np.int32), texts=texts, faults=faults, parts=parts)


def continued(codes: Codes) -> Codes:
    """Give rows without a reference, which have a negative code, that of the row above."""
    last = np.maximum.accumulate(np.where(codes >= 0, np.arange(len(codes)), -1))
    found: Codes = np.where(last >= 0, codes[np.maximum(last, 0)], -1).astype(np.int32)
    return found


def document_codes(refs: Refs, *, continue_rows: bool) -> Codes:
    """Return the document of each row, by number; negative where the row belongs to none."""
    number_of: dict[str, int] = {}
    if "" in refs.texts or len(set(refs.texts)) < len(refs.texts):
        numbers = (number_of.setdefault(text, len(number_of)) if text else -1 for text in refs.texts)
        codes: Codes = np.fromiter(numbers, np.int32, len(refs.texts))[refs.codes]
    else:
        codes = refs.codes
    return continued(codes) if continue_rows and len(codes) else codes


def joined(literals: Sequence[str], pieces: Sequence[str]) -> str:
    """Return the reference that a template's literals and the pieces between them make."""
    return "".join(literal + piece for literal, piece in zip(literals, (*pieces, ""), strict=True))


def fault_of(text: str) -> Problem | None:
    """Return what keeps a reference from being sent, or None."""
    if len(text) > MAX_LENGTH:
        return Problem(kinds.REF_TOO_LONG, parameters={"length": str(len(text))})
    if not text.isprintable():
        return Problem(kinds.REF_UNPRINTABLE)
    if is_example_ref(text):
        return Problem(kinds.EXAMPLE_REF)
    if text.endswith(".0") and text[:-2].isdigit():  # pandas writes whole numbers so when one of the column is missing
        return Problem(kinds.REF_WITH_DECIMALS, parameters={"whole": text[:-2]})
    return None


def are_plain(texts: Sequence[str]) -> bool:
    """Whether texts are of ASCII letters, digits, `/`, `_` and `-` and not too long: nothing to clean, and no fault."""
    together = "\n".join(texts)
    return (
        _PLAIN.fullmatch(together) is not None
        and together.count("\n") == max(len(texts) - 1, 0)
        and max(map(len, texts), default=0) <= MAX_LENGTH
        and not holds_example_ref(together)
    )


def _cleaned(column: Column) -> list[str]:
    return ["" if is_blank(text) else clean(text) for text in column.texts]


def _fault_of_cell(text: str, kind: CellKind) -> Problem | None:
    """Return what shows that a cell does not hold the reference that was written into it, or None."""
    if kind is CellKind.FORMULA or text[:1] == "=":
        return Problem(kinds.FORMULA_WITHOUT_VALUE)
    if kind is CellKind.ERROR or is_error(text):
        return Problem(kinds.ERROR_VALUE)
    if kind is CellKind.DATE:
        return Problem(kinds.REF_IS_A_DATE)
    return lost_digits(text, kind)


def _fault_of_parts(
    pieces: Sequence[str], columns: Sequence[Column], row: int, headings: Sequence[str]
) -> Problem | None:
    for piece, column, heading in zip(pieces, columns, headings, strict=True):
        if not piece:
            return Problem(kinds.REF_PART_MISSING, parameters={"heading": heading})
        kind = column.kind(int(column.codes[row]))
        # Alone a date is a number that Excel turned into one; as a part it is what tells the days apart.
        if kind is not CellKind.DATE and (fault := _fault_of_cell(piece, kind)):
            return fault
    return None
