"""Rows to documents: the rows of one reference, wherever they stand, in the order of each document's first row.

Everything is decided on arrays of codes; no document is built here. Each sales row falls into exactly one document,
or into none because it has no reference, and then it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch_issuer.messages import N_
from batch_issuer.model.fields import TABLE, ValueKind
from batch_issuer.model.identity import alike_keys
from batch_issuer.model.problems import CannotStart, Problem
from batch_issuer.reading.cells.values import ZERO, Value
from batch_issuer.reading.sheets.external_refs import continued
from batch_issuer.reading.sheets.fields import Field, SheetSales
from batch_issuer.reading.tables import BLANKS, Codes, Flags, is_blank, letter_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Which rows make which document."""

    order: Codes
    """Rows that have a reference, document by document."""
    starts: Codes
    """Where each document begins in `order`, and the end."""
    refs: list[str]
    lost: Codes
    """Rows without a reference."""
    variants: dict[str, tuple[int, int]]
    """References written in several ways within one document: a row of each of two ways."""
    mixed: dict[str, tuple[int, int]]
    """References made of different parts: a row of each."""

    in_order: bool
    """Whether every row has a reference and all documents stand one after the other: `order` changes nothing."""

    def by_document(self, codes: Codes) -> Codes:
        """Of codes by row, those of the rows with a reference, document by document; not to be written to."""
        return codes if self.in_order else codes[self.order]

    def rows(self, document: int) -> Codes:
        return self.order[self.starts[document] : self.starts[document + 1]]


def group(sheets: Sequence[SheetSales], offsets: Sequence[int], *, continue_rows: bool) -> Grouped:
    """Groups the rows of all sheets; batch rows are counted through all of them."""
    code_of: dict[str, int] = {}
    part_of: dict[str, tuple[tuple[str, ...], int]] = {}
    variants: dict[str, tuple[int, int]] = {}
    mixed: dict[str, tuple[int, int]] = {}
    codes: list[Codes] = []
    for sheet, offset in zip(sheets, offsets, strict=False):
        refs = sheet.refs
        if len(refs.codes) and not any(refs.texts[code] for code in _used(refs.codes, len(refs.texts))):
            raise _no_refs(sheet)
        _note_variants(sheet, offset, variants)
        _note_parts(sheet, offset, part_of, mixed)
        known = (code_of.setdefault(text, len(code_of)) if text else -1 for text in refs.texts)
        found = np.fromiter(known, np.int32, len(refs.texts))
        rows = found[refs.codes] if len(refs.codes) else np.empty(0, np.int32)
        codes.append(continued(rows) if continue_rows else rows)
    return _ordered(np.concatenate(codes) if codes else np.empty(0, np.int32), list(code_of), variants, mixed)


def _ordered(
    codes: Codes, texts: list[str], variants: dict[str, tuple[int, int]], mixed: dict[str, tuple[int, int]]
) -> Grouped:
    with_ref = np.flatnonzero(codes >= 0).astype(np.int32)
    present = codes[with_ref]
    first = np.full(len(texts), len(codes), np.int64)
    first[present[::-1]] = with_ref[::-1]
    by_first = np.argsort(first, kind="stable")[: int((first < len(codes)).sum())]
    rank = np.zeros(len(texts), np.int32)
    rank[by_first] = np.arange(len(by_first), dtype=np.int32)
    document = rank[present]
    ascending = not (np.diff(document) < 0).any()
    if not ascending:
        with_ref = with_ref[np.argsort(document, kind="stable")]
    counts = np.bincount(document, minlength=len(by_first))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return Grouped(
        order=with_ref,
        starts=starts,
        refs=[texts[code] for code in by_first.tolist()],
        lost=np.flatnonzero(codes < 0).astype(np.int32),
        variants=variants,
        mixed=mixed,
        in_order=ascending and len(with_ref) == len(codes),
    )


def _used(codes: Codes, count: int) -> list[int]:
    used: list[int] = np.flatnonzero(np.bincount(codes, minlength=count)).tolist()
    return used


