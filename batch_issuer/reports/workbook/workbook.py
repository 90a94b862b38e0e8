"""The reconciliation as an Excel workbook: control totals that can be followed, and a table of documents by state.

Each cell is written as what it is. No text of a file or of the provider ever becomes a formula or a link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from batch_issuer.messages import N_, Messages
from batch_issuer.reading.tables import without_collecting
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reports import figures
from batch_issuer.reports.cells import NAME_LENGTH, WRITE, Kind
from batch_issuer.reports.columns import Column
from batch_issuer.reports.replacing import replace_file
from batch_issuer.reports.workbook.sheets import Table, tables
from batch_issuer.reports.workbook.summary import Area, write_summary

PRINTED_WIDTH = 200
"""Characters across a landscape page that can still be read."""
SHEET_ROWS = 1_000_000
"""Rows that one sheet gets; Excel has 1,048,576."""

NUMBER_FORMATS = {
    Kind.MONEY: "$#,##0.00;[Red]-$#,##0.00",
    Kind.WHOLE: "#,##0",
    Kind.DATE: "dd/mm/yyyy",
    Kind.MOMENT: "dd/mm/yyyy hh:mm",
}
_SETTINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of one workbook."""

    head: Format
    cells: dict[Kind, Format]


def write_workbook(reconciliation: Reconciliation, messages: Messages, path: Path) -> None:
    """Write the workbook."""
    replace_file(path, workbook_content(reconciliation, messages))


def workbook_content(reconciliation: Reconciliation, messages: Messages, *, sheet_rows: int = SHEET_ROWS) -> bytes:
    """The workbook's bytes, with at most `sheet_rows` rows on a sheet. The same reconciliation, the same bytes."""
    content = BytesIO()
    found = tables(reconciliation, messages)
    with without_collecting(), Workbook(content, _SETTINGS) as book:
        _describe(book, reconciliation, messages)
        styles = _styles(book)
        summary = book.add_worksheet(messages.text(N_("Summary")))
        areas = {
            table.key: [_write_table(book, part, messages, styles) for part in _parts(table, messages, sheet_rows)]
            for table in found
        }
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


def _parts(table: Table[Any], messages: Messages, most: int) -> list[Table[Any]]:
    """The table, its title in the language of the workbook; several where one sheet cannot hold it."""
    title = messages.text(table.title)[:NAME_LENGTH]
    if len(table.rows) <= most:
        return [replace(table, title=title)]
    starts = range(0, len(table.rows), most)
    return [
        replace(
            table,
            key=f"{table.key}_{number}",
            title=f"{title[: NAME_LENGTH - 3]} {number}",
            rows=table.rows[at : at + most],
        )
        for number, at in enumerate(starts, 1)
    ]


def _write_table(book: Workbook, table: Table[Any], messages: Messages, styles: Styles) -> Area:
    sheet = book.add_worksheet(table.title)
    _lay_out(sheet, table.columns, len(table.rows))
    headings = [messages.text(column.heading) for column in table.columns]
    if not table.rows:
        for at, heading in enumerate(headings):
            sheet.write_string(0, at, heading, styles.head)
        sheet.write_string(1, 0, messages.text(N_("There are none.")), styles.cells[Kind.TEXT])
        return Area(title=table.title, headings=(), rows=0)
    looks = {
        "name": f"documents_{table.key}",
        "style": "Table Style Light 1",
        "columns": [{"header": heading, "header_format": styles.head} for heading in headings],
    }
    sheet.add_table(0, 0, len(table.rows), len(table.columns) - 1, looks)
    height = _height_of(table.columns)
    cells = [(at, one.value, WRITE[one.kind], styles.cells[one.kind]) for at, one in enumerate(table.columns)]
    for number, item in enumerate(table.rows, 1):
        if height is not None:
            sheet.set_row(number, height(item))
        for at, value_of, write, style in cells:
            value = value_of(item)
            if value is not None and value != "":
                write(sheet, number, at, value, style)
    return Area(title=table.title, headings=tuple(column.heading for column in table.columns), rows=len(table.rows))


def _lay_out(sheet: Worksheet, columns: Sequence[Column[Any]], last_row: int) -> None:
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last_row + 1}"})
    sheet.set_landscape()
    sheet.set_paper(1)
    sheet.fit_to_pages(-(-sum(column.width for column in columns) // PRINTED_WIDTH), 0)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0)
    sheet.set_footer("&L&A&R&P / &N")


def _height_of(columns: Sequence[Column[Any]]) -> Callable[[Any], int] | None:
    """Points that a row needs for its longest text; None where no column holds long ones."""
    wrapped = [(column.value, column.width) for column in columns if column.kind is Kind.LONG]
    if not wrapped:
        return None
    return lambda item: 15 * max(figures.text_lines(value(item) or "", width) for value, width in wrapped)
