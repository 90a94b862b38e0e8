"""The fix file: the user's own rows and columns, only of the documents that need a hand, with what to correct marked.

Corrected and saved, it is read like the file that it came from: the same references, the same values, nothing guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from batch_issuer.messages import N_, Messages
from batch_issuer.model.problems import Problem
from batch_issuer.reading.batch import Batch, SourceFile
from batch_issuer.reading.cells.dates import time_of
from batch_issuer.reading.cells.values import NUMBER_FIELDS, Value, clean, lost_digits
from batch_issuer.reading.headings.aliases import key_of
from batch_issuer.reading.own_sheets import FIX_HEADINGS
from batch_issuer.reading.tables import CellKind
from batch_issuer.reports.cells import NAME_LENGTH, write_text
from batch_issuer.reports.figures import printable, text_lines
from batch_issuer.reports.fill_in.columns import COLUMNS
from batch_issuer.reports.fix.corrections import Need, RowToCorrect, Sources, missing_field, rows_to_correct
from batch_issuer.reports.replacing import not_written, replace_file

FIX_HEADING = N_("What to correct")
SURPLUS_HEADING = N_("Beyond the headings")
WRITTEN = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - the same bytes
"""The moment that every fix file says it was made and last changed; whoever saves it puts another."""

_FIX_WIDTH = 80
_FILTERED_FROM = 50
"""Rows from which a filter helps; a sheet that is saved while rows are filtered out would be asked about."""
_NOTES = 2_000
"""Cells that get a note. The added column says the same; more notes than these make a workbook slow to open."""
_NOTE_LENGTH = 2_000
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_NO_RESULT = "#N/A"
"""What is written for a formula without a result: moved to another row it would mean something else."""
_EXCELS_FIRST_YEAR = 1900

Shown: TypeAlias = dt.date | Decimal | str
"""What a cell is written as; empty text leaves it blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Sources that have the same columns, and so share a sheet."""

    headings: tuple[str, ...]
    kept: tuple[int, ...]
    """The columns that are written: all but an older column of corrections, and empty ones at the end."""
    sources: tuple[int, ...]
    sheet: str
    added: Mapping[str, str]
    """Columns that the file lacks and somebody has to write into: field and heading."""
    surplus: bool
    """Whether rows have cells beyond the last heading, which get a column of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: how many documents, into which workbooks, and the references that none could take."""

    documents: int = 0
    paths: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()


def write_fix_file(
    batch: Batch, needs: Mapping[int, Need], messages: Messages, path: Path, *, sheet: str = "", loose: bool = True
) -> Written:
    """Write the documents that need a hand, by their index in the batch, and (`loose`) the rows that belong to none.

    With nothing to write, nothing is written. Files whose columns differ cannot share a sheet, nor be read from
    several sheets of one workbook: each further kind of file gets a workbook of its own beside the first
    (`fix-2.xlsx`), to be issued together with it. `sheet` is the name that the settings ask for.

    A document whose lines stand in files with other columns, or twice, is left out: half of it could be issued.

    Raises `StoppedMidway` where disk or folder refuse.
    """
    sources = Sources(batch)
    left_out = {
        index for index, need in needs.items() if sources.divide(need.document or batch[index].document, need.problems)
    }
    needs = {index: need for index, need in needs.items() if index not in left_out}
    rows = rows_to_correct(batch, needs, messages, loose=loose)
    paths: list[Path] = []
    for number, layout in enumerate(_layouts(batch, sources, rows, sheet, messages), 1):
        own = [one for one in rows if sources.of(one.row) in layout.sources]
        paths.append(path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}"))
        content = BytesIO()
        try:
            # After a bad day it has tens of thousands of rows, each with its cells as they were.
            with Workbook(content, {"constant_memory": True}) as book:
                _Writer(batch, book, layout, messages).write(own)
        except OSError as error:  # its rows wait in a temporary file
            raise not_written(paths[-1], error) from error
        replace_file(paths[-1], content.getvalue())
    references = tuple(batch[index].document.external_ref for index in sorted(left_out))
    return Written(documents=len(needs), paths=tuple(paths), left_out=references)


def _layouts(
    batch: Batch, sources: Sources, rows: Sequence[RowToCorrect], sheet: str, messages: Messages
) -> list[Layout]:
    """Return the kinds of sheets that the rows come from, in the order of the files."""
    found: dict[tuple[str, ...], list[int]] = {}
    for source, row in sorted({sources.of(one.row): one.row for one in rows}.items()):
        found.setdefault(tuple(batch.sheet_row(row).headings), []).append(source)
    layouts = []
    for headings, members in found.items():
        own = [one for one in rows if sources.of(one.row) in members]
        is_csv = any(batch.sources[member].encoding for member in members)
        last = end = _last(headings)
        if last < len(headings) - 1:
            end = max(last, *(_last(batch.sheet_row(one.row).cells) for one in own))
        # What a CSV has beyond its last heading are no columns: it goes together into one, under a heading of ours.
        kept = range((last if is_csv else end) + 1)
        layouts.append(
            Layout(
                headings=headings,
                kept=tuple(at for at in kept if headings[at] not in FIX_HEADINGS),
                sources=tuple(members),
                sheet=_sheet_name(sheet, batch.sources[members[0]]),
                added=_added(own, headings, messages),
                surplus=is_csv and end > last,
            )
        )
    return layouts


def _added(rows: Iterable[RowToCorrect], headings: Sequence[str], messages: Messages) -> dict[str, str]:
    """Return the missing columns, in the template's order and under its headings, which need no settings."""
    missing = {missing_field(problem) for one in rows for problem in one.problems}
    known = {key_of(heading) for heading in headings}
    found = {column.key: column.heading(messages.language) for column in COLUMNS if column.key in missing}
    return {field: heading for field, heading in found.items() if key_of(heading) not in known}


