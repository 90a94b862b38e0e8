"""One sheet, from its headings to fields with values: the sales rows, their references, and each mapped column read.

Decimal mark and date order are decided here, per column from all its values; where both are possible it asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Mapped, SourceFile
from batch_issuer.reading.columns import Columns, Header
from batch_issuer.reading.dates import OrderEvidence, find_order, readings
from batch_issuer.reading.numbers import Mark, MarkEvidence, find_mark, read_number
from batch_issuer.reading.refs import Refs, read_refs
from batch_issuer.reading.rows import SalesRows, find_sales
from batch_issuer.reading.tables import CellKind, Codes, Column, Sheet, is_blank, letter_of
from batch_issuer.reading.totals import total_said
from batch_issuer.reading.values import DATE_FIELDS, NUMBER_FIELDS, Fault, Notation, Value, Values, clean, read_values
from batch_issuer.settings import FIELDS, Settings, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of the sales rows with its values: row `r` has `values[codes[r]]`, written `texts[codes[r]]`."""

    name: str
    """Empty for cells that stand under no heading."""
    number: int
    """The column, from 0."""
    codes: Codes
    texts: Sequence[str]
    values: list[Value]
    faults: dict[int, Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSales:
    """The sales of one sheet."""

    sheet: Sheet
    header: Header
    rows: SalesRows
    refs: Refs
    fields: tuple[Field, ...]
    source: SourceFile
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """How the columns of a sheet write numbers and dates; what was decided from texts, for the plan."""

    notations: Mapping[str, Notation]
    marks: frozenset[str]
    orders: frozenset[str]


def read_sheet(sheet: Sheet, header: Header, columns: Columns, settings: Settings) -> SheetSales:
    """The sales of a sheet whose header is confirmed.

    Raises `CannotStart` for hidden rows, and for numbers or dates that can be read in two ways.
    """
    rows = find_sales(sheet, header, continue_rows=settings.source.continue_rows)
    _refuse_hidden_rows(sheet, rows)
    place = _Places(sheet, header)
    taken = {name: _taken(sheet.table.columns[number], rows.sales) for name, number in header.columns.items()}
    written = _written(place, taken, settings.source)
    fields = [
        _field(name, header.columns[name], taken[name], read_values(name, taken[name], written.notations[name]))
        for name in FIELDS
        if name in taken and name != "external_ref"
    ]
    said = total_said(sheet, header, rows, settings.source.decimal)
    return SheetSales(
        sheet=sheet,
        header=header,
        rows=rows,
        refs=_refs(sheet, header, columns, rows, fields),
        fields=(*fields, *_overhang(sheet, header, rows)),
        source=_source(sheet, header, rows, written, said.control),
        problems=(*_sheet_problems(place, rows), *said.problems(place.of)),
    )


class _Places:
    """Where cells of one sheet are, as a person finds them."""

    def __init__(self, sheet: Sheet, header: Header) -> None:
        self.sheet = sheet
        self.header = header

    def of(self, row: int | None = None, column: int | None = None) -> Place:
        return place_of(self.sheet, self.header, row, column)


def place_of(sheet: Sheet, header: Header, row: int | None = None, column: int | None = None) -> Place:
    """A cell of a sheet; row and column are counted from 0."""
    return Place(
        file=sheet.path,
        sheet=sheet.name,
        row=None if row is None else row + 1,
        column="" if column is None else letter_of(column),
        heading=header.headings[column] if column is not None and column < len(header.headings) else "",
    )


def _taken(column: Column, rows: Codes) -> Column:
    """The sales rows of a column; without a copy where they stand together."""
    if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1:
        return column.taken(slice(int(rows[0]), int(rows[-1]) + 1))
    return column.taken(rows)


def used_codes(column: Column) -> NDArray[np.intp]:
    """The codes that stand in at least one row, ascending."""
    return np.flatnonzero(np.bincount(column.codes, minlength=len(column.texts)))


def _typed_texts(column: Column) -> list[str]:
    """The distinct texts of a column that somebody typed as text, as `read_values` will see them."""
    codes = used_codes(column).tolist()
    return [text for code in codes if column.kind(code) is CellKind.TEXT and (text := clean(column.texts[code]))]


def _written(place: _Places, taken: Mapping[str, Column], source: Source) -> _Written:
    notations: dict[str, Notation] = dict.fromkeys(taken, Notation())
    marks, orders = set[str](), set[str]()
    for name in NUMBER_FIELDS:
        if name in taken:
            evidence = find_mark(text.removesuffix("%").rstrip() for text in _typed_texts(taken[name]))
            mark = _mark(place, name, evidence, source)
            notations[name] = Notation(mark=mark)
            marks |= {mark} if evidence.point or evidence.comma or evidence.either else set()
    for name in DATE_FIELDS:
        if name in taken:
            texts = _typed_texts(taken[name])
            dates = find_order(texts)
            if not source.dates:
                _refuse_swapped_dates(place, name, taken[name], texts)
            notations[name] = Notation(order=source.dates or _order(place, name, dates))  # type: ignore[arg-type]
            orders |= {notations[name].order} if texts else set()
    return _Written(notations=notations, marks=frozenset(marks), orders=frozenset(orders))


def _mark(place: _Places, name: str, evidence: MarkEvidence, source: Source) -> Mark:
    if source.decimal:
        return "comma" if source.decimal == "comma" else "point"
    if evidence.mark is not None:
        return evidence.mark
    number = place.header.columns[name]
    if evidence.point and evidence.comma:
        raise CannotStart(
            N_(
                "{where}: the column «{heading}» ({letter}) has numbers with a decimal point («{point}») "
                "and with a decimal comma («{comma}»)."
            ),
            repair=N_(
                "Correct the column, or say which is right with --decimal point or --decimal comma: "
                "the others will be held back."
            ),
            where=_where(place.sheet),
            heading=place.header.headings[number],
            letter=letter_of(number),
            point=evidence.point,
            comma=evidence.comma,
        )
    raise CannotStart(
        N_(
            "{where}: the column «{heading}» ({letter}) can be read in two ways: "
            "«{example}» is {as_point} or {as_comma}."
        ),
        repair=N_(
            'Say which with --decimal point or --decimal comma, or in the settings:\n[source]\ndecimal = "point"'
        ),
        where=_where(place.sheet),
        heading=place.header.headings[number],
        letter=letter_of(number),
        example=evidence.either,
        as_point=_shown(read_number(evidence.either, "point"), "point"),
        as_comma=_shown(read_number(evidence.either, "comma"), "comma"),
    )


def _shown(number: Decimal | None, mark: Mark) -> str:
    text = f"{number:f}"
    return text if mark == "point" else text.replace(".", ",")


def _order(place: _Places, name: str, evidence: OrderEvidence) -> str:
    if evidence.order is not None:
        return evidence.order
    number = place.header.columns[name]
    heading, letter = place.header.headings[number], letter_of(number)
    if not evidence.orders:
        raise CannotStart(
            N_("{where}: the dates of the column «{heading}» ({letter}) are not all in the same order: {examples}."),
            repair=N_(
                "Correct the column, or say which order is right with --dates dmy, mdy or ymd: "
                "the others will be held back."
            ),
            where=_where(place.sheet),
            heading=heading,
            letter=letter,
            examples=", ".join(f"«{text}»" for text in evidence.examples),
        )
    example = evidence.examples[0]
    raise CannotStart(
        N_("{where}: the dates of the column «{heading}» ({letter}) can be read in two ways: «{example}» is {dates}."),
        repair=N_('Say which with --dates dmy, mdy or ymd, or in the settings:\n[source]\ndates = "dmy"'),
        where=_where(place.sheet),
        heading=heading,
        letter=letter,
        example=example,
        dates=" / ".join(f"{readings(example)[order].isoformat()} ({order})" for order in evidence.orders),
    )


def _refuse_swapped_dates(place: _Places, name: str, column: Column, texts: Sequence[str]) -> None:
    """Excel turns day/month into month/day where it can and leaves the rest as text: then no date can be trusted."""
    stored = [column.texts[code] for code in used_codes(column).tolist() if column.kind(code) is CellKind.DATE]
    if not stored or any(int(text[8:10]) > 12 for text in stored if text[4:5] == "-"):
        return
    only_late = [text for text in texts if len(readings(text)) == 1]
    if not only_late or len(only_late) != sum(1 for text in texts if readings(text)):
        return
    number = place.header.columns[name]
    raise CannotStart(
        N_(
            "{where}: the column «{heading}» ({letter}) mixes stored dates («{stored}») with dates as text («{text}»), "
            "as when Excel opens a CSV of another country and swaps day and month."
        ),
        repair=N_(
            "Import the original file again with the date column as text; "
            "or say the order of the texts with --dates, if the stored dates are right."
        ),
        where=_where(place.sheet),
        heading=place.header.headings[number],
        letter=letter_of(number),
        stored=stored[0],
        text=only_late[0],
    )


def _field(name: str, number: int, column: Column, values: Values) -> Field:
    return Field(
        name=name,
        number=number,
        codes=column.codes,
        texts=column.texts,
        values=values.values,
        faults=values.faults,
    )


def _overhang(sheet: Sheet, header: Header, rows: SalesRows) -> Iterator[Field]:
    """Cells of a CSV beyond the last heading: a separator inside a text has moved the row's cells."""
    last = max((number for number, text in enumerate(header.headings) if text), default=0)
    if not sheet.encoding:
        return
    for number in range(last + 1, len(sheet.table.columns)):
        column = _taken(sheet.table.columns[number], rows.sales)
        faults = {code: Fault(kinds.ROW_TOO_LONG) for code, text in enumerate(column.texts) if not is_blank(text)}
        if faults:
            yield _field("", number, column, Values(values=[None] * len(column.texts), faults=faults))


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


def _refuse_hidden_rows(sheet: Sheet, rows: SalesRows) -> None:
    hidden = sorted(set(sheet.hidden_rows).intersection(rows.sales.tolist())) if sheet.hidden_rows else []
    if hidden:
        raise CannotStart(
            N_(
                "{where} has {count} hidden rows with sales, the first is row {row}: "
                "they may be filtered out on purpose or by mistake."
            ),
            repair=N_(
                "Clear the filter and show all rows if they are to be issued; "
                "otherwise copy the visible rows into a new sheet."
            ),
            where=_where(sheet),
            count=len(hidden),
            row=hidden[0] + 1,
        )


def _sheet_problems(place: _Places, rows: SalesRows) -> Iterator[Problem]:
    sheet, header = place.sheet, place.header
    if not len(rows.sales):
        yield Problem(kind=kinds.NO_ROWS, place=place.of())
    for row in rows.notes:
        number, text = next((at, cell) for at, cell in enumerate(sheet.table.cells(row)) if not is_blank(cell))
        yield Problem(kind=kinds.ROW_LEFT_OUT, place=place.of(row, number), value=clean(text))
    mapped = {*header.columns.values(), *header.ref_columns}
    for number in sorted(mapped & sheet.hidden_columns):
        yield Problem(kind=kinds.HIDDEN_COLUMN, place=place.of(None, number), value=header.headings[number])
    told: set[tuple[int, str]] = set()
    for (number, code), shown in sheet.formats.items():
        if number in mapped and (number, shown) not in told:
            column = _taken(sheet.table.columns[number], rows.sales)
            found = np.flatnonzero(column.codes == code)
            if len(found):
                told.add((number, shown))
                yield Problem(
                    kind=kinds.SHOWN_DIFFERENTLY,
                    place=place.of(int(rows.sales[found[0]]), number),
                    value=column.texts[code],
                    parameters={"format": shown},
                )


def _source(sheet: Sheet, header: Header, rows: SalesRows, written: _Written, control: Decimal | None) -> SourceFile:
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


def _where(sheet: Sheet) -> str:
    return f"{sheet.path} · {sheet.name}" if sheet.name else sheet.path
