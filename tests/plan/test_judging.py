"""A batch judged as a whole, by columns, finds what each document judged by itself would have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.plan.judge import judge_all
from batch_issuer.provider import wire
from batch_issuer.reading import read
from batch_issuer.rules import examine
from tests.reading.reading_samples import csv_file, settings

HEADINGS = "external_ref,doc_type,date,description,quantity,unit_price,name,nit,email\n"

SETTINGS = settings(decimal="point", dates="ymd", prices={"03": "without_vat"}, repeated_rows="count")

ALL_HEADINGS = (
    "external_ref,doc_type,date,branch,customer_name,name,dui,payment_method,transaction_condition,period,deadline,"
    "total,adjusts,description,quantity,unit_price,discount_percentage\n"
)


def mostly(usual: str, *others: str) -> st.SearchStrategy[str]:
    return st.sampled_from([usual] * (4 * len(others)) + list(others))


headers = st.tuples(
    mostly("", "01", "03", "05"),
    mostly("2026-11-20", "2026-11-21", "", "x"),
    mostly("Centro", "Sonsonate"),
    st.sampled_from(["", "Ana Ejemplo", "Consumidor Final", "y" * 300]),
    mostly("", "Beto Muestra"),
    mostly("", "00016297-5"),
    mostly("Efectivo", "", "05 Transferencia", "trueque"),
    mostly("", "1", "2", "Crédito"),
    mostly("", "30"),
    mostly("", "1"),
    mostly("", "1.25", "2.50"),
    mostly("", "CCF-1"),
)
lines = st.tuples(
    mostly("Taza", "Plato", ""),
    mostly("1", "2.00", "-1"),
    st.sampled_from(["1.25", "1.25", "2.50", "1095", "1094.99", "25000", "24999.99", "0.001", "0", "2.1234567"]),
    mostly("", "0", "100", "50"),
)
unread = st.sampled_from(["", "", "", "", "x,1,1,", "Taza,x,1,", "Taza,1,1,x", "Taza,1,99999999999,"])
"""A line, mostly of what cannot be read or is too much for whole numbers."""


@effort(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headers,
    headers,
    st.integers(0, 11),
    st.lists(st.tuples(st.sampled_from("ABCDEFGHIJKL"), mostly("", "disagrees"), lines), min_size=3, max_size=14),
    unread,
    st.booleans(),
)
def test_a_batch_is_judged_as_each_document_by_itself(
    tmp_path: Path,
    first: tuple[str, ...],
    second: tuple[str, ...],
    at: int,
    sold: Sequence[tuple[str, str, tuple[str, ...]]],
    unread_line: str,
    compared: bool,
) -> None:
    """Faults of lines are found in whole columns and sums are made of them: line by line nothing else comes out.

    The documents have one of two headers, which differ in one field.
    """
    other = (*first[:at], second[at], *first[at + 1 :])
    rows = [",".join((ref, *(other if (ref < "E") ^ bool(odd) else first), *line)) for ref, odd, line in sold]
    parts = rows[: len(rows) // 3], rows[len(rows) // 3 :]
    ends = [f"Y,01{',' * 11}{unread_line or 'Taza,1,1,'}", f"Z,01{',' * 11}Taza,1,1,"]
    files = [
        csv_file(tmp_path, ALL_HEADINGS + "\n".join((*part, end)), name)
        for part, end, name in zip(parts, ends, ("a.csv", "b.csv"), strict=True)
    ]
    batch = read(files, SETTINGS)
    judged = judge_all(batch, SETTINGS, compared=compared)
    alone = [examine(batch, batch[number], SETTINGS.rules) for number in range(len(batch))]
    assert {one.number: (one.document, one.problems) for one in judged.held} == {
        number: (entry.document, entry.problems) for number, entry in enumerate(alone) if entry.held_back
    }
    sent = {number: entry for number, entry in enumerate(alone) if not entry.held_back}
    assert judged.notes == [problem for entry in sent.values() for problem in entry.problems]
    found = [(one.number, one.external_ref, one.gross, one.row, one.fingerprint) for one in judged.candidates]
    assert found == [
        (
            number,
            entry.document.external_ref,
            replace(entry.document, summed=None).expected_gross,
            entry.document.lines[0].row,
            wire.fingerprint(wire.encode(entry.document)) if compared else "",
        )
        for number, entry in sent.items()
    ]


@pytest.mark.parametrize("compared", [True, False])
def test_too_many_lines_are_seen_among_sales_that_are_alike(tmp_path: Path, compared: bool) -> None:
    """How many lines a document may have is asked of each."""
    rows = [f"{ref},01,,Taza,1,0.10,,,\n" * lines for ref, lines in (("A", 1), ("B", 2001), ("C", 2000))]
    judged = judge_all(read([csv_file(tmp_path, HEADINGS + "".join(rows))], SETTINGS), SETTINGS, compared=compared)
    assert [(held.number, held.problems[0].code) for held in judged.held] == [(1, "lines-many")]
    assert [candidate.number for candidate in judged.candidates] == [0, 2]
