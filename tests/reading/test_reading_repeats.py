"""Rows that are equal in every cell to another row of their document: asked about, counted, or issued once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.messages import Messages
from batch_issuer.reading import Batch, RepeatedRows, read
from batch_issuer.reading.learned import learn
from batch_issuer.reports.fix.corrections import Need
from batch_issuer.reports.fix.workbook import write_fix_file
from batch_issuer.settings import Settings
from tests.reading.reading_samples import (
    HEADINGS,
    csv_file,
    quantities,
    read_lines,
    read_text,
    refusal,
    settings,
    workbook,
)

within_a_test = effort(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ONCE, COUNT = settings(repeated_rows="once"), settings(repeated_rows="count")
PASTED = "A,Café,1,2.50\nB,Pan,2,1.25\nB,Té,1,1.00\nB,Pan,2,1.25\n"
SALES = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["Café", "Pan"]), st.sampled_from("12"), st.sampled_from(["1", "2.50"])),
    min_size=1,
    max_size=14,
)  # fmt: skip


def asked(read_it: Callable[[], Batch]) -> str:
    with pytest.raises(RepeatedRows) as caught:
        read_it()
    return refusal(caught.value)


def contents(batch: Batch) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Each document with its lines, wherever these stand in the file."""
    return [(entry.document.external_ref, [line[:-1] for line in entry.document.lines]) for entry in batch]


def test_a_row_that_stands_twice_is_asked_about(tmp_path: Path) -> None:
    text = asked(lambda: read_lines(tmp_path, PASTED))
    assert "ventas.csv: row 5 is equal in every cell to row 3 of the same document, «B»" in text
    assert "It comes to $2.50." in text
    assert "--repeated-rows count" in text
    assert '[source]\nrepeated_rows = "count"   # or "once"' in text


def test_many_rows_are_asked_about_together(tmp_path: Path) -> None:
    """How many, in how many documents, what they come to less discount, and the first."""
    rows = "A,Café,1,2,10\nA,Café,1,2,10\nA,Café,1,2,10\nB,Pan,3,1,\nB,Pan,3,1,\n"
    text = asked(lambda: read_text(tmp_path, "Factura,Descripción,Cantidad,Precio,% descuento\n" + rows))
    assert "3 rows are equal" in text
    assert "They come to $6.60; documents: 2. The first is row 3, equal to row 2 (reference «A»)." in text


def test_counted_rows_are_lines(tmp_path: Path) -> None:
    batch = read_lines(tmp_path, PASTED, COUNT)
    assert quantities(batch) == ["1", "2", "1", "2"]
    assert (batch.problems, batch.sources[0].rows, batch.sources[0].left_out) == ((), 4, 0)


def test_repeats_that_are_left_out_are_told(tmp_path: Path) -> None:
    """With the row, and counted as left out."""
    batch = read_lines(tmp_path, PASTED, ONCE)
    assert quantities(batch) == ["1", "2", "1"]
    assert (batch.sources[0].rows, batch.sources[0].left_out) == (3, 1)
    (problem,) = batch.problems
    assert (problem.code, problem.place.row, problem.blocks) == ("repeated-row-left-out", 5, False)
    assert "equal in every cell to row 3" in problem.message(Messages("en"))


@pytest.mark.parametrize("other", ["a note", "2026-11-21", " "])
def test_a_column_that_nobody_mapped_tells_rows_apart(tmp_path: Path, other: str) -> None:
    text = f"Factura,Descripción,Cantidad,Precio,Cobrado\nA,Café,1,2,\nA,Café,1,2,{other}\n"
    assert quantities(read_text(tmp_path, text)) == ["1", "1"]


def test_regulars_buy_the_same_every_day(tmp_path: Path) -> None:
    """Equal lines of different documents are nothing that is asked about."""
    rows = "".join(f"{number},Café,1,2.50\n" for number in range(300))
    assert len(read_lines(tmp_path, rows)) == 300


@pytest.mark.parametrize("empty", ["A,,,\n", "A,Gracias por su compra,,\n"])
def test_rows_without_a_line_do_not_repeat(tmp_path: Path, empty: str) -> None:
    read_lines(tmp_path, "A,Café,1,2.50\n" + empty + empty)


def test_rows_without_a_document_do_not_repeat(tmp_path: Path) -> None:
    batch = read_lines(tmp_path, "A,Café,1,2.50\n,Pan,1,1\n,Pan,1,1\n")
    assert [problem.code for problem in batch.problems] == ["row-without-ref", "row-without-ref"]


def test_continued_rows_repeat_within_their_document(tmp_path: Path) -> None:
    rows = "A,Café,1,2.50\n,Pan,1,1\n,Pan,1,1\nB,Café,1,2.50\n,Pan,1,1\n"
    assert "row 4 is equal in every cell to row 3 of the same document, «A»" in asked(
        lambda: read_lines(tmp_path, rows, settings(continue_rows=True))
    )
    once = read_lines(tmp_path, rows, settings(continue_rows=True, repeated_rows="once"))
    assert [len(entry.document.lines) for entry in once] == [2, 2]


