"""What the sheet itself says a line comes to, in columns such as «Importe» or «IVA», against quantity × price.

A difference holds the row back: a discount, a charge or another tax was not read. Where every row differs by the VAT,
the prices are on the other basis than the settings say, and nothing is read at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from batch_issuer.messages import N_
from batch_issuer.model.documents import VAT_RATE, to_cents
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.numbers import Mark, read_number
from batch_issuer.reading.cells.values import Fault, Value, clean
from batch_issuer.reading.headings.aliases import LINE_TOTAL_KEYS, key_of
from batch_issuer.reading.headings.columns import Header
from batch_issuer.reading.sheets.notations import column_mark
from batch_issuer.reading.tables import CellKind, Codes, Column, Flags, Sheet, letter_of
from batch_issuer.settings import Source

Amounts = NDArray[np.float64]
"""Only to find what to look at; what is told is computed exactly."""

_VAT = float(VAT_RATE)
_CENT = 0.0101
_NO_AMOUNT = Decimal(10) ** 15
_WITH_VAT_TYPES = ("01", "03", "05")
TAXES = frozenset(
    map(key_of, ("IVA", "I.V.A.", "Impuesto", "Impuestos", "IVA 13%", "Monto IVA", "Valor IVA", "Tax", "Taxes", "VAT",
                 "Tax amount", "13% IVA", "Débito fiscal", "Total IVA", "IVA débito fiscal"))
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The columns of the sales rows that a line's amount is made of."""

    quantity: Column
    quantities: Sequence[Value]
    price: Column
    prices: Sequence[Value]
    discount: Column | None
    discounts: Sequence[Value]

    def amounts(self) -> tuple[Amounts, Amounts]:
        """Of each row quantity × price, and that less the discount."""
        full = _floats(self.quantity, self.quantities) * _floats(self.price, self.prices)
        if self.discount is None:
            return full, full
        return full, full * (1 - _floats(self.discount, self.discounts) / 100)

    def total(self) -> Decimal:
        """What all lines come to, to the hundredth of a cent; lines with a fault count nothing."""
        return Decimal(str(round(math.fsum(np.nan_to_num(self.amounts()[1]).tolist()), 4)))

    def exact(self, row: int) -> Decimal:
        """The amount of one row, with every digit."""
        amount = Decimal(str(self.quantities[self.quantity.codes[row]])) * Decimal(
            str(self.prices[self.price.codes[row]])
        )
        if self.discount is None:
            return amount
        return amount * (1 - Decimal(str(self.discounts[self.discount.codes[row]])) / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineControl:
    """Which sales rows a column of amounts confirms, and which it contradicts."""

    agrees: Flags
    """Every amount that the row has is quantity × price."""
    differing: tuple[tuple[int, Codes, list[str], dict[int, Fault]], ...] = ()
    """Column, a code for each row, the texts of the codes, and the faults by code."""


def control_lines(
    sheet: Sheet, header: Header, sales: Codes, line: Line, documents: Codes, with_vat: Flags, source: Source
) -> LineControl:
    """Compares every row; `documents` numbers each row's document, `with_vat` says on which basis its price is.

    Raises `CannotStart` where the amounts prove the other basis.
    """
    ignored = {key_of(heading) for heading in source.ignore}
    free = [number for number in header.ignored_columns if key_of(header.headings[number]) not in ignored]
    totals = [number for number in free if key_of(header.headings[number]) in LINE_TOTAL_KEYS]
    taxes = [number for number in free if key_of(header.headings[number]) in TAXES]
    if not (totals or taxes) or not len(sales):
        return LineControl(agrees=np.zeros(len(sales), np.bool_))
    full, amount = line.amounts()
    look = _Look(sheet, header, sales, with_vat, source)
    for number in taxes:
        look.refuse_other_basis(number, amount * _VAT, amount * (_VAT / (1 + _VAT)), amount)
    of_document: Amounts = np.bincount(documents, weights=np.nan_to_num(amount)).astype(np.float64)[documents]
    lines = np.bincount(documents).astype(np.int32)[documents]
    one, every, said = np.zeros(len(sales), np.bool_), np.ones(len(sales), np.bool_), np.zeros(len(sales), np.bool_)
    for number in totals:
        value = look.values(number)
        look.refuse_other_basis(number, amount * (1 + _VAT), amount, amount)
        fits = _near(value, amount) | _near(value, full) | _near(value, _other(amount, with_vat))
        whole = _near(value, of_document, lines) | _near(value, _other(of_document, with_vat), lines)
        one |= fits | whole
        every &= fits | whole | np.isnan(value)
        said |= ~np.isnan(value)
    wrong = np.flatnonzero(said & ~one & ~np.isnan(amount))
    if not len(wrong):
        return LineControl(agrees=said & every)
    return LineControl(agrees=said & every, differing=tuple(look.differing(totals, wrong, line)))


def _other(amount: Amounts, with_vat: Flags) -> Amounts:
    """What a sheet may show beside the prices that it has: net amounts of gross prices, gross amounts of net ones."""
    return np.where(with_vat, amount / (1 + _VAT), amount * (1 + _VAT))


def _near(value: Amounts, wanted: Amounts, lines: Codes | int = 1) -> Flags:
    found: Flags = np.abs(value - wanted) <= _CENT * lines
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    """The sheet while its columns of amounts are compared."""

    sheet: Sheet
    header: Header
    sales: Codes
    with_vat: Flags
    source: Source

    def values(self, number: int) -> Amounts:
        """The numbers of a column; what is none is not compared."""
        column = self.sheet.table.columns[number].taken(self.sales)
        mark = column_mark(column, self.source.decimal)
        return _floats(column, [_number(column, code, mark) for code in range(len(column.texts))])

    def refuse_other_basis(self, number: int, if_net: Amounts, if_gross: Amounts, amount: Amounts) -> None:
        """Stops where the column fits only prices without VAT, and the settings take them as with VAT."""
        value = self.values(number)
        told = self.with_vat & (amount > 1) & (value > 0)
        net = told & _near(value, if_net) & ~_near(value, if_gross)
        if not net.any() or 10 * int(net.sum()) < 9 * int(told.sum()):
            return
        row = int(np.flatnonzero(net)[0])
        raise CannotStart(
            N_(
                "{where}: «{heading}» ({letter}) says {value} in row {row}, where quantity × price is {amount}: "
                "the VAT is on top, and the settings take these prices as with VAT."
            ),
            repair=N_(
                'Say in the settings that they are without it:\n[source]\nprices = {{ "{type}" = "without_vat" }}\n'
                'or, if the column is no part of the sale:\n[source]\nignore = ["{heading}"]'
            ),
            where=self.sheet.title,
            heading=self.header.headings[number],
            letter=letter_of(number),
            value=clean(self.sheet.table.columns[number][int(self.sales[row])]),
            row=int(self.sales[row]) + 1,
            amount=f"{amount[row]:,.2f}",
            type=self.source.doc_type,
        )

    def differing(
        self, totals: Sequence[int], wrong: NDArray[np.intp], line: Line
    ) -> Iterator[tuple[int, Codes, list[str], dict[int, Fault]]]:
        """The rows that no column of amounts confirms, told at the first that says something."""
        rest = set(wrong.tolist())
        for number in totals:
            value = self.values(number)
            column = self.sheet.table.columns[number]
            here = sorted(row for row in rest if not np.isnan(value[row]))
            rest.difference_update(here)
            codes = np.zeros(len(self.sales), np.int32)
            codes[here] = np.arange(1, len(here) + 1)
            heading = self.header.headings[number]
            faults = {
                at: Fault(kinds.LINE_AMOUNT_DIFFERS, {"heading": heading, "computed": _shown(line.exact(row))})
                for at, row in enumerate(here, 1)
            }
            if here:
                yield number, codes, ["", *(column[int(self.sales[row])] for row in here)], faults


def _shown(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if amount != to_cents(amount) else f"{amount:.2f}"


def _number(column: Column, code: int, mark: Mark | None) -> Decimal | None:
    if column.kind(code) is CellKind.NUMBER:
        return read_number(column.texts[code], "point")
    return read_number(clean(column.texts[code]), mark) if column.kind(code) is CellKind.TEXT and mark else None


def _floats(column: Column, values: Sequence[Value]) -> Amounts:
    """Not a number where there is none, or one so large that it is no amount and its document is held back."""
    known = np.array(
        [float(value) if isinstance(value, Decimal) and abs(value) < _NO_AMOUNT else np.nan for value in values],
        np.float64,
    )
    found: Amounts = known[column.codes]
    return found


def rows_with_vat(types: Sequence[str] | None, codes: Codes | None, rows: int, source: Source) -> Flags:
    """Which rows' prices include VAT, by the type of their document and what the settings say of it."""
    included = {kind for kind, basis in source.prices.items() if basis == "with_vat" and kind in _WITH_VAT_TYPES}
    if types is None or codes is None:
        return np.full(rows, source.doc_type in included, np.bool_)
    known = np.array([(kind or source.doc_type) in included for kind in types], np.bool_)
    found: Flags = known[codes]
    return found
