"""The rows of a batch, counted through all sheets: where each stands, and what its owner wrote there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from batch_issuer.model.problems import Place
from batch_issuer.reading.batch import SheetRow
from batch_issuer.reading.cells.values import DATE_FIELDS, NUMBER_FIELDS
from batch_issuer.reading.headings.columns import place_of
from batch_issuer.reading.sheets.fields import SheetSales
from batch_issuer.reading.tables import is_blank

_READ_FIELDS = frozenset((*NUMBER_FIELDS, *DATE_FIELDS))


class Rows:
    """The sales rows of all sheets, from 0; what `Batch` says of a row comes from here. A negative row counts back."""

    def __init__(self, sheets: Sequence[SheetSales]) -> None:
        self._sheets = sheets
        self.offsets = [0, *accumulate(len(sheet.rows.sales) for sheet in sheets)]
        """The row at which each sheet begins, and the end."""
        self._columns: dict[tuple[int, str], Place] = {}

    def __len__(self) -> int:
        return self.offsets[-1]

    def source(self, row: int) -> int:
        """Return the number of the sheet in which a row stands."""
        return bisect_right(self.offsets, range(len(self))[row]) - 1

    def _located(self, row: int) -> tuple[int, SheetSales, int]:
        """Return the sheet of a row by number, the sheet itself, and the table row."""
        source = self.source(row)
        sheet = self._sheets[source]
        return source, sheet, int(sheet.rows.sales[range(len(self))[row] - self.offsets[source]])

    def place(self, row: int, field: str = "") -> Place:
        """Return the cell of a row from which a field was read; of a template its first column."""
        source, sheet, at = self._located(row)
        column = self._columns.get((source, field))
        if column is None:  # kept, for tens of thousands of problems may stand in one column
            number = sheet.header.ref_columns[0] if field == "external_ref" else sheet.header.columns.get(field)
            column = self._columns[source, field] = place_of(sheet.sheet, sheet.header, None, number)
        return Place(column.file, column.sheet, at + 1, column.column, column.heading)

    def place_in(self, row: int, column: int) -> Place:
        """Return the place of a cell by its column, as for one under no heading."""
        _, sheet, at = self._located(row)
        return place_of(sheet.sheet, sheet.header, at, column)

    def ref_cells(self, row: int) -> list[str]:
        """Return the cells that the reference of a row is made of, spaces and all."""
        _, sheet, at = self._located(row)
        return [sheet.sheet.table.columns[number][at] for number in sheet.header.ref_columns]

    def numbers(self, rows: Sequence[int]) -> list[int]:
        """Return what a spreadsheet program shows for rows, counted from 1."""
        if len(self._sheets) > 1:
            return [self._located(row)[2] + 1 for row in rows]
        numbers: list[int] = (self._sheets[0].rows.sales[list(rows)] + 1).tolist()
        return numbers

    def as_written(self, row: int) -> SheetRow:
        """Return a row with every column of its sheet, used or not, and what was read from its numbers and dates.

        Faulty cells and blank ones have no value; formats are those with words of their own.
        """
        source, sheet, at = self._located(row)
        sales_row = range(len(self))[row] - self.offsets[source]
        columns = sheet.sheet.table.columns
        codes = ((field, int(field.codes[sales_row])) for field in sheet.fields if field.name in _READ_FIELDS)
        return SheetRow(
            source,
            at + 1,
            sheet.header.headings,
            sheet.sheet.table.cells(at),
            [column.kind(int(column.codes[at])) for column in columns] if any(one.kinds for one in columns) else (),
            {
                field.number: field.values[code]
                for field, code in codes
                if code not in field.faults and not is_blank(field.texts[code])
            },
            {
                number: shown
                for (number, code), shown in sheet.sheet.formats.items()
                if columns[number].codes[at] == code
            },
        )
