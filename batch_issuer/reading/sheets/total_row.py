"""What the sheet's own total row says, against the sum of the rows read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from batch_issuer.model.money import CENT, to_cents, with_vat, without_vat
from batch_issuer.model.problems import Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.numbers import Mark
from batch_issuer.reading.cells.values import ZERO
from batch_issuer.reading.headings.aliases import LINE_TOTAL_KEYS, key_of
from batch_issuer.reading.headings.columns import Header, place_of
from batch_issuer.reading.sheets.notations import column_mark, number_in
from batch_issuer.reading.sheets.rows import SalesRows
from batch_issuer.reading.tables import Codes, Column, Sheet, is_blank


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One column of the total row."""

    row: int
    column: int
    text: str
    value: Decimal
    sums: tuple[Decimal, ...]
    """What the rows read add up to: every row, and where it differs the first row of each document."""

    @property
    def differs(self) -> bool:
        return all(abs(total - self.value) >= CENT for total in self.sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsSaid:
    """The total row as a whole."""

    control: Decimal | None = None
    columns: tuple[Said, ...] = ()

    def problems(self, sheet: Sheet, header: Header) -> Iterator[Problem]:
        for said in self.columns:
            if said.differs:
                yield Problem(
                    kind=kinds.TOTAL_ROW_DIFFERS,
                    place=place_of(sheet, header, said.row, said.column),
                    value=said.text,
                    parameters={"sum": f"{said.sums[0]:f}"},
                )


def total_said(
    sheet: Sheet, header: Header, rows: SalesRows, decimal: str, computed: Callable[[], Decimal]
) -> TotalsSaid:
    """Return the last total row's amounts under quantity, price and the amounts' heading; others may be subtotals.

    `computed` gives what the lines come to, for amounts that the rows do not have, and for a total under the prices.
    """
    if not rows.totals or not len(rows.sales):
        return TotalsSaid()
    amount, price = control_column(header), header.columns["unit_price"]
    money = price if amount is None or is_blank(sheet.table.columns[amount][rows.totals[-1]]) else amount
    lines = computed()
    amounts = tuple(map(to_cents, (lines, with_vat(lines), without_vat(lines))))
    firsts = None
    if len(header.ref_columns) == 1:  # of a template no single column says where a document begins
        _, at = np.unique(rows.of(sheet.table.columns[header.ref_columns[0]]).codes, return_index=True)
        firsts = rows.sales[at]
    columns = [
        _said(sheet.table.columns[number], number, rows, firsts, decimal, amounts if number == money else ())
        for number in (header.columns["quantity"], money)
    ]
    said = tuple(one for one in columns if one is not None)
    return TotalsSaid(control=next((one.value for one in said if one.column == amount), None), columns=said)


def control_column(header: Header) -> int | None:
    """Return the column of amounts: our field `total`, or else the only heading such as «Importe»."""
    if "total" in header.columns:
        return header.columns["total"]
    used = {*header.columns.values(), *header.ref_columns}
    amounts = (number for number, text in enumerate(header.headings) if key_of(text) in LINE_TOTAL_KEYS)
    found = [number for number in amounts if number not in used]
    return found[0] if len(found) == 1 else None


def _said(
    column: Column, number: int, rows: SalesRows, firsts: Codes | None, decimal: str, amounts: tuple[Decimal, ...]
) -> Said | None:
    """Return what the last total row says in one column; None where it says no number, or nothing adds up to one.

    `firsts` are the first rows of the documents: some sheets write the amount of a sale into each of its rows.
    """
    mark = column_mark(column, decimal)
    row = rows.totals[-1]
    value = number_in(column, int(column.codes[row]), mark)
    if value is None:
        return None
    every = _sum(column, rows.sales, mark)
    sums = amounts if every is None else (every, *amounts)
    if every is not None and firsts is not None:
        sums += (_sum(column, firsts, mark) or ZERO,)
    if not sums:
        return None
    subtotals = [number_in(column, int(column.codes[total]), mark) for total in rows.totals]
    if len(subtotals) > 1 and None not in subtotals and sum(filter(None, subtotals), ZERO) in sums:
        value = sum(filter(None, subtotals), ZERO)  # each total row is of the part above it
    return Said(row=row, column=number, text=column[row].strip(), value=value, sums=sums)


def _sum(column: Column, rows: Codes, mark: Mark | None) -> Decimal | None:
    """Return the sum of some rows; None where a cell is neither number nor blank, as a formula without a result."""
    counts = np.bincount(column.codes[rows], minlength=len(column.texts))
    total = ZERO
    for code in np.flatnonzero(counts).tolist():
        number = number_in(column, code, mark)
        if number is None and not is_blank(column.texts[code]):
            return None
        total += (number or ZERO) * int(counts[code])
    return total
