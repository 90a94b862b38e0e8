"""What the sheet itself says a line comes to, in columns such as «Importe» or «IVA», against quantity × price.

A difference holds the row back: a discount, a charge or another tax was not read. Where every row differs by the VAT,
the prices are on the other basis than the settings say, and nothing is read at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from batch_issuer.messages import N_
from batch_issuer.model.money import exact, grouped, with_vat, without_vat
from batch_issuer.model.problems import CannotStart, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.values import ZERO, Value, clean
from batch_issuer.reading.headings.aliases import LINE_TOTAL_KEYS, key_of
from batch_issuer.reading.headings.columns import Header
from batch_issuer.reading.sheets.codes import combined
from batch_issuer.reading.sheets.fields import Field
from batch_issuer.reading.sheets.notations import column_mark, number_in
from batch_issuer.reading.tables import Codes, Column, Flags, Sheet, letter_of
from batch_issuer.settings import Source

Amounts = NDArray[np.object_]
"""Of each row a `Decimal`: not a number where the row has none. Floats would put some amounts on another cent."""

_UNKNOWN = Decimal("NaN")
_QUIET = Context(traps=[])
"""Whatever is compared with an amount that is unknown is unequal to it, and no error."""
_WITH_VAT: Callable[[Amounts], Amounts] = np.frompyfunc(with_vat, 1, 1)
_WITHOUT_VAT: Callable[[Amounts], Amounts] = np.frompyfunc(without_vat, 1, 1)
_IS_KNOWN = np.frompyfunc(Decimal.is_finite, 1, 1)
_NEAR = Decimal("0.0101")
"""A cent, and a little more for what the sheet's program rounded before it multiplied."""
_NO_AMOUNT = Decimal(10) ** 15
_WITH_VAT_TYPES = ("01", "03", "05")
"""The others bear no VAT, whatever the settings say (`model.documents.WITHOUT_VAT`)."""
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
        """Return of each row quantity × price, and that less the discount."""
        full = _by_row(self.quantity, self.quantities) * _by_row(self.price, self.prices)
        if self.discount is None:
            return full, full
        return full, full * (1 - _by_row(self.discount, self.discounts) / 100)

    def total(self, rows: Codes | slice = slice(None)) -> Decimal:
        """Return what some rows come to, or all, with every digit; lines with a fault count nothing."""
        columns = [self.quantity, self.price, *([] if self.discount is None else [self.discount])]
        different = combined([column.codes[rows] for column in columns])
        _, one_of, times = np.unique(different, return_index=True, return_counts=True)
        amounts = map(self.exact, np.arange(len(self.quantity.codes))[rows][one_of].tolist())
        found = zip(amounts, times.tolist(), strict=True)
        return sum((amount * count for amount, count in found if amount is not None), ZERO)

    def exact(self, row: int) -> Decimal | None:
        """Return the amount of one row, with every digit; None where one of its numbers has a fault."""
        quantity, price = self.quantities[self.quantity.codes[row]], self.prices[self.price.codes[row]]
        percentage = ZERO if self.discount is None else self.discounts[self.discount.codes[row]]
        if not (isinstance(quantity, Decimal) and isinstance(price, Decimal) and isinstance(percentage, Decimal)):
            return None
        return quantity * price * (1 - percentage / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineControl:
    """Which sales rows a column of amounts confirms, and which it contradicts."""

    agrees: Flags
    """Every amount that the row has is quantity × price."""
    differing: tuple[Field, ...] = ()


def control_lines(
    sheet: Sheet, header: Header, sales: Codes, line: Line, documents: Codes, with_vat: Flags, source: Source
) -> LineControl:
    """Compare every row; `documents` numbers each row's document from 0, `with_vat` says on which basis its price is.

    Raises `CannotStart` where the amounts prove the other basis.
    """
    ignored = set(map(key_of, source.ignore))
    free = [number for number in header.ignored_columns if key_of(header.headings[number]) not in ignored]
    totals = [number for number in free if key_of(header.headings[number]) in LINE_TOTAL_KEYS]
    taxes = [number for number in free if key_of(header.headings[number]) in TAXES]
    if not totals + taxes or not len(sales):
        return LineControl(agrees=np.zeros(len(sales), np.bool_))
    with localcontext(_QUIET):
        full, amount = line.amounts()
        look = _Look(sheet, header, sales, with_vat, source)
        # A column of VAT proves the basis too: 13 % of a net price, 13/113 of a gross one.
        for number in taxes:
            look.refuse_other_basis(number, _WITH_VAT(amount) - amount, amount - _WITHOUT_VAT(amount), amount)
        # A sheet may have several such columns, as «Subtotal» and «Total»: to confirm a row one of them is enough, to
        # trust its price through a discount every one is needed.
        one, every, said = np.zeros(len(sales), np.bool_), np.ones(len(sales), np.bool_), np.zeros(len(sales), np.bool_)
        for number in totals:
            value = look.values(number)
            look.refuse_other_basis(number, _WITH_VAT(amount), amount, amount)
            fits = look.confirmed(value, full, amount, documents)
            one |= fits
            every &= fits | ~_known(value)
            said |= _known(value)
        wrong = np.flatnonzero(said & ~one & _known(amount))
        differing = tuple(look.differing(totals, wrong, line)) if len(wrong) else ()
    return LineControl(agrees=said & every, differing=differing)


def _near(value: Amounts, wanted: Amounts, near: Amounts | Decimal = _NEAR) -> Flags:
    """Whether amounts agree to the cent."""
    found: Flags = np.abs(value - wanted) <= near
    return found


def _known(value: Amounts) -> Flags:
    found: Flags = np.asarray(_IS_KNOWN(value), np.bool_)
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
        """Return the numbers of a column; what is none is not compared."""
        column = self.sheet.table.columns[number].taken(self.sales)
        mark = column_mark(column, self.source.decimal)
        return _by_row(column, [number_in(column, code, mark) for code in range(len(column.texts))])

    def confirmed(self, value: Amounts, full: Amounts, amount: Amounts, documents: Codes) -> Flags:
        """Return the rows whose amount in a column is quantity × price, on either basis, before or after the discount.

        Some sheets repeat in each line what all lines of its document come to: that confirms it too.
        """
        fits = _near(value, amount) | _near(value, full)
        if (fits | ~_known(value)).all():  # as in most sheets, and the rest costs as much again
            return fits
        known, sums = _known(amount), np.full(int(documents.max()) + 1, ZERO, np.object_)
        np.add.at(sums, documents[known], amount[known])
        near = np.array([_NEAR * lines for lines in np.bincount(documents).tolist()], np.object_)  # each was rounded
        sums, near = sums[documents], near[documents]
        fits |= _near(value, self.other(amount)) | _near(value, sums, near) | _near(value, self.other(sums), near)
        return fits

    def other(self, amount: Amounts) -> Amounts:
        """Return what a sheet may show beside its own prices: net amounts of gross ones, gross amounts of net ones."""
        return np.where(self.with_vat, _WITHOUT_VAT(amount), _WITH_VAT(amount))

    def refuse_other_basis(self, number: int, if_net: Amounts, if_gross: Amounts, amount: Amounts) -> None:
        """Raise `CannotStart` where the column fits only prices without VAT, and the settings take them as with VAT.

        Nine rows of ten have to say so: a few may differ for reasons of their own.
        """
        value = self.values(number)
        told = self.with_vat & (amount > 1) & (value > 0)  # of a few cents the tolerance hides the VAT
        net = told & ~_near(value, if_gross)
        if 10 * int(net.sum()) >= 9 * int(told.sum()):
            net &= _near(value, if_net)
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
            amount=grouped(amount[row]),
            type=self.source.doc_type,
        )

    def differing(self, totals: Sequence[int], wrong: NDArray[np.intp], line: Line) -> Iterator[Field]:
        """Return the rows that no column of amounts confirms, told at the first that says something."""
        rest = set(wrong.tolist())
        for number in totals:
            value = self.values(number)
            column = self.sheet.table.columns[number]
            here = sorted(row for row in rest if value[row].is_finite())
            rest.difference_update(here)
            codes = np.zeros(len(self.sales), np.int32)
            codes[here] = np.arange(1, len(here) + 1)
            heading = self.header.headings[number]
            faults = {
                at: Problem(
                    kinds.LINE_AMOUNT_DIFFERS,
                    parameters={"heading": heading, "computed": exact((line.exact(row) or ZERO).normalize())},
                )
                for at, row in enumerate(here, 1)
            }
            if here:
                texts = ["", *(column[int(self.sales[row])] for row in here)]
                yield Field.unnamed(number, Column(codes=codes, texts=texts), faults)


def _by_row(column: Column, values: Sequence[Value]) -> Amounts:
    """Return the value of each row; unknown where it is no number, or so large that its document is held back."""
    known = [value if isinstance(value, Decimal) and abs(value) < _NO_AMOUNT else _UNKNOWN for value in values]
    found: Amounts = np.array(known, np.object_)[column.codes]
    return found


def rows_with_vat(doc_type: Field | None, rows: int, source: Source) -> Flags:
    """Return which rows' prices include VAT, by the type of their document and what the settings say of it."""
    included = {kind for kind, basis in source.prices.items() if basis == "with_vat" and kind in _WITH_VAT_TYPES}
    if doc_type is None:
        return np.full(rows, source.doc_type in included, np.bool_)
    known = np.array([(str(kind) or source.doc_type) in included for kind in doc_type.values], np.bool_)
    found: Flags = known[doc_type.codes]
    return found
