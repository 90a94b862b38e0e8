"""Which rows of a sheet are sales. Blank rows, repeated headings, totals and notes are not, and are counted.

A row is left out only when it cannot be a sale; whatever is in doubt stays, and is a problem that a person sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.letters import letters_of
from batch_issuer.reading.cells.numbers import figure_of
from batch_issuer.reading.headings.aliases import TOTAL_WORDS
from batch_issuer.reading.headings.columns import REQUIRED, Header, place_of
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

    def of(self, column: Column) -> Column:
        """Return the sales rows of a column; without a copy where they stand together, as in most files."""
        if len(self.sales) and int(self.sales[-1]) - int(self.sales[0]) == len(self.sales) - 1:
            return column.taken(slice(int(self.sales[0]), int(self.sales[-1]) + 1))
        return column.taken(self.sales)

    def kept(self, flags: Flags) -> SalesRows:
        """Return some of the sales; the others are left out."""
        return replace(
            self,
            sales=self.sales[flags],
            without_ref=self.without_ref[flags],
            left_out=self.left_out + int((~flags).sum()),
        )


class _Body:
    """The rows below the headings: what is filled in each, and what that makes of it. A row is counted from there."""

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
        self._filled.clear()  # a flag for each row of each column, and nothing below asks again

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
        """Return the rows whose text in a column is flagged."""
        if not flags.any():
            return np.zeros(self.count, np.bool_)
        return flags[self.column(number).codes[self.start :]]

    def filled_cells(self, row: int) -> list[tuple[int, str, CellKind]]:
        """Return column, text and kind of the cells of a row that hold anything."""
        found = []
        for number, column in enumerate(self.sheet.table.columns):
            code = int(column.codes[self.start + row])
            if not is_blank(column.texts[code]):
                found.append((number, column.texts[code].strip(BLANKS), column.kind(code)))
        return found

    def held(self, blank: Flags) -> int:
        """Return how many rows the file holds below the headings; between stray cells far below there are none.

        Below the last row with content a workbook has only formatted paper.
        """
        filled = np.flatnonzero(~blank)
        count = self.count if self.sheet.encoding else int(filled[-1]) + 1 if len(filled) else 0
        present = self.sheet.table.present
        if present is None:
            return count
        return int(((present >= self.start) & (present < self.start + count)).sum())

    def repeated_headings(self) -> Flags:
        """Return the rows that say our headings again, as at the top of each printed page."""
        same = np.ones(self.count, np.bool_)
        for name in REQUIRED:
            number = self.header.columns[name]
            heading = self.header.headings[number].casefold()
            texts = self.column(number).texts
            # No heading is that long, and to fold long descriptions takes time.
            repeats = [len(text) < 200 and " ".join(text.split()).casefold() == heading for text in texts]
            same &= self.where(number, np.array(repeats, np.bool_))
            if not same.any():
                break
        return same

    def labelled_totals(self) -> Flags:
        """Return the rows that call themselves total, in a row without reference or in place of it."""
        labelled = np.zeros(self.count, np.bool_)
        for number in self.header.ref_columns:
            flags = self.column(number).flags(_starts_as_total)
            labelled |= self.where(number, flags) & ~self.has["description"]
        without_ref = ~self.has_ref & (self.cells > 0)
        if without_ref.any():
            sold = self.has["quantity"] & self.has["unit_price"]
            for number, column in enumerate(self.sheet.table.columns):
                if any(map(_starts_as_total, column.texts)):
                    labelled |= without_ref & self.where(number, column.flags(_is_total))
                    # «Total de cajas» may be an article: in a row that sells something it is one.
                    labelled |= without_ref & ~sold & self.where(number, column.flags(_starts_as_total))
        return labelled

    def is_note(self, row: int, text: str, *, continue_rows: bool) -> bool:
        """Whether one text alone in its row is the heading of a section, a signature or a footnote, and no reference.

        Where rows go on the document above, a lone description is a line of it that lacks its price.
        """
        if self.has["description"][row] and continue_rows:
            return False
        if _PAGE.match(text) or not self.has_ref[row]:
            return True
        return text.endswith(":") or len(_WORD.findall(text)) > 1


def find_sales(sheet: Sheet, header: Header, *, continue_rows: bool) -> SalesRows:
    """Sort the rows below the headings into sales, totals, notes and what holds nothing."""
    body = _Body(sheet, header)
    blank = body.cells == 0
    headings = body.repeated_headings()
    totals = body.labelled_totals() & ~blank & ~headings
    rest = ~(blank | headings | totals)
    notes = np.zeros(body.count, np.bool_)
    last_ref = int(np.max(np.flatnonzero(body.has_ref & rest), initial=-1))
    unlabelled = rest & ~body.has["description"] & ~(body.has_ref & (body.has["quantity"] | body.has["unit_price"]))
    single = rest & (body.cells == 1) & ~body.has["quantity"] & ~body.has["unit_price"]
    # Only rows that lack what every sale has are looked at one by one: a handful, also of half a million.
    for row in np.flatnonzero(unlabelled | single).tolist():
        cells = body.filled_cells(row)
        numeric = all(kind is CellKind.NUMBER or (kind is CellKind.TEXT and figure_of(text)) for _, text, kind in cells)
        if numeric and not body.has_ref[row]:
            # Above the last reference a row with quantity and price may be a sale that lost its reference; below, the
            # same figures are the sheet's totals.
            both = body.has["quantity"][row] and body.has["unit_price"][row]
            totals[row] = row > last_ref or not both
        elif len(cells) == 1:
            notes[row] = body.is_note(row, cells[0][1], continue_rows=continue_rows)
    sales = np.flatnonzero(rest & ~totals & ~notes).astype(np.int32)
    return SalesRows(
        sales=sales + np.int32(body.start),
        without_ref=~body.has_ref[sales],
        totals=tuple((np.flatnonzero(totals) + body.start).tolist()),
        notes=tuple((np.flatnonzero(notes) + body.start).tolist()),
        left_out=body.held(blank) - len(sales),
    )


def without_hidden(sheet: Sheet, header: Header, rows: SalesRows, wanted: str) -> tuple[SalesRows, list[Problem]]:
    """Return the sales rows as the settings want them, and what is told of each that is hidden.

    Raises `CannotStart` where there are some and the settings do not say whether they count.
    """
    if not sheet.hidden_rows:
        return rows, []
    flags = np.isin(rows.sales, np.array(sheet.hidden_rows))
    hidden = rows.sales[flags].tolist()
    if hidden and not wanted:
        one = N_("{where}: row {row}, a sale, is hidden, on purpose or by mistake.")
        many = N_("{where}: {count} rows of sales are hidden, the first is row {row}: on purpose or by mistake.")
        raise CannotStart(
            one if len(hidden) == 1 else many,
            repair=N_(
                "Clear the filter and show all rows if they are to be issued; or say it with --hidden-rows include or "
                '--hidden-rows skip, or in the settings:\n[source]\nhidden_rows = "skip"'
            ),
            where=sheet.title,
            count=f"{len(hidden):,}",
            row=hidden[0] + 1,
        )
    kind = kinds.HIDDEN_ROW_SKIPPED if wanted == "skip" else kinds.HIDDEN_ROW_READ
    told = [Problem(kind=kind, place=place_of(sheet, header, row)) for row in hidden]
    return (rows.kept(~flags) if wanted == "skip" else rows), told


def _is_total(text: str) -> bool:
    return len(text) < 40 and text.strip(BLANKS)[:1].lower() in ("t", "s", "g") and letters_of(text) in _TOTAL_KEYS


def _starts_as_total(text: str) -> bool:
    # One letter decides for nearly all of a column's texts, where to fold each would take most of the time.
    if text.strip(BLANKS)[:1].lower() not in ("t", "s", "g"):
        return False
    return _is_total(text) or _TOTAL_OF.match(text.strip(BLANKS)) is not None
