"""Whether prices include VAT: said in the settings or the heading for every type, never guessed, never in conflict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.headings.columns import vat_said
from batch_issuer.reading.sheets.fields import SheetSales

WITHOUT_VAT_OF_THEIR_OWN = ("14",)
"""A purchase from an excluded subject bears no VAT, whatever the heading says."""


def price_bases(
    types: Sequence[Collection[str]], prices: Mapping[str, str], sheets: Sequence[SheetSales]
) -> Mapping[str, str]:
    """Return the settings' price bases, with those that only the headings say, for the types that the documents have.

    `types` are those of each sheet: a heading speaks for the documents below it.
    Raises `CannotStart` for a type of which neither says it, and for one of which they say different things.
    """
    bases = dict(prices)
    unsaid: list[str] = []
    for kind in sorted(set[str]().union(*types)):
        with_kind = [sheet for sheet, of_sheet in zip(sheets, types, strict=True) if kind in of_sheet]
        said = {vat_said(_price_heading(sheet), kind) for sheet in with_kind}
        basis = bases.get(kind) or (said.pop() if len(said) == 1 else "")
        if not basis and kind == "05":
            basis = bases.get("03", "")  # a credit note is read like the CCF that it adjusts
        if basis:
            bases[kind] = basis
            _refuse_contradiction(kind, basis, with_kind)
        else:
            unsaid.append(kind)
    if unsaid:
        asked = [kind for kind in unsaid if kind != "05" or "03" not in unsaid]
        raise CannotStart(
            N_("There are documents of type {types}, and nothing says whether their prices include VAT."),
            repair=N_('Say it in the settings, "with_vat" or "without_vat":\n[source]\nprices = {{ {line} }}'),
            types=", ".join(unsaid),
            line=", ".join(f'"{kind}" = "with_vat"' for kind in asked),
        )
    return bases


def _price_heading(sheet: SheetSales) -> str:
    return sheet.header.headings[sheet.header.columns["unit_price"]]


def _refuse_contradiction(kind: str, basis: str, sheets: Sequence[SheetSales]) -> None:
    """Raise `CannotStart` where the price heading of a sheet says the other basis of a type than was taken."""
    for sheet in sheets:
        heading = _price_heading(sheet)
        said = vat_said(heading, kind)
        if said and said != basis and kind not in WITHOUT_VAT_OF_THEIR_OWN:
            raise CannotStart(
                N_(
                    "{file}: the heading «{heading}» contradicts the settings, which take prices of type {type} as "
                    "«{setting}»."
                ),
                repair=N_(
                    'Say it in the settings:\n[source]\nprices = {{ "{type}" = "{said}" }}\nor correct the heading.'
                ),
                file=sheet.sheet.path,
                heading=heading,
                type=kind,
                setting=basis,
                said=said,
            )
