"""What the sheet's own total row says, against the sum of the rows read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from batch_issuer.model.money import CENT, to_cents, with_vat, without_vat
from batch_issuer.model.problems import Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.numbers import Mark
from batch_issuer.reading.cells.values import ZERO
from batch_issuer.reading.headings.aliases import LINE_TOTAL_KEYS, key_of
from batch_issuer.reading.headings.columns import Header
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

    def problems(self, place: Callable[[int, int], Place]) -> Iterator[Problem]:
        for said in self.columns:
            if said.differs:
                yield Problem(
                    kind=kinds.TOTAL_ROW_DIFFERS,
                    place=place(said.row, said.column),
                    value=said.text,
                    parameters={"sum": f"{said.sums[0]:f}"},
                )


def total_said(
    sheet: Sheet, header: Header, rows: SalesRows, decimal: str, computed: Callable[[], Decimal]
) -> TotalsSaid:
    """The last total row's amounts under quantity, price and the amounts' heading; several rows may be subtotals.

    `computed` gives what the lines come to, for amounts that the rows do not have, and for a total under the prices.
    """
    if not rows.totals or not len(rows.sales):
        return TotalsSaid()
    amount, price = control_column(header), header.columns["unit_price"]
    money = price if amount is None or is_blank(sheet.table.columns[amount][rows.totals[-1]]) else amount
    wanted = (header.columns["quantity"], money)
    lines = computed()
    amounts = tuple(to_cents(found) for found in (lines, with_vat(lines), without_vat(lines)))
    firsts = _first_rows(sheet.table.columns[header.ref_columns[0]], rows) if len(header.ref_columns) == 1 else None
    said = [
        found
        for number in wanted
        if (
            found := _said(
                sheet,
                number,
                rows,
                firsts,
                column_mark(sheet.table.columns[number], decimal),
                amounts if number == money else (),
            )
        )
    ]
    control = next((entry.value for entry in said if entry.column == amount), None)
    return TotalsSaid(control=control, columns=tuple(said))


def control_column(header: Header) -> int | None:
    """The column of amounts: our field `total`, or else the only heading such as «Importe»."""
    if "total" in header.columns:
        return header.columns["total"]
    used = {*header.columns.values(), *header.ref_columns}
    amounts = (number for number, text in enumerate(header.headings) if key_of(text) in LINE_TOTAL_KEYS)
    found = [number for number in amounts if number not in used]
    return found[0] if len(found) == 1 else None


def _said(
    sheet: Sheet,
    number: int,
    rows: SalesRows,
    firsts: Codes | None,
    mark: Mark | None,
    amounts: tuple[Decimal, ...],
) -> Said | None:
    column = sheet.table.columns[number]
    row = rows.totals[-1]
    value = number_in(column, int(column.codes[row]), mark)
    if value is None:
        return None
    subtotals = [number_in(column, int(column.codes[total]), mark) for total in rows.totals]
    sums = list(amounts)
    if _is_complete(column, rows.sales, mark):
        sums.insert(0, _sum(column, rows.sales, mark))
        sums += [_sum(column, firsts, mark)] if firsts is not None else []
    if not sums:
        return None
    if len(subtotals) > 1 and None not in subtotals and sum(filter(None, subtotals), ZERO) in sums:
        value = sum(filter(None, subtotals), ZERO)
    return Said(row=row, column=number, text=column[row].strip(), value=value, sums=tuple(sums))


def _is_complete(column: Column, rows: Codes, mark: Mark | None) -> bool:
    """Whether every cell is a number or blank; a formula without a result is neither."""
    used = column.taken(rows).used_codes()
    return all(is_blank(column.texts[code]) or number_in(column, code, mark) is not None for code in used)


def _sum(column: Column, rows: Codes, mark: Mark | None) -> Decimal:
    counts = np.bincount(column.codes[rows], minlength=len(column.texts))
    total = ZERO
    for code in np.flatnonzero(counts).tolist():
        total += (number_in(column, code, mark) or ZERO) * int(counts[code])
    return total


def _first_rows(refs: Column, rows: SalesRows) -> Codes:
    _, firsts = np.unique(refs.codes[rows.sales], return_index=True)
    found: Codes = rows.sales[firsts]
    return found
