"""The reconciliation as an Excel workbook: control totals that can be followed, and a table of documents by state.

Each cell is written as what it is. No text of a file or of the provider ever becomes a formula or a link.
"""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from batch_issuer.messages import N_, Messages
from batch_issuer.reading.tables import without_collecting
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reports import figures
from batch_issuer.reports.cells import WRITE, Kind
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


class Styles:
    """The formats of one workbook."""

    def __init__(self, book: Workbook) -> None:
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bottom": 1})
        looks: dict[Kind, dict[str, Any]] = {kind: {"num_format": text} for kind, text in NUMBER_FORMATS.items()}
        looks[Kind.LONG] = {"text_wrap": True}
        self.cells = {kind: book.add_format({"valign": "top", **looks.get(kind, {})}) for kind in Kind}


def write_workbook(reconciliation: Reconciliation, messages: Messages, path: Path) -> None:
    """Write the workbook into a file. Raises `StoppedMidway` where disk or folder refuse."""
    replace_file(path, workbook_content(reconciliation, messages))


def workbook_content(reconciliation: Reconciliation, messages: Messages, *, sheet_rows: int = SHEET_ROWS) -> bytes:
    """Return the workbook's bytes, the same for the same figures, with at most `sheet_rows` rows on a sheet."""
    content = BytesIO()
    found = tables(reconciliation, messages)
    # The time of what is known instead of now: the same figures give the same bytes.
    created = figures.local_time(reconciliation.as_of) or dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a wall clock
    # All cells live until the book is closed: collecting in between finds nothing, and takes longer with each.
    with without_collecting(), Workbook(content, _SETTINGS) as book:
        book.set_properties({
            "title": f"{messages.text(N_('Reconciliation'))} · {figures.printable(reconciliation.company_name)}",
            "author": "batch_issuer",
            "created": created.replace(tzinfo=None),
        })  # fmt: skip
        book.set_size(2600, 1500)
        styles = Styles(book)
        summary = book.add_worksheet(messages.text(N_("Summary")))
        areas = {}
        for table in found:
            parts = table.parts(messages.text(table.title), sheet_rows)
            areas[table.key] = [_write_table(book, part, messages, styles) for part in parts]
        write_summary(book, summary, reconciliation, messages, areas)
    return content.getvalue()


def _write_table(book: Workbook, table: Table[Any], messages: Messages, styles: Styles) -> Area:
    """Write a table on a sheet of its own, and return where it stands."""
    sheet = book.add_worksheet(table.title)
    for at, column in enumerate(table.columns):
        sheet.set_column(at, at, column.width)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 1)  # headings and references stay in sight
    # References and codes are text; without this Excel marks every one that looks like a number.
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(table.rows) + 1}"})
    sheet.set_landscape()
    sheet.set_paper(1)
    # As many pages across as the columns need, rounded up, and as many down as there are rows.
    sheet.fit_to_pages(-(-sum(column.width for column in table.columns) // PRINTED_WIDTH), 0)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0)
    sheet.set_footer("&L&A&R&P / &N")
    headings = [messages.text(column.heading) for column in table.columns]
    if not table.rows:  # Excel takes no table without rows
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
    _write_rows(sheet, table, styles)
    return Area(title=table.title, headings=tuple(column.heading for column in table.columns), rows=len(table.rows))


def _write_rows(sheet: Worksheet, table: Table[Any], styles: Styles) -> None:
    """Write the rows below the headings, each as high as its longest text needs."""
    cells = [(at, one.value, WRITE[one.kind], styles.cells[one.kind]) for at, one in enumerate(table.columns)]
    wrapped = [(one.value, one.width) for one in table.columns if one.kind is Kind.LONG]
    for number, item in enumerate(table.rows, 1):
        if wrapped:
            lines = max(figures.text_lines(value_of(item) or "", width) for value_of, width in wrapped)
            sheet.set_row(number, 15 * lines)
        for at, value_of, write, style in cells:
            value = value_of(item)
            if value is not None and value != "":  # blank cells are not written: sums and filters see them as blank
                write(sheet, number, at, value, style)