def _note_variants(sheet: SheetSales, offset: int, variants: dict[str, tuple[int, int]]) -> None:
    """A reference that the file also writes with spaces around it."""
    if len(sheet.header.ref_columns) != 1 or sheet.refs.parts:
        return
    raw = sheet.sheet.table.columns[sheet.header.ref_columns[0]].texts
    if all(text == text.strip(BLANKS) for text in raw):
        return
    seen: dict[str, int] = {}
    for code in _used(sheet.refs.codes, len(raw)):
        text = sheet.refs.texts[code]
        other = seen.setdefault(text, code)
        if text and raw[other] != raw[code] and raw[other].strip(BLANKS) == raw[code].strip(BLANKS):
            variants[text] = (_row_of(sheet, other, offset), _row_of(sheet, code, offset))


def _row_of(sheet: SheetSales, code: int, offset: int) -> int:
    return int((sheet.refs.codes == code).argmax()) + offset


def _note_parts(
    sheet: SheetSales, offset: int, part_of: dict[str, tuple[tuple[str, ...], int]], mixed: dict[str, tuple[int, int]]
) -> None:
    for code, parts in enumerate(sheet.refs.parts):
        text = sheet.refs.texts[code]
        if not text:
            continue
        known = part_of.get(text)
        if known is None:
            part_of[text] = (parts, _row_of(sheet, code, offset) if len(parts) > 1 else offset)
        elif known[0] != parts:
            mixed[text] = (known[1], _row_of(sheet, code, offset))


def _no_refs(sheet: SheetSales) -> CannotStart:
    number = sheet.header.ref_columns[0]
    return CannotStart(
        N_("{where}: the column «{heading}» ({letter}), which identifies the sale, is empty in every row."),
        repair=N_('Name another one in the settings:\n[columns]\nexternal_ref = "{example}"'),
        where=sheet.sheet.title,
        heading=sheet.header.headings[number],
        letter=letter_of(number),
        example=next(iter(sheet.header.ignored), "…"),
    )


def find_alike(refs: Sequence[str]) -> dict[int, int]:
    """Documents whose references a person would take for that of an earlier one, and which one that is."""
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


def join_fields(sheets: Sequence[SheetSales]) -> tuple[dict[str, JoinedField], list[JoinedField]]:
    """The fields that at least one sheet has, and the cells under no heading."""
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
    """The references as a field, for the faults of their cells."""
    fields: list[Field | None] = [
        Field(name="external_ref", number=0, codes=refs.codes, texts=refs.texts, values=[], faults=refs.faults)
        for refs in (sheet.refs for sheet in sheets)
    ]
    return _joined("external_ref", fields, sheets)


def _field_of(sheet: SheetSales, name: str) -> Field | None:
    return next((field for field in sheet.fields if field.name == name), None)


def _joined(name: str, fields: Sequence[Field | None], sheets: Sequence[SheetSales]) -> JoinedField:
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
    """The document's value of a header field: the first that one of its rows says. Dates agree by day."""
    id_of: dict[Value, int] = {}
    ids = [
        NOT_SAID if _says_nothing(field, code, text) else id_of.setdefault(field.values[code], len(id_of))
        for code, text in enumerate(field.texts)
    ]
    id_of_code = np.array(ids, np.int32)
    if not len(grouped.refs):
        return HeaderValues(values=list(id_of), ids=np.empty(0, np.int32), id_of_code=id_of_code, disagree=None)
    said = id_of_code[grouped.by_document(field.codes)]
    most = np.maximum.reduceat(said, grouped.starts[:-1])
    said[said == NOT_SAID] = len(id_of)
    least = np.minimum.reduceat(said, grouped.starts[:-1])
    disagree = (most != NOT_SAID) & (most != least)
    chosen = most
    for document in np.flatnonzero(disagree).tolist():
        of_rows = id_of_code[field.codes[grouped.rows(document)]]
        chosen[document] = of_rows[of_rows != NOT_SAID][0]
    return HeaderValues(
        values=list(id_of), ids=chosen, id_of_code=id_of_code, disagree=disagree if disagree.any() else None
    )


def _says_nothing(field: JoinedField, code: int, text: str) -> bool:
    value = field.values[code]
    return is_blank(text) or value is None or value == "" or (isinstance(value, bool) and code in field.faults)


def split_documents(grouped: Grouped, offsets: Sequence[int]) -> Flags | None:
    """The documents whose rows stand in more than one sheet."""
    if len(offsets) < 3 or not len(grouped.refs):
        return None
    sheet_of = np.searchsorted(np.asarray(offsets[1:-1]), grouped.order, side="right")
    first, last = sheet_of[grouped.starts[:-1]], sheet_of[grouped.starts[1:] - 1]
    return first != last if (first != last).any() else None
