"""What a document should come to, by its type: base, VAT, total, what is withheld, and what is left to pay.

What is withheld is worked out here only; VAT and rounding come from `money`. The ministry's worked example (Manual
Funcional 2.0, p. 47) is a test: 697.50 net, 90.68 VAT, 6.98 withheld.
"""

from __future__ import annotations

from decimal import Decimal

from batch_issuer.model.documents import WITHOUT_VAT, Amounts, Document
from batch_issuer.model.money import NOTHING, to_cents, without_vat

WITHHELD_FROM = Decimal("100.00")
"""Taxable base from which large taxpayers and the government withhold VAT (Código Tributario, art. 162)."""
WITHHELD_RATE = Decimal("0.01")
WITHHOLDERS = ("3", "4")
INCOME_TAX_RATE = Decimal("0.10")
"""Withheld from services of excluded subjects (provider.md 9)."""


def expected_amounts(document: Document, *, withheld_at_100: bool = True) -> Amounts:
    """Return what the provider should answer for a document; None for what cannot be known beforehand.

    The provider's pages disagree about a base of exactly 100.00: `withheld_at_100` decides.
    """
    gross = document.expected_gross
    retention: Decimal | None
    if document.doc_type in WITHOUT_VAT:
        taxable = gross
        services = sum((line.amount for line in document.lines if line.is_service), NOTHING)
        retention = to_cents(services * INCOME_TAX_RATE) if document.doc_type == "14" else NOTHING
    else:
        # Base first, VAT as what is left of the total: the two always add up to what the customer pays.
        taxable = to_cents(without_vat(document.amount) if document.prices_with_vat else document.amount)
        retention = _vat_withheld(document, taxable, at_100=withheld_at_100)
    return Amounts(
        taxable=taxable,
        vat=gross - taxable,
        gross=gross,
        retention=retention,
        total=None if retention is None else gross - retention,
    )


def withheld(document: Document, *, withheld_at_100: bool = True) -> Decimal | None:
    """Return what the buyer keeps back; None where the provider's own customer decides, or no page says."""
    # Most sales of a shop: nobody is named who could keep anything back, so that nothing need be worked out.
    if document.doc_type == "01" and document.customer is None:
        return NOTHING
    return expected_amounts(document, withheld_at_100=withheld_at_100).retention


def _vat_withheld(document: Document, taxable: Decimal, *, at_100: bool) -> Decimal | None:
    """Return the VAT that the buyer withholds: 1 % for contributor types 3 and 4; None where it cannot be known."""
    if document.doc_type == "05":
        return None
    customer = document.customer
    if customer is None or taxable < WITHHELD_FROM or (taxable == WITHHELD_FROM and not at_100):
        return NOTHING
    if not customer.type_contributor:
        # Whoever the provider knows by NIT or DUI may have a type there that the sheet does not say.
        return None if customer.nit or customer.dui else NOTHING
    return to_cents(taxable * WITHHELD_RATE) if customer.type_contributor in WITHHOLDERS else NOTHING
