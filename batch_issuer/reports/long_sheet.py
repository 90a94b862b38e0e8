"""A worksheet whose rows are written as text, not kept cell by cell: some eight times as fast, and flat in memory.

xlsxwriter makes everything around them: styles, table, panes, print settings. It would keep each cell as an object
until the file is closed, or, sparing memory, refuse Excel tables.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_range
from xlsxwriter.worksheet import Worksheet

from batch_issuer.documents import EL_SALVADOR
from batch_issuer.reports.cells import NOT_IN_XML, fitting
from batch_issuer.reports.figures import printable

_DAY_ZERO = dt.date(1899, 12, 30).toordinal()
_EPOCH = dt.date(1970, 1, 1).toordinal() - _DAY_ZERO
_OFFSET = int(EL_SALVADOR.utcoffset(None).total_seconds())
_LEAP_DAY_OF_EXCEL = 60
"""29 February 1900, which never was: days before it have one number less."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")
_MARKUP = re.compile('[&<>"\n\t]')
_ESCAPE_OF_EXCEL = re.compile("_(?=x[0-9a-fA-F]{4}_)")


class Kind(Enum):
    """How a cell is written: what its value is, and how it looks. None and empty text leave it blank."""

    TEXT = auto()
    LONG = auto()
    """Text that may take several lines."""
    MONEY = auto()
    WHOLE = auto()
    DATE = auto()
    """An ISO date; anything else is written as the text that it is."""
    MOMENT = auto()
    """A time of the ledger, written as the wall clock in El Salvador."""


class LongSheet(Worksheet):  # type: ignore[misc]  # xlsxwriter has no types
    """A sheet whose first row is made cell by cell, and the others from text."""

    below: Iterable[str] = ()
    dim_rowmax: int

    def fill(self, rows: int, headings: Sequence[str], head: Format, name: str, below: Iterable[str]) -> None:
        """Make one Excel table of it; `below` gives its rows, as `rows_as_text` does, when the workbook is closed."""
        last = len(headings) - 1
        columns = [{"header": heading, "header_format": head} for heading in headings]
        self.add_table(0, 0, 1, last, {"name": name, "style": "Table Style Light 1", "columns": columns})
        # Said of two rows and stretched to all: for each cell of a table xlsxwriter keeps an entry until the end.
        whole = xl_range(0, 0, rows, last)
        self.tables[-1].update(range=whole, a_range=whole, autofilter=whole)
        self.hold(rows, last, below)

    def hold(self, rows: int, last: int, below: Iterable[str]) -> None:
        """So many rows below the first, with cells up to column `last`."""
        self._check_dimensions(rows, last)
        self.below = below

    def _write_rows(self) -> None:
        last, self.dim_rowmax = self.dim_rowmax, 0
        super()._write_rows()
        self.dim_rowmax = last
        self.fh.writelines(self.below)


Values = tuple[Callable[[Any], Any], Kind, Format]
"""What a column shows of an item, as what, and in which format."""


def rows_as_text(
    items: Iterable[Any], columns: Sequence[Values], height: Callable[[Any], int] | None = None
) -> Iterator[str]:
    """The items as rows from the second on. `height` is in points; without it, rows have the usual one."""
    cells = [
        (f'<c r="{xl_col_to_name(at)}', f'" s="{style._get_xf_index()}"', value_of, _CONTENT[kind])  # noqa: SLF001
        for at, (value_of, kind, style) in enumerate(columns)
    ]
    for number, item in enumerate(items, 2):
        tall = f' ht="{height(item)}" customHeight="1"' if height else ""
        written = "".join(
            [
                f"{reference}{number}{style}{content(value)}"
                for reference, style, value_of, content in cells
                if (value := value_of(item)) is not None and value != ""
            ]
        )
        yield f'<row r="{number}"{tall}>{written}</row>'


@lru_cache(maxsize=20_000)
def _text(text: str) -> str:
    """A text as nothing but a text. Many repeat from row to row: branches, customers, files."""
    return _inline(fitting(text if text.isprintable() else printable(text)))


def very_text(text: str) -> str:
    """The same with its control characters, as a cell of a workbook can hold them."""
    text = fitting(text)
    if text.isprintable():
        return _inline(text)
    text = _inline(NOT_IN_XML.sub("\ufffd", text))
    return _CONTROLS.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _inline(text: str) -> str:
    space = ' xml:space="preserve"' if text[:1].isspace() or text[-1:].isspace() or "\n" in text else ""
    if _MARKUP.search(text):
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "_x" in text:
        text = _ESCAPE_OF_EXCEL.sub("_x005F_", text)
    return f' t="inlineStr"><is><t{space}>{text}</t></is></c>'


def number_cell(number: float) -> str:
    return f"><v>{number:.16G}</v></c>"


def date_cell(day: dt.date) -> str:
    """A day, or a day with its time, that a cell can hold."""
    days = day.toordinal() - _DAY_ZERO
    days -= days <= _LEAP_DAY_OF_EXCEL
    clock = day.time() if isinstance(day, dt.datetime) else dt.time()
    seconds = clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1_000_000
    return number_cell(days + seconds / 86_400)


def _money(amount: Decimal) -> str:
    return f"><v>{amount:f}</v></c>"


def _whole(number: int) -> str:
    return f"><v>{number}</v></c>"


@lru_cache(maxsize=4096)
def _date(iso: str) -> str:
    try:
        return date_cell(dt.date.fromisoformat(iso))
    except ValueError:
        return _text(iso)


@lru_cache(maxsize=4096)
def _moment(utc: str) -> str:
    """Days since day zero, as a cell holds a time; whole seconds, which is what its format can show."""
    local = int(dt.datetime.fromisoformat(utc).timestamp()) + _OFFSET
    return f"><v>{local / 86_400 + _EPOCH:.10f}</v></c>"


_CONTENT: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.LONG: _text,
    Kind.MONEY: _money,
    Kind.WHOLE: _whole,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
}