def _last(texts: Sequence[str]) -> int:
    """Return the last place that is not blank."""
    return max((at for at, text in enumerate(texts) if text.strip()), default=0)


def _sheet_name(asked: str, source: SourceFile) -> str:
    """Return the source's own name, which the settings ask for; for a CSV the one that they ask for, or the file's.

    Signs of a pattern are none of a name, and what stands in their place fits the pattern.
    """
    name = source.sheet or asked or Path(source.path).stem.strip("-")
    name = _NOT_IN_NAMES.sub("-", printable(name)).strip("' ")[:NAME_LENGTH]
    return name if name and name.casefold() != "history" else "Hoja1"  # Excel keeps `History` for itself


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

    def cell(self, number_format: str, *, wrong: bool = False, begins: bool = False) -> Format:
        """Return a format: `wrong` marks what to correct, `begins` draws the line above a document's first row."""
        key = (number_format, wrong, begins)
        if key not in self._cells:
            line = {"top": 1, "top_color": "#A8A294"} if begins else {}
            fill = {"bg_color": "#FFD9D2", "border": 1, "border_color": "#C0392B"} if wrong else {}
            side = {"align": "left"} if number_format.startswith("dd") else {}
            self._cells[key] = self._book.add_format(
                {"num_format": number_format, "valign": "top", **side, **line, **fill}
            )
        return self._cells[key]


