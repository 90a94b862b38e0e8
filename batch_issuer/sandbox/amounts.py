"""The provider's arithmetic: prices with VAT for 01, 03 and 05, without for 11 and 14; exact until the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from batch_issuer.model.documents import Amounts
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.payload import Sale, SaleLine

_CENT = Decimal("0.01")
_ONE_AND_VAT = Decimal("1.13")
_HUNDRED = Decimal(100)
_WITHHELD_VAT = Decimal("0.01")
_WITHHELD_INCOME_TAX = Decimal("0.10")
_ZERO = Decimal("0.00")
LARGE_CONTRIBUTORS = (3, 4)


def amounts_of(sale: Sale, type_contributor: int, options: SandboxOptions) -> Amounts:
    """Return what the document comes to; a withheld amount lowers the total (provider.md 5, 8, 9)."""
    lines = [line_amount(line, options) for line in sale.lines]
    # Whether a credit note's prices have VAT in them is not said (provider.md 8); the CCF's own lines, credited, have.
    if sale.doc_type == "05" and sale.own_lines and options.memo_prices == "without-vat":
        lines = [line * _ONE_AND_VAT for line in lines]
    if options.rounding == "line":
        lines = list(map(cents, lines))
    gross = cents(sum(lines, _ZERO))
    taxable = gross
    if sale.doc_type not in ("11", "14"):
        by_line = options.rounding == "line"
        taxable = sum((cents(line / _ONE_AND_VAT) for line in lines), _ZERO) if by_line else cents(gross / _ONE_AND_VAT)
    retention = _withheld(sale, lines, taxable, type_contributor, options)
    return Amounts(taxable=taxable, vat=gross - taxable, gross=gross, retention=retention, total=gross - retention)


def line_amount(line: SaleLine, options: SandboxOptions) -> Decimal:
    """Return quantity times price less discount, unrounded."""
    quantity, price = line.quantity, line.unit_price
    if options.decimals is not None:
        step = Decimal(1).scaleb(-options.decimals)
        quantity, price = quantity.quantize(step, ROUND_HALF_UP), price.quantize(step, ROUND_HALF_UP)
    amount = quantity * price
    return amount * (_HUNDRED - line.discount) / _HUNDRED if line.discount else amount


def cents(amount: Decimal) -> Decimal:
    """Round half-up to the cent."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _withheld(
    sale: Sale, lines: list[Decimal], taxable: Decimal, type_contributor: int, options: SandboxOptions
) -> Decimal:
    """Return the income tax that is withheld of services (14), or the VAT that a large contributor withholds."""
    if sale.doc_type == "14":
        services = [amount for line, amount in zip(sale.lines, lines, strict=True) if line.is_service]
        return cents(sum(services, _ZERO) * _WITHHELD_INCOME_TAX)
    bearing = ("01", "03", "05") if options.memo_retention else ("01", "03")
    if sale.doc_type not in bearing or type_contributor not in LARGE_CONTRIBUTORS:
        return _ZERO
    # From 100.00 on (provider.md 5) or only above it (provider.md 12): the pages contradict each other.
    if taxable > _HUNDRED or (taxable == _HUNDRED and options.retention_rule == "at-least"):
        return cents(taxable * _WITHHELD_VAT)
    return _ZERO
