from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batch_issuer.messages import Messages
from batch_issuer.model.documents import Document
from batch_issuer.model.problems import Kind, Problem
from batch_issuer.plan.prepare import prepare
from batch_issuer.reading import Batch, read
from batch_issuer.reading.headings.aliases import FIELD_OF, key_of
from batch_issuer.reading.own_sheets import FIX_HEADINGS
from batch_issuer.reconcile import Change
from batch_issuer.reports.fix.corrections import Need
from batch_issuer.reports.fix.workbook import write_fix_file
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


def everything(batch: Batch) -> dict[int, Need]:
    return {number: Need() for number in range(len(batch))}


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
    count = write_fix_file(batch, {found: Need(problems=(problem(batch, 3, "quantity"),))}, EN, tmp_path / "fix.xlsx")
    headings, *rows = table_of(tmp_path / "fix.xlsx")
    assert count.documents == 1
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
    assert [row[0] for row in rows] == ["F-3", "F-3", None]
    assert [row[4] for row in rows] == ["Azúcar", "Sal", "Huérfano"]


def test_wrong_cell_is_marked_commented_and_told(tmp_path: Path) -> None:
    """Fill, note and the last column say what is wrong and what to do; the cell beside is left alone."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(
        batch, {index_of(batch, "F-3"): Need(problems=(problem(batch, 3, "quantity"),))}, EN, tmp_path / "fix.xlsx"
    )
    sheet = sheet_of(tmp_path / "fix.xlsx")
    cell = sheet["F2"]
    assert cell.value == "x"
    assert cell.fill.fgColor.rgb == "FFFFD9D2"
    assert cell.comment.text == "The value «x» is wrong. Write another."
    assert sheet["I2"].value == "The value «x» is wrong. Write another."
    assert (sheet["G2"].comment, sheet["G2"].fill.fgColor.rgb, sheet["I3"].value) == (None, "00000000", None)


def test_row_without_document_stands_below_no_other(tmp_path: Path) -> None:
    """It could belong to the document above it: where that one is not written, it stands above all others."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, {index_of(batch, "F-1"): Need()}, EN, tmp_path / "fix.xlsx")
    _, first, *others = table_of(tmp_path / "fix.xlsx")
    assert first[4] == "Huérfano"
    assert first[-1].startswith("The row has no reference")
    assert [row[0] for row in others] == ["F-1", "F-1"]


def test_refusal_marks_the_cells_that_the_ministry_names(tmp_path: Path) -> None:
    """The ministry's path `#/receptor/nit` is the customer's NIT, and the user's own column of it."""
    batch = batch_of(tmp_path, SALES)
    words = "094 · Campo #/receptor/nit no cumple el formato requerido"
    count = write_fix_file(batch, {index_of(batch, "F-1"): Need(refused=words)}, EN, tmp_path / "fix.xlsx")
    sheet = sheet_of(tmp_path / "fix.xlsx")
    assert count.documents == 1
    assert words in sheet["D3"].comment.text
    assert sheet["I3"].value == (
        f"It was refused: {words} Correct it and issue it again: reference and number stay the same."
    )


def test_nothing_to_correct_writes_nothing(tmp_path: Path) -> None:
    """No file is better than an empty one."""
    batch = batch_of(tmp_path, SALES.replace(",20/11/2026,,,Huérfano,1,9.99,Caja 3\n", ""))
    assert write_fix_file(batch, {}, EN, tmp_path / "fix.xlsx").paths == ()
    assert not (tmp_path / "fix.xlsx").exists()


