"""However documents are judged, the same is found of each, in the order of the batch.

By two processes as by one, and sales that are alike in their headers together as each by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.planning.judging import judge_all, judge_in_two
from batch_issuer.reading import Batch, Entry, read
from batch_issuer.reading.batch import Outline
from batch_issuer.rules import faults_of_lines
from tests.reading.reading_samples import csv_file, settings

HEADINGS = "external_ref,doc_type,date,description,quantity,unit_price,name,nit,email\n"

SETTINGS = settings(decimal="point", dates="ymd", prices={"03": "without_vat"}, repeated_rows="count")

rows = st.tuples(
    st.sampled_from("ABCDEF"),
    st.sampled_from(["01", "03", ""]),
    st.sampled_from(["2026-11-20", "2026-11-21", ""]),
    st.sampled_from(["Taza", ""]),
    st.sampled_from(["1", "2.00", "-1", "x"]),
    st.sampled_from(["1.25", "3000", "90000", "0"]),
    st.sampled_from(["", "Ana Ejemplo", "Beto"]),
    st.sampled_from(["", "06140101901013", "1"]),
    st.sampled_from(["", "a@example.com", "b@example.com", "nadie"]),
)


@effort(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=1, max_size=12), st.booleans(), st.data())
def test_two_judge_as_one(tmp_path: Path, sold: Sequence[tuple[str, ...]], compared: bool, data: st.DataObject) -> None:
    """Whichever documents the other process is given, of one file or two."""
    half = len(sold) // 2
    files = [
        csv_file(tmp_path, HEADINGS + "".join(f"{','.join(row)}\n" for row in part) + f"{name},01,,Taza,1,2,,,\n", name)
        for name, part in (("a.csv", sold[:half]), ("b.csv", sold[half:]))
    ]
    batch = read(files, SETTINGS)
    faults = faults_of_lines(batch)
    sound = [index for index in range(len(batch)) if index not in faults]
    theirs = sorted(data.draw(st.sets(st.sampled_from(sound)))) if sound else []
    one = judge_in_two(batch, SETTINGS, range(len(batch)), [], faults, compared=compared)
    two = judge_in_two(batch, SETTINGS, range(len(batch)), theirs, faults, compared=compared)
    assert two == one


class EachAlone:
    """A batch in which no sale is like another."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __len__(self) -> int:
        return len(self._batch)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._batch)

    def __getitem__(self, number: int) -> Entry:
        return self._batch[number]

    def alike(self, _documents: Sequence[int]) -> Iterator[Sequence[Outline]]:
        yield from ()


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
def test_sales_that_are_alike_are_judged_as_each_by_itself(
    tmp_path: Path,
    first: tuple[str, ...],
    second: tuple[str, ...],
    at: int,
    sold: Sequence[tuple[str, str, tuple[str, ...]]],
    unread_line: str,
    compared: bool,
) -> None:
    """A header is judged once for all that have it: what is found of lines and amounts is still each one's own.

    The sales have one of two headers, which differ in one field.
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
    alone: Any = EachAlone(batch)
    together = judge_all(batch, SETTINGS, compared=compared)
    assert together == judge_all(alone, SETTINGS, compared=compared)
    assert together == judge_all(batch, SETTINGS, compared=compared, at_once=3)
    assert len(together.candidates) + len(together.held) == len(batch)


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("doc_type", "11"), ("date", "2026-11-21"), ("branch", "Centro"), ("customer_name", "Ana Ejemplo"),
        ("name", "Ana Ejemplo"), ("dui", "00016297-5"), ("payment_method", "Transferencia"), ("payment_method", "trueque"),
        ("transaction_condition", "2"), ("period", "30"), ("deadline", "1"), ("total", "1.25"), ("total", "9"),
        ("adjusts", "CCF-1"),
    ],
)  # fmt: skip
def test_sales_are_alike_only_where_every_field_is(tmp_path: Path, field: str, other: str) -> None:
    """Two and two that differ in one field of their headers are not judged by one."""
    names = ALL_HEADINGS.strip().split(",")
    usual = dict.fromkeys(names, "") | {"doc_type": "01", "description": "Taza", "quantity": "1", "unit_price": "1.25"}
    usual |= {"date": "2026-11-20", "payment_method": "Efectivo"}
    changes = [{}, {field: other}, {}, {field: other}, {field: other}, {}]
    rows = [usual | {"external_ref": f"R{number}"} | change for number, change in enumerate(changes)]
    text = ALL_HEADINGS + "\n".join(",".join(row[name] for name in names) for row in rows)
    batch = read([csv_file(tmp_path, text)], SETTINGS)
    alone: Any = EachAlone(batch)
    assert [one.number for group in batch.alike(range(6)) for one in group if {field: other} != changes[one.number]]
    for compared in (True, False):
        assert judge_all(batch, SETTINGS, compared=compared) == judge_all(alone, SETTINGS, compared=compared)


@pytest.mark.parametrize("compared", [True, False])
def test_too_many_lines_are_seen_among_sales_that_are_alike(tmp_path: Path, compared: bool) -> None:
    """How many lines a document may have is asked of each."""
    rows = [f"{ref},01,,Taza,1,0.10,,,\n" * lines for ref, lines in (("A", 1), ("B", 2001), ("C", 2000))]
    judged = judge_all(read([csv_file(tmp_path, HEADINGS + "".join(rows))], SETTINGS), SETTINGS, compared=compared)
    assert [(held.number, held.problems[0].code) for held in judged.held] == [(1, "lines-many")]
    assert [candidate.number for candidate in judged.candidates] == [0, 2]


def test_what_cannot_be_sent_is_left_to_this_process(tmp_path: Path) -> None:
    """Sound lines do not make a sound document: one without its customer's number is held back all the same."""
    path = csv_file(tmp_path, HEADINGS + "A,03,,Taza,1,2,Ana Ejemplo,,\nB,01,,Taza,1,2,,,\n")
    batch = read([path], SETTINGS)
    judged = judge_in_two(batch, SETTINGS, range(2), [0, 1], {}, compared=True)
    assert [held.number for held in judged.held] == [0]
    assert [candidate.number for candidate in judged.candidates] == [1]
    assert judged == judge_all(batch, SETTINGS, compared=True)
