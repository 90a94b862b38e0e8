"""Files as people have them: each danger a small file, with what is read of it or what the person is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from batch_issuer.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.settings import Settings
from tests.reading.reading_samples import csv_file, quantities, refs, refusal, settings, workbook

_NONE: Mapping[str, str] = MappingProxyType({})


def stopped_by(path: str, chosen: Settings | None = None) -> str:
    with pytest.raises(CannotStart) as stopped:
        read([path], chosen or Settings())
    return refusal(stopped.value)


def read_mapped(path: str, columns: Mapping[str, str] = _NONE, **source: Any) -> list[tuple[str, str, str, str]]:
    """Reference, description, quantity and price of every line, none of them with a problem."""
    found = []
    for entry in read([path], settings(columns, **source)):
        assert not entry.held_back, [problem.code for problem in entry.problems]
        found += [
            (entry.document.external_ref, line.description, str(line.quantity), str(line.unit_price))
            for line in entry.document.lines
        ]
    return found


NO_SALES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "a cross table of days": (
            "Producto,01/11/2026,02/11/2026,03/11/2026,Total\nCafé,3,4,5,12\n",
            ("looks like a cross table", "«01/11/2026»", "It holds sums, not sales"),
        ),
        "a cross table of months": (
            "Ventas por sucursal,Enero,Febrero,Marzo\nCentro,1000.50,1200,1100\n",
            ("looks like a cross table", "«Enero»"),
        ),
        "a cross table of weeks": (
            "Producto;Semana 1;Semana 2;Semana 3\nCafé;1;2;3\n",
            ("looks like a cross table",),
        ),
        "a cross table of the days of a month": (
            "Vendedor,1,2,3,4,5,6,7\nAna,10,20,30,40,50,60,70\n",
            ("looks like a cross table",),
        ),
        "a cross table of products": (
            "Factura,Café,Té,Pan\nA1,2,1,0\n",
            ("no column was recognised for description, quantity, unit_price", "does not look like a list of sales"),
        ),
        "a stock list": (
            "Código,Producto,Existencia,Costo,Precio de venta\n1,Café,20,2.00,3.50\n",
            ("no column was recognised for external_ref, quantity", "does not look like a list of sales"),
        ),
        "a bank statement": (
            "Fecha,Descripción,Referencia,Débito,Crédito,Saldo\n25/11/2026,Depósito,123,,100.00,500.00\n",
            ("no column was recognised for quantity, unit_price", "does not look like a list of sales"),
        ),
        "a list of customers": (
            "Nombre,Teléfono,Correo\nAna,22223333,ana@ejemplo.sv\n",
            ("does not look like a list of sales", "«Nombre», «Teléfono», «Correo»"),
        ),
        "a letter": (
            "Estimado cliente:\n\nLe adjunto las ventas de ayer.\nSaludos\n",
            ("no headings were recognised",),
        ),
        "columns of spaces": (
            "Factura   Descripcion      Cantidad  Precio\nA1        Cafe             2         3.50\n",
            ("every row is one single cell", "Export it again as CSV"),
        ),
        "rows in quotation marks": (
            '"Factura,Descripción,Cantidad,Precio"\n"A1,Café,2,3.50"\n',
            ("every row is one single cell",),
        ),
        "one column": ("Factura\nA1\nA2\n", ("no column was recognised for description, quantity, unit_price",)),
        "no headings": ("A1,Café,2,3.5\nA2,Té,1,2\n", ("no headings were recognised", "«A1», «Café»")),
        "no reference": (
            "Fecha,Producto,Cantidad,Precio\n25/11/2026,Café,2,3.5\n",
            ("no column was recognised for external_ref", "No column tells one sale from the next"),
        ),
        "line amounts without prices": (
            "Receipt number,Item,Quantity,Gross sales,Net sales\n1-1,Café,2,7.00,7.00\n",
            ("«Gross sales», «Net sales» is the amount of whole lines", 'description = "Item"'),
        ),
    }
)


@pytest.mark.parametrize("name", NO_SALES)
def test_what_is_no_list_of_sales_is_refused_helpfully(tmp_path: Path, name: str) -> None:
    """What was looked for, what was found, and what is wanted instead."""
    text, said = NO_SALES[name]
    sentence = stopped_by(csv_file(tmp_path, text))
    assert all(part in sentence for part in said), sentence


GARBLED = "Factura,Descripción,Cantidad,Precio\nA1,Piña,2,3.5\n"


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (GARBLED.encode("utf-8").decode("cp1252").encode("utf-8"), "in the encoding UTF-8"),
        (GARBLED.encode("cp850"), "in the encoding DOS (cp850)"),
        (GARBLED.encode("mac-roman"), "in the encoding Mac Roman"),
    ],
)
def test_headings_in_another_encoding_are_named(tmp_path: Path, content: bytes, meant: str) -> None:
    """The text did decode, and still is not what was written."""
    (tmp_path / "v.csv").write_bytes(content)
    sentence = stopped_by(str(tmp_path / "v.csv"))
    assert "was «Descripción»" in sentence
    assert meant in sentence


EXPORTS: Mapping[str, tuple[str, Mapping[str, str], list[tuple[str, str, str, str]]]] = MappingProxyType(
    {
        "QuickBooks": (
            (
                'Comercial El Ejemplo\nSales by Customer Detail\n"November 25, 2026"\n,Date,Transaction Type,Num,'
                "Product/Service,Qty,Sales Price,Amount\nAna Pérez,,,,,,,\n,11/25/2026,Invoice,1037,Taza,2.00,10.00,20.00\n"
                ",11/25/2026,Invoice,1038,Plato,1.00,10.00,10.00\nTotal for Ana Pérez,,,,,,,$30.00\nTOTAL,,,,,,,$30.00\n"
            ),
            {"external_ref": "Num"},
            [("1037", "Taza", "2.00", "10.00"), ("1038", "Plato", "1.00", "10.00")],
        ),
        "WooCommerce": (
            "Order ID,Order Date,Item Name,Quantity,Item Cost,Order Total\n501,2026-11-25 08:00,Café,2,3.50,7.00\n",
            {"unit_price": "Item Cost"},
            [("501", "Café", "2", "3.50")],
        ),
        "a Mexican export": (
            (
                "Folio Fiscal,Folio,Fecha Emisión,RFC Receptor,Descripción,Cantidad,Valor Unitario,Importe\n"
                "A1B2,F-100,25/11/2026,XAXX010101000,Café,2,3.50,7.00\n"
            ),
            {},
            [("F-100", "Café", "2", "3.50")],
        ),
        "a Spanish export": (
            (
                "Nº Factura;Fecha;Concepto;Uds.;Precio;Importe\nF26/001;25/11/2026;Café molido;2;3,50;7,00\n"
                "F26/002;26/11/2026;Té;1200;2,00;2.400,00\n"
            ),
            {},
            [("F26/001", "Café molido", "2", "3.50"), ("F26/002", "Té", "1200", "2.00")],
        ),
    }
)


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_other_programs_are_read(tmp_path: Path, name: str) -> None:
    """At most one line of settings, which the refusal itself proposes."""
    text, columns, lines = EXPORTS[name]
    path = csv_file(tmp_path, text)
    for field, heading in columns.items():
        assert f'{field} = "{heading}"' in stopped_by(path)
    assert read_mapped(path, columns) == lines


def test_headings_under_groups_are_read_with_them(tmp_path: Path) -> None:
    """«Precio» over «Unitario» and «Total»; of two NIT the one under «Cliente» is the customer's."""
    path = workbook(
        tmp_path,
        [
            ["Emisor", None, "Cliente", None, "Factura", None, "Precio", None, "Producto"],
            ["NIT", "Nombre", "NIT", "Nombre", "Número", "Cantidad", "Unitario", "Total", "Nombre"],
            ["06142803901121", "Nosotros", "06140507071048", "Ana", "A1", 2, 3.5, 7, "Café"],
        ],
    )
    batch = read([path], Settings())
    assert refs(batch) == ["A1"]
    document = batch[0].document
    assert document.customer is not None
    assert document.customer.nit == "06140507071048"
    assert document.customer_name == "Ana"
    assert (document.lines[0].description, str(document.lines[0].unit_price)) == ("Café", "3.5")
    assert batch.sources[0].ignored == ("Emisor NIT", "Emisor Nombre", "Total")


def test_utf_32_and_the_end_mark_of_old_programs_are_read(tmp_path: Path) -> None:
    """Nobody should write them, and somebody does."""
    text = "Factura\tDescripción\tCantidad\tPrecio\nA1\tCafé\t2\t3.5\n\x1a"
    for encoding in ("utf-32-le", "utf-32-be", "utf-8"):
        path = csv_file(tmp_path, "\ufeff" + text, encoding=encoding)
        assert quantities(read([path], Settings())) == ["2"]
