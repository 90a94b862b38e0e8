"""The workbook to fill in: a sheet for the sales, an example that is never read, instructions, and the lists.

What is typed into it stays what it is: identifiers are text, dates are dates. It is read like any other file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from batch_issuer.files import write_whole
from batch_issuer.messages import N_, Messages
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.fields import Band, Field, ValueKind
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.own_sheets import EXAMPLE_MARKS, EXAMPLE_REFS
from batch_issuer.reports.cells import write_text
from batch_issuer.reports.figures import text_lines
from batch_issuer.reports.fill_in.columns import COLUMNS
from batch_issuer.reports.fill_in.example import Cell, example_rows
from batch_issuer.reports.fill_in.lists import TYPE_NAMES, ListTable, chosen_from, list_tables

SALES_SHEET = N_("Sales")
EXAMPLE_SHEET = N_("Example")
INSTRUCTIONS_SHEET = N_("Instructions")
LISTS_SHEET = N_("Lists")

_LAST_ROW = 1_048_575
_PREPARED_ROWS = 300
"""Rows whose cells are formatted one by one: not every program that writes looks at the format of the column."""
_SETTINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LETTER = 1
"""The paper of El Salvador."""
_NUMBER_FORMATS: Mapping[ValueKind, str] = {
    **dict.fromkeys(ValueKind, "@"),
    ValueKind.QUANTITY: "General",
    ValueKind.PRICE: "#,##0.00######",
    ValueKind.PERCENTAGE: "General",
    ValueKind.AMOUNT: "#,##0.00",
    ValueKind.DATE: "dd/mm/yyyy",
    ValueKind.WHOLE: "0",
}
_COLOURS: Mapping[Band, str] = {
    Band.DOCUMENT: "#1F4E5F",
    Band.LINE: "#2F6B43",
    Band.PAYMENT: "#7A5A16",
    Band.CUSTOMER: "#4A3F72",
    Band.ADJUSTMENT: "#7A2E2E",
}
_GROUP_NAMES: Mapping[Band, str] = {
    Band.DOCUMENT: N_("The document"),
    Band.LINE: N_("Each product or service"),
    Band.PAYMENT: N_("How it is paid"),
    Band.CUSTOMER: N_("Who buys (14: who sells to you)"),
    Band.ADJUSTMENT: N_("Credit notes"),
}
_LIMITS: Mapping[ValueKind, tuple[Mapping[str, Any], str]] = {
    ValueKind.QUANTITY: (
        {"validate": "decimal", "criteria": ">", "value": 0},
        N_("Write a number above zero, without signs or words."),
    ),
    ValueKind.PRICE: (
        {"validate": "decimal", "criteria": ">", "value": 0},
        N_("Write a number above zero, without signs or words."),
    ),
    ValueKind.PERCENTAGE: (
        {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 99},
        N_("Write a number from 0 to 99."),
    ),
    ValueKind.AMOUNT: (
        {"validate": "decimal", "criteria": ">=", "value": 0},
        N_("Write an amount, without signs or words."),
    ),
    ValueKind.WHOLE: (
        {"validate": "integer", "criteria": ">=", "value": 1},
        N_("Write a whole number, 1 or more."),
    ),
    ValueKind.DATE: (
        {"validate": "date", "criteria": ">=", "value": dt.date(2020, 1, 1)},
        N_("Write a date, such as 25/11/2026."),
    ),
}
"""What cells of a kind take, and the sentence for what they do not."""
_FORMS: Mapping[str, tuple[str, str]] = {
    ValueKind.EMAIL: (
        '=COUNTIF({cell},"?*@?*.?*")=1',
        N_("This is not an e-mail address. Keep it as it is?"),
    ),
    "dui": ("={digits}=9", N_("A DUI has 9 digits. Keep it as it is?")),
    "nrc": ("=AND({digits}>1,{digits}<9)", N_("An NRC has 2 to 8 digits. Keep it as it is?")),
}
"""Formulas, by kind or field, that are true of what a cell should look like; the sentence only warns."""
_STEPS = (
    N_(
        "Write your sales on the sheet «{sales}»: one row for each product. "
        "Rows with the same reference are one document."
    ),
    N_("What belongs to the whole document (customer, payment…) stands the same in all its rows."),
    N_(
        "Lists help you to choose. What you write by hand is understood too, by code or by name: "
        "05, Transferencia or 05 Transferencia."
    ),
    N_(
        "Put the pointer on a heading to read what its column is. Cells that the document needs are yellow "
        "as long as they are empty. Columns that you do not need may stay empty or be deleted."
    ),
    N_("Save the workbook, and look at what would be issued: batch-issuer check {file}"),
    N_("If all is well, issue it: batch-issuer issue {file}"),
    N_(
        "The sheet «{example}» shows a document of every type. It is never issued, "
        "and its documents (EJEMPLO-1…) are not issued from another sheet either."
    ),
)


def write_template(messages: Messages, path: Path) -> None:
    """Write the workbook into a file that does not exist yet.

    Raises:
        CannotStart: where there is one, or where it cannot be written.
    """
    try:
        if path.exists() or path.is_symlink():  # it may be filled in already
            raise CannotStart(
                N_("{path} exists already."), repair=N_("Give it another name; nothing was overwritten."), path=path
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, template_content(messages, path.name), private=False, new=True)
    except OSError as error:
        raise CannotStart(
            N_("{path} cannot be written: {reason}."),
            repair=N_("Choose a folder that you may write to and that has space."),
            path=path,
            reason=error.strerror or str(error),
        ) from error


def template_content(messages: Messages, name: str) -> bytes:
    """Return the workbook's bytes; `name` is the file's, for the instructions."""
    content = BytesIO()
    with Workbook(content, {**_SETTINGS, "in_memory": True}) as book:
        book.set_properties({"author": "batch_issuer", "created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 - the same bytes
        _Template(book, messages, name).write()
    return content.getvalue()


class _Template:
    """Writes one workbook."""

    def __init__(self, book: Workbook, messages: Messages, name: str) -> None:
        self.book = book
        self.messages = messages
        self.name = name
        formats = {text: book.add_format({"num_format": text}) for text in dict.fromkeys(_NUMBER_FORMATS.values())}
        self.body = {kind: formats[text] for kind, text in _NUMBER_FORMATS.items()}
        self.body[ValueKind.DATE].set_align("left")
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.strong = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.centred = book.add_format({"align": "center", "valign": "top"})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.warning = book.add_format({"bold": True, "font_size": 13, "font_color": "#B3261E"})
        self.list_head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.centred_head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "align": "center"}
        )
        self.needed = book.add_format({"bg_color": "#FFF2B3"})
        self.remark = book.add_format({"italic": True, "font_color": "#555555", "valign": "bottom"})

    def write(self) -> None:
        """Write all sheets; their order is that in which they are made here."""
        sales = self.sheet(SALES_SHEET, "#2F6B43")
        example = self.sheet(EXAMPLE_SHEET, "#B3261E")
        instructions = self.sheet(INSTRUCTIONS_SHEET, "#1F4E5F")
        lists = self.sheet(LISTS_SHEET, "#888888")
        self.lists(lists, list_tables(self.messages.language))
        self.sales(sales)
        self.example(example)
        self.instructions(instructions)
        sales.activate()

    def sheet(self, name: str, colour: str) -> Worksheet:
        """Return a new sheet that prints across a letter page."""
        sheet = self.book.add_worksheet(self.text(name))
        sheet.set_tab_color(colour)
        sheet.set_paper(_LETTER)
        sheet.set_landscape()
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&R&P / &N")
        sheet.set_comments_author("batch_issuer")
        return sheet

    def text(self, message: str, **parameters: object) -> str:
        """Return a catalog text in the language of the workbook."""
        return self.messages.text(message, **parameters)

    def heading(self, column: Field) -> str:
        """Return the heading of a column in the language of the workbook, which the reader knows without settings."""
        return column.heading(self.messages.language)

    def sales(self, sheet: Worksheet) -> None:
        """Write headings with notes over empty columns, each formatted and validated to the last row."""
        self.headings(sheet, 0)
        cells = {column.key: f"${xl_col_to_name(at)}2" for at, column in enumerate(COLUMNS)}
        for at, column in enumerate(COLUMNS):
            sheet.write_comment(0, at, self.note(column), {"x_scale": 2.2, "y_scale": 1.5, "font_size": 9})
            sheet.data_validation(1, at, _LAST_ROW, at, self.validation(column, cells))
            if column.required:
                # Empty in a row that is begun, and of a type that needs it; a row without a type is an invoice.
                begun, empty = f'{cells["external_ref"]}<>""', f'{cells[column.key]}=""'
                types = ",".join(f'LEFT({cells["doc_type"]},2)="{code}"' for code in column.required)
                of_type = "" if column.required == DOC_TYPES else f",OR({types})"
                criteria = f"=AND({begun},{empty}{of_type})"
                look = {"type": "formula", "criteria": criteria, "format": self.needed}
                sheet.conditional_format(1, at, _LAST_ROW, at, look)
        for row in range(1, _PREPARED_ROWS + 1):
            for at, column in enumerate(COLUMNS):
                sheet.write_blank(row, at, None, self.body[column.kind])
        sheet.freeze_panes(1, 1)
        sheet.repeat_columns(0)

    def headings(self, sheet: Worksheet, row: int) -> None:
        """Write the headings of all columns into a row, which is repeated on every printed page."""
        sheet.set_row(row, 48)
        for at, column in enumerate(COLUMNS):
            sheet.set_column(at, at, column.width, self.body[column.kind])
            write_text(sheet, row, at, self.heading(column), self.head(column))
        sheet.repeat_rows(row)
        sheet.fit_to_pages(3, 0)
        # Identifiers are text; without this Excel offers in every cell to make numbers of them, without their zeros.
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})

    def head(self, column: Field) -> Format:
        """Return the look of a heading: the colour of its band, bold where every type needs the column."""
        look = {"bg_color": _COLOURS[column.band], "font_color": "#FFFFFF", "border": 1, "border_color": "#FFFFFF"}
        needed = column.required == DOC_TYPES
        return self.book.add_format({**look, "bold": needed, "text_wrap": True, "valign": "vcenter", "num_format": "@"})

    def note(self, column: Field) -> str:
        """Return what the note of a heading says: what the column is, and which types need or use it."""
        needed = ", ".join(column.required)
        if column.required == DOC_TYPES:
            sentence = self.text(N_("Always needed."))
        elif needed:
            sentence = self.text(N_("Needed for: {types}."), types=needed)
        else:
            sentence = self.text(N_("May stay empty."))
        used = "" if column.used == DOC_TYPES else self.text(N_("Used for: {types}."), types=", ".join(column.used))
        return "\n".join(filter(None, (self.text(column.note), sentence, used)))

    def validation(self, column: Field, cells: Mapping[str, str]) -> dict[str, Any]:
        """Return what the cells of a column take. A list only warns: codes and names by hand are understood too."""
        said = {
            "input_title": self.heading(column).split(" (")[0],
            "input_message": self.text(column.note),
            "error_title": self.heading(column).split(" (")[0],
        }
        rule: Mapping[str, Any] = {"validate": "any"}
        if column.choices:
            wrong = N_("This is not in the list. A code or a name of the list is understood too. Keep it?")
            rule = {"validate": "list", "source": chosen_from(column.choices, cells), "error_type": "warning"}
            return {**said, **rule, "error_message": self.text(wrong)}
        formula, wrong = _FORMS.get(column.kind) or _FORMS.get(column.key) or ("", "")
        if column.kind in _LIMITS:
            rule, wrong = _LIMITS[column.kind]
        elif column.too_long and column.kind not in _FORMS:
            rule, wrong = {"validate": "length", "criteria": "<=", "value": column.longest}, column.too_long
        elif formula:
            digits = f'LEN(SUBSTITUTE(SUBSTITUTE({cells[column.key]},"-","")," ",""))'
            filled = formula.format(cell=cells[column.key], digits=digits)
            rule = {"validate": "custom", "value": filled, "error_type": "warning"}
        return {**said, **rule, **({"error_message": self.text(wrong)} if wrong else {})}

    def example(self, sheet: Worksheet) -> None:
        """Write the example under a line by which the reader knows that the sheet is not sales."""
        language = self.messages.language
        mark, reference = (texts[language == "en"] for texts in (EXAMPLE_MARKS, EXAMPLE_REFS))
        sheet.set_row(0, 24)
        self.headings(sheet, 1)
        warning = self.text(
            N_(
                "{mark}. Write your sales on the sheet «{sales}».",
            ),
            mark=mark,
            sales=self.text(SALES_SHEET),
        )
        write_text(sheet, 0, 0, warning, self.warning)
        row = 2
        for shows, cells in example_rows(language, reference):
            if shows:
                sheet.set_row(row, 24)
                write_text(sheet, row, 0, self.text(shows), self.remark)
                row += 1
            for number, column in enumerate(COLUMNS):
                if column.key in cells:
                    self.cell(sheet, row, number, cells[column.key], self.body[column.kind])
            row += 1
        sheet.freeze_panes(2, 0)

    def cell(self, sheet: Worksheet, row: int, column: int, value: Cell, style: Format) -> None:
        """Write a cell of the example as what it is: date, number or text."""
        if isinstance(value, dt.date):
            sheet.write_datetime(row, column, value, style)
        elif isinstance(value, Decimal):
            sheet.write_number(row, column, float(value), style)
        else:
            write_text(sheet, row, column, str(value), style)

    def instructions(self, sheet: Worksheet) -> None:
        """Write the steps, then every column with the types that need it."""
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        for column, width in enumerate((40, 86, *(16 for _ in DOC_TYPES))):
            sheet.set_column(column, column, width)
        write_text(sheet, 0, 0, self.text(N_("How to fill in this workbook")), self.title)
        sheet.set_row(0, 28)
        names = {"sales": self.text(SALES_SHEET), "example": self.text(EXAMPLE_SHEET), "file": self.name}
        row = 1
        for number, step in enumerate(_STEPS, 1):
            text = f"{number}. {self.text(step, **names)}"
            sheet.merge_range(row, 0, row, 6, "", self.wrapped)
            write_text(sheet, row, 0, text, self.wrapped)
            sheet.set_row(row, 16 * text_lines(text, 190))
            row += 1
        self.matrix(sheet, row + 1)

    def matrix(self, sheet: Worksheet, row: int) -> None:
        """Write every column from `row` on, band by band, with a mark for each type."""
        heads = [self.text(N_("Column")), self.text(N_("What it is"))]
        for at, text in enumerate([*heads, *(f"{code} {TYPE_NAMES[code]}" for code in DOC_TYPES)]):
            write_text(sheet, row, at, text, self.list_head if at < 2 else self.centred_head)
        sheet.set_row(row, 32)
        sheet.repeat_rows(row)
        for group in Band:
            row += 1
            band = self.book.add_format({"bold": True, "bg_color": _COLOURS[group], "font_color": "#FFFFFF"})
            for at in range(2 + len(DOC_TYPES)):
                write_text(sheet, row, at, "" if at else self.text(_GROUP_NAMES[group]), band)
            for column in COLUMNS:
                if column.band is group:
                    row += 1
                    self.matrix_row(sheet, row, column)
        legend = N_("●  needed    ○  may stay empty    –  not used for this type")
        write_text(sheet, row + 2, 0, self.text(legend), self.remark)

    def matrix_row(self, sheet: Worksheet, row: int, column: Field) -> None:
        """Write what a column is, and for each type whether it is needed, used or neither."""
        note = self.text(column.note)
        write_text(sheet, row, 0, self.heading(column), self.strong)
        write_text(sheet, row, 1, note, self.wrapped)
        sheet.set_row(row, 15 * max(text_lines(note, 104), text_lines(self.heading(column), 40)))
        for at, code in enumerate(DOC_TYPES, 2):
            mark = "●" if code in column.required else "○" if code in column.used else "–"
            write_text(sheet, row, at, mark, self.centred)

    def lists(self, sheet: Worksheet, tables: Sequence[ListTable]) -> None:
        """Write each list under its title, with a free column between; its cells have a name in the workbook."""
        sheet.freeze_panes(1, 0)
        sheet.fit_to_pages(2, 0)
        sheet.repeat_rows(0)
        sheet.set_row(0, 32)
        at = 0
        for table in tables:
            for number, (name, width) in enumerate(zip(table.names, table.widths, strict=True)):
                column = at + number
                sheet.set_column(column, column, width)
                write_text(sheet, 0, column, "" if number else self.text(table.title), self.list_head)
                for row, values in enumerate(table.rows, 1):
                    write_text(sheet, row, column, values[number], self.body[ValueKind.TEXT])
                letter = xl_col_to_name(column)
                area = f"'{self.text(LISTS_SHEET)}'!${letter}$2:${letter}${len(table.rows) + 1}"
                self.book.define_name(name, f"={area}")
            sheet.set_column(at + len(table.names), at + len(table.names), 3)
            at += len(table.names) + 1
