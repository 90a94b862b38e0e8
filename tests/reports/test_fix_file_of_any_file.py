"""Whatever a file holds, its workbook to correct holds the same documents with the same problems."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from batch_issuer.messages import Messages
from batch_issuer.model.documents import Document
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import Batch, read
from batch_issuer.reports.fix.corrections import Need
from batch_issuer.reports.fix.workbook import write_fix_file
from batch_issuer.settings import Settings, Source

NUMBERS = (
    "1", "2.5", "0.35", "1,234.50", "1.234,50", "1,5", "1.234", "1,234", "$3.00", "(2.00)", "x", "", "12.", "#N/A",
    "1e3", "100%", "10%", "-1", "3 u", " 4 ", "0.1234567891234", "123456789.123456789",
)  # fmt: skip
TEXTS = (
    "Café", "Café molido, 400 g", "=x", "'=x", "<r>a</r>", "_x0041_", "  dos  ", "a\tb", "Total", "TRUE", "00012",
    "1,5", "ñÑ€", "“”", "", "Línea\nrota", "@x", "+503 2222", "#REF!", "-", "N/A", "Anulada", "EUR",
)  # fmt: skip
CELLS: dict[str, tuple[tuple[str, ...], tuple[Any, ...]]] = {
    "Factura": (("A-1", "A-2", "007", "8", "", "B 1", "b 1", "12345678901234567", '="9"', "2026-01-01"),
                (1, 12345678901234567890, dt.date(2026, 1, 2))),
    "Fecha": (("05/04/2026", "25/04/2026", "2026-04-05 14:30", "31/31/2026", "", "46000", "25/04/2026 2:30 p.m."),
              (dt.date(2026, 4, 5), dt.datetime(2026, 4, 25, 9, 15), 46000, dt.time(9, 30))),  # noqa: DTZ001
    "Producto": (TEXTS, ()),
    "Cant.": (NUMBERS, (1, 2.5, 1234.5678, 0.1 + 0.2, True)),
    "Precio": (NUMBERS, (1, 0.35, 1234.5678, 12345678901234567)),
    "Desc. %": (("", "10", "5%", "0", "x"), (10, 2.5)),
    "NIT": (("0614-300299-101-0", "06143002991010", "6143002991010", "1.2E+12", ""), (6143002991010, 99000013)),
    "Cliente": (TEXTS, ()),
    "Importe": ((*NUMBERS, "Anulada"), (3.5, 7)),
    "Estado": (TEXTS, (1, dt.date(2026, 4, 5))),
}  # fmt: skip
"""By heading, what may be written under it as text, and what a workbook may hold there besides."""
NEEDED = ("Factura", "Producto", "Cant.", "Precio")
OPTIONAL = tuple(heading for heading in CELLS if heading not in NEEDED)

Table = tuple[list[str], list[list[Any]], bool]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Headings, rows, and whether it is a workbook."""
    headings = draw(st.permutations([*NEEDED, *draw(st.lists(st.sampled_from(OPTIONAL), max_size=4, unique=True))]))
    is_workbook = draw(st.booleans())
    kinds = [st.sampled_from((*CELLS[heading][0], *(CELLS[heading][1] if is_workbook else ()))) for heading in headings]
    rows = draw(st.lists(st.tuples(*kinds).map(list), min_size=1, max_size=6))
    return list(headings), rows, is_workbook


def written(table: Table, folder: Path) -> Path:
    headings, rows, is_workbook = table
    if not is_workbook:
        with (folder / "ventas.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows([headings, *rows])
        return folder / "ventas.csv"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [headings, *rows]:
        sheet.append([cell or None for cell in row])
        for cell in sheet[sheet.max_row]:
            if cell.data_type == "f":
                cell.data_type = "s"
    book.save(folder / "ventas.xlsx")
    return folder / "ventas.xlsx"


def said(batch: Batch) -> tuple[dict[str, tuple[Document, list[str]]], int]:
    """By reference, content and what holds a document back; and how many rows belong to none."""
    documents = {
        entry.document.external_ref: (
            replace(entry.document, lines=tuple(line._replace(row=0) for line in entry.document.lines)),
            sorted(problem.code for problem in entry.problems if problem.blocks),
        )
        for entry in batch
    }
    return documents, sum(problem.code == "row-without-ref" for problem in batch.problems)


@settings(max_examples=150)
@given(
    table=tables(),
    source=st.builds(
        Source,
        continue_rows=st.booleans(),
        decimal=st.sampled_from(("", "point", "comma")),
        dates=st.sampled_from(("", "dmy")),
        external_ref=st.sampled_from(("", "{Factura}", "{Factura}-{Cant.}")),
        prices=st.just({"01": "with_vat"}),
    ),
)
def test_nothing_is_mended_or_broken_by_writing_it_down(
    tmp_path_factory: pytest.TempPathFactory, table: Table, source: Source
) -> None:
    """The same references, contents and problems: who corrects nothing changes nothing."""
    folder = tmp_path_factory.mktemp("any")
    chosen = Settings(source=source)
    try:
        batch = read([str(written(table, folder))], chosen)
    except CannotStart:
        assume(False)
        raise
    needs = {index: Need(problems=entry.problems) for index, entry in enumerate(batch)}
    fixes = write_fix_file(batch, needs, Messages("es"), folder / "fix.xlsx")
    assume(fixes.paths)
    assert said(read([str(folder / "fix.xlsx")], chosen)) == said(batch)
