"""One sheet, from its headings to fields with values: the sales rows, their references, each mapped column read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import numpy as np

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Mapped, RepeatedRows, SourceFile
from batch_issuer.reading.cells.values import DATE_FIELDS, Value, Values, clean, read_values
from batch_issuer.reading.headings.columns import REQUIRED, Columns, Header, place_of
from batch_issuer.reading.headings.questions import other_table
from batch_issuer.reading.own_sheets import SURPLUS_HEADINGS, is_fix_file
from batch_issuer.reading.sheets.external_refs import Refs, continued, document_codes, read_refs
from batch_issuer.reading.sheets.fields import Field, SheetSales
from batch_issuer.reading.sheets.line_amounts import Line, LineControl, control_lines, rows_with_vat
from batch_issuer.reading.sheets.notations import Notations, find_notations
from batch_issuer.reading.sheets.numbering import counted_numbers, restart_of
from batch_issuer.reading.sheets.repeated_rows import counted, find_repeats, left_out, question_of
from batch_issuer.reading.sheets.rows import SalesRows, find_sales
from batch_issuer.reading.sheets.total_row import total_said
from batch_issuer.reading.sheets.unmapped_columns import (
    held_columns,
    refuse_overlooked,
    refuse_purchases,
    with_percentages,
)
from batch_issuer.reading.tables import Codes, Column, Flags, Sheet, is_blank, letter_of
from batch_issuer.settings import FIELDS, Settings

_ROWS_LOOKED_AT = 200


def read_sheet(sheet: Sheet, header: Header, columns: Columns, settings: Settings) -> SheetSales:
    """The sales of a sheet whose header is confirmed.

    Raises `CannotStart` for hidden rows, and for numbers or dates that can be read in two ways.
    """
    rows = find_sales(sheet, header, continue_rows=settings.source.continue_rows)
    rows, hidden = _without_hidden(sheet, rows, settings.source.hidden_rows)
    asked = frozenset(settings.columns)
    header = with_percentages(sheet, header, rows, settings.source, asked)
    taken = {name: _taken(sheet.table.columns[number], rows.sales) for name, number in header.columns.items()}
    written = find_notations(sheet, header, taken, settings.source)
    fields = [
        _field(name, header.columns[name], taken[name], read_values(name, taken[name], written.of[name]))
        for name in FIELDS
        if name in taken and name != "external_ref"
    ]
    refs = _refs(sheet, header, columns, rows, fields)
    documents = document_codes(refs, continue_rows=settings.source.continue_rows)
    if "till" not in asked and not _tills_agree(fields, documents):
        header = replace(header, columns={name: at for name, at in header.columns.items() if name != "till"})
        fields = [field for field in fields if field.name != "till"]
    numbers = {} if is_fix_file(header.headings) else counted_numbers(refs)
    below = restart_of(refs, numbers)
    answered = _answered(sheet, header, _Rows(rows, refs, fields), documents, below, settings.source.repeated_rows)
    rows, refs, fields = answered.read.rows, answered.read.refs, [*answered.read.fields]
    line = _line(fields)
    with_vat = _with_vat(fields, rows, settings)
    control = control_lines(sheet, header, rows.sales, line, _documents(refs), with_vat, settings.source)
    _refuse_other_table(sheet, header, rows, fields, columns)
    if "name" not in asked:
        refuse_purchases(sheet, header, _types(fields, rows, settings))
    if not is_fix_file(header.headings):
        refuse_overlooked(sheet, header, rows, settings.source, asked=asked, confirmed=control.agrees)
    told = kinds.HIDDEN_ROW_SKIPPED if settings.source.hidden_rows == "skip" else kinds.HIDDEN_ROW_READ
    said = total_said(sheet, header, rows, settings.source.decimal, line.total)
    return SheetSales(
        sheet=sheet,
        header=header,
        rows=rows,
        refs=refs,
        fields=(*fields, *_overhang(sheet, header, rows), *_held(sheet, header, rows, settings), *_differing(control)),
        source=replace(_source(sheet, header, rows, written, said.control), template=columns.template),
        problems=(
            *_sheet_problems(sheet, header, rows),
            *(Problem(kind=told, place=place_of(sheet, header, row)) for row in hidden),
            *answered.problems,
            *said.problems(partial(place_of, sheet, header)),
        ),
        question=answered.question,
        numbers=numbers,
        restart=answered.restart,
    )


class _Rows(NamedTuple):
    """Sales rows with what was read from them."""

    rows: SalesRows
    refs: Refs
    fields: Sequence[Field]

    def kept(self, flags: Flags) -> _Rows:
        """Some of them; the others are left out."""
        rows = replace(
            self.rows,
            sales=self.rows.sales[flags],
            without_ref=self.rows.without_ref[flags],
            left_out=self.rows.left_out + int((~flags).sum()),
        )
        refs = replace(self.refs, codes=self.refs.codes[flags])
        return _Rows(rows, refs, [replace(field, codes=field.codes[flags]) for field in self.fields])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """The rows that count, where some repeat others; what is told of these, or asked."""

    read: _Rows
    problems: tuple[Problem, ...] = ()
    question: RepeatedRows | None = None
    restart: int | None = None
    """The table row at which numbers begin anew, unless all rows from there on are repeats."""


def _answered(sheet: Sheet, header: Header, read: _Rows, documents: Codes, below: int, wanted: str) -> _Answered:
    """Repeated rows as the settings want them. In a workbook to correct all count: they were asked about before.

    `below` is where numbers begin anew, or 0.
    """
    sales = read.rows.sales
    restart = int(sales[below]) if below else None
    if wanted == "count" or (wanted == "ask" and is_fix_file(header.headings)):
        return _Answered(read=read, restart=restart)
    descriptions = next(field.codes for field in read.fields if field.name == "description")
    repeats = find_repeats(sheet, sales, read.refs, documents, descriptions, _line(read.fields))
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


def _taken(column: Column, rows: Codes) -> Column:
    """The sales rows of a column; without a copy where they stand together."""
    if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1:
        return column.taken(slice(int(rows[0]), int(rows[-1]) + 1))
    return column.taken(rows)


def _field(name: str, number: int, column: Column, values: Values) -> Field:
    return Field(
        name=name,
        number=number,
        codes=column.codes,
        texts=column.texts,
        values=values.values,
        faults={} if name == "till" else values.faults,
    )


def _tills_agree(fields: Sequence[Field], documents: Codes) -> bool:
    """Whether no document has two values in its till column, which a heading such as «Caja» may not mean at all."""
    till = next((field for field in fields if field.name == "till"), None)
    if till is None or not len(documents):
        return True
    number_of: dict[Value, int] = {"": 0}
    number = np.array([number_of.setdefault(value, len(number_of)) for value in till.values], np.int32)
    said = number[till.codes]
    rows = np.flatnonzero((said > 0) & (documents >= 0))
    of_document = np.zeros(int(documents.max()) + 1, np.int32)
    of_document[documents[rows]] = said[rows]
    return bool((of_document[documents[rows]] == said[rows]).all())


def _overhang(sheet: Sheet, header: Header, rows: SalesRows) -> Iterator[Field]:
    """Cells of a CSV beyond the last heading: a separator inside a text has moved the row's cells."""
    last = max((number for number, text in enumerate(header.headings) if text), default=0)
    surplus = [number for number, text in enumerate(header.headings) if text in SURPLUS_HEADINGS]
    beyond = range(last + 1, len(sheet.table.columns)) if sheet.encoding else ()
    for number in (*surplus, *beyond):
        column = _taken(sheet.table.columns[number], rows.sales)
        faults = {code: Problem(kinds.ROW_TOO_LONG) for code, text in enumerate(column.texts) if not is_blank(text)}
        if faults:
            yield _field("", number, column, Values(values=[None] * len(column.texts), faults=faults))


