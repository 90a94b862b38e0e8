"""What has to be corrected: every row of the documents that need a hand, with what is said of it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import attrgetter

from batch_issuer.messages import N_, Messages
from batch_issuer.model.documents import Document
from batch_issuer.model.fields import named
from batch_issuer.model.problems import Kind, Place, Problem
from batch_issuer.reading.batch import Batch
from batch_issuer.reading.kinds import SAME_LINES_IN_TWO_FILES
from batch_issuer.reconcile import Change
from batch_issuer.reports.wording import field_name

# The ministry names a field by its path in the document that was sent: `#/receptor/correo`.
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
_NAMED_LINE = re.compile(r"L[ií]nea (\d+): (cantidad|precio unitario|descripci[oó]n)", re.IGNORECASE)
_LINE_FIELDS_SAID: Mapping[str, str] = {
    "cantidad": "quantity",
    "precio unitario": "unit_price",
    "descripción": "description",
    "descripcion": "description",
}
"""What the provider's own refusals name, such as `Línea 2: cantidad debe ser mayor a cero`."""
_SAME_CELL: Mapping[str, tuple[str, ...]] = {"customer_name": ("name",), "name": ("customer_name",)}


REFUSED = Kind(
    code="refused",
    message=N_("It was refused: {words}"),
    repair=N_("Correct it and issue it again: reference and number stay the same."),
)
ISSUED_OTHERWISE = Kind(
    code="issued-otherwise",
    message=N_("{what} was issued as «{issued}», and the file says «{now}»: it is not issued again."),
    repair=N_(
        "If it is another sale, give it its own reference. If what was issued is wrong, cancel it. "
        "Otherwise write here what was issued."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Why a document needs a hand: problems of its data, the words of a refusal, or what a conflict is about."""

    problems: tuple[Problem, ...] = ()
    refused: str = ""
    changes: tuple[Change, ...] = ()
    """Between what was issued and what the file says now."""
    document: Document | None = None
    """Where it is at hand; built from the batch where it is not."""


@dataclass(slots=True, kw_only=True)
class RowToCorrect:
    """One batch row. `document` is None for a row that belongs to none."""

    row: int
    document: Document | None
    problems: list[Problem] = field(default_factory=list)
    """Of those without a column, the whole row or document is meant."""

    @property
    def begins(self) -> bool:
        """Whether it is the first row of its document, or belongs to none."""
        return self.document is None or self.row == self.document.row


class Sources:
    """Which batch rows stand in which source, and at which place."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.starts = [0, *accumulate(source.rows for source in batch.sources)]

    def of(self, row: int) -> int:
        """Return the index of a batch row's source."""
        return bisect_right(self.starts, row) - 1

    def find(self, place: Place) -> int | None:
        """Return the batch row at a place; rows of one sheet stand in the order of the sheet."""
        if place.row is None:
            return None
        for number, source in enumerate(self.batch.sources):
            if (source.path, source.sheet) != (place.file, place.sheet):
                continue
            rows = range(self.starts[number], self.starts[number + 1])
            # A sheet may have hundreds of thousands of rows, and each of them a problem.
            at = bisect_left(rows, place.row, key=lambda row: self.batch.place(row).row or 0)
            if at < len(rows) and self.batch.place(rows[at]).row == place.row:
                return rows[at]
        return None

    def loose_rows(self) -> list[RowToCorrect]:
        """Return the rows that belong to no document and are held back, such as one without a reference."""
        found: dict[int, RowToCorrect] = {}
        for problem in self.batch.problems:
            if not problem.blocks or problem.external_ref:
                continue
            row = self.find(problem.place)
            if row is not None:
                one = found.setdefault(row, RowToCorrect(row=row, document=None))
                one.problems.append(problem)
        return list(found.values())

    def divide(self, document: Document, problems: Iterable[Problem]) -> bool:
        """Whether a document's lines stand in sheets that cannot be one, or in two files that have the same lines."""
        if len({self.of(row) for row in document.rows}) == 1:
            return False
        layouts = {tuple(self.batch.sheet_row(row).headings) for row in document.rows}
        return len(layouts) > 1 or any(problem.kind is SAME_LINES_IN_TWO_FILES for problem in problems)


def rows_to_correct(
    batch: Batch, needs: Mapping[int, Need], messages: Messages, *, loose: bool = True
) -> list[RowToCorrect]:
    """Return the rows of the documents and those that belong to none (`loose`), in the order of the files.

    A row without a reference may belong to the document above it. It stays there; where that one is not written, it
    comes first, so that it stands below no other.
    """
    rows: list[RowToCorrect] = []
    for index, need in sorted(needs.items()):
        document = need.document or batch[index].document
        own = [RowToCorrect(row=row, document=document) for row in document.rows]
        at = {batch.place(one.row)[:3]: one for one in own}
        conflicts = (_conflicting(batch, document, change, messages) for change in need.changes)
        for problem in (*need.problems, *_refused(batch, document, need.refused), *conflicts):
            at.get(problem.place[:3], own[0]).problems.append(problem)
        rows += own
    sources = Sources(batch)
    by_row = attrgetter("row")
    written = set(map(by_row, rows))
    first: list[RowToCorrect] = []
    for one in sorted(sources.loose_rows() if loose else [], key=by_row):
        if one.row - 1 in written and one.row not in sources.starts:
            written.add(one.row)
            rows.append(one)
        else:
            first.append(one)
    return [*first, *sorted(rows, key=by_row)]


def missing_field(problem: Problem) -> str:
    """Return our field that has to be filled in and that the file has no column of; empty where it is none such."""
    return problem.field if problem.blocks and not problem.place.column else ""


def _refused(batch: Batch, document: Document, words: str) -> Iterator[Problem]:
    """Yield the refusal on the cells of the fields that its words name, or on the document; without words nothing."""
    if not words:
        return
    problem = Problem(REFUSED, parameters={"words": words}, external_ref=document.external_ref)
    meant = [(0, ours) for name in _NAMED_FIELD.findall(words) for ours in _MINISTRY_FIELDS.get(name, ())]
    meant += [
        (int(line) - 1, _LINE_FIELDS_SAID[said.casefold()])
        for line, said in _NAMED_LINE.findall(words)
        if 0 < int(line) <= len(document.lines)
    ]
    # Two words of a refusal may name one cell, such as two rules about one number: one note is enough.
    places = dict.fromkeys(place for number, ours in meant if (place := _cell(batch, document, number, ours)))
    for place in places:
        yield replace(problem, place=place)
    if not places:
        yield replace(problem, field=meant[0][1] if meant else "")


def _conflicting(batch: Batch, document: Document, change: Change, messages: Messages) -> Problem:
    """Return what was issued otherwise, on its cell."""
    line, ours = named(change.what)
    number = line - 1 if 0 < line <= len(document.lines) else 0
    place = _cell(batch, document, number, ours)
    what = place.heading if place else field_name(ours, messages)
    return Problem(
        ISSUED_OTHERWISE,
        parameters={"what": what, "issued": change.issued or "—", "now": change.file or "—"},
        field=ours,
        place=place or batch.place(document.lines[number].row),
        external_ref=document.external_ref,
    )


def _cell(batch: Batch, document: Document, number: int, field: str) -> Place | None:
    """Return the cell of a field in one of the document's rows, where the file has a column of it."""
    for ours in (field, *_SAME_CELL.get(field, ())):
        place = batch.place(document.lines[number].row, ours)
        if place.column:
            return place
    return None
