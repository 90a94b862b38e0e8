"""One sheet, from its headings to fields with values: the sales rows, their references, each mapped column read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from batch_issuer.model.problems import Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Mapped, RepeatedRows, SourceFile
from batch_issuer.reading.cells.values import DATE_FIELDS, Value, clean, read_values
from batch_issuer.reading.headings.columns import REQUIRED, Columns, Header, place_of
from batch_issuer.reading.headings.questions import other_table
from batch_issuer.reading.own_sheets import is_fix_file
from batch_issuer.reading.sheets.external_refs import Refs, document_codes, read_refs
from batch_issuer.reading.sheets.fields import Field, SheetSales
from batch_issuer.reading.sheets.line_amounts import Line, LineControl, control_lines, rows_with_vat
from batch_issuer.reading.sheets.notations import Notations, find_notations
from batch_issuer.reading.sheets.numbering import counted_numbers, restart_of
from batch_issuer.reading.sheets.repeated_rows import counted, find_repeats, left_out, question_of
from batch_issuer.reading.sheets.rows import SalesRows, find_sales, without_hidden
from batch_issuer.reading.sheets.total_row import total_said
from batch_issuer.reading.sheets.unmapped_columns import (
    cells_beyond,
    held_columns,
    refuse_overlooked,
    refuse_purchases,
    with_percentages,
)
from batch_issuer.reading.tables import Codes, Column, Flags, Sheet, is_blank, letter_of
from batch_issuer.settings import FIELDS, Settings

_ROWS_LOOKED_AT = 200


def read_sheet(sheet: Sheet, header: Header, columns: Columns, settings: Settings) -> SheetSales:
    """Return the sales of a sheet whose header is confirmed.

    Raises `CannotStart` for whatever can be read in two ways and the settings do not say in which.
    """
    rows = find_sales(sheet, header, continue_rows=settings.source.continue_rows)
    rows, hidden = without_hidden(sheet, header, rows, settings.source.hidden_rows)
    header, read, written = _read(sheet, header, columns, rows, settings)
    # A workbook to correct holds some of the sales of another file: what is missing in it says nothing.
    numbers = {} if is_fix_file(header.headings) else counted_numbers(read.refs)
    answered = _answered(sheet, header, read, restart_of(read.refs, numbers), settings.source.repeated_rows)
    rows, refs, fields, _ = answered.read
    line = _line(answered.read)
    control = _control(sheet, header, answered.read, line, columns, settings)
    beyond, held = cells_beyond(sheet, header, rows), held_columns(sheet, header, rows, settings.source)
    said = total_said(sheet, header, rows, settings.source.decimal, line.total)
    return SheetSales(
        sheet=sheet,
        header=header,
        rows=rows,
        refs=refs,
        fields=(*fields, *beyond, *held, *control.differing),
        source=replace(_source(sheet, header, rows, written, said.control), template=columns.template),
        problems=(*_sheet_problems(sheet, header, rows), *hidden, *answered.problems, *said.problems(sheet, header)),
        question=answered.question,
        numbers=numbers,
        restart=answered.restart,
    )


class _Read(NamedTuple):
    """Sales rows with what was read from them."""

    rows: SalesRows
    refs: Refs
    fields: Sequence[Field]
    documents: Codes
    """The document of each row, by number; negative for none."""

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    def kept(self, flags: Flags) -> _Read:
        """Return some of the rows; the others are left out."""
        refs = replace(self.refs, codes=self.refs.codes[flags])
        fields = [replace(field, codes=field.codes[flags]) for field in self.fields]
        return _Read(self.rows.kept(flags), refs, fields, self.documents[flags])

    def tills_agree(self) -> bool:
        """Whether no document has two values in its till column."""
        till = self.field("till")
        if till is None or not len(self.documents):
            return True
        number_of: dict[Value, int] = {"": 0}
        number = np.array([number_of.setdefault(value, len(number_of)) for value in till.values], np.int32)
        said = number[till.codes]
        rows = np.flatnonzero((said > 0) & (self.documents >= 0))
        documents, tills = self.documents[rows], said[rows]
        of_document = np.zeros(int(self.documents.max()) + 1, np.int32)
        of_document[documents] = tills
        return bool((of_document[documents] == tills).all())


def _read(
    sheet: Sheet, header: Header, columns: Columns, rows: SalesRows, settings: Settings
) -> tuple[Header, _Read, Notations]:
    """Read every mapped column and the references.

    The header comes back with discounts that are plainly percentages as such, and without a till that nobody asked for
    and of which one document has two: a heading such as «Caja» may mean boxes.
    """
    header = with_percentages(sheet, header, rows, settings.source, frozenset(settings.columns))
    taken = {name: rows.of(sheet.table.columns[number]) for name, number in header.columns.items()}
    written = find_notations(sheet, header, taken, settings.source)
    fields: list[Field] = []
    for name in (name for name in FIELDS if name in taken and name != "external_ref"):
        column, values = taken[name], read_values(name, taken[name], written.of[name])
        faults = {} if name == "till" else values.faults  # never sent, so nothing in it holds a sale back
        number, texts = header.columns[name], column.texts
        fields.append(
            Field(name=name, number=number, codes=column.codes, texts=texts, values=values.values, faults=faults)
        )
    refs = _refs(sheet, header, columns, rows, fields)
    read = _Read(rows, refs, fields, document_codes(refs, continue_rows=settings.source.continue_rows))
    if "till" not in settings.columns and not read.tills_agree():
        header = replace(header, columns={name: at for name, at in header.columns.items() if name != "till"})
        read = read._replace(fields=[field for field in fields if field.name != "till"])
    return header, read, written


def _refs(sheet: Sheet, header: Header, columns: Columns, rows: SalesRows, fields: Sequence[Field]) -> Refs:
    """Read the references; a date within a template is written one way in them, however the file writes it."""
    dates = {field.number: field.values for field in fields if field.name in DATE_FIELDS}
    parts: list[Column] = []
    for number in header.ref_columns:
        column = rows.of(sheet.table.columns[number])
        if number in dates and columns.template:
            said = zip(dates[number], column.texts, strict=True)
            texts = [text if value is None else str(value) for value, text in said]
            column = Column(codes=column.codes, texts=texts)
        parts.append(column)
    return read_refs(parts, columns.literals, [header.headings[number] for number in header.ref_columns])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """The rows that count, where some repeat others; what is told of these, or asked."""

    read: _Read
    problems: tuple[Problem, ...] = ()
    question: RepeatedRows | None = None
    restart: int | None = None
    """The table row at which numbers begin anew, unless all rows from there on are repeats."""


def _answered(sheet: Sheet, header: Header, read: _Read, below: int, wanted: str) -> _Answered:
    """Take repeated rows as the settings want them; in a workbook to correct all count: they were asked about before.

    `below` is where numbers begin anew, or 0.
    """
    sales = read.rows.sales
    restart = int(sales[below]) if below else None
    descriptions = read.field("description")
    repeats = None
    if descriptions is not None and wanted != "count" and not (wanted == "ask" and is_fix_file(header.headings)):
        repeats = find_repeats(sheet, sales, read.refs, read.documents, descriptions.codes, _line(read))
    if repeats is None:
        return _Answered(read=read, restart=restart)
    if np.isin(np.arange(below, len(sales)), repeats.rows).all():
        restart = None
    if wanted == "once":
        kept = np.ones(len(sales), np.bool_)
        kept[repeats.rows] = False
        return _Answered(read=read.kept(kept), problems=tuple(left_out(sheet, header, sales, repeats)), restart=restart)
    if repeats.habitual:
        return _Answered(read=read, problems=(counted(sheet, header, sales, repeats),), restart=restart)
    return _Answered(read=read, question=question_of(sheet, sales, repeats), restart=restart)


def _line(read: _Read) -> Line:
    """Return the columns that an amount is made of."""
    of = {field.name: field for field in read.fields}
    quantity, price, discount = of["quantity"], of["unit_price"], of.get("discount_percentage")
    return Line(
        quantity=quantity.column,
        quantities=quantity.sound_values,
        price=price.column,
        prices=price.sound_values,
        discount=None if discount is None else discount.column,
        discounts=() if discount is None else discount.sound_values,
    )


def _control(
    sheet: Sheet, header: Header, read: _Read, line: Line, columns: Columns, settings: Settings
) -> LineControl:
    """Compare the rows with what else the sheet says of them.

    Raises `CannotStart` where a column without a field may change what is issued, and where other headings below stand
    over columns in another order: under ours their rows would be misread.
    """
    source, sales, doc_type = settings.source, read.rows.sales, read.field("doc_type")
    documents = document_codes(read.refs, continue_rows=True) + np.int32(1)
    with_vat = rows_with_vat(doc_type, len(sales), source)
    control = control_lines(sheet, header, sales, line, documents, with_vat, source)
    # Under other headings neither quantity nor price is a number, as a rule: only such rows are looked at.
    wrong = [np.isin(one.codes, [*one.faults]) for one in read.fields if one.name in ("quantity", "unit_price")]
    for row in sales[np.logical_and(*wrong)][:_ROWS_LOOKED_AT].tolist():
        cells = sheet.table.cells(row)
        if columns.count(cells) >= len(REQUIRED):
            raise other_table(sheet.title, header.row, row, cells)
    if "name" not in settings.columns and len(sales):
        refuse_purchases(sheet, header, doc_type, source.doc_type)
    if not is_fix_file(header.headings):
        asked = frozenset(settings.columns)
        refuse_overlooked(sheet, header, read.rows, source, asked=asked, confirmed=control.agrees)
    return control


def _sheet_problems(sheet: Sheet, header: Header, rows: SalesRows) -> Iterator[Problem]:
    """Return what is told of the sheet itself: rows left out, hidden columns, cells shown as something else."""
    if not len(rows.sales):
        yield Problem(kind=kinds.NO_ROWS, place=place_of(sheet, header))
    for example in sheet.examples:
        if example.row is not None:
            place = Place(file=sheet.path, sheet=example.name, row=example.row + 1)
            yield Problem(kind=kinds.SALE_IN_EXAMPLE, place=place, value=example.text, parameters={"sheet": sheet.name})
    for row in rows.notes:
        number, text = next((at, cell) for at, cell in enumerate(sheet.table.cells(row)) if not is_blank(cell))
        yield Problem(kind=kinds.ROW_LEFT_OUT, place=place_of(sheet, header, row, number), value=clean(text))
    mapped = {*header.columns.values(), *header.ref_columns}
    for number in sorted(mapped & sheet.hidden_columns):
        yield Problem(
            kind=kinds.HIDDEN_COLUMN, place=place_of(sheet, header, None, number), value=header.headings[number]
        )
    told: set[tuple[int, str]] = set()
    for (number, code), shown in sheet.formats.items():
        if number in mapped and (number, shown) not in told:
            column = rows.of(sheet.table.columns[number])
            found = np.flatnonzero(column.codes == code)
            if len(found):
                told.add((number, shown))
                yield Problem(
                    kind=kinds.SHOWN_DIFFERENTLY,
                    place=place_of(sheet, header, int(rows.sales[found[0]]), number),
                    value=column.texts[code],
                    parameters={"format": shown},
                )


def _source(sheet: Sheet, header: Header, rows: SalesRows, written: Notations, control: Decimal | None) -> SourceFile:
    """Return what is told of the sheet in the plan, the run's record and the report."""
    places = [("external_ref", number) for number in header.ref_columns]
    places += [(name, header.columns[name]) for name in FIELDS if name in header.columns and name != "external_ref"]
    mapping: list[Mapped] = []
    for name, number in places:
        texts = map(sheet.table.columns[number].__getitem__, rows.sales[:50].tolist())
        sample = clean(next((text for text in texts if not is_blank(text)), ""))
        mapping.append(Mapped(field=name, heading=header.headings[number], column=letter_of(number), sample=sample))
    return SourceFile(
        path=sheet.path,
        sheet=sheet.name,
        sha256=sheet.sha256,
        header_row=header.row + 1,
        rows=len(rows.sales),
        left_out=rows.left_out,
        mapping=tuple(mapping),
        ignored=header.ignored,
        examples=tuple(example.name for example in sheet.examples),
        encoding=sheet.encoding,
        separator=sheet.separator,
        decimal=", ".join(sorted(written.marks)),
        dates=", ".join(sorted(written.orders)),
        control_total=control,
    )