def test_workbooks_are_asked_about_as_well(tmp_path: Path) -> None:
    sale = ["A", "Café", 1, 2.5]
    path = workbook(tmp_path, [["Factura", "Descripción", "Cantidad", "Precio"], sale, [None] * 4, sale])
    assert "ventas.xlsx · Ventas: row 4 is equal in every cell to row 2" in asked(lambda: read([path], Settings()))
    assert quantities(read([path], ONCE)) == ["1"]


def test_several_files_are_asked_about_at_once(tmp_path: Path) -> None:
    """Each with its own rows, and one answer for all."""
    files = [csv_file(tmp_path, HEADINGS + f"{ref},Café,1,2\n" * 2, f"{ref}.csv") for ref in "AB"]
    text = asked(lambda: read(files, Settings()))
    assert "A.csv: row 3" in text
    assert "B.csv: row 3" in text
    assert text.count("--repeated-rows count") == 1


def till_rolls(documents: int, whole: int = 0) -> list[str]:
    """Sales in which one piece was scanned twice; of some every piece was."""
    return [
        f"S{at},Café,1,2\n" * 2 if at < whole else f"S{at},Café,1,2\nS{at},Pan,1,1\nS{at},Café,1,2\n"
        for at in range(documents)
    ]


def test_a_till_that_writes_a_row_for_each_scan_is_told_and_not_asked(tmp_path: Path) -> None:
    batch = read_lines(tmp_path, "".join(till_rolls(10, whole=1)))
    (problem,) = batch.problems
    assert (problem.code, problem.blocks, problem.place.row) == ("repeated-rows-counted", False, 3)
    assert problem.parameters["count"] == problem.parameters["documents"] == "10"
    assert problem.parameters["amount"] == "20.00"
    assert sum(len(entry.document.lines) for entry in batch) == 29


@pytest.mark.parametrize(
    "rows",
    [
        till_rolls(4),
        till_rolls(10, whole=2),
        [*till_rolls(10), "S3,Café,1,2\n"],
        [*till_rolls(9), "Z,Té,1,2\n", "X,Café,1,2\n", "Z,Té,1,2\n"],
    ],
    ids=["too few", "whole documents pasted", "one row further down", "a document in two places"],
)
def test_what_a_person_may_have_pasted_is_asked_about(tmp_path: Path, rows: Sequence[str]) -> None:
    asked(lambda: read_lines(tmp_path, "".join(rows)))


def test_a_whole_table_that_was_pasted_below_itself_is_asked_about(tmp_path: Path) -> None:
    rows = "".join(f"S{at},Café,1,2\nS{at},Pan,1,1\n" for at in range(40))
    assert "80 rows are equal" in asked(lambda: read_lines(tmp_path, rows + rows))


def test_a_workbook_to_correct_asks_nothing(tmp_path: Path) -> None:
    """Its rows were asked about when their own file was read: all that it holds count."""
    for number, chosen in enumerate((COUNT, ONCE)):
        batch = read_lines(tmp_path, PASTED, chosen)
        needs = {index: Need(problems=entry.problems) for index, entry in enumerate(batch)}
        write_fix_file(batch, needs, Messages("es"), tmp_path / f"fix{number}.xlsx")
        assert contents(read([str(tmp_path / f"fix{number}.xlsx")], Settings())) == contents(batch)


def test_the_answer_is_learned(tmp_path: Path) -> None:
    batch = read_lines(tmp_path, PASTED, ONCE)
    assert learn(batch.sources, ONCE, ["01"])["source"]["repeated_rows"] == "once"
    assert "repeated_rows" not in learn(batch.sources, Settings(), ["01"])["source"]


@within_a_test
@given(SALES, st.booleans())
def test_once_gives_what_the_distinct_rows_give(
    tmp_path: Path, sold: Sequence[tuple[str, ...]], in_excel: bool
) -> None:
    """Whatever the rows and wherever they stand; and where every row counts, nothing is lost."""

    def batch_of(rows: Sequence[tuple[str, ...]], chosen: Settings) -> Batch:
        if in_excel:
            return read([workbook(tmp_path, [HEADINGS.strip().split(","), *rows])], chosen)
        return read_lines(tmp_path, "".join(",".join(row) + "\n" for row in rows), chosen)

    once, counted = batch_of(sold, ONCE), batch_of(sold, COUNT)
    assert contents(once) == contents(batch_of(list(dict.fromkeys(sold)), Settings()))
    assert once.sources[0].rows + once.sources[0].left_out == counted.rows == len(sold)
    assert len(once.problems) == len(sold) - len(set(sold))
    assert sum(Decimal(quantity) * Decimal(price) for _, _, quantity, price in set(sold)) == sum(
        entry.document.amount for entry in once
    )


@within_a_test
@given(SALES)
def test_rows_are_asked_about_exactly_where_one_repeats_another(
    tmp_path: Path, sold: Sequence[tuple[str, ...]]
) -> None:
    rows = "".join(",".join(row) + "\n" for row in sold)
    if len(set(sold)) == len(sold):
        assert read_lines(tmp_path, rows).rows == len(sold)
    else:
        repeats = len(sold) - len(set(sold))
        text = asked(lambda: read_lines(tmp_path, rows))
        assert f": {repeats} rows are" in text or (repeats == 1 and ": row " in text)
