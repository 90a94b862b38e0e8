"""The second sample day: every type of document, credit notes, a late rejection and two cancellations.

Everything here is invented; amounts are counted here by themselves, as a second opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
VAT = Decimal("1.13")
SALES_HEADINGS = (
    "No. documento", "Tipo de documento", "Fecha", "Cliente", "NIT", "NRC", "DUI", "Tipo de contribuyente", "Giro",
    "Distrito", "Dirección", "Correo", "Condición", "Plazo", "Días de crédito", "Forma de pago",
    "Documento relacionado", "Ajuste total", "Descripción", "Cantidad", "Precio unitario", "% descuento",
)  # fmt: skip
PURCHASE_HEADINGS = (
    "No. documento", "Tipo DTE", "Fecha", "Proveedor", "DUI", "Distrito", "Dirección", "Concepto", "Cantidad",
    "Valor unitario", "Es servicio",
)  # fmt: skip
TYPE_NAMES = {
    "01": "Factura", "03": "Crédito fiscal", "05": "Nota de crédito", "11": "Exportación", "14": "Sujeto excluido"
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Row:
    """One product or service, with the sheet's own price."""

    name: str
    quantity: str
    price: str
    discount: str = ""
    service: bool = False

    @property
    def amount(self) -> Decimal:
        return Decimal(self.quantity) * Decimal(self.price) * (1 - Decimal(self.discount or "0") / 100)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One document, what is wrong with it, and how its day ends."""

    ref: str
    kind: str
    rows: tuple[Row, ...]
    cells: Mapping[str, Any] = field(default_factory=dict)
    adjusts: str = ""
    full: bool = False
    state: str = "stamped"
    reason: str = ""
    """Why a document stays planned, as the ledger names it."""
    fault: str = ""
    """The code of the problem that holds it back; it then has no state."""
    fault_heading: str = ""
    silent: str = ""
    """The ministry does not answer at first, and then stamps or rejects."""
    cancelled_for: str = ""

    @property
    def gross(self) -> Decimal:
        """What it comes to with VAT; a note that credits everything comes to what its document does."""
        if self.full:
            return next(paper for paper in SALES if paper.ref == self.adjusts).gross
        amount = sum((row.amount for row in self.rows), Decimal(0))
        return (amount * VAT if self.kind in ("03", "05") else amount).quantize(CENT, ROUND_HALF_UP)

    @property
    def retention(self) -> Decimal:
        """1 % of VAT's base that large taxpayers and the government withhold; 10 % of services bought (14)."""
        if self.kind == "14":
            services = sum((row.amount for row in self.rows if row.service), Decimal(0))
            return (services / 10).quantize(CENT, ROUND_HALF_UP)
        base = (self.gross / VAT).quantize(CENT, ROUND_HALF_UP)
        withholds = self.cells.get("Tipo de contribuyente") in ("Grande", "Gobierno")
        return (base / 100).quantize(CENT, ROUND_HALF_UP) if withholds and base >= 100 else Decimal("0.00")


ANA = {"Cliente": "Ana Ejemplo", "DUI": "09900001-3", "Distrito": "Mejicanos"}
SUPERMARKET = {
    "Cliente": "Supermercado Modelo, S.A. de C.V.", "NIT": "0614-300299-104-4", "NRC": "12345-6",
    "Tipo de contribuyente": "Grande", "Giro": "47111", "Distrito": "San Miguel",
    "Dirección": "Avenida La Muestra 5", "Correo": "compras@example.com",
}  # fmt: skip
SHOP = {
    "Cliente": "Tienda La Muestra", "NIT": "0614-300299-101-0", "NRC": "23456-7", "Tipo de contribuyente": "Pequeño",
    "Giro": "47190", "Distrito": "Soyapango", "Dirección": "Calle El Ejemplo 12", "Correo": "tienda@example.com",
}  # fmt: skip
HOTEL = {
    "Cliente": "Hotel La Prueba, S.A. de C.V.", "NIT": "0614-300299-111-7", "NRC": "34567-8",
    "Tipo de contribuyente": "Mediano", "Giro": "55101", "Distrito": "La Libertad",
    "Dirección": "Carretera del Litoral, km 34", "Correo": "facturas@example.org",
}  # fmt: skip
TOWN_HALL = {
    "Cliente": "Alcaldía de Ejemplo", "NIT": "0614-300299-103-6", "NRC": "45678-9", "Tipo de contribuyente": "Gobierno",
    "Giro": "84111", "Distrito": "Santa Tecla", "Dirección": "Plaza Ejemplo", "Correo": "tesoreria@example.net",
}  # fmt: skip
ON_CREDIT = {"Condición": "Crédito", "Plazo": "Días", "Días de crédito": "30", "Forma de pago": "13"}
CASH = {"Condición": "Contado", "Forma de pago": "Efectivo"}


