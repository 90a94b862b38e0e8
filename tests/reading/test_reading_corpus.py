"""Files as people have them: each danger a small file, with what is read of it or what the person is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import openpyxl
import pytest

from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.settings import Settings
from tests.reading.reading_samples import ENGLISH, csv_file, quantities, refs, refusal, settings, workbook

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
        "Odoo in Spanish": (
            (
                "Referencia de la orden,Líneas de la orden/Producto,Líneas de la orden/Cantidad,"
                "Líneas del pedido/Precio unitario,Líneas de la orden/Subtotal\nS1,Silla,2.0,45.5,91\n"
            ),
            {},
            [("S1", "Silla", "2.0", "45.5")],
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


ASKED: Mapping[str, tuple[str, tuple[str, ...], str]] = MappingProxyType(
    {
        "a type of document under another heading": (
            "Factura,Tipo,Descripción,Cantidad,Precio\nA1,CCF,Café,2,3.5\n",
            ("«Tipo» (B) looks like the type of document («CCF»)", "everything would be issued as 01"),
            'doc_type = "Tipo"',
        ),
        "a discount that may be dollars": (
            "Factura,Descripción,Cantidad,Precio,Descuento\nA1,Café,2,3.50,0\nA2,Té,1,2.00,1.00\n",
            ("«Descuento» (E) holds discounts, for example «1.00» in row 3", "per cent or 1.00 dollars"),
            'discount_percentage = "Descuento"',
        ),
        "a charge beside the price": (
            "Factura,Descripción,Cantidad,Precio,Envío\nA1,Café,2,3.50,5.00\n",
            ("«Envío» (E) holds amounts beside the price, for example «5.00»", "a line of its own"),
            'ignore = ["Envío"]',
        ),
        "prices in euros by their heading": (
            "Factura,Descripción,Cantidad,Precio (€)\nA1,Café,2,3.50\n",
            ("«Precio (€)» (D) is in €; documents are in US dollars",),
            "Write the amounts in dollars",
        ),
        "VAT on top of the prices": (
            "Factura,Descripción,Cantidad,Precio,IVA\nA1,Café,2,3.50,0.91\nA2,Té,10,2.00,2.60\n",
            ("«IVA» (E) says 0.91 in row 2, where quantity × price is 7.00: the VAT is on top",),
            'prices = { "01" = "without_vat" }',
        ),
        "totals with VAT of prices without": (
            "Factura,Descripción,Cantidad,Precio,Total\nA1,Café,2,3.50,7.91\nA2,Té,10,2.00,22.60\n",
            ("«Total» (E) says 7.91 in row 2, where quantity × price is 7.00: the VAT is on top",),
            'prices = { "01" = "without_vat" }',
        ),
    }
)


@pytest.mark.parametrize("name", ASKED)
def test_columns_that_change_the_sale_are_not_passed_over(tmp_path: Path, name: str) -> None:
    """Both readings, an example, and the line that decides; no document is issued on a guess."""
    text, said, line = ASKED[name]
    sentence = stopped_by(csv_file(tmp_path, text))
    assert all(part in sentence for part in (*said, line)), sentence


def test_a_column_can_be_declared_no_part_of_the_sale(tmp_path: Path) -> None:
    """`ignore` under [source] answers every such question; a blank or zero column asks none."""
    text = "Factura,Tipo,Estado,Descuento,Descripción,Cantidad,Precio,Total\nA1,CCF,Pendiente,2.00,Café,2,3.5,9\n"
    path = csv_file(tmp_path, text)
    assert read_mapped(path, ignore=("tipo", "ESTADO", "Descuento", "Total")) == [("A1", "Café", "2", "3.5")]
    zero = csv_file(
        tmp_path, "Factura,Descuento,Tipo,Descripción,Cantidad,Precio\nA1,0.00,Factura,Café,2,3.5\n", "b.csv"
    )
    assert read_mapped(zero) == [("A1", "Café", "2", "3.5")]


def test_a_discount_written_with_the_per_cent_sign_is_a_percentage(tmp_path: Path) -> None:
    """Whatever its heading says."""
    path = csv_file(tmp_path, "Factura,Descuento,Descripción,Cantidad,Precio\nA1,10%,Café,2,3\nA2,0.00,Té,1,1\n")
    batch = read([path], Settings())
    assert [str(entry.document.lines[0].discount_percentage) for entry in batch] == ["10", "0.00"]
    mixed = csv_file(tmp_path, "Factura,Descuento,Descripción,Cantidad,Precio\nA1,10%,Café,2,3\nA2,5,Té,1,1\n", "m.csv")
    assert "for example «5» in row 3" in stopped_by(mixed)


def test_a_discount_that_the_price_already_has_is_no_question(tmp_path: Path) -> None:
    """The sheet's own amount is quantity × price, so nothing more comes off."""
    path = csv_file(tmp_path, "Factura,Descripción,Cantidad,Precio,Descuento,Importe\nA1,Café,2,3.00,1.00,6.00\n")
    assert read_mapped(path) == [("A1", "Café", "2", "3.00")]