def _line(fields: Sequence[Field]) -> Line:
    """The columns that an amount is made of."""
    of = {field.name: field for field in fields}
    column = {name: Column(codes=field.codes, texts=field.texts) for name, field in of.items()}
    return Line(
        quantity=column["quantity"],
        quantities=_sound(of["quantity"]),
        price=column["unit_price"],
        prices=_sound(of["unit_price"]),
        discount=column.get("discount_percentage"),
        discounts=_sound(of["discount_percentage"]) if "discount_percentage" in of else (),
    )


def _types(fields: Sequence[Field], rows: SalesRows, settings: Settings) -> set[str]:
    """The types of document that the rows say, and the settings' own where one says none."""
    field = next((field for field in fields if field.name == "doc_type"), None)
    if field is None or not len(rows.sales):
        return {settings.source.doc_type} if len(rows.sales) else set()
    said = {str(field.values[code]) for code in np.unique(field.codes).tolist() if code not in field.faults}
    return said - {""} or {settings.source.doc_type}


def _with_vat(fields: Sequence[Field], rows: SalesRows, settings: Settings) -> Flags:
    """Which rows have prices with VAT."""
    types = next((field for field in fields if field.name == "doc_type"), None)
    named = None if types is None else [str(value) for value in types.values]
    return rows_with_vat(named, None if types is None else types.codes, len(rows.sales), settings.source)


