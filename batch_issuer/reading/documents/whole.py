"""The problems of whole documents: what the rows of one document say against each other, or against another's.

Such rows may be two sales, of which one document would be made, or one sale, of which two would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from batch_issuer.model.documents import Document
from batch_issuer.model.problems import Kind, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.values import clean
from batch_issuer.reading.documents.alike import find_alike, find_mixed, find_variants
from batch_issuer.reading.documents.grouping import NOT_SAID, Grouped, HeaderValues, JoinedField
from batch_issuer.reading.documents.rows import Rows
from batch_issuer.reading.sheets.fields import SheetSales


class WholeDocuments:
    """What is told of documents as a whole. Most have nothing: `odd` names the others, so that a good file costs none.

    `headers` are those whose rows have to agree. `repeats_count` says that rows equal to others were sold twice.
    """

    def __init__(
        self,
        sheets: Sequence[SheetSales],
        rows: Rows,
        grouped: Grouped,
        fields: Mapping[str, JoinedField],
        headers: Mapping[str, HeaderValues],
        *,
        repeats_count: bool,
    ) -> None:
        self._rows = rows
        self._grouped = grouped
        self._fields = fields
        self._headers = headers
        self._disagree = {name: one.disagree for name, one in headers.items() if one.disagree is not None}
        self._repeats_count = repeats_count
        self._alike = find_alike(grouped.refs)
        self._variants = find_variants(sheets, grouped.offsets)
        self._mixed = find_mixed(sheets, grouped.offsets)
        self._open = grouped.open_below()
        self._split = grouped.in_several_sheets()
        odd = {*self._alike, *self._open, *self._split}
        if suspects := {*self._variants, *self._mixed}:
            odd.update(number for number, ref in enumerate(grouped.refs) if ref in suspects)
        for flags in self._disagree.values():
            odd.update(np.flatnonzero(flags).tolist())
        self.odd = frozenset(odd)

    def problems(self, number: int, document: Document) -> Iterator[Problem]:
        """Return what is told of one document; `number` is its place in the batch."""
        ref, refs = document.external_ref, self._grouped.refs
        for name, flags in self._disagree.items():
            if flags[number]:
                yield from self._disagreements(number, name)
        if number in self._open:
            below = self._rows.place(self._open[number])
            yield self._of_ref(kinds.MAY_GO_ON_BELOW, ref, document.row, row=str(below.row))
        if number in self._alike:
            other = self._alike[number]
            other_row = int(self._grouped.rows(other)[0])
            yield self._of_ref(kinds.REFS_LOOK_ALIKE, ref, document.row, other_row, other=refs[other])
        if ref in self._variants:
            row, other_row = self._variants[ref]
            (written,), (other_written,) = self._rows.ref_cells(row), self._rows.ref_cells(other_row)
            problem = self._of_ref(kinds.REFS_LOOK_ALIKE, ref, row, other_row, other=other_written)
            yield replace(problem, value=written)
        if ref in self._mixed:
            other_row, row = self._mixed[ref]
            parts, other_parts = (
                " + ".join(f"«{clean(cell)}»" for cell in self._rows.ref_cells(one)) for one in (row, other_row)
            )
            yield self._of_ref(kinds.REF_FROM_OTHER_PARTS, ref, row, other_row, parts=parts, other_parts=other_parts)
        if number in self._split:
            yield self._split_problem(document)

    def _of_ref(self, kind: Kind, ref: str, at: int, other_row: int | None = None, **parameters: str) -> Problem:
        """Return a problem of the reference in a batch row; `other_row` is a second one that its sentence names."""
        place = self._rows.place(at, "external_ref")
        if other_row is not None:
            other = self._rows.place(other_row, "external_ref")
            parameters |= {"other_row": str(other.row), "other_file": _elsewhere(other, place)}
        return Problem(kind=kind, place=place, value=ref, external_ref=ref, field="external_ref", parameters=parameters)

    def _disagreements(self, number: int, name: str) -> Iterator[Problem]:
        """Return one problem for each other value than the document's, at the first row that has it."""
        field = self._fields[name]
        rows = self._grouped.rows(number)
        said: dict[int, int] = {}
        for row, code in zip(rows.tolist(), field.codes[rows].tolist(), strict=True):
            identity = int(self._headers[name].id_of_code[code])
            if identity != NOT_SAID:
                said.setdefault(identity, row)
        first_row, *others = said.values()
        first = self._rows.place(first_row, name)
        for row in others:
            place = self._rows.place(row, name)
            yield Problem(
                kind=kinds.HEADER_DISAGREES,
                place=place,
                value=clean(field.texts[field.codes[row]]),
                external_ref=self._grouped.refs[number],
                field=name,
                parameters={
                    "heading": place.heading or name,
                    "first": clean(field.texts[field.codes[first_row]]),
                    "first_row": str(first.row),
                    "first_file": _elsewhere(first, place),
                    "row": str(place.row),
                },
            )

    def _split_problem(self, document: Document) -> Problem:
        """Tell that a document's lines come from two files; hold it back where one file repeats lines of another.

        That some lines are equal, and not all of a file, is no reason where the settings say that such rows count.
        """
        by_sheet: dict[int, Counter[tuple[object, ...]]] = {}
        first_row: dict[int, int] = {}
        for line in document.lines:
            source = self._rows.source(line.row)
            first_row.setdefault(source, line.row)
            by_sheet.setdefault(source, Counter())[line[:-1]] += 1
        first, second, *_ = first_row
        kind = kinds.DOCUMENT_IN_TWO_FILES
        for one, other in combinations(by_sheet, 2):
            lines, others = by_sheet[one], by_sheet[other]
            whole = lines <= others or others <= lines
            if whole or (lines & others and not self._repeats_count):
                first, second = one, other
                kind = kinds.SAME_LINES_IN_TWO_FILES if whole else kinds.SOME_LINES_IN_TWO_FILES
            if whole:
                break
        here = self._rows.place(first_row[first])
        there = self._rows.place(first_row[second])
        problem = self._of_ref(kind, document.external_ref, first_row[second])
        return replace(problem, parameters={"file": _sheet_name(here), "other_file": _sheet_name(there)})


def _elsewhere(place: Place, here: Place) -> str:
    """Return the file of another place, where it is another one, to stand after a row number."""
    return "" if (place.file, place.sheet) == (here.file, here.sheet) else f" ({_sheet_name(place)})"


def _sheet_name(place: Place) -> str:
    return f"{place.file} · {place.sheet}" if place.sheet else place.file
