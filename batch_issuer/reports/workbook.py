"""The reconciliation as an Excel workbook: control totals that can be followed, and a table of documents by state.

Each cell is written as what it is. No text of a file or of the provider ever becomes a formula or a link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from batch_issuer.messages import N_, Messages
from batch_issuer.reconciliation import EL_SALVADOR, Reconciliation
from batch_issuer.reports import figures
from batch_issuer.reports.cells import NAME_LENGTH, write_text
from batch_issuer.reports.replacing import replace_file
from batch_issuer.reports.sheets import Column, Kind, Table, tables
from batch_issuer.reports.summary import Area, write_summary

WITHOUT_TABLES = 60_000
"""Above so many documents rows leave memory as they are written, with filters in place of Excel tables."""
SHEET_ROWS = 1_000_000
"""Rows that one sheet gets; Excel has 1,048,576."""

NUMBER_FORMATS = {
    Kind.MONEY: "$#,##0.00;[Red]-$#,##0.00",
    Kind.WHOLE: "#,##0",
    Kind.DATE: "dd/mm/yyyy",
    Kind.MOMENT: "dd/mm/yyyy hh:mm",
}
_DAY_ZERO = dt.date(1899, 12, 30).toordinal()
_EPOCH = dt.date(1970, 1, 1).toordinal() - _DAY_ZERO
_OFFSET = int(EL_SALVADOR.utcoffset(None).total_seconds())
_SETTINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of one workbook."""

    head: Format
    cells: dict[Kind, Format]


def write_workbook(reconciliation: Reconciliation, messages: Messages, path: Path, *, mask: bool = False) -> None:
    """Write the workbook. `mask` hides identity numbers, telephones and addresses, and leaves initials of names."""
    large = len(reconciliation.records) > WITHOUT_TABLES
    replace_file(path, workbook_content(reconciliation, messages, mask=mask, large=large))


def workbook_content(reconciliation: Reconciliation, messages: Messages, *, mask: bool, large: bool) -> bytes:
    """The workbook's bytes; a `large` one keeps no row in memory."""
    content = BytesIO()
    mode = {"constant_memory": True} if large else {"in_memory": True}
    with Workbook(content, {**_SETTINGS, **mode}) as book:
        _describe(book, reconciliation, messages)
        styles = _styles(book)
        summary = book.add_worksheet(messages.text(N_("Summary")))
        areas: dict[str, list[Area]] = {}
        for table in tables(reconciliation, messages, mask=mask):
            areas[table.key] = [
                _write_table(book, part, title, messages, styles, large=large)
                for part, title in _parts(table, messages)
            ]
        write_summary(book, summary, reconciliation, messages, areas)
    return content.getvalue()


def _describe(book: Workbook, reconciliation: Reconciliation, messages: Messages) -> None:
    """Properties, with the time of what is known instead of now: the same figures give the same bytes."""
    created = figures.local_time(reconciliation.as_of)
    book.set_properties({
        "title": f"{messages.text(N_('Reconciliation'))} · {figures.printable(reconciliation.company_name)}",
        "author": "batch_issuer",
        "created": created.replace(tzinfo=None) if created else dt.datetime(2026, 1, 1),  # noqa: DTZ001 - a wall clock
    })  # fmt: skip
    book.set_size(2600, 1500)


def _styles(book: Workbook) -> Styles:
    plain = {"valign": "top"}
    return Styles(
        head=book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bottom": 1}),
        cells={
            kind: book.add_format(
                plain
                | ({"num_format": NUMBER_FORMATS[kind]} if kind in NUMBER_FORMATS else {})
                | ({"text_wrap": True} if kind is Kind.LONG else {})
            )
            for kind in Kind
        },
    )


def _parts(table: Table[Any], messages: Messages) -> list[tuple[Table[Any], str]]:
    """The table with the name of its sheet; several where one sheet cannot hold it."""
    title = messages.text(table.title)[:NAME_LENGTH]
    if len(table.rows) <= SHEET_ROWS:
        return [(table, title)]
    starts = range(0, len(table.rows), SHEET_ROWS)
    return [
        (
            Table(key=table.key, title=table.title, columns=table.columns, rows=table.rows[at : at + SHEET_ROWS]),
            f"{title[: NAME_LENGTH - 3]} {number}",
        )
        for number, at in enumerate(starts, 1)
    ]


def _write_table(
    book: Workbook, table: Table[Any], title: str, messages: Messages, styles: Styles, *, large: bool
) -> Area:
    sheet = book.add_worksheet(title)
    last_row, last_column = len(table.rows), len(table.columns) - 1
    headings = [messages.text(column.heading) for column in table.columns]
    _lay_out(sheet, table.columns, last_row)
    if large:
        for at, heading in enumerate(headings):
            sheet.write_string(0, at, heading, styles.head)
        sheet.autofilter(0, 0, last_row, last_column)
    else:
        sheet.add_table(0, 0, last_row, last_column, {
            "name": f"documents_{table.key}",
            "style": "Table Style Light 1",
            "columns": [{"header": heading, "header_format": styles.head} for heading in headings],
        })  # fmt: skip
    _write_rows(sheet, table, styles)
    return Area(title=title, headings=tuple(column.heading for column in table.columns), rows=last_row)


def _lay_out(sheet: Worksheet, columns: Sequence[Column[Any]], last_row: int) -> None:
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last_row + 1}"})
    sheet.set_landscape()
    sheet.set_paper(1)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")


def _write_rows(sheet: Worksheet, table: Table[Any], styles: Styles) -> None:
    writers = [
        (at, column.value, _WRITERS[column.kind], styles.cells[column.kind]) for at, column in enumerate(table.columns)
    ]
    wrapped = [column for column in table.columns if column.kind is Kind.LONG]
    for number, row in enumerate(table.rows, 1):
        if wrapped:
            sheet.set_row(number, 15 * max(figures.text_lines(column.value(row), column.width) for column in wrapped))
        for at, value_of, write, style in writers:
            value = value_of(row)
            if value is not None and value != "":
                write(sheet, number, at, value, style)


def _write_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    write_text(sheet, row, column, text if text.isprintable() else figures.printable(text), style)


def _write_number(sheet: Worksheet, row: int, column: int, number: Any, style: Format) -> None:
    sheet.write_number(row, column, float(number), style)


def _write_date(sheet: Worksheet, row: int, column: int, iso: str, style: Format) -> None:
    try:
        day = dt.date.fromisoformat(iso).toordinal() - _DAY_ZERO
    except ValueError:
        _write_text(sheet, row, column, iso, style)
    else:
        sheet.write_number(row, column, day, style)


def _write_moment(sheet: Worksheet, row: int, column: int, utc: str, style: Format) -> None:
    """Days since day zero, as a cell holds a time; whole seconds, which is what its format can show."""
    local = int(dt.datetime.fromisoformat(utc).timestamp()) + _OFFSET
    sheet.write_number(row, column, local / 86_400 + _EPOCH, style)


_WRITERS: dict[Kind, Callable[[Worksheet, int, int, Any, Format], None]] = {
    Kind.TEXT: _write_text,
    Kind.LONG: _write_text,
    Kind.MONEY: _write_number,
    Kind.WHOLE: _write_number,
    Kind.DATE: _write_date,
    Kind.MOMENT: _write_moment,
}
