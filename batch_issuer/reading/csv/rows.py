"""CSV files as columns of text. No cell is converted here: what a text means is decided by its column's field.

Two readers give the same columns: pandas reads large files; the standard library reads small ones, and those that
pandas refuses, because it can name the row that is wrong.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from types import MappingProxyType
from typing import Any, BinaryIO

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.csv.encoding import SAMPLE, Survey, survey_csv, surveyed_text
from batch_issuer.reading.tables import ColumnBuilder, Sheet, Table

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {"\t": "tab"}
ENCODING_NAMES = {
    "utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32-le": "UTF-32", "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252",
}  # fmt: skip
Recognise = Callable[[Sequence[str]], int]
"""How many of our fields the cells of a row name."""

FAST_FROM_BYTES = 3_000_000
"""Below this the import of pandas costs more than it saves."""
_FAST_ROWS = 100_000
_ROWS = 20_000
"""Rows that are taken into the columns at once, by pandas and by the standard library."""
_SAMPLE_ROWS = 30
_END = "\x00end of file"
_CUT_OFF = bytes(8)
_AS_TEXTS: Mapping[str, Any] = MappingProxyType(
    {
        "engine": "c",
        "dtype": object,
        "header": None,
        "index_col": None,
        # A customer may be called «NA», and an empty cell is an empty text.
        "na_filter": False,
        "keep_default_na": False,
        # Row numbers are those that a spreadsheet program shows.
        "skip_blank_lines": False,
        "low_memory": True,
        "chunksize": _FAST_ROWS,
    }
)
"""How pandas reads: every cell as the text that stands there, and no row or cell left out."""
MAX_COLUMNS = 2_000
"""A row with more cells is no row of a table."""
MAX_ROWS = 20_000_000
MAX_CELL = 131_072
"""Characters, four times what a cell of a workbook can hold; the standard library's own limit."""
_CLOSE_THE_MARK = N_('Perhaps a quotation mark (") opens there and does not close. Correct it, or save the file again.')


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the rows are written."""

    separator: str
    width: int
    announced: bool
    """The first line is Excel's `sep=;` and no row."""


def read_csv(path: str, stream: BinaryIO, recognise: Recognise) -> Sheet:
    """Read one CSV as a sheet.

    Raises `CannotStart` for text in no known encoding, a quotation mark that does not close, or a file that changes.
    """
    survey = survey_csv(path, stream)
    if survey.holds_nul:
        # A disk or a network that fails leaves the size of the file and zeros for what it did not write: rows are lost.
        stream.seek(max(0, survey.size - len(_CUT_OFF)))
        if stream.read() == _CUT_OFF:
            raise CannotStart(
                N_("{file} ends in zero bytes: it was not written to its end, and rows may be missing."),
                repair=N_("Save it again from the program that made it."),
                file=path,
            )
    layout = find_layout(survey.sample, recognise)
    table = None
    if survey.size >= FAST_FROM_BYTES and not survey.holds_nul and layout.width <= MAX_COLUMNS:
        table = read_fast(path, stream, survey, layout)
    if table is None:
        table = read_carefully(path, stream, survey, layout)
    _refuse_swallowed_rows(path, table, layout)
    return Sheet(
        path=path,
        name="",
        sha256=survey.sha256,
        table=table,
        encoding=ENCODING_NAMES[survey.encoding],
        separator=SEPARATOR_NAMES.get(layout.separator, layout.separator),
    )


def _many_rows(path: str) -> CannotStart:
    return CannotStart(
        N_("{file} has more than {rows} rows, blank ones counted."),
        repair=N_("Delete the blank rows, or divide it into several files and name them together."),
        file=path,
        rows=f"{MAX_ROWS:,}",
    )


