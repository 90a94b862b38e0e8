"""The fix file: the user's own rows and columns, only of the documents that need a hand, with what to correct marked.

Corrected and saved, it is read like the file that it came from: the same references, the same values, nothing guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from batch_issuer.documents import Document
from batch_issuer.messages import N_, Messages
from batch_issuer.problems import Problem
from batch_issuer.reading.batch import Batch, SourceFile
from batch_issuer.reading.dates import readings
from batch_issuer.reading.numbers import MARKS, read_number
from batch_issuer.reports.cells import NAME_LENGTH, write_text
from batch_issuer.reports.corrections import Remark, RowToCorrect, Sources, rows_to_correct
from batch_issuer.reports.figures import printable, text_lines
from batch_issuer.reports.replacing import replace_file

FIX_HEADING = N_("What to correct")
FIX_HEADINGS = ("Qué corregir", "What to correct")
"""The column that is added, in each language. Reading has no use for it; here an older one is left away."""

_NUMBER_FIELDS = ("quantity", "unit_price", "discount_percentage", "total")
_FIX_WIDTH = 80
_NOTES = 2_000
"""Cells that get a note. The added column says the same; more notes than these make a workbook slow to open."""
_IN_MEMORY = 20_000
"""Rows up to which strings are shared and the whole is kept in memory."""
_NOTE_LENGTH = 2_000
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_SETTINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Sources that have the same columns, and so share a sheet."""

    headings: tuple[str, ...]
    kept: tuple[int, ...]
    """The columns that are written: all but an older column of corrections."""
    sources: tuple[int, ...]
    sheet: str


def write_fix_file(
    batch: Batch,
    entries: Sequence[tuple[int, tuple[Problem, ...]]],
    refusals: Mapping[int, str],
    messages: Messages,
    path: Path,
) -> int:
    """Write the documents of `entries` (index in the batch, its problems) and of `refusals` (index, the words).

    How many documents it holds; with none, and no row without a document, nothing is written. Files whose columns
    differ cannot share a sheet, nor be read from several sheets of one workbook: each further kind of file gets a
    workbook of its own beside the first (`fix-2.xlsx`), to be issued together with it.
    """
    rows = rows_to_correct(batch, entries, refusals, messages)
    sources = Sources(batch)
    layouts = _layouts(batch, sources, rows)
    for number, layout in enumerate(layouts, 1):
        own = [one for one in rows if sources.of(one.row) in layout.sources]
        target = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        replace_file(target, _workbook(batch, own, layout, messages))
    return len({*(index for index, _ in entries), *refusals})


def _layouts(batch: Batch, sources: Sources, rows: Iterable[RowToCorrect]) -> list[Layout]:
    """The kinds of sheets that the rows come from, in the order of the files."""
    found: dict[tuple[str, ...], list[int]] = {}
    for source, row in sorted({sources.of(one.row): one.row for one in rows}.items()):
        found.setdefault(tuple(batch.sheet_row(row).headings), []).append(source)
    return [
        Layout(
            headings=headings,
            kept=tuple(at for at, heading in enumerate(headings) if heading not in FIX_HEADINGS),
            sources=tuple(members),
            sheet=_sheet_name(batch.sources[members[0]]),
        )
        for headings, members in found.items()
    ]


def _sheet_name(source: SourceFile) -> str:
    """The name that the settings may ask for; for a CSV the file's."""
    name = _NOT_IN_NAMES.sub("-", printable(source.sheet or Path(source.path).stem)).strip("' ")[:NAME_LENGTH]
    return name if name and name.casefold() != "history" else "Hoja1"


