from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batch_issuer.documents import Document
from batch_issuer.messages import Messages
from batch_issuer.problems import Kind, Problem
from batch_issuer.reading import Batch, read
from batch_issuer.reading.aliases import FIELD_OF, key_of
from batch_issuer.reports.fix_file import FIX_HEADINGS, write_fix_file
from batch_issuer.settings import Settings, Source

EN = Messages("en")
SALES = """\
Referencia,Fecha,Cliente,NIT,Producto,Cantidad,Precio,Cajero
F-1,20/11/2026,Tienda Ejemplo,06140101900010,Arroz,3,"1,500.25",Caja 1
F-1,20/11/2026,Tienda Ejemplo,06140101900010,Frijol,2,0.65,Caja 1
F-2,20/11/2026,Comedor Prueba,,=1+2,1,2.50,Caja 2
F-3,05/04/2026,,,Azúcar,x,1.00,Caja 2
F-3,05/04/2026,,,Sal,1,0.35,Caja 2
,20/11/2026,,,Huérfano,1,9.99,Caja 3
"""
WRONG = Kind(code="wrong", message="The value «{value}» is wrong.", repair="Write another.")
SETTINGS = Settings(source=Source(doc_type="01", prices={"01": "with_vat"}))


def batch_of(folder: Path, *texts: str, settings: Settings = SETTINGS) -> Batch:
    """The batch of CSV files with these contents."""
    for number, text in enumerate(texts):
        (folder / f"ventas{number or ''}.csv").write_text(text, encoding="utf-8")
    return read([str(path) for path in sorted(folder.glob("*.csv"))], settings)


def problem(batch: Batch, row: int, field: str) -> Problem:
    return Problem(kind=WRONG, place=batch.place(row, field), value=batch.sheet_row(row).cells[5], field=field)


def index_of(batch: Batch, reference: str) -> int:
    return next(number for number, entry in enumerate(batch) if entry.document.external_ref == reference)


def sheet_of(path: Path) -> Any:
    (sheet,) = openpyxl.load_workbook(path).worksheets
    return sheet


def table_of(path: Path) -> list[tuple[Any, ...]]:
    return list(sheet_of(path).iter_rows(values_only=True))


def content_of(document: Document) -> Document:
    """A document without its places in the file."""
    return replace(document, lines=tuple(line._replace(row=0) for line in document.lines))


def test_only_documents_that_need_a_hand_with_all_their_rows(tmp_path: Path) -> None:
    """The user's own columns and order, one column more; rows of other documents are not there."""
    batch = batch_of(tmp_path, SALES)
    found = index_of(batch, "F-3")
    count = write_fix_file(batch, [(found, (problem(batch, 3, "quantity"),))], {}, EN, tmp_path / "fix.xlsx")
    headings, *rows = table_of(tmp_path / "fix.xlsx")
    assert count == 1
    assert headings == (
        "Referencia",
        "Fecha",
        "Cliente",
        "NIT",
        "Producto",
        "Cantidad",
        "Precio",
        "Cajero",
        "What to correct",
    )
    assert [row[0] for row in rows] == [None, "F-3", "F-3"]
    assert [row[4] for row in rows] == ["Huérfano", "Azúcar", "Sal"]


def test_wrong_cell_is_marked_commented_and_told(tmp_path: Path) -> None:
    """Fill, note and the last column say what is wrong and what to do; the cell beside is left alone."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, [(index_of(batch, "F-3"), (problem(batch, 3, "quantity"),))], {}, EN, tmp_path / "fix.xlsx")
    sheet = sheet_of(tmp_path / "fix.xlsx")
    cell = sheet["F3"]
    assert cell.value == "x"
    assert cell.fill.fgColor.rgb == "FFFFD9D2"
    assert cell.comment.text == "The value «x» is wrong. Write another."
    assert sheet["I3"].value == "The value «x» is wrong. Write another."
    assert (sheet["G3"].comment, sheet["G3"].fill.fgColor.rgb, sheet["I4"].value) == (None, "00000000", None)


def test_row_without_document_comes_first(tmp_path: Path) -> None:
    """It could be taken for the continuation of the document above it, so it stands above all of them."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, [(index_of(batch, "F-1"), ())], {}, EN, tmp_path / "fix.xlsx")
    _, first, *others = table_of(tmp_path / "fix.xlsx")
    assert first[4] == "Huérfano"
    assert first[-1].startswith("The row has no reference")
    assert [row[0] for row in others] == ["F-1", "F-1"]


def test_refusal_marks_the_cells_that_the_ministry_names(tmp_path: Path) -> None:
    """The ministry's path `#/receptor/nit` is the customer's NIT, and the user's own column of it."""
    batch = batch_of(tmp_path, SALES)
    words = "094 · Campo #/receptor/nit no cumple el formato requerido"
    count = write_fix_file(batch, [], {index_of(batch, "F-1"): words}, EN, tmp_path / "fix.xlsx")
    sheet = sheet_of(tmp_path / "fix.xlsx")
    assert count == 1
    assert words in sheet["D3"].comment.text
    assert sheet["I3"].value == (
        f"It was refused: {words} Correct it and issue it again: reference and number stay the same."
    )


def test_nothing_to_correct_writes_nothing(tmp_path: Path) -> None:
    """No file is better than an empty one."""
    batch = batch_of(tmp_path, SALES.replace(",20/11/2026,,,Huérfano,1,9.99,Caja 3\n", ""))
    assert write_fix_file(batch, [], {}, EN, tmp_path / "fix.xlsx") == 0
    assert not (tmp_path / "fix.xlsx").exists()


