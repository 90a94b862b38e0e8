"""Documents as they were read: header, customer, lines; and what the provider says they come to. Values only.

Money is `Decimal` and dates are dates from here on; texts were parsed in `reading`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from batch_issuer.model.money import to_cents, with_vat

EL_SALVADOR = dt.timezone(dt.timedelta(hours=-6), "America/El_Salvador")
"""No daylight saving (domain.md 4)."""


DOC_TYPES = ("01", "03", "05", "11", "14")
WITHOUT_VAT = frozenset({"11", "14"})
"""Types whose prices bear no VAT: exports, and purchases from excluded subjects."""


class Line(NamedTuple):
    """One line of a document; prices as the sheet has them (`Document.prices_with_vat` says which basis)."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    discount_percentage: Decimal
    is_service: bool
    row: int
    """Index of the row in its batch: `Batch.place` turns it into file, sheet and row."""

    @property
    def amount(self) -> Decimal:
        """Quantity times price less discount, unrounded."""
        if self.discount_percentage:
            return self.quantity * self.unit_price * (1 - self.discount_percentage / 100)
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The recipient (type 14: the subject). Empty text means that the sheet does not say."""

    name: str = ""
    nit: str = ""
    nrc: str = ""
    dui: str = ""
    document_type: str = ""
    type_contributor: str = ""
    favorite_doc: str = ""
    address: str = ""
    activity_code: str = ""
    district: str = ""
    department: str = ""
    municipality: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One fiscal document to issue: header, customer, lines. It is issued whole or not at all.

    Empty text and None mean that the sheet does not say; the provider's default then applies.
    """

    external_ref: str
    doc_type: str
    lines: Sequence[Line]
    prices_with_vat: bool
    date: dt.date | None = None
    time: str = ""
    """The time of day in El Salvador, `HH:MM` or `HH:MM:SS`; never sent. Empty where the sheet says none."""
    branch: str = ""
    till: str = ""
    """Which cash register; never sent. It tells sales apart whose numbers are the same."""
    customer_name: str = ""
    customer: Customer | None = None
    payment_method: str = ""
    transaction_condition: str = ""
    deadline: str = ""
    period: str = ""
    activity_code: str = ""
    redirect_email: str = ""
    total: Decimal | None = None
    """The sheet's own total: a control, never sent."""
    adjusts: str = ""
    full_adjustment: bool = False
    begins: int | None = field(default=None, compare=False, repr=False)
    summed: Decimal | None = field(default=None, compare=False, repr=False)
    """The row of the first line and the sum of all, where whoever made the document had them at hand."""

    @property
    def row(self) -> int:
        """The batch row on which the document begins."""
        return self.lines[0].row if self.begins is None else self.begins

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(line.row for line in self.lines)

    @property
    def amount(self) -> Decimal:
        """The sum of the lines as the sheet has them, unrounded."""
        return self.summed if self.summed is not None else sum((line.amount for line in self.lines), Decimal(0))

    @property
    def expected_gross(self) -> Decimal:
        """The total with VAT that the provider should answer, to the cent."""
        amount = self.amount
        # Rounded once, over the whole document, as the ministry rounds its summary (MF2 XXI).
        return to_cents(amount if self.prices_with_vat or self.doc_type in WITHOUT_VAT else with_vat(amount))


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What the provider says a document comes to. None where it did not say."""

    taxable: Decimal | None = None
    vat: Decimal | None = None
    gross: Decimal | None = None
    retention: Decimal | None = None
    total: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRows:
    """Where a document came from: sheet rows numbered from 1 as a spreadsheet program shows them."""

    file: str
    sheet: str = ""
    rows: tuple[int, ...] = ()