def held(path: str, **source: Any) -> list[tuple[str, list[str]]]:
    """The codes of each document's blocking problems."""
    return [
        (entry.document.external_ref, [problem.code for problem in entry.problems if problem.blocks])
        for entry in read([path], settings(**source))
    ]


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("Estado", "Anulada"), ("Status", "Refunded"), ("Financial Status", "partially_refunded"), ("Anulado", "x"),
        ("Tipo de recibo", "Reembolso"), ("Event Type", "Refund"), ("Order Status", "on-hold"), ("Estado", "Borrador"),
    ],
)  # fmt: skip
def test_rows_that_the_sheet_marks_as_no_sales_are_held_back(tmp_path: Path, heading: str, cell: str) -> None:
    """The whole document waits, and only that one."""
    text = f"Factura,{heading},Descripción,Cantidad,Precio\nA1,{cell},Café,2,3.5\nA1,,Pan,1,1\nA2,,Té,1,2\n"
    assert held(csv_file(tmp_path, text)) == [("A1", ["marked-as-no-sale"]), ("A2", [])]


def test_a_word_with_two_meanings_is_asked(tmp_path: Path) -> None:
    """«Cancelada» is a sale that was paid, or one that is none."""
    path = csv_file(
        tmp_path, "Factura,Estado,Descripción,Cantidad,Precio\nA1,Cancelada,Café,2,3.5\nA2,Emitida,Té,1,2\n"
    )
    assert held(path) == [("A1", ["paid-or-called-off"]), ("A2", [])]
    assert held(path, ignore=("Estado",)) == [("A1", []), ("A2", [])]


def test_a_title_is_no_group_of_headings(tmp_path: Path) -> None:
    """«Venta» above «Total» would make a total of the whole sale of it."""
    text = "Venta,,,,\nFactura,Descripción,Cantidad,Precio,Total\nA1,Café,2,3.5,7\nA1,Té,1,2,2\n"
    batch = read([csv_file(tmp_path, text)], Settings())
    assert [mapped.field for mapped in batch.sources[0].mapping] == [
        "external_ref", "description", "quantity", "unit_price",
    ]  # fmt: skip
    assert not batch[0].held_back


def test_an_ignored_heading_is_no_candidate(tmp_path: Path) -> None:
    """It answers which of two columns is meant, too; two names of a branch need no answer."""
    text = "Factura,Pedido,Tienda,Sucursal,Descripción,Cantidad,Precio\nA1,P1,Centro,1,Café,2,3.5\n"
    path = csv_file(tmp_path, text)
    assert "several columns could be external_ref" in stopped_by(path)
    assert read_mapped(path, ignore=("Pedido",)) == [("A1", "Café", "2", "3.5")]


def test_other_currencies_hold_their_rows_back(tmp_path: Path) -> None:
    """By a column of currencies, or by the amounts themselves."""
    text = "Factura,Moneda,Descripción,Cantidad,Precio\nA1,USD,Café,2,3.5\nA2,EUR,Té,1,2\nA3,US$,Pan,1,Q2.00\n"
    assert held(csv_file(tmp_path, text)) == [("A1", []), ("A2", ["other-currency"]), ("A3", ["other-currency"])]


