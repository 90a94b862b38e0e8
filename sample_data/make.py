"""Write the sample sales and what is to be expected of them; the same every time: `python sample_data/make.py`.

It uses nothing of batch_issuer, so that `expected.json` is a second opinion.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from mixed_day import PURCHASE_HEADINGS, PURCHASES, SALES, SALES_HEADINGS, mixed_expectation, purchase_rows, sales_rows
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from sales import SHOP_GOODS, Sale, kiosk_sales, route_sales, shop_sales

DAY = date(2026, 11, 20)
MIXED_DAY = date(2026, 11, 23)
COMPANY = "Comercial El Ejemplo, S.A. de C.V."
WRITTEN = datetime(2026, 11, 20, 19, 30, tzinfo=UTC)
SELLERS = ("Vendedora 1", "Vendedor 2", "Vendedora 3")
SHOP_HEADINGS = (
    "Sucursal", "Número", "Fecha", "Cliente", "DUI", "NIT", "Correo", "Teléfono", "Departamento", "Municipio",
    "Forma de pago", "Descripción", "Cantidad", "Precio unitario", "Descuento %", "Total documento", "Vendedor",
)  # fmt: skip
KIOSK_HEADINGS = (
    "Sucursal", "Número", "Fecha", "Producto", "Cant.", "P. Unit.", "Desc. %", "Nombre del cliente", "No. DUI",
    "Correo electrónico", "Medio de pago", "Cajero",
)  # fmt: skip
ROUTE_HEADINGS = (
    "Sucursal", "Número", "Fecha", "Razón social", "NIT", "NRC", "Tipo de contribuyente", "Correo", "Distrito",
    "Condición", "Plazo", "Días de crédito", "Detalle", "Cantidad", "Precio", "Total factura",
)  # fmt: skip


Row = tuple[Sale, int, dict[str, Any]]
"""A sale, the position of the line in it, and the cells by heading."""


def shop_rows(sales: Iterable[Sale]) -> list[Row]:
    """Rows of the workbook; the total stands in a document's first row, and one line was typed in late."""
    chance = random.Random(7)
    rows = []
    for sale in sales:
        seller = chance.choice(SELLERS)
        for position, item in enumerate(sale.items):
            row: dict[str, Any] = {"Sucursal": sale.branch, "Número": sale.number, "Fecha": DAY, "Vendedor": seller}
            row |= {"Descripción": item.name, "Cantidad": number(item.quantity), "Precio unitario": number(item.price)}
            row |= {"Descuento %": number(item.discount), **sale.cells, **item.cells}
            row["Total documento"] = (row.get("Total documento") or sale.gross) if position == 0 else None
            rows.append((sale, position, row))
    late = next(place for place, (sale, position, _) in enumerate(rows) if position == len(sale.items) - 1 > 2)
    rows.insert(late + 3, rows.pop(late))
    return rows


def kiosk_rows(sales: Iterable[Sale]) -> list[Row]:
    rows = []
    for sale in sales:
        for position, item in enumerate(sale.items):
            row = {
                "Sucursal": sale.branch,
                "Número": str(sale.number),
                "Fecha": DAY.strftime("%d/%m/%Y"),
                "Cajero": "Caja 1",
            }
            row |= {"Producto": item.name, "Cant.": item.quantity.replace(".", ","), "P. Unit.": with_comma(item.price)}
            row |= {"Desc. %": item.discount, **sale.cells, **item.cells}
            rows.append((sale, position, row))
    return rows


def route_rows(sales: Iterable[Sale]) -> list[Row]:
    rows = []
    for sale in sales:
        for position, item in enumerate(sale.items):
            row = {"Sucursal": sale.branch, "Número": str(sale.number), "Fecha": DAY.isoformat()}
            row |= {"Detalle": item.name, "Cantidad": item.quantity, "Precio": item.price}
            row |= {"Total factura": str(sale.gross), **sale.cells, **item.cells}
            rows.append((sale, position, row))
    return rows


def number(text: str) -> Decimal | int | None:
    if not text:
        return None
    return Decimal(text) if "." in text else int(text)


def with_comma(amount: str) -> str:
    return f"{Decimal(amount):,.2f}".translate(str.maketrans(",.", ".,"))


