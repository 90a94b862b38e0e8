"""What has to be corrected: every row of the documents that need a hand, with what is said of it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from batch_issuer.documents import Document
from batch_issuer.messages import N_, Messages
from batch_issuer.problems import Place, Problem
from batch_issuer.reading.batch import Batch

_NAMED_FIELD = re.compile(r"#(?:/\w+)*/(\w+)")
_MINISTRY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "correo": ("email", "redirect_email"),
    "nrc": ("nrc",),
    "nit": ("nit",),
    "numDocumento": ("dui", "nit"),
    "tipoDocumento": ("document_type",),
    "nombre": ("name", "customer_name"),
    "telefono": ("phone",),
    "codActividad": ("customer_activity_code",),
    "descActividad": ("customer_activity_code",),
    "departamento": ("department",),
    "municipio": ("municipality",),
    "complemento": ("address",),
    "descripcion": ("description",),
    "cantidad": ("quantity",),
    "precioUni": ("unit_price",),
    "montoDescu": ("discount_percentage",),
}
"""The last name of a path in the ministry's observations (`#/receptor/correo`), as fields of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to correct in a row. `column` is a letter, empty where the whole row or document is meant."""

    column: str
    heading: str
    message: str
    repair: str


@dataclass(slots=True, kw_only=True)
class RowToCorrect:
    """One batch row. `document` is None for a row that belongs to none."""

    row: int
    document: Document | None
    remarks: list[Remark] = field(default_factory=list)


class Sources:
    """Which batch rows stand in which source, and at which place."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.starts = [0, *accumulate(source.rows for source in batch.sources)]

    def of(self, row: int) -> int:
        """The index of a batch row's source."""
        return bisect_right(self.starts, row) - 1

    def find(self, place: Place) -> int | None:
        """The batch row at a place; rows of one sheet stand in the order of the sheet."""
        if place.row is None:
            return None
        for number, source in enumerate(self.batch.sources):
            if (source.path, source.sheet) != (place.file, place.sheet):
                continue
            rows = range(self.starts[number], self.starts[number + 1])
            at = bisect_left(rows, place.row, key=lambda row: self.batch.place(row).row or 0)
            if at < len(rows) and self.batch.place(rows[at]).row == place.row:
                return rows[at]
        return None


def rows_to_correct(
    batch: Batch,
    entries: Sequence[tuple[int, tuple[Problem, ...]]],
    refusals: Mapping[int, str],
    messages: Messages,
) -> list[RowToCorrect]:
    """Rows that belong to no document first, then those of the documents, each group in the order of the files.

    A row without a reference may continue the document above it, so none may come to stand below another document.
    """
    sources = Sources(batch)
    problems = dict(entries)
    rows: list[RowToCorrect] = []
    for index in sorted({*problems, *refusals}):
        document = batch[index].document
        rows += _document_rows(batch, document, problems.get(index, ()), refusals.get(index, ""), messages)
    loose = _loose_rows(batch, sources, messages)
    return [*sorted(loose, key=_order), *sorted(rows, key=_order)]


def _order(one: RowToCorrect) -> int:
    return one.row


def _document_rows(
    batch: Batch, document: Document, problems: Iterable[Problem], words: str, messages: Messages
) -> list[RowToCorrect]:
    rows = [RowToCorrect(row=row, document=document) for row in document.rows]
    at = {_position(batch.place(one.row)): one for one in rows}
    for problem in problems:
        at.get(_position(problem.place), rows[0]).remarks.append(_remark(problem, messages))
    if words:
        rows[0].remarks += _refused(batch, document, words, messages)
    return rows


def _position(place: Place) -> tuple[str, str, int | None]:
    return place.file, place.sheet, place.row


def _remark(problem: Problem, messages: Messages) -> Remark:
    return Remark(
        column=problem.place.column,
        heading=problem.place.heading,
        message=problem.message(messages),
        repair=problem.repair(messages),
    )


def _refused(batch: Batch, document: Document, words: str, messages: Messages) -> Iterator[Remark]:
    """The refusal on the row, and on the cells of the fields that its words name."""
    message = messages.text(N_("It was refused: {words}"), words=words)
    repair = messages.text(N_("Correct it and issue it again: reference and number stay the same."))
    columns: dict[str, str] = {}
    for name in _NAMED_FIELD.findall(words):
        for ours in _MINISTRY_FIELDS.get(name, ()):
            place = batch.place(document.row, ours)
            if place.column:
                columns[place.column] = place.heading
    for column, heading in columns.items() or [("", "")]:
        yield Remark(column=column, heading=heading, message=message, repair=repair)


def _loose_rows(batch: Batch, sources: Sources, messages: Messages) -> list[RowToCorrect]:
    found: dict[int, RowToCorrect] = {}
    for problem in batch.problems:
        if not problem.blocks or problem.external_ref:
            continue
        row = sources.find(problem.place)
        if row is not None:
            one = found.setdefault(row, RowToCorrect(row=row, document=None))
            one.remarks.append(_remark(problem, messages))
    return list(found.values())
