"""Which rows of a sheet are sales. Blank rows, repeated headings, totals and notes are not, and are counted.

A row is left out only when it cannot be a sale; whatever is in doubt stays, and is a problem that a person sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from batch_issuer.reading.cells.letters import letters_of
from batch_issuer.reading.cells.numbers import figure_of
from batch_issuer.reading.headings.aliases import TOTAL_WORDS
from batch_issuer.reading.headings.columns import REQUIRED, Header
from batch_issuer.reading.tables import BLANKS, CellKind, Codes, Column, Flags, Sheet, is_blank

_TOTAL_KEYS = frozenset(map(letters_of, TOTAL_WORDS))
_TOTAL_OF = re.compile(r"(?:sub)?total(?:es)?\b", re.IGNORECASE)
_PAGE = re.compile(r"(?:p[aá]g(?:ina)?\.?|page|hoja)\s*[0-9]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesRows:
    """Table rows, from 0, by what they are."""

    sales: Codes
    without_ref: Flags
    """Parallel to `sales`."""
    totals: tuple[int, ...]
    notes: tuple[int, ...]
    """Rows of one text that is no sale; each is told."""
    left_out: int


class _Body:
    """What is filled in each row below the headings."""

    def __init__(self, sheet: Sheet, header: Header) -> None:
        self.sheet = sheet
        self.header = header
        self.start = header.row + 1
        self.count = sheet.table.rows - self.start
        self._filled: dict[int, Flags] = {}
        self.cells = np.zeros(self.count, np.int16)
        for number, column in enumerate(sheet.table.columns):
            if not all(map(is_blank, column.texts)):
                self.cells += self.filled(number)
        self.has_ref = self.any_filled(header.ref_columns)
        self.has = {name: self.filled(header.columns[name]) for name in REQUIRED}
        self._filled.clear()

    def column(self, number: int) -> Column:
        return self.sheet.table.columns[number]

    def filled(self, number: int) -> Flags:
        if number not in self._filled:
            column = self.column(number)
            self._filled[number] = ~column.flags(is_blank)[column.codes[self.start :]]
        return self._filled[number]

    def any_filled(self, numbers: tuple[int, ...]) -> Flags:
        found = np.zeros(self.count, np.bool_)
        for number in numbers:
            found |= self.filled(number)
        return found

    def where(self, number: int, flags: Flags) -> Flags:
        """The rows whose text in a column is flagged."""
        if not flags.any():
            return np.zeros(self.count, np.bool_)
        return flags[self.column(number).codes[self.start :]]

    def filled_cells(self, row: int) -> list[tuple[int, str, CellKind]]:
        """Column, text and kind of the cells of a body row that hold anything."""
        found = []
        for number, column in enumerate(self.sheet.table.columns):
            code = int(column.codes[self.start + row])
            if not is_blank(column.texts[code]):
                found.append((number, column.texts[code].strip(BLANKS), column.kind(code)))
        return found


def find_sales(sheet: Sheet, header: Header, *, continue_rows: bool) -> SalesRows:
    """Sorts the rows below the headings."""
    body = _Body(sheet, header)
    blank = body.cells == 0
    headings = _repeated_headings(body)
    totals = _labelled_totals(body) & ~blank & ~headings
    rest = ~(blank | headings | totals)
    notes = np.zeros(body.count, np.bool_)
    last_ref = int(np.flatnonzero(body.has_ref & rest)[-1]) if (body.has_ref & rest).any() else -1
    unlabelled = rest & ~body.has["description"] & ~(body.has_ref & (body.has["quantity"] | body.has["unit_price"]))
    single = rest & (body.cells == 1) & ~body.has["quantity"] & ~body.has["unit_price"]
    for row in np.flatnonzero(unlabelled | single).tolist():
        cells = body.filled_cells(row)
        numeric = all(kind is CellKind.NUMBER or (kind is CellKind.TEXT and figure_of(text)) for _, text, kind in cells)
        if numeric and not body.has_ref[row]:
            both = body.has["quantity"][row] and body.has["unit_price"][row]
            totals[row] = row > last_ref or not both
        elif len(cells) == 1:
            notes[row] = _is_note(body, row, cells[0][1], continue_rows=continue_rows)
    sales = np.flatnonzero(rest & ~totals & ~notes).astype(np.int32)
    return SalesRows(
        sales=sales + np.int32(body.start),
        without_ref=~body.has_ref[sales],
        totals=tuple((np.flatnonzero(totals) + body.start).tolist()),
        notes=tuple((np.flatnonzero(notes) + body.start).tolist()),
        left_out=_existing(sheet, body, blank) - len(sales),
    )


def _existing(sheet: Sheet, body: _Body, blank: Flags) -> int:
    """Rows below the headings that the file holds; between stray cells far below there are none.

    Below the last row with content a workbook has only formatted paper.
    """
    filled = np.flatnonzero(~blank)
    count = body.count if sheet.encoding else int(filled[-1]) + 1 if len(filled) else 0
    present = sheet.table.present
    if present is None:
        return count
    return int(((present >= body.start) & (present < body.start + count)).sum())


def _repeated_headings(body: _Body) -> Flags:
    same = np.ones(body.count, np.bool_)
    for name in REQUIRED:
        number = body.header.columns[name]
        heading = body.header.headings[number].casefold()
        column = body.column(number)
        repeats = [len(text) < 200 and " ".join(text.split()).casefold() == heading for text in column.texts]
        same &= body.where(number, np.array(repeats, np.bool_))
        if not same.any():
            break
    return same


def _labelled_totals(body: _Body) -> Flags:
    """Rows that call themselves total, in a row without reference or in place of it."""
    labelled = np.zeros(body.count, np.bool_)
    for number in body.header.ref_columns:
        flags = body.column(number).flags(_starts_as_total)
        labelled |= body.where(number, flags) & ~body.has["description"]
    without_ref = ~body.has_ref & (body.cells > 0)
    if without_ref.any():
        sold = body.has["quantity"] & body.has["unit_price"]
        for number, column in enumerate(body.sheet.table.columns):
            if any(map(_starts_as_total, column.texts)):
                labelled |= without_ref & body.where(number, column.flags(_is_total))
                labelled |= without_ref & ~sold & body.where(number, column.flags(_starts_as_total))
    return labelled


def _is_total(text: str) -> bool:
    return len(text) < 40 and text.strip(BLANKS)[:1].lower() in ("t", "s", "g") and letters_of(text) in _TOTAL_KEYS


def _starts_as_total(text: str) -> bool:
    if text.strip(BLANKS)[:1].lower() not in ("t", "s", "g"):
        return False
    return _is_total(text) or _TOTAL_OF.match(text.strip(BLANKS)) is not None


def _is_note(body: _Body, row: int, text: str, *, continue_rows: bool) -> bool:
    """One text alone in its row: a heading of a section, a signature, a footnote; but not a lone reference."""
    if body.has["description"][row] and continue_rows:
        return False
    if _PAGE.match(text):
        return True
    if body.has_ref[row]:
        return text.endswith(":") or len(_WORD.findall(text)) > 1
    return True