class _Writer:
    """Writes the rows of one sheet from the top."""

    def __init__(self, batch: Batch, book: Workbook, layout: Layout, messages: Messages) -> None:
        book.set_properties({"author": "batch_issuer", "created": WRITTEN})
        self.batch = batch
        self.sheet = book.add_worksheet(layout.sheet)
        self.sheet.set_comments_author("batch_issuer")
        self.looks = _Looks(book)
        self.layout = layout
        self.messages = messages
        self.notes = 0
        # A column that the reference is made of is the reference first of all: of its fields the first one stays.
        roles = {
            source: {_number_of(one.column): one.field for one in reversed(batch.sources[source].mapping)}
            for source in layout.sources
        }
        self.roles = roles[layout.sources[0]]
        """What each column was read as; in the other sources of the sheet it is the same, or close to it."""
        self._shown = {(source, at): _Shown(roles[source].get(at, "")) for source in roles for at in layout.kept}

    def write(self, rows: Sequence[RowToCorrect]) -> None:
        """Write the sheet from its first row to its last, in that order: a row is gone when the next one begins."""
        surplus = len(self.layout.kept) + len(self.layout.added)
        last = surplus + self.layout.surplus
        self._lay_out(rows, last)
        for at, column in enumerate(self.layout.kept):
            write_text(self.sheet, 0, at, self.layout.headings[column], self.looks.head)
        for at, (field, heading) in enumerate(self.layout.added.items(), len(self.layout.kept)):
            write_text(self.sheet, 0, at, heading, self.looks.fix_head)
            self.sheet.set_column(at, at, 20, self.looks.cell(_empty_format(field)))
        if self.layout.surplus:
            write_text(self.sheet, 0, surplus, self.messages.text(SURPLUS_HEADING), self.looks.head)
            self.sheet.set_column(surplus, surplus, 24)
        self.sheet.write_string(0, last, self.messages.text(FIX_HEADING), self.looks.fix_head)
        self.sheet.set_column(last, last, _FIX_WIDTH)
        for number, one in enumerate(rows, 1):
            self._row(number, one)

    def _lay_out(self, rows: Sequence[RowToCorrect], last: int) -> None:
        """Set widths from the first rows, formats for what is typed into rows that are added, and how it prints."""
        widths = [len(self.layout.headings[column]) + 3 for column in self.layout.kept]
        for one in rows[:200]:
            cells = self.batch.sheet_row(one.row).cells
            for at, column in enumerate(self.layout.kept):
                if column < len(cells):
                    widths[at] = max(widths[at], len(cells[column]) + 1)
        for at, (column, width) in enumerate(zip(self.layout.kept, widths, strict=True)):
            look = self.looks.cell(_empty_format(self.roles.get(column, "")))
            self.sheet.set_column(at, at, min(max(width, 8), 44), look)
        self.sheet.set_row(0, 30)
        # The columns of the reference stay in sight, where the sheet begins with them.
        refs = [self.roles.get(column) == "external_ref" for column in self.layout.kept]
        self.sheet.freeze_panes(1, refs.index(False) if False in refs and refs[0] else 0)
        self.sheet.set_landscape()
        self.sheet.set_paper(1)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0)
        self.sheet.set_footer("&L&F&R&P / &N")
        if len(rows) > _FILTERED_FROM:
            self.sheet.autofilter(0, 0, len(rows), last)
        # Codes and identifiers stay text; without this Excel offers in every cell to make numbers of them.
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(rows) + 1}"})

    def _row(self, number: int, one: RowToCorrect) -> None:
        """Write a row and the notes of its cells. `number` is counted from 0."""
        row, begins = self.batch.sheet_row(one.row), one.begins
        texts, kinds = dict(enumerate(row.cells)), dict(enumerate(row.kinds))
        wrong: dict[int | None, list[Problem]] = {}
        for problem in one.problems:
            wrong.setdefault(_number_of(problem.place.column), []).append(problem)
        wrong.pop(None, None)  # of the whole row or document: the last column says it
        for at, column in enumerate(self.layout.kept):
            problems = wrong.pop(column, ())
            cell = texts.get(column, ""), kinds.get(column, CellKind.TEXT), row.values.get(column)
            form, value = self._shown[row.source, column][*cell, row.formats.get(column, "")]
            if value != "" or problems or begins:
                self._write(number, at, value, self.looks.cell(form, wrong=bool(problems), begins=begins), problems)
        for at, field in enumerate(self.layout.added, len(self.layout.kept)):
            if problems := [problem for problem in one.problems if missing_field(problem) == field]:
                style = self.looks.cell(_empty_format(field), wrong=True, begins=begins)
                self._write(number, at, "", style, problems)
        last = len(self.layout.kept) + len(self.layout.added)
        if self.layout.surplus:
            beyond = " ".join(filter(None, map(str.strip, row.cells[_last(self.layout.headings) + 1 :])))
            style = self.looks.cell("@", wrong=bool(beyond), begins=begins)
            self._write(number, last, beyond, style, [*chain.from_iterable(wrong.values())])
            last += 1
        if said := _said(one.problems, self.messages):
            self.sheet.set_row(number, 15 * text_lines(said, _FIX_WIDTH))
            self._write(number, last, printable(said), self.looks.fix)

    def _write(self, number: int, at: int, value: Shown, style: Format, problems: Sequence[Problem] = ()) -> None:
        """Write a cell, with a note where there are problems."""
        if isinstance(value, dt.date):
            self.sheet.write_datetime(number, at, value, style)
        elif isinstance(value, Decimal):
            self.sheet.write_number(number, at, float(value), style)
        elif value:
            write_text(self.sheet, number, at, value, style)
        else:
            self.sheet.write_blank(number, at, None, style)
        if problems and self.notes < _NOTES:
            self.notes += 1
            text = printable(_said(problems, self.messages))[:_NOTE_LENGTH]
            size = {"width": 330, "height": 18 * text_lines(text, 52) + 12}
            self.sheet.write_comment(number, at, text, size)


