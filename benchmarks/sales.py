"""Invented sales of any size, the same for the same seed: as CSV, and as a workbook the way Excel writes one.

The shape is that of the public Online Retail data set: 541,909 rows make 25,900 documents, of which a quarter is held
back. Those are small, there as here: returns of some lines (9,288 rows there), and corrections of stock in one line
without a price (2,100), most of them without a description.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import random
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

ROWS, DOCUMENTS = 541_909, 25_900
"""Online Retail, once."""
SEED = 20_261_125
MADE_BY = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
"""Part of the names of files, so that none is left of what was invented otherwise."""

HEADINGS = ("No. factura", "Sucursal", "Fecha", "Código", "Descripción", "Cantidad", "Precio unitario", "Cliente",
            "Forma de pago")  # fmt: skip
SETTINGS = """\
[company]
name = "Comercial El Ejemplo, S.A. de C.V."

[source]
doc_type = "01"
prices = { "01" = "with_vat" }
"""

Cell = str | int | float
Row = tuple[Cell, ...]

_THINGS = ("Taza", "Plato", "Vaso", "Lámpara", "Bolsa", "Canasta", "Manta", "Cojín", "Reloj", "Vela", "Caja", "Espejo")
_OF = ("de barro", "de niño", "con lazo", "de algodón", "pintada a mano", "de ñandutí", "«Izalco»", "azul añil")
_NAMES = ("María", "José", "Ana", "Óscar", "Lucía", "Andrés", "Rosa", "Raúl")
_FAMILIES = ("Hernández", "Martínez", "Núñez", "Peña", "Flores", "Rivas", "Guzmán")
_BRANCHES = ("San Salvador", "Santa Ana", "San Miguel", "Sonsonate")
_PRICES = (0.42, 0.85, 1.25, 1.65, 2.1, 2.95, 4.25)
_ODD_SIZES = {"return": (1, 1, 1, 2, 2, 3, 7), "correction": (1,)}
_PAYMENTS = ("Billetes y monedas", "Tarjeta Débito", "Tarjeta Crédito", "Transferencia")


def rows_of(rows: int, documents: int, *, sound: bool = False, seed: int = SEED) -> Iterator[Row]:
    """The rows, document by document. With `sound`, every document may be issued."""
    chance = random.Random(seed)
    goods = [_good(chance, number) for number in range(4_000)]
    weights = [1 / (rank + 20) for rank in range(len(goods))]
    odd = ["" if sound or number == 0 else _oddity(chance) for number in range(documents)]
    day = dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC)
    for number, (kind, size) in enumerate(zip(odd, _sizes(chance, rows, odd), strict=True)):
        moment = f"{day + dt.timedelta(minutes=number * 600 // documents):%d/%m/%Y %H:%M}"
        customer = f"{chance.choice(_NAMES)} {chance.choice(_FAMILIES)}" if chance.random() < 0.2 else ""
        branch, payment = chance.choice(_BRANCHES), chance.choice(_PAYMENTS)
        for code, name, price in chance.choices(goods, weights, k=size):
            quantity = chance.choice((1, 1, 1, 2, 2, 3, 4, 6, 12, 24))
            if kind == "return" or (kind == "correction" and chance.random() < 0.6):
                quantity = -quantity
            if kind == "correction":
                name, price = name if chance.random() < 0.3 else "", 0.0  # noqa: PLW2901 - what stands in the row
            yield f"F{number + 1:06}", branch, moment, code, name, quantity, price, customer, payment


def _oddity(chance: random.Random) -> str:
    """A quarter is odd; of these two thirds are returns."""
    return chance.choice(("return", "return", "correction")) if chance.random() < 0.23 else ""


def _sizes(chance: random.Random, rows: int, odd: Sequence[str]) -> list[int]:
    """Rows of each document: few in odd ones, the rest in the others."""
    sizes = [chance.choice(_ODD_SIZES[kind]) if kind else 0 for kind in odd]
    others = [at for at, kind in enumerate(odd) if not kind]
    rest = rows - sum(sizes)
    bounds = [0, *sorted(chance.sample(range(1, rest), len(others) - 1)), rest]
    for at, (first, last) in zip(others, pairwise(bounds), strict=True):
        sizes[at] = last - first
    return sizes


def _good(chance: random.Random, number: int) -> tuple[str, str, float]:
    name = f"{chance.choice(_THINGS)} {chance.choice(_OF)} {number % 97}"
    return (
        f"{20_000 + number}",
        name,
        chance.choice((*_PRICES, chance.randint(30, 9_999) / 100)),
    )


def write_csv(path: Path, rows: Iterator[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(rows)


def write_xlsx(path: Path, rows: Iterator[Row]) -> None:
    """A workbook with shared texts and plain numbers, as Excel saves it."""
    texts: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, part in _PARTS.items():
            book.writestr(name, _XML + part)
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            _write_sheet(sheet, chain([HEADINGS], rows), texts)
        shared = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts)
        book.writestr("xl/sharedStrings.xml", f'{_XML}<sst xmlns="{_MAIN}" uniqueCount="{len(texts)}">{shared}</sst>')


def _write_sheet(sheet: IO[bytes], rows: Iterator[Row], texts: dict[str, int]) -> None:
    sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
    for number, row in enumerate(rows, 1):
        cells = "".join(
            _cell(f"{letter}{number}", value, texts) for letter, value in zip("ABCDEFGHI", row, strict=True)
        )
        sheet.write(f'<row r="{number}">{cells}</row>'.encode())
    sheet.write(b"</sheetData></worksheet>")


def _cell(at: str, value: Cell, texts: dict[str, int]) -> str:
    if isinstance(value, str):
        return f'<c r="{at}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>' if value else ""
    return f'<c r="{at}"><v>{value}</v></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_KIND}.sharedStrings+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets><sheet name="Ventas" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_RELATED}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
}
