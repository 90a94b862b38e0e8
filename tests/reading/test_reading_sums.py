"""The sums that reading makes of whole columns are those of the lines, one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.plan.prepare import prepare
from batch_issuer.reading import read
from batch_issuer.rules import examine, faults_of_lines
from batch_issuer.settings import Rules, Settings
from tests.invented_sales import cells_of
from tests.reading.reading_samples import csv_file, settings

within_a_test = effort(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADINGS = "Referencia,Descripción,Cantidad,Precio unitario,Descuento %\n"

numbers = st.one_of(
    st.decimals(0, 1000, places=2),
    st.decimals(0, 1, places=8),
    st.integers(0, 10**6).map(Decimal),
    st.decimals(10**9, 10**10, places=8),
)
discounts = st.sampled_from([Decimal(text) for text in ("0", "5", "12.5", "33.3333", "99")])
rows = st.tuples(st.sampled_from("ABC"), numbers, numbers, discounts)


@within_a_test
@given(st.lists(rows, min_size=1, max_size=12), st.booleans())
def test_sums_are_exact(
    tmp_path: Path, sold: Sequence[tuple[str, Decimal, Decimal, Decimal]], discounted: bool
) -> None:
    """Whatever the size of the numbers, no decimal is lost and none is invented."""
    lines = [f"{ref},Taza,{quantity:f},{price:f},{off if discounted else ''}" for ref, quantity, price, off in sold]
    path = csv_file(tmp_path, HEADINGS + "\n".join(lines) + "\n")
    for entry in read([path], settings(decimal="point", repeated_rows="count")):
        document = entry.document
        assert document.amount == replace(document, summed=None).amount


@within_a_test
@given(st.lists(rows, min_size=1, max_size=12), numbers)
def test_a_question_about_a_column_is_answered_as_if_every_line_was_asked(
    tmp_path: Path, sold: Sequence[tuple[str, Decimal, Decimal, Decimal]], limit: Decimal
) -> None:
    """`cells_with` names every line that has such a value, of columns that are there and that are not."""
    lines = [f"{ref},Taza,{quantity:f},{price:f}" for ref, quantity, price, _ in sold]
    path = csv_file(tmp_path, HEADINGS.replace(",Descuento %", "") + "\n".join(lines) + "\n")
    batch = read([path], settings(decimal="point", repeated_rows="count"))

    def above(value: Decimal) -> str | None:
        return None if value <= limit else f"{value} > {limit}"

    documents = [entry.document for entry in batch]
    for field in ("quantity", "unit_price", "discount_percentage"):
        assert list(batch.cells_with(field, above)) == list(cells_of(documents, field, above))


@within_a_test
@given(st.lists(st.tuples(rows, st.sampled_from(["Taza", "", "x" * 1001])), min_size=1, max_size=12))
def test_faults_found_in_columns_are_those_found_line_by_line(
    tmp_path: Path, sold: Sequence[tuple[tuple[str, Decimal, Decimal, Decimal], str]]
) -> None:
    """The same problems in the same order, each quoting its own cell."""
    lines = [f"{ref},{text},{quantity:f},{price:f},{off}" for (ref, quantity, price, off), text in sold]
    batch = read(
        [csv_file(tmp_path, HEADINGS + "\n".join(lines) + "\n")], settings(decimal="point", repeated_rows="count")
    )
    faults = faults_of_lines(batch)
    for at, entry in enumerate(batch):
        assert examine(batch, entry, Rules(), faults.get(at, ())) == examine(batch, entry, Rules())


def test_numbers_too_large_for_whole_columns_are_added_one_by_one(tmp_path: Path) -> None:
    """What 64 bits cannot hold is not cut off."""
    path = csv_file(tmp_path, HEADINGS + "A,Taza,99999999999.12345678,99999999999.12345678,\n")
    (entry,) = read([path], Settings())
    assert entry.document.summed is None
    assert entry.document.amount == Decimal("99999999999.12345678") ** 2


def test_a_cell_of_hundreds_of_digits_is_shown_and_held_back(tmp_path: Path) -> None:
    """A code in the column of prices, or Excel's largest number: the sums are rounded all the same, whatever their length."""
    digits = "9" * 301
    headings = "Factura,Descripción,Cantidad,Precio unitario,Importe\n"
    path = csv_file(tmp_path, f"{headings}A,Taza,{digits},{digits},{digits}\nTOTAL,,{digits},,{digits}\n")
    prepared = prepare(read([path], Settings()), Settings(), dt.date(2026, 11, 25))
    (held,) = prepared.held
    assert "number-large" in {problem.code for problem in held.problems}
    assert prepared.gross == held.document.expected_gross > Decimal(digits)