def find_layout(sample: str, recognise: Recognise) -> Layout:
    """Find the separator under which the first rows name most of our fields, or else have most cells."""
    announced = sample[:4].lower() == "sep=" and len(sample) > 4
    lines = list(io.StringIO(sample, newline=""))
    if len(lines) > 1 and len(sample) >= SAMPLE // 4:
        lines.pop()  # the sample may end within a line
    lines = lines[1 if announced else 0 :]
    if announced:
        separator = sample[4]
        return Layout(separator=separator, width=_width(lines, separator), announced=True)
    best, best_score = SEPARATORS[0], (-1, -1)
    for separator in SEPARATORS:
        rows = _sample_rows(lines, separator)[:_SAMPLE_ROWS]
        score = (max(map(recognise, rows), default=0), sorted(map(len, rows))[len(rows) // 2] if rows else 0)
        if score > best_score:
            best, best_score = separator, score
    return Layout(separator=best, width=_width(lines, best), announced=False)


def _sample_rows(lines: Iterable[str], separator: str) -> list[list[str]]:
    """Return the rows under a separator, or none where the lines are no CSV under it."""
    try:
        return list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        return []


def _width(lines: Iterable[str], separator: str) -> int:
    return max(map(len, _sample_rows(lines, separator)), default=1) or 1


def read_fast(path: str, stream: BinaryIO, survey: Survey, layout: Layout) -> Table | None:
    """Read the columns by pandas' C reader; None where it refuses the file, or a cell is longer than any.

    Raises `CannotStart` for a file that changes or has too many rows.
    """
    import pandas as pd  # noqa: PLC0415 - small files do without it

    builders = [ColumnBuilder() for _ in range(layout.width)]
    rows = 0
    try:
        with surveyed_text(path, stream, survey) as text:
            columns = list(range(layout.width))
            skipped = 1 if layout.announced else None
            for chunk in pd.read_csv(text, names=columns, sep=layout.separator, skiprows=skipped, **_AS_TEXTS):
                rows += len(chunk)
                if rows > MAX_ROWS:
                    raise _many_rows(path)
                for number, builder in enumerate(builders):
                    codes, distinct = pd.factorize(chunk[number].to_numpy())
                    builder.add_factorized(codes, distinct.tolist())
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    table = _table(builders, rows)
    return None if any(len(text) > MAX_CELL for column in table.columns for text in column.texts) else table


def read_carefully(path: str, stream: BinaryIO, survey: Survey, layout: Layout) -> Table:
    """Read the columns by the standard library, of a file whose rows may differ in length.

    Raises `CannotStart` that names the row which is none.
    """
    builders: list[ColumnBuilder] = []
    rows = 0
    last: list[str] = []
    with surveyed_text(path, stream, survey) as text:
        lines = islice(text, 1 if layout.announced else 0, None)
        reader = csv.reader(chain(lines, (_END,)), delimiter=layout.separator)
        while chunk := _next_rows(path, reader, rows):
            last = chunk[-1]
            if last == [_END]:
                chunk.pop()
            # Rows may be longer than the headings: what stands beyond them is told, not dropped.
            for number, texts in enumerate(zip_longest(*chunk, fillvalue="")):
                if number == len(builders):
                    builders.append(ColumnBuilder())
                    builders[-1].add([""] * rows)
                builders[number].add(texts)
            width = max(map(len, chunk), default=0)
            for builder in builders[width:]:
                builder.add([""] * len(chunk))
            rows += len(chunk)
            if rows > MAX_ROWS:
                raise _many_rows(path)
    if last != [_END]:
        raise _quote_not_closed(path, rows)
    return _table(builders, rows)


def _next_rows(path: str, reader: Iterator[list[str]], done: int) -> list[list[str]]:
    """Return the next rows of a reader, `done` rows after the first; none at its end.

    Raises `CannotStart` for a row or a cell that is longer than any: mostly rows that an open quotation mark swallowed.
    """
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, _ROWS))
    except csv.Error as error:
        row = done + len(rows) + 1
        if "limit" not in str(error):
            raise _quote_not_closed(path, row) from error
        raise CannotStart(
            N_("{file}, row {row}: a cell has more than {size} characters."),
            repair=_CLOSE_THE_MARK,
            file=path,
            row=row,
            size=f"{MAX_CELL:,}",
        ) from error
    row, cells = max(enumerate(map(len, rows), done + 1), key=lambda numbered: numbered[1], default=(0, 0))
    if cells > MAX_COLUMNS:
        raise CannotStart(
            N_("{file}, row {row} has {cells} cells: that is no row of a table."),
            repair=N_("Save the file again from Excel."),
            file=path,
            row=row,
            cells=f"{cells:,}",
        )
    return rows


def _table(builders: Sequence[ColumnBuilder], rows: int) -> Table:
    return Table(columns=tuple(builder.column() for builder in builders), rows=rows)


def _refuse_swallowed_rows(path: str, table: Table, layout: Layout) -> None:
    """Refuse a quotation mark that opens in one row and closes in another: of two sales it makes one.

    The text between then holds exactly the separators of the rows that it swallowed.
    """
    if layout.width < 4:
        return
    for column in table.columns:
        for code, text in enumerate(column.texts):
            breaks = text.count("\n") or text.count("\r")
            if breaks and text.count(layout.separator) == breaks * (layout.width - 1):
                raise _quote_not_closed(path, int((column.codes == code).argmax()) + 1)


def _quote_not_closed(path: str, row: int) -> CannotStart:
    return CannotStart(
        N_('{file}, row {row}: a quotation mark (") opens and does not close in the same row, so rows run together.'),
        repair=N_('Write the mark twice (""), delete it, or save the file again from Excel.'),
        file=path,
        row=row,
    )