def row(name: str, quantity: str, price: str, discount: str = "", *, service: bool = False) -> Row:
    return Row(name=name, quantity=quantity, price=price, discount=discount, service=service)


SALES = (
    Paper(
        ref="F-2201", kind="01", cells=CASH, rows=(row("Escoba plástica", "2", "3.25"), row("Lejía 1 L", "3", "1.10"))
    ),
    Paper(
        ref="F-2202",
        kind="01",
        cells={**ANA, "Forma de pago": "03"},
        rows=(row("Plancha de vapor", "1", "21.75", "10"),),
    ),
    Paper(
        ref="F-2203",
        kind="01",
        cells={**ANA, **CASH},
        rows=(row("Silla plástica", "4", "7.99"),),
        state="cancelled",
        cancelled_for="La clienta devolvió todo antes de salir",
    ),
    Paper(ref="NC-91", kind="05", adjusts="C-401", rows=(row("Detergente en polvo 1 kg", "20", "2.50"),)),
    Paper(
        ref="C-401",
        kind="03",
        cells={**SUPERMARKET, **ON_CREDIT},
        rows=(
            row("Detergente en polvo 1 kg", "200", "2.50", "10"),
            row("Papel higiénico, paquete de 4", "100", "2.75", "10"),
        ),
    ),
    Paper(
        ref="C-402",
        kind="03",
        cells={**SHOP, **CASH},
        rows=(row("Arroz blanco precocido 1 lb", "50", "0.52"),),
        state="cancelled",
    ),
    Paper(ref="NC-92", kind="05", adjusts="C-402", full=True, rows=(row("Arroz blanco precocido 1 lb", "50", "0.52"),)),
    Paper(
        ref="C-403", kind="03", cells={**SUPERMARKET, **ON_CREDIT}, rows=(row("Azúcar blanca 2.5 kg", "40", "2.50"),)
    ),
    Paper(ref="F-2204", kind="01", cells=CASH, rows=(row("Ventilador de pedestal", "1", "32.95"),), silent="stamped"),
    Paper(
        ref="C-404",
        kind="03",
        cells={**HOTEL, **CASH},
        rows=(row("Colchón matrimonial", "6", "167.25"),),
        silent="rejected",
        state="rejected",
    ),
    Paper(
        ref="NC-93",
        kind="05",
        adjusts="C-404",
        rows=(row("Colchón matrimonial", "1", "167.25"),),
        state="planned",
        reason="ccf-rejected",
    ),
    Paper(
        ref="C-405",
        kind="03",
        cells={**SHOP, **CASH, "NRC": ""},
        rows=(row("Harina de maíz 2 lb", "24", "1.19"),),
        fault="ccf-nrc-missing",
        fault_heading="NRC",
    ),
    Paper(
        ref="C-406",
        kind="03",
        cells={**TOWN_HALL, **ON_CREDIT},
        rows=(row("Resma de papel carta", "60", "4.38"),),
        silent="stamped",
    ),
    Paper(ref="NC-94", kind="05", adjusts="C-406", rows=(row("Resma de papel carta", "5", "4.38"),)),
    Paper(
        ref="NC-95",
        kind="05",
        adjusts="C-403",
        rows=(row("Azúcar blanca 2.5 kg", "60", "2.50"),),
        fault="credit-over-ccf",
        fault_heading="Documento relacionado",
    ),
    Paper(
        ref="NC-96",
        kind="05",
        rows=(row("Azúcar blanca 2.5 kg", "1", "2.50"),),
        fault="credit-ccf-missing",
        fault_heading="Documento relacionado",
    ),
    Paper(
        ref="F-2205",
        kind="01",
        cells={"Cliente": "Luis Muestra", "DUI": "09900007-1", "Correo": "luis@correo.invalida"},
        rows=(row("Licuadora 10 velocidades", "1", "39.90"),),
        state="rejected",
    ),
    Paper(
        ref="E-31",
        kind="11",
        cells={
            "Cliente": "Sample Imports LLC",
            "Dirección": "100 Example Street, Springfield, USA",
            "Correo": "orders@example.com",
            "Forma de pago": "Transferencia",
        },
        rows=(row("Café de altura, saco de 69 kg", "12", "185.00"), row("Miel de abeja, barril", "1", "640.50")),
    ),
    Paper(
        ref="E-32",
        kind="11",
        cells={"Cliente": "Muster Handel GmbH", "Dirección": "Beispielweg 7, Musterstadt"},
        rows=(row("Hamaca de algodón", "30", "18.40", "5"),),
    ),
)
PURCHASES = (
    Paper(
        ref="S-71",
        kind="14",
        cells={"Proveedor": "José Muestra", "DUI": "09900002-1", "Distrito": "Santo Tomás"},
        rows=(row("Reparación de techo", "1", "150.00", service=True),),
    ),
    Paper(
        ref="S-72",
        kind="14",
        cells={"Proveedor": "Lucía Modelo", "DUI": "09900005-5", "Distrito": "Panchimalco"},
        rows=(row("Transporte de mercadería", "2", "22.50", service=True), row("Tomate, caja", "6", "11.25")),
    ),
    Paper(
        ref="S-73",
        kind="14",
        cells={"Proveedor": "Óscar Ensayo", "DUI": "09900006-3", "Distrito": "Mejicanos"},
        rows=(row("Leña, carga", "3", "14.00"),),
        state="cancelled",
        cancelled_for="Se registró dos veces",
    ),
    Paper(
        ref="S-74",
        kind="14",
        cells={"Proveedor": "Carlos Demostración", "DUI": "0990004-7", "Distrito": "San Miguel"},
        rows=(row("Limpieza de bodega", "1", "35.00", service=True),),
        fault="dui-shape",
        fault_heading="DUI",
    ),
)


