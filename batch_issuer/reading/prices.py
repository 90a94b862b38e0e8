"""Whether prices include VAT: said in the settings for every type, never guessed, never against the headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart
from batch_issuer.reading.columns import vat_said
from batch_issuer.reading.sheets import SheetSales

WITHOUT_VAT_OF_THEIR_OWN = ("14",)
"""A purchase from an excluded subject bears no VAT, whatever the heading says."""


def refuse_unsaid_prices(types: Iterable[str], prices: Mapping[str, str], sheets: Sequence[SheetSales]) -> None:
    """Checks the price basis of the types that the documents have.

    Raises `CannotStart` for a type without one, and for one that contradicts a price heading.
    """
    for kind in types:
        if kind not in prices:
            raise _unsaid(kind)
        for sheet in sheets:
            heading = sheet.header.headings[sheet.header.columns["unit_price"]]
            said = vat_said(heading)
            if said and said != prices[kind] and kind not in WITHOUT_VAT_OF_THEIR_OWN:
                raise _contradicted(sheet.sheet.path, heading, kind, prices[kind], said)


def _unsaid(kind: str) -> CannotStart:
    return CannotStart(
        N_("There are documents of type {type}, and nothing says whether their prices include VAT."),
        repair=N_('Say it in the settings:\n[source]\nprices = {{ "{type}" = "with_vat" }}    (or "without_vat")'),
        type=kind,
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