class _Shown(dict[tuple[str, CellKind, Value, str], tuple[str, Shown]]):
    """How the cells of a column are written: number format, and value.

    A number or a date where that is what stands there; otherwise the very text. By text, how it was stored, what was
    read from it, and a format with words of its own: most cells are like one above.
    """

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def __missing__(self, cell: tuple[str, CellKind, Value, str]) -> tuple[str, Shown]:
        text, kind, read, form = cell
        if kind is CellKind.FORMULA and self._role != "external_ref":
            shown: tuple[str, Shown] = _empty_format(self._role), _NO_RESULT
        else:
            value = _value(text, kind, read, self._role)
            if isinstance(value, dt.date):
                shown = "dd/mm/yyyy hh:mm" if isinstance(value, dt.datetime) else "dd/mm/yyyy", value
            elif isinstance(value, Decimal):
                exponent = value.as_tuple().exponent
                places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
                shown = form or (f"0.{'0' * places}" if places else "0"), value
            else:
                shown = _empty_format(self._role), text
        self[cell] = shown
        return shown


def _value(text: str, kind: CellKind, read: Value, role: str) -> dt.date | Decimal | None:
    """Return the number or date to write; None where the text has to stay.

    A few rows cannot tell what a whole column told, whether `1,500` is a thousand or a bit more than one: what was
    read from numbers and dates is written as such. What could not be read stays as it was stored, so that it is found
    again; identifiers are text. A date may be part of a reference, which has it in one form however it is written.
    """
    if isinstance(read, dt.date) and not isinstance(read, dt.datetime):
        if read.year < _EXCELS_FIRST_YEAR:
            return None
        time = time_of(clean(text))  # which may stand beside the day
        return dt.datetime.combine(read, dt.time.fromisoformat(time)) if time else read
    if isinstance(read, Decimal) and (role != "external_ref" or kind is CellKind.NUMBER):
        return _exact(read) if not text.rstrip().endswith("%") else None
    if kind in (CellKind.DATE, CellKind.NUMBER):
        return _stored(text, kind, role)
    return None


def _stored(text: str, kind: CellKind, role: str) -> dt.date | Decimal | None:
    """Return the date or number that a workbook's cell holds, where its column may have one; None keeps its text."""
    try:
        if kind is CellKind.DATE and role in ("", "external_ref", "date"):
            moment = dt.datetime.fromisoformat(text)
            return moment if ":" in text else moment.date()
        if kind is CellKind.NUMBER and (role in ("", "till") or lost_digits(text, kind) is not None):
            return _exact(Decimal(text))
    except (ValueError, InvalidOperation):  # it was stored as no date or number that there is
        return None
    return None


def _exact(number: Decimal) -> Decimal | None:
    """Return the number, where a workbook can hold it: 15 digits come back."""
    return number if number.is_finite() and Decimal(f"{float(number):.15G}") == number else None


def _empty_format(field: str) -> str:
    """Return how a cell takes what is typed into it: as text, with its zeros, but where a number or date belongs."""
    if field == "date":
        return "dd/mm/yyyy"
    return "General" if field in NUMBER_FIELDS else "@"


def _said(problems: Iterable[Problem], messages: Messages) -> str:
    """Say what to do, each thing once; several as a list."""
    texts = list(dict.fromkeys(f"{one.message(messages)} {one.repair(messages)}".strip() for one in problems))
    return "\n".join(texts if len(texts) < 2 else [f"• {text}" for text in texts])


def _number_of(letters: str) -> int | None:
    """Return the column of a letter, from 0."""
    if not (letters.isascii() and letters.isalpha()):
        return None
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1
