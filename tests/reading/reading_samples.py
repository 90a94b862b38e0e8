"""Small files for the tests of reading: CSV from text, workbooks from rows or from raw XML."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import openpyxl

from batch_issuer.messages import Messages
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import Batch, read
from batch_issuer.settings import DEFAULT_PRICES, Settings, Source

ENGLISH = Messages("en")
HEADINGS = "Factura,Descripción,Cantidad,Precio unitario\n"


def settings(columns: Mapping[str, str] | None = None, **source: Any) -> Settings:
    """Settings with some keys of [source] and [columns]."""
    if "prices" in source:
        source["prices"] = {**DEFAULT_PRICES, **source["prices"]}
    return Settings(source=Source(**source), columns=MappingProxyType(dict(columns or {})))


def csv_file(folder: Path, text: str, name: str = "ventas.csv", encoding: str = "utf-8") -> str:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return str(path)


def read_text(folder: Path, text: str, chosen: Settings | None = None) -> Batch:
    """The batch of one small CSV."""
    return read([csv_file(folder, text)], chosen or Settings())


def read_lines(folder: Path, lines: str, chosen: Settings | None = None) -> Batch:
    """The batch of a CSV whose headings are the usual four."""
    return read_text(folder, HEADINGS + lines, chosen)


def workbook(folder: Path, rows: Sequence[Sequence[Any]], name: str = "ventas.xlsx") -> str:
    """A workbook with one sheet «Ventas», as Excel would store the values."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Ventas"
    for row in rows:
        sheet.append(list(row))
    book.save(folder / name)
    return str(folder / name)


def raw_workbook(
    folder: Path, sheet_xml: str, strings_xml: str = "", styles_xml: str = "", workbook_xml: str = ""
) -> str:
    """A workbook of one sheet whose XML is given; for what no writer makes on request."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": '<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook_xml
        or '<workbook xmlns:r="http://r"><sheets><sheet name="Ventas" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": "<Relationships>"
        '<Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="r2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/>'
        '<Relationship Id="r3" Type="http://x/styles" Target="styles.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet_xml,
        "xl/sharedStrings.xml": strings_xml or "<sst/>",
        "xl/styles.xml": styles_xml or "<styleSheet/>",
    }
    path = folder / "raw.xlsx"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    path.write_bytes(content.getvalue())
    return str(path)


def refusal(error: CannotStart) -> str:
    """What the person reads, in English."""
    return error.text(ENGLISH)


def codes(batch: Batch) -> list[str]:
    """The codes of all problems of the documents, in order."""
    return [problem.code for entry in batch for problem in entry.problems]


def refs(batch: Batch) -> list[str]:
    return [entry.document.external_ref for entry in batch]


def quantities(batch: Batch) -> list[str]:
    return [str(line.quantity) for entry in batch for line in entry.document.lines]


def told(batch: Batch) -> list[str]:
    """Every problem of the documents as a person reads it, with its place's row and column."""
    return [
        f"{problem.place.column}{problem.place.row} {problem.message(ENGLISH)}"
        for entry in batch
        for problem in entry.problems
    ]
