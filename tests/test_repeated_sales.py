from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from batch_issuer.planning.preparing import Prepared, prepare
from batch_issuer.planning.repeats import with_repeats
from batch_issuer.reading import read
from batch_issuer.settings import Settings

HEADINGS = "external_ref,date,customer_name,description,quantity,unit_price"
DAY = dt.date(2026, 11, 20)


class Remembering:
    """A ledger that knows some sales."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    def alike(self, company: str, likenesses: Sequence[str]) -> Mapping[str, str]:
        assert company == "default"
        return {one: self.known[one] for one in likenesses if one in self.known}


def prepared(tmp_path: Path, *rows: str) -> Prepared:
    path = tmp_path / "ventas.csv"
    path.write_text("\n".join([HEADINGS, *rows]), encoding="utf-8")
    return prepare(read([str(path)], Settings()), Settings(), DAY)


def warnings(found: Prepared) -> list[tuple[str, str, str]]:
    return [(note.code, note.parameters["reference"], note.parameters["other"]) for note in found.notes]


def test_the_same_sale_under_two_references_is_told(tmp_path: Path) -> None:
    """A named customer who buys the same for the same on one day, twice, is worth a question before sending."""
    found = prepared(
        tmp_path, "A-1,2026-11-20,Ana Ejemplo,Café molido,2,3.25", "A-2,2026-11-20,Ana Ejemplo,Café molido,2,3.25"
    )
    assert warnings(with_repeats(found, None, "default")) == [("sale-twice-in-files", "A-2", "A-1")]


@pytest.mark.parametrize(
    "other",
    [
        "A-2,2026-11-19,Ana Ejemplo,Café molido,2,3.25",
        "A-2,2026-11-20,Ana Muestra,Café molido,2,3.25",
        "A-2,2026-11-20,Ana Ejemplo,Café molido,1,3.25",
        "A-2,2026-11-20,Ana Ejemplo,Café en grano,2,3.25",
    ],
)
def test_another_day_customer_quantity_or_thing_is_another_sale(tmp_path: Path, other: str) -> None:
    """Only sales that agree in everything look alike."""
    found = prepared(tmp_path, "A-1,2026-11-20,Ana Ejemplo,Café molido,2,3.25", other)
    assert [code for code, *_ in warnings_of_repeats(found)] == []


def warnings_of_repeats(found: Prepared) -> list[tuple[str, str, str]]:
    repeated = with_repeats(found, None, "default")
    return warnings(replace(repeated, notes=repeated.notes[len(found.notes) :]))


def test_anonymous_consumers_may_buy_the_same(tmp_path: Path) -> None:
    """Two coffees for nobody in particular are two sales, and no wall of warnings."""
    found = prepared(tmp_path, "A-1,2026-11-20,,Café,1,1.50", "A-2,2026-11-20,,Café,1,1.50")
    assert warnings_of_repeats(found) == []


def test_a_sale_that_the_ledger_knows_under_another_reference_is_told(tmp_path: Path) -> None:
    """A renumbered file is noticed before it is issued a second time; the same reference is no news."""
    found = prepared(tmp_path, "A-1,2026-11-20,Ana Ejemplo,Café molido,2,3.25")
    likeness = found.candidates[0].likeness
    told = with_repeats(found, Remembering({likeness: "OLD-7"}), "default")
    assert warnings(told) == [("sale-issued-before", "A-1", "OLD-7")]
    assert warnings(with_repeats(found, Remembering({likeness: "A-1"}), "default")) == []
