"""Which rows are sales: blank rows, repeated headings, totals and notes are left out and told; nothing else is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from batch_issuer.reading import Batch
from tests.reading.reading_samples import ENGLISH, codes, read_lines, read_text, refs, settings

WITH_AMOUNTS = "Factura,Descripción,Cantidad,Precio,Importe\n"


def of_files(batch: Batch) -> list[str]:
    return [f"{problem.place.row} {problem.message(ENGLISH)}" for problem in batch.problems]


def counts(batch: Batch) -> tuple[int, int]:
    return batch.rows, batch.sources[0].left_out


def test_blank_rows_and_repeated_headings_are_counted(tmp_path: Path) -> None:
    """Printed pages repeat the headings."""
    lines = "A1,Café,1,2\n,,,\n  ,\u00a0,,\nFACTURA,descripción,Cantidad,Precio  unitario\nA2,Té,1,2\n\n"
    batch = read_lines(tmp_path, lines)
    assert refs(batch) == ["A1", "A2"]
    assert counts(batch) == (2, 4)
    assert batch.place(1).row == 6


@pytest.mark.parametrize(
    "total",
    [
        "TOTAL,,3,,8.00", ",TOTAL,3,,8.00", ",,3,Total:,8.00", "Gran total,,3,,8.00", ",Total general,3,4,8.00",
        ",,3,,8.00", ",,,,8.00", ",Suma,,,8", "Totales,,,,$8.00",
    ],
)  # fmt: skip
def test_total_rows_are_left_out_and_kept_as_control(tmp_path: Path, total: str) -> None:
    """With a label in any column, or without any: a row of numbers only."""
    batch = read_text(tmp_path, f"{WITH_AMOUNTS}A1,Café,1,2,2\nA2,Té,2,3,6\n{total}\n")
    assert refs(batch) == ["A1", "A2"]
    assert counts(batch) == (2, 1)
    assert batch.sources[0].control_total == 8
    assert not of_files(batch)


def test_a_total_that_differs_is_told(tmp_path: Path) -> None:
    """A row may have been lost before the file came here."""
    batch = read_text(tmp_path, f"{WITH_AMOUNTS}A1,Café,1,2,2\nA2,Té,2,3,6\nTOTAL,,4,,9.50\n")
    assert of_files(batch) == [
        "4 The sheet's own total row says 4, and the rows read add up to 3: a row may be missing or too many.",
        "4 The sheet's own total row says 9.50, and the rows read add up to 8: a row may be missing or too many.",
    ]


def test_subtotals_may_take_the_place_of_a_total(tmp_path: Path) -> None:
    """Excel's own subtotals, with or without a grand total."""
    lines = "A1,Café,1,2,2\nTotal A1,,1,,2\nA2,Té,2,3,6\nTotal A2,,2,,6\n"
    for end in ("", "Total general,,3,,8\n"):
        batch = read_text(tmp_path, WITH_AMOUNTS + lines + end)
        assert refs(batch) == ["A1", "A2"]
        assert not of_files(batch)


def test_the_documents_own_total_is_added_once_for_each(tmp_path: Path) -> None:
    """A column of document totals repeats on every line."""
    text = "Factura,Descripción,Cantidad,Precio,Total factura\nA1,Café,1,2,5\nA1,Pan,1,3,5\nA2,Té,2,3,6\nTOTAL,,,,11\n"
    batch = read_text(tmp_path, text)
    assert not of_files(batch)
    assert batch.sources[0].control_total == 11
    assert batch[0].document.total == Decimal(5)


def test_products_that_are_called_total_are_sales(tmp_path: Path) -> None:
    """A row with a reference and a description is a sale, whatever its words."""
    batch = read_lines(tmp_path, "A1,Total,1,2\nA2,Total limpieza 1 l,1,2\nTOTAL-3,Café,1,2\n")
    assert refs(batch) == ["A1", "A2", "TOTAL-3"]


def test_notes_are_left_out_and_told(tmp_path: Path) -> None:
    """A text alone in its row cannot be a sale."""
    batch = read_lines(tmp_path, "Sucursal Centro,,,\nA1,Café,1,2\n,,,\nElaborado por: Ana,,,\n,(precios con IVA),,\n")
    assert refs(batch) == ["A1"]
    assert of_files(batch) == [
        "2 The row holds only «Sucursal Centro» and was left out: it is not a sale.",
        "5 The row holds only «Elaborado por: Ana» and was left out: it is not a sale.",
        "6 The row holds only «(precios con IVA)» and was left out: it is not a sale.",
    ]


def test_a_lone_reference_is_no_note(tmp_path: Path) -> None:
    """A sale whose row was never filled in is a problem, not a note."""
    batch = read_lines(tmp_path, "A1,Café,1,2\nA2,,,\n")
    assert refs(batch) == ["A1", "A2"]
    assert codes(batch) == ["quantity-missing", "unit-price-missing"]


def test_a_row_of_numbers_between_sales_is_a_problem(tmp_path: Path) -> None:
    """It may be a sale that lost its reference and description, so it is told."""
    batch = read_lines(tmp_path, "A1,Café,1,2\n,,3,4\nA2,Té,1,2\n")
    assert [(problem.code, problem.place.row) for problem in batch.problems] == [("row-without-ref", 3)]


def test_rows_without_reference_are_told_or_continued(tmp_path: Path) -> None:
    """They belong to the document above only if the settings say so."""
    lines = ",Pan,1,1\nA1,Café,1,2\n,Té,1,3\n,Sal,1,4\nA2,Ron,1,5\n"
    batch = read_lines(tmp_path, lines)
    assert [len(entry.document.lines) for entry in batch] == [1, 1]
    assert [problem.place.row for problem in batch.problems] == [2, 4, 5]
    assert batch.rows == 5
    batch = read_lines(tmp_path, lines, settings(continue_rows=True))
    assert [[line.description for line in entry.document.lines] for entry in batch] == [["Café", "Té", "Sal"], ["Ron"]]
    assert [problem.place.row for problem in batch.problems] == [2]


def test_a_description_that_goes_on_below_is_a_problem(tmp_path: Path) -> None:
    """With continued rows a description alone may be a line: it is not dropped."""
    batch = read_lines(tmp_path, "A1,Café,1,2\n,molido fino,,\n", settings(continue_rows=True))
    assert codes(batch) == ["quantity-missing", "unit-price-missing"]


def test_headings_without_sales_are_told(tmp_path: Path) -> None:
    """A day without sales is no mistake of the file."""
    batch = read_lines(tmp_path, "")
    assert (len(batch), batch.rows, [problem.code for problem in batch.problems]) == (0, 0, ["no-rows"])
    assert list(batch) == []
