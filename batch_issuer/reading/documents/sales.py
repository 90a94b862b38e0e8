"""The batch: documents built one at a time from columns, each with the problems of its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial
from itertools import chain
from typing import Any

import numpy as np

from batch_issuer.model.documents import Customer, Document
from batch_issuer.model.fields import CUSTOMER_ATTRIBUTES
from batch_issuer.model.problems import CannotStart, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Entry, Found, SheetRow, SourceFile
from batch_issuer.reading.cells.dates import time_of
from batch_issuer.reading.cells.values import clean
from batch_issuer.reading.documents.grouping import (
    HEADER_FIELDS,
    NEUTRAL,
    HeaderValues,
    group,
    header_values,
    join_fields,
    join_refs,
)
from batch_issuer.reading.documents.lines import Lines, line_columns
from batch_issuer.reading.documents.prices import price_bases
from batch_issuer.reading.documents.rows import Rows
from batch_issuer.reading.documents.sums import sum_lines
from batch_issuer.reading.documents.whole import WholeDocuments
from batch_issuer.reading.sheets.fields import SheetSales
from batch_issuer.reading.sheets.numbering import TELLING, notes_on_numbers, questions_about_numbers
from batch_issuer.reading.tables import Codes, without_collecting
from batch_issuer.settings import CUSTOMER_FIELDS, Settings

_BLOCK = 1_000
"""Documents that are built together while iterating."""
_AHEAD = 100
_NEAR = 20
"""Who asks for a document at most so far behind the last one gets it built together with the next `_AHEAD`."""


class Sales:
    """All documents of the files of one command; see `Batch`.

    Making it raises `CannotStart` where no row of a sheet has a reference, and where it is not plain whether the
    prices of a type include VAT.
    """

    def __init__(self, sheets: Sequence[SheetSales], settings: Settings) -> None:
        self._sheets = tuple(sheets)
        self._settings = settings
        self._rows = Rows(self._sheets)
        self._grouped = group(sheets, self._rows.offsets, continue_rows=settings.source.continue_rows)
        self._fields, overhang = join_fields(sheets)
        self._cells = [
            field for field in (join_refs(sheets), *self._fields.values(), *overhang) if field.faulty is not None
        ]
        said = [name for name in HEADER_FIELDS if name in self._fields]
        self._headers = {name: header_values(self._fields[name], self._grouped) for name in said}
        self._headers.setdefault("doc_type", HeaderValues.unsaid(len(self)))
        # A heading such as «Caja» may mean boxes: rows have to agree on it only where somebody said that it is a till.
        agreeing = {name: one for name, one in self._headers.items() if name != "till" or name in settings.columns}
        told_apart = {name: agreeing[name].disagree for name in TELLING if name in agreeing}
        self._told_apart = {name: flags for name, flags in told_apart.items() if flags is not None}
        repeats_count = settings.source.repeated_rows == "count"
        self._whole = WholeDocuments(
            sheets, self._rows, self._grouped, self._fields, agreeing, repeats_count=repeats_count
        )
        self._of_sheets = self._grouped.documents_of_sheets()
        types = [self._headers["doc_type"].different(one, settings.source.doc_type) for one in self._of_sheets]
        self._prices = price_bases([set(map(str, one)) for one in types], settings.source.prices, sheets)
        self._sums = sum_lines(self._fields, self._grouped)
        self._asked, self._ahead_from = -1, 0
        self._ahead: list[Entry] = []
        """Documents built together for whoever asks for one after the other."""

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        return tuple(sheet.source for sheet in self._sheets)

    @property
    def rows(self) -> int:
        return len(self._rows)

    @property
    def problems(self) -> tuple[Problem, ...]:
        of_sheets = chain.from_iterable(sheet.problems for sheet in self._sheets)
        notes = notes_on_numbers(self._sheets, self._of_sheets, self._told_apart)
        lost = (
            Problem(kind=kinds.ROW_WITHOUT_REF, place=self.place(row, "external_ref"), field="external_ref")
            for row in self._grouped.lost.tolist()
        )
        return (*of_sheets, *notes, *lost)

    @property
    def questions(self) -> tuple[CannotStart, ...]:
        """What has to be answered before the documents can be issued."""
        if self._settings.source.alike == "same":
            return ()
        nothing = np.zeros(len(self), np.bool_)
        told_apart = np.logical_or.reduce([nothing, *self._told_apart.values()])
        till = self._headers.get("till")
        tills_differ = nothing if till is None or till.disagree is None else till.disagree
        found = questions_about_numbers(self._sheets, self._of_sheets, self._grouped.refs, told_apart, tills_differ)
        return tuple(found)

    def __len__(self) -> int:
        return len(self._grouped.refs)

    def __getitem__(self, index: int) -> Entry:
        document = range(len(self))[index]
        at = document - self._ahead_from
        if not 0 <= at < len(self._ahead):
            one_after_the_other = 0 < document - self._asked <= _NEAR
            last = min(document + _AHEAD, len(self)) if one_after_the_other else document + 1
            self._ahead_from, self._ahead, at = document, self._built(range(document, last)), 0
        self._asked = document
        return self._ahead[at]

    def __iter__(self) -> Iterator[Entry]:
        return self.entries(range(len(self)))

    def entries(self, documents: Sequence[int]) -> Iterator[Entry]:
        for first in range(0, len(documents), _BLOCK):
            # Not around the yield: whoever takes the entries makes garbage of his own.
            with without_collecting():
                entries = self._built(documents[first : first + _BLOCK])
            yield from entries

    def place(self, row: int, field: str = "") -> Place:
        return self._rows.place(row, field)

    def sheet_row(self, row: int) -> SheetRow:
        return self._rows.as_written(row)

    def row_numbers(self, rows: Sequence[int]) -> list[int]:
        return self._rows.numbers(rows)

    def source(self, row: int) -> tuple[str, str]:
        source = self._sheets[self._rows.source(row)].source
        return source.path, source.sheet

    def cells_with(self, field: str, judge: Callable[[Any], Found | None]) -> Iterator[tuple[int, int, Found]]:
        joined = self._fields.get(field)
        found = list(map(judge, [NEUTRAL.get(field, "")] if joined is None else joined.values))
        flags = np.array([one is not None for one in found], np.bool_)
        if not flags.any():
            return
        order = self._grouped.order
        codes = np.zeros(len(order), np.int32) if joined is None else self._grouped.by_document(joined.codes)
        cells = np.flatnonzero(flags[codes])
        documents = np.searchsorted(self._grouped.starts, cells, side="right") - 1
        for document, row, code in zip(documents.tolist(), order[cells].tolist(), codes[cells].tolist(), strict=True):
            yield document, row, found[code]

    def _built(self, documents: Sequence[int]) -> list[Entry]:
        """Build some documents, with one look at each column."""
        rows, bounds = self._grouped.rows_of(np.array(documents, np.int32))
        found = self._cell_problems(rows, documents, bounds)
        entries: list[Entry] = []
        for at, document in enumerate(self._documents(documents, rows, bounds, found)):
            problems = found.get(at, [])
            if documents[at] in self._whole.odd:
                problems += self._whole.problems(documents[at], document)
            # As a person reads a sheet; the column AA stands after Z.
            problems.sort(key=lambda one: (*one.place[:2], one.place.row or 0, len(one.place.column), one.place.column))
            entries.append(Entry(document=document, problems=tuple(problems)))
        return entries

    def _cell_problems(self, rows: Codes, documents: Sequence[int], bounds: Codes) -> dict[int, list[Problem]]:
        """Return the problems of the cells of some rows, by the number of the document among these."""
        found: dict[int, list[Problem]] = {}
        for field in self._cells:
            assert field.faulty is not None  # noqa: S101 - only such are in _cells
            wrong = np.flatnonzero(field.faulty[field.codes[rows]])
            owners = np.searchsorted(bounds, wrong, side="right") - 1
            for row, owner in zip(rows[wrong].tolist(), owners.tolist(), strict=True):
                code = int(field.codes[row])
                problem = replace(
                    field.faults[code],
                    value=clean(field.texts[code]),
                    row=row,
                    field=field.name,
                    place=self.place(row, field.name) if field.name else self._rows.place_in(row, field.number),
                    external_ref=self._grouped.refs[documents[owner]],
                )
                found.setdefault(owner, []).append(problem)
        return found

    def _documents(
        self, documents: Sequence[int], rows: Codes, bounds: Codes, found: Mapping[int, Sequence[Problem]]
    ) -> Iterator[Document]:
        """Make the documents whose rows are these; `found` are the problems of their cells, by place among them."""
        numbers = np.array(documents, np.int32)
        first_rows, at_rows = rows[bounds[:-1]], bounds.tolist()
        times = [""] * len(numbers)
        if self._times:
            times = [self._times[code] for code in self._fields["date"].codes[first_rows].tolist()]
        columns = cache(partial(line_columns, self._fields, rows))
        headers = {
            name: header.of(numbers, NEUTRAL.get(name, ""))
            for name, header in self._headers.items()
            if name not in (*CUSTOMER_FIELDS, "doc_type")
        }
        types, customers = self._headers["doc_type"].of(numbers, None), self._customers(numbers)
        for at, (number, begins, said) in enumerate(zip(documents, first_rows.tolist(), types, strict=True)):
            # A type that cannot be read is not the settings' own either.
            unread = said is None and any(problem.field == "doc_type" for problem in found.get(at, ()))
            kind = said or ("" if unread else self._settings.source.doc_type)
            yield Document(
                external_ref=self._grouped.refs[number],
                doc_type=kind,
                lines=Lines(columns, rows, at_rows[at], at_rows[at + 1]),
                prices_with_vat=self._prices.get(kind) != "without_vat",
                customer=customers[at],
                begins=begins,
                summed=None if self._sums is None else self._sums[number],
                time=times[at],
                **{name: values[at] for name, values in headers.items()},
            )

    def _customers(self, numbers: Codes) -> Sequence[Customer | None]:
        """Return the customer of each document, None where the sheet says nothing of one."""
        names = [name for name in CUSTOMER_FIELDS if name in self._headers]
        if not names:  # a day of a shop: tens of thousands of sales to nobody in particular
            return [None] * len(numbers)
        columns = [self._headers[name].of(numbers, NEUTRAL.get(name, "")) for name in names]
        attributes = [CUSTOMER_ATTRIBUTES[name] for name in names]
        return [
            Customer(**dict(zip(attributes, values, strict=True))) if any(values) else None
            for values in zip(*columns, strict=True)
        ]

    @cached_property
    def _times(self) -> Sequence[str]:
        """The time of day in each distinct text of the dates; empty where none has any."""
        dates = self._fields.get("date")
        if dates is None:
            return ()
        found = [
            time_of(clean(text)) if ":" in text and value is not None else ""
            for text, value in zip(dates.texts, dates.values, strict=True)
        ]
        return found if any(found) else ()