def _refuse_other_table(
    sheet: Sheet, header: Header, rows: SalesRows, fields: Sequence[Field], columns: Columns
) -> None:
    """Other headings below stand over columns in another order; under ours their rows would be misread.

    Looked for only where neither quantity nor price is a number.
    """
    wrong = [np.isin(field.codes, [*field.faults]) for field in fields if field.name in ("quantity", "unit_price")]
    for row in rows.sales[np.logical_and(*wrong)][:_ROWS_LOOKED_AT].tolist():
        cells = sheet.table.cells(row)
        if columns.count(cells) >= len(REQUIRED):
            raise other_table(sheet.title, header.row, row, cells)


def _documents(refs: Refs) -> Codes:
    """The document of each row by number; a row without a reference may go on the document above."""
    known = np.array([code if text else -1 for code, text in enumerate(refs.texts)], np.int32)
    if not len(refs.codes):
        return refs.codes
    return continued(known[refs.codes]) + np.int32(1)


def _sound(field: Field) -> Sequence[Value]:
    """The values, without the neutral ones that stand for faults."""
    if not field.faults:
        return field.values
    return [None if code in field.faults else value for code, value in enumerate(field.values)]


def _held(sheet: Sheet, header: Header, rows: SalesRows, settings: Settings) -> Iterator[Field]:
    """Columns without a field whose cells say that their row is no sale."""
    for held in held_columns(sheet, header, settings.source):
        column = _taken(sheet.table.columns[held.number], rows.sales)
        yield _field("", held.number, column, Values(values=[None] * len(column.texts), faults=held.faults))


def _differing(control: LineControl) -> Iterator[Field]:
    for number, codes, texts, faults in control.differing:
        yield Field(name="", number=number, codes=codes, texts=texts, values=[None] * len(texts), faults=faults)


def _refs(sheet: Sheet, header: Header, columns: Columns, rows: SalesRows, fields: Sequence[Field]) -> Refs:
    dates = {field.number: field for field in fields if field.name in DATE_FIELDS}
    parts = []
    for number in header.ref_columns:
        column = _taken(sheet.table.columns[number], rows.sales)
        parts.append(_iso(column, dates[number]) if number in dates and columns.template else column)
    return read_refs(parts, columns.literals, [header.headings[number] for number in header.ref_columns])


def _iso(column: Column, dates: Field) -> Column:
    """A date in a reference is written one way, however the file writes it."""
    texts = [str(value) if value is not None else text for value, text in zip(dates.values, column.texts, strict=True)]
    return Column(codes=column.codes, texts=texts)


def _without_hidden(sheet: Sheet, rows: SalesRows, wanted: str) -> tuple[SalesRows, tuple[int, ...]]:
    """The sales rows as the settings want them, and those that are hidden.

    Raises `CannotStart` where there are some and the settings do not say whether they count.
    """
    if not sheet.hidden_rows:
        return rows, ()
    flags = np.isin(rows.sales, np.array(sheet.hidden_rows))
    hidden = tuple(rows.sales[flags].tolist())
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
    if wanted != "skip" or not hidden:
        return rows, hidden
    return replace(
        rows, sales=rows.sales[~flags], without_ref=rows.without_ref[~flags], left_out=rows.left_out + len(hidden)
    ), hidden


def _sheet_problems(sheet: Sheet, header: Header, rows: SalesRows) -> Iterator[Problem]:
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
            column = _taken(sheet.table.columns[number], rows.sales)
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
    places = [(name, header.columns[name]) for name in FIELDS if name in header.columns and name != "external_ref"]
    places = [*(("external_ref", number) for number in header.ref_columns), *places]
    return SourceFile(
        path=sheet.path,
        sheet=sheet.name,
        sha256=sheet.sha256,
        header_row=header.row + 1,
        rows=len(rows.sales),
        left_out=rows.left_out,
        mapping=tuple(_mapped(sheet, header, rows, name, number) for name, number in places),
        ignored=header.ignored,
        examples=tuple(example.name for example in sheet.examples),
        encoding=sheet.encoding,
        separator=sheet.separator,
        decimal=", ".join(sorted(written.marks)),
        dates=", ".join(sorted(written.orders)),
        control_total=control,
    )


def _mapped(sheet: Sheet, header: Header, rows: SalesRows, name: str, number: int) -> Mapped:
    column = sheet.table.columns[number]
    sample = next((text for row in rows.sales[:50].tolist() if not is_blank(text := column[row])), "")
    return Mapped(field=name, heading=header.headings[number], column=letter_of(number), sample=clean(sample))
