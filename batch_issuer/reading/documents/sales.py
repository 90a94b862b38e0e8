"""The batch: documents built one at a time from columns, each with the problems of its cells."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import accumulate, chain, combinations
from typing import Any

import numpy as np

from batch_issuer.model.documents import Customer, Document
from batch_issuer.model.fields import CUSTOMER_ATTRIBUTES
from batch_issuer.model.problems import CannotStart, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Entry, Found, SheetRow, SourceFile
from batch_issuer.reading.cells.dates import time_of
from batch_issuer.reading.cells.values import DATE_FIELDS, NUMBER_FIELDS, Value, clean
from batch_issuer.reading.documents.grouping import (
    NEUTRAL,
    NOT_SAID,
    HeaderValues,
    JoinedField,
    find_alike,
    group,
    header_values,
    join_fields,
    join_refs,
    split_documents,
)
from batch_issuer.reading.documents.lines import LineColumn, Lines
from batch_issuer.reading.documents.prices import price_bases
from batch_issuer.reading.documents.sums import sum_lines
from batch_issuer.reading.headings.columns import place_of
from batch_issuer.reading.sheets.fields import SheetSales
from batch_issuer.reading.sheets.numbering import TELLING, notes_on_numbers, questions_about_numbers
from batch_issuer.reading.tables import Codes, Sheet, is_blank, without_collecting
from batch_issuer.settings import CUSTOMER_FIELDS, LINE_FIELDS, Settings

_BLOCK = 1_000
"""Documents that are built together while iterating."""
_AHEAD = 100
_NEAR = 20
"""Who asks for a document at most so far behind the last one gets it built together with the next `_AHEAD`."""


class Sales:
    """All documents of the files of one command; see `Batch`."""

    def __init__(self, sheets: Sequence[SheetSales], settings: Settings) -> None:
        self._sheets = tuple(sheets)
        self._settings = settings
        self._names = [(sheet.source.path, sheet.source.sheet) for sheet in sheets]
        self._offsets = [0, *accumulate(len(sheet.rows.sales) for sheet in sheets)]
        self._grouped = group(sheets, self._offsets, continue_rows=settings.source.continue_rows)
        self._fields, overhang = join_fields(sheets)
        self._headers = {
            name: header_values(self._fields[name], self._grouped) for name in self._fields if name not in LINE_FIELDS
        }
        disagree = {name: self._headers[name].disagree for name in TELLING if name in self._headers}
        if "till" in self._headers and "till" not in settings.columns:
            self._headers["till"] = replace(self._headers["till"], disagree=None)  # nobody said that it is a till
        self._cells = [
            field for field in (join_refs(sheets), *self._fields.values(), *overhang) if field.faulty is not None
        ]
        self._plain_headers = [name for name in self._headers if name not in (*CUSTOMER_FIELDS, "doc_type")]
        self._alike = find_alike(self._grouped.refs)
        self._suspects = {*self._grouped.variants, *self._grouped.mixed}
        self._split = split_documents(self._grouped, self._offsets)
        self._open = self._open_documents()
        self._odd = self._odd_documents()
        self._sums = sum_lines(self._fields, self._grouped)
        self._times = _times(self._fields.get("date"))
        self._columns: dict[tuple[int, str], Place] = {}
        self._asked = -1
        self._ahead_from = 0
        self._ahead: list[Entry] = []
        """Documents built together for whoever asks for one after the other."""
        self._prices = price_bases(self._doc_types(), settings.source.prices, sheets)

        documents = [np.unique(of_rows) for of_rows in self._documents_of_sheets()]
        held = {name: flags for name in disagree if (flags := self._headers[name].disagree) is not None}
        self._notes = tuple(notes_on_numbers(sheets, documents, held))
        self.questions: tuple[CannotStart, ...] = ()
        """What has to be answered before the documents can be issued."""
        if settings.source.alike != "same":
            nothing = np.zeros(len(self), np.bool_)
            told_apart = np.logical_or.reduce([nothing, *held.values()])
            tills = disagree.get("till")
            self.questions = tuple(
                questions_about_numbers(
                    sheets, documents, self._grouped.refs, told_apart, nothing if tills is None else tills
                )
            )

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        return tuple(sheet.source for sheet in self._sheets)

    @property
    def rows(self) -> int:
        return self._offsets[-1]

    @property
    def problems(self) -> tuple[Problem, ...]:
        of_sheets = chain.from_iterable(sheet.problems for sheet in self._sheets)
        lost = (
            Problem(kind=kinds.ROW_WITHOUT_REF, place=self.place(row, "external_ref"), field="external_ref")
            for row in self._grouped.lost.tolist()
        )
        return (*of_sheets, *self._notes, *lost)

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
            with without_collecting():
                entries = self._built(documents[first : first + _BLOCK])
            yield from entries

    def place(self, row: int, field: str = "") -> Place:
        source, at = self._located(row)
        column = self._columns.get((source, field)) or self._column(source, field)
        return Place(column.file, column.sheet, at + 1, column.column, column.heading)

    def _column(self, source: int, field: str) -> Place:
        """The place of a field's column; tens of thousands of problems may stand in one."""
        sheet = self._sheets[source]
        number = sheet.header.ref_columns[0] if field == "external_ref" else sheet.header.columns.get(field)
        return self._columns.setdefault((source, field), place_of(sheet.sheet, sheet.header, None, number))

    def sheet_row(self, row: int) -> SheetRow:
        source, at = self._located(row)
        sheet = self._sheets[source]
        columns = sheet.sheet.table.columns
        return SheetRow(
            source,
            at + 1,
            sheet.header.headings,
            sheet.sheet.table.cells(at),
            [column.kind(int(column.codes[at])) for column in columns] if any(one.kinds for one in columns) else (),
            dict(_read_values(sheet, range(self.rows)[row] - self._offsets[source])),
            dict(_formats(sheet.sheet, at)),
        )

    def row_numbers(self, rows: Sequence[int]) -> list[int]:
        if len(self._sheets) > 1:
            return [self._located(row)[1] + 1 for row in rows]
        numbers: list[int] = (self._sheets[0].rows.sales[list(rows)] + 1).tolist()
        return numbers

    def source(self, row: int) -> tuple[str, str]:
        return self._names[self._source_of(range(self.rows)[row])]

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

    def _source_of(self, row: int) -> int:
        return bisect_right(self._offsets, row) - 1

    def _located(self, row: int) -> tuple[int, int]:
        """The source of a batch row, and its table row."""
        row = range(self.rows)[row]
        source = self._source_of(row)
        return source, int(self._sheets[source].rows.sales[row - self._offsets[source]])

    def _built(self, documents: Sequence[int]) -> list[Entry]:
        """Build some documents, with one look at each column."""
        numbers = np.array(documents, np.int32)
        rows, from_to = self._rows_of(numbers)
        bounds = from_to.tolist()
        first_rows = rows[from_to[:-1]]
        begins, times = first_rows.tolist(), [""] * len(numbers)
        if self._times:
            times = [self._times[code] for code in self._fields["date"].codes[first_rows].tolist()]
        columns = cache(partial(self._line_columns, rows))
        found = self._cell_problems(rows, documents, from_to)
        headers = {name: self._header_values(name, numbers) for name in self._plain_headers}
        said = self._header_values("doc_type", numbers) if "doc_type" in self._headers else [None] * len(numbers)
        customers = self._customers(numbers)
        default, prices = self._settings.source.doc_type, self._prices
        entries: list[Entry] = []
        for at, number in enumerate(documents):
            problems = found.get(at, [])
            kind = said[at]
            if kind is None:
                kind = "" if any(problem.field == "doc_type" for problem in problems) else default
            document = Document(
                external_ref=self._grouped.refs[number],
                doc_type=kind,
                lines=Lines(columns, rows, bounds[at], bounds[at + 1]),
                prices_with_vat=prices.get(kind) != "without_vat",
                customer=customers[at],
                begins=begins[at],
                summed=None if self._sums is None else self._sums[number],
                time=times[at],
                **{name: values[at] for name, values in headers.items()},
            )
            if number in self._odd:
                problems += self._document_problems(number, document)
            entries.append(
                Entry(document=document, problems=tuple(sorted(problems, key=_by_place)) if problems else ())
            )
        return entries

    def _rows_of(self, numbers: Codes) -> tuple[Codes, Codes]:
        """The batch rows of some documents, and where each one's begin among these, and the end."""
        starts = self._grouped.starts[numbers]
        counts = self._grouped.starts[numbers + 1] - starts
        ends = np.cumsum(counts)
        rows = self._grouped.order[np.repeat(starts - (ends - counts), counts) + np.arange(counts.sum())]
        return rows, np.concatenate([[0], ends])

    def _line_columns(self, rows: Codes) -> Sequence[LineColumn]:
        fields = [(name, self._fields.get(name)) for name in LINE_FIELDS]
        return [NEUTRAL.get(name, "") if field is None else (field.values, field.codes[rows]) for name, field in fields]

    def _header_values(self, name: str, numbers: Codes) -> list[Any]:
        header = self._headers[name]
        neutral = None if name == "doc_type" else NEUTRAL.get(name, "")
        return [neutral if code == NOT_SAID else header.values[code] for code in header.ids[numbers].tolist()]

    def _customers(self, numbers: Codes) -> Sequence[Customer | None]:
        names = [name for name in CUSTOMER_FIELDS if name in self._headers]
        if not names:
            return [None] * len(numbers)
        columns = [self._header_values(name, numbers) for name in names]
        attributes = [CUSTOMER_ATTRIBUTES[name] for name in names]
        return [
            Customer(**dict(zip(attributes, values, strict=True))) if any(values) else None
            for values in zip(*columns, strict=True)
        ]

    def _cell_problems(self, rows: Codes, documents: Sequence[int], bounds: Codes) -> dict[int, list[Problem]]:
        """Problems of the cells of some rows, by the number of the document among these."""
        found: dict[int, list[Problem]] = {}
        for field in self._cells:
            assert field.faulty is not None  # noqa: S101 - only such are in _cells
            wrong = np.flatnonzero(field.faulty[field.codes[rows]])
            owners = np.searchsorted(bounds, wrong, side="right") - 1
            for row, owner in zip(rows[wrong].tolist(), owners.tolist(), strict=True):
                problem = self._cell_problem(field, row, int(field.codes[row]), self._grouped.refs[documents[owner]])
                found.setdefault(owner, []).append(problem)
        return found

    def _cell_problem(self, field: JoinedField, row: int, code: int, ref: str) -> Problem:
        place = self.place(row, field.name) if field.name else self._overhanging(row, field)
        return replace(
            field.faults[code], value=clean(field.texts[code]), row=row, field=field.name, place=place, external_ref=ref
        )

    def _overhanging(self, row: int, field: JoinedField) -> Place:
        """The place of a cell under no heading."""
        source, at = self._located(row)
        sheet = self._sheets[source]
        return place_of(sheet.sheet, sheet.header, at, field.number)

    def _open_documents(self) -> dict[int, int]:
        """The documents right above rows without a reference, and the first of these: they may go on there."""
        lost = self._grouped.lost
        if not len(lost):
            return {}
        document_of = np.full(self.rows, -1, np.int32)
        document_of[self._grouped.order] = np.repeat(
            np.arange(len(self), dtype=np.int32), np.diff(self._grouped.starts)
        )
        found: dict[int, int] = {}
        for row in lost.tolist():
            document = int(document_of[row - 1]) if row and row not in self._offsets else -1
            if document >= 0:
                found.setdefault(document, row)
        return found

    def _odd_documents(self) -> frozenset[int]:
        """The documents that need a look as a whole."""
        odd = {*self._alike, *self._open}
        if self._suspects:
            odd.update(number for number, ref in enumerate(self._grouped.refs) if ref in self._suspects)
        for flags in (self._split, *(header.disagree for header in self._headers.values())):
            if flags is not None:
                odd.update(np.flatnonzero(flags).tolist())
        return frozenset(odd)

    def _document_problems(self, number: int, document: Document) -> Iterator[Problem]:
        ref = document.external_ref
        for name, header in self._headers.items():
            if header.disagree is not None and header.disagree[number]:
                yield from self._disagreements(number, name, header)
        if number in self._open:
            yield self._open_problem(ref, document, self._open[number])
        if number in self._alike:
            other = self._alike[number]
            yield self._alike_problem(ref, document.row, self._grouped.refs[other], int(self._grouped.rows(other)[0]))
        if ref in self._grouped.variants:
            row, other_row = self._grouped.variants[ref]
            yield self._alike_problem(self._written_ref(row), row, self._written_ref(other_row), other_row)
        if ref in self._grouped.mixed:
            yield self._mixed_problem(ref, *self._grouped.mixed[ref])
        if self._split is not None and self._split[number]:
            yield self._split_problem(document)

    def _disagreements(self, number: int, name: str, header: HeaderValues) -> Iterator[Problem]:
        """One problem for each other value, at the first row that has it."""
        field = self._fields[name]
        rows = self._grouped.rows(number)
        said: dict[int, int] = {}
        for row, code in zip(rows.tolist(), field.codes[rows].tolist(), strict=True):
            identity = int(header.id_of_code[code])
            if identity != NOT_SAID:
                said.setdefault(identity, row)
        first_row, *others = said.values()
        first = self.place(first_row, name)
        for row in others:
            place = self.place(row, name)
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

    def _open_problem(self, ref: str, document: Document, below: int) -> Problem:
        return Problem(
            kind=kinds.MAY_GO_ON_BELOW,
            place=self.place(document.row, "external_ref"),
            value=ref,
            external_ref=ref,
            field="external_ref",
            parameters={"row": str(self.place(below).row)},
        )

    def _alike_problem(self, ref: str, row: int, other: str, other_row: int) -> Problem:
        place, other_place = self.place(row, "external_ref"), self.place(other_row, "external_ref")
        return Problem(
            kind=kinds.REFS_LOOK_ALIKE,
            place=place,
            value=ref,
            external_ref=ref.strip(),
            field="external_ref",
            parameters={
                "other": other, "other_row": str(other_place.row), "other_file": _elsewhere(other_place, place),
            },
        )  # fmt: skip

    def _written_ref(self, row: int) -> str:
        """The reference as the cell has it, spaces and all."""
        source, at = self._located(row)
        sheet = self._sheets[source]
        return sheet.sheet.table.columns[sheet.header.ref_columns[0]][at]

    def _mixed_problem(self, ref: str, other_row: int, row: int) -> Problem:
        place, other = self.place(row, "external_ref"), self.place(other_row, "external_ref")
        return Problem(
            kind=kinds.REF_FROM_OTHER_PARTS,
            place=place,
            value=ref,
            external_ref=ref,
            field="external_ref",
            parameters={
                "parts": self._parts(row),
                "other_parts": self._parts(other_row),
                "other_row": str(other.row),
                "other_file": _elsewhere(other, place),
            },
        )

    def _parts(self, row: int) -> str:
        source, at = self._located(row)
        sheet = self._sheets[source]
        columns = sheet.sheet.table.columns
        return " + ".join(f"«{clean(columns[number][at])}»" for number in sheet.header.ref_columns)

    def _split_problem(self, document: Document) -> Problem:
        """Told when a document's lines come from two files, held back when one file repeats lines of another.

        Single lines may, where the settings say that rows which repeat others count.
        """
        by_sheet: dict[int, Counter[tuple[object, ...]]] = {}
        first_row: dict[int, int] = {}
        for line in document.lines:
            source = self._source_of(line.row)
            first_row.setdefault(source, line.row)
            by_sheet.setdefault(source, Counter())[line[:-1]] += 1
        first, second, *_ = first_row
        kind = kinds.DOCUMENT_IN_TWO_FILES
        for one, other in combinations(by_sheet, 2):
            lines, others = by_sheet[one], by_sheet[other]
            whole = lines <= others or others <= lines
            if whole or (lines & others and self._settings.source.repeated_rows != "count"):
                first, second = one, other
                kind = kinds.SAME_LINES_IN_TWO_FILES if whole else kinds.SOME_LINES_IN_TWO_FILES
            if whole:
                break
        here, there = (self.place(first_row[source], "external_ref") for source in (first, second))
        return Problem(
            kind=kind,
            place=there,
            value=document.external_ref,
            external_ref=document.external_ref,
            field="external_ref",
            parameters={"file": _sheet_name(here), "other_file": _sheet_name(there)},
        )

    def _doc_types(self) -> list[set[str]]:
        """Of each sheet, the types of the documents on it, with the settings' own where a document says none."""
        header = self._headers.get("doc_type")
        own = self._settings.source.doc_type
        if header is None:
            return [{own} if len(documents) else set() for documents in self._documents_of_sheets()]
        return [
            {
                own if code == NOT_SAID else str(header.values[code])
                for code in np.unique(header.ids[documents]).tolist()
            }
            for documents in self._documents_of_sheets()
        ]

    def _documents_of_sheets(self) -> list[Codes]:
        """Of each sheet, the documents with a row on it."""
        documents = np.arange(len(self), dtype=np.int32)
        if len(self._sheets) == 1:
            return [documents]
        of_rows = np.repeat(documents, np.diff(self._grouped.starts))
        sheets = np.searchsorted(self._offsets, self._grouped.order, side="right") - 1
        return [of_rows[sheets == sheet] for sheet in range(len(self._sheets))]


