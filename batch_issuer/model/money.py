"""Money: cents, VAT, and amounts as text. Every figure that a person or a program reads is rounded and printed here.

Amounts are `Decimal` and stay exact, with every decimal that a sheet or the provider gave, until they are shown: sums
are made of what was given, and page, workbook, JSON and screen round the same sum in the same way. VAT is worked out in
`Decimal` too: in floats, 13 % of some prices falls on the other side of half a cent.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import MAX_PREC, ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
VAT_RATE = Decimal("0.13")
"""Ley de IVA, art. 54."""

_WIDE = Context(prec=MAX_PREC)
"""A cell may hold 300 digits: it is shown and held back, and rounding it is no reason to stop."""


def to_cents(amount: Decimal) -> Decimal:
    """Round half-up to two decimals, as the ministry rounds summary fields (MF2 XXI)."""
    return amount.quantize(CENT, ROUND_HALF_UP, _WIDE)


def in_cents(amount: Decimal) -> int:
    """Round to a whole number of cents, for what adds up in the page itself."""
    return int(to_cents(amount).scaleb(2, _WIDE))


def total_of(amounts: Iterable[Decimal | None]) -> Decimal:
    """Return the exact sum, as 0.00 where there is nothing to add; None adds nothing."""
    return sum((amount for amount in amounts if amount is not None), NOTHING)


def with_vat(net: Decimal) -> Decimal:
    """Return what a net amount comes to with VAT, unrounded."""
    return net * (1 + VAT_RATE)


def without_vat(gross: Decimal) -> Decimal:
    """Return the net amount in one that includes VAT, unrounded."""
    return gross / (1 + VAT_RATE)


def split_vat(gross: Decimal) -> tuple[Decimal, Decimal]:
    """Return taxable base and VAT of a total that includes VAT; the two always add up to it."""
    taxable = to_cents(without_vat(gross))
    return taxable, gross - taxable


def figure(amount: Decimal) -> str:
    """Print as `1234.56`: for programs."""
    return f"{_shown(amount):.2f}"


def grouped(amount: Decimal) -> str:
    """Print as `1,234.56`: for sentences that say `$` themselves, or speak of the sheet's own numbers."""
    return f"{_shown(amount):,.2f}"


def dollars(amount: Decimal, *, minus: str = "-") -> str:
    """Print as `$1,234.56`, as people in El Salvador write it, with the minus before the dollar."""
    text = grouped(amount)
    return f"{minus}${text[1:]}" if text.startswith("-") else f"${text}"


def exact(amount: Decimal) -> str:
    """Print as `1234.56`, or `1234.565` where it has more: for copies of what was given, no figures of a report."""
    return f"{_whole(amount):f}"


def exact_grouped(amount: Decimal) -> str:
    """Print as `1,234.565`: for sentences in which two amounts may differ by less than a cent."""
    return f"{_whole(amount):,f}"


def _whole(amount: Decimal) -> Decimal:
    """Return an amount with two decimals at least, and with every one that it has."""
    # A copy keeps what it was given; only what cents say as well is written with two decimals.
    cents = to_cents(amount)
    return cents if cents == amount else amount


def _shown(amount: Decimal) -> Decimal:
    """Round to cents; what rounds to nothing has no sign: nobody reads `-0.00` as nothing."""
    return to_cents(amount) or NOTHING
