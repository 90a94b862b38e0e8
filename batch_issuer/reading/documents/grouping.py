"""Rows to documents: the rows of one reference, wherever they stand, in the order of each document's first row.

Everything is decided on arrays of codes; no document is built here. Each sales row falls into exactly one document,
or into none because it has no reference, and then it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from batch_issuer.messages import N_
from batch_issuer.model.fields import TABLE, ValueKind
from batch_issuer.model.problems import CannotStart, Problem
from batch_issuer.reading.cells.values import ZERO, Value
from batch_issuer.reading.sheets.external_refs import continued
from batch_issuer.reading.sheets.fields import Field, SheetSales
from batch_issuer.reading.tables import Codes, Flags, is_blank, letter_of
from batch_issuer.settings import CUSTOMER_FIELDS, DOCUMENT_FIELDS, LINE_FIELDS

HEADER_FIELDS = tuple(name for name in (*DOCUMENT_FIELDS, *CUSTOMER_FIELDS) if name != "external_ref")
"""Those with one value for the whole document."""
_NEUTRAL_OF: dict[ValueKind, Value] = {
    ValueKind.PERCENTAGE: ZERO,
    ValueKind.YES_NO: False,
    ValueKind.DATE: None,
    ValueKind.AMOUNT: None,
}
NEUTRAL = {field.key: _NEUTRAL_OF[field.kind] for field in TABLE if field.kind in _NEUTRAL_OF}
"""The value of a field that no column gives; an empty text for all others."""
NOT_SAID = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedField:
    """A field over the sales rows of all sheets."""

    name: str
    number: int
    """The column, for cells under no heading."""
    codes: Codes
    texts: Sequence[str]
    values: Sequence[Value]
    faults: dict[int, Problem]
    faulty: Flags | None
    """By code; None where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderValues:
    """One header field by document: `values[ids[document]]`, or `NOT_SAID`; where rows disagree, the first value."""

    values: Sequence[Value]
    ids: Codes
    id_of_code: Codes
    disagree: Flags | None
    """By document; None where all agree."""

    @classmethod
    def unsaid(cls, documents: int) -> HeaderValues:
        """Return what documents have of a field that no sheet has."""
        return cls(
            values=(), ids=np.full(documents, NOT_SAID, np.int32), id_of_code=np.empty(0, np.int32), disagree=None
        )

    def of(self, documents: Codes, unsaid: Value) -> list[Any]:
        """Return the values of some documents; `unsaid` for one that says nothing."""
        return [unsaid if one == NOT_SAID else self.values[one] for one in self.ids[documents].tolist()]

    def different(self, documents: Codes, unsaid: Value) -> set[Value]:
        """Return the values that some documents have, each once; `unsaid` where one of them says nothing."""
        return {unsaid if one == NOT_SAID else self.values[one] for one in np.unique(self.ids[documents]).tolist()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Which rows make which document. A row is counted through all sheets here, from 0."""

    offsets: Sequence[int]
    """The row at which each sheet begins, and the end."""
    order: Codes
    """Rows that have a reference, document by document."""
    starts: Codes
    """Where each document begins in `order`, and the end."""
    refs: list[str]
    lost: Codes
    """Rows without a reference."""
    in_order: bool
    """Whether every row has a reference and all documents stand one after the other: `order` changes nothing."""

    def by_document(self, codes: Codes) -> Codes:
        """Return, of codes by row, those of the rows with a reference, document by document; not to be written to."""
        return codes if self.in_order else codes[self.order]

    def rows(self, document: int) -> Codes:
        return self.order[self.starts[document] : self.starts[document + 1]]

    def rows_of(self, documents: Codes) -> tuple[Codes, Codes]:
        """Return the rows of some documents, and where each one's begin among these, and the end."""
        starts = self.starts[documents]
        counts = self.starts[documents + 1] - starts
        ends = np.cumsum(counts)
        rows = self.order[np.repeat(starts - (ends - counts), counts) + np.arange(counts.sum())]
        return rows, np.concatenate([[0], ends])

    def documents(self) -> Codes:
        """Return the document of each row in `order`."""
        return np.repeat(np.arange(len(self.refs), dtype=np.int32), np.diff(self.starts))

    def documents_of_sheets(self) -> list[Codes]:
        """Return, of each sheet, the documents with a row on it, ascending."""
        if len(self.offsets) == 2:
            return [np.arange(len(self.refs), dtype=np.int32)]
        documents = self.documents()
        sheets = np.searchsorted(self.offsets, self.order, side="right") - 1
        return [np.unique(documents[sheets == sheet]) for sheet in range(len(self.offsets) - 1)]

    def in_several_sheets(self) -> frozenset[int]:
        """Return the documents that have rows in more than one sheet."""
        if len(self.offsets) < 3 or not self.refs:
            return frozenset()
        sheet_of = np.searchsorted(np.asarray(self.offsets[1:-1]), self.order, side="right")
        first, last = sheet_of[self.starts[:-1]], sheet_of[self.starts[1:] - 1]
        return frozenset(np.flatnonzero(first != last).tolist())

    def open_below(self) -> dict[int, int]:
        """Return the documents right above rows without a reference, and the first of these: they may go on there."""
        if not len(self.lost):
            return {}
        document_of = np.full(self.offsets[-1], -1, np.int32)
        document_of[self.order] = self.documents()
        found: dict[int, int] = {}
        for row in self.lost.tolist():
            document = int(document_of[row - 1]) if row and row not in self.offsets else -1
            if document >= 0:
                found.setdefault(document, row)
        return found


def group(sheets: Sequence[SheetSales], offsets: Sequence[int], *, continue_rows: bool) -> Grouped:
    """Group the rows of all sheets; `offsets` as in `Grouped`.

    Raises `CannotStart` for a sheet in which no row has a reference.
    """
    code_of: dict[str, int] = {}
    codes: list[Codes] = [np.empty(0, np.int32)]
    for sheet in sheets:
        refs = sheet.refs
        if len(refs.codes) and not any(refs.texts[code] for code in refs.used_codes()):
            number = sheet.header.ref_columns[0]
            raise CannotStart(
                N_("{where}: the column «{heading}» ({letter}), which identifies the sale, is empty in every row."),
                repair=N_('Name another one in the settings:\n[columns]\nexternal_ref = "{example}"'),
                where=sheet.sheet.title,
                heading=sheet.header.headings[number],
                letter=letter_of(number),
                example=next(iter(sheet.header.ignored), "…"),
            )
        known = (code_of.setdefault(text, len(code_of)) if text else -1 for text in refs.texts)
        found = np.fromiter(known, np.int32, len(refs.texts))
        if len(refs.codes):  # a sheet without a row has no texts either, which numpy would not index
            codes.append(continued(found[refs.codes]) if continue_rows else found[refs.codes])
    return _by_first_row(np.concatenate(codes), list(code_of), offsets)


def _by_first_row(codes: Codes, texts: list[str], offsets: Sequence[int]) -> Grouped:
    """Put the rows of each code together, those first whose first row stands first; a negative code is no reference."""
    with_ref = np.flatnonzero(codes >= 0).astype(np.int32)
    present = codes[with_ref]
    first = np.full(len(texts), len(codes), np.int64)
    first[present[::-1]] = with_ref[::-1]  # backwards: of several rows the last that is written stays, here the first
    by_first = np.argsort(first, kind="stable")[: int((first < len(codes)).sum())]
    rank = np.zeros(len(texts), np.int32)
    rank[by_first] = np.arange(len(by_first), dtype=np.int32)
    document = rank[present]
    ascending = not (np.diff(document) < 0).any()
    if not ascending:
        with_ref = with_ref[np.argsort(document, kind="stable")]
    counts = np.bincount(document, minlength=len(by_first))
    return Grouped(
        offsets=offsets,
        order=with_ref,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        refs=[texts[code] for code in by_first.tolist()],
        lost=np.flatnonzero(codes < 0).astype(np.int32),
        in_order=ascending and len(with_ref) == len(codes),
    )


def join_fields(sheets: Sequence[SheetSales]) -> tuple[dict[str, JoinedField], list[JoinedField]]:
    """Return the fields that at least one sheet has, by name, and the cells under no heading."""
    names = [name for name in (*HEADER_FIELDS, *LINE_FIELDS) if any(_field_of(sheet, name) for sheet in sheets)]
    named = {name: _joined(name, [_field_of(sheet, name) for sheet in sheets], sheets) for name in names}
    overhang: list[JoinedField] = []
    for at, sheet in enumerate(sheets):
        for field in sheet.fields:
            if not field.name:
                alone: list[Field | None] = [None] * len(sheets)
                alone[at] = field
                overhang.append(_joined("", alone, sheets))
    return named, overhang


def join_refs(sheets: Sequence[SheetSales]) -> JoinedField:
    """Return the references as a field, for the faults of their cells."""
    fields: list[Field | None] = [
        Field(name="external_ref", number=0, codes=refs.codes, texts=refs.texts, values=[], faults=refs.faults)
        for refs in (sheet.refs for sheet in sheets)
    ]
    return _joined("external_ref", fields, sheets)


def _field_of(sheet: SheetSales, name: str) -> Field | None:
    return next((field for field in sheet.fields if field.name == name), None)


def _joined(name: str, fields: Sequence[Field | None], sheets: Sequence[SheetSales]) -> JoinedField:
    """Join one field of each sheet, with one range of codes after the other; a sheet without it has the neutral."""
    codes: list[Codes] = []
    texts: list[str] = []
    values: list[Value] = []
    faults: dict[int, Problem] = {}
    for field, sheet in zip(fields, sheets, strict=True):
        if field is None:
            codes.append(np.full(len(sheet.rows.sales), len(texts), np.int32))
            texts.append("")
            values.append(NEUTRAL.get(name, ""))
            continue
        codes.append(field.codes if not texts else field.codes + np.int32(len(texts)))
        faults.update({code + len(texts): fault for code, fault in field.faults.items()})
        texts.extend(field.texts)
        values.extend(field.values)
    return JoinedField(
        name=name,
        number=next(field.number for field in fields if field is not None),
        codes=codes[0] if len(codes) == 1 else np.concatenate(codes),
        texts=texts,
        values=values,
        faults=faults,
        faulty=np.isin(np.arange(len(texts)), list(faults)) if faults else None,
    )


def header_values(field: JoinedField, grouped: Grouped) -> HeaderValues:
    """Return each document's value of a header field: the first that one of its rows says. Dates agree by day.

    A blank cell says nothing, and neither does a yes or no that cannot be read: it may be either.
    """
    id_of: dict[Value, int] = {}
    ids: list[int] = []
    for code, (text, value) in enumerate(zip(field.texts, field.values, strict=True)):
        unread = isinstance(value, bool) and code in field.faults
        unsaid = unread or value is None or value == "" or is_blank(text)
        ids.append(NOT_SAID if unsaid else id_of.setdefault(value, len(id_of)))
    id_of_code = np.array(ids, np.int32)
    if not grouped.refs:
        return HeaderValues(values=list(id_of), ids=np.empty(0, np.int32), id_of_code=id_of_code, disagree=None)
    said = id_of_code[grouped.by_document(field.codes)]
    most = np.maximum.reduceat(said, grouped.starts[:-1])
    said[said == NOT_SAID] = len(id_of)  # or the least would be that some row says nothing, which is no disagreement
    least = np.minimum.reduceat(said, grouped.starts[:-1])
    disagree = (most != NOT_SAID) & (most != least)
    chosen = most  # where rows agree; below, by hand, the few where they do not
    for document in np.flatnonzero(disagree).tolist():
        of_rows = id_of_code[field.codes[grouped.rows(document)]]
        chosen[document] = of_rows[of_rows != NOT_SAID][0]
    return HeaderValues(
        values=list(id_of), ids=chosen, id_of_code=id_of_code, disagree=disagree if disagree.any() else None
    )