def test_amounts_of_lines_are_compared(tmp_path: Path) -> None:
    """With or without VAT, of the line or of the whole document; a cent is forgiven, more is told with both figures."""
    rows = [
        "A1,Café,2,3.50,7.00", "A1,Pan,3,1.00,3.01", "A2,Té,1,11.30,10.00", "A3,Leche,2,1.00,2.50",
        "A4,Queso,1,4.00,9.00", "A4,Pan,5,1.00,", "A5,Sal,2,1.00,x",
    ]  # fmt: skip
    path = csv_file(tmp_path, "Factura,Descripción,Cantidad,Precio,Importe\n" + "\n".join(rows))
    assert held(path) == [("A1", []), ("A2", []), ("A3", ["line-amount-differs"]), ("A4", []), ("A5", [])]
    problem = next(problem for entry in read([path], Settings()) for problem in entry.problems)
    assert (problem.place.row, problem.place.column, problem.value) == (5, "E", "2.50")
    assert "«Importe» says 2.50 and quantity × price comes to 2.00" in problem.message(ENGLISH)


def test_the_total_row_under_the_amounts_is_a_control(tmp_path: Path) -> None:
    """A wrong one is a problem of the file, which needs a person."""
    text = "Factura,Descripción,Cantidad,Precio,Importe\nA1,Café,2,3.50,7.00\nTOTAL,,,,{total}\n"
    good, wrong = (
        read([csv_file(tmp_path, text.format(total=total), f"{total}.csv")], Settings()) for total in ("7.00", "17.00")
    )
    assert not good.problems
    assert [(problem.code, problem.blocks) for problem in wrong.problems] == [("total-row-differs", True)]


def test_rows_without_reference_hold_back_the_document_above(tmp_path: Path) -> None:
    """It would lack lines if they go on it; the setting that joins them is named."""
    path = csv_file(
        tmp_path, "Pedido,Descripción,Cantidad,Precio,Total\nS1,Taza,2,10,30\n,Plato,1,10,\nS2,Taza,1,10,10\n", "o.csv"
    )
    batch = read([path], Settings())
    assert held(path) == [("S1", ["may-go-on-below"]), ("S2", [])]
    assert "continue_rows = true" in batch[0].problems[0].repair(ENGLISH)
    assert held(path, continue_rows=True) == [("S1", []), ("S2", [])]


