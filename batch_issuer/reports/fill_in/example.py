"""The example sheet's documents: one of every type and of a few cases, none of them anybody's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from batch_issuer.messages import N_
from batch_issuer.reports.fill_in.lists import YES_NO

Cell = str | Decimal | dt.date | bool
DAY = dt.date(2026, 11, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleDocument:
    """One document: what it shows, the cells that all its rows have, and each row's own."""

    shows: str
    header: Mapping[str, Cell]
    lines: tuple[Mapping[str, Cell], ...]
    adjusts: int = 0
    """The number of the document that it credits."""


def _line(description: str, quantity: str, price: str, **others: Cell) -> Mapping[str, Cell]:
    return {"description": description, "quantity": Decimal(quantity), "unit_price": Decimal(price), **others}


EXAMPLES = (
    ExampleDocument(
        shows=N_("A sale to a consumer who gives no name, with two products: two rows with the same reference."),
        header={"doc_type": "01 Factura", "branch": "Centro", "payment_method": "01 Efectivo"},
        lines=(_line("Café molido 400 g", "2", "3.75"), _line("Azúcar blanca 2.5 kg", "1", "2.90")),
    ),
    ExampleDocument(
        shows=N_("A factura with the customer's data, with 10 % off and paid by card."),
        header={
            "doc_type": "01 Factura", "branch": "Centro", "payment_method": "03 Tarjeta Crédito",
            "customer_name": "Ana Ejemplo", "document_type": "13 DUI", "dui": "09900001-3",
            "department": "La Libertad", "municipality": "La Libertad Sur", "district": "Santa Tecla",
            "email": "ana.ejemplo@example.com",
        },
        lines=(_line("Plancha de vapor", "1", "24.95", discount_percentage=Decimal(10)),),
    ),
    ExampleDocument(
        shows=N_("A crédito fiscal on credit, for 30 days, to a large taxpayer: 1 % is withheld from $100 on."),
        header={
            "doc_type": "03 Crédito fiscal", "branch": "Centro", "payment_method": "13 Cuentas por pagar del receptor",
            "transaction_condition": "2 A crédito", "deadline": "1 Días", "period": "30",
            "customer_name": "Supermercado Modelo, S.A. de C.V.", "document_type": "36 NIT",
            "nit": "0614-300299-104-4", "nrc": "12345-6", "type_contributor": "3 Grande",
            "customer_activity_code": "47111 Venta en supermercados",
            "department": "San Salvador", "municipality": "San Salvador Este", "district": "Soyapango",
            "address": "Calle El Ejemplo 12, Colonia La Muestra", "email": "compras@example.com", "phone": "2200-0000",
        },
        lines=(_line("Papel higiénico, paquete de 4", "120", "1.85"), _line("Lejía 1 L", "40", "1.10")),
    ),
    ExampleDocument(
        shows=N_("A nota de crédito for 10 units of the crédito fiscal above that came back; its reference says it."),
        header={"doc_type": "05 Nota de crédito", "branch": "Centro", "full_adjustment": False},
        adjusts=3,
        lines=(_line("Papel higiénico, paquete de 4", "10", "1.85"),),
    ),
    ExampleDocument(
        shows=N_("An export: prices without VAT, and a customer abroad."),
        header={
            "doc_type": "11 Exportación", "branch": "Centro", "payment_method": "05 Transferencia",
            "customer_name": "Sample Imports LLC", "document_type": "37 Otro", "nit": "EX-0099001",
            "department": "Otro (Para extranjeros)", "municipality": "Otro (Para extranjeros)",
            "address": "100 Example Street, Springfield, USA", "email": "orders@example.com",
        },
        lines=(_line("Café de altura, saco de 69 kg", "12", "185.00"),),
    ),
    ExampleDocument(
        shows=N_("A purchase of a service from somebody without NRC: you issue the document, and 10 % is withheld."),
        header={
            "doc_type": "14 Sujeto excluido", "branch": "Centro", "customer_name": "José Muestra",
            "document_type": "13 DUI", "dui": "09900002-1",
            "department": "San Salvador", "municipality": "San Salvador Sur", "district": "Santo Tomás",
            "address": "Pasaje La Prueba 3",
        },
        lines=(_line("Reparación de techo", "1", "150.00", is_service=True),),
    ),
)  # fmt: skip


def example_rows(language: str, reference: str) -> list[tuple[str, Mapping[str, Cell]]]:
    """Return each row with what it shows, which is empty but on the first of its document.

    `reference` has a place for the number of the document: `EJEMPLO-{number}`.
    """
    yes, no = YES_NO[language]
    rows: list[tuple[str, Mapping[str, Cell]]] = []
    for number, document in enumerate(EXAMPLES, 1):
        for at, line in enumerate(document.lines):
            cells = {"external_ref": reference.format(number=number), "date": DAY, **document.header, **line}
            if document.adjusts:
                cells["adjusts"] = reference.format(number=document.adjusts)
            said = {name: (yes if cell else no) if isinstance(cell, bool) else cell for name, cell in cells.items()}
            rows.append(("" if at else document.shows, said))
    return rows
