from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.plan.lookalikes import with_repeats
from batch_issuer.plan.prepare import Prepared, prepare
from batch_issuer.reading import read
from batch_issuer.settings import Settings
from tests.reading.reading_samples import csv_file, settings

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


ALL_HEADINGS = (
    "external_ref,doc_type,date,customer_name,name,nit,nrc,type_contributor,adjusts,full_adjustment,"
    "description,quantity,unit_price,discount_percentage\n"
)
SETTINGS = settings(decimal="point", dates="ymd", prices={"03": "without_vat"}, repeated_rows="count")
CUSTOMERS = (",,,,", "Ana Ejemplo,,,,", ",Ana Ejemplo,,,", ",Ana Ejemplo,06140101901013,1234567,1", "Beto Muestra,,,,")
BY_UUID = ("11111111-AAAA-4BBB-8CCC-111111111111,si", "11111111-aaaa-4bbb-8ccc-111111111111,si")
CREDITED = (",", "CCF-1,", "CCF-1,si", "CCF-2,si", *BY_UUID)
LINES = ("Taza,2,1.50,", "Taza,2.00,1.5,0", "Taza,2,3.00,50", "Plato,1,3,", "Plato,1,3.000,0.00", "Plato,1,2.655,")

sales = st.tuples(
    st.sampled_from(["01", "01", "03", "05", "11", "14"]),
    st.sampled_from(["2026-11-20", "2026-11-20", "2026-11-19", ""]),
    st.sampled_from(CUSTOMERS),
    st.sampled_from(CREDITED),
    st.lists(st.sampled_from(LINES), min_size=1, max_size=2),
)


@effort(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(sales, min_size=2, max_size=9))
@example(
    [("05", "", CUSTOMERS[1], credited, [line]) for credited, line in zip(BY_UUID, (LINES[0], LINES[-1]), strict=True)]
)
def test_a_check_tells_the_same_repeats_as_a_run(
    tmp_path: Path, sold: list[tuple[str, str, str, str, list[str]]]
) -> None:
    """Without a ledger most sales are not encoded: none that looks like another is missed, and none is made up."""
    text = "".join(
        f"S-{number},{doc_type},{day},{customer},{credited if doc_type == '05' else ','},{line}\n"
        for number, (doc_type, day, customer, credited, lines) in enumerate(sold)
        for line in lines
    )
    batch = read([csv_file(tmp_path, ALL_HEADINGS + text)], SETTINGS)
    run, check = (
        with_repeats(prepare(batch, SETTINGS, DAY, compared=compared), None, "default") for compared in (True, False)
    )
    assert check.notes == run.notes