def write_workbook(path: Path, rows: Sequence[Row]) -> int:
    """The workbook with a title, the sales from row 4, a total, and a hidden price list. Returns the header's row."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Ventas"
    sheet["A1"] = f"{COMPANY} – Ventas del {DAY:%d/%m/%Y}"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([])
    sheet.append(SHOP_HEADINGS)
    for cell in sheet[3]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F4E78")
        cell.alignment = Alignment(vertical="center")
    for _, _, row in rows:
        sheet.append([row.get(heading) for heading in SHOP_HEADINGS])
    total = sum((row["Total documento"] for _, _, row in rows if row["Total documento"] is not None), Decimal(0))
    sheet.append(["TOTAL", *[total if heading == "Total documento" else None for heading in SHOP_HEADINGS[1:]]])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    _dress(sheet)
    _add_price_list(book)
    stream = io.BytesIO()
    book.save(stream)
    path.write_bytes(without_clock(stream.getvalue()))
    return 3


def _dress(sheet: Worksheet) -> None:
    widths = {"Cliente": 28, "Correo": 28, "Descripción": 30, "Municipio": 20, "Forma de pago": 19, "NIT": 18}
    formats = {"Fecha": "dd/mm/yyyy", "Precio unitario": "0.00", "Total documento": "#,##0.00"}
    for position, heading in enumerate(SHOP_HEADINGS, 1):
        letter = get_column_letter(position)
        sheet.column_dimensions[letter].width = widths.get(heading, 13)
        for cell in sheet[letter][3:]:
            cell.number_format = formats.get(heading, "General")
    sheet.freeze_panes = "A4"


def _add_price_list(book: openpyxl.Workbook) -> None:
    prices = book.create_sheet("Catálogo")
    prices.append(("Descripción", "Precio unitario"))
    for name, price in SHOP_GOODS.items():
        prices.append((name, Decimal(price)))
    prices.sheet_state = "hidden"


def without_clock(content: bytes) -> bytes:
    """The workbook with fixed times in its parts, so that equal content is equal bytes."""
    stamp = WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            part = before.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, part)
            after.writestr(zipfile.ZipInfo(name, WRITTEN.timetuple()[:6]), part, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def csv_text(headings: Sequence[str], rows: Iterable[dict[str, Any]], separator: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([row.get(heading, "") for heading in headings])
    return stream.getvalue()


def expectation(
    file: str,
    sheet: str,
    headings: Sequence[str],
    rows: Sequence[Row],
    numbers: Sequence[int],
) -> dict[str, Any]:
    """What reading and checking this file gives; `numbers` are the sheet's row numbers of the rows."""
    sales = list(dict.fromkeys(sale.ref for sale, _, _ in rows))
    by_ref = {sale.ref: sale for sale, _, _ in rows}
    ready = [by_ref[ref] for ref in sales if by_ref[ref].ready]
    at = {(sale.ref, position): place for (sale, position, _), place in zip(rows, numbers, strict=True)}
    return {
        "file": file,
        "sheet": sheet,
        "rows": len(rows),
        "documents": len(sales),
        "ready": len(ready),
        "held_back": len(sales) - len(ready),
        "ready_gross": str(sum((sale.gross for sale in ready), Decimal(0))),
        "problems": [
            {
                "code": problem.code,
                "severity": "blocks" if problem.blocks else "warns",
                "external_ref": ref,
                "row": at[ref, problem.line],
                "column": get_column_letter(headings.index(problem.heading) + 1) if problem.heading else "",
                "heading": problem.heading,
            }
            for ref in sales
            for problem in by_ref[ref].expected
        ],
        "rejected_by_the_sandbox": [
            {"external_ref": sale.ref, "codigo_msg": sale.rejected} for sale in ready if sale.rejected
        ],
    }


def make(folder: Path) -> None:
    """Write the three files and `expected.json` into the folder."""
    shops, kiosk, route = shop_rows(shop_sales()), kiosk_rows(kiosk_sales()), route_rows(route_sales())
    header = write_workbook(folder / "ventas.xlsx", shops)

    lines = csv_text(KIOSK_HEADINGS, (row for _, _, row in kiosk), ";").splitlines(keepends=True)
    middle = next(place for place, (sale, position, _) in enumerate(kiosk, 1) if sale.number == 2322 and position == 0)
    lines[middle:middle] = [";" * (len(KIOSK_HEADINGS) - 1) + "\r\n", lines[0]]
    (folder / "ventas-kiosco.csv").write_bytes("".join(lines).encode("cp1252"))
    kiosk_numbers = [place + 1 if place < middle else place + 3 for place in range(1, len(kiosk) + 1)]

    text = csv_text(ROUTE_HEADINGS, (row for _, _, row in route), ",")
    (folder / "ventas-ruta.csv").write_bytes(text.encode("utf-8-sig"))

    files = [
        expectation("ventas-kiosco.csv", "", KIOSK_HEADINGS, kiosk, kiosk_numbers),
        expectation("ventas-ruta.csv", "", ROUTE_HEADINGS, route, range(2, len(route) + 2)),
        expectation("ventas.xlsx", "Ventas", SHOP_HEADINGS, shops, range(header + 1, header + 1 + len(shops))),
    ]
    together = {key: sum(file[key] for file in files) for key in ("rows", "documents", "ready", "held_back")}
    expected = {**together, "ready_gross": str(sum(Decimal(file["ready_gross"]) for file in files)), "files": files}
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def make_mixed(folder: Path) -> None:
    """Write the second day: sales, purchases, what is cancelled, and `expected.json`."""
    folder.mkdir(exist_ok=True)
    sales, purchases = sales_rows(SALES, MIXED_DAY), purchase_rows(PURCHASES, MIXED_DAY)
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Ventas"
    sheet.append(SALES_HEADINGS)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="375623")
    for _, cells in sales:
        sheet.append([cells.get(heading) or None for heading in SALES_HEADINGS])
    for position, heading in enumerate(SALES_HEADINGS, 1):
        letter = get_column_letter(position)
        sheet.column_dimensions[letter].width = (
            30 if heading in ("Cliente", "Descripción", "Dirección", "Correo") else 15
        )
        for cell in sheet[letter][1:]:
            cell.number_format = {"Fecha": "dd/mm/yyyy", "Precio unitario": "0.00"}.get(heading, "General")
    sheet.freeze_panes = "B2"
    stream = io.BytesIO()
    book.save(stream)
    (folder / "ventas.xlsx").write_bytes(without_clock(stream.getvalue()))
    text = csv_text(PURCHASE_HEADINGS, (cells for _, cells in purchases), ";")
    (folder / "compras.csv").write_bytes(text.encode("utf-8-sig"))
    cancelled = [
        {"Referencia": one.ref, "Motivo": one.cancelled_for} for one in (*SALES, *PURCHASES) if one.cancelled_for
    ]
    (folder / "anular.csv").write_bytes(csv_text(("Referencia", "Motivo"), cancelled, ",").encode("utf-8-sig"))
    expected = mixed_expectation({"ventas.xlsx": sales, "compras.csv": purchases})
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    make(folder)
    make_mixed(folder / "mixed")
    print(f"Written into {folder}")