def sales_rows(papers: Sequence[Paper], day: Any) -> list[tuple[Paper, dict[str, Any]]]:
    """Rows of the workbook by heading; what is of the whole document stands in every row."""
    rows = []
    for paper in papers:
        for one in paper.rows:
            cells: dict[str, Any] = {
                "No. documento": paper.ref, "Tipo de documento": TYPE_NAMES[paper.kind], "Fecha": day, **paper.cells,
                "Documento relacionado": paper.adjusts, "Ajuste total": "Sí" if paper.full else "",
                "Descripción": one.name, "Cantidad": Decimal(one.quantity), "Precio unitario": Decimal(one.price),
                "% descuento": Decimal(one.discount) if one.discount else None,
            }  # fmt: skip
            rows.append((paper, cells))
    return rows


def purchase_rows(papers: Sequence[Paper], day: Any) -> list[tuple[Paper, dict[str, Any]]]:
    rows = []
    for paper in papers:
        for one in paper.rows:
            cells: dict[str, Any] = {
                "No. documento": paper.ref, "Tipo DTE": "14", "Fecha": f"{day:%d/%m/%Y}", **paper.cells,
                "Concepto": one.name, "Cantidad": one.quantity, "Valor unitario": one.price.replace(".", ","),
                "Es servicio": "sí" if one.service else "no",
            }  # fmt: skip
            rows.append((paper, cells))
    return rows


def mixed_expectation(files: Mapping[str, Sequence[tuple[Paper, Mapping[str, Any]]]]) -> dict[str, Any]:
    """How each document ends after issuing, asking, issuing again and cancelling."""
    papers = (*SALES, *PURCHASES)
    sent = [paper for paper in papers if not paper.fault]
    states = [paper.state for paper in sent]
    return {
        "rows": sum(map(len, files.values())),
        "documents": len(papers),
        "held_back": len(papers) - len(sent),
        "states": {state: states.count(state) for state in dict.fromkeys(states)},
        "settled": [
            {
                "external_ref": paper.ref,
                "doc_type": paper.kind,
                "state": paper.state,
                "reason": paper.reason,
                "gross": str(paper.gross),
                "retention": str(paper.retention) if paper.kind != "05" else None,
            }
            for paper in sent
        ],
        "problems": [
            {
                "code": paper.fault,
                "external_ref": paper.ref,
                "file": file,
                "row": next(at for at, (one, _) in enumerate(rows, 2) if one is paper),
                "heading": paper.fault_heading,
            }
            for file, rows in files.items()
            for paper in {one.ref: one for one, _ in rows}.values()
            if paper.fault
        ],
        "without_answer_at_first": {paper.ref: paper.silent for paper in sent if paper.silent},
        "cancelled": [paper.ref for paper in sent if paper.cancelled_for],
    }
