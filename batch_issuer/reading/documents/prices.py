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
    """The settings' price bases, with those that only the headings say, for the types that the documents have.

    `types` are those of each sheet: a heading speaks for the documents below it.
    Raises `CannotStart` for a type of which neither says it, and for one of which they say different things.
    """
    bases = dict(prices)
    unsaid: list[str] = []
    for kind in sorted({kind for of_sheet in types for kind in of_sheet}):
        headings = _headings([sheet for sheet, of_sheet in zip(sheets, types, strict=True) if kind in of_sheet])
        said = [vat_said(heading, kind) for _, heading in headings]
        if kind not in bases:
            basis = said[0] if said and len(set(said)) == 1 else ""
            basis = basis or (bases.get("03", "") if kind == "05" else "")
            if not basis:
                unsaid.append(kind)
                continue
            bases[kind] = basis
        for (path, heading), one in zip(headings, said, strict=True):
            if one and one != bases[kind] and kind not in WITHOUT_VAT_OF_THEIR_OWN:
                raise _contradicted(path, heading, kind, bases[kind], one)
    if unsaid:
        raise _unsaid(unsaid)
    return bases


def _headings(sheets: Sequence[SheetSales]) -> list[tuple[str, str]]:
    """File and price heading of each sheet."""
    return [(one.sheet.path, one.header.headings[one.header.columns["unit_price"]]) for one in sheets]


def _unsaid(kinds: Sequence[str]) -> CannotStart:
    """All of them at once, with the line to copy: a 05 is read like the 03 that it adjusts."""
    asked = [kind for kind in kinds if kind != "05" or "03" not in kinds]
    return CannotStart(
        N_("There are documents of type {types}, and nothing says whether their prices include VAT."),
        repair=N_('Say it in the settings, "with_vat" or "without_vat":\n[source]\nprices = {{ {line} }}'),
        types=", ".join(kinds),
        line=", ".join(f'"{kind}" = "with_vat"' for kind in asked),
    )


def _contradicted(path: str, heading: str, kind: str, setting: str, said: str) -> CannotStart:
    return CannotStart(
        N_(
            "{file}: the heading «{heading}» contradicts the settings, which take prices of type {type} as «{setting}»."
        ),
        repair=N_('Say it in the settings:\n[source]\nprices = {{ "{type}" = "{said}" }}\nor correct the heading.'),
        file=path,
        heading=heading,
        type=kind,
        setting=setting,
        said=said,
    )