def test_formats_of_other_currencies_hold_back(tmp_path: Path) -> None:
    """What the workbook shows as euros is not read as dollars."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Factura", "Descripción", "Cantidad", "Precio"], ["A1", "Café", 2, 3.5], ["A2", "Té", 1, 2]):
        sheet.append(row)
    sheet["D2"].number_format = "[$€-407] #,##0.00"
    sheet["D3"].number_format = "[$$-440A]#,##0.00"
    book.save(tmp_path / "v.xlsx")
    assert held(str(tmp_path / "v.xlsx")) == [("A1", ["other-currency"]), ("A2", [])]


@pytest.mark.parametrize(
    "text",
    [
        "Factura,Descripción,Cantidad,Precio\nA1,Café,1,2\n\nOtra\nFactura,Fecha,Descripción,Cantidad,Precio\nA2,25/11/2026,Té,1,2\n",
        "Factura,Fecha,Descripción,Cantidad,Precio\nA2,25/11/2026,Té,1,2\n\nOtra\nFactura,Precio,Descripción,Cantidad\nA1,2,Café,1\n",
    ],
)
def test_two_tables_in_one_sheet_are_refused(tmp_path: Path, text: str) -> None:
    """The sales of one would be lost, or read in the wrong columns."""
    sentence = stopped_by(csv_file(tmp_path, text))
    assert "there are two tables: headings stand in row 1, and others in row 5" in sentence


def test_a_list_of_purchases_is_not_issued_as_sales(tmp_path: Path) -> None:
    """Suppliers are no customers; only type 14 is issued by who buys."""
    text = "Factura,Proveedor,Concepto,Cantidad,Precio unitario\n1,Dist. Uno,Harina,10,1.00\n"
    path = csv_file(tmp_path, text)
    assert "names suppliers, so this is a list of purchases" in stopped_by(path)
    assert read([path], settings(doc_type="14", prices={"14": "without_vat"}))[0].document.doc_type == "14"
    assert read_mapped(path, ignore=("Proveedor",)) == [("1", "Harina", "10", "1.00")]


@pytest.mark.parametrize(
    ("written", "code", "value"),
    [("10", "", "10"), ("10%", "", "10"), ("0.5%", "", "0.5"), ("0.10", "discount-a-fraction", "0"), ("0", "", "0")],
)
def test_a_percentage_below_one_is_asked(tmp_path: Path, written: str, code: str, value: str) -> None:
    """0.10 is ten per cent in one sheet and a tenth of one per cent in another."""
    path = csv_file(tmp_path, f"Factura,Descripción,Cantidad,Precio,% Descuento\nA1,Café,1,2,{written}\n")
    entry = read([path], Settings())[0]
    assert [problem.code for problem in entry.problems] == ([code] if code else [])
    assert str(entry.document.lines[0].discount_percentage) == value


def test_references_with_decimals_are_told(tmp_path: Path) -> None:
    """1001 and 1001.0 would be two sales."""
    problem = read([csv_file(tmp_path, "Factura,Descripción,Cantidad,Precio\n1001.0,Café,1,2\n")], Settings())[
        0
    ].problems[0]
    assert (problem.code, problem.blocks) == ("ref-with-decimals", False)
    assert "«1001.0» and «1001» are two references" in problem.repair(ENGLISH)


def test_totals_under_prices_and_of_formulas_are_controls(tmp_path: Path) -> None:
    """What the lines come to stands for amounts that the rows do not have."""
    text = "Factura,Descripción,Cantidad,Precio\nA1,Café,2,3.50\nTOTAL,,,{total}\n"
    good, wrong = (
        read([csv_file(tmp_path, text.format(total=total), f"{total}.csv")], Settings()) for total in ("7.00", "9.00")
    )
    assert not good.problems
    assert [problem.code for problem in wrong.problems] == ["total-row-differs"]
    rows: list[list[Any]] = [
        ["Factura", "Descripción", "Cantidad", "Precio", "Importe"],
        ["A1", "Café", 2, 3.5, "=C2*D2"],
    ]
    assert not read([workbook(tmp_path, [*rows, ["TOTAL", None, None, None, 7]])], Settings()).problems
    wrong = read([workbook(tmp_path, [*rows, ["TOTAL", None, None, None, 8]])], Settings())
    assert [problem.code for problem in wrong.problems] == ["total-row-differs"]


def test_everything_that_is_open_is_asked_at_once(tmp_path: Path) -> None:
    """Nobody should have to run the program once for each question."""
    path = csv_file(
        tmp_path,
        "Factura,Fecha,Descripción,Cantidad,Precio,Descuento,Envío,Tipo\nA1,01/02/2026,Café,1,1.234,2.00,5.00,CCF\n",
    )
    sentence = stopped_by(path)
    assert "can be read in two ways: «1.234»" in sentence
    assert "can be read in two ways: «01/02/2026»" in sentence
    sentence = stopped_by(path, settings(decimal="point", dates="dmy"))
    assert all(part in sentence for part in ("«Descuento» (F)", "«Envío» (G)", "«Tipo» (H)"))


def test_a_shop_export_is_read_once_its_questions_are_answered(tmp_path: Path) -> None:
    """Name, discount, shipping: then header fields stand on each document's first row only."""
    path = csv_file(
        tmp_path,
        "Name,Email,Financial Status,Currency,Subtotal,Shipping,Total,Discount Amount,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Billing Name\n"
        "#1001,ana@ejemplo.sv,paid,USD,30.00,0.00,30.00,0.00,2026-11-25 09:00:00 -0600,2,Taza,10.00,Ana\n"
        "#1001,,,,,,,,,1,Plato,10.00,\n"
        "#1002,,refunded,USD,10.00,0.00,10.00,0.00,2026-11-25 09:30:00 -0600,1,Taza,10.00,Eva\n"
        "#1003,,paid,USD,18.00,5.00,23.00,2.00,2026-11-25 10:00:00 -0600,2,Taza,10.00,Eva\n",
    )
    assert 'external_ref = "Name"' in stopped_by(path)
    columns = {"external_ref": "Name"}
    sentence = stopped_by(path, settings(columns))
    assert "«Shipping» (F) holds amounts beside the price, for example «5.00» in row 5" in sentence
    assert "«Discount Amount» (H) holds discounts, for example «2.00» in row 5" in sentence
    batch = read([path], settings(columns, ignore=("Shipping", "Discount Amount")))
    assert [(entry.document.external_ref, [problem.code for problem in entry.problems]) for entry in batch] == [
        ("#1001", []), ("#1002", ["marked-as-no-sale"]), ("#1003", ["line-amount-differs"]),
    ]  # fmt: skip
    assert len(batch[0].document.lines) == 2