def test_read_again_it_says_the_same(tmp_path: Path) -> None:
    """The same references and the same content, though a few rows could not tell the decimal mark or the date order."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, [(number, ()) for number in range(len(batch))], {}, EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx")], SETTINGS)
    before = {entry.document.external_ref: content_of(entry.document) for entry in batch}
    after = {entry.document.external_ref: content_of(entry.document) for entry in again}
    assert after == before


def test_ambiguous_numbers_and_dates_are_written_as_what_they_are(tmp_path: Path) -> None:
    """`1,500.25` becomes a number and `05/04/2026` a date; the NIT keeps its zero as text."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, [(number, ()) for number in range(len(batch))], {}, EN, tmp_path / "fix.xlsx")
    rows = {(row[0], row[4]): row for row in table_of(tmp_path / "fix.xlsx")}
    assert rows["F-1", "Arroz"][6] == 1500.25
    assert rows["F-1", "Arroz"][3] == "06140101900010"
    assert rows["F-3", "Sal"][1] == dt.datetime(2026, 4, 5)  # noqa: DTZ001 - a spreadsheet's date
    assert rows["F-3", "Azúcar"][5] == "x"


def test_a_date_that_names_the_sale_stays_as_it_was_written(tmp_path: Path) -> None:
    """A column that the reference is made of is the identity of the sale: not a letter of it changes."""
    settings = replace(SETTINGS, source=replace(SETTINGS.source, external_ref="{Fecha}-{Referencia}"))
    batch = batch_of(tmp_path, SALES.replace("F-", "").replace("05/04", "25/04"), settings=settings)
    write_fix_file(batch, [(number, ()) for number in range(len(batch))], {}, EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx")], settings)
    assert {entry.document.external_ref for entry in again} == {entry.document.external_ref for entry in batch}
    assert "25/04/2026" in {row[1] for row in table_of(tmp_path / "fix.xlsx")}


def test_formulas_of_files_stay_texts(tmp_path: Path) -> None:
    """A cell that begins with an equals sign is a text cell, in a text format, and comes back as it was."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, [(index_of(batch, "F-2"), ())], {}, EN, tmp_path / "fix.xlsx")
    cell = sheet_of(tmp_path / "fix.xlsx")["E3"]
    assert (cell.value, cell.data_type, cell.number_format) == ("=1+2", "s", "@")


def test_a_second_round_has_one_column_of_corrections(tmp_path: Path) -> None:
    """A fix file that still needs a hand gives one with a fresh column in place of the old."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, [(index_of(batch, "F-3"), (problem(batch, 3, "quantity"),))], {}, EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx")], SETTINGS)
    write_fix_file(again, [(index_of(again, "F-3"), ())], {}, Messages("en"), tmp_path / "second.xlsx")
    assert table_of(tmp_path / "second.xlsx")[0].count("What to correct") == 1


def test_files_with_other_columns_get_workbooks_of_their_own(tmp_path: Path) -> None:
    """A workbook with several sheets of sales would be asked about; several workbooks are issued together."""
    batch = batch_of(tmp_path, SALES, "No. factura,Detalle,Cant.,Precio\nG-1,Pan,1,0.25\n")
    write_fix_file(batch, [(index_of(batch, "F-1"), ()), (index_of(batch, "G-1"), ())], {}, EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx"), str(tmp_path / "fix-2.xlsx")], SETTINGS)
    assert {entry.document.external_ref for entry in again} == {"F-1", "G-1"}


def test_files_with_the_same_columns_share_a_sheet(tmp_path: Path) -> None:
    """Two tills with one layout give one workbook."""
    batch = batch_of(tmp_path, SALES, SALES.replace("F-", "G-"))
    write_fix_file(batch, [(index_of(batch, "F-1"), ()), (index_of(batch, "G-1"), ())], {}, EN, tmp_path / "fix.xlsx")
    assert [row[0] for row in table_of(tmp_path / "fix.xlsx")[1:]] == [None, None, "F-1", "F-1", "G-1", "G-1"]
    assert sorted(path.name for path in tmp_path.glob("*.xlsx")) == ["fix.xlsx"]


def test_same_batch_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the clock gets into the fix file."""
    batch = batch_of(tmp_path, SALES)
    for name in ("one", "two"):
        write_fix_file(batch, [(0, ())], {}, EN, tmp_path / f"{name}.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


@pytest.mark.parametrize("heading", FIX_HEADINGS)
def test_reading_has_no_use_for_the_added_column(heading: str) -> None:
    """Its heading is none that is taken for a field of ours."""
    assert key_of(heading) not in FIELD_OF


CELLS = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='"'), min_size=1, max_size=12)


@example(names=["<r><t>x</t></r>", "_x0041_", "=1+1", "'=1", "00012", "1,5", "TRUE"])
@given(names=st.lists(CELLS, min_size=1, max_size=5))
def test_every_reference_and_text_survives(tmp_path_factory: pytest.TempPathFactory, names: Sequence[str]) -> None:
    """Whatever stands in reference, customer and description: the file that is read again has the same documents."""
    folder = tmp_path_factory.mktemp("texts")
    lines = [f'"F{at}{name}","{name}","{name}",1,2.50' for at, name in enumerate(names)]
    batch = batch_of(folder, "\n".join(["Referencia,Cliente,Producto,Cantidad,Precio", *lines]) + "\n")
    write_fix_file(batch, [(number, ()) for number in range(len(batch))], {}, EN, folder / "fix.xlsx")
    again = read([str(folder / "fix.xlsx")], SETTINGS)
    assert [content_of(entry.document) for entry in again] == [content_of(entry.document) for entry in batch]