def _workbook(batch: Batch, rows: Sequence[RowToCorrect], layout: Layout, messages: Messages) -> bytes:
    content = BytesIO()
    mode = {"constant_memory": True} if len(rows) > _IN_MEMORY else {"in_memory": True}
    with Workbook(content, {**_SETTINGS, **mode}) as book:
        book.set_properties({"author": "batch_issuer", "created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 - the same bytes
        sheet = book.add_worksheet(layout.sheet)
        sheet.set_comments_author("batch_issuer")
        _Writer(batch, sheet, _Looks(book), layout, messages).write(rows)
    return content.getvalue()


class _Looks:
    """Formats, made when first needed."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._cells: dict[tuple[str, bool, bool], Format] = {}
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"})
        self.fix_head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter", "bg_color": "#FCE4B6"}
        )
        self.fix = book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#FFF7E3"})

    def cell(self, number_format: str, *, wrong: bool, begins: bool) -> Format:
        """`wrong` marks what has to be corrected; `begins` draws the line above a document's first row."""
        key = (number_format, wrong, begins)
        if key not in self._cells:
            line = {"top": 1, "top_color": "#A8A294"} if begins else {}
            fill = {"bg_color": "#FFD9D2", "border": 1, "border_color": "#C0392B"} if wrong else {}
            self._cells[key] = self._book.add_format({"num_format": number_format, "valign": "top", **line, **fill})
        return self._cells[key]


class _Writer:
    """Writes the rows of one sheet from the top."""

    def __init__(self, batch: Batch, sheet: Worksheet, looks: _Looks, layout: Layout, messages: Messages) -> None:
        self.batch = batch
        self.sheet = sheet
        self.looks = looks
        self.layout = layout
        self.messages = messages
        self.notes = 0
        self.fields = {source: _columns_of(batch.sources[source]) for source in layout.sources}
        self.widths = [len(layout.headings[at]) + 3 for at in layout.kept]

    def write(self, rows: Sequence[RowToCorrect]) -> None:
        last = len(self.layout.kept)
        self._measure(rows)
        self.sheet.set_row(0, 30)
        for at, column in enumerate(self.layout.kept):
            write_text(self.sheet, 0, at, self.layout.headings[column], self.looks.head)
        self.sheet.write_string(0, last, self.messages.text(FIX_HEADING), self.looks.fix_head)
        self.sheet.set_column(last, last, _FIX_WIDTH)
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_landscape()
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0)
        self.sheet.autofilter(0, 0, max(len(rows), 1), last)
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(rows) + 1}"})
        for number, one in enumerate(rows, 1):
            self._row(number, one)

    def _measure(self, rows: Sequence[RowToCorrect]) -> None:
        """Column widths from the first rows."""
        for one in rows[:200]:
            cells = self.batch.sheet_row(one.row).cells
            for at, column in enumerate(self.layout.kept):
                if column < len(cells):
                    self.widths[at] = max(self.widths[at], len(cells[column]) + 1)
        for at, width in enumerate(self.widths):
            self.sheet.set_column(at, at, min(max(width, 8), 44))

    def _row(self, number: int, one: RowToCorrect) -> None:
        row = self.batch.sheet_row(one.row)
        fields = self.fields[row.source]
        source = self.batch.sources[row.source]
        wrong = _by_column(one.remarks)
        said = _said(one.remarks)
        self.sheet.set_row(number, 15 * text_lines(said, _FIX_WIDTH))
        for at, column in enumerate(self.layout.kept):
            text = row.cells[column] if column < len(row.cells) else ""
            remarks = wrong.get(column, ())
            self._cell(number, at, text, fields.get(column, ""), one, source, is_wrong=bool(remarks))
            if remarks and self.notes < _NOTES:
                self.notes += 1
                self.sheet.write_comment(
                    number, at, printable(_said(remarks))[:_NOTE_LENGTH], {"x_scale": 2.6, "y_scale": 1.4}
                )
        if one.remarks:
            write_text(self.sheet, number, len(self.layout.kept), printable(said), self.looks.fix)

    def _cell(
        self, number: int, at: int, text: str, field: str, one: RowToCorrect, source: SourceFile, *, is_wrong: bool
    ) -> None:
        """A number or a date where that is what the document has; otherwise the very text."""
        value = _value_of(text, field, one, source)
        marks = {"wrong": is_wrong, "begins": one.document is None or one.row == one.document.row}
        if isinstance(value, dt.date):
            self.sheet.write_datetime(number, at, value, self.looks.cell("dd/mm/yyyy", **marks))
        elif isinstance(value, Decimal):
            self.sheet.write_number(number, at, float(value), self.looks.cell(_decimals(value), **marks))
        elif text:
            write_text(self.sheet, number, at, text, self.looks.cell(_empty_format(field), **marks))
        else:
            self.sheet.write_blank(number, at, None, self.looks.cell(_empty_format(field), **marks))


def _by_column(remarks: Iterable[Remark]) -> dict[int, list[Remark]]:
    found: dict[int, list[Remark]] = {}
    for remark in remarks:
        column = _number_of(remark.column)
        if column is not None:
            found.setdefault(column, []).append(remark)
    return found


def _columns_of(source: SourceFile) -> dict[int, str]:
    """Fields by column, for those whose cells may be written as numbers or dates.

    A column that the reference is made of is none of them: its text is the identity of the sale.
    """
    fields: dict[int, str] = {}
    for mapped in source.mapping:
        column = _number_of(mapped.column)
        if column is None:
            continue
        if mapped.field == "external_ref":
            fields[column] = mapped.field
        elif mapped.field in (*_NUMBER_FIELDS, "date"):
            fields.setdefault(column, mapped.field)
    return fields


def _value_of(text: str, field: str, one: RowToCorrect, source: SourceFile) -> dt.date | Decimal | None:
    """What reading made of this cell, when that is certain; None where the text has to stay.

    A few rows cannot tell what a whole column told, whether `1,500` is a thousand or a bit more than one.
    """
    if field == "date":
        return _date_of(text.strip(), one.document, source.dates)
    if field in _NUMBER_FIELDS:
        number = _number_of_cell(text.strip(), field, one, source)
        return number if number is not None and Decimal(f"{float(number):.16G}") == number else None
    return None


def _date_of(text: str, document: Document | None, order: str) -> dt.date | None:
    found = readings(text)
    if order in found:
        return found[order]
    return document.date if document is not None and document.date in found.values() else None


def _number_of_cell(text: str, field: str, one: RowToCorrect, source: SourceFile) -> Decimal | None:
    found = {mark: number for mark in MARKS if (number := read_number(text, mark)) is not None}
    meant = _meant(field, one)
    if meant in found.values():
        return meant
    if one.document is None and source.decimal in found and (not source.sheet or len(set(found.values())) == 1):
        return found[source.decimal]
    return None


def _meant(field: str, one: RowToCorrect) -> Decimal | None:
    document = one.document
    if document is None:
        return None
    if field == "total":
        return document.total
    return next((getattr(line, field) for line in document.lines if line.row == one.row), None)


def _decimals(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return f"0.{'0' * places}" if places else "0"


def _empty_format(field: str) -> str:
    """How a cell takes what is typed into it: text stays text, with its zeros, but where a number or a date belongs."""
    if field == "date":
        return "dd/mm/yyyy"
    return "General" if field in _NUMBER_FIELDS else "@"


def _said(remarks: Iterable[Remark]) -> str:
    return "\n".join(dict.fromkeys(f"{one.message} {one.repair}".strip() for one in remarks))


def _number_of(letters: str) -> int | None:
    """The column of a letter, from 0."""
    if not (letters.isascii() and letters.isalpha()):
        return None
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1
