"""Documents judged by two processes are those judged by one: the same candidates, problems and sums, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.planning.judging import judge_all, judge_in_two
from batch_issuer.reading import read
from batch_issuer.rules import faults_of_lines
from tests.reading.reading_samples import csv_file, settings

HEADINGS = "external_ref,doc_type,date,description,quantity,unit_price,name,nit,email\n"

SETTINGS = settings(decimal="point", dates="ymd", prices={"03": "without_vat"})

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
    one = judge_all(batch, SETTINGS, compared=compared)
    two = judge_in_two(batch, SETTINGS, theirs, faults, compared=compared)
    assert two == one


def test_what_cannot_be_sent_is_left_to_this_process(tmp_path: Path) -> None:
    """Sound lines do not make a sound document: one without its customer's number is held back all the same."""
    path = csv_file(tmp_path, HEADINGS + "A,03,,Taza,1,2,Ana Ejemplo,,\nB,01,,Taza,1,2,,,\n")
    batch = read([path], SETTINGS)
    judged = judge_in_two(batch, SETTINGS, [0, 1], {}, compared=True)
    assert [held.index for held in judged.held] == [0]
    assert [candidate.index for candidate in judged.candidates] == [1]
    assert judged == judge_all(batch, SETTINGS, compared=True)
