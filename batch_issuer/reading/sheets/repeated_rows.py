"""Rows that are equal in every cell to another row of their document: sold twice, or pasted twice.

Nobody but the file's owner can say, so it is asked. Only where a program plainly writes a row for each thing that
passes over its till are such rows counted and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from batch_issuer.messages import N_
from batch_issuer.model.money import grouped
from batch_issuer.model.problems import Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import RepeatedRows
from batch_issuer.reading.headings.columns import Header, place_of
from batch_issuer.reading.sheets.codes import combined
from batch_issuer.reading.sheets.external_refs import Refs
from batch_issuer.reading.sheets.line_amounts import Line
from batch_issuer.reading.tables import Codes, Column, Flags, Sheet, is_blank

_HABIT_OF = 5
"""Documents: one or two with rows that repeat say nothing of how their program writes."""
_WHOLE_ONE_IN = 10
"""Of documents that a person pasted twice every row repeats; of those that a till wrote, single ones do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The rows that repeat others, by their place among the sales rows; ascending."""

    rows: Codes
    firsts: Codes
    """Parallel to `rows`: the first row that says the same."""
    documents: int
    amount: Decimal
    """What the rows come to."""
    reference: str
    """Of the document of the first."""
    habitual: bool
    """Whether the program that made the file writes such rows by itself."""


def find_repeats(
    sheet: Sheet, sales: Codes, refs: Refs, documents: Codes, descriptions: Codes, line: Line
) -> Repeats | None:
    """Return the rows that repeat an earlier row of their document, or None where there are none.

    `documents` is the document of each sales row, negative for none. A row without quantity and price has no line.
    """
    # Few rows agree in these four columns: only they are compared in all others.
    four = combined([documents + np.int32(1), descriptions, line.quantity.codes, line.price.codes])
    _, group, times = np.unique(four, return_inverse=True, return_counts=True)
    found = np.flatnonzero(times[group] > 1).astype(np.int32)
    found = found[(documents[found] >= 0) & ~(_is_empty(line.quantity, found) & _is_empty(line.price, found))]
    if not len(found):
        return None
    # Whatever the sheet writes counts, also where nobody mapped it: a till's own row number tells two sales apart.
    equal = documents[found].astype(np.int64)
    for column in sheet.table.columns:
        codes = column.codes[sales[found]]
        if (codes != codes[0]).any():
            equal = np.unique(equal * len(column.texts) + codes, return_inverse=True)[1]
    _, first, group = np.unique(equal, return_index=True, return_inverse=True)
    firsts = found[first[group]]
    if not (repeated := firsts != found).any():
        return None
    rows, firsts = found[repeated], firsts[repeated]
    return Repeats(
        rows=rows,
        firsts=firsts,
        documents=len(np.unique(documents[rows])),
        amount=line.total(rows),
        reference=next(text for row in range(int(rows[0]), -1, -1) if (text := refs.texts[refs.codes[row]])),
        habitual=_is_habit(rows, firsts, documents),
    )


def _is_empty(column: Column, rows: Codes) -> Flags:
    return column.flags(is_blank)[column.codes[rows]]


def _is_habit(rows: Codes, firsts: Codes, documents: Codes) -> bool:
    """Whether such rows are the way in which the program that made the file writes.

    Several documents have them, each in one block of rows, and hardly one of them repeats every row.
    """
    number_of = np.unique(documents[rows])
    if len(number_of) < _HABIT_OF:
        return False
    count = int(documents.max()) + 1
    repeating = np.zeros(count, np.bool_)
    repeating[number_of] = True
    theirs = np.flatnonzero(repeating[documents] & (documents >= 0))
    of_rows = documents[theirs]
    first, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    last[of_rows] = theirs
    first[of_rows[::-1]] = theirs[::-1]
    sizes = np.bincount(of_rows, minlength=count)
    if (last - first + 1 != sizes)[number_of].any():
        return False  # a till writes a sale in one go; what is pasted below stands apart
    members = np.unique(np.concatenate([rows, firsts]))
    whole = np.bincount(documents[members], minlength=count)[number_of] == sizes[number_of]
    return bool(_WHOLE_ONE_IN * whole.sum() <= len(number_of))


def question_of(sheet: Sheet, sales: Codes, repeats: Repeats) -> RepeatedRows:
    """Return what is asked about repeated rows."""
    return RepeatedRows(
        N_(
            "{where}: row {row} is equal in every cell to row {first} of the same document, «{reference}»: was the "
            "same thing sold twice, or was the row pasted twice? It comes to ${amount}."
        )
        if len(repeats.rows) == 1
        else N_(
            "{where}: {count} rows are equal in every cell to another row of the same document: was the same thing "
            "sold twice, or were they pasted twice? They come to ${amount}; documents: {documents}. The first is row "
            "{row}, equal to row {first} (reference «{reference}»)."
        ),
        repair=N_(
            "If it was sold twice, say it with --repeated-rows count; if it was pasted twice, --repeated-rows once "
            'leaves the repeats out. Or in the settings:\n[source]\nrepeated_rows = "count"   # or "once"'
        ),
        where=sheet.title,
        **_said(sales, repeats),
    )


def counted(sheet: Sheet, header: Header, sales: Codes, repeats: Repeats) -> Problem:
    """Return what is told of a file whose program writes such rows by itself."""
    place = place_of(sheet, header, int(sales[repeats.rows[0]]))
    return Problem(kind=kinds.REPEATED_ROWS_COUNTED, place=place, parameters=_said(sales, repeats))


def left_out(sheet: Sheet, header: Header, sales: Codes, repeats: Repeats) -> Iterator[Problem]:
    """Return what is told of each row that is not issued."""
    for row, first in zip(sales[repeats.rows].tolist(), sales[repeats.firsts].tolist(), strict=True):
        place = place_of(sheet, header, row)
        yield Problem(kind=kinds.REPEATED_ROW_LEFT_OUT, place=place, parameters={"first": str(first + 1)})


def _said(sales: Codes, repeats: Repeats) -> dict[str, str]:
    """Return what fills the question and the note: figures, and the first of the rows."""
    return {
        "count": f"{len(repeats.rows):,}",
        "documents": f"{repeats.documents:,}",
        "amount": grouped(repeats.amount),
        "row": str(int(sales[repeats.rows[0]]) + 1),
        "first": str(int(sales[repeats.firsts[0]]) + 1),
        "reference": repeats.reference,
    }