def test_read_again_it_says_the_same(tmp_path: Path) -> None:
    """The same references and the same content, though a few rows could not tell the decimal mark or the date order."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, everything(batch), EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx")], SETTINGS)
    before = {entry.document.external_ref: content_of(entry.document) for entry in batch}
    after = {entry.document.external_ref: content_of(entry.document) for entry in again}
    assert after == before


def test_ambiguous_numbers_and_dates_are_written_as_what_they_are(tmp_path: Path) -> None:
    """`1,500.25` becomes a number and `05/04/2026` a date; the NIT keeps its zero as text."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, everything(batch), EN, tmp_path / "fix.xlsx")
    rows = {(row[0], row[4]): row for row in table_of(tmp_path / "fix.xlsx")}
    assert rows["F-1", "Arroz"][6] == 1500.25
    assert rows["F-1", "Arroz"][3] == "06140101900010"
    assert rows["F-3", "Sal"][1] == dt.datetime(2026, 4, 5)  # noqa: DTZ001 - a spreadsheet's date
    assert rows["F-3", "Azúcar"][5] == "x"


def test_a_date_that_names_the_sale_names_the_same_one(tmp_path: Path) -> None:
    """Also one that by itself could be read in two ways: the reference is the identity of the sale."""
    settings = replace(SETTINGS, source=replace(SETTINGS.source, external_ref="{Fecha}-{Referencia}"))
    batch = batch_of(tmp_path, SALES.replace("F-", ""), settings=settings)
    write_fix_file(batch, everything(batch), EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx")], settings)
    assert {entry.document.external_ref for entry in again} == {entry.document.external_ref for entry in batch}
    assert "2026-04-05-3" in {entry.document.external_ref for entry in again}


def test_formulas_of_files_stay_texts(tmp_path: Path) -> None:
    """A cell that begins with an equals sign is a text cell, in a text format, and comes back as it was."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(batch, {index_of(batch, "F-2"): Need()}, EN, tmp_path / "fix.xlsx")
    cell = sheet_of(tmp_path / "fix.xlsx")["E3"]
    assert (cell.value, cell.data_type, cell.number_format) == ("=1+2", "s", "@")


def test_a_second_round_has_one_column_of_corrections(tmp_path: Path) -> None:
    """A fix file that still needs a hand gives one with a fresh column in place of the old."""
    batch = batch_of(tmp_path, SALES)
    write_fix_file(
        batch, {index_of(batch, "F-3"): Need(problems=(problem(batch, 3, "quantity"),))}, EN, tmp_path / "fix.xlsx"
    )
    again = read([str(tmp_path / "fix.xlsx")], SETTINGS)
    write_fix_file(again, {index_of(again, "F-3"): Need()}, Messages("en"), tmp_path / "second.xlsx")
    assert table_of(tmp_path / "second.xlsx")[0].count("What to correct") == 1


def test_files_with_other_columns_get_workbooks_of_their_own(tmp_path: Path) -> None:
    """A workbook with several sheets of sales would be asked about; several workbooks are issued together."""
    batch = batch_of(tmp_path, SALES, "No. factura,Detalle,Cant.,Precio\nG-1,Pan,1,0.25\n")
    write_fix_file(batch, {index_of(batch, "F-1"): Need(), index_of(batch, "G-1"): Need()}, EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx"), str(tmp_path / "fix-2.xlsx")], SETTINGS)
    assert {entry.document.external_ref for entry in again} == {"F-1", "G-1"}


def test_files_with_the_same_columns_share_a_sheet(tmp_path: Path) -> None:
    """Two tills with one layout give one workbook."""
    batch = batch_of(tmp_path, SALES, SALES.replace("F-", "G-"))
    write_fix_file(batch, {index_of(batch, "F-1"): Need(), index_of(batch, "G-1"): Need()}, EN, tmp_path / "fix.xlsx")
    assert [row[0] for row in table_of(tmp_path / "fix.xlsx")[1:]] == [None, None, "F-1", "F-1", "G-1", "G-1"]
    assert sorted(path.name for path in tmp_path.glob("*.xlsx")) == ["fix.xlsx"]


def test_same_batch_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the clock gets into the fix file."""
    batch = batch_of(tmp_path, SALES)
    for name in ("one", "two"):
        write_fix_file(batch, {0: Need()}, EN, tmp_path / f"{name}.xlsx")
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
    write_fix_file(batch, everything(batch), EN, folder / "fix.xlsx")
    again = read([str(folder / "fix.xlsx")], SETTINGS)
    assert [content_of(entry.document) for entry in again] == [content_of(entry.document) for entry in batch]


OTHER_FILES: dict[str, tuple[str, Settings]] = {
    "decimal comma, other headings": (
        (
            "Doc;Día;Qué;Cuántos;Vale;NIT\n1;5/4/2026;Arroz;3;1.500,25;06140101900010\n"
            "1;5/4/2026;Sal;x;0,35;06140101900010\n"
            "2;25/4/2026;Azúcar;1,5;2,00;\n"
        ),
        replace(
            SETTINGS,
            columns={"external_ref": "Doc", "date": "Día", "description": "Qué", "quantity": "Cuántos",
                     "unit_price": "Vale"},
        ),
    ),
    "a reference of two columns, the settings' sheet and notations": (
        (
            'Sucursal,Número,Fecha,Descripción,Cantidad,Precio\nCentro,007,04/05/2026,Arroz,"1,500","2,50"\n'
            'Centro,008,04/05/2026,Sal,"x","0,35"\nSur,007,13/05/2026,Sal,1,"0,35"\n'
        ),
        replace(
            SETTINGS,
            source=replace(SETTINGS.source, external_ref="{Sucursal}-{Número}", sheet="Ventas", decimal="comma",
                           dates="dmy"),
        ),
    ),
    "rows that continue the document above": (
        (
            "Referencia,Cliente,Producto,Cantidad,Precio\nA,Ana Ejemplo,Arroz,1,2.50\n,,Sal,x,0.35\nB,,Azúcar,1,2\n"
            ",,Pan,2,0.10\nA,,Café,1,3.75\n"
        ),
        replace(SETTINGS, source=replace(SETTINGS.source, continue_rows=True)),
    ),
    "percentages, times, long numbers and text in columns of our own": (
        (
            "Referencia,Fecha,Producto,Cantidad,Precio,Descuento,Código,Notas\n"
            "A,2026-11-20 14:30,Arroz,1,1234567890.123456,10%,00012,=HYPERLINK(1)\n"
            "B,2026-11-21 09:00,Sal,x,0.35,5%,,\n"
        ),
        SETTINGS,
    ),
    "net prices by the heading": (
        (
            "Referencia,Tipo DTE,Producto,Cantidad,Precio (03 sin IVA),Cliente\nA,CCF,Arroz,3,1.10,Tienda Ejemplo\n"
        ),
        SETTINGS,
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(OTHER_FILES))
def other(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Batch, Settings]:
    """The batch of a file of another shop, with the settings that it needs."""
    text, settings = OTHER_FILES[request.param]
    return batch_of(tmp_path, text, settings=settings), settings


def said(batch: Batch) -> dict[str, tuple[Document, list[str]]]:
    """By reference, content and the codes of what holds a document back; of a formula only that it has no result."""
    same = {"formula-without-value": "error-value"}
    found: dict[str, tuple[Document, list[str]]] = {}
    for entry in batch:
        codes = [same.get(problem.code, problem.code) for problem in entry.problems if problem.blocks]
        found[entry.document.external_ref] = content_of(entry.document), codes
    return found


def test_the_settings_of_the_file_fit_the_fix_file(other: tuple[Batch, Settings], tmp_path: Path) -> None:
    """Mapped columns, templates, notations, continued rows: the same documents with the same problems, twice over."""
    batch, settings = other
    write_fix_file(batch, everything(batch), EN, tmp_path / "fix.xlsx", sheet=settings.source.sheet)
    again = read([str(tmp_path / "fix.xlsx")], settings)
    assert said(again) == said(batch)
    write_fix_file(again, everything(again), EN, tmp_path / "second.xlsx", sheet=settings.source.sheet)
    assert said(read([str(tmp_path / "second.xlsx")], settings)) == said(batch)


def test_saved_by_libreoffice_they_say_the_same(tmp_path: Path, resave: Callable[..., list[Path]]) -> None:
    """All of the files above and one out of a workbook with true dates, each saved as whoever corrects it saves it."""
    paths: list[Path] = []
    batches: list[tuple[Batch, Settings]] = []
    for number, (text, settings) in enumerate(OTHER_FILES.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        batches.append((batch_of(folder, text, settings=settings), settings))
    batches.append((read([str(a_workbook(tmp_path))], SETTINGS), SETTINGS))
    for number, (batch, settings) in enumerate(batches):
        paths.append(tmp_path / f"fix{number}.xlsx")
        write_fix_file(batch, everything(batch), EN, paths[-1], sheet=settings.source.sheet)
    for saved, (batch, settings) in zip(resave(*paths), batches, strict=True):
        assert said(read([str(saved)], settings)) == said(batch), saved.name


def a_workbook(folder: Path) -> Path:
    """Sales with true dates and times, numbers as identifiers, a formula without a result, and what Excel destroyed."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Caja 1"
    sheet.append(["Ferretería El Ejemplo"])
    sheet.append(["Factura", "Fecha", "Cliente", "DUI", "Producto", "Cantidad", "Precio", "Caja", "Cobrado el"])
    moment = dt.datetime(2026, 4, 5, 14, 30)  # noqa: DTZ001 - a spreadsheet's
    for row in (
        [1041, moment, "Ana Ejemplo", 99000013, "Arroz", 2, 1234.5678, 7, moment],
        [1042, dt.date(2026, 4, 6), "=A1&B1", None, "Sal", 1, 0.35, 7, None],
        [12345678901234567890, dt.date(2026, 4, 6), None, None, "Sal", 1, 0.35, 7, None],
        [dt.date(2026, 1, 12), dt.date(2026, 4, 6), None, None, "Sal", 1, 0.35, 7, None],
        ["#N/A", dt.date(2026, 4, 6), None, None, "Sal", 1, 0.35, "007", None],
    ):
        sheet.append(row)
    book.save(folder / "caja.xlsx")
    return folder / "caja.xlsx"


def test_what_a_workbook_has_destroyed_is_found_again(tmp_path: Path) -> None:
    """A document that nobody corrects does not pass because its cells are texts now."""
    batch = read([str(a_workbook(tmp_path))], SETTINGS)
    write_fix_file(batch, everything(batch), EN, tmp_path / "fix.xlsx")
    again = read([str(tmp_path / "fix.xlsx")], SETTINGS)
    found = {reference: codes for reference, (_, codes) in said(again).items()}
    assert found == {reference: codes for reference, (_, codes) in said(batch).items()}
    assert sorted(code for codes in found.values() for code in codes) == [
        "error-value", "error-value", "ref-is-a-date", "too-many-digits",
    ]  # fmt: skip
    row = table_of(tmp_path / "fix.xlsx")[1]
    assert (row[0], row[1], row[3], row[7], row[8]) == (
        "1041", dt.datetime(2026, 4, 5, 14, 30), "99000013", 7, dt.datetime(2026, 4, 5, 14, 30),  # noqa: DTZ001
    )  # fmt: skip


def test_a_row_that_was_too_long_stays_so(tmp_path: Path) -> None:
    """What stood beyond the headings has a column of its own, and holds the document back until it is empty."""
    batch = batch_of(tmp_path, "Referencia,Producto,Cantidad,Precio\nA,Pan,1,1,50\nB,Sal,1,2\n")
    write_fix_file(batch, everything(batch), EN, tmp_path / "fix.xlsx")
    assert table_of(tmp_path / "fix.xlsx")[:2] == [
        ("Referencia", "Producto", "Cantidad", "Precio", "Beyond the headings", "What to correct"),
        ("A", "Pan", 1, 1, "50", None),
    ]
    assert said(read([str(tmp_path / "fix.xlsx")], SETTINGS)) == said(batch)
    book = openpyxl.load_workbook(tmp_path / "fix.xlsx")
    book.worksheets[0]["D2"], book.worksheets[0]["E2"] = 1.5, None
    book.save(tmp_path / "fix.xlsx")
    (content, codes), _ = said(read([str(tmp_path / "fix.xlsx")], SETTINGS)).values()
    assert (str(content.lines[0].unit_price), codes) == ("1.5", [])


def test_no_half_of_a_document_and_none_twice(tmp_path: Path) -> None:
    """Lines that stand in files with other columns, or in two files, are corrected there."""
    other = "No. factura,Detalle,Cant.,Precio\nF-1,Pan,1,0.25\nG-1,Pan,1,0.25\n"
    batch = batch_of(tmp_path, SALES, other, SALES.replace("F-1", "H-1").replace("F-3", "H-3"))
    needs = {index: Need(problems=entry.problems) for index, entry in enumerate(batch)}
    written = write_fix_file(batch, needs, EN, tmp_path / "fix.xlsx")
    assert written.left_out == ("F-1", "F-2")
    references = {row[0] for path in written.paths for row in table_of(path)[1:]}
    assert references == {None, "F-3", "G-1", "H-1", "H-3"}


def test_a_conflict_is_shown_on_its_cells(tmp_path: Path) -> None:
    """What was issued otherwise, on the row of its line; what has no column on the document's first row."""
    batch = batch_of(tmp_path, SALES)
    changes = (
        Change(what="lines[2].quantity", issued="1", file="2"),
        Change(what="customer.name", issued="Tienda La Muestra", file="Tienda Ejemplo"),
        Change(what="payment_method", issued="01", file=""),
    )
    write_fix_file(batch, {index_of(batch, "F-1"): Need(changes=changes)}, EN, tmp_path / "fix.xlsx")
    sheet = sheet_of(tmp_path / "fix.xlsx")
    assert sheet["F4"].comment.text.startswith("Cantidad was issued as «1», and the file says «2»")
    assert sheet["C3"].comment.text.startswith("Cliente was issued as «Tienda La Muestra»")
    assert sheet["I1"].value == "Payment method"
    assert sheet["I3"].comment.text.startswith("Payment method was issued as «01», and the file says «—»")
    assert sheet["I3"].comment.text in sheet["J3"].value


def test_the_line_that_the_provider_names_is_marked(tmp_path: Path) -> None:
    """`Línea 2: cantidad debe ser mayor a cero` is the second row's quantity."""
    batch = batch_of(tmp_path, SALES)
    need = Need(refused="Línea 2: cantidad debe ser mayor a cero")
    write_fix_file(batch, {index_of(batch, "F-1"): need}, EN, tmp_path / "fix.xlsx")
    sheet = sheet_of(tmp_path / "fix.xlsx")
    assert sheet["F3"].comment is None
    assert "cantidad debe ser mayor" in sheet["F4"].comment.text


def test_a_column_that_the_file_lacks_is_added(tmp_path: Path) -> None:
    """Where to write what is missing: under a heading that is understood, marked in the rows that need it."""
    text = "Referencia,Tipo DTE,Producto,Cantidad,Precio (03 sin IVA),Cliente,NIT\n"
    batch = batch_of(tmp_path, text + "A,CCF,Arroz,3,1.10,Tienda Ejemplo,0614-300299-101-0\n")
    held = prepare(batch, SETTINGS, dt.date(2026, 11, 20)).held
    needs = {one.number: Need(problems=one.problems, document=one.document) for one in held}
    write_fix_file(batch, needs, Messages("es"), tmp_path / "fix.xlsx")
    (row,) = sheet_of(tmp_path / "fix.xlsx").iter_rows(min_row=2)
    headings = table_of(tmp_path / "fix.xlsx")[0]
    assert headings[7:] == ("NRC", "Tipo de contribuyente", "Qué corregir")
    assert [cell.comment is not None for cell in row[7:9]] == [True, True]
    book = openpyxl.load_workbook(tmp_path / "fix.xlsx")
    book.worksheets[0]["H2"], book.worksheets[0]["I2"] = "12345-6", "Grande"
    book.save(tmp_path / "fix.xlsx")
    again = prepare(read([str(tmp_path / "fix.xlsx")], SETTINGS), SETTINGS, dt.date(2026, 11, 20))
    assert [one.external_ref for one in again.candidates] == ["A"]