def _times(dates: JoinedField | None) -> Sequence[str]:
    """The time of day in each distinct text of the dates; empty where none has any."""
    if dates is None:
        return ()
    found = [
        time_of(clean(text)) if ":" in text and value is not None else ""
        for text, value in zip(dates.texts, dates.values, strict=True)
    ]
    return found if any(found) else ()


_READ_FIELDS = frozenset((*NUMBER_FIELDS, *DATE_FIELDS))


def _read_values(sheet: SheetSales, row: int) -> Iterator[tuple[int, Value]]:
    """Column and value of the numbers and dates of a sales row; faulty cells and blank ones have none."""
    for field in sheet.fields:
        if field.name in _READ_FIELDS:
            code = int(field.codes[row])
            if code not in field.faults and not is_blank(field.texts[code]):
                yield field.number, field.values[code]


def _formats(sheet: Sheet, row: int) -> Iterator[tuple[int, str]]:
    for (number, code), shown in sheet.formats.items():
        if sheet.table.columns[number].codes[row] == code:
            yield number, shown


def _elsewhere(place: Place, here: Place) -> str:
    """The file of another place, where it is another one, to stand after a row number."""
    return "" if (place.file, place.sheet) == (here.file, here.sheet) else f" ({_sheet_name(place)})"


def _sheet_name(place: Place) -> str:
    return f"{place.file} · {place.sheet}" if place.sheet else place.file


def _by_place(problem: Problem) -> tuple[str, str, int, int, str]:
    place = problem.place
    return place.file, place.sheet, place.row or 0, len(place.column), place.column
